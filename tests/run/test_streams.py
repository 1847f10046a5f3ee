"""A stream that breaks off: what came of it is kept, and what is worth another attempt gets one."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from planned import Plain, planned

from harness.core.call import CallFailure, Event, FailureKind, Reading, Role, Unreadable, Wire
from harness.core.case import Lot
from harness.core.output import Chat
from harness.core.verdict import Comparison, RowStatus, Status
from harness.errors import Rejected, ServiceError, Throttled, TimedOut, Unavailable
from harness.gate.rows_file import read_rows
from harness.run import ledger, session
from harness.run.ledger import Attempt, Reply
from harness.run.observe import observations


def stream(*words: str, broken: str | None = None) -> Wire:
    events = [Event(0.1 * at, "chunk", {"text": word}) for at, word in enumerate(words, start=1)]
    if broken is not None:
        events.append(Event(0.1 * (len(words) + 1), broken, {"message": "slow down"}))
    return Wire(operation="PlainStream", status=200, events=tuple(events))


class Streaming(Plain):
    """Answers in pieces; a last event that is no chunk is the exception that ended it."""

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        (case,) = lot.requests
        events = replies[-1].events
        said = Chat(text="".join(event.data["text"] for event in events if event.kind == "chunk"))
        if events[-1].kind != "chunk":
            return {case: Unreadable("it broke off", partial=said, kind=FailureKind.THROTTLED)}
        return {case: Reading(output=said, first_token_s=events[0].at_s)}


def breaks(error: type[ServiceError], times: int):
    """Breaks off after two words, so often a case, and answers then."""
    lock = threading.Lock()

    def behave(_case: str, count: int) -> Wire:
        with lock:
            if count <= times:
                part = stream("two ", "words ", broken="throttlingException")
                raise error("broke off", service="plain", retry_after_s=0.0, partial=part)
        return stream("two ", "words ", "and the rest")

    return behave


class Same:
    """Compares texts."""

    name = "same"

    def signature(self) -> str:
        return self.name

    def compare(self, source, target, *, case):
        same = source == target
        status = Status.MATCH if same else Status.MISMATCH
        return Comparison(case_id=case.id, comparator=self.name, status=status, value=float(not same))


def run(folder: Path, target: Streaming):
    whole = Streaming(lambda _case, _count: stream("two ", "words ", "and the rest"))
    plan = replace(planned(folder, whole, target, cases=3), comparators=(("value", Same()),))
    finished = session.run(plan, reports=folder / "reports", partial=True)
    return plan, finished.folder


@pytest.mark.parametrize("error", [Throttled, TimedOut, Unavailable])
def test_a_stream_that_breaks_off_is_tried_again_and_its_part_is_kept(tmp_path: Path, error: type[ServiceError]):
    plan, folder = run(tmp_path, Streaming(breaks(error, times=1)))
    entries = [entry for entry in ledger.read(folder.ledger) if entry.role is Role.TARGET]
    attempts = [entry for entry in entries if isinstance(entry, Attempt)]
    replies = [entry for entry in entries if isinstance(entry, Reply)]
    assert len(attempts) == len(replies) == 3
    assert all(one.partial is not None and one.partial.events[-1].kind == "throttlingException" for one in attempts)
    assert all(one.kind == error.kind and not one.final for one in attempts)
    for observed in observations(plan, folder.ledger):
        assert observed.observation.target.output.text == "two words and the rest"
        assert observed.observation.target.first_token_s == pytest.approx(0.1)
        assert observed.effort[Role.TARGET].attempts == 2
        assert observed.effort[Role.TARGET].throttled == (error is Throttled)


def test_after_the_last_attempt_the_failure_shows_what_had_come(tmp_path: Path):
    plan, folder = run(tmp_path, Streaming(breaks(Throttled, times=99)))
    for observed in observations(plan, folder.ledger):
        target = observed.observation.target
        assert isinstance(target, CallFailure)
        assert target.kind is FailureKind.THROTTLED
        assert target.partial == Chat(text="two words ")


def test_a_refusal_in_mid_stream_gets_no_other_attempt(tmp_path: Path):
    target = Streaming(breaks(Rejected, times=1))
    _, folder = run(tmp_path, target)
    assert set(target.calls.values()) == {1}
    finals = [entry for entry in ledger.read(folder.ledger) if isinstance(entry, Attempt)]
    assert len(finals) == 3 and all(one.final and one.partial is not None for one in finals)


def test_a_reply_that_says_itself_that_it_broke_off_is_a_failure_of_that_kind(tmp_path: Path):
    """Recorded streams, and endpoints that return what came: the codec tells."""
    broken = Streaming(lambda _case, _count: stream("two ", broken="throttlingException"))
    plan, folder = run(tmp_path, broken)
    for observed in observations(plan, folder.ledger):
        target = observed.observation.target
        assert isinstance(target, CallFailure)
        assert (target.kind, target.partial) == (FailureKind.THROTTLED, Chat(text="two "))
    report = json.loads((folder.path / "report.json").read_bytes())
    assert report["sides"][1]["failures"] == {"throttled": 3}


def test_a_stream_that_broke_off_counts_as_a_failed_target(tmp_path: Path):
    _, folder = run(tmp_path, Streaming(breaks(Throttled, times=99)))
    values = [row for row in read_rows(folder.rows) if row.metric == "value"]
    assert {row.status_target for row in values} == {RowStatus.ERROR}
    errors = [row for row in read_rows(folder.rows) if row.metric == "error"]
    assert [row.value_target for row in errors] == [1.0, 1.0, 1.0]
