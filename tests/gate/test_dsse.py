from __future__ import annotations

import base64

import pytest

from harness.errors import EvidenceError
from harness.gate.dsse import Envelope, Signature, pae, parse_envelope
from harness.gate.keys import ECDSA, PublicKey, parse_public_key

SIGNED = Envelope("application/x", b'{"a":1}\n', (Signature("k", b"\x01\x02"),))


def test_the_encoding_is_that_of_the_specification():
    """Test vector of github.com/secure-systems-lab/dsse, protocol.md."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_count_bytes_not_characters():
    assert pae("ü", "é".encode()) == "DSSEv1 2 ü 2 é".encode()


def test_an_envelope_reads_back_and_writes_the_same_bytes():
    assert parse_envelope(SIGNED.to_bytes(), "x") == SIGNED
    assert parse_envelope(SIGNED.to_bytes(), "x").to_bytes() == SIGNED.to_bytes()


def test_base64_with_loose_padding_bits_is_refused():
    """`AR==` and `AQ==` decode to the same byte: one of them would be a free byte of the file."""
    content = SIGNED.to_bytes().replace(base64.b64encode(b"\x01\x02"), b"AQJ=")
    assert b"AQJ=" in content
    with pytest.raises(EvidenceError, match="canonical"):
        parse_envelope(content, "x")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"keyid"', b'"extra":1,"keyid"'),
        (b'"signatures":[', b'"signatures":[1,'),
        (b'"payload":', b'"payload":1,"x":'),
        (b"AQI=", b"AQ*="),
    ],
)
def test_anything_else_in_an_envelope_is_refused(old: bytes, new: bytes):
    with pytest.raises(EvidenceError, match="statement"):
        parse_envelope(SIGNED.to_bytes().replace(old, new), "statement")


def test_the_specification_s_own_signature_verifies():
    """ECDSA P-256 vector of protocol.md; the document gives r and s, which DER wraps."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    numbers = ec.EllipticCurvePublicNumbers(
        x=46950820868899156662930047687818585632848591499744589407958293238635476079160,
        y=5640078356564379163099075877009565129882514886557779369047442380624545832820,
        curve=ec.SECP256R1(),
    )
    der = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = parse_public_key(base64.b64encode(der).decode(), "vector")
    raw = base64.b64decode("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==")
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    message = pae("http://example.com/HelloWorld", b"hello world")
    assert key == PublicKey(der, ECDSA)
    assert key.verify(message, signature)
    assert not key.verify(message + b"!", signature)
