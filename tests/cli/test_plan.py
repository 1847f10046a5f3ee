"""`parity plan` on a policy and on the shipped suite: no call, one table, one document."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from tests.gate.making import flip, score, write_policy

VISITS = Path(__file__).parents[2] / "suites" / "visits"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is made before any call is paid for."""

    def refuse(*_args: Any) -> None:
        raise AssertionError("a plan opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def planned(capsys: Any, *arguments: object) -> dict[str, Any]:
    assert main(["plan", *map(str, arguments), "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def needs(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{one['criterion']}, {one['slice']}" if one["slice"] else one["criterion"]: one for one in told["needs"]}


def test_a_suite_is_planned_with_its_golden_set(capsys: Any) -> None:
    """The source proves in 60 cases that it repeats itself, then each case takes two calls."""
    told = planned(capsys, VISITS)
    found = needs(told)
    assert (told["at_hand"], told["traffic"]["calls_per_case"], told["traffic"]["calibration"]) == (1619, 2, 400)
    assert (found["labels agree"]["units"], found["labels agree"]["calls"]) == (780, 1620)
    assert found["calls succeed"]["units"] == 389
    assert told["chance"] > 0.99
    assert told["calls"] == 2 * told["cases"] + 60


def test_a_table_tells_what_a_smaller_budget_decides(capsys: Any) -> None:
    assert main(["plan", str(VISITS / "suite.toml"), "--cases", "500"]) == 0
    out = capsys.readouterr().out
    assert "from 389 cases: calls succeed\nfrom 780 cases: labels agree, scores agree\n" in out
    assert "with 500 cases an equal target gets GO with at least 0 %" in out
    assert "besides, of unknown share (--share): 37 of source_label=frequent; 37 of source_label=other" in out
    assert "assumed of an equal target:" in out


def policy(folder: Path, mode: str = "fixed") -> Path:
    sliced = flip(deterministic=True, slices={"region": ["eu"]})
    return write_policy(folder / "POLICY.toml", [sliced, score()], mode=mode)


def test_a_policy_alone_is_planned_for_three_calls_a_case_where_the_source_is_noisy(
    tmp_path: Path, capsys: Any
) -> None:
    told = planned(capsys, policy(tmp_path), "--tokens-per-case", 2000)
    found = needs(told)
    assert found["label"]["calls"] == 3 * 598
    assert told["tokens"] == 2000 * told["cases"]
    assert found["label, region=eu"]["cases"] is None


def test_options_say_what_is_known_better(tmp_path: Path, capsys: Any) -> None:
    calm = planned(capsys, policy(tmp_path), "--noise-sd", 0.02, "--share", "region=eu:0.01", "--calls-per-case", 2)
    usual = planned(capsys, policy(tmp_path))
    assert needs(calm)["sim"]["units"] < needs(usual)["sim"]["units"]
    assert (needs(calm)["label, region=eu"]["cases"], calm["cases"]) == (3000, 3000)
    assert needs(calm)["label"]["calls"] == 2 * 598


def test_a_golden_set_can_be_named(tmp_path: Path, capsys: Any) -> None:
    told = planned(capsys, policy(tmp_path), "--golden", VISITS.parents[1] / "golden" / "visits")
    assert told["traffic"]["cases"] == 1619
    assert "health=poor" in told["traffic"]["shares"]
    assert told["cases"] is None  # it has no case of region=eu


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cases", "0"], "--cases must be at least 1"),
        (["--noise-sd", "-1"], "--noise-sd must lie between 0 and 1"),
        (["--share", "eu"], "--share is written region=eu:0.2"),
        (["--share", "region=eu:2"], "with a share up to 1"),
        (["--golden", "nowhere"], "manifest"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, capsys: Any, arguments: list[str], said: str) -> None:
    assert main(["plan", str(policy(tmp_path)), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_golden_set_that_is_not_recorded_yet_does_not_stop_the_plan(tmp_path: Path, capsys: Any) -> None:
    """Planning comes before recording."""
    (tmp_path / "parity.toml").write_text('[profiles.here]\nsource = { cloud = "aws" }\ntarget = { cloud = "azure" }\n')
    folder = tmp_path / "suites" / "mine"
    folder.mkdir(parents=True)
    text = (VISITS / "suite.toml").read_text(encoding="utf-8").replace('golden = "visits"', 'golden = "later"')
    (folder / "suite.toml").write_text(text.replace("[endpoints.lab]", "[endpoints.here]"), encoding="utf-8")
    assert main(["plan", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert "not recorded yet; planned without it" in err
    assert "in all: " in out
