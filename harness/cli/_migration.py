"""`parity gate --policy cutover.toml`, in words: a line a requirement, what is met last and short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.gate.migration import MigrationDecision
    from harness.gate.migration_evidence import Line


def text(decision: MigrationDecision) -> str:
    """For a terminal: the table, what to do about each open line, and the answer."""
    return "\n".join(_lines(decision))


def _lines(decision: MigrationDecision) -> Iterator[str]:
    what = max(len(line.requirement) for line in decision.lines)
    who = max(len(line.subject) for line in decision.lines)
    for line in decision.lines:
        yield f"{_word(line):8}  {line.requirement:{what}}  {line.subject:{who}}  {line.says}".rstrip()
        if line.todo:
            yield f"{'':8}  {'':{what}}  {'':{who}}  -> {line.todo}"
    yield ""
    yield f"evidence {decision.evidence_sha256}"
    yield f"{decision.verdict.value}. {decision.headline}"


def _word(line: Line) -> str:
    return "waived" if line.waived_by is not None else line.status.value
