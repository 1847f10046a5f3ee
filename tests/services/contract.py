"""The same questions, put to every service. A test file of a service subclasses these and answers the abstract ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.call import Reading, Unreadable, Wire
from harness.core.case import Json, Lot, Provenance, Recording, Request, Task
from harness.core.protocols import Codec, Endpoint, Service
from harness.errors import (
    CodecError,
    Denied,
    Rejected,
    ServiceError,
    Throttled,
    TimedOut,
    Unavailable,
    UnencodableRequest,
)
from tests.services.clouds import Clouds, Internet, Reply

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


class EndpointContract:
    """Questions to an endpoint, asked through the vendor's real SDK against a server on loopback.

    `service(internet)`: the service, pointed at it. `throttled`: a reply that says "slow down" and when to come back.
    `expired`: makes the credentials in use worthless; `renewals`: how often new ones were asked for since.
    `request`: what is asked. `answered`: the cloud's answer; `body`: the same as the endpoint gives it.
    """

    request: Request = table([["1", "2"]])
    answered = Reply(200, b"[0.5]")
    body: Json | bytes = b"[0.5]"

    throttled: Reply
    unavailable: Reply
    rejected: Reply
    denied: Reply

    def service(self, internet: Internet, **more: Any) -> Service:
        raise NotImplementedError

    def expire(self, clouds: Clouds) -> None:
        raise NotImplementedError

    def renewals(self, internet: Internet) -> int:
        raise NotImplementedError

    @pytest.fixture
    def opened(self, internet: Internet) -> Iterator[tuple[Endpoint, Wire]]:
        service = self.service(internet)
        endpoint = service.open()
        wire = service.codec.next(lot(self.request), ())
        assert isinstance(wire, Wire)
        yield endpoint, wire
        endpoint.close()

    def sent(self, call: Any) -> Json | bytes:
        """The body of a call as the codec wrote it."""
        return call.body

    def calls(self, internet: Internet) -> list[Any]:
        return [one for one in internet.requests if one.path.endswith(("/invocations", "/score"))]

    def failure(self, opened: tuple[Endpoint, Wire], clouds: Clouds, reply: Reply) -> ServiceError:
        endpoint, wire = opened
        clouds.infer = lambda request: reply
        with pytest.raises(ServiceError) as caught:
            endpoint.call(wire, timeout_s=5)
        return caught.value

    def test_it_is_an_endpoint(self, opened):
        assert isinstance(opened[0], Endpoint)
        assert opened[0].name == "visits"

    def test_the_body_arrives_as_the_codec_wrote_it(self, opened, internet):
        endpoint, wire = opened
        reply = endpoint.call(wire, timeout_s=5)
        (call,) = self.calls(internet)
        assert (call.method, self.sent(call)) == ("POST", wire.body)
        assert {name: call.headers[name] for name in wire.headers} == wire.headers
        assert (reply.operation, reply.status, reply.body) == (wire.operation, 200, self.body)

    def test_headers_of_the_answer_are_lower_case_and_keep_what_tells(self, opened, clouds):
        endpoint, wire = opened
        clouds.infer = lambda request: replace(
            self.answered, headers={"X-Amzn-A": "1", "X-MS-B": "2", "Set-Cookie": "c"}
        )
        reply = endpoint.call(wire, timeout_s=5)
        assert {"x-amzn-a": "1", "x-ms-b": "2"}.items() <= reply.headers.items()
        assert "set-cookie" not in reply.headers

    def test_a_failure_is_one_attempt(self, opened, clouds, internet):
        error = self.failure(opened, clouds, self.unavailable)
        assert type(error) is Unavailable
        assert len(self.calls(internet)) == 1

    def test_slow_down_says_for_how_long(self, opened, clouds):
        error = self.failure(opened, clouds, self.throttled)
        assert (type(error), error.retry_after_s) == (Throttled, 3.0)

    def test_refusals_are_told_from_denials(self, opened, clouds):
        assert type(self.failure(opened, clouds, self.rejected)) is Rejected
        denied = self.failure(opened, clouds, self.denied)
        assert (type(denied), denied.may_refresh) == (Denied, False)

    def test_errors_carry_status_and_service(self, opened, clouds, internet):
        error = self.failure(opened, clouds, self.unavailable)
        assert error.service in type(self.service(internet)).__module__
        assert error.status == self.unavailable.status

    def test_the_text_of_an_answer_is_never_quoted(self, opened, clouds):
        for reply in (self.unavailable, self.rejected):
            text = b"patient 4711 " + reply.body
            assert "4711" not in str(self.failure(opened, clouds, replace(reply, body=text)))

    def test_silence_is_a_time_out(self, opened, clouds):
        endpoint, wire = opened
        clouds.infer = lambda request: replace(self.answered, delay_s=1.0)
        begun = time.monotonic()
        with pytest.raises(TimedOut):
            endpoint.call(wire, timeout_s=0.2)
        assert time.monotonic() - begun < 0.9

    def test_hanging_up_is_unavailable(self, opened, clouds):
        assert type(self.failure(opened, clouds, Reply(0))) is Unavailable

    def test_an_answer_that_breaks_off_is_unavailable(self, opened, clouds):
        assert type(self.failure(opened, clouds, Reply(200, b"[0.", {"Content-Length": "5"}))) is Unavailable

    def test_nobody_there_is_unavailable(self, opened, internet):
        endpoint, wire = opened
        internet.close()
        with pytest.raises(Unavailable):
            endpoint.call(wire, timeout_s=5)

    def test_threads_share_it(self, opened, internet):
        endpoint, wire = opened
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: endpoint.call(wire, timeout_s=5), range(24)))
        assert [reply.body for reply in replies] == [self.body] * 24
        assert len(self.calls(internet)) == 24

    def test_it_prints_no_more_than_its_name(self, opened):
        assert repr(opened[0]).startswith(f"<{type(opened[0]).__name__} visits")

    def test_a_refresh_that_changes_nothing_is_not_worth_another_attempt(self, internet):
        endpoint = self.service(internet).open()
        assert endpoint.refresh() is False
        endpoint.close()

    def test_threads_refused_together_share_one_renewal(self, internet, clouds):
        service = self.renewable(internet)
        endpoint = service.open()
        wire = service.codec.next(lot(self.request), ())
        endpoint.call(wire, timeout_s=5)
        self.expire(clouds)
        before = self.renewals(internet)
        together = threading.Barrier(6)

        def refused_then_answered(_: int) -> object:
            with pytest.raises(Denied) as caught:
                endpoint.call(wire, timeout_s=5)
            assert caught.value.may_refresh
            together.wait(5)
            assert endpoint.refresh()
            return endpoint.call(wire, timeout_s=5).body

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(refused_then_answered, range(6))) == [self.body] * 6
        assert self.renewals(internet) - before == 1
        endpoint.close()

    def renewable(self, internet: Internet) -> Service:
        return self.service(internet)
