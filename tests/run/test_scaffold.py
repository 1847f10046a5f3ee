"""The files of a new project: read by what will read them, held to what builds demand, never written over others."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import pytest

from harness import __version__
from harness.cli import main
from harness.config import load_project, load_suite
from harness.errors import ConfigError
from harness.gate.cutover_file import load_cutover
from harness.gate.estate import load_estate
from harness.gate.policy import load_policy
from harness.recordings.store import GoldenSet
from harness.run.scaffold import BUILDS, SOURCES, File, scaffold, write
from tests.examples.test_toml import load
from tests.small import workflow

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 26, 3, 17, tzinfo=UTC)
PROJECTS = {source: scaffold(source=source, builds="both", now=NOW) for source in SOURCES}
BY_PATH = {str(file.path): file.content.decode() for file in PROJECTS["sagemaker"]}
GITHUB = [path for path in BY_PATH if path.startswith(".github/")]
AZURE = [path for path in BY_PATH if path.startswith("azure-pipelines/")]


def schema(name: str) -> dict[str, Any]:
    """As schemastore publishes it."""
    found: dict[str, Any] = json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / name).read_bytes())
    return found


@pytest.fixture(params=SOURCES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write(PROJECTS[request.param], tmp_path)
    return tmp_path


def test_each_build_system_gets_its_files_and_no_other():
    for builds in BUILDS:
        paths = {str(file.path) for file in scaffold(source="sagemaker", builds=builds, now=NOW)}
        assert any(path.startswith(".github/") for path in paths) == (builds in ("github", "both"))
        assert any(path.startswith("azure-pipelines/") for path in paths) == (builds in ("azure", "both"))
    assert {len(GITHUB), len(AZURE)} == {3}


def test_nothing_of_a_template_is_left_open():
    for file in (*PROJECTS["sagemaker"], *PROJECTS["bedrock"]):
        assert not re.search(rb"@[A-Z]+@", file.content), file.path
        assert not any(part.startswith("_") for part in file.path.parts), file.path
    assert f"parity-harness[lab] == {__version__}" in BY_PATH["requirements.txt"]


def test_no_file_names_a_place_of_packages_or_holds_a_secret():
    for path, text in BY_PATH.items():
        assert not re.search(r"index-url|pypi|simple/|secrets\.", text), path


def test_suites_and_policies_are_read(project: Path):
    assert load_project(project).default_profile == "lab"
    load(project / "suites" / "example" / "suite.toml")
    assert load_policy(project / "suites" / "example" / "suite.toml").criteria
    suite = load_suite(project / "suites" / "example")
    with GoldenSet.open(suite.golden) as golden:
        assert golden.manifest.primaries >= 200


def test_the_suite_of_ones_own_is_read_once_it_is_renamed(project: Path):
    (template,) = project.glob("suites/mine/*")
    suite = template.with_name("suite.toml")
    suite.write_bytes(template.read_bytes())
    load(suite)
    assert set(load_suite(suite).endpoints) == {"dev", "staging"}


def test_the_cutovers_policy_and_the_estate_are_read_and_fit_each_other(project: Path):
    policy = load_cutover(project / "cutover.toml")
    estate = load_estate(policy.estate)
    assert estate.read_at == NOW.replace(hour=0, minute=0)
    assert {suite for entry in estate.entries for suite in entry.covered_by} == {one.suite for one in policy.require}


def test_the_switch_is_one_that_can_be_read(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    monkeypatch.chdir(project)
    assert load_policy(project / "live.toml").criteria
    main(["cutover", "status", "router"])
    assert "100" in capsys.readouterr().out


def test_what_a_suite_says_of_itself_is_well(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    monkeypatch.chdir(project)
    assert main(["doctor", "--offline"]) == 0, capsys.readouterr().out
    assert main(["golden", "scan", "golden/example"]) == 0


def test_the_recorded_sets_are_parts_of_the_shipped_ones(tmp_path: Path):
    runpy.run_path(str(ROOT / "golden" / "templates.py"))["build"](tmp_path)
    for source in SOURCES:
        for name in ("cases.jsonl", "manifest.json"):
            made = (tmp_path / source / "golden" / "example" / name).read_bytes()
            (kept,) = [one.content for one in PROJECTS[source] if one.path == PurePosixPath("golden/example", name)]
            assert made == kept


def test_the_wheel_holds_every_template(tmp_path: Path):
    build = "import sys; from flit_core.buildapi import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("harness/templates/")}
    templates = ROOT / "harness" / "templates"
    there = {path for path in templates.rglob("*") if path.is_file()}
    assert held == {f"harness/templates/{path.relative_to(templates).as_posix()}" for path in there}


@pytest.mark.parametrize("path", GITHUB)
def test_a_workflow_is_one_by_githubs_schema(path: str):
    jsonschema.Draft7Validator(schema("github-workflows.json")).validate(workflow.github(BY_PATH[path]))


@pytest.mark.parametrize("lab", [True, False], ids=["lab", "clouds"])
@pytest.mark.parametrize("path", AZURE)
def test_a_pipeline_is_one_by_azures_schema(path: str, lab: bool):
    jsonschema.Draft7Validator(schema("azure-pipelines.json")).validate(workflow.azure(BY_PATH[path], lab=lab))


@pytest.mark.parametrize("path", GITHUB)
def test_a_workflow_has_no_right_it_does_not_need(path: str):
    """GitHub's guide to hardening: least permissions, pinned actions, no text of others in a script."""
    made = workflow.github(BY_PATH[path])
    assert made["permissions"] == {}
    assert "group" in made["concurrency"]
    allowed = {"contents": "read", "id-token": "write", "pull-requests": "write"}
    for name, job in made["jobs"].items():
        assert job["permissions"].items() <= allowed.items(), name
        assert 0 < job["timeout-minutes"] <= 180
        assert not {"id-token", "pull-requests"} <= set(job["permissions"])
        if "pull-requests" in job["permissions"]:
            assert not any("checkout" in step.get("uses", "") for step in job["steps"])
    for step in workflow.steps(made):
        assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", step.get("uses", "a/b@v1"))
        assert "${{" not in step.get("run", "")
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"] == {"persist-credentials": False}
    assert "pull_request_target" not in BY_PATH[path]


@pytest.mark.parametrize("name", ["parity-pull-request.yml", "parity-nightly.yml"])
def test_no_build_keeps_a_ledger(name: str):
    """Ledgers hold every answer in full, whatever the profile lets a report show."""
    out = {"!reports/*/ledger/**", "!reports/*/judge/**"}
    github = workflow.steps(workflow.github(BY_PATH[f".github/workflows/{name}"]))
    kept = [one["with"]["path"].split() for one in github if "upload-artifact" in one.get("uses", "")]
    reports = [paths for paths in kept if "reports/" in paths]
    assert len(reports) == 1 and out <= set(reports[0])
    azure = list(workflow.steps(workflow.azure(BY_PATH[f"azure-pipelines/{name}"], lab=False)))
    (copied,) = [one["inputs"] for one in azure if one.get("task") == "CopyFiles@2"]
    assert {f"!{pattern.removeprefix('!reports/')}" for pattern in out} <= set(copied["Contents"].split())
    (sent,) = [one["inputs"]["targetPath"] for one in azure if one.get("task") == "PublishPipelineArtifact@1"]
    assert sent == copied["TargetFolder"]


def test_traffic_waits_for_an_approved_environment_on_both_systems():
    github = workflow.github(BY_PATH[".github/workflows/parity-gate.yml"])["jobs"]
    assert (github["move"]["needs"], github["move"]["environment"]) == ("gate", "parity-cutover")
    assert "if" not in github["move"]
    gate, move = workflow.azure(BY_PATH["azure-pipelines/parity-gate.yml"], lab=False)["stages"]
    assert (move["dependsOn"], move["condition"]) == (gate["stage"], "succeeded()")
    assert move["jobs"][0]["environment"] == "parity-cutover"


@pytest.mark.parametrize("name", ["parity-pull-request.yml", "parity-gate.yml", "parity-nightly.yml"])
def test_both_systems_run_the_same_commands(name: str):
    github = [
        step["run"] for step in workflow.steps(workflow.github(BY_PATH[f".github/workflows/{name}"])) if "run" in step
    ]
    azure = [
        step["bash"]
        for step in workflow.steps(workflow.azure(BY_PATH[f"azure-pipelines/{name}"], lab=True))
        if "bash" in step
    ]
    ours = re.compile(r"\b(?:python -m \w+|parity \w+|grep .*)")
    told = [[word for text in texts for word in ours.findall(text)] for texts in (github, azure)]
    assert told[0] == told[1] != []


SMALL = (File(PurePosixPath("a/b.toml"), b"ours"), File(PurePosixPath("c"), b"ours too"))


def test_files_that_are_the_same_are_left_alone(tmp_path: Path):
    assert len(write(SMALL, tmp_path).new) == 2
    again = write(SMALL, tmp_path)
    assert (again.new, len(again.same)) == ((), 2)


def test_where_a_file_is_different_nothing_is_written(tmp_path: Path):
    (tmp_path / "c").write_text("theirs")
    with pytest.raises(ConfigError, match=r"these files are there and different: c\."):
        write(SMALL, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_force_writes_beside_and_never_over(tmp_path: Path):
    (tmp_path / "c").write_text("theirs")
    written = write(SMALL, tmp_path, force=True)
    assert [str(path) for path in written.beside] == ["c.parity-new"]
    assert (tmp_path / "c").read_text() == "theirs"
    assert (tmp_path / "c.parity-new").read_text() == "ours too"
    with pytest.raises(ConfigError, match=r"c\.parity-new is there too"):
        write(SMALL, tmp_path, force=True)


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path):
    (tmp_path / "c").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="different: c"):
        write(SMALL, tmp_path)
    assert not (tmp_path / "elsewhere").exists()
