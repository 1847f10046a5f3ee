"""The estate file: what may stand in it, what a suite covers, and what stays when it is written again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.inventory import EVERYTHING, Found, Unlisted
from harness.errors import ConfigError, PolicyError
from harness.gate.estate import Called, Entry, Estate, called, load_estate
from harness.gate.estate_file import refreshed, render

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
VISITS = Found(
    service="sagemaker", kind="endpoint", name="visits", model="visits", version="3", changed_at=AT, owned=True
)
CHAT = Found(
    service="azure_openai",
    kind="deployment",
    name="chat",
    model="gpt-4o",
    version="2024-11-20",
    auto_upgrade=False,
    retires=date(2028, 1, 1),
    share=1.0,
)
VISITS_CALL = Called("azureml", "visits")
DENIED = Unlisted(service="sagemaker", kind="endpoint", reason="AccessDenied", needs="sagemaker:ListEndpoints")


def written(folder: Path, estate: Estate) -> Estate:
    path = folder / "estate.toml"
    path.write_text(render(estate), encoding="utf-8")
    return load_estate(path)


def test_what_is_written_is_read_again(tmp_path: Path):
    counterpart = replace(CHAT, share=None)
    entry = Entry(
        found=replace(VISITS, owned=False, variants=("v1: visits 3",)),
        suites=("visits",),
        owner="Dana",
        note='says "no"',
        counterpart=counterpart,
    )
    estate = Estate(read_at=AT, profile="prod", entries=(entry,), targets=(CHAT,), unlisted=(DENIED,))
    assert written(tmp_path, estate) == estate
    assert render(written(tmp_path, estate)) == render(estate)


@settings(max_examples=40)
@given(text=st.text(min_size=1).filter(lambda text: text.strip() and "\x00" not in text))
def test_any_name_of_a_cloud_survives_the_file(tmp_path_factory: pytest.TempPathFactory, text: str):
    clean = text.encode("utf-8", "ignore").decode()
    if not clean.strip():
        return
    entry = Entry(found=replace(VISITS, owned=False, name=clean))
    assert written(tmp_path_factory.mktemp("estate"), Estate(read_at=AT, entries=(entry,))).entries == (entry,)


def test_the_order_does_not_depend_on_that_of_the_listing():
    entries = tuple(Entry(found=replace(VISITS, name=name)) for name in ("b", "a", "c"))
    one = refreshed(None, Estate(read_at=AT, entries=entries, unlisted=(DENIED, replace(DENIED, kind="agent"))))
    other = refreshed(None, Estate(read_at=AT, entries=entries[::-1], unlisted=(replace(DENIED, kind="agent"), DENIED)))
    assert render(one) == render(other)


def test_what_people_wrote_stays_when_it_is_read_anew():
    told = Entry(found=VISITS, owner="Dana", out_of_scope="goes in May", covered_by=("all",), note="n")
    now = Entry(found=replace(VISITS, version="4"), suites=("visits",))
    (kept,) = refreshed(Estate(read_at=AT, entries=(told,)), Estate(read_at=AT, entries=(now,))).entries
    assert (kept.found.version, kept.suites) == ("4", ("visits",))
    assert (kept.owner, kept.out_of_scope, kept.covered_by, kept.note) == ("Dana", "goes in May", ("all",), "n")


@pytest.mark.parametrize("kind", ["endpoint", EVERYTHING])
def test_what_could_not_be_listed_is_not_gone(kind: str):
    before = Estate(read_at=AT, entries=(Entry(found=VISITS),))
    assert refreshed(before, Estate(read_at=AT)).entries == ()
    assert refreshed(before, Estate(read_at=AT, unlisted=(replace(DENIED, kind=kind),))).entries == before.entries
    elsewhere = replace(DENIED, service="bedrock")
    assert refreshed(before, Estate(read_at=AT, unlisted=(elsewhere,))).entries == ()


def test_a_retirement_that_a_person_looked_up_stays_with_its_version_alone():
    before = Estate(read_at=AT, targets=(CHAT,))
    (same,) = refreshed(before, Estate(read_at=AT, targets=(replace(CHAT, retires=None),))).targets
    assert same.retires == date(2028, 1, 1)
    (moved,) = refreshed(before, Estate(read_at=AT, targets=(replace(CHAT, retires=None, version="x"),))).targets
    assert moved.retires is None


@pytest.mark.parametrize(
    ("kind", "name", "calls", "is_called"),
    [
        ("endpoint", "visits", "visits", True),
        ("endpoint", "visits", "visit", False),
        ("foundation model", "anthropic.claude-v1:0", "us.anthropic.claude-v1:0", True),
        ("foundation model", "us.anthropic.claude-v1:0", "anthropic.claude-v1:0", True),
        ("foundation model", "claude", "anthropic.claude", False),
        ("inference profile", "abc", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", True),
        ("deployment", "visits/blue", "visits", True),
        ("deployment", "visits/blue", "visits/blue", True),
        ("deployment", "visits/blue", "visits/green", False),
        ("deployment", "visits/blue", "blue", False),
    ],
)
def test_a_suite_covers_what_it_calls(kind: str, name: str, calls: str, is_called: bool):
    assert called(Found(service="s", kind=kind, name=name), Called("s", calls)) is is_called
    assert not called(Found(service="s", kind=kind, name=name), Called("other", calls))


def test_a_deployment_is_one_thing_through_either_api_of_its_resource():
    assert called(CHAT, Called("foundry", "chat"))


def test_an_endpoint_stands_for_its_deployments_that_have_traffic():
    blue, green = (
        Found(service="azureml", kind="deployment", name=f"visits/{name}", share=share)
        for name, share in (("blue", 1.0), ("green", 0.0))
    )
    model = Found(service="azureml", kind="model", name="visits", version="9")
    estate = Estate(read_at=AT, targets=(blue, green, model))
    assert estate.behind(VISITS_CALL) == (blue,)
    assert estate.behind(Called("azureml", "visits/green")) == (green,)
    idle = Estate(read_at=AT, targets=(replace(blue, share=0.0), green))
    assert len(idle.behind(VISITS_CALL)) == 2


HEAD = 'schema = "estate/1"\nread_at = 2026-11-25T09:00:00Z\n'
ROW = '[[endpoint]]\nname = "visits"\nservice = "sagemaker"\nkind = "endpoint"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'key "schema" is missing'),
        (HEAD.replace("estate/1", "estate/2"), "estate/2"),
        (HEAD + ROW.replace('kind = "endpoint"', 'kind = "endpint"'), 'Did you mean "endpoint"?'),
        (HEAD + ROW + 'out_of_scope = "later"\n', 'needs "owner"'),
        (HEAD + ROW + 'out_of_scope = " "\nowner = "Dana"\n', "must not be empty"),
        (HEAD + ROW + 'onwer = "Dana"\n', 'Did you mean "owner"?'),
        (HEAD + ROW + ROW, "stands there twice"),
        (
            HEAD.replace("-25T", "-31T").replace("2026-11-31T09:00:00Z", '"2026-11-31T09:00:00Z"'),
            "no time of the calendar",
        ),
        ("schema", "is not TOML"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_now(tmp_path: Path, text: str, said: str):
    path = tmp_path / "estate.toml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"estate\.toml") as caught:
        load_estate(path)
    assert said in str(caught.value)


def test_a_secret_is_refused(tmp_path: Path):
    path = tmp_path / "estate.toml"
    path.write_text(HEAD + ROW + f'note = "{"AKIA" + "Q" * 16}"\n')
    with pytest.raises(ConfigError, match="AWS access key id"):
        load_estate(path)


def test_a_file_that_is_not_there_is_written_by_a_command(tmp_path: Path):
    with pytest.raises(PolicyError, match="parity inventory"):
        load_estate(tmp_path / "estate.toml")
