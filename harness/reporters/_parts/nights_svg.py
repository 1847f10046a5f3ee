"""Two drawings of many nights: a strip of verdicts, and evidence growing toward the lines of GO and NO-GO."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.core.night import Night, SuiteNight, Told
from harness.core.verdict import Verdict
from harness.reporters._parts.markup import Markup, tag
from harness.reporters._parts.svg import VERDICT_CLASS

STRIP = 120  # nights in a strip; older ones are in the tables below
_CELL, _HIGH = 18, 30
_WIDE, _TALL, _LEFT, _FOOT = 520.0, 120.0, 8.0, 16.0
_TOP = 3.0  # powers of ten of evidence shown; more is drawn at the border
ALPHA = 0.05

_SIGN = {
    Verdict.GO: "M4.6 10.4l2.8 2.9l5.2-6",
    Verdict.NO_GO: "M5 6l8 8M13 6l-8 8",
    Verdict.INCONCLUSIVE: "M9 5v6M9 13.6v.8",
}
_SHAPE = {
    Verdict.GO: "M9 1a9 9 0 1 0 0 18a9 9 0 1 0 0-18z",
    Verdict.NO_GO: "M1 2h16v16h-16z",
    Verdict.INCONCLUSIVE: "M9 1L18 18H0z",
}


def strip(nights: Sequence[tuple[Night, SuiteNight]]) -> Markup:
    """One mark a night, newest on the right: circle and tick, square and cross, triangle. A line before a mark: a new
    epoch. An open ring below: a watch. A mark that is struck out: a planted fault."""
    shown = nights[-STRIP:]
    cells = []
    for place, (night, one) in enumerate(shown):
        cells.append(
            tag(
                "g",
                tag("title", _say(night, one)),
                tag("line", x1=-1, x2=-1, y1=0, y2=_HIGH, class_="epoch") if one.opened and place else None,
                tag("path", d=_SHAPE[one.verdict], class_="shape"),
                tag("path", d=_SIGN[one.verdict], class_="sign"),
                tag("circle", cx=9, cy=25, r=2.5, class_="ring") if one.kind == "watch" else None,
                tag("line", x1=0, x2=18, y1=20, y2=0, class_="struck") if one.planted else None,
                class_=VERDICT_CLASS[one.verdict],
                transform=f"translate({2 + place * (_CELL + 3)} 1)",
            )
        )
    width = 4 + len(shown) * (_CELL + 3)
    return tag(
        "svg",
        cells,
        viewBox=f"0 0 {width} {_HIGH + 2}",
        width=width,
        height=_HIGH + 2,
        class_="strip",
        role="img",
        aria_label=f"Verdicts of the last {len(shown)} nights, oldest first: {_runs(shown)}.",
    )


def _say(night: Night, one: SuiteNight) -> str:
    extra = [word for word, said in (("new epoch", one.opened), ("watch", one.kind == "watch")) if said]
    extra += [f"planted fault {one.planted}"] if one.planted else []
    extra += ["could not be run"] if one.error else []
    return f"{night.started_at:%Y-%m-%d}: {one.verdict.value}{''.join(f', {word}' for word in extra)}"


def _runs(nights: Sequence[tuple[Night, SuiteNight]]) -> str:
    """Equal verdicts in a row as one: "3 INCONCLUSIVE, 12 GO"."""
    counted: list[tuple[str, int]] = []
    for _, one in nights:
        word = one.verdict.value
        if counted and counted[-1][0] == word:
            counted[-1] = (word, counted[-1][1] + 1)
        else:
            counted.append((word, 1))
    return ", ".join(f"{count} {word}" for word, count in counted)


def growth(course: Sequence[tuple[Night, Told]], questions: int) -> Markup:
    """Evidence of one criterion after each night: for GO upward, for NO-GO downward, in powers of ten of 1 / p.

    questions: findings that vote; NO-GO asks for 1 / p of so many times 20 (the first step of Holm's procedure).
    """
    go_line, no_go_line = math.log10(1 / ALPHA), math.log10(max(questions, 1) / ALPHA)
    step = (_WIDE - 110) / max(len(course) - 1, 1)
    middle = (_TALL - _FOOT) / 2
    unit = (middle - 6) / _TOP

    def y(power: float) -> float:
        return middle - max(-_TOP, min(_TOP, power)) * unit

    ups = [-math.log10(told.p_go) if told.p_go else _TOP for _, told in course]
    downs = [math.log10(told.p_no_go) if told.p_no_go else -_TOP for _, told in course]
    lines = []
    for class_, powers in (("go", ups), ("nogo", downs)):
        points = " ".join(f"{_LEFT + place * step:.1f},{y(power):.1f}" for place, power in enumerate(powers))
        lines.append(tag("polyline", points=points, class_=f"course {class_}"))
        lines.append(
            tag("circle", cx=_LEFT + (len(powers) - 1) * step, cy=y(powers[-1]), r=3.5, class_=f"tip {class_}")
        )
    return tag(
        "svg",
        _level(y(go_line), "GO line", "go"),
        _level(y(0), "no evidence", "none"),
        _level(y(-no_go_line), "NO-GO line", "nogo"),
        lines,
        tag("text", f"{course[0][0].started_at:%Y-%m-%d}", x=_LEFT, y=_TALL - 3, class_="tick"),
        tag("text", f"{course[-1][0].started_at:%Y-%m-%d}", x=_WIDE - 102, y=_TALL - 3, class_="tick end"),
        viewBox=f"0 0 {_WIDE:g} {_TALL:g}",
        class_="growth",
        role="img",
        aria_label=_grown(course, ups[-1], -downs[-1], no_go_line),
    )


def _level(y: float, text: str, class_: str) -> Markup:
    return tag(
        "g",
        tag("line", x1=_LEFT, x2=_WIDE - 100, y1=y, y2=y, class_=f"level {class_}"),
        tag("text", text, x=_WIDE - 94, y=y + 4, class_="tick"),
    )


def _grown(course: Sequence[tuple[Night, Told]], up: float, down: float, no_go_line: float) -> str:
    return (
        f"After {len(course)} nights of this epoch: 1 in {10 ** min(up, 9):,.0f} against a loss beyond the margin "
        f"(GO needs 1 in {1 / ALPHA:.0f}), 1 in {10 ** min(down, 9):,.0f} against a loss within it "
        f"(NO-GO needs about 1 in {10**no_go_line:,.0f}), from {course[-1][1].units:,} units."
    )
