"""From a plan to a decision and its folder, in one process: what is written, what is refused, what is judged again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from planned import POLICY, Plain, always, planned

from harness.config import Limits, Price
from harness.core.call import Side, Wire
from harness.core.report import Payloads
from harness.core.verdict import Verdict
from harness.errors import LedgerError, Rejected
from harness.run import session
from harness.run.folder import find_run

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OPTIONS = {"now": lambda: NOW}
MANY = 640


def run(plan, folder: Path, **options):
    return session.run(plan, reports=folder / "reports", **(OPTIONS | options))


def test_an_equal_target_is_go_and_the_folder_holds_all_that_was_decided_on(tmp_path: Path):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=MANY), tmp_path)
    assert finished.decision is not None
    assert finished.decision.verdict is Verdict.GO
    names = {path.name for path in finished.folder.path.iterdir()}
    assert names == {
        "run.json",
        "policy.toml",
        "ledger",
        "rows.parquet",
        "decision.json",
        "report.html",
        "report.json",
        "report.md",
        "cases.jsonl",
    }


def test_a_different_target_is_no_go_and_its_cases_are_shown(tmp_path: Path):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(2)), cases=MANY), tmp_path)
    assert finished.decision is not None
    assert finished.decision.verdict is Verdict.NO_GO
    worst = finished.report.worst[0]
    assert (worst.metric, worst.source, worst.target) == ("value", "0 = 1.0", "0 = 2.0")


def test_a_ceiling_makes_the_run_inconclusive_and_says_how_to_finish(tmp_path: Path):
    limits = Limits(concurrency=2, calls=1000)
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=MANY, limits=limits), tmp_path)
    assert finished.decision is not None
    assert finished.decision.verdict is Verdict.INCONCLUSIVE
    (cut,) = [finding for finding in finished.decision.findings if finding.criterion == "run complete"]
    assert "1000 calls" in cut.reason
    assert f"--resume {finished.folder.path.name}" in cut.reason
    again = run(planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=MANY), tmp_path, resume=finished.folder)
    assert again.decision is not None
    assert again.decision.verdict is Verdict.GO


def test_a_ceiling_does_not_hide_a_no_go(tmp_path: Path):
    limits = Limits(concurrency=2, calls=1000)
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(2)), cases=MANY, limits=limits), tmp_path)
    assert finished.decision is not None
    assert finished.decision.verdict is Verdict.NO_GO


def test_a_partial_run_has_findings_and_decides_nothing(tmp_path: Path):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=MANY), tmp_path, partial=True)
    assert finished.decision is None
    assert finished.findings
    assert not finished.folder.decision.exists()
    with pytest.raises(LedgerError, match="PARTIAL"):
        session.decide_stored(finished.folder, now=lambda: NOW)


def test_a_stored_run_is_judged_again_without_a_call(tmp_path: Path):
    source, target = Plain(always(1)), Plain(always(1))
    plan = planned(tmp_path, source, target, cases=MANY)
    first = run(plan, tmp_path)
    made = source.calls.total() + target.calls.total()
    again = session.judge_again(plan, first.folder, now=lambda: NOW)
    assert source.calls.total() + target.calls.total() == made
    assert again.report == first.report


def test_the_gate_decides_the_same_from_rows_and_policy_alone(tmp_path: Path):
    first = run(planned(tmp_path, Plain(always(1)), Plain(always(2)), cases=MANY), tmp_path)
    stored = session.decide_stored(first.folder, now=lambda: NOW)
    assert first.decision is not None
    assert (stored.verdict, stored.findings) == (first.decision.verdict, first.decision.findings)


def test_a_run_is_not_resumed_under_another_promise(tmp_path: Path):
    plan = planned(tmp_path, Plain(always(1)), Plain(always(1)))
    first = run(plan, tmp_path)
    changed = planned(
        tmp_path, Plain(always(1)), Plain(always(1)), policy=POLICY.replace('metric = "error"', 'metric = "errors"')
    )
    with pytest.raises(LedgerError, match="suite_sha256"):
        run(changed, tmp_path, resume=first.folder)


def test_a_target_that_always_fails_is_no_go_and_a_source_that_does_is_inconclusive(tmp_path: Path):
    def refuses(_case: str, _count: int) -> Wire:
        raise Rejected("no", service="plain", status=400)

    for side, verdict in (("target", Verdict.NO_GO), ("source", Verdict.INCONCLUSIVE)):
        sides = {"source": Plain(always(1)), "target": Plain(always(1)), side: Plain(refuses)}
        folder = tmp_path / side
        folder.mkdir()
        finished = run(planned(folder, sides["source"], sides["target"], cases=MANY), folder)
        assert finished.decision is not None
        assert finished.decision.verdict is verdict


def test_a_source_that_contradicts_its_declaration_is_inconclusive(tmp_path: Path):
    noisy = Plain(lambda case, count: always(float(count))(case, count))
    finished = run(planned(tmp_path, noisy, Plain(always(1)), cases=MANY, deterministic=True), tmp_path)
    assert finished.decision is not None
    assert finished.decision.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("payloads", "shown"),
    [(Payloads.FULL, "0 = 2.0"), (Payloads.NONE, None), (Payloads.REDACTED, "0 = 2.0")],
)
def test_a_report_shows_no_more_than_the_profile_allows(tmp_path: Path, payloads: Payloads, shown: str | None):
    plan = planned(tmp_path, Plain(always(1)), Plain(always(2)), payloads=payloads)
    assert run(plan, tmp_path).report.worst[0].target == shown


def test_hashed_payloads_leave_no_value_in_any_report(tmp_path: Path):
    secretive = Plain(always(123456.75))
    plan = planned(tmp_path, Plain(always(1)), secretive, payloads=Payloads.HASH)
    folder = run(plan, tmp_path).folder
    for path in folder.path.glob("report.*"):
        assert b"123456.75" not in path.read_bytes()


def test_runs_are_found_by_name_and_an_unknown_one_names_the_latest(tmp_path: Path):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(1))), tmp_path)
    name = finished.folder.path.name
    assert find_run(tmp_path / "reports", name).path == finished.folder.path
    with pytest.raises(LedgerError, match=name):
        find_run(tmp_path / "reports", "20200101")


def test_combining_lets_one_refusal_refuse_all():
    go, no_go, open_ = Verdict.GO, Verdict.NO_GO, Verdict.INCONCLUSIVE
    assert session.combine([go, go]) is go
    assert session.combine([go, open_]) is open_
    assert session.combine([go, open_, no_go]) is no_go
    assert session.combine([]) is open_


def test_the_record_is_of_a_known_version(tmp_path: Path):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(1))), tmp_path)
    path = finished.folder.path / "run.json"
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps(record | {"schema": "run/99"}))
    with pytest.raises(LedgerError, match="run/99"):
        finished.folder.read_record()


def test_served_versions_enter_the_signature(tmp_path: Path):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(1))), tmp_path)
    assert "target served by=m1, r1" in finished.report.signature
    assert replace(finished.report, signature="").clients["source served by"] == "m1, r1"


def test_the_gate_refuses_a_policy_that_the_run_was_not_made_under(tmp_path: Path):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(2)), cases=MANY), tmp_path)
    policy = finished.folder.policy
    policy.write_text(policy.read_text().replace('metric = "value"', 'metric = "value"\nadvisory = true'))
    with pytest.raises(LedgerError, match="not the policy"):
        session.decide_stored(finished.folder, now=lambda: NOW)


def test_a_planted_run_is_never_go_at_the_gate(tmp_path: Path):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=MANY), tmp_path, planted="bias")
    assert session.decide_stored(finished.folder, now=lambda: NOW).verdict is Verdict.INCONCLUSIVE


def test_judging_again_from_a_damaged_ledger_leaves_the_rows_that_were_decided_on(tmp_path: Path):
    plan = planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=MANY)
    finished = run(plan, tmp_path)
    rows = finished.folder.rows.read_bytes()
    ledger = finished.folder.ledger / "000001.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"text":"1"', b'"text":"2"', 1))
    with pytest.raises(LedgerError, match="line"):
        session.judge_again(plan, finished.folder, now=lambda: NOW)
    assert finished.folder.rows.read_bytes() == rows


@pytest.mark.parametrize("change", [{"partial": 0}, {"cases": "x"}, {"surprise": 1}])
def test_an_edited_record_is_named(tmp_path: Path, change: dict[str, object]):
    finished = run(planned(tmp_path, Plain(always(1)), Plain(always(1))), tmp_path)
    path = finished.folder.path / "run.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    with pytest.raises(LedgerError, match=r"run\.json"):
        finished.folder.read_record()


def test_a_ceiling_on_cost_or_tokens_holds_for_all_parts_of_a_run_together(tmp_path: Path):
    """Half a run under a ceiling of its half, then the rest under a ceiling that the two parts pass together."""

    class Counting(Plain):
        def decode(self, lot, replies):
            return {
                case: replace(one, tokens_in=10, tokens_out=5) for case, one in super().decode(lot, replies).items()
            }

    def plan(**ceiling):
        made = planned(
            tmp_path, Counting(always(1)), Counting(always(1)), cases=20, limits=Limits(concurrency=1, **ceiling)
        )
        prices = {side: Price(per_call_usd=1.0) for side in Side}
        return replace(made, suite=replace(made.suite, prices=prices))

    first = run(plan(calls=30), tmp_path)
    assert first.report.stopped is not None
    dear = run(plan(cost_usd=31.0), tmp_path, resume=first.folder)
    assert dear.report.stopped == "the ceiling of 31 USD was reached"
    many = run(plan(tokens=31 * 15), tmp_path, resume=first.folder)
    assert many.report.stopped == "the ceiling of 465 tokens was reached"
    assert run(plan(), tmp_path, resume=first.folder).report.stopped is None
