"""A service from outside the package: one number out, one score back, over plain HTTP.

It is installed as any third party's would be, by an entry point in the group `harness.services`. Tests of the doors and
of killed runs use it where the clouds' own SDKs would only cost time. Every request names its case, so that the server
can count.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.config import SideSettings
from harness.core.call import Reading, Unreadable, Wire
from harness.core.case import Lot, Recording, Request, Task
from harness.core.output import Scores
from harness.errors import Rejected, TimedOut, Unavailable

SERVICE = "plainhttp"
OPERATION = "Score"
CASE = "x-case"


class PlainCodec:
    """The recorded body goes out as it was; `{"score": number}` comes back."""

    def read_request(self, recording: Recording) -> Request:
        return Request(Task.TABULAR, {"columns": None, "rows": [[recording.request_body.decode()]]})

    def from_http(self, recording: Recording) -> Wire:
        return Wire(operation=OPERATION, status=recording.status, body=recording.response_body)

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | None:
        if replies:
            return None
        (case,) = lot.requests
        return Wire(operation=OPERATION, headers={CASE: case}, body=str(lot.only.payload["rows"][0][0]).encode())

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        (case,) = lot.requests
        try:
            score = float(json.loads(bytes(replies[-1].body))["score"])
        except (ValueError, KeyError) as exc:
            return {case: Unreadable(f"no score in the answer ({type(exc).__name__})")}
        return {case: Reading(output=Scores(np.array([[score]]), ("0",)), served_model="m1", runtime="plain/1")}


class PlainEndpoint:
    """One connection a thread."""

    def __init__(self, address: str) -> None:
        self.name = address
        self._host, _, self._path = address.partition("/")
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(self._host, timeout=timeout_s)
            self._connections.append(connection)
        try:
            connection.request("POST", f"/{self._path}", wire.body, dict(wire.headers))
            answer = connection.getresponse()
            body = answer.read()
        except TimeoutError as exc:
            connection.close()
            raise TimedOut("no answer", service=SERVICE) from exc
        except (OSError, http.client.HTTPException) as exc:
            connection.close()
            raise Unavailable(f"the connection broke ({type(exc).__name__})", service=SERVICE) from exc
        if answer.status != 200:
            failure = Unavailable if answer.status >= 500 else Rejected
            raise failure(f"status {answer.status}", service=SERVICE, status=answer.status)
        return Wire(operation=OPERATION, status=200, body=body)

    def refresh(self) -> bool:
        return False

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


@dataclass(frozen=True, slots=True)
class PlainHttp:
    codec: PlainCodec
    address: str

    def open(self) -> PlainEndpoint:
        return PlainEndpoint(self.address)


def build(settings: SideSettings) -> PlainHttp:
    """The endpoint's name is its address, "127.0.0.1:PORT/path"."""
    return PlainHttp(PlainCodec(), settings.endpoint)
