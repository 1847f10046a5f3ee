"""evalshift 1.6.1 on the same samples, run by the Python of its own environment.

    python evalshift.py FOLDER

FOLDER holds one .npz a scenario with stacks of samples; one .json of verdicts is written beside each. Its pairwise
judge, which gates by default, prefers the better answer and calls a tie within 0.1 of quality; regions are tags, which
it turns into slices. A call or a judgement that failed is an errored record, as its own evaluation step writes it.
The budgets are those of `evalshift init`. `pass` is GO; `fail` and `conditional_pass`, on which its policy gate exits
1, are NO-GO; `inconclusive` is neither, though the gate exits 0 on it.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
from evalshift_cli.analysis import statistics
from evalshift_cli.analysis.policy import evaluate_migration_policy
from evalshift_cli.analysis.slicing import build_slices, dedupe_slices
from evalshift_cli.config.models import MigrationPolicy
from evalshift_cli.evaluators.base import EvalRecord
from evalshift_cli.suite.models import Suite, SuiteExample

TIE = 0.1
VERDICTS = {"pass": "GO", "fail": "NO-GO", "conditional_pass": "NO-GO", "inconclusive": "-"}

# 2,000 resamples for an interval that no verdict reads; without it a run takes a hundredth of the time.
statistics._bootstrap_d_ci = lambda _deltas, **_: (0.0, 0.0)


def record(item: int, source: float, target: float, *, late: bool) -> EvalRecord:
    won, lost = target - source > TIE, source - target > TIE
    scores = {"source_score": 0.5, "target_score": 0.5}
    if won or lost:
        scores = {"source_score": float(lost), "target_score": float(won)}
    failed = "upstream call failed" if late else "no verdict" if math.isnan(target) else None
    if failed:
        scores = {"source_score": 0.0, "target_score": 0.0}
    return EvalRecord(
        run_id="samples",
        prompt_id="prompt",
        example_id=f"item {item}",
        evaluator_name="llm_judge.quality",
        kind="llm_judge",
        delta=scores["target_score"] - scores["source_score"],
        error=failed,
        **scores,
    )


def verdict(source, target, timed_out, region) -> str:
    records = [
        record(item, *pair, late=late)
        for item, (*pair, late) in enumerate(zip(source.tolist(), target.tolist(), timed_out.tolist(), strict=True))
    ]
    examples = [
        SuiteExample(id=f"item {item}", inputs={}, tags=[tag], tools=[]) for item, tag in enumerate(region.tolist())
    ]
    sliced, _ = dedupe_slices(build_slices(records=records, suite=Suite(examples=examples)))
    decision = evaluate_migration_policy(
        run_id="samples",
        source_model="source",
        target_model="target",
        policy=MigrationPolicy(),
        comparisons=list(statistics.analyze(sliced_by_slice=sliced)),
        records=records,
        calls=[],
    )
    return VERDICTS[decision.verdict]


def verdicts(sample) -> list[str]:
    """One a night, on all that has come in until then."""
    source, target, late = (sample[name][:, 0] for name in ("source", "target", "timed_out"))
    late = late | sample["absent"]
    looks = [sample["night"] <= last for last in range(int(sample["night"].max()) + 1)]
    return [verdict(source[seen], target[seen], late[seen], sample["region"][seen]) for seen in looks]


def main(folder: Path) -> None:
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as archive:
            stack = dict(archive)
        found = [verdicts({name: column[at] for name, column in stack.items()}) for at in range(len(stack["target"]))]
        path.with_suffix(".json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
