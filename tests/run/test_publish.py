"""Telling a decision: to whom, how much of it fits, and that a failure to tell changes nothing."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config import Network, Project, Webhook
from harness.core.report import ParityReport
from harness.core.verdict import Verdict
from harness.errors import ConfigError, UnknownName
from harness.run.publish import Publishing, Told, publish, publishing
from harness.run.publish_page import COMMENT_LIMIT, SUMMARY_LIMIT, Bulletin, comment, page
from tests.reporters import sample
from tests.reporters.commands import azure, github, lines
from tests.reporters.hostile import everywhere


def project(folder: Path, **more: object) -> Project:
    return Project(folder=folder, default_profile="p", profiles={}, reports=folder / "reports", **more)  # type: ignore[arg-type]


def to(folder: Path, *channels: str) -> Publishing:
    return publishing(channels, project(folder), Network())


def bulletin(*reports: ParityReport, **more: object) -> Bulletin:
    return Bulletin(reports=reports, verdict="NO-GO", **more)  # type: ignore[arg-type]


def test_a_build_system_is_recognised_and_can_be_opted_out(tmp_path: Path):
    made = project(tmp_path)
    assert publishing(None, made, Network(), {}).channels == ()
    assert publishing(None, made, Network(), {"GITHUB_ACTIONS": "true"}).channels == ("github",)
    assert publishing(None, made, Network(), {"TF_BUILD": "True"}).channels == ("azure_devops",)
    assert publishing("none", made, Network(), {"TF_BUILD": "True"}).channels == ()


def test_what_cannot_be_told_is_an_error_before_the_run(tmp_path: Path):
    with pytest.raises(UnknownName, match='Did you mean "webhook"'):
        to(tmp_path, "webhok")
    with pytest.raises(ConfigError, match=r"\[publish.webhook\]"):
        to(tmp_path, "webhook")
    hook = project(tmp_path, webhook=Webhook(url_env="HOOK_URL", secret_env="HOOK_SECRET"))
    with pytest.raises(ConfigError, match="HOOK_SECRET"):
        publishing("webhook", hook, Network(), {"HOOK_URL": "https://hook.example"})


def test_a_step_of_github_gets_summary_annotations_and_output(tmp_path: Path):
    summary, output, out = tmp_path / "summary", tmp_path / "output", io.StringIO()
    summary.write_text("what another command wrote\n")
    environment = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    told = publish([sample.go(), sample.no_go()], to(tmp_path, "github"), out=out, environment=environment)
    assert told == (Told(channel="github"),)
    text = summary.read_text()
    assert text.startswith("what another command wrote\n")
    assert "# ✖ NO-GO: 2 suites" in text
    assert output.read_text() == "verdict=NO-GO\n"
    assert any(github(line) for line in lines(out.getvalue().encode()))
    told_file = json.loads((tmp_path / "reports/published/decision.json").read_bytes())
    assert told_file["verdict"] == "NO-GO"
    assert (tmp_path / "reports/published/visits.xml").read_bytes().startswith(b"<?xml")


def test_a_summary_never_grows_over_what_github_takes(tmp_path: Path):
    """GitHub drops the whole summary of a step beyond 1 MiB."""
    summary = tmp_path / "summary"
    summary.write_bytes(b"x" * (SUMMARY_LIMIT - 3000))
    for _ in range(2):
        publish(
            [sample.no_go()],
            to(tmp_path, "github"),
            out=io.StringIO(),
            environment={"GITHUB_STEP_SUMMARY": str(summary)},
        )
        assert summary.stat().st_size <= SUMMARY_LIMIT
    summary.read_text()  # not cut inside a character


def test_a_job_of_azure_gets_a_summary_file_issues_and_the_verdict(tmp_path: Path):
    out = io.StringIO()
    publish([sample.inconclusive()], to(tmp_path, "azure_devops"), out=out, environment={})
    found = {one.name: one for line in lines(out.getvalue().encode()) if (one := azure(line))}
    assert "INCONCLUSIVE" in Path(found["task.uploadsummary"].data).read_text()
    assert found["task.setvariable"].data == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("reports", "failed", "verdict", "said"),
    [
        ([sample.go()], [], None, "GO"),
        ([sample.go()], [], Verdict.NO_GO, "NO-GO"),
        ([sample.no_go()], [], Verdict.GO, "NO-GO"),
        ([sample.go(), sample.partial()], [], None, "PARTIAL"),
        ([sample.go()], [], Verdict.INCONCLUSIVE, "INCONCLUSIVE"),
        ([sample.no_go(), sample.partial()], [], None, "NO-GO"),
        ([replace(sample.go(), decision=None)], [], None, "INCONCLUSIVE"),
        ([sample.go()], ["chat"], None, "ERROR"),
        ([], ["chat"], None, "ERROR"),
    ],
)
def test_what_is_told_is_never_better_than_the_worst(tmp_path: Path, reports, failed, verdict, said):
    output = tmp_path / "output"
    publish(
        reports,
        to(tmp_path, "github"),
        failed=failed,
        verdict=verdict,
        out=io.StringIO(),
        environment={"GITHUB_OUTPUT": str(output)},
    )
    assert output.read_text() == f"verdict={said}\n"


def test_a_channel_that_fails_is_said_and_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "reports").write_text("a file where the folder should be")
    told = publish([sample.go()], to(tmp_path, "github", "azure_devops"), out=io.StringIO(), environment={})
    assert [one.problem is None for one in told] == [False, False]
    assert "github was not told: " in capsys.readouterr().err


def test_an_annotation_names_the_file_and_line_of_its_criterion(tmp_path: Path):
    suite = tmp_path / "work" / "suites" / "visits" / "suite.toml"
    suite.parent.mkdir(parents=True)
    suite.write_text('[suite]\ntitle = "x"\n\n[[criterion]]\nname = "labels agree"\n')
    out = io.StringIO()
    publish([sample.no_go()], to(tmp_path / "work", "github"), out=out, environment={"GITHUB_WORKSPACE": str(tmp_path)})
    found = [one for line in lines(out.getvalue().encode()) if (one := github(line))]
    assert found[0].properties["file"] == "work/suites/visits/suite.toml"
    assert found[1].properties["line"] == "5"


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        (
            {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
            "https://github.example/o/r/actions/runs/7",
        ),
        (
            {"SYSTEM_COLLECTIONURI": "https://dev.example/o/", "SYSTEM_TEAMPROJECT": "a b", "BUILD_BUILDID": "7"},
            "https://dev.example/o/a%20b/_build/results?buildId=7",
        ),
    ],
)
def test_the_comment_links_the_build(tmp_path: Path, environment: dict[str, str], url: str):
    publish([sample.go()], to(tmp_path, "github"), out=io.StringIO(), environment=environment)
    assert f"[All reports]({url})" in (tmp_path / "reports/published/comment.md").read_text()


def test_an_address_that_could_be_more_than_one_is_left_out(tmp_path: Path):
    publish([sample.go()], to(tmp_path, "github"), url="https://x.example/) <b>", out=io.StringIO(), environment={})
    assert "x.example" not in (tmp_path / "reports/published/comment.md").read_text()


def test_a_comment_starts_with_the_marker_of_its_profile():
    first = comment(bulletin(sample.go(profile="lab"))).splitlines()[0]
    assert first == "<!-- parity-harness lab -->"
    assert comment(bulletin(sample.go(profile="a--><b>"))).splitlines()[0] == "<!-- parity-harness a-b- -->"


@pytest.mark.parametrize("text", ["word", "\U0001f600|", "<b>&", "**x** " * 9])
def test_a_comment_of_many_suites_fits_and_says_what_did_not(text: str):
    many = tuple(replace(everywhere(text), suite=f"s{at}{text}") for at in range(300))
    made = comment(bulletin(*many, failed=("chat",)))
    assert len(made) < COMMENT_LIMIT
    assert "more suites did not fit here" in made
    assert len(page(bulletin(*many), 5000).encode()) <= 5000


def test_the_worst_suite_comes_first():
    made = comment(bulletin(sample.go(suite="a"), sample.inconclusive(suite="b"), sample.no_go(suite="c")))
    assert [line.split(" ")[1] for line in made.splitlines() if line[:4] in ("| a ", "| b ", "| c ")] == ["c", "b", "a"]
    assert made.index("## ✖ NO-GO") < made.index("## ❓ INCONCLUSIVE") < made.index("## ✔ GO")
