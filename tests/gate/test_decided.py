from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.core.verdict import Finding, Row, Verdict
from harness.errors import EvidenceError
from harness.gate import decided
from harness.gate.coverage import GoldenFacts
from harness.gate.rows_file import write_rows
from tests.gate.sealed import CRITERION, RUN, decided_run, label_rows, rewritten

OUTSIDE = Finding(criterion="run complete", metric="", verdict=Verdict.INCONCLUSIVE, reason="3 of 601 cases are left.")


def test_the_hash_is_of_the_document_that_a_bundle_holds(tmp_path: Path):
    made = decided.load(decided_run(tmp_path, cases=598))
    assert made.sha256 == hashlib.sha256(made.to_bytes()).hexdigest()
    told = json.loads(made.to_bytes())
    assert (told["decision"], told["run"]) == ("GO", RUN)
    assert {"findings", "policy_sha256", "rows_sha256", "signature"} <= set(told)


def test_judging_again_later_gives_the_same_decision_to_sign(tmp_path: Path):
    folder = decided_run(tmp_path)
    before = decided.load(folder).sha256
    rewritten(folder.decision, decided_at=datetime(2027, 1, 1, tzinfo=UTC).isoformat())
    assert decided.load(folder).sha256 == before


def test_the_file_that_rows_lay_in_does_not_matter_and_one_row_does(tmp_path: Path):
    folder = decided_run(tmp_path / "a")
    made = decided.load(folder)
    write_rows(tmp_path / "rows.jsonl", label_rows(12))
    folder.rows.write_bytes((tmp_path / "rows.jsonl").read_bytes())
    rewritten(folder.decision, rows_sha256=hashlib.sha256(folder.rows.read_bytes()).hexdigest())
    assert decided.load(folder).sha256 == made.sha256
    assert decided.load(decided_run(tmp_path / "b", cases=13)).sha256 != made.sha256


def test_two_runs_with_equal_rows_are_two_decisions(tmp_path: Path):
    """A sign-off must not move from one run to another."""
    one, other = decided_run(tmp_path, run="night-1"), decided_run(tmp_path, run="night-2")
    assert decided.load(one).sha256 != decided.load(other).sha256


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("decision", "GO"),
        ("headline", "All is well."),
        ("findings", []),
        ("epoch", "other"),
        ("policy_sha256", "0" * 64),
        ("rows_sha256", "0" * 64),
        ("schema", "parity-decision/9"),
        ("extra", 1),
    ],
)
def test_a_decision_that_its_rows_do_not_give_is_not_taken(field: str, value: object, tmp_path: Path):
    folder = decided_run(tmp_path)
    rewritten(folder.decision, **{field: value})
    with pytest.raises(EvidenceError, match="parity report"):
        decided.load(folder)


def test_notes_that_were_handed_in_stand_before_the_gate_s_own(tmp_path: Path):
    stray = Row(case="c", metric="stray", value_target=1.0)
    folder = decided_run(tmp_path, rows=[*label_rows(12), stray])
    (own,) = json.loads(folder.decision.read_text())["notes"]
    rewritten(folder.decision, notes=["New epoch.", own])
    assert decided.load(folder).content["notes"] == ["New epoch.", own]
    rewritten(folder.decision, notes=[own, "New epoch."])
    with pytest.raises(EvidenceError, match="notes"):
        decided.load(folder)


@pytest.mark.parametrize("name", ["estimate", "low", "p_go", "units", "verdict", "reason", "gating", "margin"])
def test_every_field_of_a_finding_is_compared(name: str, tmp_path: Path):
    folder = decided_run(tmp_path)
    findings = json.loads(folder.decision.read_text())["findings"]
    findings[0][name] = {"verdict": "GO", "reason": "fine", "gating": False}.get(name, 0.5)
    rewritten(folder.decision, findings=findings)
    with pytest.raises(EvidenceError, match=rf"findings\[label\]\.{name} says"):
        decided.load(folder)


def test_rows_that_changed_after_deciding_are_named(tmp_path: Path):
    folder = decided_run(tmp_path, cases=598, flipped=9)
    write_rows(folder.rows, label_rows(598))
    with pytest.raises(EvidenceError, match=r"rows\.parquet: is not the file that was decided on"):
        decided.load(folder)


def test_a_policy_that_changed_after_deciding_is_found(tmp_path: Path):
    folder = decided_run(tmp_path, cases=598, flipped=9)
    folder.policy.write_text(CRITERION + "margin = 0.5\n")
    with pytest.raises(EvidenceError, match="give another decision"):
        decided.load(folder)


def test_findings_from_outside_the_rows_stand_and_are_named(tmp_path: Path):
    made = decided.load(decided_run(tmp_path, cases=598, findings=(OUTSIDE,)))
    assert made.verdict is Verdict.INCONCLUSIVE
    assert made.handed == ("run complete",)


OLD = GoldenFacts(sha256="0" * 64, cases=598, sampled=False, truncated=False, taken_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_what_the_policy_demands_of_the_golden_set_is_computed_again(tmp_path: Path):
    """run.json keeps the facts, so this finding does not merely stand as recorded."""
    folder = decided_run(tmp_path, cases=598, policy=CRITERION + "[coverage]\nmax_age_days = 90\n", golden=OLD)
    made = decided.load(folder)
    assert (made.verdict, made.handed) == (Verdict.INCONCLUSIVE, ())
    newer = replace(OLD, taken_at=datetime(2026, 11, 1, tzinfo=UTC))
    rewritten(folder.path / "run.json", golden=newer.document())
    with pytest.raises(EvidenceError, match="decision says 'INCONCLUSIVE', recomputed 'GO'"):
        decided.load(folder)


def test_a_decision_keeps_its_hash_on_a_machine_that_computes_another_last_digit(tmp_path: Path):
    folder = decided_run(tmp_path, cases=598, flipped=3)
    told = json.loads(folder.decision.read_text())
    told["findings"][0]["low"] *= 1 + 1e-13
    rewritten(folder.decision, findings=told["findings"])
    assert json.loads(decided.load(folder).to_bytes())["findings"] == told["findings"]


def test_a_run_of_another_version_keeps_its_words_and_so_its_sign_offs(tmp_path: Path):
    folder = decided_run(tmp_path, cases=598)
    rewritten(folder.decision, headline="As we said it then.")
    with pytest.raises(EvidenceError, match="headline says"):
        decided.load(folder)
    rewritten(folder.path / "run.json", versions={"parity-harness": "0.0.1"})
    assert decided.load(folder).content["headline"] == "As we said it then."


def test_a_partial_run_has_nothing_to_sign(tmp_path: Path):
    with pytest.raises(EvidenceError, match="PARTIAL"):
        decided.load(decided_run(tmp_path, partial=True))


def test_a_run_that_was_not_finished_says_how_to_go_on(tmp_path: Path):
    folder = decided_run(tmp_path)
    folder.decision.unlink()
    with pytest.raises(EvidenceError, match="parity run --resume"):
        decided.load(folder)


def test_numbers_may_differ_in_their_last_digits_and_no_further():
    assert list(decided.compare({"p": 0.1}, {"p": 0.1 * (1 + 1e-12)})) == []
    assert list(decided.compare({"p": 0.1}, {"p": 0.1 * (1 + 1e-6)})) == ["p says 0.1, recomputed 0.1000001"]
    assert list(decided.compare({"n": 1}, {"n": True})) == ["n says 1, recomputed True"]


def test_words_are_only_let_go_where_asked():
    told, found = {"reason": "a", "verdict": "GO"}, {"reason": "b", "verdict": "GO"}
    assert list(decided.compare(told, found)) == ["reason says 'a', recomputed 'b'"]
    assert list(decided.compare(told, found, words=False)) == []
    assert list(decided.compare({**told, "verdict": "NO-GO"}, found, words=False))


def test_of_two_long_texts_the_place_where_they_differ_is_shown():
    (said,) = decided.compare({"reason": "x" * 200 + "at worst 1 %"}, {"reason": "x" * 200 + "at worst 2 %"})
    assert "xat worst 1 %', recomputed '...x" in said
    assert said.endswith("xat worst 2 %'")


def test_a_field_that_is_missing_or_new_is_named():
    assert list(decided.compare({"b": 1}, {"a": 1})) == ["a is missing", "b is no field of a decision"]


def test_rows_of_every_kind_of_answer_make_a_signable_decision(tmp_path: Path):
    rows = [Row(case=f"c{n}", metric="label", value_target=None if n % 2 else 1.0) for n in range(40)]
    assert decided.load(decided_run(tmp_path, rows=rows)).verdict is not Verdict.GO
