"""`parity calibrate`: refitted on labels of one's own, judged on prompts that the fit did not see."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from harness.cli import main
from harness.comparators import text_similarity
from harness.comparators._text.model import load
from harness.errors import ConfigError

NAMES = ["Anna Berg", "Carlo Dini", "Emma Falk", "Goran Hult", "Ines Jung", "Karl Lind", "Maria Noll", "Otto Pohl"]


def labels(folder: Path, count: int) -> Path:
    """Answers about who did what; people call two answers the same where they name the same person, 9 times in 10."""
    draw = random.Random(3)
    lines = []
    for number in range(count):
        here, there = draw.choice(NAMES), draw.choice(NAMES)
        there = here if number % 2 else there
        lines.append(
            {
                "prompt": f"who signed contract {number // 2}",
                "source": here,
                "target": f"The contract was signed by {there}.",
                "label": int((here == there) != (draw.random() < 0.1)),
            }
        )
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_it_refits_and_tells_agreement_with_intervals(tmp_path, capsys):
    into = tmp_path / "mine.json"
    assert main(["calibrate", str(labels(tmp_path, 200)), "--into", str(into), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["labels"], found["prompts"]) == (200, 100)
    for side in ("shipped", "calibrated"):
        for measure in ("auc", "calibration_error", "coverage"):
            one = found[side][measure]
            assert one["low"] <= one["value"] <= one["high"]
    assert found["calibrated"]["auc"]["value"] > 0.8
    assert load(into).sha256 == found["sha256"]


def test_a_calibration_stands_in_the_signature_of_the_comparator_that_uses_it(tmp_path):
    into = tmp_path / "mine.json"
    assert main(["calibrate", str(labels(tmp_path, 100)), "--into", str(into)]) == 0
    built = text_similarity.build(calibration=str(into))
    assert f"model:calibrated:{load(into).sha256[:12]}" in built.signature()


@pytest.mark.parametrize("count", [0, 20])
def test_too_few_labels_are_refused(tmp_path, capsys, count):
    assert main(["calibrate", str(labels(tmp_path, count))]) == 2
    assert f"{count} labels" in capsys.readouterr().err


def test_a_label_that_is_none_is_named(tmp_path, capsys):
    path = labels(tmp_path, 60)
    path.write_text(path.read_text().replace('"label": 1', '"label": 0.5', 1))
    assert main(["calibrate", str(path)]) == 2
    assert '"label" must be 0 or 1' in capsys.readouterr().err


def test_a_coefficient_of_the_wrong_sign_is_refused(tmp_path):
    into = tmp_path / "mine.json"
    assert main(["calibrate", str(labels(tmp_path, 100)), "--into", str(into)]) == 0
    content = json.loads(into.read_text())
    content["features"]["slot"] = -1.0
    into.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="the coefficient of slot has the wrong sign"):
        load(into)
