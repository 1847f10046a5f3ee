"""The regression golden set that ships: what it holds, and that it can be made again."""

import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest

from harness.lab.usage import COLUMNS, NUMBERS, UNSEEN
from harness.recordings.store import GoldenSet

FOLDER = Path(__file__).parents[2] / "golden" / "usage"


@pytest.fixture(scope="module")
def golden():
    with GoldenSet.open(FOLDER) as opened:
        yield opened


def rows(case):
    return [instance["features"] for instance in json.loads(case.recording.request_body)["instances"]]


def test_building_it_again_gives_the_same_bytes(tmp_path):
    spec = importlib.util.spec_from_file_location("golden_usage_build", FOLDER / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build(tmp_path)
    for name in ("cases.jsonl", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_it_has_enough_cases_for_a_decision_at_the_default_margins(golden):
    """780 clean units settle a rate of 0.5 % at any number of looks."""
    assert len(golden) >= 780


def test_nulls_and_unseen_categories_are_among_the_rows_and_the_slices_say_so(golden):
    missing, category = Counter(), Counter()
    for case in golden:
        first = rows(case)[0]
        assert len(first) == len(COLUMNS)
        kind = "number" if None in first[: len(NUMBERS)] else "category" if None in first else "none"
        assert case.slices == {"missing": kind, "category": "unseen" if UNSEEN in first else "known"}
        missing[kind] += 1
        category[case.slices["category"]] += 1
    assert missing["number"] >= 37 and category["unseen"] >= 37, "a slice of flips needs 37 clean units for GO"
    assert missing["category"] > 0


def test_some_requests_hold_several_rows_and_the_truth_of_each(golden):
    sizes = Counter(len(rows(case)) for case in golden)
    assert set(sizes) == {1, 2}
    assert all(len(case.expected) == len(rows(case)) for case in golden)
