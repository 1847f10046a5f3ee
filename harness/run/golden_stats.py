"""What is in a golden set, and what two of them share."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from harness.recordings.lines import StoredCase
from harness.recordings.store import GoldenSet
from harness.run.outcomes import COUNTS, answer_key, answered, request_key

SHOWN = 10


def stats(golden: GoldenSet) -> dict[str, Any]:
    """Counts over every case, repeats and duplicates among them; latency over answers, None where none has one."""
    made = golden.manifest
    counters: dict[str, Counter[str]] = {
        name: Counter() for name in ("operations", "models", "outcomes", "slices", "flags")
    }
    clusters: Counter[str] = Counter()
    latencies: list[float] = []
    tokens: Counter[str] = Counter()
    labelled = only = 0
    for case in golden:
        recording, outcome = case.recording, answered(case.recording)
        counters["operations"][f"{recording.service} {recording.operation}"] += 1
        counters["models"][recording.model or "not named"] += 1
        counters["outcomes"][_word(outcome)] += 1
        counters["slices"].update(f"{name}={value}" for name, value in case.slices.items())
        counters["flags"].update(recording.provenance.flags)
        clusters[case.cluster] += 1
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
        "clusters": {"count": len(clusters), "largest": max(clusters.values(), default=0)},
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
    """Requests of the primary cases: in one set only, in both with another answer, in both with the same."""
    before, after = _keys(first), _keys(second)
    shared = before.keys() & after.keys()
    changed = [key for key in shared if before[key][1] != after[key][1]]
    cases = {
        "removed": sorted(before[key][0] for key in before.keys() - shared),
        "added": sorted(after[key][0] for key in after.keys() - shared),
        "changed": sorted(after[key][0] for key in changed),
    }
    counts = {word: len(named) for word, named in cases.items()} | {"same": len(shared) - len(changed)}
    return {"same": not any(cases.values()), "counts": counts, "cases": cases}


def _keys(golden: GoldenSet) -> dict[int, tuple[str, int]]:
    found = {}
    for index in golden.primaries.tolist():
        case: StoredCase = golden.recording(index)
        key = request_key(case.recording)
        found[key] = (case.id, answer_key(case.recording, key))
    return found


def _word(outcome: dict[str, Any] | None) -> str:
    if outcome is None:
        return "not kept"
    return f"failure: {outcome['failure']}" if outcome["kind"] == "failure" else str(outcome["kind"])


def _quantiles(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    found = np.quantile(np.array(values), [0.5, 0.95, 0.99])
    return dict(zip(("p50", "p95", "p99"), (round(float(one), 3) for one in found), strict=True))
