from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from harness.errors import EvidenceError, PolicyError
from harness.gate.policy import load_policy, parse_policy
from harness.gate.signers import find, parse_roles, read_trust
from tests.gate.sealed import CRITERION, edwards, elliptic, signoff_table

ADA, BOB, EVE = edwards("ada"), elliptic("bob"), edwards("eve")


def roles(text: str):
    return parse_roles(tomllib.loads(text)["signoff"], "policy.toml, [signoff]")


def test_all_listed_roles_are_required_unless_the_policy_says_which():
    assert roles(signoff_table(engineering=ADA, risk=BOB)).required == ("engineering", "risk")
    some = 'required = ["risk", "engineering"]\n'
    table = signoff_table(engineering=ADA, risk=BOB, audit=EVE).replace("[signoff]\n", "[signoff]\n" + some)
    assert roles(table).required == ("risk", "engineering")
    assert roles(table).names == ("engineering", "risk", "audit")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (signoff_table(risk=BOB), "at least two"),
        (signoff_table(engineering=ADA, risk=BOB) + 'required = ["risk"]', "at least two"),
        (signoff_table(engineering=ADA, risk=BOB) + 'required = ["risk", "risk"]', "at least two"),
        (signoff_table(engineering=ADA, risk=BOB) + 'required = ["risk", "enginering"]', 'Did you mean "engineering"'),
        (signoff_table(engineering=ADA, risk=BOB) + "required = true", "is a list of roles"),
        ("[signoff]\nrisk = []\nengineering = []", "at least one person"),
        ('[signoff]\n"../risk" = []', "a word in small letters"),
        ('[signoff]\nrisk = [{ name = "bob" }]', 'needs "public_key"'),
        ('[signoff]\nrisk = [{ name = "bob", public_key = "x", e = "y" }]', 'unknown key "e"'),
        ('[signoff]\nrisk = ["bob"]', "a table with name and public_key"),
        (signoff_table(engineering=ADA, risk=ADA).replace('"ada"', '"adam"', 1), "adam and ada have the same key"),
        (
            '[signoff]\nrisk = [{ name = "bob", public_key = "ssh-ed25519 AAAA" }]\nengineering = '
            f'[{{ name = "ada", public_key = "{ADA.line}" }}]',
            "risk, bob: is no public key",
        ),
    ],
)
def test_a_table_that_could_not_hold_two_people_to_it_is_refused(table: str, said: str):
    with pytest.raises(PolicyError, match=said):
        roles(table)


def test_a_policy_reads_its_signers_and_their_change_is_a_change_of_the_promise_but_no_new_epoch(tmp_path: Path):
    path = tmp_path / "policy.toml"
    path.write_text(CRITERION + signoff_table(engineering=ADA, risk=BOB))
    signed, plain = load_policy(path), parse_policy(tomllib.loads(CRITERION), "policy")
    assert [signer.name for signer in signed.signoff.signers] == ["ada", "bob"]
    assert signed.sha256 != plain.sha256
    assert signed.epoch_id == plain.epoch_id


def test_allowed_signers_are_a_role_a_name_and_a_key_a_line(tmp_path: Path):
    path = tmp_path / "signers"
    path.write_text(
        f'# who may sign\n\nengineering,evidence ada {ADA.line} ada@laptop\nrisk "Bob B." {BOB.line}  # since May\n'
    )
    found = read_trust(path)
    assert [(signer.role, signer.name) for signer in found] == [
        ("engineering", "ada"),
        ("evidence", "ada"),
        ("risk", "Bob B."),
    ]
    assert find(found, found[2].key.id) == found[2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "lists no signer"),
        ("risk bob", "line 1: a line reads: ROLE NAME PUBLIC-KEY"),
        ('risk "bob', "line 1: No closing quotation"),
        ("RISK bob ssh-ed25519 AAAA", "a word in small letters"),
        ("risk bob ssh-ed25519 AAAA", "risk, bob: is no public key"),
        (f"risk bob {ADA.line}\nrisk eve {ADA.line}", "bob and eve have the same key"),
    ],
)
def test_a_list_of_signers_that_cannot_be_read_names_the_line(line: str, said: str, tmp_path: Path):
    path = tmp_path / "signers"
    path.write_text(line)
    with pytest.raises(EvidenceError, match=said):
        read_trust(path)


def test_a_list_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(EvidenceError, match="cannot be read"):
        read_trust(tmp_path / "absent")
