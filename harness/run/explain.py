"""A stored run, or a file of pairs, read for its causes: why do the two sides differ?"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.call import Answer
from harness.core.case import Json
from harness.core.output import Scores
from harness.core.table import table_of
from harness.errors import RowsError, UnencodableRequest
from harness.run.observe import Observed
from harness.run.plan import Plan
from harness.stats.agreement import agreement
from harness.stats.cause import Cause, Pairs, explain
from harness.stats.cause.pairs import Column
from harness.stats.holm import holm
from harness.stats.quality import error_quantiles

# Rows beyond which a cause is no better known, only later.
MOST_ROWS = 20_000
# Causes whose words quote what was asked, and so are shown no more freely than payloads are.
QUOTING = ("category", "missing_values", "range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of one case on both sides. cells: what was asked, by column; None or "" where missing."""

    case: str
    source: tuple[float, ...]
    target: tuple[float, ...]
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    cells: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRate:
    """How often a path of a JSON answer differs. target, noise: cases of `cases` in which it differs between source and
    target, and between the source and itself. p: of "the target differs as often as the source itself", exact McNemar,
    two-sided. beyond_noise: it differs more often, at 5 % over all paths of the metric (Holm).
    """

    metric: str
    path: str
    cases: int
    target: int
    noise: int
    p: float
    beyond_noise: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """rows: rows compared; left_out: rows of another shape than most. causes: best first. errors: column ->
    quantile -> absolute difference of the sides; empty where their columns differ in number. paths: rates that differ
    most first; empty where no comparator tells places.
    """

    rows: int
    left_out: int
    causes: tuple[Cause, ...]
    errors: dict[str, dict[float, float]] = field(default_factory=dict)
    paths: tuple[PathRate, ...] = ()


def explain_run(plan: Plan, observed: Iterable[Observed], *, most: int = 5) -> Explanation:
    """Causes in the numbers of a run, and rates of its JSON paths. Holds MOST_ROWS rows of numbers, no answers."""
    rows: list[Row] = []
    paths = _Paths(plan)
    for item in observed:
        paths.add(item)
        if len(rows) < MOST_ROWS:
            rows += _rows(item)
    found = explain_rows(rows[:MOST_ROWS], most=most)
    return replace(found, paths=paths.rates())


def explain_rows(rows: list[Row], *, most: int = 5) -> Explanation:
    """Causes in rows of the shape that most rows have."""
    if not rows:
        return Explanation(rows=0, left_out=0, causes=())
    shape = Counter((row.columns, row.target_columns, tuple(row.cells)) for row in rows).most_common(1)[0][0]
    alike = [row for row in rows if (row.columns, row.target_columns, tuple(row.cells)) == shape]
    pairs = _pairs(alike)
    causes = explain(pairs, most=most)
    return Explanation(rows=len(alike), left_out=len(rows) - len(alike), causes=tuple(causes), errors=_errors(pairs))


def _errors(pairs: Pairs) -> dict[str, dict[float, float]]:
    if not pairs.same_shape:
        return {}
    return {name: error_quantiles(pairs.source[:, at], pairs.target[:, at]) for at, name in enumerate(pairs.columns)}


def read_pairs(path: Path) -> list[Row]:
    """JSON Lines: {"id", "source", "target", "inputs"}; a side is a number, a list, or an object of named numbers.

    Raises RowsError naming the first line that is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise RowsError(f"{path}: cannot be read ({exc}).") from exc
    return [_row(line, f"{path}, line {at}", at) for at, line in enumerate(lines, start=1) if line.strip()]


def _row(line: str, where: str, at: int) -> Row:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise RowsError(f"{where}: is not JSON ({exc}).") from exc
    if not isinstance(entry, dict) or "source" not in entry or "target" not in entry:
        raise RowsError(f'{where}: must be an object with "source" and "target".')
    cells = entry.get("inputs", {})
    if not isinstance(cells, dict):
        raise RowsError(f'{where}: "inputs" must be an object, column -> value.')
    columns, source = _side(entry["source"], f"{where}: source")
    target_columns, target = _side(entry["target"], f"{where}: target")
    return Row(
        case=str(entry.get("id", at)),
        source=source,
        target=target,
        columns=columns,
        target_columns=target_columns,
        cells=cells,
    )


def _side(value: Any, where: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    named = value if isinstance(value, dict) else dict(enumerate(value if isinstance(value, list) else [value]))
    if not named or not all(one is None or isinstance(one, int | float) for one in named.values()):
        raise RowsError(f"{where} must be a number, a list of numbers or an object of them; null is no number.")
    return tuple(map(str, named)), tuple(math.nan if one is None else float(one) for one in named.values())


def _rows(item: Observed) -> Iterator[Row]:
    """Rows of a case of which both sides answered numbers, for as many rows as were asked about."""
    source, target = item.observation.source, item.observation.target
    if not isinstance(source, Answer) or not isinstance(target, Answer):
        return
    was, now = source.output, target.output
    if not isinstance(was, Scores) or not isinstance(now, Scores) or len(was.values) != len(now.values):
        return
    cells = _cells(item, len(was.values))
    for at in range(len(was.values)):
        yield Row(
            case=item.observation.case.id,
            source=tuple(was.values[at].tolist()),
            target=tuple(now.values[at].tolist()),
            columns=was.columns,
            target_columns=now.columns,
            cells=cells[at],
        )


def _cells(item: Observed, rows: int) -> list[dict[str, Json]]:
    try:
        columns, table = table_of(item.observation.case.request)
    except UnencodableRequest:
        return [{} for _ in range(rows)]
    if len(table) != rows:
        return [{} for _ in range(rows)]
    names = columns or [f"column {at}" for at in range(1, len(table[0]) + 1)]
    return [dict(zip(names, row, strict=True)) for row in table]


def _pairs(rows: list[Row]) -> Pairs:
    cases: dict[str, int] = {}
    return Pairs(
        source=np.array([row.source for row in rows], dtype=np.float64),
        target=np.array([row.target for row in rows], dtype=np.float64),
        columns=rows[0].columns,
        target_columns=rows[0].target_columns,
        inputs=tuple(_column(name, [row.cells[name] for row in rows]) for name in rows[0].cells),
        group=np.array([cases.setdefault(row.case, len(cases)) for row in rows], dtype=np.int64),
    )


def _column(name: str, cells: list[Json]) -> Column:
    texts = tuple(None if cell is None or cell == "" else str(cell) for cell in cells)
    return Column(name=name, numbers=np.array([_number(text) for text in texts]), texts=texts)


def _number(text: str | None) -> float:
    try:
        return math.nan if text is None else float(text)
    except ValueError:
        return math.nan


class _Paths:
    """Which places differ, case by case, for comparators that tell them (`places`), on target and noise alike."""

    def __init__(self, plan: Plan) -> None:
        self._tellers = [(metric, one) for metric, one in plan.comparators if hasattr(one, "places")]
        self._found: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = {
            metric: [] for metric, _ in self._tellers
        }

    def add(self, item: Observed) -> None:
        source, target, again = (getattr(item.observation, name) for name in ("source", "target", "source_again"))
        if not all(isinstance(side, Answer) for side in (source, target, again)):
            return
        for metric, teller in self._tellers:
            differing = [teller.places(source.output, side.output) for side in (target, again)]
            if None not in differing:
                self._found[metric].append((differing[0], differing[1]))

    def rates(self) -> tuple[PathRate, ...]:
        rates: list[PathRate] = []
        for metric, cases in self._found.items():
            paths = sorted({path for pair in cases for places in pair for path in places})
            flags = {
                path: [np.array([path in pair[side] for pair in cases], dtype=np.bool_) for side in (0, 1)]
                for path in paths
            }
            p_values = np.array([agreement(noise, target).direction for target, noise in flags.values()])
            for (path, (target, noise)), p, small in zip(
                flags.items(), p_values.tolist(), holm(p_values, alpha=0.05).tolist(), strict=True
            ):
                counts = int(target.sum()), int(noise.sum())
                rates.append(
                    PathRate(
                        metric=metric,
                        path=path,
                        cases=len(cases),
                        target=counts[0],
                        noise=counts[1],
                        p=p,
                        beyond_noise=small and counts[0] > counts[1],
                    )
                )
        return tuple(sorted(rates, key=lambda rate: (rate.noise - rate.target, rate.metric, rate.path)))
