"""Redaction of bodies: whatever a secret is wrapped in, and nothing else."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from harness.core.case import Provenance, Recording
from harness.recordings.exposed import exposures
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


WORD = "hunter" + "2"


@pytest.mark.parametrize(
    "body",
    [
        {"password": WORD},
        {"tool": {"input": [{"dbPasswd": WORD, "host": "h"}]}},
        {"client_secrets": [WORD, "x"]},
        {"AccessKey": WORD, "n": 1},
        {"session_token": WORD * 2},
    ],
    ids=lambda body: next(iter(body)),
)
def test_what_its_key_calls_a_secret_goes_and_a_scan_says_so(body):
    raw = json.dumps(body).encode()
    case = stored(raw)
    assert WORD.encode() not in case.recording.request_body
    assert case.recording.provenance.redacted
    assert list(exposures(case)) == []
    unredacted = replace(case, recording=replace(case.recording, request_body=raw))
    assert {one.kind for one in exposures(unredacted)} == {"secret"}
    assert not Pseudonyms().untouched(raw) and not Pseudonyms().untouched_lines([raw])[0]


def test_names_that_are_also_words_of_other_trades_take_nothing_else():
    body = b'{"logprobs":[{"token":"Hello","logprob":-0.1}],"max_tokens":"12","compass":"n","pass":"yes","key":"B1"}'
    assert stored(body).recording.request_body == body


def test_credentials_in_headers_go():
    by = Pseudonyms(key=b"k" * 32)
    case = stored(b"{}")
    headers = {
        "x-api-key": WORD,
        "Cookie": f"sid={WORD}",
        "authorization": f"Custom {WORD}",
        "content-type": "text/csv",
    }
    case = redacted(replace(case, recording=replace(case.recording, request_headers=headers)), by)
    assert WORD not in repr(case.recording.request_headers)
    assert case.recording.request_headers["content-type"] == "text/csv"


def test_whatever_a_log_says_of_a_call_is_redacted():
    told = {"model": PERSON, "region": PERSON, "url": f"https://h/{PERSON}", "request_id": PERSON}
    case = stored(b"{}")
    case = replace(case, recording=replace(case.recording, **told), slices={"who": PERSON}, expected=[PERSON])
    assert {one.place for one in exposures(case)} == {*told, "slices.who", "expected[0]"}
    assert PERSON not in repr(redacted(case, Pseudonyms()))


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_text_in_wide_letters_is_redacted_in_them(code):
    kept = stored(json.dumps({"text": f"write to {PERSON} now"}).encode(code)).recording.request_body
    assert PERSON not in kept.decode(code)
    assert kept.decode(code).startswith('{"text": "write to ')


def test_numbers_and_pictures_stay():
    for body, kind in [
        (b'{"card": 4111111111111111, "x": [1e-7, NaN]}', "application/json"),
        (b"\x89PNG\xff" + PERSON.encode(), "image/png"),
    ]:
        case = stored(body, kind)
        assert case.recording.request_body == body
        assert not case.recording.provenance.redacted
