"""The fitted model: a logistic regression on FEATURES, and the salience of words below it. Data, not code: JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from harness.comparators._text.features import FEATURES
from harness.comparators._text.salience import SIGNS
from harness.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """same_at, different_at: a probability of at least, of at most this is a verdict; between them lies "not shown".

    salience: coefficients by SIGNS. features: coefficients by FEATURES, of the sign that stands there. made_by: the
    command that fitted it; labels: of how many pairs.
    """

    bias: float
    features: Mapping[str, float]
    salience: Mapping[str, float]
    same_at: float
    different_at: float
    made_by: str
    labels: int

    def probability(self, values: Sequence[float]) -> float:
        """Of equivalence, in [0, 1], for values in the order of FEATURES."""
        z = self.bias + math.fsum(self.features[name] * value for name, value in zip(FEATURES, values, strict=True))
        return 1.0 / (1.0 + math.exp(-z))

    @property
    def sha256(self) -> str:
        """Of everything that decides a score."""
        document = {key: value for key, value in asdict(self).items() if key not in ("made_by", "labels")}
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


@lru_cache(maxsize=1)
def default() -> Model:
    """The model that ships; `benchmarks/text_similarity.py fit` made it."""
    return _model(json.loads(resources.files(__package__).joinpath("model.json").read_text()), "model.json")


def load(path: Path) -> Model:
    """A calibration that `parity calibrate` wrote. Raises ConfigError where it is missing, or is none."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{path}: no calibration can be read ({exc}). `parity calibrate` writes one.") from exc
    return _model(content, str(path))


def _model(content: Any, where: str) -> Model:
    names = set(Model.__dataclass_fields__)
    if not isinstance(content, dict) or set(content) != names:
        raise ConfigError(f"{where}: not a calibration: it must hold {', '.join(sorted(names))} and nothing else.")
    model = Model(**content)
    for name, table, wanted in (("features", model.features, FEATURES), ("salience", model.salience, SIGNS)):
        if set(table) != set(wanted) or not all(_finite(value) for value in table.values()):
            raise ConfigError(f"{where}: {name} must hold a finite number for each of {', '.join(wanted)}.")
    wrong = [name for name, sign in FEATURES.items() if model.features[name] * sign < 0]
    if wrong:
        raise ConfigError(f"{where}: the coefficient of {', '.join(wrong)} has the wrong sign.")
    if not all(_finite(value) for value in (model.bias, model.same_at, model.different_at)):
        raise ConfigError(f"{where}: bias, same_at and different_at must be finite numbers.")
    if not 0 <= model.different_at < model.same_at <= 1:
        raise ConfigError(f"{where}: 0 <= different_at < same_at <= 1 must hold.")
    return model


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
