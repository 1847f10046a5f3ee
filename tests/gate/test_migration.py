"""One requirement taken out of a migration that lacks nothing: each is told, and none is made up for by another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import jsonschema
import pytest

from harness.core.inventory import Found, Unlisted
from harness.core.verdict import Verdict
from harness.gate.estate import Entry
from harness.gate.migration import answer, schema
from harness.gate.migration_suite import names_version
from tests.gate.migrating import (
    ADA,
    BOB,
    DEAR,
    ERROR,
    ESTATE,
    LABEL,
    NOW,
    SLOW,
    SOURCE,
    asked,
    known,
    line,
    measured,
    policy,
    rows,
    signed,
    suite_policy,
    target,
)


def test_everything_met_and_signed_is_go(tmp_path):
    unsigned = answer(policy(), [known()], ESTATE, [], NOW)
    assert [(one.requirement, one.says) for one in unsigned.open] == [
        ("sign-off", "engineering: has not signed this decision. risk: has not signed this decision.")
    ]
    assert (unsigned.verdict, unsigned.measured) == (Verdict.INCONCLUSIVE, Verdict.GO)
    both = signed(unsigned.evidence_sha256, tmp_path, (ADA, "engineering"), (BOB, "risk"))
    assert answer(policy(), [known()], ESTATE, both, NOW).verdict is Verdict.GO


def test_one_signature_is_not_two(tmp_path):
    digest = answer(policy(), [known()], ESTATE, [], NOW).evidence_sha256
    one = signed(digest, tmp_path, (ADA, "engineering"))
    assert answer(policy(), [known()], ESTATE, one, NOW).verdict is Verdict.INCONCLUSIVE


def test_a_signature_under_an_answer_that_was_not_go_does_not_count(tmp_path):
    digest = answer(policy(), [known()], ESTATE, [], NOW).evidence_sha256
    both = signed(digest, tmp_path, (ADA, "engineering"), (BOB, "risk"), verdict="INCONCLUSIVE")
    assert answer(policy(), [known()], ESTATE, both, NOW).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("what", ["rows_sha256", "ledger_sha256", "golden_sha256", "run"])
def test_signatures_hold_for_the_very_evidence_alone(tmp_path, what):
    digest = answer(policy(), [known()], ESTATE, [], NOW).evidence_sha256
    both = signed(digest, tmp_path, (ADA, "engineering"), (BOB, "risk"))
    other = known(forward=replace(known().forward, **{what: "f" * 64}))
    assert line(answer(policy(), [other], ESTATE, both, NOW).lines, "sign-off").status == "missing"


def test_a_changed_requirement_or_estate_asks_for_new_signatures():
    digest = answer(policy(), [known()], ESTATE, [], NOW).evidence_sha256
    assert answer(policy(head={"max_age_days": 30}), [known()], ESTATE, [], NOW).evidence_sha256 != digest
    assert answer(policy(), [known()], target(retires=date(2029, 1, 1)), [], NOW).evidence_sha256 != digest
    refreshed = replace(ESTATE, read_at=NOW)
    assert answer(policy(), [known()], refreshed, [], NOW + timedelta(days=1)).evidence_sha256 == digest


def test_without_listed_signers_there_is_no_go():
    made = answer(replace(policy(), signoff=type(policy().signoff)()), [known()], ESTATE, [], NOW)
    assert line(made.lines, "sign-off").says == "the policy lists no signers ([signoff])."
    assert made.verdict is Verdict.INCONCLUSIVE


def test_no_run_is_missing_and_says_what_was_passed_over():
    found = line(asked(known(forward=None, passed_over=("R1 (a planted fault)",))), "evidence")
    assert found.status == "missing"
    assert found.says == "No whole run of the way forward. Passed over: R1 (a planted fault)."
    assert found.todo == "parity run suites/visits --profile prod"


def test_damage_is_refused():
    hurt = replace(known().forward, decision=None, damage="the ledger does not match its checksum.")
    lines = asked(known(forward=hurt))
    assert line(lines, "evidence").status == "refused"
    assert answer(policy(), [known(forward=hurt)], ESTATE, [], NOW).verdict is Verdict.NO_GO


def test_a_run_that_has_not_ended_is_missing():
    found = line(asked(known(forward=replace(known().forward, finished_at=None))), "evidence")
    assert (found.status, found.todo) == ("missing", "parity run --resume 20261124T110000Z-visits-ab12")


def test_no_go_is_refused_and_inconclusive_is_missing():
    bad = line(asked(known(forward=measured(suite_policy(), of=rows(flipped=60)))), "decision")
    assert (bad.status, bad.todo) == ("refused", "parity explain 20261124T110000Z-visits-ab12")
    assert bad.says.startswith("NO-GO: labels agree: 60 of 700 cases flipped.")
    assert line(asked(known(forward=measured(suite_policy(), of=rows(cases=100)))), "decision").status == "missing"


def test_a_newer_refusal_from_recordings_takes_the_go_back():
    found = line(asked(known(refusal="R2 (mode golden) says NO-GO")), "decision")
    assert found.status == "refused"


@pytest.mark.parametrize(("days", "status"), [(13, "ok"), (14, "ok"), (15, "missing"), (-2, "missing")])
def test_evidence_grows_old(days, status):
    ended = NOW - timedelta(days=days)
    run = replace(known().forward, finished_at=ended, measured_at=ended)
    assert line(asked(known(forward=run)), "fresh").status == status


def test_a_resumed_run_is_as_old_as_its_last_call():
    run = replace(known().forward, measured_at=NOW - timedelta(days=20))
    assert line(asked(known(forward=run)), "fresh").says.startswith("Measured on 2026-11-05, 20 days ago;")


def test_a_changed_suite_policy_or_golden_set_makes_a_run_history():
    wider = suite_policy({**LABEL, "margin": 0.1}, ERROR, SLOW, DEAR)
    assert line(asked(known(forward=measured(wider))), "suite as today").says.startswith("The policy has changed")
    moved = replace(suite_policy(), definition="another")
    assert line(asked(known(forward=measured(moved))), "suite as today").says.startswith("The suite has changed")
    for name, said in (("checks", "The suite's own code has changed"), ("settings", "Clouds, accounts, endpoints")):
        run = replace(known().forward, made_by={**known().made_by, name: "other"})
        assert line(asked(known(forward=run)), "suite as today").says.startswith(said)
    assert line(asked(known(forward=replace(known().forward, made_by={}))), "suite as today").status == "missing"
    back = replace(known().rehearsal, made_by={"checks": "d"})
    assert line(asked(known(rehearsal=back)), "rehearsal").status == "missing"
    run = replace(known().forward, golden_sha256="0" * 64)
    assert line(asked(known(forward=run)), "suite as today").says.startswith("The golden set has changed")


@pytest.mark.parametrize(
    ("kind", "left"),
    [("errors", (LABEL, SLOW, DEAR)), ("latency", (LABEL, ERROR, DEAR)), ("cost", (LABEL, ERROR, SLOW))],
)
def test_a_suite_without_a_kind_of_criterion_lacks_it(kind, left):
    lines = asked(known(suite_policy(*left)))
    assert [one.requirement for one in lines if one.status != "ok"] == [kind, "sign-off"]
    assert asked(known(suite_policy(*left)), head={"criteria": []})[-2].status == "ok"


def test_an_advisory_criterion_does_not_stand_for_a_requirement():
    advised = suite_policy(LABEL, ERROR, SLOW, {**DEAR, "advisory": True})
    assert line(asked(known(advised)), "cost").status == "missing"


def test_another_model_version_than_now_is_missing():
    found = line(asked(estate=target(version="2025-03-01")), "version")
    assert found.status == "missing"
    assert "gpt-4o 2025-03-01 now" in found.says


def test_a_deployment_that_changed_after_the_run_began_is_missing():
    assert line(asked(estate=target(version=None, changed_at=NOW - timedelta(days=30))), "version").status == "ok"
    assert line(asked(estate=target(changed_at=NOW)), "version").status == "missing"
    assert line(asked(estate=target(version=None)), "version").status == "missing"


def test_an_older_change_does_not_excuse_another_version_that_the_evidence_names():
    upgraded = target(version="2025-03-01", changed_at=NOW - timedelta(days=300))
    assert line(asked(estate=upgraded), "version").status == "missing"


def test_an_estate_of_other_accounts_tells_nothing_of_the_evidence():
    lines = asked(estate=replace(ESTATE, profile="staging"))
    assert line(lines, "profile").todo == "parity inventory --profile prod"
    assert line(asked(estate=replace(ESTATE, profile="prod")), "profile").status == "ok"


def test_what_the_suite_itself_waives_is_told_with_its_owner():
    waiver = {"criterion": "labels agree", "difference": "timeout", "owner": "Dana", "reason": "r"}
    made = suite_policy(LABEL, ERROR, SLOW, DEAR, waiver=[{**waiver, "expires": "2026-11-25"}])
    late = measured(made, of=rows(timeouts=40))
    assert line(asked(known(made, forward=late)), "decision").says == "GO. Waived by the suite: labels agree (Dana)."


def test_the_epoch_of_a_suite_may_name_the_version():
    named = suite_policy(LABEL, ERROR, SLOW, DEAR, epoch={"target": "gpt-4o:7"})
    assert line(asked(known(named), target(version="7")), "version").status == "ok"
    assert line(asked(known(named), target(version="8")), "version").status == "missing"


@pytest.mark.parametrize(
    ("text", "model", "version", "named"),
    [
        ("gpt-4o 2024-11-20, sku Standard", "gpt-4o", "2024-11-20", True),
        ("gpt-4o-2024-11-20", "gpt-4o", "2024-11-20", True),
        ("visits:3", "visits", "3", True),
        ("visits:31", "visits", "3", False),
        ("visits 3.1", "visits", "3", False),
        ("onnxruntime 3", "visits", "3", False),
        ("other-visits:3", "visits", "3", False),
        ("2024-11-201", "gpt-4o", "2024-11-20", False),
    ],
)
def test_a_version_is_named_whole(text, model, version, named):
    assert names_version(text, model, version) is named


def test_an_automatic_upgrade_is_refused_and_an_unknown_one_is_missing():
    assert line(asked(estate=target(auto_upgrade=True)), "upgrades").status == "refused"
    assert line(asked(estate=target(auto_upgrade=None)), "upgrades").status == "missing"


def test_a_retirement_on_the_stated_day_or_before_is_refused_and_an_unknown_one_is_missing():
    assert line(asked(estate=target(retires=date(2027, 6, 30))), "retirement").status == "refused"
    assert line(asked(estate=target(retires=date(2027, 7, 1))), "retirement").status == "ok"
    assert line(asked(estate=target(retires=None)), "retirement").status == "missing"
    own = target(retires=None, auto_upgrade=None, owned=True)
    assert [line(asked(estate=own), what).status for what in ("upgrades", "retirement")] == ["ok", "ok"]


def test_the_way_back_must_be_rehearsed_green_and_fresh():
    assert line(asked(known(rehearsal=None)), "rehearsal").todo == "parity run suites/visits --profile prod --reverse"
    back = known().rehearsal
    old = replace(back, finished_at=NOW - timedelta(days=30))
    assert line(asked(known(rehearsal=old)), "rehearsal").status == "missing"
    red = measured(suite_policy(), reverse=True, of=rows(flipped=60))
    assert line(asked(known(rehearsal=red)), "rehearsal").status == "refused"
    assert not [
        one for one in asked(known(rehearsal=None), head={"rehearsal": False}) if one.requirement == "rehearsal"
    ]


def test_a_self_test_is_of_this_policy_this_version_fresh_and_passed():
    done = known().selftest
    for changed, status in (
        (None, "missing"),
        (replace(done, policy_sha256="0" * 64), "missing"),
        (replace(done, harness="0.9"), "missing"),
        (replace(done, at=NOW - timedelta(days=15)), "missing"),
        (replace(done, passed=False), "refused"),
    ):
        assert line(asked(known(selftest=changed)), "self-test").status == status


def test_what_no_required_suite_covers_is_missing():
    lost = Entry(found=Found(service="sagemaker", kind="endpoint", name="fraud"), suites=("fraud",))
    estate = replace(ESTATE, entries=(*ESTATE.entries, lost))
    found = line(asked(estate=estate), "covered")
    assert (found.status, found.subject) == ("missing", "sagemaker endpoint fraud")
    assert "The estate names fraud, not required here." in found.says


def test_a_suite_named_in_the_estate_file_alone_covers_nothing():
    claimed = Entry(found=Found(service="sagemaker", kind="endpoint", name="fraud"), suites=("visits",))
    assert line(asked(estate=replace(ESTATE, entries=(*ESTATE.entries, claimed))), "covered").status == "missing"
    by_hand = replace(claimed, covered_by=("visits",))
    assert line(asked(estate=replace(ESTATE, entries=(*ESTATE.entries, by_hand))), "covered").status == "ok"


def test_what_is_out_of_scope_is_told_with_its_owner():
    left = Entry(found=replace(SOURCE, name="old"), out_of_scope="switched off in May", owner="Dana")
    found = line(asked(estate=replace(ESTATE, entries=(*ESTATE.entries, left))), "covered", "sagemaker endpoint old")
    assert (found.status, found.says, found.waived_by) == ("ok", "Out of scope: switched off in May", "Dana")


def test_a_listing_that_was_denied_or_empty_or_old_leaves_the_estate_incomplete():
    denied = Unlisted(service="sagemaker", kind="endpoint", reason="AccessDenied", needs="sagemaker:ListEndpoints")
    found = line(asked(estate=replace(ESTATE, unlisted=(denied,))), "estate complete")
    assert found.todo == "Grant sagemaker:ListEndpoints, then: parity inventory"
    assert line(asked(estate=replace(ESTATE, entries=())), "estate complete").status == "missing"
    assert line(asked(estate=replace(ESTATE, read_at=NOW - timedelta(days=15))), "estate read").status == "missing"


def test_a_waiver_covers_one_requirement_until_its_last_day():
    waiver = {"requirement": "cost", "owner": "Dana", "reason": "free until May", "expires": date(2026, 11, 25)}
    lacking = known(suite_policy(LABEL, ERROR, SLOW))
    covered = line(asked(lacking, waiver=[waiver]), "cost")
    assert (covered.status, covered.waived_by) == ("ok", "Dana")
    assert "until 2026-11-25: free until May" in covered.says
    assert line(asked(lacking, now=NOW + timedelta(days=1), waiver=[waiver]), "cost").status == "missing"


def test_the_json_answer_has_the_shape_that_its_schema_says():
    document = answer(policy(), [known(forward=None)], ESTATE, [], NOW).document()
    jsonschema.validate(document, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "decision": "MAYBE"}, schema())
