from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import EvidenceError, UnknownName
from harness.gate import decided, signoff
from harness.gate.canonical import canonical_json, parse_canonical
from harness.gate.dsse import Signature
from harness.gate.keys import load_private_key
from harness.gate.signers import Roles
from harness.gate.signoff import SignOff, complete
from tests.gate.sealed import CRITERION, Person, decided_run, edwards, elliptic, signoff_table

ADA, BOB, EVE = edwards("ada"), elliptic("bob"), edwards("eve")
AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
ROLES = Roles(required=("engineering", "risk"), signers=(ADA.signs("engineering"), BOB.signs("risk")))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> decided.Decided:
    policy = CRITERION + signoff_table(engineering=ADA, risk=BOB)
    return decided.load(decided_run(tmp_path_factory.mktemp("runs"), cases=598, policy=policy))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def signed(made: decided.Decided, person: Person, role: str, keys: Path) -> SignOff:
    return signoff.sign(made, person.signs(role), load_private_key(person.pem(keys)), at=AT)


def test_two_listed_people_in_two_roles_complete_a_decision(made, keys):
    both = [signed(made, ADA, "engineering", keys), signed(made, BOB, "risk", keys)]
    state = complete(both, ROLES, made.sha256)
    assert state.complete
    assert state.signed == {"engineering": "ada", "risk": "bob"}
    assert state.reasons[0] == "engineering: signed by ada, who says at 2026-11-20T03:00:00+00:00."


def test_one_of_two_is_not_enough_and_says_who_is_missing(made, keys):
    state = complete([signed(made, ADA, "engineering", keys)], ROLES, made.sha256)
    assert not state.complete
    assert state.reasons == ("risk: has not signed this decision.",)


def test_nobody_listed_is_never_complete(made, keys):
    state = complete([signed(made, ADA, "engineering", keys)], Roles(), made.sha256)
    assert not state.complete
    assert "lists no signers" in state.reasons[0]


def test_a_sign_off_of_another_decision_does_not_count(made, keys):
    both = [signed(made, ADA, "engineering", keys), signed(made, BOB, "risk", keys)]
    state = complete(both, ROLES, "0" * 64)
    assert not state.complete
    assert "engineering: ada signed another decision" in state.reasons[0]


def test_an_unlisted_key_does_not_count(made, keys):
    state = complete([signed(made, ADA, "engineering", keys), signed(made, EVE, "risk", keys)], ROLES, made.sha256)
    assert not state.complete
    assert any("risk: the key" in reason and "not listed" in reason for reason in state.reasons)


def test_a_key_of_another_role_does_not_count(made, keys):
    roles = Roles(required=ROLES.required, signers=(*ROLES.signers, EVE.signs("audit")))
    state = complete([signed(made, ADA, "engineering", keys), signed(made, EVE, "risk", keys)], roles, made.sha256)
    assert not state.complete


def test_a_name_that_the_key_does_not_have_does_not_count(made, keys):
    """The payload may say any name; the list says whose the key is."""
    posing = replace(BOB.signs("risk"), name="the risk officer")
    forged = signoff.sign(made, posing, load_private_key(BOB.pem(keys)), at=AT)
    state = complete([signed(made, ADA, "engineering", keys), forged], ROLES, made.sha256)
    assert not state.complete
    assert "risk: says the risk officer, and the key is bob's." in state.reasons


def test_one_key_in_two_roles_does_not_count_twice(made, keys):
    roles = Roles(required=ROLES.required, signers=(ADA.signs("engineering"), ADA.signs("risk"), BOB.signs("risk")))
    both = [signed(made, ADA, "engineering", keys), signed(made, ADA, "risk", keys)]
    state = complete(both, roles, made.sha256)
    assert not state.complete
    assert "risk: this key has signed as engineering already" in state.reasons[0]


def test_one_person_with_two_keys_does_not_count_twice(made, keys):
    second = elliptic("ada")
    roles = Roles(required=ROLES.required, signers=(ADA.signs("engineering"), second.signs("risk")))
    both = [signed(made, ADA, "engineering", keys), signed(made, second, "risk", keys)]
    state = complete(both, roles, made.sha256)
    assert not state.complete
    assert "risk: ada has signed as engineering already" in state.reasons[0]


@pytest.mark.parametrize("field", ["role", "person", "run", "decision", "decision_sha256", "signed_at"])
def test_no_field_can_change_under_a_signature(field: str, made, keys):
    one = signed(made, ADA, "engineering", keys)
    told = parse_canonical(one.envelope.payload, "x")
    told[field] = "2026-11-21T03:00:00+00:00" if field == "signed_at" else "other"
    changed = replace(one, envelope=replace(one.envelope, payload=canonical_json(told)))
    state = complete([changed, signed(made, BOB, "risk", keys)], ROLES, made.sha256)
    assert not state.complete
    assert any("the signature does not fit" in reason for reason in state.reasons)


def test_a_signature_of_another_kind_of_payload_is_no_sign_off(made, keys):
    """The type is inside what is signed, so an envelope cannot be relabelled."""
    one = signed(made, ADA, "engineering", keys)
    key = load_private_key(ADA.pem(keys))
    relabelled = replace(one.envelope, payload_type="application/x", signatures=())
    moved = replace(one.envelope, signatures=(Signature(key.public.id, key.sign(relabelled.signed_bytes)),))
    assert not complete([replace(one, envelope=moved)], ROLES, made.sha256).signed


def test_whoever_signs_is_looked_up_from_the_key(keys):
    assert signoff.allowed(ROLES, "risk", key=load_private_key(BOB.pem(keys)).public).name == "bob"


def test_a_key_that_may_not_sign_is_refused_with_those_that_may(keys):
    with pytest.raises(EvidenceError, match=r"not listed for the role risk. Listed: bob \("):
        signoff.allowed(ROLES, "risk", key=load_private_key(EVE.pem(keys)).public)
    with pytest.raises(EvidenceError, match="is ada's and is listed for the role engineering, not for risk"):
        signoff.allowed(ROLES, "risk", key=load_private_key(ADA.pem(keys)).public)
    with pytest.raises(EvidenceError, match='belongs to bob, not to "eve"'):
        signoff.allowed(ROLES, "risk", name="eve", key=load_private_key(BOB.pem(keys)).public)


def test_roles_and_names_that_do_not_exist_name_those_that_do():
    with pytest.raises(UnknownName, match='Did you mean "risk"'):
        signoff.allowed(ROLES, "rsk")
    with pytest.raises(UnknownName, match="Known: bob"):
        signoff.allowed(ROLES, "risk", name="eve")
    with pytest.raises(EvidenceError, match=r"Add a \[signoff\] table"):
        signoff.allowed(Roles(), "risk")


def test_without_a_key_at_hand_the_name_chooses_among_several():
    roles = Roles(required=ROLES.required, signers=(*ROLES.signers, EVE.signs("risk")))
    assert signoff.allowed(roles, "risk", name="eve").name == "eve"
    with pytest.raises(EvidenceError, match=r"lists several keys \(bob, eve\)"):
        signoff.allowed(roles, "risk")


def test_a_key_cannot_sign_for_another_person(made, keys):
    with pytest.raises(EvidenceError, match="not the one that the policy lists for bob"):
        signoff.sign(made, BOB.signs("risk"), load_private_key(EVE.pem(keys)), at=AT)


# Files


def test_a_stored_sign_off_reads_back(made, keys, tmp_path: Path):
    one = signed(made, ADA, "engineering", keys)
    assert signoff.store(tmp_path, one) == tmp_path / "signoff" / "engineering.json"
    assert signoff.read_all(tmp_path) == (one,)


def test_a_role_signs_once_unless_it_says_so(made, keys, tmp_path: Path):
    first = signed(made, ADA, "engineering", keys)
    again = signed(made, EVE, "engineering", keys)
    signoff.store(tmp_path, first)
    with pytest.raises(EvidenceError, match=r"ada has signed this decision as engineering\. .* --replace"):
        signoff.store(tmp_path, again)
    assert signoff.read_all(tmp_path) == (first,)
    signoff.store(tmp_path, again, replace=True)
    assert signoff.read_all(tmp_path) == (again,)


@pytest.mark.parametrize("replacing", [False, True])
def test_the_same_key_or_person_is_refused_in_a_second_role(replacing, made, keys, tmp_path: Path):
    signoff.store(tmp_path, signed(made, ADA, "engineering", keys))
    with pytest.raises(EvidenceError, match="this key has signed as engineering already"):
        signoff.store(tmp_path, signed(made, ADA, "risk", keys), replace=replacing)
    with pytest.raises(EvidenceError, match="ada has signed as engineering already"):
        signoff.store(tmp_path, signed(made, elliptic("ada"), "risk", keys), replace=replacing)


def test_an_earlier_decision_s_sign_off_does_not_bar_a_person(made, keys, tmp_path: Path):
    other = decided.load(decided_run(tmp_path, cases=598, flipped=1, policy=CRITERION))
    signoff.store(tmp_path, signed(other, ADA, "engineering", keys))
    assert signoff.store(tmp_path, signed(made, ADA, "risk", keys)).is_file()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "signoff/2"}, "this version reads 'signoff/1'"),
        ({"role": "risk"}, "is a sign-off in the role risk"),
        ({"extra": "x"}, "and nothing else"),
        ({"signed_at": "yesterday"}, "ISO 8601"),
        ({"signed_at": "2026-11-20T03:00:00"}, "no zone"),
        ({"person": 1}, "all texts"),
    ],
)
def test_a_file_that_is_no_sign_off_of_this_role_says_why(change, said: str, made, keys):
    one = signed(made, ADA, "engineering", keys)
    told = parse_canonical(one.envelope.payload, "x") | change
    content = replace(one.envelope, payload=canonical_json(told)).to_bytes()
    with pytest.raises(EvidenceError, match=rf"signoff/engineering\.json.*{said}"):
        signoff.parse(content, "engineering")
