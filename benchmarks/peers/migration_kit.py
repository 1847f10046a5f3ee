"""model-migration-kit 0.1.1 on the same samples, run by the Python of its own environment.

    python migration_kit.py FOLDER

FOLDER holds one .npz a scenario with stacks of samples; one .json of verdicts is written beside each. The judge's
score is 1 + 4 * quality, rounded to whole points as its rubrics ask, and a completion passes from quality 0.5 on. A
call without an answer is imputed at the lowest score, as the kit's own judging step does. Thresholds are its defaults.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
from model_migration_kit.comparison import compare
from model_migration_kit.errors import MigrationKitError
from model_migration_kit.judging import JudgedArtifact, JudgeRecord, Thresholds

VERDICTS = {"GO": "GO", "NO-GO": "NO-GO", "REVIEW": "-"}


def judged(name: str, quality, timed_out) -> JudgedArtifact:
    """One side: a record for each item and draw."""
    records = []
    for item, (scores, late) in enumerate(zip(quality.tolist(), timed_out.tolist(), strict=True)):
        for draw, score in enumerate(scores):
            if late[draw]:
                record = JudgeRecord("quality", f"item {item}", draw, passed=False, score=1.0, imputed=True)
            else:
                points = float(round(1 + 4 * score)) if math.isfinite(score) else score
                record = JudgeRecord("quality", f"item {item}", draw, passed=score >= 0.5, score=points)
            records.append(record)
    shared = {"goldenset_hash": "samples", "judges_hash": "quality", "n_per_item": quality.shape[1]}
    return JudgedArtifact(model_id=name, records=tuple(records), **shared)


def verdict(source, target, timed_out) -> str:
    try:
        report = compare(
            judged("source", source, np.zeros(source.shape, dtype=bool)),
            judged("target", target, timed_out),
            thresholds=Thresholds(),
        )
    except MigrationKitError:
        return "-"  # it refuses to compare
    return VERDICTS[report.verdict]


def verdicts(sample) -> list[str]:
    """One a night, on all that has come in until then."""
    source, target, late, night = (sample[name] for name in ("source", "target", "timed_out", "night"))
    if sample["absent"]:
        return [verdict(source, target[:0], late[:0])]
    looks = [night <= last for last in range(int(night.max()) + 1)]
    return [verdict(source[seen], target[seen], late[seen]) for seen in looks]


def main(folder: Path) -> None:
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as archive:
            stack = dict(archive)
        found = [verdicts({name: column[at] for name, column in stack.items()}) for at in range(len(stack["target"]))]
        path.with_suffix(".json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
