"""Bedrock batch inference: JSON lines of `recordId`, `modelInput` and, in `.jsonl.out` files, `modelOutput` or `error`.

An output repeats its input, so outputs alone can be replayed. Where inputs are given too, those without an output are
cases whose answer was not kept. The files do not say the model.

Source: Bedrock user guide, "Process multiple prompts with batch inference"; botocore `bedrock`,
CreateModelInvocationJob.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from harness.core.case import Origin, Provenance, Recording
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, Record, Reject, Skip, case_id
from harness.recordings.formats._join import key
from harness.recordings.formats._json import UNREADABLE, document, json_bytes, records, refused
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
                    answered.put(key(line.record_id or ""), 1)
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
        if not _ended(line) and line.record_id and answered.get(key(line.record_id)) is not None:
            return Skip(origin, "the input of a record whose output is there")
        status, body = _answer(line)
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
            response_headers={} if body is None else _JSON,
            response_body=body,
            request_id=line.record_id,
            provenance=Provenance(captured_at=None, origin=origin, flags=tuple(flags)),
        )
        names = (line.record_id,) if line.record_id else ()
        return Record(recording=recording, document=partial(document, content), labels=names)


def _line(content: bytes) -> Line | str:
    try:
        return _DECODER.decode(content)
    except UNREADABLE as exc:
        return refused(exc)


def _ended(line: Line) -> bool:
    return line.error is not None or bytes(line.model_output) not in (b"", b"null")


def _answer(line: Line) -> tuple[int | None, bytes | None]:
    if line.error is not None:
        code: Any = str(line.error.error_code)
        status = int(code) if code.isdecimal() and 400 <= int(code[:4]) < 600 else 400
        return status, json_bytes({"message": line.error.error_message or code})
    return (200, bytes(line.model_output)) if _ended(line) else (None, None)
