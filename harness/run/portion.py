"""The part of a suite that one night replays: whole units, in an order that the seed fixes before anyone looks.

A unit is a cluster of cases that may share fate; a case without one is a unit of its own. Units are shuffled, not
cases: in an order of cases, large clusters would come first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.errors import LedgerError
from harness.gate.conditions import WATCH

if TYPE_CHECKING:
    from harness.run.plan import Plan

NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """indices: of the golden set, in the order in which they are replayed. units: how many they are.

    kind: "new", payloads that this epoch has not seen, or "watch", payloads replayed again because none is left: they
    are compared on their own and add no evidence. unseen: units that the epoch will not have seen after this night.
    served: side -> what served it in the nights before; calibration_s: latencies of the source, in seconds, by which
    they froze its thresholds: fewer than the suite asks for, and there is no threshold yet.
    """

    night: str
    kind: str
    units: int
    unseen: int
    indices: tuple[int, ...]
    served: Mapping[str, str] = field(default_factory=dict)
    calibration_s: tuple[float, ...] = ()

    def document(self) -> dict[str, Any]:
        return asdict(self) | {"indices": list(self.indices), "calibration_s": list(self.calibration_s)}

    @classmethod
    def from_document(cls, content: Mapping[str, Any]) -> Portion:
        """As `document` wrote it. Raises LedgerError."""
        try:
            tuples = {name: tuple(content[name]) for name in ("indices", "calibration_s")}
            return cls(**{**content, **tuples})
        except (KeyError, TypeError) as exc:
            raise LedgerError(f"run.json: the portion of the night cannot be read ({exc!r}).") from exc


def choose(
    made: Plan,
    *,
    night: str,
    units: int,
    seen: Iterable[str],
    served: Mapping[str, str],
    calibration_s: tuple[float, ...] = (),
) -> Plan:
    """The plan of one night: the next `units` units that are not `seen`, or, when none is left, some drawn again.

    seen: clusters that the epoch knows. What is drawn again depends on the night's name, so that it is another part
    each night. Raises LedgerError where the suite has no case.
    """
    pool = _units(made)
    if not pool:
        raise LedgerError(f"{made.suite.golden}: there is no case to replay.")
    known = set(seen)
    fresh = [name for name in _shuffled(pool, made.suite.seed) if name not in known]
    chosen = fresh[:units] or _shuffled(pool, _seed(made.suite.seed, night))[:units]
    portion = Portion(
        night=night,
        kind=NEW if fresh else WATCH,
        units=len(chosen),
        unseen=max(len(fresh) - units, 0),
        indices=tuple(index for name in chosen for index in pool[name]),
        served=served,
        calibration_s=calibration_s,
    )
    return cut(made, portion)


def cut(made: Plan, portion: Portion) -> Plan:
    """The same plan for the portion's cases alone. Raises LedgerError where the golden set has not got them."""
    import numpy as np

    size = len(made.golden)
    order = np.array(portion.indices, dtype=np.int64)
    if len(order) == 0 or order.min() < 0 or order.max() >= size or len(np.unique(order)) < len(order):
        raise LedgerError(f"{made.suite.golden}: not the golden set that the portion of {portion.night} is of.")
    rank = np.full(size, -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return replace(made, order=order, rank=rank, portion=portion)


def _units(made: Plan) -> dict[str, list[int]]:
    """Cluster -> its cases as indices, both in the order of the golden set; repeats of a request are not among them."""
    pool: dict[str, list[int]] = {}
    for index in made.golden.primaries.tolist():
        stored = made.golden.recording(index)
        pool.setdefault(stored.cluster or stored.recording.id, []).append(index)
    return pool


def _shuffled(pool: Mapping[str, list[int]], seed: int) -> list[str]:
    from harness.recordings.sample import order

    names = list(pool)
    return [names[place] for place in order(len(names), seed).tolist()]


def _seed(seed: int, night: str) -> int:
    return int.from_bytes(hashlib.sha256(f"parity-watch:{seed}:{night}".encode()).digest()[:8], "big")
