"""Evidence over the nights: one drawing a criterion, with the lines that a GO and a NO-GO have to cross."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.core.report import Look
from harness.reporters._parts.markup import Markup, fragment, tag
from harness.reporters._parts.tables import cell, table
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import count, moment, number

_WIDTH, _HEIGHT = 420.0, 168.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 404.0, 16.0, 132.0
_LEAST_TOP = 2.0  # powers of ten on the axis, at least
_MOST_TOP = 6.0
_MOST_LOOKS = 400  # drawn and listed a criterion; of more, the newest


def nights(looks: Sequence[Look], voting: int) -> Markup:
    """Evidence 1/p of every criterion after each run. voting: findings that vote; NO-GO asks all of them.

    The line of NO-GO is the first step of Holm's procedure, alpha / voting: what a criterion needs by itself.
    """
    if not looks:
        return tag("p", "This run is decided by its own rows alone; no earlier run counts.")
    by_criterion: dict[str, list[Look]] = {}
    for look in looks:
        by_criterion.setdefault(look.criterion, []).append(look)
    return fragment(
        tag(
            "p",
            "Each run adds units that were not seen before. Evidence is 1/p: above the line it settles the question, "
            "and the first crossing stands for the whole epoch. Filled circles speak for GO, open squares for NO-GO. "
            "GO has to be reached by every criterion; NO-GO by one, at a line that rises with their number. A dotted "
            "line across is a new epoch, which begins without evidence.",
            class_="soft",
        ),
        tag(
            "div",
            [_criterion(name, found[-_MOST_LOOKS:], max(voting, 1)) for name, found in by_criterion.items()],
            class_="multiples",
        ),
    )


def _criterion(name: str, looks: list[Look], voting: int) -> Markup:
    last = looks[-1]
    rows = [
        tag(
            "tr",
            tag("th", moment(look.at), tag("span", cut(look.run, 80), class_="sub"), scope="row"),
            cell(count(look.units)),
            cell(f"{number(look.estimate)} [{number(look.low)}, {number(look.high)}]"),
            cell(_times(look.p_go)),
            cell(_times(look.p_no_go)),
        )
        for look in reversed(looks)
    ]
    heads = ("Run", "Units", "Estimate and interval", "Evidence for GO", "Evidence for NO-GO")
    return tag(
        "figure",
        tag("figcaption", tag("strong", cut(name, 200)), tag("span", _said(last, len(looks), voting), class_="sub")),
        _drawn(name, looks, voting),
        tag(
            "details",
            tag("summary", "The same in numbers", class_="small"),
            table(f"Evidence of {cut(name, 200)} by run", heads, rows, left=1),
        ),
    )


def _drawn(name: str, looks: list[Look], voting: int) -> Markup:
    most = max(max(_power(look.p_go), _power(look.p_no_go)) for look in looks)
    last = looks[-1]
    line_no_go = last.alpha_no_go / voting
    top = min(max(_LEAST_TOP, math.ceil(max(most, _power(line_no_go)))), _MOST_TOP)
    places, breaks = _places(looks)
    widest = places[-1] or 1

    def x(units: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * units / widest, 1)

    def y(power: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * min(max(power, 0.0), top) / top, 1)

    bar_go, bar_no_go = y(_power(last.alpha_go)), y(_power(line_no_go))
    go = [(x(units), y(_power(look.p_go))) for units, look in zip(places, looks, strict=True)]
    no_go = [(x(units), y(_power(look.p_no_go))) for units, look in zip(places, looks, strict=True)]
    return tag(
        "svg",
        [
            fragment(
                tag("line", x1=_LEFT, x2=_RIGHT, y1=y(power), y2=y(power), class_="grid"),
                tag("text", _tick(power), x=_LEFT - 6, y=y(power) + 4, class_="end tick"),
            )
            for power in range(int(top) + 1)
        ],
        tag("line", x1=_LEFT, x2=_RIGHT, y1=bar_go, y2=bar_go, class_="bar"),
        tag("text", f"GO from {1 / last.alpha_go:,.0f}", x=_LEFT + 4, y=bar_go - 4, class_="tick"),
        tag("line", x1=_LEFT, x2=_RIGHT, y1=bar_no_go, y2=bar_no_go, class_="bar nogo"),
        tag("text", f"NO-GO from {1 / line_no_go:,.0f}", x=_RIGHT, y=bar_no_go - 4, class_="end tick"),
        [tag("line", x1=x(at), x2=x(at), y1=_TOP, y2=_BOTTOM, class_="epoch") for at in breaks],
        tag("path", d=_path(no_go, looks), class_="nogo line"),
        tag("path", d=_path(go, looks), class_="go line"),
        [tag("rect", x=at - 3.5, y=up - 3.5, width=7, height=7, class_="nogo point") for at, up in no_go],
        [tag("circle", cx=at, cy=up, r=3.5, class_="go point") for at, up in go],
        tag("text", "0", x=_LEFT, y=_BOTTOM + 16, class_="mid tick"),
        tag("text", f"{count(widest)} units", x=_RIGHT, y=_BOTTOM + 16, class_="end tick"),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT - 14:g}",
        class_="nights",
        role="img",
        aria_label=f"{cut(name, 200)}: {_said(last, len(looks), voting)}",
    )


def _places(looks: Sequence[Look]) -> tuple[list[int], list[int]]:
    """Units along the axis, epochs one behind the other, and where a new one begins."""
    places: list[int] = []
    breaks: list[int] = []
    behind = 0
    for at, look in enumerate(looks):
        if at and look.epoch != looks[at - 1].epoch:
            behind = places[-1]
            breaks.append(behind)
        places.append(behind + look.units)
    return places, breaks


def _said(last: Look, runs: int, voting: int) -> str:
    what = f"after {count(runs)} run{'' if runs == 1 else 's'} and {count(last.units)} units"
    if last.p_go <= last.alpha_go:
        return f"GO {what}: evidence {_times(last.p_go)}"
    if last.p_no_go <= last.alpha_no_go / voting:
        return f"NO-GO {what}: evidence {_times(last.p_no_go)}"
    go, no_go = f"{1 / last.alpha_go:,.0f}", f"{voting / last.alpha_no_go:,.0f}"
    return f"open {what}: for GO {_times(last.p_go)} of {go}, for NO-GO {_times(last.p_no_go)} of {no_go}"


def _path(points: Sequence[tuple[float, float]], looks: Sequence[Look]) -> str:
    """One line an epoch."""
    steps = [
        f"{'L' if at and look.epoch == looks[at - 1].epoch else 'M'}{x:g} {y:g}"
        for at, ((x, y), look) in enumerate(zip(points, looks, strict=True))
    ]
    return "".join(steps)


def _power(p: float) -> float:
    """log10(1/p); p = 0 stands at the top of any drawing."""
    return -math.log10(p) if p > 0 else _MOST_TOP


def _times(p: float) -> str:
    return "over a million" if p <= 1e-6 else f"{1 / p:,.3g}"


def _tick(power: int) -> str:
    return ("1", "10", "100", "1k", "10k", "100k", "1M")[power]
