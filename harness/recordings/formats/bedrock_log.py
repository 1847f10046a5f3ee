"""Bedrock model invocation logging: what `PutModelInvocationLoggingConfiguration` delivers to S3 or CloudWatch Logs.

JSON lines, plain or gzip, one record a call. Bodies over 100 kB lie in objects of their own (`inputBodyS3Path`), which
are followed where they were imported too. CloudWatch exports are read in four forms, one a line: the bare records, a
line that begins with the time of the event (`aws logs` exports to S3), an event with a `message`, and several of them
under `logEvents` or `events` (a subscription's data; the output of `filter-log-events` on one line, as `jq -c .` makes
it).

Source: Bedrock user guide, "Monitor model invocation using CloudWatch Logs and Amazon S3"; botocore `bedrock`,
LoggingConfig.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from harness.core.case import Origin
from harness.recordings import gaps
from harness.recordings.blocks import Block, Line
from harness.recordings.formats import Found, Log, LogFile, Reject, Skip
from harness.recordings.formats._json import UNREADABLE, blocked, json_bytes, place, refused
from harness.recordings.formats._openai import status_in
from harness.recordings.formats._streams import LONGEST, TOO_LONG, BadFile, opened
from harness.recordings.plain import Plain, Usual, plain, read_plain

NAME = "bedrock_log"
OPERATIONS = ("InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream")
SIDECAR = "/data/"
PERMISSION = "amazon-bedrock-logs-permission-check"
JSON = "application/json"
# HTTP status of an error that the log names. Source: botocore `bedrock-runtime`.
STATUS = {
    "ValidationException": 400,
    "ServiceQuotaExceededException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ModelStreamErrorException": 424,
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
}
FAILED = ("failed", "failure", "error")  # words of `status`
TRUNCATED = ("inputBodyTruncated", "outputBodyTruncated", "truncated")


class Half(msgspec.Struct, rename="camel", gc=False):
    """`input` or `output` of a record. Bodies are kept as the bytes that stood there."""

    input_content_type: str | None = None
    input_body_json: msgspec.Raw = msgspec.Raw(b"")
    input_body_s3_path: str | None = msgspec.field(name="inputBodyS3Path", default=None)
    input_token_count: float | None = None
    cache_read_input_token_count: float | None = None
    cache_write_input_token_count: float | None = None
    output_content_type: str | None = None
    output_body_json: msgspec.Raw = msgspec.Raw(b"")
    output_body_s3_path: str | None = msgspec.field(name="outputBodyS3Path", default=None)
    output_token_count: float | None = None
    input_body_truncated: bool | None = None
    output_body_truncated: bool | None = None
    truncated: bool | None = None


class Event(msgspec.Struct, gc=False):
    """A log event of CloudWatch, whose message is a record."""

    message: str | None = None


class Logged(msgspec.Struct, rename="camel", gc=False):
    """A record, as far as it is read. Unknown keys are ignored: new ones come without a new version."""

    operation: str | None = None
    model_id: str | None = None
    timestamp: str | float | None = None
    region: str | None = None
    inference_region: str | None = None
    request_id: str | None = None
    error_code: str | int | None = None
    error_message: str | None = None
    status: int | str | None = None
    input: Half = msgspec.field(default_factory=Half)
    output: Half = msgspec.field(default_factory=Half)
    message: str | None = None
    log_events: list[Event] | None = None
    events: list[Event] | None = None
    schema_type: str | None = None


_DECODER = msgspec.json.Decoder(Logged)
_encode = msgspec.json.Encoder().encode


def build() -> BedrockLog:
    return BedrockLog()


@dataclass(frozen=True, slots=True)
class BedrockLog:
    """The format."""

    name: str = NAME
    service: str = "bedrock"
    operation: str = "Converse"
    sampled: bool = False

    def read(self, log: Log) -> Iterator[Found]:
        """One `Found` a record; side objects of large bodies and the permission check are files of no records."""
        return read_plain(self, log)

    def plain(self, log: Log) -> Iterator[Plain | Reject | Skip]:
        return plain(self, log)

    def blocks(self, file: LogFile) -> Iterator[Block | Reject]:
        if SIDECAR in f"/{file.path}" or file.path.endswith(PERMISSION):
            return iter(())
        return blocked(file, self.name)

    def found(self, log: Log, file: LogFile, line: Line, /) -> Iterable[Plain | Reject | Skip]:
        if line.content is None:
            return (Reject(place(file, NAME, line), TOO_LONG),)
        return _read(_Place(log, file, line), line.content)

    @staticmethod
    def usual(line: bytes) -> Usual | None:
        """A call that was answered, with both bodies and counts of tokens that are no cache's."""
        try:
            logged = _DECODER.decode(line)
            asked, answered = bytes(logged.input.input_body_json), bytes(logged.output.output_body_json)
            if not (asked[:1] == b"{" and asked[-1:] == b"}" and answered[:1] == b"{" and answered[-1:] == b"}"):
                return None
            request, response = asked.decode(), answered.decode()
            request_text, response_text = _encode(request)[1:-1].decode(), _encode(response)[1:-1].decode()
        except UNREADABLE:
            return None
        given, got = logged.input, logged.output
        name, time, sent, came = logged.request_id, logged.timestamp, given.input_token_count, got.output_token_count
        if (
            logged.operation not in OPERATIONS
            or logged.model_id is None
            or not name
            or not name.isprintable()
            or '"' in name
            or "\\" in name
            or not isinstance(time, str)
            or sent is None
            or came is None
            or sent < 0
            or came < 0
            or logged.error_code is not None
            or logged.error_message is not None
            or logged.status is not None
            or given.cache_read_input_token_count is not None
            or given.cache_write_input_token_count is not None
            or given.truncated
            or given.input_body_truncated
            or given.output_body_truncated
            or got.truncated
            or got.input_body_truncated
            or got.output_body_truncated
        ):
            return None
        kind = logged.operation, logged.model_id, logged.inference_region or logged.region, given.input_content_type
        tokens = f'{{"input":{int(sent)},"output":{int(came)}}}'
        return kind, request, request_text, response, response_text, name, time, tokens


class _Place(NamedTuple):
    """Where a record stands."""

    log: Log
    file: LogFile
    line: Line

    @property
    def origin(self) -> Origin:
        return place(self.file, NAME, self.line)


def _read(at: _Place, text: bytes) -> Iterable[Plain | Reject | Skip]:
    """The record of a line, or the records of its events; those after the first have the event's number in their id."""
    text = _unwrapped(text)
    try:
        logged = _DECODER.decode(text)
    except UNREADABLE as exc:
        return (Reject(at.origin, refused(exc)),)
    if logged.operation is not None:
        return (_found(at, text, logged),)
    events = logged.log_events or logged.events
    if events is None:
        return (_found(at, text, logged) if logged.message is None else _decoded(at, logged.message.encode()),)
    return (
        _decoded(at, (event.message or "").encode("utf-8", "surrogatepass"), number)
        for number, event in enumerate(events)
    )


def _decoded(at: _Place, text: bytes, number: int = 0) -> Plain | Reject | Skip:
    try:
        logged = _DECODER.decode(text)
    except UNREADABLE as exc:
        return Reject(at.origin, refused(exc))
    return _found(at, text, logged, number)


def _found(at: _Place, text: bytes, logged: Logged, number: int = 0) -> Plain | Reject | Skip:
    if logged.operation is None or logged.model_id is None:
        return Reject(at.origin, "no record of a call: it lacks operation or modelId")
    if logged.operation not in OPERATIONS:
        return Skip(at.origin, logged.operation if logged.operation.isalnum() else "another operation")
    try:
        asked = _body(logged.input.input_body_json, logged.input.input_body_s3_path, at)
        answered = _body(logged.output.output_body_json, logged.output.output_body_s3_path, at)
    except BadFile as exc:
        return Reject(at.origin, str(exc))
    except OSError as exc:
        return Reject(at.origin, f"the object of a large body cannot be read ({type(exc).__name__})")
    if asked is None:
        why = "the object of a large body was not imported" if logged.input.input_body_s3_path else "body not logged"
        return Skip(at.origin, why, no_request=True)
    status, headers, said = _answer(logged, answered)
    return Plain(
        format=NAME,
        path=at.file.path,
        index=at.line.index,
        line=at.line.number,
        number=number,
        text=text,
        service="bedrock",
        operation=logged.operation,
        model=logged.model_id,
        region=logged.inference_region or logged.region,
        request_type=logged.input.input_content_type or JSON,
        request=_text(asked),
        status=status,
        failed=_error(logged) is not None,
        response_headers=headers,
        response=None if said is None else _text(said),
        request_id=logged.request_id,
        tokens=_tokens(logged),
        time=logged.timestamp,
        flags=_flags(logged, asked, answered, said),
        labels=(logged.request_id,) if logged.request_id else (),
    )


def _unwrapped(line: bytes) -> bytes:
    """Without the time that CloudWatch's export to S3 writes before each event."""
    if line[:1] == b"{":
        return line
    head, _, rest = line.partition(b" ")
    return rest if head[:4].isdigit() and rest.lstrip().startswith(b"{") else line


def _body(inline: msgspec.Raw, uri: str | None, at: _Place) -> bytes | None:
    content = bytes(inline)
    if content not in (b"", b"null"):
        return content
    if uri is None:
        return None
    side = at.log.find(uri, beside=at.file.path)
    if side is None:
        return None
    with opened(side) as stream:
        body = stream.read(LONGEST + 1)
    if len(body) > LONGEST:
        raise BadFile(f"the object of a large body is longer than {LONGEST:,} bytes")
    return body


def _text(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _flags(logged: Logged, asked: bytes, answered: bytes | None, said: bytes | None) -> tuple[str, ...]:
    """Sorted. answered: the body that was logged; said: the one that the case has."""
    flags = () if said is not None else (gaps.NO_ANSWER,)
    cut = any(
        one.truncated or one.input_body_truncated or one.output_body_truncated for one in (logged.input, logged.output)
    )
    whole = _whole(asked) and (answered is None or _whole(answered))
    return (*flags, gaps.NOT_WIRE_BYTES, gaps.TRUNCATED) if cut or not whole else (*flags, gaps.NOT_WIRE_BYTES)


def _whole(body: bytes) -> bool:
    """Whether a body that JSON was asked of is JSON: one that the log cut is not, or is the text of the cut."""
    body = body.strip()
    return body.startswith((b"{", b"[")) and body.endswith((b"}", b"]"))


def _answer(logged: Logged, answered: bytes | None) -> tuple[int | None, dict[str, str], bytes | None]:
    """Status, headers and body. A refused call has a body in the service's own form, and the status that the log says
    or its error has; None for an error that nobody knows.
    """
    word = _error(logged)
    if word is None:
        return (None, {}, None) if answered is None else (200, {"content-type": JSON}, answered)
    said = (status_in(one) for one in (logged.status, word))
    status = next((one for one in said if one is not None and one >= 400), STATUS.get(word))
    body = answered if answered is not None else json_bytes({"message": logged.error_message or word})
    return status, {"content-type": JSON, "x-amzn-errortype": word}, body


def _error(logged: Logged) -> str | None:
    """The code of a refused call; None where nothing says that it was one."""
    if logged.error_code not in (None, ""):
        return str(logged.error_code)
    status = status_in(logged.status)
    if status is not None and status >= 400:
        return str(status)
    return "error" if logged.error_message or str(logged.status).lower() in FAILED else None


def _tokens(logged: Logged) -> dict[str, int]:
    """By name, sorted."""
    counts = (
        ("cache_read", logged.input.cache_read_input_token_count),
        ("cache_write", logged.input.cache_write_input_token_count),
        ("input", logged.input.input_token_count),
        ("output", logged.output.output_token_count),
    )
    return {name: int(count) for name, count in counts if count is not None and count >= 0}
