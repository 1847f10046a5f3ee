"""What a policy demands of the traffic that was replayed, besides margins: the `[coverage]` table.

A good result on the wrong cases is no GO. What is found here can only withhold one: where a demand is met nothing is
said, because a met demand must not count as a vote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from harness.core.shape import check
from harness.core.verdict import Finding, Verdict
from harness.errors import ConfigError, LedgerError, PolicyError
from harness.recordings.gaps import KINDS

if TYPE_CHECKING:
    from harness.core.rows import Rows
    from harness.gate.policy import Policy
    from harness.recordings.manifest import Manifest

GOLDEN, LABELS = "coverage: golden set", "coverage: labels"
_CLOCKS = timedelta(days=1)  # how far the clocks of two machines may be apart before a date is not believed

COVERAGE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "description": "What must have been replayed for GO. Slices are demanded where criteria declare them.",
    "properties": {
        "max_age_days": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "Oldest golden set that counts, by the end of its traffic.",
        },
        "allow_sampled": {"type": "boolean", "default": False, "description": "The golden set may be a sample."},
        "allow_truncated": {"type": "boolean", "default": False, "description": "Logged bodies may have been cut."},
        "refuse_gaps": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "enum": list(KINDS)},
            "description": "Known gaps that the golden set may not have, by the words of its manifest.",
        },
        "golden_sha256": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "64 hex digits, the hash of the golden set that was agreed",
        },
        "labels": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
            "description": "Labels of the source that must have been replayed.",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """The `[coverage]` table. None: any. labels: of the source, each to be seen in at least one row.

    refuse_gaps: words of `harness.recordings.gaps.KINDS`.
    """

    max_age_days: float | None = None
    allow_sampled: bool = False
    allow_truncated: bool = False
    golden_sha256: str | None = None
    labels: tuple[str, ...] = ()
    refuse_gaps: tuple[str, ...] = ()

    def canonical(self) -> dict[str, Any]:
        """As plain JSON values, for the policy's hash; empty where nothing was asked beyond the defaults."""
        if self == Demands():
            return {}
        table = {**asdict(self), "labels": list(self.labels), "refuse_gaps": list(self.refuse_gaps)}
        # Left out where it asks for nothing: policies of before it keep their hash.
        return table if self.refuse_gaps else {name: asked for name, asked in table.items() if name != "refuse_gaps"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenFacts:
    """What a golden set's manifest says of it. taken_at: the end of its traffic, or else when it was made; UTC.

    primaries: cases with a request of their own, which are those that are replayed. gaps: word of
    `harness.recordings.gaps.KINDS` -> how many.
    """

    sha256: str
    cases: int
    sampled: bool
    truncated: bool
    taken_at: datetime
    primaries: int | None = None
    gaps: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest) -> GoldenFacts:
        taken_at = manifest.captured[1] if manifest.captured is not None else manifest.created_at
        return cls(
            sha256=manifest.sha256,
            cases=manifest.cases,
            sampled=manifest.sampled,
            truncated=manifest.truncated,
            taken_at=taken_at,
            primaries=manifest.primaries,
            gaps={gap.kind: gap.count for gap in manifest.gaps},
        )

    def document(self) -> dict[str, Any]:
        """As `run.json` keeps it."""
        return {**asdict(self), "taken_at": self.taken_at.isoformat()}

    @classmethod
    def from_document(cls, table: Mapping[str, Any]) -> GoldenFacts | None:
        """None for a run of before these facts were kept. Raises LedgerError where they are not what was written."""
        if not table:
            return None
        try:
            taken_at = datetime.fromisoformat(table["taken_at"]).astimezone(UTC)
            return cls(**{**table, "taken_at": taken_at})
        except (KeyError, TypeError, ValueError) as exc:
            raise LedgerError(f"run.json: the facts of the golden set cannot be read ({exc}).") from exc


def parse_coverage(table: Any, where: str) -> Demands:
    """The `[coverage]` table. Raises PolicyError naming the key."""
    if not isinstance(table, Mapping):
        raise PolicyError(f"{where} must be a table.")
    try:
        check(table, COVERAGE, place=where)
    except ConfigError as exc:
        raise PolicyError(str(exc)) from exc
    age = table.get("max_age_days")
    lists = {name: tuple(dict.fromkeys(table.get(name, ()))) for name in ("labels", "refuse_gaps")}
    return Demands(**{**table, "max_age_days": None if age is None else float(age), **lists})


def coverage(policy: Policy, golden: GoldenFacts | None, *, decided_at: datetime) -> tuple[Finding, ...]:
    """What the policy demands of the golden set and does not get, each a finding that withholds GO.

    golden: None where a run did not keep the facts, which meets no demand. decided_at: UTC.
    """
    return tuple(_open(GOLDEN, reason) for reason in _golden_faults(policy.coverage, golden, decided_at))


def labels_replayed(policy: Policy, rows: Rows) -> tuple[Finding, ...]:
    """Labels that the source is known to give and that no row carries.

    rows: of all nights of the epoch. Labels that some night did carry are questions of the gate's own.
    """
    from harness.gate.policy import SOURCE_LABEL

    column = rows.slices.get(SOURCE_LABEL)
    present = set() if column is None else set(column.present())
    lacking = [label for label in policy.coverage.labels if label not in present]
    if not lacking:
        return ()
    listed = ", ".join(f'"{label}"' for label in lacking)
    return (
        _open(
            LABELS,
            f"No case that the source answers with {listed} was replayed: nothing shows that the target ever says so. "
            "Add such cases to the golden set.",
        ),
    )


def unchecked(policy: Policy) -> tuple[str, ...]:
    """What a policy demands and bare rows cannot tell."""
    demands = policy.coverage
    asked = [
        *(["its age"] if demands.max_age_days is not None else []),
        *(["its hash"] if demands.golden_sha256 is not None else []),
        *(["its gaps"] if demands.refuse_gaps else []),
    ]
    if not asked:
        return ()
    return (
        f"The policy demands something of the golden set ({', '.join(asked)}) that rows alone do not tell; "
        "`parity run` and `parity gate` hold the run to it.",
    )


def _golden_faults(demands: Demands, golden: GoldenFacts | None, at: datetime) -> Iterable[str]:
    if golden is None:
        yield (
            "The run does not say what golden set it replayed, and so nothing shows that it was the agreed one. Run it "
            "again."
        )
        return
    if golden.sampled and not demands.allow_sampled:
        yield (
            "The golden set is a sample of the traffic, and the policy asks for all of it. Record it whole, or say "
            "allow_sampled = true under [coverage] when the sample was drawn by a rule fixed beforehand."
        )
    if golden.truncated and not demands.allow_truncated:
        yield (
            "Bodies of the golden set were cut by the log they were captured from, so what was replayed is not what "
            "was asked. Capture them whole, or say allow_truncated = true under [coverage]."
        )
    for kind in demands.refuse_gaps:
        if count := golden.gaps.get(kind, 0):
            yield (
                f"The golden set has {count:,} of a gap that the policy refuses: {kind} ({KINDS[kind]}). Record a set "
                "without, or take the word out of refuse_gaps."
            )
    if demands.golden_sha256 is not None and golden.sha256 != demands.golden_sha256:
        yield (
            f"The golden set has changed: the policy names {demands.golden_sha256[:16]}, and {golden.sha256[:16]} was "
            "replayed. Put the agreed set back, or agree on this one and change golden_sha256."
        )
    if demands.max_age_days is not None:
        yield from _age_faults(demands.max_age_days, golden, at)


def _age_faults(max_age_days: float, golden: GoldenFacts, at: datetime) -> Iterable[str]:
    age = at - golden.taken_at
    if age > timedelta(days=max_age_days):
        yield (
            f"The golden set ends on {golden.taken_at.date().isoformat()}, {age.days:,} days before this decision, and "
            f"{max_age_days:g} is the oldest that counts. Record newer traffic."
        )
    elif age < -_CLOCKS:
        ends = golden.taken_at.date().isoformat()
        yield f"The golden set says that it ends on {ends}, after this decision. Correct its date."


def _open(criterion: str, reason: str) -> Finding:
    return Finding(criterion=criterion, metric="", verdict=Verdict.INCONCLUSIVE, reason=reason)
