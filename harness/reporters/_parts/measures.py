"""What was measured beside the criteria: noise floor, departures, both sides and their latencies."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.call import Side
from harness.core.report import DepartureCount, MetricSummary, ParityReport, SideSummary
from harness.reporters._parts.markup import Child, Markup, fragment, tag
from harness.reporters._parts.svg import latencies
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import NOT_MEASURED, count, failures, number, seconds

_MOST_DEPARTURES = 200


def noise_floor(metrics: tuple[MetricSummary, ...]) -> Markup:
    """Each metric: target against source, beside the source against itself."""
    rows = [
        tag(
            "tr",
            tag("th", one.metric, tag("span", tag("code", cut(one.comparator, 200)), class_="sub"), scope="row"),
            _n(number(one.target_mean)),
            _n(count(one.rows)),
            _n(NOT_MEASURED if one.noise_mean is None else number(one.noise_mean)),
            _n(count(one.noise_rows)),
            _n(count(one.incomparable)),
        )
        for one in metrics
    ]
    return fragment(
        tag(
            "p",
            "How far the target is from the source, beside how far the source is from itself when it is asked twice. "
            "Means of each comparator's own value, over all rows.",
            class_="soft",
        ),
        _table(
            "Noise floor",
            ("Metric", "Target", "Rows", "Source against itself", "Rows", "Incomparable"),
            rows,
            left=1,
        ),
    )


def departures(report: ParityReport) -> Markup:
    """What translation could not carry over, and how many cases each one touched."""
    if report.translation == report.pair:
        how = fragment("Requests were translated by the pair ", tag("code", report.pair), ". ")
    else:
        how = fragment("Requests were built by the application's own ", tag("code", report.translation), ". ")
    if not report.departures:
        return tag("p", how, "Every request was carried over whole: no departures.")
    shown = report.departures[:_MOST_DEPARTURES]
    left = len(report.departures) - len(shown)
    return fragment(
        tag("p", how, "In these places the target's request is not what the source was asked."),
        _table(
            "Departures",
            ("Field", "In the source's request", "In the target's request", "Reason", "Cases"),
            [_departure(one) for one in shown],
            left=4,
        ),
        tag("p", f"{count(left)} more departures are in the JSON report.", class_="soft") if left else None,
    )


def _departure(one: DepartureCount) -> Markup:
    departure = one.departure
    target = tag("em", "dropped") if departure.target_value is None else tag("code", cut(departure.target_value, 300))
    return tag(
        "tr",
        tag("th", tag("code", cut(departure.field, 200)), scope="row"),
        tag("td", tag("code", cut(departure.source_value, 300))),
        tag("td", target),
        tag("td", cut(departure.reason, 600)),
        _n(count(one.cases)),
    )


def sides(report: ParityReport) -> Markup:
    """Both sides in numbers, one column a side, and their latencies drawn."""
    columns = tuple(sorted(report.sides, key=lambda side: side.side is Side.TARGET))
    lines = (
        ("Service", [side.service for side in columns]),
        ("Endpoint", [tag("code", cut(side.endpoint, 300)) for side in columns]),
        ("What served", [_served(side) for side in columns]),
        ("Calls", [count(side.calls) for side in columns]),
        ("Answered", [count(side.answered) for side in columns]),
        ("Failed after all attempts", [failures(side) for side in columns]),
        ("Attempts", [count(side.attempts) for side in columns]),
        ("Throttled attempts", [count(side.throttled_attempts) for side in columns]),
        ("Latency p50", [seconds(side.p50_s) for side in columns]),
        ("Latency p95", [seconds(side.p95_s) for side in columns]),
        ("Latency p99", [seconds(side.p99_s) for side in columns]),
    )
    rows = [tag("tr", tag("th", word, scope="row"), [tag("td", cell) for cell in cells]) for word, cells in lines]
    heads = ("Measure", *(side.side.value.capitalize() for side in columns))
    return fragment(_table("Both sides", heads, rows, left=len(heads)), _latency(columns))


def _latency(columns: tuple[SideSummary, ...]) -> Markup | None:
    if len(columns) != 2:
        return None
    drawn = latencies(*columns)
    if drawn is None:
        return tag("p", "No latencies to draw.", class_="soft")
    source, target = columns
    rows = [
        tag("tr", tag("th", seconds(edge), scope="row"), _n(count(above)), _n(count(below)))
        for (edge, above), (_, below) in zip(source.histogram, target.histogram, strict=True)
        if above or below
    ]
    return fragment(
        tag("h3", "Latency of answered calls"),
        tag(
            "p",
            "Source upward, target downward; the number at the right end of a bar is its upper edge.",
            class_="soft",
        ),
        drawn,
        tag(
            "details",
            tag("summary", "The same in numbers", class_="small"),
            _table("Calls by latency", ("Up to", "Source", "Target"), rows, left=1),
        ),
    )


def _served(side: SideSummary) -> Child:
    if not side.served:
        return tag("span", "not told", class_="soft")
    return [tag("div", tag("code", cut(one, 200))) for one in side.served]


def _n(shown: str) -> Markup:
    return tag("td", shown, class_="n")


def _table(title: str, heads: tuple[str, ...], rows: Iterable[Markup], *, left: int) -> Markup:
    """A table whose first `left` columns hold words and the others numbers."""
    top = [tag("th", head, scope="col", class_=None if at < left else "n") for at, head in enumerate(heads)]
    return tag(
        "div",
        tag("table", tag("caption", title, class_="hide"), tag("thead", tag("tr", top)), tag("tbody", rows)),
        class_="scroll",
        tabindex=0,
        role="group",
        aria_label=f"{title}, a table that scrolls sideways on small screens",
    )
