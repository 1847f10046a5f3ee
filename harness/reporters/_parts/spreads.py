"""How values and distances spread: the target beside the source's own noise, and what each slice comes to."""

from __future__ import annotations

import math

from harness.core.report import Distribution, MetricSummary, ParityReport, SliceSummary
from harness.core.verdict import Finding
from harness.reporters._parts.criteria import verdict_shown
from harness.reporters._parts.markup import Markup, fragment, tag
from harness.reporters._parts.tables import cell, table
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import NOT_MEASURED, count, number

_WIDTH, _LEFT, _RIGHT, _HALF, _TOP, _AXIS = 420.0, 58.0, 412.0, 60.0, 8.0, 20.0
_MOST_SLICES = 200
_APART = 10.0  # between the bar of exact zeros and the axis of the others
_LEAST = 2.0  # height of a bar that holds anything: one row of 100,000 must be seen
_WIDEST = 70.0  # bar
_LABEL = 48.0  # width that the label of an edge needs


def spreads(distributions: tuple[Distribution, ...]) -> Markup | None:
    """One drawing a distribution: target upward, noise downward, each as a share of its own rows."""
    if not distributions:
        return None
    return fragment(
        tag("h3", "How values and distances spread"),
        tag(
            "p",
            "The source against itself upward, the target downward, each as a share of its own rows. Where both have "
            "the same shape, the target differs from the source as the source does from itself.",
            class_="soft",
        ),
        tag("div", [_figure(one) for one in distributions], class_="multiples"),
    )


def _figure(one: Distribution) -> Markup:
    zeros, noise_zeros = one.zeros
    unit = f" in {cut(one.unit, 60)}" if one.unit else ""
    said = f"{one.what}{unit}"
    exact = f"; exactly 0 in {count(zeros)} of {count(sum(one.target) + zeros)}" if zeros else ""
    noise_total = sum(one.noise) + noise_zeros
    if noise_zeros:
        exact += f", of the noise in {count(noise_zeros)} of {count(noise_total)}"
    rows = [
        tag(
            "tr",
            tag("th", f"{_edge(one.edges[at])} to {_edge(one.edges[at + 1])}", scope="row"),
            cell(count(above)),
            cell(count(one.noise[at]) if one.noise else NOT_MEASURED),
        )
        for at, above in enumerate(one.target)
        if above or (one.noise and one.noise[at])
    ]
    return tag(
        "figure",
        tag("figcaption", tag("strong", cut(one.metric, 200)), tag("span", said + exact, class_="sub")),
        _drawn(one, f"{cut(one.metric, 200)}, {said}{exact}"),
        tag(
            "details",
            tag("summary", "The same in numbers", class_="small"),
            table(f"{cut(one.metric, 200)}: rows by {said}", ("From, to", "Target", "Noise"), rows, left=1),
        ),
    )


def _drawn(one: Distribution, said: str) -> Markup:
    """Rows whose distance is exactly 0 have a bar of their own at the left, apart from the axis of the others."""
    apart = any(one.zeros)
    step = min((_RIGHT - _LEFT - (_APART if apart else 0.0)) / (len(one.target) + apart), _WIDEST)
    start = _LEFT + (step + _APART if apart else 0.0)
    lefts = [*([_LEFT] if apart else []), *(start + at * step for at in range(len(one.target)))]
    shares = [_shares(one.noise, one.zeros[1])[not apart :], _shares(one.target, one.zeros[0])[not apart :]]
    tallest = max((share for side in shares for share in side), default=0.0) or 1.0
    upper, lower = _TOP + _HALF, _TOP + _HALF + _AXIS
    bars = [
        tag(
            "rect",
            x=round(left, 1),
            y=round(base - tall if up else base, 1),
            width=round(max(step - 1.0, 1.0), 1),
            height=round(tall, 1),
            class_="source" if up else "target",
        )
        for side, (up, base) in zip(shares, ((True, upper), (False, lower)), strict=True)
        for left, share in zip(lefts, side, strict=False)
        if (tall := max(share / tallest * _HALF, _LEAST) if share else 0.0)
    ]
    every = max(1, math.ceil(_LABEL / step))
    labels = [
        tag("text", _edge(edge), x=round(start + at * step, 1), y=upper + 14, class_=_anchor(at, len(one.target)))
        for at, edge in enumerate(one.edges)
        if at % every == 0
    ]
    zero = tag("text", "0", x=round(_LEFT + step / 2, 1), y=upper + 14, class_="mid tick") if apart else None
    return tag(
        "svg",
        tag("text", "noise", x=0, y=upper - 4, class_="side"),
        tag("text", "target", x=0, y=lower + 12, class_="side"),
        bars,
        [tag("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, class_="axis") for y in (upper, lower)],
        zero,
        labels,
        viewBox=f"0 0 {_WIDTH:g} {lower + _HALF + _TOP:g}",
        class_="latencies",
        role="img",
        aria_label=f"{said}: {_told('target', one.target, one)}; {_told('noise', one.noise, one)}.",
    )


def _anchor(at: int, last: int) -> str:
    return "end tick" if at == last else "mid tick"


def _told(word: str, counts: tuple[int, ...], one: Distribution) -> str:
    used = [at for at, rows in enumerate(counts) if rows]
    if not used:
        return f"{word} none"
    between = f"{_edge(one.edges[used[0]])} and {_edge(one.edges[used[-1] + 1])}"
    return f"{word} {count(sum(counts))} rows between {between}"


def _shares(counts: tuple[int, ...], zeros: int) -> list[float]:
    """Exact zeros first, then each bin, as shares of all."""
    total = sum(counts) + zeros
    return [number / total for number in (zeros, *counts)] if total else []


def _edge(value: float) -> str:
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e")


def slices(report: ParityReport) -> Markup | None:
    """What each slice comes to in each comparator's metric, beside the whole, and its verdict where it is gated."""
    shown = {one.metric: one for one in report.metrics if one.target_mean is not None}
    found = [one for one in report.slices if one.metric in shown and one.target_mean is not None]
    if not found:
        return None
    found.sort(key=lambda one: (list(shown).index(one.metric), one.name, -one.rows, one.value))
    judged = (
        {}
        if report.decision is None
        else {
            (finding.metric, finding.slice): finding
            for finding in report.decision.findings
            if finding.slice is not None
        }
    )
    heads = ("Metric", "Slice", "Verdict", "Rows", "Target", "Whole target", "Source against itself")
    rows = [_slice(one, shown[one.metric], judged.get((one.metric, f"{one.name}={one.value}"))) for one in found]
    left = len(rows) - _MOST_SLICES
    return fragment(
        tag("h3", "Slices"),
        tag(
            "p",
            "Means of each comparator's own value. Undeclared slices are for people to look at; they never vote.",
            class_="soft",
        ),
        table("Slices", heads, rows[:_MOST_SLICES], left=3),
        tag("p", f"{count(left)} more are in the JSON report.", class_="soft") if left > 0 else None,
    )


def _slice(one: SliceSummary, whole: MetricSummary, finding: Finding | None) -> Markup:
    return tag(
        "tr",
        tag("th", cut(one.metric, 100), scope="row"),
        tag("td", f"{cut(one.name, 100)} = {cut(one.value, 100)}"),
        tag("td", verdict_shown(finding.verdict) if finding is not None else tag("span", "not gated", class_="soft")),
        cell(count(one.rows)),
        cell(number(one.target_mean)),
        cell(number(whole.target_mean)),
        cell(NOT_MEASURED if one.noise_mean is None else number(one.noise_mean)),
    )
