"""Under what conditions a run's rows came about, as far as they change what the rows can show.

Rows made under other conditions are other evidence: they belong to an epoch of their own. A run whose source answers
are recordings says nothing of latency, cost or errors, because the source was not called beside the target; a run with
its sides swapped says nothing of the way forward.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.call import Mode
from harness.core.verdict import Finding, Verdict
from harness.errors import LedgerError
from harness.stats.measure import Kind

if TYPE_CHECKING:
    from harness.gate.policy import Criterion

RUN_RECORD = "run.json"
WATCH = "watch"  # kind of a portion whose payloads were replayed before: compared, and no evidence
OPERATIONAL = ("error", "errors", "cost_usd")  # metrics that only two live sides give


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """mode: dual or golden; whatever else made the rows is one of the two. reverse: the sides were swapped.

    arrival: how calls arrived where they did not wait for each other ("recorded, speed 2"); empty: they did.
    made_by: what else made the rows, by name (see `run.provenance`); empty for rows that do not say.
    """

    mode: Mode = Mode.DUAL
    reverse: bool = False
    arrival: str = ""
    made_by: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Conditions:
        """From a run's `run.json`; runs of before modes existed called both sides. Raises LedgerError."""
        arrival = record.get("arrival") or {}
        try:
            return cls(
                mode=Mode(record.get("mode", Mode.DUAL)),
                reverse=bool(record.get("reverse", False)),
                arrival=f"recorded, speed {arrival['speed']:g}" if arrival else "",
                made_by={str(name): str(value) for name, value in (record.get("made_by") or {}).items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise LedgerError(f"{RUN_RECORD}: the conditions of the run cannot be read ({exc!r}).") from exc

    @classmethod
    def beside(cls, rows: Path) -> Conditions:
        """Those of the run in whose folder a rows file lies; the ordinary ones where it lies in none."""
        try:
            record = json.loads((rows.parent / RUN_RECORD).read_bytes())
        except (OSError, ValueError):
            return cls()
        return cls.of(record) if isinstance(record, dict) else cls()

    def canonical(self) -> dict[str, Any]:
        """What opens an epoch of its own, as plain JSON values; empty under ordinary conditions."""
        return {
            **({"mode": self.mode.value} if self.mode is not Mode.DUAL else {}),
            **({"reverse": True} if self.reverse else {}),
            **({"arrival": self.arrival} if self.arrival else {}),
            **({"made_by": dict(self.made_by)} if self.made_by else {}),
        }

    def judges(self, criterion: Criterion) -> bool:
        """Whether rows that came about so can say anything of the criterion."""
        if self.mode is not Mode.GOLDEN:
            return True
        timed = criterion.kind in (Kind.EXCEED, Kind.COST) or criterion.limit_s is not None
        return not timed and criterion.metric not in OPERATIONAL

    def not_judged(self, criterion: Criterion) -> Finding:
        """What stands in the decision for a criterion that cannot be judged: it never votes."""
        return Finding(
            criterion=criterion.name,
            metric=criterion.metric,
            verdict=Verdict.INCONCLUSIVE,
            reason="Not judged: the source's answers are recordings (mode golden), so nothing was measured beside the "
            "target. Latency, cost and errors need a run that calls both sides (--mode dual).",
            gating=False,
            margin=criterion.margin,
        )

    def told(self, criteria: tuple[Criterion, ...]) -> tuple[tuple[str, str], ...]:
        """What a reader must know before any number: (word, sentence)."""
        found = []
        if self.reverse:
            found.append(
                ("Reverse", "the sides were swapped. This speaks of the way back, and never of the way forward.")
            )
        if self.mode is Mode.GOLDEN:
            left = [criterion.name for criterion in criteria if not self.judges(criterion)]
            listed = f" Not judged, and no part of this answer: {', '.join(left)}." if left else ""
            found.append(
                ("Golden", f"the source's answers are recordings, and only the target was called.{listed}"),
            )
        return tuple(found)
