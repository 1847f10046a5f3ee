"""A small HTTP/1.1 server for loopback: one thread a connection, kept alive, no delay.

Written for this lab because what stands between a measurement and the model must cost little and always the same: the
standard library's handler parses headers with the e-mail package and spends most of a call there.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 32 * 1024 * 1024
IDLE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came. Header names are in lower case; repeated headers are joined by a comma.

    path and query are as sent, still percent-encoded. received_s is `time.perf_counter()` when the last byte was read.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back; Content-Length is added.

    pieces: in place of the body, sent in chunks as they come; one that raises HangUp ends the connection there.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None


Handler = Callable[[Request], Reply | None]  # None: hang up without an answer


class HangUp(Exception):
    """A stream that breaks off: the connection is closed in the middle of the answer."""


class _Torn(Exception):
    """The peer stopped in mid-request, or spoke something else than HTTP/1.1."""


def listen() -> socket.socket:
    """A listening socket on a free port of 127.0.0.1."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    return listener


def address_of(listener: socket.socket) -> str:
    """`http://127.0.0.1:PORT` of a listening socket."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def serve(listener: socket.socket, handler: Handler) -> None:
    """Answer connections until the listener is closed. A handler that raises answers 500 with the exception's name."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_converse, args=(connection, handler), daemon=True).start()


def _converse(connection: socket.socket, handler: Handler) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(IDLE_S)
    with connection:
        reader = _Reader(connection)
        try:
            while (request := reader.next()) is not None:
                reply = _answer(handler, request)
                if reply is None:
                    return
                if reply.pieces is not None:
                    _stream(connection, reply, reply.pieces)
                else:
                    connection.sendall(_bytes_of(reply, head_only=request.method == "HEAD"))
                if request.headers.get("connection", "").lower() == "close":
                    return
        except (_Torn, HangUp, OSError):
            return


def _answer(handler: Handler, request: Request) -> Reply | None:
    try:
        return handler(request)
    except Exception as exc:  # a fault of the lab must look like one, and end no thread
        return Reply(status=500, body=f"the lab failed: {type(exc).__name__}: {exc}".encode())


def _stream(connection: socket.socket, reply: Reply, pieces: Iterable[bytes]) -> None:
    connection.sendall(_head(reply, "Transfer-Encoding: chunked"))
    for piece in pieces:
        if piece:  # an empty chunk would end the answer
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    connection.sendall(b"0\r\n\r\n")


def _bytes_of(reply: Reply, *, head_only: bool) -> bytes:
    head = _head(reply, f"Content-Length: {len(reply.body)}")
    return head if head_only else head + reply.body


def _head(reply: Reply, framing: str) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {_reason(reply.status)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join([*lines, framing, "", ""]).encode("latin-1")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


class _Reader:
    """Reads requests off one connection, keeping what it read too far."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def next(self) -> Request | None:
        """The next request; None when the peer hung up between two."""
        head = self._head()
        if head is None:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise _Torn
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise _Torn
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        if headers.get("expect", "").lower() == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(headers)
        path, _, query = words[1].partition("?")
        return Request(
            method=words[0], path=path, query=query, headers=headers, body=body, received_s=time.perf_counter()
        )

    def _head(self) -> bytes | None:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > HEAD_LIMIT:
                raise _Torn
            if not self._more():
                if self._buffer:
                    raise _Torn
                return None
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        return head

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            raise _Torn
        return self._exactly(int(length))

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while True:
            while (end := self._buffer.find(b"\r\n")) < 0:
                if not self._more():
                    raise _Torn
            try:
                size = int(self._buffer[:end].split(b";")[0], 16)
            except ValueError:
                raise _Torn from None
            self._buffer = self._buffer[end + 2 :]
            parts.append(self._exactly(size))
            self._exactly(2)
            if size == 0:
                return b"".join(parts)

    def _exactly(self, size: int) -> bytes:
        parts, have = [self._buffer], len(self._buffer)
        while have < size:
            part = self._connection.recv(min(1 << 20, size - have))
            if not part:
                raise _Torn
            parts.append(part)
            have += len(part)
        whole = b"".join(parts)
        self._buffer = whole[size:]
        return whole[:size]

    def _more(self) -> bool:
        part = self._connection.recv(65536)
        self._buffer += part
        return bool(part)
