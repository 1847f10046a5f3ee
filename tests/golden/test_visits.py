"""The golden set that ships: what it holds, and that it can be made again."""

import importlib.util
from collections import Counter
from pathlib import Path

import pytest

from harness.lab.visits import COLUMNS, records, trains
from harness.recordings.store import GoldenSet

FOLDER = Path(__file__).parents[2] / "golden" / "visits"


@pytest.fixture(scope="module")
def golden():
    with GoldenSet.open(FOLDER) as opened:
        yield opened


def test_building_it_again_gives_the_same_bytes(tmp_path):
    spec = importlib.util.spec_from_file_location("golden_visits_build", FOLDER / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build(tmp_path)
    for name in ("cases.jsonl", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_it_has_enough_cases_for_a_decision_at_the_default_margins(golden):
    """598 clean units settle a flip rate of 0.5 %; one flip takes 947, two 1,258."""
    assert len(golden) == 1619


def test_no_row_of_it_was_trained_on(golden):
    rows = [tuple(float(cell) for cell in case.recording.request_body.split(b",")) for case in golden]
    assert not any(trains(row) for row in rows)
    assert len(set(rows)) == len(rows)
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_each_case_leads_back_to_its_record(golden):
    all_records = records()
    for case in golden:
        number = int(case.recording.provenance.captured_from.removeprefix("randhie.csv, record "))
        features, visits = all_records[number - 1]
        assert features == tuple(float(cell) for cell in case.recording.request_body.split(b","))
        assert case.expected == int(visits >= 5)


def test_its_slices_are_the_plan_and_the_persons_health(golden):
    plans = Counter(case.slices["coinsurance"] for case in golden)
    health = Counter(case.slices["health"] for case in golden)
    assert plans == {"free": 824, "cost sharing": 795}
    assert health == {"excellent": 783, "good": 583, "fair": 203, "poor": 50}


def test_the_truth_does_not_decide_the_order(golden):
    """405 of 1,619 are frequent; in each quarter of the file a share within 4 standard deviations of that."""
    truth = [case.expected for case in golden]
    assert sum(truth) == 405
    for start in range(0, 1600, 400):
        assert abs(sum(truth[start : start + 400]) - 100) < 35


def test_it_says_where_it_comes_from(golden):
    assert golden.manifest.licence == "public domain"
    assert "randhie" in golden.manifest.source
    assert golden.manifest.captured is None
