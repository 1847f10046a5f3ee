"""Bedrock batch inference: JSON lines of `recordId`, `modelInput` and, in `.jsonl.out` files, `modelOutput` or `error`.

An output repeats its input, so outputs alone can be replayed. Where inputs are given too, those without an output are
cases whose answer was not kept; an output is one of an input's where both `modelInput` are the same, and `recordId` if
the input has one (Bedrock gives one where it does not). The files do not say the model. An error whose code is no HTTP
status is a failure of status None.

Source: Bedrock user guide, "Process multiple prompts with batch inference"; botocore `bedrock`,
CreateModelInvocationJob.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import msgspec

from harness.core.case import Origin, Provenance, Recording
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, Record, Reject, Skip, case_id
from harness.recordings.formats._join import key
from harness.recordings.formats._json import UNREADABLE, document, json_bytes, records, refused
from harness.recordings.formats._openai import status_in
from harness.recordings.seen import Seen

NAME = "bedrock_batch"
OPERATIONS = ("InvokeModel", "Converse")
_JSON = {"content-type": "application/json"}


class Failed(msgspec.Struct, rename="camel"):
    """Why a record has no output."""

    error_code: int | str | None = None
    error_message: str | None = None


class Line(msgspec.Struct, rename="camel"):
    """One record. Bodies are kept as the bytes that stood there."""

    record_id: str | None = None
    model_input: msgspec.Raw = msgspec.Raw(b"")
    model_output: msgspec.Raw = msgspec.Raw(b"")
    error: Failed | None = None
    total_record_count: int | None = None


_DECODER = msgspec.json.Decoder(Line)


def build(*, model: str | None = None, region: str | None = None, operation: str = "InvokeModel") -> BedrockBatch:
    """model, region: of the job. operation: its modelInvocationType, InvokeModel or Converse."""
    if operation not in OPERATIONS:
        raise ConfigError(f'bedrock_batch: operation is {" or ".join(OPERATIONS)}, not "{operation}".')
    return BedrockBatch(model=model, region=region, operation=operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockBatch:
    """The format."""

    model: str | None = None
    region: str | None = None
    operation: str = "InvokeModel"
    name: str = NAME
    service: str = "bedrock"
    sampled: bool = False

    def read(self, log: Log) -> Iterator[Found]:
        answered = Seen()
        for file in log:
            for item in records(file, self.name):
                if not isinstance(item, Reject) and isinstance(line := _line(item[1]), Line) and _ended(line):
                    for name in (line.record_id, None):
                        answered.put(_asked(name, line), 1)
        for file in log:
            for item in records(file, self.name):
                yield item if isinstance(item, Reject) else self._found(*item, answered=answered)

    def _found(self, origin: Origin, content: bytes, *, answered: Seen) -> Found:
        line = _line(content)
        if not isinstance(line, Line):
            return Reject(origin, line)
        if line.total_record_count is not None and not bytes(line.model_input):
            return Skip(origin, "the job's manifest")
        if bytes(line.model_input) in (b"", b"null"):
            return Reject(origin, "no record of a batch: it has no modelInput")
        if not _ended(line) and answered.get(_asked(line.record_id, line)) is not None:
            return Skip(origin, "the input of a record whose output is there")
        status, headers, body = _answer(line)
        flags = [gaps.NOT_WIRE_BYTES] if body is not None else [gaps.NO_ANSWER, gaps.NOT_WIRE_BYTES]
        recording = Recording(
            id=case_id(origin),
            service="bedrock",
            operation=self.operation,
            model=self.model,
            region=self.region,
            request_headers=_JSON,
            request_body=bytes(line.model_input),
            status=status,
            response_headers=headers,
            response_body=body,
            request_id=line.record_id,
            provenance=Provenance(captured_at=None, origin=origin, flags=tuple(flags)),
        )
        names = (line.record_id,) if line.record_id else ()
        return Record(recording=recording, document=partial(document, content), labels=names, failed=_failed(line))


def _line(content: bytes) -> Line | str:
    try:
        return _DECODER.decode(content)
    except UNREADABLE as exc:
        return refused(exc)


def _ended(line: Line) -> bool:
    return line.error is not None or bytes(line.model_output) not in (b"", b"null")


def _failed(line: Line) -> bool:
    """An error that says nothing beside an output is none."""
    said = line.error is not None and (line.error.error_code, line.error.error_message) != (None, None)
    return said or (line.error is not None and bytes(line.model_output) in (b"", b"null"))


def _answer(line: Line) -> tuple[int | None, dict[str, str], bytes | None]:
    """Status, headers and body; of an error without a status its word, as the service would have told it."""
    if line.error is None or not _failed(line):
        return (200, _JSON, bytes(line.model_output)) if _ended(line) else (None, {}, None)
    code = line.error.error_code
    status = status_in(code)
    word = code if isinstance(code, str) and code.isascii() and code.isalnum() and len(code) <= 100 else "error"
    named = _JSON if status is not None and status >= 400 else _JSON | {"x-amzn-errortype": word}
    told = line.error.error_message or ("" if code is None else str(code))
    return status if status is not None and status >= 400 else None, named, json_bytes({"message": told})


def _asked(name: str | None, line: Line) -> int:
    """A key for an input: equal where it says the same, however it is spelt."""
    return key(f"{name or ''}\0{hashlib.sha256(_canonical(line.model_input)).hexdigest()}")


def _canonical(body: msgspec.Raw) -> bytes:
    try:
        value = json.loads(bytes(body) or b"null", parse_float=lambda text: _plain(float(text)))
        return json.dumps(value, sort_keys=True).encode()
    except (ValueError, RecursionError):
        return bytes(body)


def _plain(number: float) -> float | int:
    return int(number) if number.is_integer() else number
