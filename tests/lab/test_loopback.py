"""The small HTTP server, spoken to in bytes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from harness.lab import loopback
from harness.lab.loopback import HangUp, Reply, Request


def echo(request: Request) -> Reply | None:
    if request.path == "/silence":
        return None
    if request.path == "/fault":
        raise RuntimeError("broken on purpose")
    if request.path == "/pieces":
        return Reply(status=200, pieces=iter([b"one ", b"", b"two"]))
    if request.path == "/torn":
        return Reply(status=200, pieces=torn())
    body = f"{request.method} {request.path}?{request.query} {request.headers.get('x-a')} ".encode() + request.body
    return Reply(status=200, body=body, headers={"X-Served": "yes"})


def torn() -> Iterator[bytes]:
    yield b"one "
    raise HangUp


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    listener = loopback.listen()
    threading.Thread(target=loopback.serve, args=(listener, echo), daemon=True).start()
    with listener, socket.create_connection(listener.getsockname(), timeout=5) as opened:
        yield opened
        listener.shutdown(socket.SHUT_RDWR)


def said(connection: socket.socket, request: bytes, ending: bytes) -> bytes:
    """Sends, and reads until the answer ends as told or the server hangs up."""
    connection.sendall(request)
    got = b""
    while not got.endswith(ending) or not ending:
        part = connection.recv(65536)
        if not part:
            return got
        got += part
    return got


def test_two_requests_in_one_packet_are_answered_in_order(connection):
    two = b"GET /1?q=%3A HTTP/1.1\r\nX-A: b\r\nx-a: c\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    answer = said(connection, two, b"abc")
    assert answer.index(b"GET /1?q=%3A b,c ") < answer.index(b"POST /2? None abc")
    assert answer.count(b"HTTP/1.1 200 OK") == 2 and b"X-Served: yes" in answer


def test_chunked_bodies_are_put_together(connection):
    request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    assert said(connection, request, b"abcde").endswith(b"abcde")


def test_a_client_that_waits_for_permission_gets_it(connection):
    head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert said(connection, head, b"\r\n\r\n").startswith(b"HTTP/1.1 100 Continue")
    assert said(connection, b"ab", b"ab").endswith(b" ab")


def test_a_handler_that_fails_answers_500_and_the_connection_lives_on(connection):
    assert b"500 Internal Server Error" in said(connection, b"GET /fault HTTP/1.1\r\n\r\n", b"purpose")
    assert said(connection, b"GET /x HTTP/1.1\r\n\r\n", b"None ").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /silence HTTP/1.1\r\n\r\n",
        b"not http\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * loopback.HEAD_LIMIT + b"\r\n",
    ],
)
def test_silence_and_nonsense_end_the_connection(connection, request_bytes):
    assert said(connection, request_bytes, b"") == b""


def test_pieces_are_sent_as_chunks_and_the_connection_is_kept(connection):
    got = said(connection, b"GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n", b"0\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head and b"Content-Length" not in head
    assert body == b"4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"
    assert said(connection, b"GET /again HTTP/1.1\r\nHost: x\r\n\r\n", b" ").endswith(b"GET /again? None ")


def test_a_stream_that_is_hung_up_has_no_end(connection):
    got = said(connection, b"GET /torn HTTP/1.1\r\nHost: x\r\n\r\n", b"never")
    assert got.endswith(b"4\r\none \r\n")
