from __future__ import annotations

import base64
import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from harness.errors import EvidenceError
from harness.gate.keys import ECDSA, ED25519, Hook, PrivateKey, load_private_key, parse_public_key
from tests.gate.sealed import Person, edwards, elliptic

MAKERS = [edwards, elliptic]
OPENSSL = shutil.which("openssl") or ""


@pytest.mark.parametrize("make", MAKERS)
def test_what_a_key_signs_its_public_half_verifies_and_no_other(make, tmp_path: Path):
    key = load_private_key(make("ada").pem(tmp_path))
    signature = key.sign(b"decision")
    assert key.public.verify(b"decision", signature)
    assert not key.public.verify(b"decision.", signature)
    assert not load_private_key(make("bob").pem(tmp_path)).public.verify(b"decision", signature)


@pytest.mark.parametrize("make", MAKERS)
def test_one_key_has_one_identity_in_every_form(make):
    person = make("ada")
    der = person.public(serialization.Encoding.DER)
    forms = [person.line, person.line + " ada@laptop", person.public().decode(), base64.b64encode(der).decode()]
    assert {parse_public_key(form, "x").id for form in forms} == {hashlib.sha256(der).hexdigest()}


def test_a_compressed_point_is_the_same_key():
    person = elliptic("ada")
    point = person.private.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    header = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")  # RFC 5480, 33 bytes of key
    compressed = base64.b64encode(header + point).decode()
    assert parse_public_key(compressed, "x") == parse_public_key(person.line, "x")


@pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")
def test_openssl_agrees_on_the_identity_of_a_key(tmp_path: Path):
    path = edwards("ada").pem(tmp_path)
    der = subprocess.run(
        [OPENSSL, "pkey", "-in", str(path), "-pubout", "-outform", "DER"], capture_output=True, check=True
    ).stdout
    assert load_private_key(path).public.id == hashlib.sha256(der).hexdigest()


def test_the_algorithm_follows_from_the_key():
    assert parse_public_key(edwards("ada").line, "x").algorithm == ED25519
    assert parse_public_key(elliptic("ada").line, "x").algorithm == ECDSA


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())], ids=["rsa", "p384"]
)
def test_other_kinds_of_keys_are_refused_on_both_sides(key, tmp_path: Path):
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    with pytest.raises(EvidenceError, match="Ed25519, or ECDSA on the curve P-256"):
        parse_public_key(line.decode(), "policy")
    with pytest.raises(EvidenceError, match="Ed25519, or ECDSA on the curve P-256"):
        load_private_key(Person("x", key).pem(tmp_path))


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "not a key", "AAAA", "-----BEGIN PUBLIC KEY-----"]
)
def test_what_is_no_public_key_says_where_and_which_forms_are(text: str):
    with pytest.raises(EvidenceError, match="risk, bob: is no public key"):
        parse_public_key(text, "risk, bob")


def test_a_private_key_in_the_place_of_a_public_one_is_called_out_and_not_quoted(tmp_path: Path):
    text = edwards("ada").pem(tmp_path).read_text()
    with pytest.raises(EvidenceError, match="holds a private key") as caught:
        parse_public_key(text, "policy")
    assert text.splitlines()[1] not in str(caught.value)


def test_a_passphrase_comes_from_the_named_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    person = edwards("ada")
    path = person.pem(tmp_path, passphrase=b"open sesame")
    monkeypatch.setenv("SIGNING_PASSPHRASE", "open sesame")
    assert load_private_key(path, passphrase_env="SIGNING_PASSPHRASE").public == parse_public_key(person.line, "x")


def test_a_missing_wrong_or_needless_passphrase_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WRONG", "guess")
    path = edwards("ada").pem(tmp_path, passphrase=b"open sesame")
    with pytest.raises(EvidenceError, match="--passphrase-env NAME"):
        load_private_key(path)
    with pytest.raises(EvidenceError, match="its passphrase is wrong"):
        load_private_key(path, passphrase_env="WRONG")
    with pytest.raises(EvidenceError, match="ABSENT: this environment variable is not set"):
        load_private_key(path, passphrase_env="ABSENT")
    with pytest.raises(EvidenceError, match="it has none"):
        load_private_key(edwards("bob").pem(tmp_path), passphrase_env="WRONG")


def test_openssh_private_keys_are_read_too(tmp_path: Path):
    person = elliptic("ada")
    path = tmp_path / "id_ecdsa"
    path.write_bytes(
        person.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    )
    assert load_private_key(path).public == parse_public_key(person.line, "x")


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_private_key_is_named_and_not_quoted(content: bytes, tmp_path: Path):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(EvidenceError, match=r"key\.pem: is no PEM private key") as caught:
        load_private_key(path)
    assert "AAAA" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_private_key_never_shows_itself(tmp_path: Path):
    key = load_private_key(edwards("ada").pem(tmp_path))
    assert repr(key) == f"PrivateKey(ed25519, public key {key.public.id[:16]})"


# The hook: a small program stands for Key Vault or KMS; it holds the key and this process never sees it.

SIGNER = """
import base64, os, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
path, form = sys.argv[1:]
key = serialization.load_pem_private_key(open(path, "rb").read(), None)
assert os.environ["PARITY_ALGORITHM"] == ("ecdsa-p256-sha256" if hasattr(key, "curve") else "ed25519")
message = sys.stdin.buffer.read()
signature = key.sign(message, ec.ECDSA(hashes.SHA256())) if hasattr(key, "curve") else key.sign(message)
if "pair" in form:
    r, s = decode_dss_signature(signature)
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
if "base64" in form:
    signature = base64.b64encode(signature) + b"\\n"
if "url" in form:
    signature = base64.urlsafe_b64encode(signature).rstrip(b"=")
sys.stdout.buffer.write(signature)
"""


def hook(folder: Path, person: Person, form: str) -> Hook:
    program = folder / "signer.py"
    program.write_text(SIGNER)
    command = shlex.join([sys.executable, str(program), str(person.pem(folder)), form])
    return Hook(parse_public_key(person.line, "x"), command)


@pytest.mark.parametrize(
    ("make", "form"),
    [(edwards, "raw"), (edwards, "base64"), (elliptic, "raw"), (elliptic, "pair"), (elliptic, "pair url")],
)
def test_a_command_may_answer_as_kms_or_key_vault_do(make, form: str, tmp_path: Path):
    signing = hook(tmp_path, make("ada"), form)
    assert signing.public.verify(b"decision", signing.sign(b"decision"))


def test_a_pair_of_numbers_is_stored_as_der(tmp_path: Path):
    signature = hook(tmp_path, elliptic("ada"), "pair").sign(b"decision")
    assert len(decode_dss_signature(signature)) == 2


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false", "failed with exit code 1"),
        ("echo hello", "no ed25519 signature by the listed key"),
        ("true", "0 bytes"),
        ("/no/such/program", "cannot be started"),
        ("", "cannot be started"),
        ("unbalanced 'quote", "cannot be started"),
    ],
)
def test_a_command_that_does_not_sign_says_why(command: str, said: str):
    with pytest.raises(EvidenceError, match=said):
        Hook(parse_public_key(edwards("ada").line, "x"), command).sign(b"decision")


def test_a_command_that_signs_with_another_key_is_refused(tmp_path: Path):
    other = hook(tmp_path, edwards("bob"), "raw")
    with pytest.raises(EvidenceError, match="by the listed key"):
        Hook(parse_public_key(edwards("ada").line, "x"), other.command).sign(b"decision")


def test_a_loaded_key_is_a_way_of_signing(tmp_path: Path):
    assert isinstance(load_private_key(edwards("ada").pem(tmp_path)), PrivateKey)
