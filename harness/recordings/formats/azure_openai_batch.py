"""Batch files of Azure OpenAI and OpenAI: requests and answers, joined by `custom_id`, in any order.

Both kinds of files are given together. An answer whose request is not there cannot be replayed; a request whose answer
is not there is a case whose answer was not kept.

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
from harness.recordings.formats._join import Lines, key
from harness.recordings.formats._json import UNREADABLE, document, json_bytes, placed, records, refused
from harness.recordings.formats._openai import operation_of, told_error
from harness.recordings.formats._streams import BadFile, packed
from harness.recordings.plain import moment
from harness.recordings.seen import Seen

NAME = "azure_openai_batch"


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
        answered = Seen()
        with Lines(self.name) as asked:
            for file in log:
                yield from self._requests(file, asked)
            for file in log:
                yield from self._answers(file, asked, answered)
            for file in log:
                yield from self._left(file, answered)

    def _requests(self, file: LogFile, asked: Lines) -> Iterator[Found]:
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
            elif "body" in table and "response" not in table:
                try:
                    new = asked.add(table["custom_id"], origin, start, line, packed=compressed)
                except BadFile as exc:
                    yield Reject(origin, str(exc))
                    continue
                if not new:
                    yield Reject(origin, "a custom_id that another request has")

    def _answers(self, file: LogFile, asked: Lines, answered: Seen) -> Iterator[Found]:
        for item in records(file, self.name):
            table = None if isinstance(item, Reject) else _table(item[1])
            if isinstance(item, Reject) or not isinstance(table, dict) or "body" in table:
                continue
            origin, line = item
            identity = table["custom_id"]
            request = asked.get(identity)
            if request is None:
                yield Skip(origin, "the request was not imported", no_request=True)
            elif answered.get(key(identity)) is not None:
                yield Reject(origin, "a custom_id that another answer has")
            else:
                answered.put(key(identity), 1)
                yield self._record(origin, document(request[1]), table, partial(_joined, request[1], line))

    def _left(self, file: LogFile, answered: Seen) -> Iterator[Found]:
        for item in records(file, self.name):
            table = None if isinstance(item, Reject) else _table(item[1])
            if isinstance(item, Reject) or not isinstance(table, dict) or "body" not in table:
                continue
            if answered.get(key(table["custom_id"])) is None:
                answered.put(key(table["custom_id"]), 1)
                yield self._record(item[0], table, None, partial(_joined, item[1], None))

    def _record(self, origin: Origin, asked: Any, answer: dict[str, Any] | None, told: partial[Json]) -> Found:
        body = asked["body"] if isinstance(asked, dict) else None
        operation = operation_of(body, asked.get("url")) if isinstance(body, dict) else None
        if not isinstance(body, dict) or operation is None:
            return Reject(origin, "a body of no known operation")
        status, reply, request_id = _reply(answer)
        flags = [gaps.NOT_WIRE_BYTES] if reply is not None else [gaps.NO_ANSWER, gaps.NOT_WIRE_BYTES]
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
            response_body=None if reply is None else json_bytes(reply),
            request_id=request_id or asked["custom_id"],
            provenance=Provenance(
                captured_at=moment(reply.get("created")) if isinstance(reply, dict) else None,
                origin=origin,
                flags=tuple(flags),
            ),
        )
        return Record(recording=recording, document=told, labels=(asked["custom_id"],))


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


def _reply(answer: dict[str, Any] | None) -> tuple[int | None, Any, str | None]:
    """Status, body and request id of an answer."""
    if answer is None:
        return None, None, None
    response = answer.get("response")
    if not isinstance(response, dict):
        return (*told_error(answer.get("error") or "no response", None), None)
    status, identity = response.get("status_code"), response.get("request_id")
    known = isinstance(status, int) and 100 <= status < 600
    return status if known else 200, response.get("body"), identity if isinstance(identity, str) else None


def _joined(request: bytes, answer: bytes | None) -> Json:
    """The request's line, with the answer's `response` and `error` where there are any."""
    told = document(request)
    more = None if answer is None else document(answer)
    return {**told, **more} if isinstance(told, dict) and isinstance(more, dict) else told
