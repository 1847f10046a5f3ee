"""`parity calibrate LABELS.jsonl`: fit the text score to labels of your own, and say how well it agrees with them."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO

if TYPE_CHECKING:
    from harness.comparators._text.calibrating import Calibrated

_WORDS = {
    "auc": "area under the ROC curve",
    "calibration_error": "expected calibration error",
    "coverage": "share decided at 5 % error",
}


def add(commands: Any) -> None:
    command = commands.add_parser("calibrate", help="fit the text score to your own labels; 200 are enough")
    command.add_argument("labels", type=Path, metavar="LABELS", help='lines of {"prompt", "source", "target", "label"}')
    command.add_argument("--into", type=Path, metavar="FILE", help="write the calibration here")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError naming a bad line, TooFewCases where the labels do not suffice."""
    from harness import __version__
    from harness.cli.score_text import read_lines
    from harness.comparators._text import model as models
    from harness.comparators._text.calibrating import Labelled, calibrate

    lines = read_lines(args.labels, "parity calibrate", labelled=True)
    labelled = [Labelled(one["prompt"], one["source"], one["target"], bool(one["label"])) for one in lines]
    found = calibrate(labelled, models.default(), made_by=f"parity calibrate, version {__version__}")
    if args.into is not None:
        args.into.write_text(found.model.to_json())
    print(text(found, args.into), file=sys.stderr if args.json else sys.stdout)
    if args.json:
        print(json.dumps(_document(found), allow_nan=False))
    return EXIT_GO


def text(found: Calibrated, into: Path | None) -> str:
    """For people: before and after, each on prompts that the fit did not see."""
    lines = [
        f"{found.labels} labels of {found.prompts} prompts; figures on prompts that the fit did not see, 95 % intervals"
    ]
    for name, words in _WORDS.items():
        was, now = found.before[name], found.after[name]
        lines.append(
            f"{words:28} shipped {was.value:.3f} [{was.low:.3f}, {was.high:.3f}]   "
            f"calibrated {now.value:.3f} [{now.low:.3f}, {now.high:.3f}]"
        )
    model = found.model
    lines.append(f"same from {model.same_at:.3f}, different up to {model.different_at:.3f}; between them: not shown")
    if into is None:
        lines.append("Not written: name a file with --into, and the suite's comparator as `calibration`.")
    else:
        lines.append(f"Written to {into} (sha256 {model.sha256}).")
    return "\n".join(lines)


def _document(found: Calibrated) -> dict[str, Any]:
    return {
        "labels": found.labels,
        "prompts": found.prompts,
        "shipped": {name: asdict(interval) for name, interval in found.before.items()},
        "calibrated": {name: asdict(interval) for name, interval in found.after.items()},
        "same_at": found.model.same_at,
        "different_at": found.model.different_at,
        "sha256": found.model.sha256,
    }
