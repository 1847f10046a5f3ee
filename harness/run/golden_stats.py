"""What is in a golden set, and what two of them share."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.recordings.store import GoldenSet
from harness.run.outcomes import COUNTS, answer_key, answered, request_key

SHOWN = 10


def stats(golden: GoldenSet) -> dict[str, Any]:
    """Counts over every case, repeats and duplicates among them; latency over answers, None where none has one."""
    made = golden.manifest
    counters: dict[str, Counter[str]] = {
        name: Counter() for name in ("operations", "models", "outcomes", "slices", "flags")
    }
    clusters, latencies = array("q"), array("d")
    tokens: Counter[str] = Counter()
    labelled = only = 0
    for case in golden:
        recording, outcome = case.recording, answered(case.recording)
        counters["operations"][f"{recording.service} {recording.operation}"] += 1
        counters["models"][recording.model or "not named"] += 1
        counters["outcomes"][_word(outcome)] += 1
        counters["slices"].update(f"{name}={value}" for name, value in case.slices.items())
        counters["flags"].update(recording.provenance.flags)
        clusters.append(hash(case.cluster))
        labelled += case.expected is not None
        only += case.slices_only
        if outcome is not None and outcome.get("latency_ms") is not None:
            latencies.append(outcome["latency_ms"])
        said = (outcome or {}).get("tokens") or {}
        tokens.update({name: said[name] for name in COUNTS if said.get(name) is not None})
    return {
        "name": made.name,
        "sha256": made.sha256,
        "cases": made.cases,
        "primaries": made.primaries,
        "repeats": made.repeats,
        "duplicates": made.duplicates,
        "slices_only": only,
        "labelled": labelled,
        **{name: dict(counter.most_common()) for name, counter in counters.items()},
        "clusters": _clusters(np.array(clusters, dtype=np.int64)),
        "latency_ms": _quantiles(latencies),
        "tokens": dict(sorted(tokens.items())),
        "captured": [moment.isoformat() for moment in made.captured] if made.captured else None,
        "sampled": made.sampled,
        "truncated": made.truncated,
        "redaction": None if made.redaction is None else list(made.redaction),
        "gaps": [{"kind": gap.kind, "count": gap.count, "note": gap.note} for gap in made.gaps],
    }


def text(found: dict[str, Any]) -> str:
    """For a terminal."""
    lines = [
        f"{found['name']}: {found['cases']:,} cases, {found['primaries']:,} replayed, {found['repeats']:,} repeats, "
        f"{found['duplicates']:,} duplicates, {found['labelled']:,} labelled, {found['slices_only']:,} for slices only",
        f"sha256 {found['sha256']}",
    ]
    for name in ("operations", "models", "outcomes", "slices", "flags"):
        counted = list(found[name].items())
        more = f", and {len(counted) - SHOWN:,} more" if len(counted) > SHOWN else ""
        told = ", ".join(f"{word} {count:,}" for word, count in counted[:SHOWN])
        lines.append(f"{name}: {told or 'none'}{more}")
    lines.append(f"clusters: {found['clusters']['count']:,}, the largest of {found['clusters']['largest']:,} cases")
    if found["latency_ms"]:
        lines.append("latency, ms: " + ", ".join(f"{name} {value:g}" for name, value in found["latency_ms"].items()))
    if found["tokens"]:
        lines.append("tokens: " + ", ".join(f"{name} {count:,}" for name, count in found["tokens"].items()))
    lines += [f"gap: {gap['kind']} {gap['count']:,}  {gap['note']}".rstrip() for gap in found["gaps"]]
    return "\n".join(lines)


def difference(first: GoldenSet, second: GoldenSet) -> dict[str, Any]:
    """Requests of the primary cases: in one set only, in both with another answer, in both with the same.

    A request that a set asks several times counts as often as it is asked, each time with its own answer. Exchanging
    the sets exchanges removed and added, and leaves the counts of changed and same. Memory: some tens of
    bytes a case, and more for each that differs.
    """
    keys = [_keys(golden) for golden in (first, second)]
    alone = [_without(keys[0], keys[1]), _without(keys[1], keys[0])]  # (request, answer) pairs, each as often as it is
    same = len(keys[0]) - len(alone[0])
    removed, added, changed = [], [], []
    asked = [_by_request(rows) for rows in alone]
    for request in asked[0].keys() | asked[1].keys():
        before, after = asked[0].get(request, []), asked[1].get(request, [])
        both = min(len(before), len(after))
        changed += after[:both]
        removed += before[both:]
        added += after[both:]
    cases = {
        "removed": sorted(first.recording(index).id for index in removed),
        "added": sorted(second.recording(index).id for index in added),
        "changed": sorted(second.recording(index).id for index in changed),
    }
    counts = {word: len(named) for word, named in cases.items()} | {"same": same}
    return {"same": not any(cases.values()), "counts": counts, "cases": cases}


_KEYS = np.dtype([("request", np.uint64), ("answer", np.uint64), ("nth", np.int64), ("index", np.int64)])
_PAIR = ["request", "answer", "nth"]


def _keys(golden: GoldenSet) -> NDArray[np.void]:
    """A row for each primary case; nth: how often its request was answered so before."""
    found = np.zeros(len(golden.primaries), dtype=_KEYS)
    for row, index in zip(found, golden.primaries.tolist(), strict=True):
        recording = golden.recording(index).recording
        request = request_key(recording)
        row["request"], row["answer"], row["index"] = request, answer_key(recording, request), index
    found.sort(order=["request", "answer", "index"])
    if len(found):
        new = (found["request"][1:] != found["request"][:-1]) | (found["answer"][1:] != found["answer"][:-1])
        starts = np.flatnonzero(np.concatenate(([True], new)))
        lengths = np.diff(np.append(starts, len(found)))
        found["nth"] = np.arange(len(found)) - np.repeat(starts, lengths)
    return found


def _without(rows: NDArray[np.void], others: NDArray[np.void]) -> NDArray[np.void]:
    """The rows whose request, answered so for the nth time, the others do not have."""
    return rows[~np.isin(rows[_PAIR].copy(), others[_PAIR].copy())]


def _by_request(rows: NDArray[np.void]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in np.sort(rows, order=["index"]):
        found.setdefault(int(row["request"]), []).append(int(row["index"]))
    return found


def _word(outcome: dict[str, Any] | None) -> str:
    if outcome is None:
        return "not kept"
    return f"failure: {outcome['failure']}" if outcome["kind"] == "failure" else str(outcome["kind"])


def _clusters(hashes: NDArray[np.int64]) -> dict[str, int]:
    """hashes: of the name of each case's cluster; 64 bits, so that two names are not taken for one."""
    counts = np.unique(hashes, return_counts=True)[1]
    return {"count": len(counts), "largest": int(counts.max(initial=0))}


def _quantiles(values: array[float]) -> dict[str, float] | None:
    if not values:
        return None
    found = np.quantile(np.array(values), [0.5, 0.95, 0.99])
    return dict(zip(("p50", "p95", "p99"), (round(float(one), 3) for one in found), strict=True))
