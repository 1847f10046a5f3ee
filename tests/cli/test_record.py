"""`parity record`: the source alone, K times, frozen; resumed and capped like any run."""

from __future__ import annotations

import json

import pytest

from harness.core.call import CallFailure, FailureKind
from harness.recordings.store import GoldenSet
from harness.run.recorded import recorded
from tests.small.plainhttp import PlainCodec
from tests.small.project import Project
from tests.small.server import Server, honest

INTO = ("--into", "golden/kept")


def kept(numbers: Project) -> GoldenSet:
    return GoldenSet.open(numbers.folder / "golden" / "kept")


def test_the_source_is_asked_k_times_and_the_target_never(numbers: Project, server: Server):
    done = numbers.parity("record", "suites/numbers", *INTO, "--repeats", "3", "--json")
    assert done.code == 0
    assert done.document["cases"] == 80 and done.document["repeats"] == 3
    assert {count for (side, _), count in server.counts().items() if side == "source"} == {3}
    assert not any(side == "target" for side, _ in server.counts())
    with kept(numbers) as golden:
        assert (len(golden), len(golden.primaries)) == (240, 80)
        assert golden.sha256 == done.document["sha256"]
        assert all(len(golden.repeats(index)) == 2 for index in golden.primaries.tolist())


def test_the_frozen_answers_are_those_that_came_each_in_its_turn(numbers: Project, server: Server):
    server.source = lambda number: honest(number) + sum(server.asked.values()) * 1e-9
    numbers.parity("record", "suites/numbers", *INTO)
    with kept(numbers) as golden:
        first = int(golden.primaries[0])
        (again,) = golden.repeats(first)
        values = [
            recorded(golden.recording(index).recording, PlainCodec()).output.values[0, 0] for index in (first, again)
        ]
    assert values[0] != values[1]
    assert values == pytest.approx([honest(0)] * 2, abs=1e-6)


def test_a_ceiling_writes_no_set_and_the_recording_is_finished_without_asking_twice(numbers: Project, server: Server):
    profile = numbers.folder / "parity.toml"
    numbers.edit(profile, "attempts = 2", "attempts = 2\ncalls = 100")
    done = numbers.parity("record", "suites/numbers", *INTO)
    assert done.code == 3
    (run,) = numbers.runs
    assert f"parity record --resume {run.name}" in done.out
    assert not (numbers.folder / "golden" / "kept").exists()
    wrong = numbers.parity("run", "--resume", run.name)
    assert wrong.code == 2 and "is a recording" in wrong.err
    numbers.edit(profile, "calls = 100", "calls = 1000")
    assert numbers.parity("record", "--resume", run.name).code == 0
    assert sum(server.counts().values()) == 160
    assert len(kept(numbers)) == 160


def test_a_call_that_brings_no_answer_is_frozen_as_that_failure(numbers: Project, server: Server):
    server.source = lambda number: 400 if number == 3 else honest(number)
    done = numbers.parity("record", "suites/numbers", *INTO, "--repeats", "1", "--json")
    assert (done.code, done.document["failures"]) == (0, 1)
    with kept(numbers) as golden:
        failure = recorded(golden.recording(3).recording, PlainCodec())
    assert isinstance(failure, CallFailure)
    assert failure.kind is FailureKind.REJECTED


def test_a_recording_decides_nothing(numbers: Project):
    numbers.parity("record", "suites/numbers", *INTO)
    (run,) = numbers.runs
    assert json.loads((run / "run.json").read_bytes())["mode"] == "record"
    for words in (("gate", run.name), ("report", run.name), ("run", "--mode", "offline", "--from", run.name)):
        done = numbers.parity(*words)
        assert done.code == 2
        assert "recorded the source alone" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("suites/numbers",), "with --into the golden set to write"),
        ((*INTO,), "name one suite"),
        (("suites/numbers", "--into", "golden/numbers"), "there is a golden set already"),
        (("suites/numbers", *INTO, "--repeats", "0"), "ask for 1 or more"),
        (("--resume", "x", "--repeats", "2"), "leave out everything else"),
    ],
)
def test_wrong_words_exit_2_and_call_nothing(numbers: Project, server: Server, words, said):
    done = numbers.parity("record", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err and "Traceback" not in done.err
    assert not server.counts()


def test_the_word_of_parity_run_does_the_same(numbers: Project, server: Server):
    assert numbers.parity("run", "suites/numbers", "--mode", "record", *INTO, "--repeats", "1").code == 0
    assert len(kept(numbers)) == 80
