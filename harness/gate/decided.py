"""A run's decision as the document that people sign and bundles hold, recomputed from the run's own rows and policy.

The document is `gate.document` with the run's name, without the time of deciding (a run that is judged again on the
same rows has the same decision), and with rows_sha256 taken of the canonical rows, not of the file they lay in.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from harness.core.rows import Rows
from harness.core.verdict import Decision, Evidence, Finding, Verdict
from harness.errors import EvidenceError, HarnessError
from harness.gate.canonical import canonical_json, rows_sha256
from harness.gate.conditions import Conditions
from harness.gate.coverage import GOLDEN, LABELS, GoldenFacts, coverage
from harness.gate.document import SCHEMA, document
from harness.gate.policy import Policy

WORDS = ("headline", "reason", "notes")  # what a later version of the harness may say in other words
LONG = 60  # characters of a text in a message
CLOSE = 1e-9  # relative; numbers may differ in their last digits between processors and library versions


class Stored(Protocol):
    """Where a run's files lie; `run.folder.RunFolder` is one."""

    @property
    def path(self) -> Path: ...
    @property
    def ledger(self) -> Path: ...
    @property
    def policy(self) -> Path: ...
    @property
    def rows(self) -> Path: ...
    @property
    def decision(self) -> Path: ...
    def report(self, suffix: str) -> Path: ...


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """A decision that its rows and policy were seen to give. content: see the head of this file.

    handed: names of findings that stand as recorded, since they come from outside of what is kept.
    """

    run: str
    policy: Policy
    rows: Rows
    content: Mapping[str, Any]
    decided_at: datetime
    handed: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """`decision.json` of a bundle."""
        return canonical_json(self.content)

    @property
    def sha256(self) -> str:
        """What a sign-off signs: the hash of `to_bytes()`."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.content["decision"])


def load(folder: Stored) -> Decided:
    """The decision of a stored run. Raises EvidenceError where there is none, or where rows and policy give another."""
    from harness.gate.policy import load_policy
    from harness.gate.rows_file import open_rows

    record = read_json(folder.path / "run.json")
    run = str(record.get("run"))
    if record.get("partial"):
        raise EvidenceError(f"run {run} is PARTIAL (deselected criteria or a sample): it has no decision.")
    for path in (folder.decision, folder.rows, folder.policy):
        if not path.is_file():
            raise EvidenceError(f"run {run} has no {path.name} yet. Finish it: parity run --resume {run}")
    told = read_json(folder.decision)
    file = open_rows(folder.rows)
    policy = load_policy(folder.policy).under(Conditions.of(record))
    canonical = rows_sha256(file.rows)
    if told.get("rows_sha256") not in (file.sha256, canonical):
        raise EvidenceError(f"{folder.rows}: is not the file that was decided on. Judge again: parity report {run}")
    content = {**told, "run": run, "rows_sha256": canonical}
    decided_at = parse_time(content.pop("decided_at", None), str(folder.decision))
    found = recompute(run, file.rows, policy, content, record=record, decided_at=decided_at, rows_hash=canonical)
    if differences := list(compare(content, found.content, words=same_words(record))):
        raise EvidenceError(
            f"{folder.decision}: its rows and policy give another decision: {differences[0]}. "
            f"Judge again: parity report {run}"
        )
    return replace(found, content=content)  # as it was told: what was signed once stays signed on another machine


def recompute(
    run: str,
    rows: Rows,
    policy: Policy,
    told: Mapping[str, Any],
    *,
    record: Mapping[str, Any],
    decided_at: datetime,
    rows_hash: str,
) -> Decided:
    """Decide again. record: `run.json`, for what it says of the golden set that the policy may demand something of.

    From `told` come the signature line and what the gate was handed from outside: findings after the policy's own,
    notes before them. These stand as recorded; the findings are named in `handed`.
    Raises EvidenceError where `told` has not the shape of a decision.
    """
    from harness.gate.decide import decide

    findings, notes, signature = told.get("findings"), told.get("notes"), told.get("signature")
    if not isinstance(findings, list) or not isinstance(notes, list) or not isinstance(signature, str):
        raise EvidenceError("decision.json has not the shape of a decision (findings, notes, signature).")
    covered = _covered(policy, record, decided_at)
    decision = decide(rows, policy, decided_at=decided_at, signature=signature, findings=covered)
    computed = (LABELS, GOLDEN) if record.get("golden") else (LABELS,)
    beyond = [_finding(entry) for entry in findings[len(decision.findings) :]]
    outside = [finding for finding in beyond if finding.criterion not in computed]
    if outside:
        together = (*covered, *outside)
        decision = decide(rows, policy, decided_at=decided_at, signature=signature, findings=together)
    before = notes[: max(len(notes) - len(decision.notes), 0)]
    decision = replace(decision, notes=(*before, *decision.notes))
    handed = tuple(finding.criterion for finding in outside)
    return Decided(run, policy, rows, _content(run, decision, rows_hash), decided_at, handed)


def same_words(record: Mapping[str, Any]) -> bool:
    """Whether the run was judged by this version of the harness, which then says the same in the same words."""
    versions = record.get("versions")
    return isinstance(versions, Mapping) and versions.get("parity-harness") == version("parity-harness")


def _covered(policy: Policy, record: Mapping[str, Any], decided_at: datetime) -> tuple[Finding, ...]:
    """What the policy demands of the golden set; nothing for a run that kept no facts of it."""
    golden = GoldenFacts.from_document(record.get("golden") or {})
    return () if golden is None else coverage(policy, golden, decided_at=decided_at)


def compare(told: Any, found: Any, *, words: bool = True, place: str = "") -> Iterator[str]:
    """Every field that differs, named. words: whether texts for people must be the same too."""
    if isinstance(told, Mapping) and isinstance(found, Mapping):
        for key in (*found, *(key for key in told if key not in found)):
            if not words and key in WORDS:
                continue
            here = f"{place}.{key}" if place else str(key)
            if key not in told or key not in found:
                yield f"{here} is {'missing' if key in found else 'no field of a decision'}"
            else:
                yield from compare(told[key], found[key], words=words, place=here)
    elif isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        for at, (left, right) in enumerate(zip(told, found, strict=True)):
            yield from compare(left, right, words=words, place=f"{place}[{_named(left, at)}]")
    elif not _same(told, found):
        texts = isinstance(told, str) and isinstance(found, str)
        pairs = enumerate(zip(told, found, strict=False)) if texts else ()
        start = next((at for at, (left, right) in pairs if left != right), 0)
        yield f"{place} says {_short(told, start)}, recomputed {_short(found, start)}"


def read_json(path: Path) -> dict[str, Any]:
    """Raises EvidenceError where a file of a run's folder is missing or no JSON object."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as exc:
        raise EvidenceError(f"{path}: cannot be read as JSON ({type(exc).__name__}).") from exc
    if not isinstance(found, dict):
        raise EvidenceError(f"{path}: is not a JSON object.")
    return found


def _content(run: str, decision: Decision, rows_hash: str) -> dict[str, Any]:
    content = document(decision, rows_sha256=rows_hash)
    del content["decided_at"]
    return {**content, "run": run, "schema": SCHEMA}


def parse_time(text: object, where: str) -> datetime:
    """A time with a zone, in UTC. Raises EvidenceError naming `where`."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as exc:
        raise EvidenceError(f"{where}: a time is not written as ISO 8601.") from exc
    if found.tzinfo is None:
        raise EvidenceError(f"{where}: a time has no zone.")
    return found.astimezone(UTC)


def _finding(entry: object) -> Finding:
    """A finding as `document` wrote it."""
    try:
        return _finding_of(entry)  # type: ignore[arg-type] # anything that has not this shape raises
    except (AttributeError, KeyError, TypeError, ValueError, HarnessError) as exc:
        raise EvidenceError("decision.json has a finding that has not the shape of one.") from exc


def _finding_of(entry: Mapping[str, Any]) -> Finding:
    shared = {name: entry[name] for name in ("margin", "excluded", "unscored")}
    numbers = ("estimate", "low", "high", "p_go", "p_no_go", "units", "more_units", "method")
    evidence = None
    if entry["estimate"] is not None:
        evidence = Evidence(criterion=entry["criterion"], **shared, **{name: entry[name] for name in numbers})
    return Finding(
        **{name: entry[name] for name in ("criterion", "metric", "slice", "gating", "reason", "waived_by")},
        **shared,
        verdict=Verdict(entry["verdict"]),
        evidence=evidence,
    )


def _same(told: Any, found: Any) -> bool:
    if isinstance(told, float) and isinstance(found, float):
        return math.isclose(told, found, rel_tol=CLOSE, abs_tol=1e-12)
    return type(told) is type(found) and bool(told == found)


def _named(entry: object, at: int) -> str:
    if isinstance(entry, Mapping) and isinstance(entry.get("criterion"), str):
        where = entry.get("slice")
        return f"{entry['criterion']}, {where}" if where else str(entry["criterion"])
    return str(at)


def _short(value: object, differs_at: int = 0) -> str:
    """A value for a message; of a long text the part where it differs."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{len(value)} entries"
    if isinstance(value, str) and len(value) > LONG:
        start = max(0, differs_at - LONG // 4)
        part = value[start : start + LONG]
        return repr(f"{'...' if start else ''}{part}{'...' if start + LONG < len(value) else ''}")
    return repr(value)
