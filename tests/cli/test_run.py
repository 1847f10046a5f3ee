"""`parity run`: exit codes, what goes where, and every wrong input by name."""

from __future__ import annotations

import pytest

from tests.conftest import SharedLab
from tests.small import visits
from tests.small.project import Project
from tests.small.server import Server, honest


def test_go_exits_0_with_report_and_its_path(numbers: Project):
    done = numbers.parity("run", "suites/numbers")
    assert done.code == 0
    assert "decision: GO" in done.out
    assert f"report: {numbers.runs[0] / 'report.html'}" in done.out
    assert done.err == ""  # no terminal, no progress


def test_no_go_exits_1(numbers: Project, server: Server):
    server.target = lambda number: 1.0 - honest(number)
    assert numbers.parity("run", "suites/numbers").code == 1


def test_inconclusive_exits_3(numbers: Project):
    numbers.edit(numbers.suite, "margin = 0.05\ndeterministic", "margin = 0.005\ndeterministic")
    assert numbers.parity("run", "suites/numbers").code == 3


def test_json_is_one_document_and_all_else_goes_to_stderr(numbers: Project):
    done = numbers.parity("run", "suites/numbers", "--json")
    assert done.code == 0
    assert done.document["schema"].startswith("parity-report/")
    assert done.document["decision"]["verdict"] == "GO"
    assert "decision: GO" in done.err and "report: " in done.err


def test_several_suites_are_one_answer(numbers: Project, server: Server):
    other = numbers.folder / "suites" / "other"
    other.mkdir()
    (other / "suite.toml").write_text(
        numbers.suite.read_text().replace(server.endpoint("target"), server.endpoint("source"))
    )
    (other / "checks.py").write_text((numbers.suite.parent / "checks.py").read_text())
    server.target = lambda number: 1.0 - honest(number)
    done = numbers.parity("run", "suites/other", "suites/numbers/suite.toml", "--json")
    assert done.code == 1
    assert [one["decision"]["verdict"] for one in done.document] == ["GO", "NO-GO"]
    assert "NO-GO   2 suites" in done.err


def test_a_sample_is_partial_and_never_0(numbers: Project):
    done = numbers.parity("run", "suites/numbers", "--sample", "70", "--json")
    assert done.code == 3
    assert (done.document["decision"], done.document["partial"], done.document["replayed"]) == (None, True, 70)


def test_a_ceiling_is_inconclusive_and_the_run_can_be_finished(numbers: Project, server: Server):
    profile = numbers.folder / "parity.toml"
    numbers.edit(profile, "attempts = 2", "attempts = 2\ncalls = 100")
    done = numbers.parity("run", "suites/numbers")
    assert done.code == 3
    (run,) = numbers.runs
    assert f"parity run --resume {run.name}" in done.out
    numbers.edit(profile, "calls = 100", "calls = 1000")
    again = numbers.parity("run", "--resume", run.name)
    assert again.code == 0
    assert numbers.runs == [run]
    assert sum(server.counts().values()) == 80 + 60 + 80


def test_a_finished_run_is_resumed_without_a_call(numbers: Project, server: Server):
    numbers.parity("run", "suites/numbers")
    made = sum(server.counts().values())
    assert numbers.parity("run", "--resume", str(numbers.runs[0])).code == 0
    assert sum(server.counts().values()) == made


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name suites, or a run to --resume; one of the two"),
        (("suites/numbers", "--resume", "x"), "one of the two"),
        (("suites/number",), 'unknown suite "suites/number". Known: suites/numbers. Did you mean "suites/numbers"?'),
        (("suites/numbers", "--profile", "hree"), 'unknown profile "hree". Known: here. Did you mean "here"?'),
        (("suites/numbers", "--sample", "0"), "ask for 1 or more"),
        (("suites/numbers", "--plant", "bias"), "faults are planted in the embedded lab only"),
        (("suites/numbers", "--lab-state", "lab.json"), "there is no lab for it to use"),
        (("--resume", "20200101"), 'no run "20200101" under'),
    ],
)
def test_wrong_words_exit_2_say_why_and_call_nothing(numbers: Project, server: Server, words, said):
    done = numbers.parity("run", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert not server.counts()


def test_an_altered_golden_set_is_refused_by_line(numbers: Project, server: Server):
    cases = numbers.folder / "golden" / "numbers" / "cases.jsonl"
    numbers.edit(cases, '"body":"3"', '"body":"4"')
    done = numbers.parity("run", "suites/numbers")
    assert done.code == 2
    assert "GoldenError" in done.err and "line 4" in done.err
    assert not server.counts()


def test_a_damaged_ledger_is_refused_by_line(numbers: Project):
    numbers.parity("run", "suites/numbers")
    (run,) = numbers.runs
    ledger = run / "ledger" / "000001.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join([*lines[:6], lines[6].replace(b'"latency"', b'"latenci"'), *lines[7:]]))
    for command in (("run", "--resume"), ("report",)):
        done = numbers.parity(*command, run.name)
        assert done.code == 2
        assert "LedgerError" in done.err and "line 7" in done.err


def test_a_changed_promise_does_not_continue_a_run(numbers: Project):
    numbers.edit(numbers.folder / "parity.toml", "attempts = 2", "attempts = 2\ncalls = 100")
    numbers.parity("run", "suites/numbers")
    numbers.edit(numbers.suite, 'title = "Numbers"', 'title = "Other numbers"')
    done = numbers.parity("run", "--resume", numbers.runs[0].name)
    assert done.code == 2
    assert "does not fit" in done.err


def test_an_unreachable_target_is_no_go_and_not_an_error(numbers: Project, server: Server):
    """A side that does not answer has failed; only what stops every call (a credential) stops the run."""
    server.target = lambda _number: None
    done = numbers.parity("run", "suites/numbers", "--json")
    assert done.code == 1
    assert done.document["sides"][1]["failures"] == {"unavailable": 80}


def test_a_fault_in_a_running_lab(tmp_path, shared_lab: SharedLab):
    project = visits.make(tmp_path)
    state = str(shared_lab.state_file)
    done = project.parity("run", "suites/visits", "--lab-state", state, "--plant", "rare_label_lost", "--json")
    assert done.code == 1
    assert (done.document["planted"], done.document["decision"]["verdict"]) == ("rare_label_lost", "NO-GO")
    assert shared_lab.lab.status()["plant"] is None
    wrong = project.parity("run", "suites/visits", "--lab-state", state, "--plant", "rare_label_last")
    assert wrong.code == 2
    assert 'Did you mean "rare_label_lost"?' in wrong.err


def test_a_decision_is_told_elsewhere_too(numbers: Project):
    summary = numbers.folder / "summary"
    done = numbers.parity("run", "suites/numbers", "--publish", "github", "--json", GITHUB_STEP_SUMMARY=str(summary))
    assert (done.code, done.document["decision"]["verdict"]) == (0, "GO")
    assert "::notice " in done.err
    assert "# ✔ GO: 1 suite" in summary.read_text()


def test_a_suite_that_could_not_be_run_is_told_as_an_error(numbers: Project):
    numbers.edit(numbers.suite, 'use = "class_label"', 'use = "class_lable"')
    done = numbers.parity("run", "suites/numbers", "--publish", "azure_devops")
    assert done.code == 2
    assert "##vso[task.complete result=Failed;]parity: ERROR" in done.out


def test_an_unknown_channel_is_an_error_before_a_call(numbers: Project, server: Server):
    done = numbers.parity("run", "suites/numbers", "--publish", "githup")
    assert done.code == 2
    assert 'Did you mean "github"' in done.err
    assert not server.counts()
