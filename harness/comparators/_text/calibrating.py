"""A model refitted on somebody's own labels, and how well it then agrees with them, told on prompts it never saw."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.comparators._text.agreement import Interval, agreement
from harness.comparators._text.features import pair
from harness.comparators._text.fitting import probabilities, refitted, thresholds
from harness.comparators._text.model import Model
from harness.comparators._text.similarity import bounds
from harness.errors import TooFewCases

FOLDS = 5
LEAST_LABELS = 50
LEAST_PROMPTS = 10


@dataclass(frozen=True, slots=True)
class Labelled:
    """Two answers to one prompt, and whether a person calls them equivalent."""

    prompt: str
    source: str
    target: str
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """before, after: agreement of the model as it was and of the refitted one, each on prompts it was not fitted on."""

    model: Model
    before: dict[str, Interval]
    after: dict[str, Interval]
    labels: int
    prompts: int


def calibrate(labelled: Sequence[Labelled], model: Model, *, made_by: str) -> Calibrated:
    """Refit the fusion; salience stays. Raises TooFewCases where the labels are too few or all the same."""
    prompts = [one.prompt for one in labelled]
    labels = np.array([one.same for one in labelled], dtype=np.float64)
    if len(labelled) < LEAST_LABELS or len(set(prompts)) < LEAST_PROMPTS or not 0 < labels.sum() < len(labels):
        raise TooFewCases(
            f"{len(labelled)} labels of {len(set(prompts))} prompts, {int(labels.sum())} of them 1: a calibration "
            f"takes at least {LEAST_LABELS} labels of {LEAST_PROMPTS} prompts, and both labels; 200 are enough."
        )
    values = np.array([pair(one.prompt, one.source, one.target, model.salience).values for one in labelled])
    folds = np.array([zlib.crc32(prompt.encode()) % FOLDS for prompt in prompts])
    least, most = np.array([bounds(one.prompt, one.source, one.target, model) for one in labelled]).T
    bare = _held_out(values, labels, folds, model)
    same_at, different_at = thresholds(bare, labels)
    bias, features = refitted(values, labels, model)
    new = replace(
        model,
        bias=bias,
        features=features,
        same_at=same_at,
        different_at=min(different_at, same_at / 2),
        made_by=made_by,
        labels=len(labelled),
    )
    old = np.clip(probabilities(values, model.bias, model.features), least, most)
    return Calibrated(
        model=new,
        before=agreement(old, labels, prompts),
        after=agreement(np.clip(bare, least, most), labels, prompts),
        labels=len(labelled),
        prompts=len(set(prompts)),
    )


def _held_out(
    values: NDArray[np.float64], labels: NDArray[np.float64], folds: NDArray[np.int64], model: Model
) -> NDArray[np.float64]:
    """Scores of each fold by a model refitted on the others."""
    scores = np.zeros(len(labels))
    for fold in range(FOLDS):
        held = folds == fold
        if held.any() and not held.all():
            scores[held] = probabilities(values[held], *refitted(values[~held], labels[~held], model))
    return scores
