"""AWS event-stream framing, written here and not by the code under test. Source: wire contracts, 0.2."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any


def message(headers: dict[str, str], payload: bytes) -> bytes:
    head = b"".join(
        bytes([len(name)]) + name.encode() + struct.pack("!BH", 7, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    return prelude + head + payload + struct.pack("!I", zlib.crc32(prelude + head + payload))


def event(name: str, members: dict[str, Any]) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return message(headers, json.dumps(members).encode())


def chunk(value: Any) -> bytes:
    """One chunk of InvokeModelWithResponseStream, with the padding that the service adds."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return event("chunk", {"bytes": base64.b64encode(body).decode(), "p": "abcdef"})


def exception(name: str, members: dict[str, Any]) -> bytes:
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers, json.dumps(members).encode())


def error(code: str) -> bytes:
    return message({":message-type": "error", ":error-code": code, ":error-message": "x"}, b"")
