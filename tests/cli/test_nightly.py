"""`parity nightly`: evidence over nights, alarms, watches, epochs, nights that died, what other machines see."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.run import nights
from tests.small.project import Done, Project
from tests.small.server import Server, honest

MARGIN = "margin = 0.05\ndeterministic = true"


@pytest.fixture
def nightly(make_numbers: Callable[..., Project]) -> Project:
    """240 numbers in anytime mode: 60 a night, GO in the second."""
    project = make_numbers(cases=240)
    project.edit(project.suite, 'mode = "fixed"', 'mode = "anytime"')
    project.edit(project.folder / "parity.toml", "[profiles.here]\n", "[nightly]\nunits = 60\n[profiles.here]\n")
    return project


def night(project: Project, *words: str) -> Done:
    return project.parity("nightly", "--json", *words)


def suite(done: Done) -> dict[str, Any]:
    """The suite's part of the night that was printed."""
    (found,) = done.document["suites"]
    return dict(found)


def dishonest(number: int) -> float:
    return 1.0 - honest(number)


def test_nights_add_up_to_a_go(nightly: Project) -> None:
    first, second = night(nightly), night(nightly)
    assert (first.code, second.code) == (3, 0)
    assert suite(first)["opened"] and not suite(second)["opened"]
    assert [suite(done)["seen"] for done in (first, second)] == [60, 120]
    assert suite(first)["epoch"] == suite(second)["epoch"]
    page = (nightly.folder / "reports" / "index.html").read_text()
    assert all(f"{suite(done)['run']}/report.html" in page for done in (first, second))
    report = json.loads((nightly.folder / "reports" / suite(second)["run"] / "report.json").read_bytes())
    assert report["decision"]["verdict"] == "GO"


def test_no_payload_is_asked_about_twice_while_new_ones_are_left(nightly: Project, server: Server) -> None:
    for _ in range(4):
        night(nightly)
    assert {count for (side, _), count in server.asked.items() if side == "target"} == {1}


def test_a_night_alone_is_refused_by_the_gate_as_no_answer(nightly: Project) -> None:
    """Of many nights one looks good by chance: their runs can refuse, and never say GO."""
    nightly.edit(nightly.folder / "parity.toml", "units = 60", "units = 120")
    done = night(nightly)
    assert done.code == 0
    gate = nightly.parity("gate", suite(done)["run"])
    assert gate.code == 3
    assert f"nights/{done.document['name']}/night.json" in gate.out


def test_a_target_that_breaks_after_go_is_refused_that_night_and_until_something_changes(
    nightly: Project, server: Server
) -> None:
    night(nightly), night(nightly)
    server.target = dishonest
    broken = night(nightly)
    assert broken.code == 1
    assert suite(broken)["over_nights"] == "GO"
    assert "labels agree" in suite(broken)["alarms"]
    assert any(change["what"] == "new failure" for change in suite(broken)["changes"])
    server.target = honest
    after = night(nightly)
    assert (after.code, suite(after)["alarms"]) == (1, [])
    assert suite(after)["alarmed_in"] == broken.document["name"]
    nightly.suite.write_text(nightly.suite.read_text() + '\n[epoch]\ntarget = "fixed"\n')
    fixed = night(nightly)
    assert fixed.code == 3
    assert (suite(fixed)["opened"], suite(fixed)["epochs"], suite(fixed)["seen"]) == (True, 2, 60)
    assert "each epoch is a new chance of a wrong GO" in suite(fixed)["notes"][0]


def test_an_exhausted_pool_is_watched_and_adds_nothing(nightly: Project, server: Server) -> None:
    nightly.edit(nightly.folder / "parity.toml", "units = 60", "units = 120")
    assert [night(nightly).code for _ in range(2)] == [0, 0]
    watch = night(nightly)
    assert (watch.code, suite(watch)["kind"], suite(watch)["seen"]) == (0, "watch", 240)
    assert "add no evidence" in suite(watch)["headline"]
    units = {told["criterion"]: told["units"] for told in suite(watch)["findings"] if told["slice"] is None}
    assert units["labels agree"] == 240
    server.target = dishonest
    broken = night(nightly)
    assert (broken.code, suite(broken)["over_nights"]) == (1, "GO")


def test_an_exhausted_pool_without_go_stays_open_and_says_what_to_do(nightly: Project) -> None:
    nightly.edit(nightly.suite, MARGIN, MARGIN.replace("0.05", "0.005"))
    nightly.edit(nightly.folder / "parity.toml", "units = 60", "units = 240")
    assert [night(nightly).code for _ in range(2)] == [3, 3]
    assert "Import newer traffic" in suite(night(nightly))["headline"]


def test_a_changed_check_opens_a_new_epoch(nightly: Project) -> None:
    first = suite(night(nightly))
    checks = nightly.suite.parent / "checks.py"
    checks.write_text(checks.read_text() + "\n# otherwise\n")
    second = suite(night(nightly))
    assert second["opened"] and second["epoch"] != first["epoch"]
    assert [change["text"] for change in second["changes"]] == ["Python files of the suite"]


def test_a_fixed_suite_runs_whole_every_night(numbers: Project) -> None:
    first, second = night(numbers), night(numbers)
    assert (first.code, second.code) == (0, 0)
    assert (suite(second)["kind"], suite(second)["units"]) == ("whole", 80)


def test_a_suite_that_cannot_run_is_told_and_the_others_go_on(nightly: Project) -> None:
    other = nightly.folder / "suites" / "other"
    other.mkdir()
    (other / "suite.toml").write_text(nightly.suite.read_text().replace('golden = "numbers"', 'golden = "absent"'))
    (other / "checks.py").write_text((nightly.suite.parent / "checks.py").read_text())
    done = night(nightly)
    assert done.code == 2
    kinds = {one["suite"]: (one["kind"], one["verdict"]) for one in done.document["suites"]}
    assert kinds == {"numbers": ("new", "INCONCLUSIVE"), "other": ("failed", "INCONCLUSIVE")}


def test_a_night_that_was_killed_is_told_by_the_index_and_can_be_finished(nightly: Project, server: Server) -> None:
    server.delay_s = 0.05
    command = [sys.executable, "-m", "harness", "nightly"]
    with subprocess.Popen(
        command, cwd=nightly.folder, env=nightly.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 60
        while sum(server.asked.values()) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    server.delay_s = 0.0
    (name,) = (path.name for path in (nightly.folder / "reports" / "nights").iterdir() if path.is_dir())
    night(nightly)
    assert f"parity nightly --resume {name}" in (nightly.folder / "reports" / "index.html").read_text()
    resumed = night(nightly, "--resume", name)
    assert resumed.document["name"] == name
    assert resumed.code == 3
    # The night between took the same units, so the resumed one has nothing new to say.
    assert suite(resumed)["kind"] == "watch" and suite(resumed)["seen"] == 60
    assert night(nightly, "--resume", name).code == 2


def test_a_lost_or_altered_night_stops_the_next_one(nightly: Project) -> None:
    first = night(nightly)
    folder = nightly.folder / "reports"
    rows = folder / suite(first)["run"] / "rows.parquet"
    kept = rows.read_bytes()
    rows.write_bytes(kept[:-1])
    refused = night(nightly)
    assert (refused.code, suite(refused)["kind"]) == (2, "failed")
    rows.write_bytes(kept)
    document = folder / "nights" / first.document["name"] / nights.NIGHT
    document.write_text("{")
    refused = night(nightly)
    assert refused.code == 2
    assert str(document) in refused.err


def test_words_that_do_not_go_together_are_refused(nightly: Project) -> None:
    assert night(nightly, "--units", "1").code == 2
    assert night(nightly, "--resume", "x", "--units", "5").code == 2
    assert night(nightly, "--resume", "x").code == 2
    assert "suite" in night(nightly, "suites/nothing").err
