from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.errors import ConfigError, PolicyError
from harness.gate.cutover_file import load_cutover
from tests.gate.sealed import edwards, signoff_table
from tests.small.project import ROOT

HEAD = """schema = "cutover/1"
[cutover]
title = "Care"
estate = "estate.toml"
retires_after = 2027-06-30
[[require]]
suite = "visits"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "cutover.toml"
    path.write_text(text)
    return path


def test_the_least_file_asks_for_everything(tmp_path):
    made = load_cutover(written(tmp_path, HEAD))
    (visits,) = made.require
    assert (visits.rehearsal, visits.criteria, made.selftest) == (True, ("errors", "latency", "cost"), True)
    assert (made.max_age_days, made.retires_after) == (14, date(2027, 6, 30))
    assert made.estate == tmp_path / "estate.toml"
    assert made.folder == tmp_path / "cutover"


def test_a_suite_may_be_asked_for_less_than_the_rest(tmp_path):
    made = load_cutover(written(tmp_path, HEAD + 'reverse = false\ncriteria = ["errors"]\nprofile = "prod"\n'))
    assert (made.require[0].rehearsal, made.require[0].criteria, made.require[0].profile) == (
        False,
        ("errors",),
        "prod",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD.replace("retires_after", "retires_afte"), 'Did you mean "retires_after"?'),
        (HEAD.replace("retires_after = 2027-06-30", ""), 'key "retires_after" is missing'),
        (HEAD.replace("2027-06-30", '"2027-13-30"'), "is no day of the calendar"),
        (HEAD.replace("cutover/1", "cutover/9"), 'unknown schema "cutover/9"'),
        (HEAD.replace("[[require]]", "[[required]]"), 'Did you mean "require"?'),
        (HEAD + '[[require]]\nsuite = "visits"\n', "is required twice"),
        (HEAD + 'criteria = ["cots"]\n', 'Did you mean "cost"?'),
        (HEAD + '[signoff]\nrisk = [{ name = "Ada" }]\n', 'a signer needs "public_key"'),
        (HEAD + "[switches.router]\nstages = [1]\n", 'key "use" is missing'),
        (HEAD + '[[waiver]]\nrequirement = "decision"\nowner = "A"\nreason = "b"\nexpires = 2027-01-01\n', "decision"),
        (
            HEAD
            + '[[waiver]]\nrequirement = "cost"\nsuite = "chat"\nowner = "A"\nreason = "b"\nexpires = 2027-01-01\n',
            "there is nothing to waive",
        ),
        ("schema = ", "is not TOML"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_now(tmp_path, text, said):
    with pytest.raises(PolicyError, match=r"cutover\.toml") as caught:
        load_cutover(written(tmp_path, text))
    assert said in str(caught.value)


def test_a_secret_is_refused_and_not_repeated(tmp_path):
    secret = "AKIA" + "Q" * 16
    with pytest.raises(ConfigError, match="AWS access key id") as caught:
        load_cutover(written(tmp_path, HEAD + f'[switches.router]\nuse = "command"\nrun = "{secret}"\n'))
    assert secret not in str(caught.value)


def test_public_keys_of_signers_are_no_secrets(tmp_path):
    made = load_cutover(written(tmp_path, HEAD + signoff_table(engineering=edwards("ada"), risk=edwards("bob"))))
    assert made.signoff.required == ("engineering", "risk")


def test_the_hash_is_of_what_is_asked(tmp_path):
    plain = load_cutover(written(tmp_path, HEAD)).sha256
    assert load_cutover(written(tmp_path, "# a word\n" + HEAD)).sha256 == plain
    assert load_cutover(written(tmp_path, HEAD + '[switches.router]\nuse = "flagd"\n')).sha256 == plain
    assert load_cutover(written(tmp_path, HEAD.replace("2027-06-30", "2027-06-29"))).sha256 != plain


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PolicyError, match="cannot be read"):
        load_cutover(tmp_path / "cutover.toml")


def test_the_shipped_file_asks_for_every_shipped_suite():
    made = load_cutover(ROOT / "cutover.toml")
    assert {one.suite for one in made.require} == {path.parent.name for path in ROOT.glob("suites/*/suite.toml")}
