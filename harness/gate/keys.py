"""Keys that sign decisions: Ed25519, or ECDSA on P-256 with SHA-256.

A private key is read from PEM (PKCS#8, SEC 1 or OpenSSH) and leaves no trace in messages, or it stays where it is (Key
Vault, KMS, a token) behind a command that is given the bytes on stdin and answers with the signature on stdout.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.errors import EvidenceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = "ed25519"
ECDSA = "ecdsa-p256-sha256"
FORMS = "an OpenSSH line (ssh-ed25519 ..., ecdsa-sha2-nistp256 ...), PEM, or the base64 of its DER"
HOOK_SECONDS = 300  # a person may have to touch a token or confirm on a phone


@dataclass(frozen=True, slots=True)
class PublicKey:
    """der: SubjectPublicKeyInfo, points uncompressed, so that one key has one form. algorithm: ED25519 or ECDSA."""

    der: bytes
    algorithm: str

    @property
    def id(self) -> str:
        """SHA-256 of the DER, in hex: `openssl pkey -pubin -in KEY.pem -outform DER | sha256sum`."""
        return hashlib.sha256(self.der).hexdigest()

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether this key's owner signed the message. ECDSA signatures are DER."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519

        key = serialization.load_der_public_key(self.der)
        try:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, message)
            elif isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            else:
                return False
        except InvalidSignature:
            return False
        return True


class Signing(Protocol):
    """Whatever can sign for a public key that is known beforehand."""

    @property
    def public(self) -> PublicKey: ...
    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key in this process's memory; it is never printed."""

    public: PublicKey
    _key: Ed25519PrivateKey | EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.algorithm}, public key {self.public.id[:16]})"

    def sign(self, message: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519

        if isinstance(self._key, ed25519.Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class Hook:
    """A command that signs: bytes on stdin, signature on stdout, PARITY_ALGORITHM in its environment.

    The signature may come as raw bytes or as base64 (either alphabet); one of ECDSA as DER (AWS KMS) or as the 64 bytes
    r and s (Azure Key Vault). It counts only when `public` verifies it.
    """

    public: PublicKey
    command: str

    def sign(self, message: bytes) -> bytes:
        """Raises EvidenceError when the command fails, or answers with anything but this key's signature."""
        said = self._run(message)
        for candidate in _signatures(said, self.public.algorithm):
            if self.public.verify(message, candidate):
                return candidate
        raise EvidenceError(
            f"the signing command answered with {len(said)} bytes that are no {self.public.algorithm} signature by the "
            f"listed key {self.public.id[:16]}. It must sign the bytes on its stdin, not a hash of them in hex."
        )

    def _run(self, message: bytes) -> bytes:
        try:
            words = shlex.split(self.command)
            done = subprocess.run(
                words,
                input=message,
                stdout=subprocess.PIPE,
                timeout=HOOK_SECONDS,
                check=False,
                env={**os.environ, "PARITY_ALGORITHM": self.public.algorithm},
            )
        except (OSError, ValueError, IndexError) as exc:
            raise EvidenceError(f"the signing command cannot be started: {type(exc).__name__}: {exc}.") from exc
        except subprocess.TimeoutExpired as exc:
            raise EvidenceError(f"the signing command gave no signature within {HOOK_SECONDS} s.") from exc
        if done.returncode != 0:
            raise EvidenceError(f"the signing command failed with exit code {done.returncode}; see what it said above.")
        return done.stdout


def load_private_key(path: Path, *, passphrase_env: str | None = None) -> PrivateKey:
    """The key in a PEM file. passphrase_env: the environment variable that holds its passphrase.

    Raises EvidenceError saying what is wrong with the file, never what is in it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    passphrase = _passphrase(passphrase_env)
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise EvidenceError(f"{path}: the key cannot be read ({exc.strerror}).") from exc
    openssh = b"BEGIN OPENSSH PRIVATE KEY" in content
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    try:
        key = load(content, passphrase)
    except TypeError as exc:
        hint = "it has none" if passphrase is not None else "name the variable that holds it: --passphrase-env NAME"
        raise EvidenceError(f"{path}: the passphrase does not fit: {hint}.") from exc
    except (ValueError, UnsupportedAlgorithm):
        # The library's message may quote the file, so it is dropped on purpose.
        raise EvidenceError(
            f"{path}: is no PEM private key that can be read, or its passphrase is wrong. "
            "Make one with: openssl genpkey -algorithm ed25519"
        ) from None
    return PrivateKey(_public(key.public_key(), str(path)), key)  # type: ignore[arg-type] # _public refuses other kinds


def parse_public_key(text: str, where: str) -> PublicKey:
    """A public key in any of `FORMS`. Raises EvidenceError naming `where`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    text = text.strip()
    try:
        if text.startswith("-----BEGIN"):
            return _public(serialization.load_pem_public_key(text.encode()), where)
        if " " in text:
            return _public(serialization.load_ssh_public_key(text.encode()), where)
        return _public(serialization.load_der_public_key(base64.b64decode(text, validate=True)), where)
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        if "PRIVATE KEY" in text:
            raise EvidenceError(f"{where}: holds a private key. Take it out, and revoke it.") from None
        raise EvidenceError(f"{where}: is no public key. Write {FORMS}.") from None


def _public(key: object, where: str) -> PublicKey:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ed25519.Ed25519PublicKey):
        return PublicKey(_der(key), ED25519)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return PublicKey(_der(key), ECDSA)
    raise EvidenceError(f"{where}: a key that signs is Ed25519, or ECDSA on the curve P-256.")


def _der(key: Ed25519PublicKey | EllipticCurvePublicKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _passphrase(name: str | None) -> bytes | None:
    if name is None:
        return None
    if name not in os.environ:
        raise EvidenceError(f"--passphrase-env {name}: this environment variable is not set.")
    return os.environ[name].encode()


def _signatures(said: bytes, algorithm: str) -> Iterator[bytes]:
    """What the bytes of a hook may mean; a key decides which of them it is."""
    readings = [said]
    text = b"".join(said.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    with contextlib.suppress(binascii.Error, ValueError):
        readings.append(base64.b64decode(text + b"=" * (-len(text) % 4), validate=True))
    for reading in readings:
        yield reading
        if algorithm == ECDSA and len(reading) == 64:
            yield _der_signature(reading)


def _der_signature(raw: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
