"""The judge in a run: asked once a question, in its own role, under the run's ceilings; never by a comparator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from planned import Plain, always, planned

from harness.config import Limits
from harness.core import registry
from harness.core.call import Mode, Role
from harness.core.case import Case, Request, Task
from harness.core.output import Output, Scores
from harness.core.protocols import Asker, Judge
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from harness.run import ledger, session
from harness.run.plan import Plan

SERVICE = '''
from collections import Counter
from harness.core.call import Reading, Wire
from harness.core.output import Chat
from harness.errors import Rejected

ASKED = Counter()


class Scripted:
    """Says the larger of the two numbers it is asked about; refuses to look at 13."""

    name = "scripted"

    def __init__(self, settings):
        self.endpoint = settings.endpoint

    @property
    def codec(self):
        return self

    def open(self):
        return self

    def close(self):
        pass

    def next(self, lot, replies):
        return None if replies else Wire(operation="Ask", body=lot.only.payload)

    def decode(self, lot, replies):
        (name,) = lot.requests
        said = Chat(text=replies[-1].body["said"])
        return {name: Reading(output=said, served_model=self.endpoint, tokens_in=30, tokens_out=2)}

    def call(self, wire, *, timeout_s):
        ASKED[tuple(wire.body)] += 1
        if 13.0 in wire.body:
            raise Rejected("unlucky", service="scripted", status=400)
        return Wire(operation="Ask", status=200, body={"said": str(max(wire.body))})
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Larger:
    """Asks which of two numbers is larger; value 1 where the judge names the target's."""

    judge: Judge
    name: str = "larger"

    def signature(self) -> str:
        return "larger"

    def ask(self, source: Output, target: Output, *, case: Case) -> tuple[Request, ...]:
        assert isinstance(source, Scores)
        assert isinstance(target, Scores)
        return (Request(Task.RECORD, [float(source.values[0, 0]), float(target.values[0, 0])]),)

    def compare(
        self, source: Output, target: Output, *, case: Case, answers: Sequence[Output | None] = ()
    ) -> Comparison:
        said = answers[0].text if answers and answers[0] is not None else "nothing"
        value = float(said == str(float(target.values[0, 0])))
        return Comparison(case_id=case.id, comparator="larger", status=Status.MATCH, value=value, reason=said)


def plan(folder: Path, *, calls: int = 100, limits: Limits | None = None, target: float = 2, **judge: str) -> Plan:
    (folder / "checks.py").write_text(SERVICE)
    made = planned(folder, Plain(always(1)), Plain(always(target)), cases=10, limits=limits)
    who = {"service": "checks:Scripted", "endpoint": "j", "account": "target", "vendor": "nobody", **judge}
    return replace(made, comparators=(*made.comparators, ("judged", Larger(judge=Judge(calls=calls, **who)))))


def run(made: Plan, folder: Path, **options):
    return session.run(made, reports=folder / "reports", **options)


def asked(folder: Path) -> dict[tuple[float, float], int]:
    return dict(registry.attribute("checks:ASKED", suite_folder=folder, where="test"))


def test_each_question_is_asked_once_whatever_the_number_of_cases(tmp_path):
    finished = run(plan(tmp_path), tmp_path)
    assert asked(tmp_path) == {(1.0, 2.0): 1, (1.0, 1.0): 1}
    entries = list(ledger.read(finished.folder.judgements))
    assert {entry.role for entry in entries} == {Role.JUDGE}
    assert len(entries) == 2


def test_what_the_judge_said_reaches_the_comparator(tmp_path):
    finished = run(plan(tmp_path), tmp_path)
    (judged,) = [metric for metric in finished.report.metrics if metric.metric == "judged"]
    assert (judged.rows, judged.target_mean, judged.noise_mean) == (10, 1.0, 1.0)


def test_judging_again_and_resuming_ask_nothing(tmp_path):
    made = plan(tmp_path)
    finished = run(made, tmp_path)
    before = asked(tmp_path)
    again = session.judge_again(made, finished.folder)
    resumed = run(made, tmp_path, resume=finished.folder)
    assert asked(tmp_path) == before
    for other in (again, resumed):
        assert [one.target_mean for one in other.report.metrics] == [one.target_mean for one in finished.report.metrics]


def test_a_call_that_fails_leaves_the_comparator_without_an_answer(tmp_path):
    finished = run(plan(tmp_path, target=13), tmp_path)
    (judged,) = [metric for metric in finished.report.metrics if metric.metric == "judged"]
    assert (judged.target_mean, judged.noise_mean) == (0.0, 1.0)


def test_the_comparators_ceiling_leaves_the_rest_unasked(tmp_path):
    run(plan(tmp_path, calls=1), tmp_path)
    assert sum(asked(tmp_path).values()) == 1


def test_the_runs_ceiling_counts_the_judge_too(tmp_path):
    finished = run(plan(tmp_path, limits=Limits(concurrency=2, calls=31)), tmp_path)
    assert sum(asked(tmp_path).values()) == 1
    assert finished.report.stopped == "the ceiling of 31 calls was reached"


def test_the_judges_tokens_count_against_the_runs_ceiling_also_after_an_interruption(tmp_path):
    made = plan(tmp_path, limits=Limits(concurrency=1, tokens=31))
    finished = run(made, tmp_path)
    assert sum(asked(tmp_path).values()) == 1  # its 32 tokens leave no room for a second question
    assert finished.report.stopped == "the ceiling of 31 tokens was reached"
    resumed = run(made, tmp_path, resume=finished.folder)
    assert sum(asked(tmp_path).values()) == 1
    assert resumed.report.stopped == finished.report.stopped


def test_a_judge_that_does_not_exist_stops_the_run_before_its_first_call(tmp_path):
    made = plan(tmp_path, service="azure_openia")
    with pytest.raises(UnknownName, match="azure_openai"):
        run(made, tmp_path)
    assert made.source.calls.total() == made.target.calls.total() == 0


def test_an_account_that_the_mode_does_not_call_is_refused(tmp_path):
    made = plan(tmp_path, account="source")
    made = replace(made, mode=Mode.GOLDEN, source_settings=replace(made.source_settings, cloud=""))
    with pytest.raises(ConfigError, match='account "source" is not called in mode golden'):
        session.judging.check(made)


def test_the_stand_in_here_is_what_the_session_takes_for_an_asker():
    assert isinstance(Larger(judge=Judge(service="s", endpoint="e", account="target", vendor="v", calls=1)), Asker)
