"""Azure ML model data collector: CloudEvents of what went into an online deployment and what came out.

Payload logging (`request`, `response`) holds bodies; a `Collector` in the scoring script (`model_inputs`,
`model_outputs`) holds rows of data frames. The two halves lie in different folders and are joined by deployment and
`correlationid`. Calls that came close together may share one line; then it is one case of all their rows. Events of
one id that differ (a caller may send any `x-request-id`) are refused, since nothing says which belong together. No
event says an HTTP status, so none is told.

Source: Azure documentation, "Collect production data from models for real-time inferencing"; azureml-ai-monitoring
1.0.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from harness.core.case import Json, Origin, Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, LogFile, Record, Reject, Skip, case_id
from harness.recordings.formats._join import Lines, Names
from harness.recordings.formats._json import UNREADABLE, document, json_bytes, placed, records, refused
from harness.recordings.formats._streams import BadFile, packed
from harness.recordings.plain import moment

NAME = "azureml_collector"
# the last word of `type` -> the half, and whether it holds rows of a data frame
HALVES = {
    "request": ("in", False),
    "response": ("out", False),
    "model_inputs": ("in", True),
    "model_outputs": ("out", True),
    "inputs": ("in", True),
    "outputs": ("out", True),
}
SEVERAL = "a correlationid that several have who differ, so that nothing says what belongs to it"
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_JSON = {"content-type": "application/json"}


def build() -> AzureMlCollector:
    return AzureMlCollector()


@dataclass(frozen=True, slots=True)
class AzureMlCollector:
    """The format."""

    name: str = NAME
    service: str = "azureml"
    operation: str = "score"
    sampled: bool = True  # by sampling_rate, which no event says

    def read(self, log: Log) -> Iterator[Found]:
        """Inputs in their order, each with its output; then outputs whose input was not kept."""
        names = Names()
        with Lines(self.name) as outputs:
            for file in log:
                yield from self._remembered(file, outputs, names)
            for file in log:
                for origin, line, event in self._events(file, "in"):
                    if names.several(_name(event)):
                        yield Reject(origin, SEVERAL)
                    else:
                        yield self._found(origin, line, event, outputs.get(_name(event)))
            for file in log:
                for origin, _, event in self._events(file, "out"):
                    if names.several(_name(event)):
                        yield Reject(origin, SEVERAL)
                    elif not names.has_request(_name(event)):
                        yield Skip(origin, "only the output was collected", no_request=True)
                    elif not names.first_request(_name(event)):
                        yield Skip(origin, "an output that was collected before")

    def _remembered(self, file: LogFile, outputs: Lines, names: Names) -> Iterator[Found]:
        compressed = packed(file)
        outputs.file(file)
        for item in placed(file, self.name):
            if isinstance(item, Reject):
                yield item
                continue
            origin, line, start = item
            event = _event(line)
            if isinstance(event, str):
                yield Reject(origin, event)
            elif _half(event)[0] == "":
                yield Skip(origin, "another collection")
            elif _half(event)[0] == "in":
                names.asked(_name(event), event["data"])
            else:
                names.answered(_name(event), event["data"])
                try:
                    outputs.add(_name(event), origin, start, line, packed=compressed)
                except BadFile as exc:
                    yield Reject(origin, str(exc))

    def _events(self, file: LogFile, half: str) -> Iterator[tuple[Origin, bytes, dict[str, Any]]]:
        for item in records(file, self.name):
            if not isinstance(item, Reject) and isinstance(event := _event(item[1]), dict) and _half(event)[0] == half:
                yield (*item, event)

    def _found(self, origin: Origin, line: bytes, event: dict[str, Any], output: tuple[Origin, bytes] | None) -> Found:
        if str(event.get("datainblob", "")).lower() == "true":
            return Skip(origin, "the body lies in a blob of its own", no_request=True)
        reply = _event(output[1]) if output is not None else None
        answered = isinstance(reply, dict) and str(reply.get("datainblob", "")).lower() != "true"
        body = json_bytes(reply["data"]) if isinstance(reply, dict) and answered else None
        endpoint, deployment = _source(event)
        cut = _cut(event) or (isinstance(reply, dict) and _cut(reply))
        flags = {gaps.NOT_WIRE_BYTES: True, gaps.NO_ANSWER: body is None, gaps.TRUNCATED: cut}
        recording = Recording(
            id=case_id(origin),
            service=self.service,
            operation=self.operation,
            model=endpoint,
            request_headers=_JSON,
            request_body=json_bytes(_split(event["data"]) if _half(event)[1] else event["data"]),
            status=None,
            response_headers={} if body is None else _JSON | _deployed(deployment),
            response_body=body,
            request_id=_identity(event),
            provenance=Provenance(
                captured_at=moment(event.get("time")),
                origin=origin,
                flags=tuple(sorted(word for word, there in flags.items() if there)),
            ),
        )
        told = partial(_joined, line, None if output is None else output[1])
        return Record(recording=recording, document=told, labels=(_identity(event),))


def _event(line: bytes) -> dict[str, Any] | str:
    """An event that can be joined, or why it is none."""
    try:
        event = document(line)
    except UNREADABLE as exc:
        return refused(exc)
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or "data" not in event:
        return "no event of the collector: it lacks type or data"
    if not isinstance(event.get("correlationid", event.get("xrequestid")), str):
        return "no correlationid to join it by"
    return event


def _half(event: dict[str, Any]) -> tuple[str, bool]:
    return HALVES.get(event["type"].rpartition(".")[2], ("", False))


def _identity(event: dict[str, Any]) -> str:
    return str(event.get("correlationid", event.get("xrequestid")))


def _name(event: dict[str, Any]) -> str:
    """Bodies and rows of one call are two records of it, and join their own kind. So do deployments: a mirrored call
    has one id in both.
    """
    endpoint, deployment = _source(event)
    return "\0".join((str(int(_half(event)[1])), endpoint or "", deployment or "", _identity(event)))


def _cut(event: dict[str, Any]) -> bool:
    """Whether `contentrange` ("bytes 0-38/39") says that the event holds a part of the body."""
    found = _RANGE.fullmatch(str(event.get("contentrange", "")))
    return found is not None and (int(found[1]) > 0 or (found[3] != "*" and int(found[2]) + 1 < int(found[3])))


def _split(rows: Any) -> Any:
    """Rows of a data frame as the request that MLflow deployments take."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        return rows
    columns = list(rows[0])
    return {"input_data": {"columns": columns, "data": [[row.get(column) for column in columns] for row in rows]}}


def _source(event: dict[str, Any]) -> tuple[str | None, str | None]:
    """Endpoint and deployment in the event's ARM path."""
    parts = str(event.get("source", "")).split("/")
    named = dict(pairwise(parts))
    return named.get("onlineEndpoints"), named.get("deployments")


def _deployed(deployment: str | None) -> dict[str, str]:
    return {} if deployment is None else {"azureml-model-deployment": deployment}


def _joined(line: bytes, output: bytes | None) -> Json:
    """The input's event, with the output's under `output`."""
    event = document(line)
    return {**event, "output": document(output)} if isinstance(event, dict) and output is not None else event
