"""`parity score embeddings FILE`: two embedding models on an application's own documents and queries."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO, RowsError

if TYPE_CHECKING:
    from harness.stats.embeddings import Diagnosis, Query, Space


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("embeddings", help="retrieval parity of two embedding models")
    command.add_argument("file", metavar="FILE", type=Path, help="JSON Lines: documents and queries with both vectors")
    command.add_argument("--k", type=int, default=10, metavar="N", help="documents that a query finds (10)")
    command.add_argument("--cutoff", type=float, metavar="C", help="the application's cosine cut-off, to replay")
    command.add_argument("--rows", type=Path, metavar="OUT", help="write rows for parity decide, JSON Lines or Parquet")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """0 when it was measured; it decides nothing. Raises HarnessError, which the door turns into 2."""
    from harness.gate.rows_file import write_rows
    from harness.stats import embeddings

    if args.k < 1:
        raise RowsError(f"--k {args.k}: a query finds 1 document or more.")
    source, target, queries = read(args.file)
    rows = list(embeddings.rows(source, target, queries, k=args.k))
    try:
        found = embeddings.diagnose(source, target, k=args.k, cutoff=args.cutoff)
    except ValueError as exc:
        raise RowsError(f"{args.file}: {exc}.") from exc
    if args.rows is not None:
        write_rows(args.rows, rows)
    means = _means(rows)
    print(json.dumps({"metrics": means, **asdict(found)}) if args.json else _text(means, found, len(queries)))
    return EXIT_GO


def read(file: Path) -> tuple[Space, Space, list[Query]]:
    """Documents and queries of both sides. Raises RowsError naming the first line that is wrong."""
    import numpy as np

    from harness.stats.embeddings import Query, Space

    kinds: dict[str, dict[str, Mapping[str, Any]]] = {"document": {}, "query": {}}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            entry = _entry(line, f"{file}, line {number}")
            if entry["id"] in kinds[entry["kind"]]:
                raise RowsError(f'{file}, line {number}: {entry["kind"]} "{entry["id"]}" was there before.')
            kinds[entry["kind"]][entry["id"]] = entry
    documents, asked = kinds["document"], kinds["query"]
    if not documents or not asked:
        raise RowsError(f"{file}: {len(documents)} documents and {len(asked)} queries; both are needed.")
    places = {name: place for place, name in enumerate(documents)}
    spaces = []
    for side in ("source", "target"):
        vectors = [[entry[side] for entry in kind.values()] for kind in (documents, asked)]
        if len({len(vector) for kind in vectors for vector in kind}) != 1:
            raise RowsError(f"{file}: vectors of the {side} differ in dimension.")
        spaces.append(Space(documents=np.array(vectors[0], dtype=float), queries=np.array(vectors[1], dtype=float)))
    queries = [
        Query(id=name, relevant=_relevant(entry, places, file), cluster=str(entry.get("cluster", "")))
        for name, entry in asked.items()
    ]
    return spaces[0], spaces[1], queries


def _entry(line: str, where: str) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError as exc:
        raise RowsError(f"{where}: is not JSON ({exc}).") from exc
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise RowsError(f'{where}: must be an object with an "id".')
    if entry.get("kind") not in ("document", "query"):
        raise RowsError(f'{where}: kind must be "document" or "query", not {entry.get("kind")!r}.')
    for side in ("source", "target"):
        vector = entry.get(side)
        if not isinstance(vector, list) or not vector or not all(_is_number(value) for value in vector):
            raise RowsError(f"{where}: {side} must be a list of finite numbers.")
    return entry


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _relevant(entry: Mapping[str, Any], places: Mapping[str, int], file: Path) -> dict[int, float]:
    listed = entry.get("relevant", {})
    grades = listed if isinstance(listed, dict) else dict.fromkeys(listed, 1.0) if isinstance(listed, list) else None
    if grades is None or not all(_is_number(grade) for grade in grades.values()):
        raise RowsError(f'{file}: query "{entry["id"]}": relevant must be a list of documents, or document -> grade.')
    unknown = [name for name in grades if name not in places]
    if unknown:
        raise RowsError(f'{file}: query "{entry["id"]}" calls "{unknown[0]}" relevant, and no document has that id.')
    return {places[name]: float(grade) for name, grade in grades.items() if grade > 0}


def _means(rows: list[Any]) -> dict[str, dict[str, float]]:
    """Metric -> mean of either side."""
    means: dict[str, dict[str, float]] = {}
    for metric in dict.fromkeys(row.metric for row in rows):
        chosen = [row for row in rows if row.metric == metric]
        means[metric] = {
            "source": sum(row.value_noise for row in chosen) / len(chosen),
            "target": sum(row.value_target for row in chosen) / len(chosen),
            "queries": len(chosen),
        }
    return means


def _text(means: Mapping[str, Mapping[str, float]], found: Diagnosis, queries: int) -> str:
    lines = [
        f"{metric:<14} source {mean['source']:.4f}  target {mean['target']:.4f}  ({mean['queries']:.0f} queries)"
        for metric, mean in means.items()
    ] or ["no query says what is relevant: nothing to decide on, only the diagnosis"]
    if found.neighbours is not None:
        lines.append(f"neighbours     {found.neighbours:.4f} of each document's nearest are the same on both sides")
    lines.append(f"alignment      {found.alignment:.4f} (linear CKA)")
    if (cut := found.cutoff) is not None:
        lines += [
            f"cut-off {cut.cutoff:g}    finds nothing for {cut.empty_source} of {queries} queries in the source, "
            f"{cut.empty_target} in the target",
            f"refitted       {cut.refitted:.6g} lets as many pairs pass; {cut.empty_refitted} queries find nothing",
        ]
    return "\n".join(lines)
