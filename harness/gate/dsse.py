"""DSSE envelopes: a typed payload and the signatures over it.

A signature covers PAE(type, payload) = "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload, lengths in ASCII
decimal. Source: github.com/secure-systems-lab/dsse, protocol.md and envelope.md, version 1.0.2. An envelope without
signatures is legal here and says of itself only what its payload says.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace

from harness.errors import EvidenceError
from harness.gate.canonical import canonical_json, parse_canonical


@dataclass(frozen=True, slots=True)
class Signature:
    """keyid: SHA-256 of the public key (see `keys.PublicKey`), a hint that no signature covers."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def signed_bytes(self) -> bytes:
        """What a signature is over."""
        return pae(self.payload_type, self.payload)

    def signed(self, signature: Signature) -> Envelope:
        return replace(self, signatures=(*self.signatures, signature))

    def to_bytes(self) -> bytes:
        """Canonical JSON; the same envelope gives the same bytes."""
        return canonical_json(
            {
                "payloadType": self.payload_type,
                "payload": _encode(self.payload),
                "signatures": [{"keyid": one.keyid, "sig": _encode(one.sig)} for one in self.signatures],
            }
        )


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def parse_envelope(content: bytes, what: str) -> Envelope:
    """An envelope that is written canonically. Raises EvidenceError naming `what` for anything else."""
    match parse_canonical(content, what):
        case {"payload": str(payload), "payloadType": str(kind), "signatures": list(signatures), **rest} if not rest:
            return Envelope(kind, _decode(payload, what), tuple(_signature(one, what) for one in signatures))
    raise EvidenceError(f"{what}: is not a DSSE envelope (payload, payloadType, signatures).")


def _signature(entry: object, what: str) -> Signature:
    match entry:
        case {"keyid": str(keyid), "sig": str(sig), **rest} if not rest:
            return Signature(keyid, _decode(sig, what))
    raise EvidenceError(f"{what}: a signature has a keyid and a sig, both texts, and nothing else.")


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decode(text: str, what: str) -> bytes:
    """Strict base64: padding bits that are not zero would be bytes that nothing covers."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise EvidenceError(f"{what}: holds text that is not base64.") from exc
    if _encode(content) != text:
        raise EvidenceError(f"{what}: holds base64 that is not in canonical form.")
    return content
