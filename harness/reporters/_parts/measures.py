"""What was measured beside the criteria: noise floor, departures, both sides and their latencies."""

from __future__ import annotations

from harness.core.call import Side
from harness.core.report import DepartureCount, MetricSummary, ParityReport, SideSummary
from harness.reporters._parts.markup import Child, Markup, fragment, tag
from harness.reporters._parts.svg import latencies
from harness.reporters._parts.tables import cell, table
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import NOT_MEASURED, count, failures, number, seconds

_MOST_DEPARTURES = 200


def noise_floor(metrics: tuple[MetricSummary, ...]) -> Markup:
    """Each metric: target against source, beside the source against itself."""
    rows = [
        tag(
            "tr",
            tag("th", one.metric, tag("span", tag("code", cut(one.comparator, 200)), class_="sub"), scope="row"),
            cell(number(one.target_mean)),
            cell(count(one.rows)),
            cell(NOT_MEASURED if one.noise_mean is None else number(one.noise_mean)),
            cell(count(one.noise_rows)),
            cell(count(one.incomparable)),
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
        table(
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
        table(
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
        cell(count(one.cases)),
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
        ("Failed after all attempts", [_rate(failures(side), _failed(side), side.calls) for side in columns]),
        ("Attempts", [count(side.attempts) for side in columns]),
        (
            "Throttled attempts",
            [_rate(count(side.throttled_attempts), side.throttled_attempts, side.attempts) for side in columns],
        ),
        ("Latency p50", [seconds(side.p50_s) for side in columns]),
        ("Latency p95", [seconds(side.p95_s) for side in columns]),
        ("Latency p99", [seconds(side.p99_s) for side in columns]),
        ("First token p50", [seconds(side.first_token_p50_s) for side in columns]),
        ("First token p95", [seconds(side.first_token_p95_s) for side in columns]),
        ("Answered calls a second", [_pace(side.calls_per_s) for side in columns]),
        ("Cost of 1,000 calls, list price", [_cost(side) for side in columns]),
    )
    rows = [tag("tr", tag("th", word, scope="row"), [tag("td", cell) for cell in cells]) for word, cells in lines]
    heads = ("Measure", *(side.side.value.capitalize() for side in columns))
    return fragment(table("Both sides", heads, rows, left=len(heads)), _latency(columns))


def _latency(columns: tuple[SideSummary, ...]) -> Markup | None:
    if len(columns) != 2:
        return None
    drawn = latencies(*columns)
    if drawn is None:
        return tag("p", "No latencies to draw.", class_="soft")
    source, target = columns
    rows = [
        tag("tr", tag("th", seconds(edge), scope="row"), cell(count(above)), cell(count(below)))
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
            table("Calls by latency", ("Up to", "Source", "Target"), rows, left=1),
        ),
    )


def _served(side: SideSummary) -> Child:
    if not side.served:
        return tag("span", "not told", class_="soft")
    return [tag("div", tag("code", cut(one, 200))) for one in side.served]


def _failed(side: SideSummary) -> int:
    return sum(side.failures.values())


def _rate(said: str, part: int, calls: int) -> Child:
    """What is said, and what share of the calls it is."""
    return [said, tag("span", f"{part / calls:.2%}", class_="sub")] if part and calls else said


def _pace(calls_per_s: float | None) -> str:
    return NOT_MEASURED if calls_per_s is None else f"{calls_per_s:,.1f}"


def _cost(side: SideSummary) -> Child:
    note = tag("span", side.cost_note, class_="sub") if side.cost_note else None
    return [NOT_MEASURED if side.cost_per_1000_usd is None else f"${side.cost_per_1000_usd:,.4g}", note]
