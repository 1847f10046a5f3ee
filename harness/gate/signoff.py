"""Two people put their keys to one decision.

A sign-off is a DSSE envelope over role, person, run, decision and the time that the signer claims. It lies in the run's
folder as `signoff/ROLE.json`. Who may sign, and under which name, is looked up in the policy's `[signoff]` table from
the key, as git looks up its allowed signers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from harness.core.verdict import Verdict
from harness.errors import EvidenceError, UnknownName
from harness.gate.canonical import canonical_json, parse_canonical
from harness.gate.decided import parse_time
from harness.gate.dsse import Envelope, Signature, parse_envelope
from harness.gate.keys import PublicKey, Signing
from harness.gate.signers import Roles, Signer, find

SCHEMA = "signoff/1"
PAYLOAD_TYPE = "application/vnd.parity-harness.signoff+json"
FOLDER = "signoff"
_FIELDS = ("schema", "role", "person", "run", "decision", "decision_sha256", "signed_at", "algorithm")


class Signable(Protocol):
    """What people sign: a run's decision (`gate.decided`), or that of a whole migration (`gate.migration`)."""

    @property
    def run(self) -> str: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """One signature as stored. person and signed_at are what the signer's payload says; `holds` proves the first."""

    role: str
    person: str
    run: str
    decision: str
    decision_sha256: str
    signed_at: datetime
    algorithm: str
    envelope: Envelope

    @property
    def key_id(self) -> str:
        return self.envelope.signatures[0].keyid

    def signed_by(self, key: PublicKey) -> bool:
        return key.verify(self.envelope.signed_bytes, self.envelope.signatures[0].sig)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignoffState:
    """Whether a decision is signed off. reasons: in plain words, all that is missing or wrong, or who signed.

    signed: role -> person, of the sign-offs that count.
    """

    complete: bool
    reasons: tuple[str, ...]
    signed: dict[str, str]


def allowed(roles: Roles, role: str, *, name: str | None = None, key: PublicKey | None = None) -> Signer:
    """The listed person who signs in this role: the one with this key, or else of this name, or else the only one.

    Raises UnknownName for a role or name that is not listed, EvidenceError for a key that is not.
    """
    if not roles.signers:
        raise EvidenceError(
            "the policy lists no signers. Add a [signoff] table with roles and public keys, and run anew."
        )
    if role not in roles.names:
        raise UnknownName("policy, [signoff]", "role", role, roles.names)
    listed = roles.of(role)
    if key is not None:
        found = find(listed, key.id)
        if found is None:
            raise EvidenceError(_unlisted(roles, role, key))
        if name is not None and name != found.name:
            raise EvidenceError(f'the key belongs to {found.name}, not to "{name}". Names are looked up, not given.')
        return found
    named = [signer for signer in listed if name in (None, signer.name)]
    if not named:
        raise UnknownName(f"policy, [signoff], {role}", "signer", str(name), (signer.name for signer in listed))
    if len(named) > 1:
        names = ", ".join(signer.name for signer in named)
        raise EvidenceError(f"{role} lists several keys ({names}); say whose key the command signs with: --name.")
    return named[0]


def sign(decided: Signable, signer: Signer, key: Signing, *, at: datetime) -> SignOff:
    """Sign a decision as this listed person. at: UTC, the signer's own clock.

    Raises EvidenceError where the key is not the listed one.
    """
    if key.public.id != signer.key.id:
        raise EvidenceError(f"key {key.public.id[:16]} is not the one that the policy lists for {signer.name}.")
    payload = canonical_json(
        {
            "schema": SCHEMA,
            "role": signer.role,
            "person": signer.name,
            "run": decided.run,
            "decision": decided.verdict.value,
            "decision_sha256": decided.sha256,
            "signed_at": at.isoformat(timespec="seconds"),
            "algorithm": key.public.algorithm,
        }
    )
    envelope = Envelope(PAYLOAD_TYPE, payload)
    signature = Signature(key.public.id, key.sign(envelope.signed_bytes))
    return parse(envelope.signed(signature).to_bytes(), signer.role)


def parse(content: bytes, role: str) -> SignOff:
    """A sign-off from its file. Raises EvidenceError where it is none, or one of another role."""
    what = f"{FOLDER}/{role}.json"
    envelope = parse_envelope(content, what)
    if envelope.payload_type != PAYLOAD_TYPE or len(envelope.signatures) != 1:
        raise EvidenceError(f"{what}: is not a sign-off with one signature.")
    told = parse_canonical(envelope.payload, f"{what}, payload")
    if told.get("schema") != SCHEMA:
        raise EvidenceError(f"{what}: schema {told.get('schema')!r}, this version reads {SCHEMA!r}.")
    if set(told) != set(_FIELDS) or not all(isinstance(value, str) for value in told.values()):
        raise EvidenceError(f"{what}: a sign-off says {', '.join(_FIELDS)}, all texts, and nothing else.")
    if told["role"] != role:
        raise EvidenceError(f"{what}: is a sign-off in the role {told['role']}.")
    fields: dict[str, Any] = {name: told[name] for name in _FIELDS if name not in ("schema", "signed_at")}
    return SignOff(**fields, signed_at=parse_time(told["signed_at"], what), envelope=envelope)


def read_all(folder: Path) -> tuple[SignOff, ...]:
    """The sign-offs of the run in this folder, by role; none where nobody signed."""
    return tuple(parse(path.read_bytes(), path.stem) for path in sorted((folder / FOLDER).glob("*.json")))


def store(folder: Path, new: SignOff, *, replace: bool = False) -> Path:
    """Write `signoff/ROLE.json`. Raises EvidenceError where the role has signed already, or the person or key has.

    replace: overwrite this role's earlier sign-off, of this decision or another.
    """
    others = read_all(folder)
    for other in others:
        if other.role == new.role and not replace:
            same = other.decision_sha256 == new.decision_sha256
            what = "this decision" if same else f"another decision ({other.decision_sha256[:16]})"
            raise EvidenceError(
                f"{other.person} has signed {what} as {new.role}. Put yours in its place with --replace."
            )
        if other.role != new.role and other.decision_sha256 == new.decision_sha256:
            refuse_same(new, other)
    path = folder / FOLDER / f"{new.role}.json"
    path.parent.mkdir(exist_ok=True)
    content = new.envelope.to_bytes()
    if replace:
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_bytes(content)
        partial.replace(path)
        return path
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as exc:
        raise EvidenceError(f"{path}: was signed a moment ago by someone else.") from exc
    return path


def refuse_same(new: SignOff, other: SignOff) -> None:
    """Raises EvidenceError where one person, or one key, would stand for two roles."""
    if new.key_id == other.key_id:
        raise EvidenceError(f"this key has signed as {other.role} already; a second role needs a second person's key.")
    if new.person == other.person:
        raise EvidenceError(f"{new.person} has signed as {other.role} already; a second role needs a second person.")


def complete(signatures: Sequence[SignOff], roles: Roles, decision_sha256: str) -> SignoffState:
    """Whether every required role signed this decision with a listed key, two different people with two keys.

    A pure function. Sign-offs in roles that are not required are checked as well and do not help.
    """
    if not roles.required:
        return SignoffState(complete=False, reasons=("the policy lists no signers ([signoff]).",), signed={})
    faults = [fault for one in signatures if (fault := refusal(one, roles.signers, decision_sha256))]
    good = [one for one in signatures if refusal(one, roles.signers, decision_sha256) is None]
    faults += twice(good)
    signed = {one.role: one.person for one in good}
    faults += [f"{role}: has not signed this decision." for role in roles.required if role not in signed]
    done = tuple(f"{one.role}: signed by {one.person}, who says at {one.signed_at.isoformat()}." for one in good)
    return SignoffState(complete=not faults, reasons=tuple(faults) or done, signed=signed)


def refusal(one: SignOff, signers: Iterable[Signer], decision_sha256: str) -> str | None:
    """Why a sign-off does not count, or None. signers: of the policy, or of a verifier's own file."""
    listed = [signer for signer in signers if signer.role == one.role]
    signer = find(listed, one.key_id)
    if one.decision_sha256 != decision_sha256:
        return f"{one.role}: {one.person} signed another decision ({one.decision_sha256[:16]})."
    if signer is None:
        return f"{one.role}: the key {one.key_id[:16]} is not listed for this role."
    if not one.signed_by(signer.key):
        return f"{one.role}: the signature does not fit {signer.name}'s key and what was signed."
    if one.person != signer.name:
        return f"{one.role}: says {one.person}, and the key is {signer.name}'s."
    return None


def twice(good: Sequence[SignOff]) -> Iterable[str]:
    """Where one person or one key stands for two roles, in words."""
    for at, one in enumerate(good):
        for other in good[:at]:
            try:
                refuse_same(one, other)
            except EvidenceError as exc:
                yield f"{one.role}: {exc}"


def _unlisted(roles: Roles, role: str, key: PublicKey) -> str:
    elsewhere = find(roles.signers, key.id)
    if elsewhere is not None:
        return f"the key is {elsewhere.name}'s and is listed for the role {elsewhere.role}, not for {role}."
    names = ", ".join(f"{signer.name} ({signer.key.id[:16]})" for signer in roles.of(role))
    return f"the key {key.id[:16]} is not listed for the role {role}. Listed: {names}."
