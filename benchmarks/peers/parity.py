"""This project's gate on the same samples, through `decide`, with the default margins.

Criteria: the judge's score of the target against that of the source's second answer, with both regions declared as
slices; failed calls; and, where answers must stay alike and not only as good, how alike two answers are (1 - the
distance of their qualities), source-target against source-source. Severe drops are judged beside each score unasked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from peers.samples import Sample

from harness.core.rows import OK, TIMEOUT, Labels, Rows
from harness.gate.decide import decide
from harness.gate.policy import Policy, parse_policy

METRICS = ("quality", "error", "likeness")
NIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache
def policy(mode: str, *, alike: bool = False) -> Policy:
    criteria: list[dict[str, object]] = [
        {"metric": "quality", "kind": "score", "slices": {"region": ["large", "small"]}},
        {"metric": "error", "kind": "flip"},
    ]
    if alike:
        criteria.append({"metric": "likeness", "kind": "score"})
    return parse_policy({"gate": {"mode": mode}, "criterion": criteria}, where="policy")


@lru_cache
def names(count: int) -> tuple[str, ...]:
    return tuple(f"case {number}" for number in range(count))


def judge(sample: Sample, mode: str, *, alike: bool = False) -> str:
    """All nights at once: the gate takes each run as a look and keeps the first crossing. Fixed mode looks once."""
    verdict = decide(rows(sample), policy(mode, alike=alike), decided_at=NIGHT).verdict.value
    return "-" if verdict == "INCONCLUSIVE" else verdict


def rows(sample: Sample) -> Rows:
    """One row a case and metric. Draws beyond the first are not used: one answer a case, one repeat of the source."""
    source, again, target = sample.source[:, 0], sample.again[:, 0], sample.target[:, 0]
    late = sample.timed_out[:, 0]
    metrics = ("error",) if sample.absent else METRICS
    values_target = {"quality": target, "likeness": 1 - np.abs(source - target), "error": late.astype(np.float64)}
    values_noise = {"quality": again, "likeness": 1 - np.abs(source - again), "error": np.zeros(len(source))}
    count, columns = len(source), len(metrics)
    total = count * columns
    case = Labels(np.tile(np.arange(count), columns), names(count))
    status = [np.where(late & (metric != "error"), TIMEOUT, OK) for metric in metrics]
    nights = tuple(f"night {number}" for number in range(int(sample.night.max()) + 1))
    regions, region = np.unique(sample.region, return_inverse=True)
    return Rows(
        case=case,
        metric=Labels(np.repeat(np.arange(columns), count), metrics),
        cluster=case,
        run=Labels(np.tile(sample.night, columns), nights),
        repeat=np.zeros(total, dtype=np.int64),
        value_target=np.concatenate([values_target[metric] for metric in metrics]),
        null_target=np.zeros(total, dtype=np.bool_),
        value_noise=np.concatenate([values_noise[metric] for metric in metrics]),
        null_noise=np.zeros(total, dtype=np.bool_),
        status_target=np.concatenate(status).astype(np.int8),
        status_source=np.zeros(total, dtype=np.int8),
        slices={"region": Labels(np.tile(region.astype(np.int64), columns), tuple(map(str, regions)))},
    )
