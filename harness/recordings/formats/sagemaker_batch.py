"""SageMaker Batch Transform: an input file and its `.out`, record by record in the same order.

What a record is follows from the job: `split` (SplitType), and `join` where the output was joined to the input
(JoinSource); without a join, the order is the only key, so files whose counts differ are refused whole. The inference
id and time that a job with `GenerateInferenceId` adds to each answer are no part of it.

Source: SageMaker developer guide, "Use Batch Transform", "Associate prediction results with input records", "Capture
data from batch transform job".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import zip_longest
from pathlib import PurePosixPath

from harness.core.case import Json, Origin, Provenance, Recording
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, LogFile, Record, Reject, Skip, case_id
from harness.recordings.formats._json import UNREADABLE, document, parsed, records
from harness.recordings.formats._streams import ENDS, LONGEST, BadFile, opened
from harness.recordings.plain import moment

NAME = "sagemaker_batch"
OUT = ".out"
# Of a file whose job's ContentType is not told; anything else is CSV.
TYPES = {
    ".jsonl": "application/jsonlines",
    ".ndjson": "application/jsonlines",
    ".jsonlines": "application/jsonlines",
    ".json": "application/json",
}
# What GenerateInferenceId appends to a row of CSV, and puts among the keys of an object.
_GENERATED = re.compile(
    rb",([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}),([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z?)$"
)
_ID, _TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
_WORDS = {"split": ("Line", "None"), "join": ("None", "Input"), "assemble": ("Line", "None")}


def build(
    *,
    split: str = "Line",
    join: str = "None",
    assemble: str = "Line",
    content_type: str | None = None,
    accept: str | None = None,
    model: str | None = None,
) -> SageMakerBatch:
    """split, join, assemble: SplitType, JoinSource and AssembleWith of the job. content_type: of the input, default by
    the file's ending (`TYPES`). accept: of the output, default that of the input. model: its name, which no file says.
    """
    for name, value in {"split": split, "join": join, "assemble": assemble}.items():
        if value not in _WORDS[name]:
            raise ConfigError(f'sagemaker_batch: {name} is {" or ".join(_WORDS[name])}, not "{value}".')
    if split == "Line" and assemble == "None" and join == "None":
        raise ConfigError(
            "sagemaker_batch: records that were split and not assembled by line have no end to be told by."
        )
    return SageMakerBatch(split=split, join=join, content_type=content_type, accept=accept, model=model)


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerBatch:
    """The format."""

    split: str = "Line"
    join: str = "None"
    content_type: str | None = None
    accept: str | None = None
    model: str | None = None
    name: str = NAME
    service: str = "sagemaker"
    operation: str = "InvokeEndpoint"
    sampled: bool = False

    def read(self, log: Log) -> Iterator[Found]:
        """Each input file with its output; outputs whose input is not there are told."""
        for file in log:
            if not file.path.endswith(OUT):
                yield from self._pair(file, log.find(f"file:///{file.path}{OUT}", beside=file.path))
            elif log.find(f"file:///{file.path.removesuffix(OUT)}", beside=file.path) is None:
                place = Origin(format=self.name, path=file.path, index=0, line=1)
                yield Skip(place, "an output whose input was not imported", no_request=True)

    def _pair(self, file: LogFile, out: LogFile | None) -> Iterator[Found]:
        asked, kind = self._records(file), self.content_type or _type(file.path)
        if out is None:
            for item in asked:
                yield item if isinstance(item, Reject) else self._record(*item, None, kind)
            return
        # Counted first: one record too many or too few, and every answer after it would be another's.
        if why := self._mismatch(file, out):
            yield Reject(Origin(format=self.name, path=file.path, index=0, line=1), why)
            return
        for one, answer in zip(asked, self._records(out), strict=True):
            if isinstance(one, Reject):
                yield one
                continue
            if isinstance(answer, Reject):
                yield answer
                continue
            origin, request = one
            try:
                yield self._record(origin, request, self._own(request, _ungenerated(answer[1], kind), kind), kind)
            except (*UNREADABLE, KeyError, TypeError):
                yield Reject(origin, "the output is not the input and an answer, as a join makes it")

    def _mismatch(self, file: LogFile, out: LogFile) -> str | None:
        """Why the records of two files cannot be joined by their order."""
        counts, shifted = [0, 0], False
        for pair in zip_longest(self._records(file), self._records(out)):
            lines = [one.origin.line if isinstance(one, Reject) else one[0].line for one in pair if one is not None]
            counts = [count + (one is not None) for count, one in zip(counts, pair, strict=True)]
            shifted |= len(set(lines)) > 1
        if counts[0] != counts[1]:
            return f"{counts[0]:,} records went in and {counts[1]:,} came out, so none can be joined"
        return (
            "empty lines stand at other places in the output than in the input, so none can be joined"
            if shifted
            else None
        )

    def _records(self, file: LogFile) -> Iterator[tuple[Origin, bytes] | Reject]:
        if self.split == "Line":
            yield from records(file, self.name, ENDS)
            return
        place = Origin(format=self.name, path=file.path, index=0, line=1)
        try:
            with opened(file) as stream:
                content = stream.read(LONGEST + 1)
        except (BadFile, OSError) as exc:
            yield Reject(place, str(exc) if isinstance(exc, BadFile) else "the file cannot be read")
            return
        if len(content) > LONGEST:
            yield Reject(place, f"the record is longer than {LONGEST:,} bytes")
        else:
            yield place, content

    def _own(self, request: bytes, answer: _Answer, kind: str) -> _Answer:
        """The model's own answer, without the input that a join put before it."""
        if self.join == "None":
            return answer
        if kind.startswith("text/csv"):
            before = request.rstrip(b"\r\n") + b","
            if not answer.body.startswith(before):
                raise ValueError("not the input")
            return replace(answer, body=answer.body[len(before) :])
        table: Json = json.loads(answer.body)
        asked: Json = json.loads(request)
        if not isinstance(table, dict):
            raise TypeError("no join")
        said = table.pop("SageMakerOutput")
        own: Json = {"SageMakerInput": asked} if "SageMakerInput" in table else asked
        # An OutputFilter may have left out some of the input; what is there is of this input.
        if not isinstance(own, dict) or any(name not in own or own[name] != table[name] for name in table):
            raise ValueError("not the input")
        return replace(answer, body=_dump(said))

    def _record(self, origin: Origin, request: bytes, answer: _Answer | None, kind: str) -> Record:
        body = None if answer is None else answer.body
        recording = Recording(
            id=case_id(origin),
            service=self.service,
            operation=self.operation,
            model=self.model,
            request_headers={"content-type": kind},
            request_body=request,
            status=None if answer is None else 200,
            response_headers={} if answer is None else {"content-type": self.accept or kind},
            response_body=body,
            request_id=None if answer is None else answer.id,
            provenance=Provenance(
                captured_at=None if answer is None else answer.at,
                origin=origin,
                flags=(gaps.NO_ANSWER,) if answer is None else (),
            ),
        )
        return Record(recording=recording, document=partial(_told, request, body))


@dataclass(frozen=True, slots=True)
class _Answer:
    """One record of the output. id, at: of a job with GenerateInferenceId."""

    body: bytes
    id: str | None = None
    at: datetime | None = None


def _type(path: str) -> str:
    bare = path.removesuffix(".gz").removesuffix(".zst")
    return TYPES.get(PurePosixPath(bare).suffix.lower(), "text/csv")


def _ungenerated(body: bytes, kind: str) -> _Answer:
    if kind.startswith("text/csv"):
        end = body.rstrip(b"\r\n")
        if (found := _GENERATED.search(end)) is None:
            return _Answer(body)
        return _Answer(end[: found.start()], found[1].decode(), moment(found[2].decode()))
    if _ID.encode() not in body:
        return _Answer(body)
    table = json.loads(body)
    if not isinstance(table, dict) or not isinstance(table.get(_ID), str):
        return _Answer(body)
    name, at = table.pop(_ID), moment(table.pop(_TIME, None))
    return _Answer(_dump(table), name, at)


def _dump(value: Json) -> bytes:
    """NaN and the infinities stay the literals that they were."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _told(request: bytes, answer: bytes | None) -> Json:
    try:
        return {"input": document(request), "output": parsed(answer)}
    except UNREADABLE:
        return {"input": request.decode("utf-8", "replace"), "output": parsed(answer)}
