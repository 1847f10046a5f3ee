"""Redaction of bodies: whatever a secret is wrapped in, and nothing else."""

from __future__ import annotations

import base64
import json

import pytest

from harness.core.case import Provenance, Recording
from harness.recordings.lines import StoredCase
from harness.recordings.privacy import redacted
from harness.recordings.pseudonyms import Pseudonyms

PERSON = "ada.lovelace@analytical.example"


def stored(body: bytes, kind: str = "application/json") -> StoredCase:
    recording = Recording(
        id="c-1",
        service="bedrock",
        operation="Converse",
        request_headers={"content-type": kind},
        request_body=body,
        provenance=Provenance(captured_at=None),
    )
    return redacted(StoredCase(recording=recording, cluster="c-1"), Pseudonyms(key=b"k" * 32))


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"text": json.dumps({"inner": [PERSON]})}),
        json.dumps({"data": base64.b64encode(f"Write to {PERSON}".encode()).decode()}),
        json.dumps({"text": PERSON})[:-1] + ', "text": "hello"}',
        json.dumps({PERSON: 1}),
    ],
    ids=["JSON in JSON", "base64", "under a key that is there twice", "a key"],
)
def test_what_is_wrapped_is_found(body):
    case = stored(body.encode())
    kept = case.recording.request_body
    assert PERSON.encode() not in kept
    assert PERSON.encode() not in base64.b64decode(json.loads(kept).get("data", ""))
    assert case.recording.provenance.redacted


@pytest.mark.parametrize("kind", ["text/csv", "text/plain; charset=latin-1", "application/json"])
def test_a_text_that_is_not_utf8_is_redacted_and_keeps_its_other_bytes(kind):
    kept = stored(f"Zoë {PERSON} Ö".encode("latin-1"), kind).recording.request_body
    assert PERSON.encode() not in kept
    assert kept.startswith(b"Zo\xeb ")
    assert kept.endswith(b" \xd6")


def test_numbers_and_pictures_stay():
    for body, kind in [
        (b'{"card": 4111111111111111, "x": [1e-7, NaN]}', "application/json"),
        (b"\x89PNG\xff" + PERSON.encode(), "image/png"),
    ]:
        case = stored(body, kind)
        assert case.recording.request_body == body
        assert not case.recording.provenance.redacted
