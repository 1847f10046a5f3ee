"""Drawings: the mark of a verdict, an interval against its margin, the latencies of both sides.

Each has a text alternative, and none needs colour to be read: verdicts differ in shape, sides in place and filling.
"""

from __future__ import annotations

import math

from harness.core.report import SideSummary
from harness.core.verdict import Evidence, Verdict
from harness.reporters._parts.markup import Markup, fragment, tag
from harness.reporters._parts.words import count, figures, seconds

VERDICT_CLASS = {Verdict.GO: "go", Verdict.NO_GO: "nogo", Verdict.INCONCLUSIVE: "open"}

# Outline and sign: a circle with a tick, an octagon with a cross, a triangle with a question's dot and stroke.
_OUTLINE = {
    Verdict.GO: "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20z",
    Verdict.NO_GO: "M7.9 2h8.2L22 7.9v8.2L16.1 22H7.9L2 16.1V7.9z",
    Verdict.INCONCLUSIVE: "M12 2.2L23 21.5H1z",
}
_SIGN = {
    Verdict.GO: "M7.2 12.4l3.3 3.3l6.3-7",
    Verdict.NO_GO: "M8.2 8.2l7.6 7.6M15.8 8.2l-7.6 7.6",
    Verdict.INCONCLUSIVE: "M12 9.2v5.6M12 17.6v.9",
}

_WIDTH, _HEIGHT, _MIDDLE = 240.0, 34.0, 17.0
_EDGE_X, _MARGIN_PX, _INSET = 78.0, 66.0, 10.0


def mark(verdict: Verdict, size: int = 18) -> Markup:
    """The verdict's shape. Hidden from screen readers: the verdict's word always stands beside it."""
    return tag(
        "svg",
        tag("path", d=_OUTLINE[verdict], class_="shape"),
        tag("path", d=_SIGN[verdict], class_="sign"),
        viewBox="0 0 24 24",
        width=size,
        height=size,
        class_=f"mark {VERDICT_CLASS[verdict]}",
        aria_hidden="true",
        focusable="false",
    )


def interval(evidence: Evidence, verdict: Verdict) -> Markup:
    """Estimate and interval of D, drawn so that the margin stands at the same place for every criterion.

    One margin is 66 px wide; where the margin is 0, the widest of the numbers takes its place. What does not fit ends
    in an arrowhead at the border.
    """
    widest = max((abs(x) for x in (evidence.low, evidence.high, evidence.estimate) if math.isfinite(x)), default=0.0)
    unit = evidence.margin or widest or 1.0

    def x(value: float) -> float:
        if not math.isfinite(value):
            return _WIDTH if value > 0 else 0.0
        return _EDGE_X + (value + evidence.margin) / unit * _MARGIN_PX

    low, high = x(evidence.low), x(evidence.high)
    return tag(
        "svg",
        tag("rect", x=0, y=0, width=_EDGE_X, height=_HEIGHT, class_="beyond"),
        _line(x(0.0), 3, _HEIGHT - 3, "same"),
        _line(_EDGE_X, 0, _HEIGHT, "edge"),
        tag("line", x1=_inside(low), x2=_inside(high), y1=_MIDDLE, y2=_MIDDLE, class_="span"),
        _end(low),
        _end(high),
        tag("circle", cx=_inside(x(evidence.estimate)), cy=_MIDDLE, r=5, class_="dot"),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        class_=f"interval {VERDICT_CLASS[verdict]}",
        role="img",
        aria_label=_say(evidence),
    )


def interval_key() -> Markup:
    """What the lines of `interval` mean, for the head of its column."""
    same = _EDGE_X + _MARGIN_PX
    return tag(
        "svg",
        tag("text", "worse", x=2, y=11),
        tag("text", "margin", x=_EDGE_X, y=11, class_="mid"),
        tag("text", "same", x=same, y=11, class_="mid"),
        tag("text", "better", x=_WIDTH - 2, y=11, class_="end"),
        _line(_EDGE_X, 15, 20, "edge"),
        _line(same, 15, 20, "same"),
        viewBox=f"0 0 {_WIDTH:g} 20",
        class_="interval key",
        aria_hidden="true",
        focusable="false",
    )


def _say(evidence: Evidence) -> str:
    shown = figures(evidence)
    edge = -evidence.margin
    place = "inside" if evidence.low > edge else "beyond" if evidence.high < edge else "across"
    return (
        f"Estimate {shown.estimate}, interval {shown.low} to {shown.high}, margin {shown.margin}: "
        f"the interval lies {place} the margin."
    )


def _inside(x: float) -> float:
    return min(max(x, _INSET), _WIDTH - _INSET)


def _end(x: float) -> Markup:
    """A cap where the interval ends in the picture, an arrowhead where it goes on beyond it."""
    if x < _INSET:
        return tag("path", d=f"M{_INSET:g} {_MIDDLE - 6:g}L2 {_MIDDLE:g}l{_INSET - 2:g} 6z", class_="tip")
    if x > _WIDTH - _INSET:
        return tag("path", d=f"M{_WIDTH - _INSET:g} {_MIDDLE - 6:g}l{_INSET - 2:g} 6l-{_INSET - 2:g} 6z", class_="tip")
    return _line(x, _MIDDLE - 6, _MIDDLE + 6, "cap")


def _line(x: float, top: float, bottom: float, kind: str) -> Markup:
    return tag("line", x1=round(x, 2), x2=round(x, 2), y1=top, y2=bottom, class_=kind)


_BAR_LEFT, _BAR_RIGHT, _HALF, _TOP = 64.0, 748.0, 78.0, 30.0
_AXIS = 22.0


def latencies(source: SideSummary, target: SideSummary) -> Markup | None:
    """Both histograms over one axis: source upward, target downward, with p50, p95 and p99 of each.

    Every bin is equally wide on paper; its upper edge is its label. Heights are calls, on one scale for both sides.
    None where no call was answered or the sides were not counted with one set of edges.
    """
    edges = [edge for edge, _ in source.histogram]
    if edges != [edge for edge, _ in target.histogram]:
        return None
    calls = [(above[1], below[1]) for above, below in zip(source.histogram, target.histogram, strict=True)]
    used = [at for at, pair in enumerate(calls) if any(pair)]
    if not used:
        return None
    first, last = used[0], used[-1]
    floor = edges[first - 1] if first else 0.0
    edges, calls = edges[first : last + 1], calls[first : last + 1]
    step = (_BAR_RIGHT - _BAR_LEFT) / len(calls)
    tallest = max(max(pair) for pair in calls)
    upper, lower = _TOP + _HALF, _TOP + _HALF + _AXIS
    bars = []
    for at, (above, below) in enumerate(calls):
        left, width = _BAR_LEFT + at * step, max(step - 1.5, 1.0)
        bars.append(_bar(left, width, upper, -above / tallest * _HALF, "source"))
        bars.append(_bar(left, width, lower, below / tallest * _HALF, "target"))
    return tag(
        "svg",
        tag("text", "source", x=0, y=upper - 8, class_="side"),
        tag("text", "target", x=0, y=lower + 18, class_="side"),
        bars,
        tag("line", x1=_BAR_LEFT, x2=_BAR_RIGHT, y1=upper, y2=upper, class_="axis"),
        tag("line", x1=_BAR_LEFT, x2=_BAR_RIGHT, y1=lower, y2=lower, class_="axis"),
        _labels(edges, step, (upper + lower) / 2 + 4),
        _percentiles(source, edges, floor, step, rise=True),
        _percentiles(target, edges, floor, step, rise=False),
        viewBox=f"0 0 760 {lower + _HALF + _TOP:g}",
        class_="latencies",
        role="img",
        aria_label=f"Latency of answered calls. {_speak(source)} {_speak(target)}",
    )


def _bar(left: float, width: float, base: float, height: float, kind: str) -> Markup | None:
    if not height:
        return None
    tall = max(abs(height), 1.0)
    top = base - tall if height < 0 else base
    return tag("rect", x=round(left, 2), y=round(top, 2), width=round(width, 2), height=round(tall, 2), class_=kind)


def _labels(edges: list[float], step: float, y: float) -> Markup:
    """The upper edge of every k-th bin, as many as fit."""
    every = max(1, math.ceil(72 / step))
    shown = [
        tag("text", seconds(edge), x=round(_BAR_LEFT + (at + 1) * step, 2), y=y, class_="end tick")
        for at, edge in enumerate(edges)
        if (len(edges) - 1 - at) % every == 0
    ]
    return fragment(shown)


def _percentiles(side: SideSummary, edges: list[float], floor: float, step: float, *, rise: bool) -> Markup:
    """Tick and label of each percentile; labels that would touch go one line further out."""
    foot = _TOP + _HALF if rise else _TOP + _HALF + _AXIS
    far = foot - _HALF if rise else foot + _HALF
    placed: list[Markup] = []
    last_x, level = -math.inf, 0
    for word, value in (("p50", side.p50_s), ("p95", side.p95_s), ("p99", side.p99_s)):
        if value is None:
            continue
        x = round(_BAR_LEFT + _place(value, edges, floor) * step, 2)
        level = (level + 1) % 2 if x - last_x < 92 else 0
        last_x = x
        y = far - 4 - 12 * level if rise else far + 13 + 12 * level
        placed.append(tag("line", x1=x, x2=x, y1=foot, y2=far - (2 if rise else -2), class_="percentile"))
        turn = "end" if x > _BAR_RIGHT - 92 else "start"
        placed.append(tag("text", f"{word} {seconds(value)}", x=x, y=y, class_=f"{turn} tick"))
    return fragment(placed)


def _place(value: float, edges: list[float], floor: float) -> float:
    """Position in bins, straight-line within a bin; within the open last bin, its middle."""
    below = floor
    for at, edge in enumerate(edges):
        if value <= edge:
            share = (value - below) / (edge - below) if math.isfinite(edge) and edge > below else 0.5
            return at + min(max(share, 0.0), 1.0)
        below = edge
    return float(len(edges))


def _speak(side: SideSummary) -> str:
    shown = ", ".join(
        f"{word} {seconds(value)}" for word, value in (("p50", side.p50_s), ("p95", side.p95_s), ("p99", side.p99_s))
    )
    return f"{side.side.value.capitalize()}: {count(side.answered)} answered, {shown}."
