from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.core.verdict import Finding, Verdict
from harness.errors import EvidenceError
from harness.gate import decided, evidence, signoff
from harness.gate.canonical import canonical_json
from harness.gate.container import Writer, members
from harness.gate.coverage import GoldenFacts
from harness.gate.dsse import Envelope, parse_envelope
from harness.gate.keys import load_private_key
from harness.gate.signers import Signer
from harness.gate.statement import PAYLOAD_TYPE, statement
from harness.gate.verification import Verification, verify
from tests.gate.sealed import CRITERION, RUN, decided_run, edwards, elliptic, rewritten, signoff_table

ADA, BOB, EVE, CI = edwards("ada"), elliptic("bob"), edwards("eve"), edwards("ci")
TRUST = (ADA.signs("engineering"), BOB.signs("risk"), CI.signs("evidence"))
AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
FACTS = GoldenFacts(sha256="0" * 64, cases=12, sampled=False, truncated=False, taken_at=AT).document()


@dataclass(frozen=True)
class Made:
    """Bundles of one run: nobody signed; both signed off and it was sealed."""

    plain: bytes
    signed: bytes
    folder: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    tmp = tmp_path_factory.mktemp("bundles")
    folder = decided_run(tmp, cases=12, policy=CRITERION + signoff_table(engineering=ADA, risk=BOB))
    plain = evidence.write(folder, tmp / "plain.tar").path.read_bytes()
    for person, role in ((ADA, "engineering"), (BOB, "risk")):
        key = load_private_key(person.pem(tmp))
        signoff.store(folder.path, signoff.sign(decided.load(folder), person.signs(role), key, at=AT))
    signed = evidence.write(folder, tmp / "signed.tar", seal=load_private_key(CI.pem(tmp))).path.read_bytes()
    return Made(plain, signed, tmp)


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Verification]:
    def checked(content: bytes, trust: tuple[Signer, ...] | None = None) -> Verification:
        path = tmp_path / "b.tar"
        path.write_bytes(content)
        return verify(path, trust=trust)

    return checked


def opened(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as bundle:
        return {one.name: bundle.extractfile(one).read() for one in bundle.getmembers()}  # type: ignore[union-attr]


def archive(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in files.items():
        writer.add(name, [content])
    writer.close()
    return file.getvalue()


def forged(content: bytes, **changes: bytes) -> bytes:
    """The bundle with members changed and every hash made again, as somebody with this code at hand would.

    Names are given without their suffix and folder; signatures are kept, as no key is at hand.
    """
    files = opened(content)
    for name, new in changes.items():
        (full,) = [one for one in files if one.rpartition("/")[2].partition(".")[0] == name]
        files[full] = new
    return rehashed(files)


def rehashed(given: Mapping[str, bytes]) -> bytes:
    files = dict(given)
    before = parse_envelope(files.pop("statement.dsse.json"), "x")
    files.pop("SHA256SUMS")
    listed = list(members(io.BytesIO(archive(files)), "bundle.json"))
    envelope = Envelope(PAYLOAD_TYPE, statement(listed, json.loads(files["decision.json"])), before.signatures)
    files["statement.dsse.json"] = envelope.to_bytes()
    listed = list(members(io.BytesIO(archive(files)), "bundle.json"))
    return archive({**files, "SHA256SUMS": evidence.sums(listed)})


def told(content: bytes, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(opened(content)[name])
    return found


# What verifies


def test_a_bundle_verifies_from_itself_alone_and_needs_no_key(made: Made, check):
    found = check(made.plain)
    assert found.verifies
    assert (found.run, found.verdict, found.signatures) == (RUN, Verdict.INCONCLUSIVE, ())


@pytest.mark.parametrize(("cases", "flipped", "verdict"), [(598, 0, "GO"), (598, 30, "NO-GO"), (20, 0, "INCONCLUSIVE")])
def test_it_verifies_whatever_was_decided(cases: int, flipped: int, verdict: str, tmp_path: Path):
    folder = decided_run(tmp_path, cases=cases, flipped=flipped)
    found = verify(evidence.write(folder, tmp_path / "b.tar").path)
    assert found.verifies
    assert found.verdict is not None
    assert found.verdict.value == verdict


def test_signatures_are_not_checked_against_anything_in_the_bundle(made: Made, check):
    found = check(made.signed)
    assert found.verifies
    assert [(one.what, one.status, one.who) for one in found.signatures] == [
        ("seal", "not checked", None),
        ("engineering", "not checked", None),
        ("risk", "not checked", None),
    ]
    assert found.signoff is None


def test_with_a_list_of_signers_every_signature_names_its_person(made: Made, check):
    found = check(made.signed, TRUST)
    assert found.verifies
    assert [(one.what, one.status, one.who) for one in found.signatures] == [
        ("seal", "valid", "ci"),
        ("engineering", "valid", "ada"),
        ("risk", "valid", "bob"),
    ]
    assert found.signoff is not None
    assert found.signoff.complete


def test_whoever_is_listed_may_seal_where_the_list_names_nobody_for_it(made: Made, check):
    trust = (*TRUST[:2], CI.signs("engineering"))
    assert check(made.signed, trust).verifies


def test_findings_from_outside_the_rows_are_named_as_not_recomputed(tmp_path: Path):
    cut = Finding(criterion="run complete", metric="", verdict=Verdict.INCONCLUSIVE, reason="3 cases are left.")
    folder = decided_run(tmp_path, cases=598, findings=(cut,))
    found = verify(evidence.write(folder, tmp_path / "b.tar").path)
    assert (found.verifies, found.handed, found.verdict) == (True, ("run complete",), Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("finding", "verifies"),
    [
        (Finding(criterion="run complete", metric="", verdict=Verdict.INCONCLUSIVE, reason="3 are left."), True),
        (Finding(criterion="run complete", metric="", verdict=Verdict.GO, reason="All done."), False),
        (
            Finding(criterion="run complete", metric="", verdict=Verdict.INCONCLUSIVE, reason="3.", gating=False),
            False,
        ),
        (Finding(criterion="weather", metric="", verdict=Verdict.GO, reason="Fine."), False),
    ],
)
def test_only_a_finding_that_withholds_go_excuses_cases_without_rows(
    finding: Finding, verifies: bool, tmp_path: Path, check
):
    folder = decided_run(tmp_path, cases=598, findings=(finding,))
    whole = evidence.write(folder, tmp_path / "whole.tar").path.read_bytes()
    found = check(forged(whole, run=canonical_json({**told(whole, "run.json"), "cases": 601})))
    excused = not any("names 601 cases, the rows hold 598" in fault for fault in found.altered)
    assert excused is verifies


# No byte is free


def fate(content: bytes, check: Callable[..., Verification], trust: tuple[Signer, ...] | None = None) -> int:
    """The exit code of `parity verify`."""
    try:
        return 0 if check(content, trust).verifies else 1
    except EvidenceError:
        return 2


def test_no_byte_of_a_bundle_is_free(made: Made, check):
    """All bytes of the first header and of the end, and a third of the others, each changed at random."""
    rng = random.Random(7)
    size = len(made.signed)
    places = {*range(512), *range(size - 1024, size), *rng.sample(range(size), size // 3)}
    free = []
    for at in sorted(places):
        changed = made.signed[:at] + bytes([made.signed[at] ^ rng.randrange(1, 256)]) + made.signed[at + 1 :]
        if fate(changed, check) == 0:
            free.append(at)
    assert len(places) > 7000
    assert free == []


def test_every_byte_of_every_signature_counts_though_nobody_checks_it(made: Made, check):
    """A flipped bit that keeps base64 and JSON well-formed: no key is given, and it is found all the same."""
    start = made.signed.index(b'"signatures":[{"keyid":"') + 24
    for at in range(start, start + 160):
        changed = made.signed[:at] + (b"A" if made.signed[at : at + 1] != b"A" else b"B") + made.signed[at + 1 :]
        assert fate(changed, check) == 1


@pytest.mark.parametrize("extra", [b"\0", b"\n", bytes(512), bytes(10240), b"PK\x03\x04"])
def test_bytes_before_or_after_it_are_found(extra: bytes, made: Made, check):
    assert fate(made.plain + extra, check) == 1
    assert fate(extra + made.plain, check) == 2


def test_a_bundle_that_is_cut_off_anywhere_is_unreadable(made: Made, check):
    for end in range(0, len(made.plain), 97):
        assert fate(made.plain[:end], check) == 2


def test_members_in_another_order_are_refused_even_with_fitting_hashes(made: Made, check):
    files = list(opened(made.plain).items())
    files[2], files[4] = files[4], files[2]
    found = check(rehashed(dict(files)))
    assert found.altered == ("the members are not in their order, or one is there twice.",)


def test_a_member_that_is_dropped_is_named(made: Made, check):
    for name in list(opened(made.plain))[1:]:
        files = opened(made.plain)
        del files[name]
        assert check(archive(files)).altered == (f"{name} is missing.",)


@pytest.mark.parametrize("name", ["extra.txt", "signoff/../../x.json", "signoff/A.json"])
def test_a_member_that_is_added_is_named(name: str, made: Made, check):
    files = opened(made.plain)
    found = check(rehashed({**files, name: b"{}\n"}))
    assert f"{name} does not belong there." in found.altered


def test_a_member_that_is_there_twice_is_refused(made: Made, check):
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in opened(made.plain).items():
        writer.add(name, [content])
        if name == "policy.toml":
            writer.add(name, [content])
    writer.close()
    assert "twice" in check(file.getvalue()).altered[0]


@pytest.mark.parametrize("name", ["decision.json", "policy.toml", "rows.jsonl", "run.json", "report.html"])
def test_a_member_that_was_changed_in_place_is_named(name: str, made: Made, check):
    files = opened(made.plain)
    files[name] = files[name].replace(b"a", b"e", 1)
    assert check(archive(files)).altered[0].startswith(f"{name} does not have the hash")


# Changed with all hashes made again: what the decision itself still shows


def flipped_rows(content: bytes) -> bytes:
    return opened(content)["rows.jsonl"].replace(b'"value_target":0.0', b'"value_target":1.0', 1)


def test_rows_that_were_altered_with_all_hashes_made_again_give_another_decision(made: Made, check):
    found = check(forged(made.plain, rows=flipped_rows(made.plain)))
    assert not found.verifies
    assert any("decision.json: rows_sha256 says" in fault for fault in found.altered)
    assert any("findings[label].estimate says" in fault for fault in found.altered)


def test_a_verdict_cannot_be_claimed_that_the_rows_do_not_give(made: Made, check):
    decision = {**told(made.plain, "decision.json"), "decision": "GO"}
    found = check(forged(made.plain, decision=canonical_json(decision)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "decision.json: decision says 'GO', recomputed 'INCONCLUSIVE'." in found.altered


def test_a_milder_policy_is_found(made: Made, check):
    policy = opened(made.plain)["policy.toml"].replace(b'kind = "flip"', b'kind = "flip"\nmargin = 0.5')
    found = check(forged(made.plain, policy=policy))
    assert any("policy_sha256" in fault for fault in found.altered)


def test_text_of_a_policy_that_the_decision_does_not_feel_is_found_too(made: Made, check):
    """A comment changes no decision, and run.json holds the hash of the file as it was."""
    found = check(forged(made.plain, policy=opened(made.plain)["policy.toml"] + b"# agreed with risk\n"))
    assert found.altered == ("run.json: is of another run or policy.",)


@pytest.mark.parametrize(
    ("member", "change", "said"),
    [
        ("bundle", {"decision": "GO"}, "bundle.json: does not say"),
        ("bundle", {"run": "other"}, "decision.json: run says"),
        ("bundle", {"decided_at": "2026-11-20T02:20:00Z"}, "bundle.json: does not say"),
        ("bundle", {"schema": "bundle/one"}, "bundle.json: does not say"),
        ("bundle", {"extra": "x"}, "bundle.json: does not say"),
        ("bundle", {"versions": {}, "note": 1}, "bundle.json: does not say"),
        ("bundle", {"versions": 3}, "names no versions"),
        ("decision", {"headline": "All is well."}, "decision.json: headline says"),
        ("decision", {"approved": True}, "approved is no field of a decision"),
        ("decision", {"findings": []}, "decision.json: findings says"),
        ("decision", {"notes": 3}, "has not the shape"),
        ("decision", {"signature": None}, "has not the shape"),
        ("run", {"run": "other"}, "run.json: is of another run"),
        ("run", {"partial": True}, "PARTIAL"),
        ("run", {"golden": {"sha256": "1" * 64}}, "the facts of the golden set cannot be read"),
        ("run", {"golden_sha256": 1, "golden": FACTS}, "says two things of the golden set"),
        ("run", {"cases": 900}, "names 900 cases, the rows hold 12"),
    ],
)
def test_no_field_can_be_rewritten_with_all_hashes_made_again(member, change, said: str, made: Made, check):
    content = {**told(made.plain, f"{member}.json"), **change}
    found = check(forged(made.plain, **{member: canonical_json(content)}))
    assert any(said in fault for fault in found.altered), found.altered


@pytest.mark.parametrize("field", ["verdict", "headline", "signature", "policy_sha256"])
def test_a_report_that_shows_another_decision_is_found(field: str, made: Made, check):
    report = told(made.plain, "report.json")
    report["decision"] = {**report["decision"], field: "GO"}  # type: ignore[dict-item]
    found = check(rehashed({**opened(made.plain), "report.json": json.dumps(report).encode()}))
    assert found.altered == ("report.json: shows another decision.",)


@pytest.mark.parametrize(
    "rows",
    [
        lambda text: b"\n" + text,
        lambda text: text.rstrip(b"\n"),
        lambda text: text.replace(b'"repeat":0', b'"repeat":0.0', 1),
        lambda text: text.replace(b'{"case"', b'{ "case"', 1),
        lambda text: text.replace(b'"value_noise":null,', b"", 1),
    ],
)
def test_rows_that_mean_the_same_in_other_bytes_are_refused(rows, made: Made, check):
    found = check(forged(made.plain, rows=rows(opened(made.plain)["rows.jsonl"])))
    assert found.altered == ("rows.jsonl: is not written in canonical form.",)


def test_rows_or_a_policy_that_cannot_be_read_are_named_without_a_path_of_this_machine(made: Made, check):
    assert check(forged(made.plain, rows=b"{}\n")).altered[0].startswith("rows.jsonl, line 1")
    assert check(forged(made.plain, policy=b"gate = ")).altered[0].startswith("policy.toml: is not TOML")


def test_a_statement_about_something_else_is_found(made: Made, check):
    files = opened(made.plain)
    envelope = parse_envelope(files["statement.dsse.json"], "x")
    payload = envelope.payload.replace(b'"FAILED"', b'"PASSED"')
    assert payload != envelope.payload
    files["statement.dsse.json"] = replace(envelope, payload=payload).to_bytes()
    del files["SHA256SUMS"]
    listed = list(members(io.BytesIO(archive(files)), "bundle.json"))
    found = check(archive({**files, "SHA256SUMS": evidence.sums(listed)}))
    assert found.altered == ("statement.dsse.json: does not say what members and decision give.",)


# Signed


def test_a_signed_bundle_that_was_altered_with_all_hashes_made_again_is_refused(made: Made, check):
    found = check(forged(made.signed, rows=flipped_rows(made.signed)), TRUST)
    assert any(fault.startswith("seal: the signature does not fit ci's key") for fault in found.altered)


def test_a_whole_new_bundle_under_an_old_signature_is_refused(made: Made, check, tmp_path: Path):
    """The strongest forgery: another run's honest bundle, every hash and field fitting, with the signatures moved."""
    folder = decided_run(tmp_path, cases=13, policy=CRITERION + signoff_table(engineering=ADA, risk=BOB))
    other = opened(evidence.write(folder, tmp_path / "other.tar").path.read_bytes())
    ours = opened(made.signed)
    moved = {name: content for name, content in ours.items() if name.startswith("signoff/")}
    ends = {name: other.pop(name) for name in ("statement.dsse.json", "SHA256SUMS")}
    envelope = parse_envelope(ends["statement.dsse.json"], "x")
    signatures = parse_envelope(ours["statement.dsse.json"], "x").signatures
    ends["statement.dsse.json"] = replace(envelope, signatures=signatures).to_bytes()
    found = check(rehashed({**other, **moved, **ends}), TRUST)
    assert any(fault.startswith("seal:") for fault in found.altered)
    assert "signoff/engineering.json: signs another decision." in found.altered


def test_a_report_page_cannot_change_under_a_seal(made: Made, check):
    page = opened(made.signed)["report.html"].replace(b"Parity", b"GO GO GO")
    changed = opened(made.signed)
    changed["report.html"] = page
    assert not check(rehashed(changed), TRUST).verifies


def test_a_seal_that_was_taken_off_is_missed_where_the_list_says_who_seals(made: Made, check):
    files = opened(made.signed)
    envelope = parse_envelope(files["statement.dsse.json"], "x")
    files["statement.dsse.json"] = replace(envelope, signatures=()).to_bytes()
    found = check(rehashed(files), TRUST)
    assert found.altered == ('the bundle is not sealed, and the listed signers name who seals (role "evidence").',)
    assert check(rehashed(files), TRUST[:2]).verifies


def test_a_list_of_signers_asks_for_at_least_one_signature(made: Made, check):
    assert "nothing in this bundle is signed" in check(made.plain, TRUST[:2]).altered[0]


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        ((ADA.signs("engineering"), BOB.signs("risk"), EVE.signs("evidence")), "seal: the key"),
        ((ADA.signs("engineering"), CI.signs("evidence")), "risk: the key"),
        ((ADA.signs("risk"), BOB.signs("engineering"), CI.signs("evidence")), "engineering: the key"),
        ((replace(ADA.signs("engineering"), name="al"), *TRUST[1:]), "engineering: says ada, and the key is al's."),
    ],
)
def test_a_signature_by_anyone_else_is_refused(trust, said: str, made: Made, check):
    found = check(made.signed, trust)
    assert not found.verifies
    assert found.altered[0].startswith(said)


def test_a_bundle_whose_policy_lists_the_forger_convinces_nobody_with_a_list_of_their_own(check, tmp_path: Path):
    folder = decided_run(tmp_path, policy=CRITERION + signoff_table(engineering=EVE, risk=CI))
    for person, role in ((EVE, "engineering"), (CI, "risk")):
        key = load_private_key(person.pem(tmp_path))
        signoff.store(folder.path, signoff.sign(decided.load(folder), person.signs(role), key, at=AT))
    content = evidence.write(folder, tmp_path / "b.tar").path.read_bytes()
    assert check(content).verifies
    found = check(content, TRUST[:2])
    assert not found.verifies
    assert found.signoff is not None
    assert not found.signoff.complete


def test_one_person_in_two_roles_is_refused(check, tmp_path: Path):
    """Written past `parity sign`, which would not have stored it."""
    second = elliptic("ada")
    folder = decided_run(tmp_path, policy=CRITERION + signoff_table(engineering=ADA, risk=[BOB, second]))
    (folder.path / "signoff").mkdir()
    for person, role in ((ADA, "engineering"), (second, "risk")):
        key = load_private_key(person.pem(tmp_path))
        one = signoff.sign(decided.load(folder), person.signs(role), key, at=AT)
        (folder.path / "signoff" / f"{role}.json").write_bytes(one.envelope.to_bytes())
    content = evidence.write(folder, tmp_path / "b.tar").path.read_bytes()
    found = check(content, (ADA.signs("engineering"), second.signs("risk")))
    assert found.altered == ("risk: ada has signed as engineering already; a second role needs a second person.",)


def test_a_missing_sign_off_is_shown_and_alters_nothing(check, tmp_path: Path):
    folder = decided_run(tmp_path, policy=CRITERION + signoff_table(engineering=ADA, risk=BOB))
    key = load_private_key(ADA.pem(tmp_path))
    signoff.store(folder.path, signoff.sign(decided.load(folder), ADA.signs("engineering"), key, at=AT))
    found = check(evidence.write(folder, tmp_path / "b.tar").path.read_bytes(), TRUST[:2])
    assert found.verifies
    assert found.signoff is not None
    assert found.signoff.reasons == ("risk: has not signed this decision.",)


# Years later


def older(content: bytes, version: str = "0.0.1") -> dict[str, bytes]:
    """The bundle as an earlier version of the harness would have written it."""
    files = opened(content)
    head = json.loads(files["bundle.json"])
    files["bundle.json"] = canonical_json({**head, "versions": {**head["versions"], "parity-harness": version}})
    record = {**json.loads(files["run.json"]), "versions": {"parity-harness": version}}
    return {**files, "run.json": json.dumps(record).encode()}


def in_other_words(files: dict[str, bytes]) -> dict[str, bytes]:
    """Decision and report with a headline that this version would not write, hashes of both following."""
    decision = {**json.loads(files["decision.json"]), "headline": "As we said it then."}
    report = json.loads(files["report.json"])
    report["decision"]["headline"] = decision["headline"]
    content = canonical_json(decision)
    head = json.loads(files["bundle.json"])
    head["decision_sha256"] = hashlib.sha256(content).hexdigest()
    changed = {
        "decision.json": content,
        "report.json": json.dumps(report).encode(),
        "bundle.json": canonical_json(head),
    }
    return {**files, **changed}


def test_a_bundle_of_another_version_that_says_it_in_other_words_verifies_and_says_so(made: Made, check):
    found = check(rehashed(in_other_words(older(made.plain))))
    assert found.verifies, found.altered
    assert any("parity-harness 0.0.1 (here" in note for note in found.notes)
    assert any("in other words" in note for note in found.notes)


def test_the_same_version_says_it_in_the_same_words(made: Made, check):
    found = check(rehashed(in_other_words(opened(made.plain))))
    assert any("headline says 'As we said it then.'" in fault for fault in found.altered)


def test_another_version_excuses_no_number_and_points_to_its_own_tools(made: Made, check):
    files = older(made.plain)
    files["rows.jsonl"] = flipped_rows(made.plain)
    found = check(rehashed(files))
    assert not found.verifies
    assert any("Verify with those versions before calling it altered" in note for note in found.notes)


def test_a_policy_of_another_version_that_cannot_be_read_is_unreadable_not_altered(made: Made, check):
    files = older(made.plain, "9.0")
    files["policy.toml"] += b"[novelty]\nx = 1\n"
    with pytest.raises(EvidenceError, match=r"written by parity-harness 9\.0; verify it with that"):
        check(rehashed(files))


@pytest.mark.parametrize("schema", ["bundle/2", "bundle/10"])
def test_a_later_format_is_unreadable_whatever_else_it_changed(schema: str, made: Made, check):
    head = {**told(made.plain, "bundle.json"), "schema": schema}
    files = {"bundle.json": canonical_json(head), "novelty.json": b"{}"}
    with pytest.raises(EvidenceError, match=f"is of format {schema}"):
        check(archive(files))
    with pytest.raises(EvidenceError, match=f"is of format {schema}"):
        check(archive(files) + b"more")


@pytest.mark.parametrize("content", [b"", b"hello", b"{}", bytes(5000), b"PK\x03\x04" * 300])
def test_what_is_no_bundle_is_unreadable(content: bytes, check):
    with pytest.raises(EvidenceError, match="is not a bundle"):
        check(content)


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path):
    with pytest.raises(EvidenceError, match="cannot be read"):
        verify(tmp_path / "absent.tar")


def test_a_planted_fault_is_told(check, tmp_path: Path):
    folder = decided_run(tmp_path)
    rewritten(folder.path / "run.json", planted="flip:0.02")
    found = check(evidence.write(folder, tmp_path / "b.tar").path.read_bytes())
    assert found.verifies
    assert any('planted the fault "flip:0.02"' in note for note in found.notes)


def test_the_document_for_machines_says_all_of_it(made: Made, check):
    document = json.loads(json.dumps(check(made.signed, TRUST).document()))
    assert (document["schema"], document["verifies"], document["altered"]) == ("verification/1", True, [])
    assert document["signatures"][1]["who"] == "ada"
    assert document["signoff"]["complete"] is True
    assert document["decision"] == "INCONCLUSIVE"
