"""Nights: evidence of one epoch accumulates, and nothing else does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.core.rows import Rows
from harness.core.verdict import Row
from harness.errors import PolicyError, RowsError
from harness.gate.nights import in_order
from tests.gate.making import Fields, Gate, flip, flips, score, scores, write_policy, write_rows

CERTAIN = flip(deterministic=True)


def night(number: int, rows: list[Fields]) -> list[Fields]:
    return [row | {"run": f"night-{number}"} for row in rows]


def clean(n: int, case: str) -> list[Fields]:
    return flips(n, 0, noise=None, case=case)


@pytest.fixture
def past(tmp_path: Path) -> Path:
    folder = tmp_path / "nights"
    folder.mkdir()
    return folder


def test_evidence_of_one_epoch_accumulates(gate: Gate, past: Path) -> None:
    """300 clean cases a night: 780 are reached in the third."""
    write_rows(past / "1.jsonl", night(1, clean(300, "a")))
    tonight = night(2, clean(300, "b"))
    assert gate(tonight, [CERTAIN], history=past).verdict == "INCONCLUSIVE"
    write_rows(past / "2.jsonl", tonight)
    third = gate(night(3, clean(300, "c")), [CERTAIN], history=past)
    assert third.verdict == "GO"
    assert third.finding("label")["units"] == 900


def test_runs_in_one_file_are_nights_too(gate: Gate) -> None:
    rows = [*night(2, flips(1000, 0, case="b")), *night(1, flips(100, 50, case="a"))]
    decided = gate(rows, [flip()])
    assert decided.verdict == "NO-GO"
    assert any("NO-GO was reached in run night-1 and is final" in note for note in decided.document["notes"])


def test_replayed_cases_add_nothing(gate: Gate, past: Path) -> None:
    for number in range(1, 14):
        write_rows(past / f"{number}.jsonl", night(number, clean(100, "same")))
    decided = gate(night(14, clean(100, "same")), [CERTAIN], history=past)
    assert decided.verdict == "INCONCLUSIVE"
    assert decided.finding("label")["units"] == 100
    assert any("1,300 rows read a case" in note for note in decided.document["notes"])


def test_a_cases_first_reading_stands(gate: Gate, past: Path) -> None:
    write_rows(past / "1.jsonl", night(1, flips(100, 30, noise=None)))
    assert gate(night(2, clean(100, "case")), [CERTAIN], history=past).finding("label")["estimate"] == -0.3


def test_a_cluster_is_closed_at_the_end_of_its_night(gate: Gate, past: Path) -> None:
    """New cases of a known customer are no new customer, and do not change what it said."""
    first = [row | {"cluster": f"k{i}"} for i, row in enumerate(flips(40, 20, noise=None, case="a"))]
    later = [row | {"cluster": f"k{i % 40}"} for i, row in enumerate(clean(400, "b"))]
    write_rows(past / "1.jsonl", night(1, first))
    finding = gate(night(2, later), [CERTAIN], history=past).finding("label")
    assert (finding["units"], finding["estimate"]) == (40, -0.5)


@pytest.mark.parametrize("first, later, verdict", [(0, 6, "GO"), (30, 0, "NO-GO")])
def test_a_first_crossing_is_final(gate: Gate, past: Path, first: int, later: int, verdict: str) -> None:
    write_rows(past / "1.jsonl", night(1, flips(1000, first, noise=None, case="a")))
    decided = gate(night(2, flips(1000, later, noise=None, case="b")), [CERTAIN], history=past)
    assert decided.verdict == verdict
    assert any(f"{verdict} was reached in run night-1" in note for note in decided.document["notes"])


def test_without_the_first_look_the_same_rows_would_be_open(gate: Gate) -> None:
    """What the test above leans on: the crossing lies in the first night, not in the sum."""
    rows = [*flips(1000, 0, noise=None, case="a"), *flips(1000, 6, noise=None, case="b")]
    assert gate(rows, [CERTAIN]).verdict == "INCONCLUSIVE"


def test_evidence_that_turns_after_go_is_told(gate: Gate, past: Path) -> None:
    write_rows(past / "1.jsonl", night(1, clean(1000, "a")))
    decided = gate(night(2, flips(200, 100, noise=None, case="b")), [CERTAIN], history=past)
    assert decided.verdict == "GO"
    assert any("since then the evidence has turned" in note for note in decided.document["notes"])
    said = "the evidence has turned since: 100 of 1,200 cases flipped. Even allowing for luck at least"
    assert said in json.dumps(decided.document)


def test_a_fault_tonight_takes_a_go_back_and_no_no_go(gate: Gate, past: Path) -> None:
    conflicting = [*clean(10, "b"), *flips(10, 10, noise=None, case="b")]
    write_rows(past / "1.jsonl", night(1, clean(1000, "a")))
    assert gate(night(2, conflicting), [CERTAIN], history=past).verdict == "INCONCLUSIVE"
    write_rows(past / "1.jsonl", night(1, flips(1000, 100, noise=None, case="a")))
    assert gate(night(2, conflicting), [CERTAIN], history=past).verdict == "NO-GO"


def test_an_empty_night_passes_nothing(gate: Gate, past: Path) -> None:
    write_rows(past / "1.jsonl", night(1, clean(1000, "a")))
    decided = gate([], [CERTAIN], history=past)
    assert decided.verdict == "INCONCLUSIVE"
    assert "empty" in decided.finding("rows")["reason"]
    write_rows(past / "1.jsonl", night(1, flips(1000, 100, noise=None, case="a")))
    assert gate([], [CERTAIN], history=past).verdict == "NO-GO"


def test_a_metric_that_is_absent_tonight_passes_nothing(gate: Gate, past: Path) -> None:
    write_rows(past / "1.jsonl", night(1, clean(1000, "a")))
    decided = gate(night(2, scores(400)), [CERTAIN, score()], history=past)
    assert decided.finding("label")["verdict"] == "INCONCLUSIVE"
    assert "no row of metric" in decided.finding("label")["reason"]


# Epochs


def decide_and_keep(
    gate: Gate, past: Path, number: int, rows: list[Fields], criterion: Fields, **policy: object
) -> str:
    """A night as a pipeline does it: decide, then keep rows and decision in the folder."""
    decided = gate(night(number, rows), [criterion], history=past, **policy)
    (past / f"{number}.jsonl").write_bytes((gate.folder / "rows.jsonl").read_bytes())
    (past / f"{number}.json").write_text(json.dumps(decided.document))
    return decided.verdict


@pytest.mark.parametrize(
    "criterion, versions",
    [(flip(deterministic=True, margin=0.006), {"target": "1"}), (CERTAIN, {"target": "2"})],
    ids=["changed margin", "changed version"],
)
def test_a_change_opens_a_new_epoch_and_says_so(
    gate: Gate, past: Path, criterion: Fields, versions: dict[str, str]
) -> None:
    for number in (1, 2):
        decide_and_keep(gate, past, number, clean(300, f"n{number}"), CERTAIN, epoch={"target": "1"})
    rows = night(3, clean(300, "n3"))
    same = gate(rows, [CERTAIN], history=past, epoch={"target": "1"})
    assert (same.verdict, same.finding("label")["units"]) == ("GO", 900)
    changed = gate(rows, [criterion], history=past, epoch=versions)
    assert changed.document["epoch"] != same.document["epoch"]
    assert (changed.verdict, changed.finding("label")["units"]) == ("INCONCLUSIVE", 300)
    (note,) = [note for note in changed.document["notes"] if note.startswith("New epoch")]
    assert "2 earlier rows files were decided" in note
    assert "epoch number 2" in note


def test_a_policy_beside_the_rows_tells_their_epoch(gate: Gate, past: Path) -> None:
    """Folders of runs hold rows and the policy they were decided by."""
    for number, margin in ((1, 0.005), (2, 0.004)):
        (past / f"run-{number}").mkdir()
        write_rows(past / f"run-{number}" / "rows.jsonl", clean(300, f"n{number}"))
        write_policy(past / f"run-{number}" / "policy.toml", [CERTAIN | {"margin": margin}])
    decided = gate(clean(300, "n3"), [CERTAIN], history=past)
    assert decided.finding("label")["units"] == 600


def test_the_present_policy_is_no_record_of_the_past(gate: Gate, past: Path) -> None:
    """It may lie in the folder, and may have been edited since the rows were decided."""
    write_rows(past / "1.jsonl", clean(300, "a"))
    policy = write_policy(past / "policy.toml", [CERTAIN])
    decided = gate.decide(write_rows(gate.folder / "rows.jsonl", clean(300, "b")), policy, history=past)
    assert any("Nothing tells the epoch of 1.jsonl" in note for note in decided.document["notes"])


@pytest.mark.parametrize("record, units", [({}, 600), ({"partial": True}, 300), ({"planted": "label_flips"}, 300)])
def test_partial_runs_and_planted_faults_are_no_evidence(
    gate: Gate, past: Path, record: dict[str, object], units: int
) -> None:
    run = past / "run-1"
    (run / "ledger").mkdir(parents=True)
    (run / "ledger" / "0001.jsonl").write_text('{"lot": "a reply, not a row"}\n')
    (run / "run.json").write_text(json.dumps({"run": "run-1", **record}))
    write_rows(run / "rows.jsonl", clean(300, "a"))
    decided = gate(clean(300, "b"), [CERTAIN], history=past)
    assert decided.finding("label")["units"] == units
    assert any("no evidence: run-1" in note for note in decided.document["notes"]) == bool(record)


def test_rows_that_tell_no_epoch_are_counted_and_named(gate: Gate, past: Path) -> None:
    write_rows(past / "1.jsonl", clean(300, "a"))
    decided = gate(clean(300, "b"), [CERTAIN], history=past)
    assert decided.finding("label")["units"] == 600
    assert any("Nothing tells the epoch of 1.jsonl" in note for note in decided.document["notes"])


def test_tonights_own_file_in_the_folder_counts_once(gate: Gate, past: Path) -> None:
    rows = clean(300, "a")
    write_rows(past / "tonight.jsonl", rows)
    decided = gate(rows, [CERTAIN], history=past)
    assert decided.finding("label")["units"] == 300
    assert decided.document["notes"] == []


def test_history_is_only_read(gate: Gate, past: Path) -> None:
    write_rows(past / "1.jsonl", clean(300, "a"))
    before = {path: path.stat().st_mtime_ns for path in [past, *past.iterdir()]}
    gate(clean(300, "b"), [CERTAIN], history=past)
    assert before == {path: path.stat().st_mtime_ns for path in [past, *past.iterdir()]}


def test_other_files_in_the_folder_are_no_rows(gate: Gate, past: Path) -> None:
    (past / "README.md").write_text("nights")
    (past / "half.json").write_text('{"epoch": ')
    (past / "list.json").write_text("[1]")
    assert gate(clean(1000, "a"), [CERTAIN], history=past).verdict == "GO"


def test_a_policy_beside_that_cannot_be_read_is_told(gate: Gate, past: Path) -> None:
    write_rows(past / "1.jsonl", clean(3, "a"))
    (past / "policy.toml").write_text("[gate")
    with pytest.raises(PolicyError, match="which epoch that belongs to"):
        gate(clean(3, "b"), [CERTAIN], history=past)


def test_a_folder_that_is_not_there_is_told(gate: Gate, tmp_path: Path) -> None:
    with pytest.raises(RowsError, match="no such folder"):
        gate(clean(3, "b"), [CERTAIN], history=tmp_path / "nowhere")


def test_a_fixed_sample_takes_no_history(gate: Gate, past: Path) -> None:
    with pytest.raises(PolicyError, match="takes no --history"):
        gate(clean(3, "b"), [CERTAIN], mode="fixed", history=past)


# Order


def rows_of(*runs: str) -> Rows:
    return Rows.from_rows(Row(case=f"c{i}", metric="m", run=run) for i, run in enumerate(runs))


def test_runs_sort_as_people_count() -> None:
    nights = in_order(rows_of("night-10", "night-2", "night-1", "night-2"))
    assert nights.runs == ("night-1", "night-2", "night-10")
    assert nights.look.tolist() == [2, 1, 0, 1]


def test_a_run_without_a_name_is_the_latest() -> None:
    nights = in_order(rows_of(""), history=[rows_of("zz"), rows_of("a")])
    assert nights.look.tolist() == [1, 0, 2]
    assert in_order(rows_of("", "a")).look.tolist() == [0, 1], "without a history it is just a name"


def test_the_order_of_history_does_not_matter(gate: Gate, past: Path) -> None:
    rng = np.random.default_rng(1)
    several = [night(i, flips(200, int(rng.integers(0, 3)), noise=None, case=f"n{i}")) for i in range(4)]
    for i, rows in enumerate(several[:-1]):
        write_rows(past / f"{i}.jsonl", rows)
    first = gate(several[-1], [CERTAIN], history=past).document["findings"]
    for i, rows in enumerate(several[:-1]):
        write_rows(past / f"{2 - i}.jsonl", rows[::-1])
    assert gate(several[-1], [CERTAIN], history=past).document["findings"] == first


def test_false_go_at_the_margin_over_fourteen_nights(gate: Gate) -> None:
    """200 streams of 14 nights whose mean is exactly the margin: at most 9.6 % may ever say GO (5 % and three errors).

    The last night holds all looks, and a first crossing is final, so one decision a stream shows whether any said GO.
    """
    rng = np.random.default_rng(2)
    passed = 0
    for _ in range(200):
        x = (-0.03 + rng.normal(0, 0.08, 14 * 20)).clip(-0.25, 0.19)
        rows = [
            {"case": f"c{i}", "metric": "sim", "run": f"night-{i // 20}", "value_target": 0.7 + d, "value_noise": 0.7}
            for i, d in enumerate(x.tolist())
        ]
        passed += gate(rows, [score()]).finding("sim")["verdict"] == "GO"
    assert passed <= 0.096 * 200


def test_of_a_runs_folder_only_its_rows_are_read(gate: Gate, past: Path) -> None:
    """Beside them lie replies, what judges said and the listed cases, in the same format and no rows."""
    run = past / "20261101T000000Z-visits-0001"
    for name in ("ledger/000001.jsonl", "judge/000001.jsonl", "cases.jsonl"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text('{"no": "row"}\n')
    (run / "run.json").write_text(json.dumps({"run": run.name, "started_at": "2026-11-01T00:00:00+00:00"}))
    assert gate(night(2, clean(10, "b")), [CERTAIN], history=past).verdict == "INCONCLUSIVE"
