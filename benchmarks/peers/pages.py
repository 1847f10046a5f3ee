"""Results as tables for the terminal, for benchmarks/README.md and for docs/operating-characteristics.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from peers import environments, picture, samples, tools
from peers.margins import ALPHA

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "benchmarks" / "README.md"
PAGE = ROOT / "docs" / "operating-characteristics.md"
PICTURE = ROOT / "docs" / "images" / "operating-characteristics.svg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """at_margin, nights, criteria: rows with words, mode, n, go, no_go. said: (scenario or point, tool) -> shares.

    checked: draws that were put through `decide` as well, and how many of them got another answer.
    """

    at_margin: Sequence[Any]
    nights: Sequence[Any]
    criteria: Sequence[Any]
    costs: Sequence[Any]
    checked: tuple[int, ...]
    said: Mapping[tuple[str, str], Any]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def report(results: Results) -> str:
    """Everything, for the terminal and for benchmarks/README.md."""
    compared, differing = results.checked
    return "\n\n".join(
        [
            f"Exactly at the margin, or at the accepted growth. {verdict_on(results)}",
            margins_table([*results.at_margin, *results.nights]),
            "Many criteria of kind score at once.",
            margins_table(results.criteria),
            f"{compared} of these draws were put through `decide` as rows as well; {differing} got another answer.",
            "What a verdict costs, night by night in anytime mode, and the same suites in one planned look.",
            costs_table(results),
            "Other tools on the same samples, GO / NO-GO; what is missing to 100 % is neither.",
            scenarios_table(results),
        ]
    )


def beyond(results: Results) -> list[Any]:
    return [row for row in (*results.at_margin, *results.nights, *results.criteria) if not row.holds and is_null(row)]


def is_null(row: Any) -> bool:
    """Whether GO or NO-GO would be wrong: with all criteria equal GO is right."""
    return "all equal" not in row.words


def verdict_on(results: Results) -> str:
    rows = [row for row in (*results.at_margin, *results.nights, *results.criteria) if is_null(row)]
    bad = beyond(results)
    said = f"{len(rows)} combinations; a wrong verdict is held against 5 % plus three standard errors."
    return f"{said} All are within it." if not bad else f"{said} {len(bad)} are beyond it."


def margins_table(rows: Sequence[Any]) -> str:
    """One line for what was simulated, both modes beside each other."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        lines.setdefault((row.words, row.n), {})[row.mode] = row
    listed = []
    for (words, n), of_mode in lines.items():
        cells = []
        for mode in ("anytime", "fixed"):
            row = of_mode.get(mode)
            cells += ["", ""] if row is None else [_marked(share, row) for share in (row.go, row.no_go)]
        listed.append([words, n, *cells])
    return table(["what", "units", "anytime: GO", "NO-GO", "fixed: GO", "NO-GO"], listed)


def _marked(share: Any, row: Any) -> str:
    return f"{share} !" if is_null(row) and share.above(ALPHA) else str(share)


def costs_table(results: Results) -> str:
    rows = []
    for cost in results.costs:
        fixed = ", ".join(f"{cases:,} cases: {share.percent}" for cases, share in cost.fixed.items())
        calls = cost.cases * cost.suite.calls
        rows.append(
            [
                cost.suite.words,
                cost.truth,
                cost.go.percent,
                cost.no_go.percent,
                f"{cost.cases:,.0f}",
                f"{calls:,.0f}",
                fixed,
            ]
        )
    return table(["suite", "truth", "GO", "NO-GO", "cases", "calls", "GO in fixed mode"], rows)


def asked(results: Results) -> list[str]:
    """Tools in the order of the columns; peers only where they were run."""
    peers = [peer.words for peer in environments.PEERS if ("equal", peer.words) in results.said]
    return [*tools.GATES, *peers, *tools.RULES]


def scenarios_table(results: Results) -> str:
    names = asked(results)
    rows = []
    for scenario in samples.SCENARIOS:
        said = [results.said[scenario.name, name] for name in names]
        rows.append(
            [
                scenario.words,
                scenario.right,
                *(f"{one.go.percent} / {one.no_go.percent}".replace(" %", "") for one in said),
            ]
        )
    return table(["truth", "right answer", *names], rows)


def panels(results: Results) -> list[picture.Panel]:
    names = [name for name in asked(results) if ("share 0", name) in results.said]

    def lines(kind: str) -> dict[str, list[float]]:
        points = [point for point in samples.CURVES if point.startswith(kind)]
        return {name: [results.said[point, name].go.value for point in points] for name in names}

    return [
        picture.Panel(
            title="Some answers are broken outright",
            axis="share of answers that the target breaks, %",
            x=[100 * share for share in samples.BROKEN_SHARES],
            ticks=range(7),
            margin=100 * samples.SEVERE,
            lines=lines("share"),
        ),
        picture.Panel(
            title="Every answer is a little worse",
            axis="mean loss, in agreed margins",
            x=[loss / samples.MARGIN for loss in samples.LOSSES],
            ticks=(0, 0.5, 1, 1.5, 2),
            margin=1.0,
            lines=lines("loss"),
        ),
    ]


def in_words(results: Results) -> list[str]:
    """What the picture shows, for readers who cannot see it."""
    told = []
    for point, words in (
        ("share 0", "An equal target"),
        ("share 0.01", "1 % of answers broken, where 2 % are agreed"),
        ("share 0.025", "2.5 % of answers broken"),
        ("share 0.05", "5 % of answers broken"),
        ("loss 0.015", "Every answer worse by half the margin"),
        ("loss 0.03", "Every answer worse by exactly the margin"),
    ):
        shares = [f"{name} {results.said[point, name].go.percent}" for name in panels(results)[0].lines]
        told.append(f"{words}: {'; '.join(shares)}.")
    return told


def write(results: Results, *, minutes: float, command: str) -> None:
    """Put the figures between the marks of both pages, and draw the picture."""
    made = (
        f"Made by `.venv/bin/python {command}` on {datetime.now(UTC):%Y-%m-%d}, {minutes:.0f} minutes on {machine()}."
    )
    replace_block(README, "operating characteristics", f"{made}\n\n{report(results)}")
    replace_block(PAGE, "at the margin", verdict_on(results) + "\n\n" + worst(results))
    replace_block(PAGE, "scenarios", f"{scenarios_table(results)}\n\n{made}")
    told = in_words(results)
    replace_block(PAGE, "picture in words", "Share of GO:\n\n" + "\n".join(f"* {one}" for one in told))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    title = "How often each tool says GO as the true loss grows"
    PICTURE.write_text(picture.draw(panels(results), title=title, description=" ".join(["Share of GO.", *told])))


def worst(results: Results) -> str:
    """The most frequent wrong GO of each mode, and all that is beyond 5 %."""
    lines = []
    for mode in ("anytime", "fixed"):
        every = (*results.at_margin, *results.nights, *results.criteria)
        rows = [row for row in every if row.mode == mode and is_null(row)]
        bad = [row for row in rows if not row.holds]
        within = max((row for row in rows if row.holds), key=lambda row: row.go.value)
        end = "Nothing is beyond 5 % plus simulation error." if not bad else "Beyond 5 % plus simulation error:"
        lines.append(f"* `{mode}`: GO {within.go} at the most ({within.words}; {within.n} units). {end}")
        lines += [f"    * {row.words}; {row.n} units: GO {row.go}, NO-GO {row.no_go}" for row in bad]
    return "\n".join(lines)


def machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}, Python {platform.python_version()})"


def replace_block(path: Path, name: str, text: str) -> None:
    """What stands between `<!-- name -->` and `<!-- end of name -->`."""
    page = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, found, rest = page.partition(start)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{path}: no block {start} ... {end} to put the figures into.")
    path.write_text(f"{head}{start}\n\n{text}\n\n{end}{tail}", encoding="utf-8")
