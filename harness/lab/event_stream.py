"""AWS event-stream framing, `application/vnd.amazon.eventstream`, written with the standard library alone.

A message: total length, length of the headers, CRC-32 of those eight bytes, headers, payload, CRC-32 of all before it;
all numbers big-endian. A header: length of its name, name, type 7 (text), length of its value, value.
Source: AWS SDK reference, "Event stream encoding" (smithy.io, amazon-eventstream).
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_TEXT = 7


def event(name: str, document: Mapping[str, Any]) -> bytes:
    """One event whose payload is JSON."""
    return _message({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, document)


def exception(name: str, message: str) -> bytes:
    """An exception in mid-stream, after HTTP 200; `name` as the operation's output lists it (throttlingException)."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return _message(headers, {"message": message})


def _message(headers: Mapping[str, str], document: Mapping[str, Any]) -> bytes:
    head = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    payload = json.dumps(document, separators=(",", ":")).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    checked = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return checked + struct.pack("!I", zlib.crc32(checked))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _TEXT, len(value)) + value
