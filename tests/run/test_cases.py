"""Which cases a report lists, in which order, and what of them: through a whole run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from planned import Plain, always, planned

from harness.core.call import Wire
from harness.core.report import CaseOutcome, Payloads
from harness.errors import Rejected
from harness.run import cases, session
from harness.run.cases import ListedCases


def listed(plan, folder: Path):
    finished = session.run(plan, reports=folder / "reports")
    return finished, list(ListedCases(finished.folder.cases))


def mixed(case_id: str, asked: int) -> Wire:
    """Of every ten cases one fails and one differs."""
    number = int("".join(filter(str.isdigit, case_id)) or 0)
    if number % 10 == 3:
        raise Rejected("no such thing", service="plain")
    return always(2 if number % 10 == 7 else 1)(case_id, asked)


def test_failures_stand_before_differences_and_those_before_matches(tmp_path: Path):
    finished, found = listed(planned(tmp_path, Plain(always(1)), Plain(mixed), cases=60), tmp_path)
    outcomes = [one.outcome for one in found]
    assert len(found) == 60
    assert outcomes == sorted(outcomes, key=list(CaseOutcome).index)
    assert finished.report.outcomes == {"failed": 6, "differs": 6, "matches": 48}
    assert outcomes.count(CaseOutcome.FAILED) == outcomes.count(CaseOutcome.DIFFERS) == 6
    assert found[0].failures == ("target rejected: target plain, case n00003: no such thing",)


def test_all_that_differ_are_listed_and_matches_only_while_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cases, "LEAST_LISTED", 8)
    _, found = listed(planned(tmp_path, Plain(always(1)), Plain(mixed), cases=60), tmp_path)
    assert {one.outcome for one in found} == {CaseOutcome.FAILED, CaseOutcome.DIFFERS}
    assert len(found) == 12


def test_the_list_is_filled_with_matches_by_the_order_of_the_golden_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cases, "LEAST_LISTED", 5)
    finished, found = listed(planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=60), tmp_path)
    assert len(found) == 5
    again = session.judge_again(planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=60), finished.folder)
    assert list(ListedCases(again.folder.cases)) == found


def test_no_payload_is_written_that_the_profile_hides(tmp_path: Path):
    plan = planned(tmp_path, Plain(always(1)), Plain(always(77123)), cases=40)
    plan = replace(plan, profile=replace(plan.profile, payloads=Payloads.NONE))
    finished, found = listed(plan, tmp_path)
    assert {(one.request, one.source, one.target) for one in found} == {(None, None, None)}
    assert b"77123" not in finished.folder.cases.read_bytes()
    assert b"77123" not in finished.folder.report(".html").read_bytes()


def test_the_spool_is_gone_and_pages_of_an_earlier_judging_too(tmp_path: Path):
    plan = planned(tmp_path, Plain(always(1)), Plain(always(2)), cases=40)
    finished, _ = listed(plan, tmp_path)
    stale = finished.folder.path / "report-cases-0009.html"
    stale.write_text("old")
    session.judge_again(plan, finished.folder)
    assert not stale.exists()
    assert not list(finished.folder.path.glob(".cases*"))


def test_a_run_of_before_has_no_list(tmp_path: Path):
    assert len(ListedCases(tmp_path / "cases.jsonl")) == 0
