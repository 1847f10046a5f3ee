"""Read a bundle, take nothing in it on trust, and say what in it does not fit.

The decision is computed again from the rows and the policy in the bundle; every hash, every derived text and the
archive itself are made again and compared byte for byte. Who signed is looked up in the verifier's own list of signers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.core.verdict import Verdict
from harness.errors import EvidenceError, HarnessError
from harness.gate import decided, evidence, signoff
from harness.gate.canonical import canonical_json
from harness.gate.canonical import rows_sha256 as hash_of_rows
from harness.gate.conditions import Conditions
from harness.gate.container import Altered
from harness.gate.dsse import Envelope
from harness.gate.opened import Opened, must_be_whole, must_fit_hashes
from harness.gate.signers import SEAL_ROLE, Roles, Signer, find
from harness.gate.statement import statement

SCHEMA = "verification/1"
INCOMPLETE = "run complete"  # the finding of a run that ended before its last case


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One signature in a bundle. what: `seal`, or the role of a sign-off. who: from the verifier's list, else None.

    status: valid | refused | not checked (there was no list to check it against).
    """

    what: str
    status: str
    who: str | None
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying found. altered: all that does not fit, in words; empty where the bundle verifies.

    verdict, decision_sha256: recomputed; None where it did not come to that. handed: findings that stand as recorded,
    as they come from outside the rows. notes: what a reader must know besides.
    """

    run: str
    altered: tuple[str, ...]
    verdict: Verdict | None = None
    decision_sha256: str | None = None
    decided_at: str | None = None
    headline: str = ""
    signatures: tuple[Signed, ...] = ()
    signoff: signoff.SignoffState | None = None
    handed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def verifies(self) -> bool:
        return not self.altered

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "schema": SCHEMA,
            "verifies": self.verifies,
            "altered": list(self.altered),
            "run": self.run,
            "decision": None if self.verdict is None else self.verdict.value,
            "decision_sha256": self.decision_sha256,
            "decided_at": self.decided_at,
            "signatures": [
                {"what": one.what, "status": one.status, "who": one.who, "says": one.says} for one in self.signatures
            ],
            "signoff": None
            if self.signoff is None
            else {"complete": self.signoff.complete, "reasons": list(self.signoff.reasons)},
            "not_recomputed": list(self.handed),
            "notes": list(self.notes),
            "versions": dict(self.versions),
        }


def verify(path: Path, *, trust: Sequence[Signer] | None = None) -> Verification:
    """Verify a bundle. trust: who may sign, in which role; None: signatures are not checked.

    Raises EvidenceError where the file is no bundle, is cut off, or was written by a later version.
    """
    try:
        with path.open("rb") as file:
            return _verify(Opened(file, str(path)), trust)
    except OSError as exc:
        raise EvidenceError(f"{path}: cannot be read ({exc.strerror}).") from exc


def _verify(opened: Opened, trust: Sequence[Signer] | None) -> Verification:
    run = "unknown"
    try:
        if opened.damage is not None:
            raise Altered(opened.damage)
        must_be_whole(opened)
        must_fit_hashes(opened)
        head = opened.json(evidence.HEAD)
        run = str(head.get("run"))
        return _recomputed(opened, head, trust)
    except Altered as exc:
        return Verification(run=run, altered=tuple(exc.args))
    except _Later as exc:
        raise EvidenceError(f"{opened.where}: {exc}") from exc
    except HarnessError as exc:
        return Verification(run=run, altered=(str(exc),))


class _Later(EvidenceError):
    """A part that this version of the harness cannot read, in a bundle that another version wrote."""


def _recomputed(opened: Opened, head: Mapping[str, Any], trust: Sequence[Signer] | None) -> Verification:
    versions = _versions(head)
    told, record = opened.json(evidence.DECISION), opened.document(evidence.RUN)
    made = _decide(opened, head, told, record)
    words = decided.same_words(record)
    faults = [f"{evidence.DECISION}: {fault}." for fault in decided.compare(told, made.content, words=words)]
    notes = _notes(versions, record, differs=bool(faults), worded=any(decided.compare(told, made.content)))
    kept = replace(made, content=told)  # as it was told and signed
    if not faults:
        faults += _derived(opened, versions, record, kept)
    signoffs = [signoff.parse(opened.bytes(f"{signoff.FOLDER}/{role}.json"), role) for role in opened.roles()]
    for one in signoffs:
        if (one.decision_sha256, one.run, one.decision) != (kept.sha256, kept.run, told.get("decision")):
            faults.append(f"{signoff.FOLDER}/{one.role}.json: signs another decision.")
    signatures, refused = _signatures(opened.envelope(), signoffs, kept, trust)
    state = None
    if trust is not None and made.policy.signoff.required:
        asked = Roles(required=made.policy.signoff.required, signers=tuple(trust))
        state = signoff.complete(signoffs, asked, kept.sha256)
    return Verification(
        run=made.run,
        altered=(*faults, *refused),
        verdict=made.verdict,
        decision_sha256=made.sha256 if faults else kept.sha256,
        decided_at=made.decided_at.isoformat(),
        headline=str(made.content["headline"]),
        signatures=signatures,
        signoff=state,
        handed=made.handed,
        notes=notes,
        versions=versions,
    )


def _decide(
    opened: Opened, head: Mapping[str, Any], told: Mapping[str, Any], record: Mapping[str, Any]
) -> decided.Decided:
    """The decision from rows and policy alone. Raises Altered where they cannot be read."""
    from harness.gate.policy import load_policy
    from harness.gate.rows_file import read_rows

    decided_at = decided.parse_time(head.get("decided_at"), evidence.HEAD)
    with opened.extracted(evidence.POLICY, evidence.ROWS) as folder:
        try:
            policy = load_policy(folder / evidence.POLICY).under(Conditions.of(record))
            rows = read_rows(folder / evidence.ROWS)
        except HarnessError as exc:
            said = str(exc).replace(f"{folder}/", "")
            wrote = _versions(head).get("parity-harness")
            if wrote != evidence.versions()["parity-harness"]:
                raise _Later(f"{said} The bundle was written by parity-harness {wrote}; verify it with that.") from exc
            raise Altered(said) from exc
    hashed = hash_of_rows(rows)
    if hashed != opened.by_name[evidence.ROWS].sha256:
        raise Altered(f"{evidence.ROWS}: is not written in canonical form.")
    run = str(head.get("run"))
    return decided.recompute(run, rows, policy, told, record=record, decided_at=decided_at, rows_hash=hashed)


def _derived(
    opened: Opened, versions: dict[str, str], record: Mapping[str, Any], kept: decided.Decided
) -> Iterator[str]:
    """What else must follow from the decision and the members, made again."""
    if opened.bytes(evidence.HEAD) != canonical_json(evidence.head(kept, versions)):
        yield f"{evidence.HEAD}: does not say what run, decision and format give."
    if opened.envelope().payload != statement(opened.members[:-2], kept.content):
        yield f"{evidence.STATEMENT}: does not say what members and decision give."
    yield from _run_record(opened, record, kept)
    yield from _report(opened, kept)


def _run_record(opened: Opened, record: Mapping[str, Any], kept: decided.Decided) -> Iterator[str]:
    said = (record.get("run"), record.get("policy_sha256"), record.get("suite_sha256"))
    if said != (kept.run, kept.policy.sha256, opened.by_name[evidence.POLICY].sha256):
        yield f"{evidence.RUN}: is of another run or policy."
    if record.get("partial") is not False:
        yield f"{evidence.RUN}: is of a PARTIAL run, which has no decision."
    golden = record.get("golden") or {}
    if not isinstance(golden, dict) or golden.get("sha256", record.get("golden_sha256")) != record.get("golden_sha256"):
        yield f"{evidence.RUN}: says two things of the golden set."
    cases, replayed = record.get("cases"), len(kept.rows.cases())
    if not isinstance(cases, int) or (replayed < cases and not _says_incomplete(kept)):
        yield f"{evidence.RUN}: names {cases} cases, the rows hold {replayed}, and no finding says why."


def _says_incomplete(kept: decided.Decided) -> bool:
    """A run that ended early carries a finding of its own that withholds GO; any other finding is no excuse."""
    return INCOMPLETE in kept.handed and any(
        (found["criterion"], found["verdict"], found["gating"]) == (INCOMPLETE, Verdict.INCONCLUSIVE.value, True)
        for found in kept.content["findings"]
    )


def _report(opened: Opened, kept: decided.Decided) -> Iterator[str]:
    """The report for machines must show this decision; the page for people is bound by its hash only."""
    report = opened.document(evidence.REPORTS[0])
    shown = report.get("decision")
    if not isinstance(shown, dict) or not isinstance(shown.get("findings"), list):
        yield f"{evidence.REPORTS[0]}: shows no decision."
        return
    told = kept.content
    same = (
        report.get("run") == kept.run
        and shown.get("verdict") == told["decision"]
        and all(shown.get(key) == told[key] for key in ("policy_sha256", "signature", "headline"))
        and [_brief(finding) for finding in shown["findings"]] == [_brief(finding) for finding in told["findings"]]
    )
    if not same:
        yield f"{evidence.REPORTS[0]}: shows another decision."


def _brief(finding: Any) -> Any:
    return [finding.get(key) for key in ("criterion", "slice", "verdict", "gating", "reason", "waived_by")]


def _signatures(
    envelope: Envelope, signoffs: Sequence[signoff.SignOff], kept: decided.Decided, trust: Sequence[Signer] | None
) -> tuple[tuple[Signed, ...], tuple[str, ...]]:
    """Every signature in the bundle, and why those that are refused are."""
    found = [_seal(envelope, at, trust) for at in range(len(envelope.signatures))]
    found += [_signed(one, kept, trust) for one in signoffs]
    refused = [f"{one.what}: {one.says}" for one in found if one.status == "refused"]
    if trust is not None:
        refused += signoff.twice(signoffs)
        if not found:
            refused.append("nothing in this bundle is signed, and --trust asks for signatures by listed keys.")
        if not envelope.signatures and any(signer.role == SEAL_ROLE for signer in trust):
            refused.append(f'the bundle is not sealed, and the listed signers name who seals (role "{SEAL_ROLE}").')
    return tuple(found), tuple(refused)


def _seal(envelope: Envelope, at: int, trust: Sequence[Signer] | None) -> Signed:
    """Whoever is listed may seal; where the list names a role for it, only that role."""
    signature = envelope.signatures[at]
    key = f"key {signature.keyid[:16]}"
    if trust is None:
        return Signed(what="seal", status="not checked", who=None, says=key)
    named = [signer for signer in trust if signer.role == SEAL_ROLE]
    signer = find(named or trust, signature.keyid)
    if signer is None:
        return Signed(what="seal", status="refused", who=None, says=f"the {key} is not listed for sealing.")
    if not signer.key.verify(envelope.signed_bytes, signature.sig):
        return Signed(what="seal", status="refused", who=None, says=f"the signature does not fit {signer.name}'s key.")
    return Signed(what="seal", status="valid", who=signer.name, says=key)


def _signed(one: signoff.SignOff, kept: decided.Decided, trust: Sequence[Signer] | None) -> Signed:
    claim = f"{one.person}, key {one.key_id[:16]}, who says at {one.signed_at.isoformat()}"
    if trust is None:
        return Signed(what=one.role, status="not checked", who=None, says=claim)
    reason = signoff.refusal(one, trust, kept.sha256)
    if reason is not None:
        return Signed(what=one.role, status="refused", who=None, says=reason.removeprefix(f"{one.role}: "))
    return Signed(what=one.role, status="valid", who=one.person, says=claim)


def _versions(head: Mapping[str, Any]) -> dict[str, str]:
    found = head.get("versions")
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Altered(f"{evidence.HEAD}: names no versions.")
    return found


def _notes(versions: Mapping[str, str], record: Mapping[str, Any], *, differs: bool, worded: bool) -> tuple[str, ...]:
    """What a reader must know besides. differs: numbers are not the same; worded: words are not."""
    here = evidence.versions()
    notes = []
    changed = [
        f"{name} {was} (here {here.get(name, 'not installed')})"
        for name, was in versions.items()
        if was != here.get(name)
    ]
    if changed:
        end = " Verify with those versions before calling it altered." if differs else ""
        notes.append(f"The bundle was written with {', '.join(changed)}.{end}")
    if worded and not differs:
        notes.append("This version of the harness says the same in other words.")
    if planted := record.get("planted"):
        notes.append(f'The embedded lab had planted the fault "{planted}": this run judges no real service.')
    return tuple(notes)
