"""A report in which every text that others write is the same hostile one."""

from __future__ import annotations

from dataclasses import replace

from harness.core.report import ParityReport
from tests.reporters import sample


def everywhere(text: str, report: ParityReport | None = None) -> ParityReport:
    made = report or sample.no_go()
    assert made.decision is not None
    findings = tuple(
        replace(one, criterion=text, metric=text, reason=text, slice=one.slice and text)
        for one in made.decision.findings
    )
    return replace(
        made,
        title=text,
        suite=text,
        planted=text,
        stopped=text,
        signature=text,
        conditions=((text, text),),
        decision=replace(made.decision, findings=findings, headline=text, notes=(text, text)),
        worst=tuple(
            replace(
                one, case_id=text, metric=text, reason=text, request=text, source=text, target=text, slices={text: text}
            )
            for one in made.worst
        ),
        departures=tuple(
            replace(
                one, departure=replace(one.departure, field=text, source_value=text, target_value=text, reason=text)
            )
            for one in made.departures
        ),
        sides=tuple(replace(side, served=(text,), endpoint=text, service=text) for side in made.sides),
        metrics=tuple(replace(one, metric=text, comparator=text) for one in made.metrics),
    )
