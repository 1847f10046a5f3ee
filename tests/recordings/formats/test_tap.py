"""What a tap wrote: calls as they were stored, calls that it lost, and lines that are none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from harness.core.case import Provenance, Recording
from harness.recordings.formats import Record, Reject, Skip
from harness.recordings.lines import StoredCase, encode
from harness.recordings.privacy import redacted, redactor
from tests.small.logs import PATIENT, read, recordings


def call(asked: bytes = b"{}", answered: bytes | None = b"{}", **more: object) -> Recording:
    return Recording(
        id="x",
        service="bedrock",
        operation="Converse",
        request_body=asked,
        response_body=answered,
        provenance=Provenance(captured_at=datetime(2026, 1, 2, tzinfo=UTC), captured_from="tap"),
        **more,  # type: ignore[arg-type]
    )


def line(recording: Recording) -> bytes:
    return encode(StoredCase(recording=recording), service="", operation="")


@PATIENT
@given(st.lists(st.tuples(st.binary(max_size=40), st.none() | st.binary(max_size=40)), max_size=4))
def test_what_was_written_comes_back(bodies):
    found = recordings("tap", b"".join(line(call(*pair)) for pair in bodies))
    assert [(one.request_body, one.response_body) for one in found] == bodies


@PATIENT
@given(st.binary(max_size=200))
def test_no_bytes_crash_it(content):
    assert all(isinstance(one, Record | Reject | Skip) for one in read("tap", content))


def test_a_call_has_its_place_and_keeps_its_time():
    (found,) = recordings("tap", line(call(request_id="r-1")))
    assert found.provenance.origin is not None
    assert (found.provenance.origin.format, found.provenance.origin.line) == ("tap", 1)
    assert found.provenance.captured_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_a_lost_call_is_counted_and_a_torn_line_refused():
    whole = line(call())
    lost, torn = read("tap", json.dumps({"lost": "the queue was full"}).encode() + b"\n" + whole[:-9])
    assert isinstance(lost, Skip)
    assert isinstance(torn, Reject)
    assert isinstance(read("tap", whole.replace(b"Converse", b"Conversf"))[0], Reject)


def test_a_document_has_parsed_bodies():
    (found,) = read("tap", line(call(b'{"user":"u1"}')))
    assert isinstance(found, Record)
    document = found.document()
    assert isinstance(document, dict)
    assert document["request"] == {"headers": {}, "body": {"user": "u1"}}


def test_what_the_tap_redacted_stays_marked_when_the_import_finds_nothing_more():
    """Else a recorded answer would stand for a request that nobody asked."""
    by = redactor("default")
    assert by is not None
    once = redacted(StoredCase(recording=call(b'{"to":"jane.roe%sexample.org"}' % b"@")), by)
    assert once.recording.provenance.redacted
    (found,) = recordings("tap", line(once.recording))
    again = redacted(StoredCase(recording=replace(found, id="y")), by)
    assert again.recording.request_body == found.request_body
    assert again.recording.provenance.redacted
