"""`parity init`: an empty folder, and what a new user does in it first."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.lab.loopback import Reply, Request
from tests.conftest import SharedLab
from tests.small import workflow
from tests.small.project import ROOT
from tests.small.server import answering

# What the runner fills in. A workflow that asks for more has to be looked at.
SAID = {
    "vars.PARITY_PROFILE || 'lab'": "lab",
    "github.token": "-".join(["a", "token"]),
    "github.repository": "octo/parity",
    "github.event.pull_request.number": "7",
}
GH = """#!/bin/sh
# Stands where the runner's `gh` stands: writes down what it was asked, and knows of one comment, if any.
echo "$@" >> "$GH_ASKED"
case "$*" in *--paginate*) cat "$GH_COMMENT" 2>/dev/null || true ;; esac
"""


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "new"
    assert main(["init", str(folder), "--ci", "github"]) == 0
    capsys.readouterr()
    return folder


def environment(folder: Path, lab: SharedLab | None = None, **more: str) -> Mapping[str, str]:
    """A build machine's: our commands and a `gh` on the path, nothing of this session's own."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(stat.S_IRWXU)
    (tools / "parity").write_text(f'#!/bin/sh\nexec {sys.executable} -m harness "$@"\n')
    (tools / "parity").chmod(stat.S_IRWXU)
    return {
        "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": str(folder.parent),
        "PYTHONPATH": str(ROOT),
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_STEP_SUMMARY": str(folder.parent / "summary"),
        "GITHUB_OUTPUT": str(folder.parent / "output"),
        "GH_ASKED": str(folder.parent / "asked"),
        "GH_COMMENT": str(folder.parent / "comment-before"),
        **({} if lab is None else {"PARITY_LAB_STATE": str(lab.state_file)}),
        **more,
    }


def jobs(folder: Path, name: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = workflow.github((folder / ".github" / "workflows" / name).read_text())["jobs"]
    return found


def own_suite(project: Path) -> None:
    """What a user adds next: a suite that knows the clouds only."""
    template = project / "suites" / "mine" / "suite.template.toml"
    text = template.read_text().replace('golden = "mine"', 'golden = "example"')
    columns = '["lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp"]'
    template.with_name("suite.toml").write_text(text.replace('["feature_1", "feature_2"]', columns))


def test_a_pull_request_is_checked_in_the_lab_and_commented(project: Path, shared_lab: SharedLab):
    made = jobs(project, "parity-pull-request.yml")
    said = environment(project, shared_lab)
    own_suite(project)
    ran = workflow.run(made["check"], project, said=SAID, environment=said)
    assert [one.code for one in ran] == [0] * 4, ran[-1]
    assert "mine: suite and golden set: 600 cases" in ran[-2].out
    assert "GO   1 suite(s)" in ran[-1].out
    assert "# ✔ GO: 1 suite, profile lab" in (project.parent / "summary").read_text()
    comment = (project / "reports" / "published" / "comment.md").read_text()
    # What `upload-artifact` and `download-artifact` do between the jobs.
    (project.parent / "other").mkdir()
    (project.parent / "other" / "comment.md").write_text(comment)
    for before, method in (
        ("", "POST repos/octo/parity/issues/7/"),
        ("123", "PATCH repos/octo/parity/issues/comments/123"),
    ):
        (project.parent / "comment-before").write_text(before)
        (last,) = workflow.run(made["comment"], project.parent / "other", said=SAID, environment=said)
        assert last.code == 0, last
        assert method in (project.parent / "asked").read_text().splitlines()[-1]
    assert "<!-- parity-harness lab -->" in (project.parent / "asked").read_text()


def test_the_first_night_in_the_lab_ends_in_a_decision(project: Path, shared_lab: SharedLab):
    said = environment(project, shared_lab)
    ran = workflow.run(jobs(project, "parity-nightly.yml")["night"], project, said=SAID, environment=said)
    assert [one.name for one in ran] == ["Install", "The night"]
    assert [one.code for one in ran] == [0, 0], ran[-1]
    assert "# ✔ GO: 1 suite, profile lab" in (project.parent / "summary").read_text()
    assert (project.parent / "output").read_text() == "verdict=GO\n"
    assert "example" in (project / "reports" / "index.html").read_text()


def test_a_comment_on_azure_is_written_once_and_then_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The script of the job `comment`, with the real curl and jq, against a server that keeps threads as Azure does."""
    assert main(["init", str(tmp_path / "new"), "--ci", "azure"]) == 0
    text = (tmp_path / "new" / "azure-pipelines" / "parity-pull-request.yml").read_text()
    (job,) = [one for one in workflow.azure(text, lab=True)["jobs"] if one["job"] == "comment"]
    (script,) = [step["bash"] for step in job["steps"] if "bash" in step]
    comment = tmp_path / "parity-reports" / "published" / "comment.md"
    comment.parent.mkdir(parents=True)
    kept: list[dict[str, Any]] = [{"id": 3, "comments": [{"content": "somebody else's"}]}, {"id": 4, "comments": []}]
    path = "/octo/p/_apis/git/repositories/r/pullRequests/7/threads"

    def threads(request: Request) -> Reply:
        assert request.headers["authorization"] == f"Bearer {SAID['github.token']}"
        body = json.loads(request.body) if request.body else None
        if request.method == "GET" and request.path == path:
            return Reply(status=200, body=json.dumps({"value": kept}).encode())
        if request.method == "POST" and request.path == path:
            kept.append({"id": 9, "comments": body["comments"]})
            return Reply(status=200)
        if request.method == "PATCH" and request.path == f"{path}/9/comments/1":
            kept[-1]["comments"][0]["content"] = body["content"]
            return Reply(status=200)
        return Reply(status=404)

    with answering(threads) as address:
        said = {
            "PATH": "/usr/bin:/bin",
            "PIPELINE_WORKSPACE": str(tmp_path),
            "SYSTEM_ACCESSTOKEN": SAID["github.token"],
            "SYSTEM_COLLECTIONURI": f"{address}/octo/",
            "SYSTEM_TEAMPROJECTID": "p",
            "BUILD_REPOSITORY_ID": "r",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        }
        for shown in ("one", 'two "quoted" $(id) `id`'):
            comment.write_text(f"<!-- parity-harness lab -->\n{shown}\n")
            done = subprocess.run(["/bin/bash", "-c", script], env=said, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (0, ""), done.stderr
            assert len(kept) == 3
            assert kept[-1]["comments"][0]["content"] == comment.read_text()


def test_the_gate_refuses_a_project_without_evidence(project: Path):
    ran = workflow.run(jobs(project, "parity-gate.yml")["gate"], project, said=SAID, environment=environment(project))
    assert ran[-1].name == "May the traffic move"
    assert ran[-1].code in (1, 3)
    assert "example" in ran[-1].out


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init", str(tmp_path / "new"), "--source", "bedrock", "--ci", "both", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "new        azure-pipelines/parity-nightly.yml" in said
    assert "new        .github/workflows/parity-nightly.yml" in said
    assert not (tmp_path / "new").exists()


def test_a_second_init_changes_nothing_and_a_changed_file_stops_it(project: Path, capsys: pytest.CaptureFixture[str]):
    estate = (project / "estate.toml").read_text()
    (project / "parity.toml").write_text("# mine")
    assert main(["init", str(project), "--ci", "github"]) == 2
    assert "parity.toml" in capsys.readouterr().err
    assert main(["init", str(project), "--ci", "github", "--force"]) == 0
    assert "beside     parity.toml.parity-new" in capsys.readouterr().out
    assert ((project / "parity.toml").read_text(), (project / "estate.toml").read_text()) == ("# mine", estate)


def test_a_file_is_no_folder(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert main(["init", str(tmp_path / "file")]) == 2
