"""`parity run --mode`: what each mode calls, what its decision claims, and what it refuses before the first call."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.recordings.lines import StoredCase
from harness.recordings.store import GoldenSet, write
from tests.small import project as small
from tests.small.project import Project
from tests.small.server import Server, honest, serving

GOLDEN = ("run", "suites/numbers", "--mode", "golden")


def record(numbers: Project, *, repeats: int = 2) -> None:
    """Record the source, and let the suite replay what was recorded."""
    assert numbers.parity("record", "suites/numbers", "--into", "golden/kept", "--repeats", str(repeats)).code == 0
    numbers.edit(numbers.suite, 'golden = "numbers"', 'golden = "kept"')


def rewrite(numbers: Project, change) -> None:
    """The recorded set with every case changed."""
    folder = numbers.folder / "golden" / "kept"
    with GoldenSet.open(folder) as golden:
        cases, words = [change(case) for case in golden], golden.manifest
    named = ("name", "description", "service", "operation", "licence", "source", "split", "created_at")
    write(folder, cases, **{name: getattr(words, name) for name in named})


def latest(numbers: Project) -> dict:
    return json.loads((numbers.runs[-1] / "decision.json").read_bytes())


def test_golden_calls_the_target_alone_and_claims_its_answers_alone(numbers: Project, server: Server):
    record(numbers)
    server.reset()
    done = numbers.parity(*GOLDEN)
    assert done.code == 0
    assert {side for side, _ in server.counts()} == {"target"}
    assert sum(server.counts().values()) == 80
    decision = latest(numbers)
    assert "Not judged, and no part of this answer: calls succeed." in decision["headline"]
    assert " mode=golden " in decision["signature"]
    (calls,) = [one for one in decision["findings"] if one["criterion"] == "calls succeed"]
    assert (calls["gating"], calls["estimate"]) == (False, None)
    assert "GOLDEN" in done.out


def test_a_golden_decision_is_decided_again_from_its_folder(numbers: Project):
    record(numbers)
    numbers.parity(*GOLDEN)
    run = numbers.runs[-1]
    assert numbers.parity("gate", run.name).code == 0
    done = numbers.parity("decide", str(run / "rows.parquet"), "--policy", str(run / "policy.toml"), "--json")
    assert done.code == 0
    assert done.document["headline"] == latest(numbers)["headline"]
    assert done.document["epoch"] == latest(numbers)["epoch"]
    assert numbers.parity("evidence", run.name, "--output", str(numbers.folder / "e.zip")).code == 0
    assert numbers.parity("verify", str(numbers.folder / "e.zip")).code == 0
    assert numbers.parity("report", run.name).code == 0


def test_golden_refuses_a_target_that_answers_otherwise(numbers: Project, server: Server):
    record(numbers)
    server.target = lambda number: 1.0 - honest(number)
    assert numbers.parity(*GOLDEN).code == 1


def test_golden_and_dual_evidence_do_not_share_an_epoch(numbers: Project):
    record(numbers)
    numbers.parity(*GOLDEN)
    golden = latest(numbers)
    numbers.parity("run", "suites/numbers")
    assert golden["epoch"] != latest(numbers)["epoch"]
    assert golden["policy_sha256"] == latest(numbers)["policy_sha256"]


def test_one_recorded_answer_of_a_noisy_source_is_inconclusive_and_says_why(numbers: Project):
    numbers.edit(numbers.suite, "deterministic_source = true", "deterministic_source = false")
    record(numbers, repeats=1)
    done = numbers.parity(*GOLDEN)
    assert done.code == 3
    assert "80 of 80 cases have one recorded answer" in done.out
    assert numbers.parity("gate", numbers.runs[-1].name).code == 3


def test_two_recorded_answers_are_a_noise_floor(numbers: Project, server: Server):
    numbers.edit(numbers.suite, "deterministic_source = true", "deterministic_source = false")
    numbers.edit(numbers.suite, "deterministic = true", "deterministic = false")
    server.source = lambda number: 1.0 - honest(number) if sum(server.asked.values()) % 2 else honest(number)
    record(numbers)
    done = numbers.parity(*GOLDEN, "--json")
    source, target = done.document["sides"]
    assert (source["endpoint"], source["calls"], source["p50_s"]) == ("recorded answers", 0, None)
    assert target["calls"] == 80
    (label,) = [one for one in done.document["metrics"] if one["metric"] == "label"]
    assert label["noise_rows"] == 80
    assert label["noise_mean"] > 0.2


def test_an_altered_request_cannot_serve_and_nothing_is_called(numbers: Project, server: Server):
    def redact(case: StoredCase) -> StoredCase:
        altered = case.id == "n00005"
        provenance = replace(case.recording.provenance, redacted=altered)
        return replace(case, recording=replace(case.recording, provenance=provenance))

    record(numbers)
    rewrite(numbers, redact)
    server.reset()
    done = numbers.parity(*GOLDEN)
    assert done.code == 2
    assert "1 of 80 cases cannot serve in mode golden (n00005): redaction altered the request" in done.err
    assert not server.counts()


def test_cases_without_an_answer_cannot_serve(numbers: Project, server: Server):
    done = numbers.parity(*GOLDEN)
    assert done.code == 2
    assert "80 of 80 cases cannot serve in mode golden (n" in done.err and "only the request was kept" in done.err
    assert not server.counts()


def test_recorded_failures_are_excluded_and_too_many_of_them_withhold_go(numbers: Project, server: Server):
    server.source = lambda number: 400 if number < 5 else honest(number)
    record(numbers)
    done = numbers.parity(*GOLDEN)
    assert done.code == 3
    assert "labels agree" in done.out and "5 of 80" in done.out


def test_a_profile_can_make_golden_its_mode(numbers: Project, server: Server):
    record(numbers)
    numbers.edit(numbers.folder / "parity.toml", 'payloads = "full"', 'payloads = "full"\nmode = "golden"')
    server.reset()
    assert numbers.parity("run", "suites/numbers").code == 0
    assert {side for side, _ in server.counts()} == {"target"}


def test_offline_compares_again_without_a_call_and_says_what_changed(numbers: Project, server: Server):
    server.target = lambda number: min(honest(number) + 0.04, 0.999)
    assert numbers.parity("run", "suites/numbers").code != 0
    (before,) = numbers.runs
    kept = {path.name: path.read_bytes() for path in before.iterdir() if path.is_file()}
    server.reset()
    numbers.edit(numbers.suite, "threshold = 0.35", "threshold = 0.999999")
    done = numbers.parity("run", "--mode", "offline", "--from", before.name)
    assert done.code == 0
    assert not server.counts()
    decision = latest(numbers)
    assert decision["epoch"] != json.loads(kept["decision.json"])["epoch"]
    assert any(before.name in note and "threshold:0.35" in note for note in decision["notes"])
    assert {path.name: path.read_bytes() for path in before.iterdir() if path.is_file()} == kept
    assert numbers.parity("gate", numbers.runs[-1].name).code == 0
    assert numbers.parity("report", numbers.runs[-1].name).code == 0


def test_offline_refuses_answers_to_something_else(numbers: Project):
    numbers.parity("run", "suites/numbers")
    numbers.edit(numbers.suite, "deterministic_source = true", "deterministic_source = false")
    done = numbers.parity("run", "--mode", "offline", "--from", numbers.runs[0].name)
    assert done.code == 2
    assert "[suite] deterministic_source has changed" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mode", "offline"), "name it with --from"),
        (("suites/numbers", "--from", "x"), "name it with --from"),
        (("--mode", "offline", "--from", "x", "--profile", "here"), "leave out --profile"),
        (("--resume", "x", "--mode", "golden"), "leave out --mode"),
        (("suites/numbers", "--into", "golden/x"), "belong to --mode record"),
        (("suites/numbers", "--speed", "2"), "add --arrival recorded"),
        (("suites/numbers", "--mode", "golden", "--reverse"), "exclude each other"),
        (("suites/numbers", "--arrival", "recorded"), "does not say when it was captured"),
        (("suites/numbers", "--arrival", "recorded", "--speed", "0"), "a positive multiple"),
        (("suites/numbers", "--reverse"), "no pair is known that leads back"),
    ],
)
def test_words_that_mean_nothing_together_exit_2_and_call_nothing(numbers: Project, server: Server, words, said):
    done = numbers.parity("run", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err and "Traceback" not in done.err
    assert not server.counts()


def only(project: Project, side: str) -> None:
    """A profile that names one side."""
    other = "target" if side == "source" else "source"
    project.edit(project.folder / "parity.toml", f'[profiles.here.{other}]\ncloud = "aws"\n', "")


def test_a_split_run_crosses_by_files_alone(tmp_path: Path):
    """Two machines: one reaches the source only and records, the other reaches the target only and compares."""
    with serving() as near, serving() as far:
        recorder = small.make(tmp_path / "recorder", near)
        comparer = small.make(tmp_path / "comparer", far)
        only(recorder, "source")
        only(comparer, "target")
        refused = recorder.parity("run", "suites/numbers")
        assert refused.code == 2 and 'profile "here" names no target' in refused.err and "parity record" in refused.err
        assert recorder.parity("record", "suites/numbers", "--into", "golden/kept").code == 0
        refused = comparer.parity("run", "suites/numbers")
        assert refused.code == 2 and 'profile "here" names no source' in refused.err and "--mode golden" in refused.err
        shutil.copytree(recorder.folder / "golden" / "kept", comparer.folder / "golden" / "kept")
        comparer.edit(comparer.suite, 'golden = "numbers"', 'golden = "kept"')
        assert comparer.parity(*GOLDEN).code == 0
        assert {side for side, _ in near.counts()} == {"source"}
        assert {side for side, _ in far.counts()} == {"target"}
        far.target = lambda number: 1.0 - honest(number)
        assert comparer.parity(*GOLDEN).code == 1
