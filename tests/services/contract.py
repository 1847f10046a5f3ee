"""The same questions, put to every service. A test file of a service subclasses these and answers the abstract ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.call import Reading, Unreadable, Wire
from harness.core.case import Json, Lot, Provenance, Recording, Request, Task
from harness.core.protocols import Codec
from harness.errors import CodecError, UnencodableRequest

TEXT = st.text(st.characters(codec="utf-8"))

# hypothesis warns when one test runs on two classes, because their saved examples are shared: here that is the idea.
shared = settings(suppress_health_check=[HealthCheck.differing_executors])


def recording(body: bytes, content_type: str | None, **more) -> Recording:
    headers = {} if content_type is None else {"Content-Type": content_type}
    provenance = Provenance(captured_at=None, captured_from="test")
    return Recording(
        id="r1", service="s", operation="o", request_headers=headers, request_body=body, provenance=provenance, **more
    )


def table(rows: list[list[Json]], columns: list[Json] | None = None, **params: Json) -> Request:
    return Request(Task.TABULAR, {"columns": columns, "rows": rows}, params)


def lot(request: Request) -> Lot:
    return Lot("run/source/c1", {"c1": request})


def replayed(codec: Codec, request: Request) -> Request:
    """What a recording of our own call would be read as."""
    wire = codec.next(lot(request), ())
    assert isinstance(wire, Wire)
    assert isinstance(wire.body, bytes)
    return codec.read_request(recording(wire.body, wire.headers["content-type"]))


class CodecContract:
    """Questions to a tabular codec. `codec`: the codec; `reply`: wraps a body as a successful reply."""

    codec: Codec

    def reply(self, body: bytes, **headers: str) -> Wire:
        raise NotImplementedError

    def decoded(self, body: bytes, rows: int = 1, **headers: str) -> Reading | Unreadable:
        request = table([["1"]] * rows)
        (read,) = self.codec.decode(lot(request), (self.reply(body, **headers),)).values()
        return read

    def test_it_is_a_codec(self):
        assert isinstance(self.codec, Codec)

    def test_one_call_ends_the_conversation(self):
        assert self.codec.next(lot(table([["1"]])), (self.reply(b"1"),)) is None

    def test_header_names_are_lower_case(self):
        wire = self.codec.next(lot(table([["1"]])), ())
        assert list(wire.headers) == [name.lower() for name in wire.headers]

    def test_the_reading_is_under_the_case(self):
        assert list(self.codec.decode(lot(table([["1"]])), (self.reply(b"[0.5]"),))) == ["c1"]

    @shared
    @given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(TEXT, min_size=n, max_size=n), min_size=1)))
    def test_text_cells_come_back_as_they_went(self, rows):
        assert replayed(self.codec, table(rows)).payload == {"columns": None, "rows": rows}

    @pytest.mark.parametrize("rows", [[], [["1", "2"], ["3"]], "1,2", [1]])
    def test_what_is_no_table_cannot_be_said(self, rows):
        with pytest.raises(UnencodableRequest):
            self.codec.next(lot(table(rows)), ())

    @pytest.mark.parametrize("body", [b"", b"  \n", b"\xff\xfe", b"not a number", b'{"error": "x"}', b"<html></html>"])
    def test_a_reply_without_numbers_is_unreadable(self, body):
        assert isinstance(self.decoded(body), Unreadable)

    @shared
    @given(st.binary(max_size=200))
    def test_no_bytes_make_it_raise(self, body):
        assert isinstance(self.decoded(body), Reading | Unreadable)

    def test_an_unreadable_reply_is_not_quoted(self):
        read = self.decoded(b'["patient 4711"]')
        assert isinstance(read, Unreadable)
        assert "4711" not in read.message

    def test_a_missing_row_is_unreadable_and_keeps_what_came(self):
        read = self.decoded(b"0.25" if not self.json_only else b"[0.25]", rows=2)
        assert isinstance(read, Unreadable)
        assert "1 rows, and 2 were asked about" in read.message
        assert read.partial is not None
        assert read.partial.values.tolist() == [[0.25]]

    def test_an_error_status_in_a_recording_is_unreadable(self):
        request = lot(table([["1"]]))
        wire = self.codec.from_http(
            recording(b"1", "text/csv", status=500, response_body=b"0.5", response_headers={"Content-Type": "text/csv"})
        )
        (read,) = self.codec.decode(request, (wire,)).values()
        assert isinstance(read, Unreadable)
        assert "500" in read.message

    def test_a_recorded_answer_reads_like_a_live_one(self):
        body = b"[0.25]"
        live = self.reply(body)
        wire = self.codec.from_http(
            recording(b"1", "text/csv", status=200, response_body=body, response_headers=dict(live.headers))
        )
        (read,) = self.codec.decode(lot(table([["1"]])), (wire,)).values()
        assert isinstance(read, Reading)
        assert read.output.values.tolist() == [[0.25]]

    def test_an_unreadable_recording_is_refused_by_id(self):
        with pytest.raises(CodecError, match="recording r1"):
            self.codec.read_request(recording(b"\xff", "application/json"))

    json_only = False


def values(read: Reading | Unreadable) -> list[list[float]]:
    assert isinstance(read, Reading), read
    assert read.output.values.dtype == np.float64
    return read.output.values.tolist()
