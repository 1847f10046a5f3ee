"""A store behind the reports: machines that forget go on where others ended, and nothing is written over."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.small import migration, s3
from tests.small.project import Done, Project

KEY, SECRET = "testing", "testing"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with s3.serving() as found:
        yield found


@pytest.fixture
def bucket(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the bucket `nights`, empty."""
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL_S3": address,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    store = boto3.resource("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="nights")
    yield store
    store.objects.all().delete()


@pytest.fixture
def machine(make_numbers: Callable[..., Project], tmp_path: Path) -> Callable[[], Project]:
    """Machines that all know the project and nothing of each other."""
    first = make_numbers(cases=240)
    first.edit(first.suite, 'mode = "fixed"', 'mode = "anytime"')
    settings = 'reports = "s3://nights/team"\n[nightly]\nunits = 60\n[profiles.here]\n'
    first.edit(first.folder / "parity.toml", "[profiles.here]\n", settings)

    def fresh() -> Project:
        folder = tmp_path / f"machine-{len(list(tmp_path.glob('machine-*')))}"
        shutil.copytree(first.folder, folder, ignore=shutil.ignore_patterns("machine-*", "reports", ".site"))
        return replace(first, folder=folder)

    return fresh


def night(project: Project, *words: str) -> Done:
    return project.parity("nightly", "--json", *words)


def keys(bucket: Any) -> set[str]:
    return {one.key for one in bucket.objects.all()}


def test_a_machine_that_forgets_goes_on_where_another_ended(bucket: Any, machine: Callable[[], Project]) -> None:
    first, second = night(machine()), night(machine())
    assert (first.code, second.code) == (3, 0)
    assert [done.document["suites"][0]["seen"] for done in (first, second)] == [60, 120]
    last = machine()
    assert night(last).document["suites"][0]["seen"] == 180
    # Of the nights before, rows alone came: no ledgers, no reports.
    before = last.folder / "reports" / first.document["suites"][0]["run"]
    assert [path.name for path in before.iterdir()] == ["rows.parquet"]
    page = bucket.Object("team/index.html").get()["Body"].read().decode()
    assert all(f"{done.document['suites'][0]['run']}/report.html" in page for done in (first, second))


@pytest.mark.parametrize(("payloads", "leaves"), [("full", True), ("redacted", False)])
def test_answers_leave_the_machine_only_where_the_profile_says_so(
    bucket: Any, machine: Callable[[], Project], payloads: str, leaves: bool
) -> None:
    project = machine()
    project.edit(project.folder / "parity.toml", 'payloads = "full"', f'payloads = "{payloads}"')
    run = night(project).document["suites"][0]["run"]
    found = keys(bucket)
    assert {f"team/{run}/{name}" for name in ("run.json", "rows.parquet", "decision.json", "report.html")} <= found
    assert any("/ledger/" in key for key in found) is leaves


@pytest.mark.parametrize(("payloads", "said"), [("full", "ok: GO."), ("redacted", None)])
def test_the_cutover_gate_reads_nights_of_other_machines_whole_or_not_at_all(
    bucket: Any, machine: Callable[[], Project], payloads: str, said: str | None
) -> None:
    for project in (machine(), machine()):
        project.edit(project.folder / "parity.toml", 'payloads = "full"', f'payloads = "{payloads}"')
        night(project)
    last = machine()
    migration.require(last)
    told = migration.asked(last)
    assert told.get("decision") == said
    assert said is not None or "stay on the machine that made them" in told["evidence"]


def test_a_night_of_this_name_is_never_written_over(bucket: Any, machine: Callable[[], Project]) -> None:
    """A night that died here and was finished elsewhere stays as it was finished."""
    from harness import config
    from harness.errors import LedgerError
    from harness.run.store import Store

    project = machine()
    done = night(project)
    name = done.document["name"]
    store = Store.of(config.load_project(project.folder))
    with pytest.raises(LedgerError, match="finished elsewhere"):
        store.keep(store.reports / "nights" / name / "night.json")


def test_a_store_that_cannot_be_read_stops_the_night(
    bucket: Any, machine: Callable[[], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = machine()
    project.edit(project.folder / "parity.toml", "s3://nights/team", "s3://nowhere/team")
    done = night(project)
    assert done.code == 2
    assert "store of nights cannot be used" in done.err


def test_names_that_lead_out_of_the_folder_are_left_alone(bucket: Any, machine: Callable[[], Project]) -> None:
    bucket.put_object(Key="team/nights/..%2Fevil/night.json", Body=b"{}")
    bucket.put_object(Key="team/nights/a/b/night.json", Body=b"{}")
    assert night(machine()).code == 3
