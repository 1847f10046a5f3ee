"""Batch files of Azure OpenAI and OpenAI: requests and answers, joined by `custom_id`, in any order.

Both kinds of files are given together. An answer whose request is not there cannot be replayed; a request whose answer
is not there is a case whose answer was not kept. Where requests or answers that differ have one `custom_id`, as when
two batches count from 1, nothing says which belongs to which, so that all of them are refused. A line that holds both
halves is a call by itself.

A status is the one that the file says. An error that tells none (`batch_expired`) is a failure of status None.

Source: Azure OpenAI documentation, "Global batch"; OpenAI API reference, batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.core.case import Json, Origin, Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, LogFile, Record, Reject, Skip, case_id
from harness.recordings.formats._join import Lines, Names
from harness.recordings.formats._json import UNREADABLE, answer_bytes, document, json_bytes, placed, records, refused
from harness.recordings.formats._openai import operation_of, status_in, tells_error, told_error
from harness.recordings.formats._streams import BadFile, packed
from harness.recordings.plain import moment

NAME = "azure_openai_batch"
ASKED, ANSWERED, WHOLE = "request", "answer", "call"
SEVERAL = "a custom_id that several have who differ; import each batch by itself"


def build(*, service: str = "azure_openai") -> AzureOpenAiBatch:
    """service: whose codec reads the answers."""
    return AzureOpenAiBatch(service=service)


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureOpenAiBatch:
    """The format."""

    service: str = "azure_openai"
    name: str = NAME
    operation: str = "chat.completions"
    sampled: bool = False

    def read(self, log: Log) -> Iterator[Found]:
        """Answers in their own order first, then requests without an answer."""
        names = Names()
        with Lines(self.name) as asked:
            for file in log:
                yield from self._remembered(file, asked, names)
            for file in log:
                yield from self._answers(file, asked, names)
            for file in log:
                yield from self._left(file, asked, names)

    def _remembered(self, file: LogFile, asked: Lines, names: Names) -> Iterator[Found]:
        """Remembers the requests of a file; what is no line of a batch file is refused here, once."""
        compressed = packed(file)
        asked.file(file)
        for item in placed(file, self.name):
            if isinstance(item, Reject):
                yield item
                continue
            origin, line, start = item
            table = _table(line)
            if not isinstance(table, dict):
                yield Reject(origin, table)
            elif _half(table) == ASKED:
                names.asked(table["custom_id"], table)
                try:
                    asked.add(table["custom_id"], origin, start, line, packed=compressed)
                except BadFile as exc:
                    yield Reject(origin, str(exc))
            elif _half(table) == ANSWERED:
                names.answered(table["custom_id"], table)

    def _answers(self, file: LogFile, asked: Lines, names: Names) -> Iterator[Found]:
        for origin, line, table in self._tables(file):
            half, identity = _half(table), table["custom_id"]
            if half == WHOLE:
                yield self._record(origin, table, table, partial(document, line))
            if half != ANSWERED:
                continue
            request = asked.get(identity)
            if request is None:
                yield Skip(origin, "the request was not imported", no_request=True)
            elif names.several(identity):
                yield Reject(origin, SEVERAL)
            elif not names.first_answer(identity):
                yield Reject(origin, "a custom_id that another answer has")
            else:
                yield self._record(origin, document(request[1]), table, partial(_joined, request[1], line))

    def _left(self, file: LogFile, asked: Lines, names: Names) -> Iterator[Found]:
        for origin, line, table in self._tables(file):
            identity = table["custom_id"]
            if _half(table) != ASKED or identity not in asked:
                continue
            if names.several(identity):
                yield Reject(origin, SEVERAL)
            elif not names.first_request(identity):
                yield Reject(origin, "a custom_id that another request has")
            elif not names.has_answer(identity):
                yield self._record(origin, table, None, partial(_joined, line, None))

    def _tables(self, file: LogFile) -> Iterator[tuple[Origin, bytes, dict[str, Any]]]:
        for item in records(file, self.name):
            if not isinstance(item, Reject) and isinstance(table := _table(item[1]), dict):
                yield (*item, table)

    def _record(self, origin: Origin, asked: Any, answer: dict[str, Any] | None, told: partial[Json]) -> Found:
        body = asked["body"] if isinstance(asked, dict) else None
        operation = operation_of(body, asked.get("url")) if isinstance(body, dict) else None
        if not isinstance(body, dict) or operation is None:
            return Reject(origin, "a body of no known operation")
        try:
            status, reply, request_id = _reply(answer)
        except TypeError as exc:
            return Reject(origin, str(exc))
        content = answer_bytes(status, reply)
        flags = [gaps.NOT_WIRE_BYTES] if content is not None else [gaps.NO_ANSWER, gaps.NOT_WIRE_BYTES]
        model = body.get("model")
        recording = Recording(
            id=case_id(origin),
            service=self.service,
            operation=operation,
            model=model if isinstance(model, str) else None,
            request_headers={"content-type": "application/json"},
            request_body=json_bytes(body),
            status=status,
            response_headers={} if reply is None else {"content-type": "application/json"},
            response_body=content,
            request_id=request_id or asked["custom_id"],
            provenance=Provenance(
                captured_at=moment(reply.get("created")) if isinstance(reply, dict) else None,
                origin=origin,
                flags=tuple(flags),
            ),
        )
        return Record(recording=recording, document=told, labels=(asked["custom_id"],), failed=tells_error(reply))


def _table(line: bytes) -> dict[str, Any] | str:
    """A line of a batch file, or why it is none."""
    try:
        table = document(line)
    except UNREADABLE as exc:
        return refused(exc)
    if not isinstance(table, dict) or not isinstance(table.get("custom_id"), str):
        return "no line of a batch file: it has no custom_id"
    if not ("body" in table or "response" in table or table.get("error")):
        return "no line of a batch file: neither a body nor a response"
    return table


def _half(table: dict[str, Any]) -> str:
    if "body" not in table:
        return ANSWERED
    return WHOLE if table.get("response") is not None or table.get("error") else ASKED


def _reply(answer: dict[str, Any] | None) -> tuple[int | None, Any, str | None]:
    """Status, body and request id of an answer. Raises TypeError for a response that is no object."""
    if answer is None:
        return None, None, None
    response, error = answer.get("response"), answer.get("error")
    if not isinstance(response, dict | None):
        raise TypeError("a response that is no object")
    told = response or {}
    status, body, identity = status_in(told.get("status_code")), told.get("body"), told.get("request_id")
    if error and (body is None or status is None):
        status, body = told_error(error, status)
    return status, body, identity if isinstance(identity, str) else None


def _joined(request: bytes, answer: bytes | None) -> Json:
    """The request's line, with the answer's `response` and `error` where there are any."""
    told = document(request)
    more = None if answer is None else document(answer)
    return {**told, **more} if isinstance(told, dict) and isinstance(more, dict) else told
