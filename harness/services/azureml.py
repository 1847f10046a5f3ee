"""Azure ML online endpoints: one POST to the scoring URI a case.

Wire format: Azure ML documentation, "Deploy MLflow models to online endpoints" (body `input_data`) and "Troubleshoot
online endpoints" (headers and status codes).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from harness.config import SideSettings
from harness.core.call import Reading, Unreadable, Wire
from harness.core.case import Json, Lot, Recording, Request, Task
from harness.core.protocols import Endpoint
from harness.core.table import rows_asked, table_of
from harness.errors import UnencodableRequest
from harness.services._tabular import (
    NotScores,
    parse_json,
    reading,
    recorded_json,
    reply_bytes,
    scores_of,
    unreadable,
)

OPERATION = "score"
JSON = "application/json"


def build(settings: SideSettings) -> AzureML:
    """An online endpoint; settings.endpoint is "name", or "name/deployment" to pass by the traffic rules."""
    return AzureML(codec=AzureMLCodec(), settings=settings)


@dataclass(frozen=True, slots=True)
class AzureMLCodec:
    """MLflow's `input_data` out, what `predict` returned back."""

    def read_request(self, recording: Recording) -> Request:
        """A recorded body as a table: {"input_data": {"columns", "index", "data"}}, {"input_data": [[...]]}.

        A sibling "params" becomes the request's params. Any other JSON becomes {"body": ...}, which goes out as it
        came. Raises CodecError naming the recording.
        """
        body = recorded_json(recording)
        table, params = _table_in(body)
        return Request(Task.TABULAR, {"body": body} if table is None else table, params)

    def from_http(self, recording: Recording) -> Wire:
        """The recorded response as the endpoint would have returned it."""
        headers = {name.lower(): value for name, value in recording.response_headers.items()}
        return Wire(operation=OPERATION, status=recording.status, headers=headers, body=recording.response_body)

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | None:
        """One POST: the split form {"columns", "index", "data"}, or a bare list of rows where columns have no names.

        A payload {"body": ...} is sent as it is. Raises UnencodableRequest.
        Source: Azure ML documentation, "Deploy MLflow models to online endpoints", input formats.
        """
        if replies:
            return None
        request = lot.only
        payload = request.payload
        body = payload["body"] if isinstance(payload, dict) and "body" in payload else _input_data(request)
        return Wire(operation=OPERATION, headers={"content-type": JSON, "accept": JSON}, body=_dump(body))

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        """Scores, one row a row asked about. NaN literals are numbers that came and stay."""
        try:
            reply, body = reply_bytes(replies)
            value = parse_json(body)
            if isinstance(value, str):  # a scoring script that returned JSON text: the server encodes it once more
                value = parse_json(value.encode())
            scores = scores_of(value, rows=rows_asked(lot.only))
        except NotScores as exc:
            return unreadable(lot, str(exc), exc.partial)
        runtime = reply.headers.get("x-model-runtime")
        return reading(lot, scores, reply, served="azureml-model-deployment", runtime=runtime)


@dataclass(frozen=True, slots=True)
class AzureML:
    """The service as the session holds it."""

    codec: AzureMLCodec
    settings: SideSettings

    def open(self) -> Endpoint:
        raise NotImplementedError


def _input_data(request: Request) -> Json:
    columns, rows = table_of(request)
    data: list[Json] = [list(row) for row in rows]
    params: dict[str, Json] = {"params": dict(request.params)} if request.params else {}
    if columns is None:
        return {"input_data": data, **params}
    return {"input_data": {"columns": list(columns), "index": list(range(len(rows))), "data": data}, **params}


def _table_in(body: Json) -> tuple[Json, Mapping[str, Json]]:
    """Payload and params of a recorded body; payload None where it is no table of plain values."""
    if not isinstance(body, dict) or not body.keys() <= {"input_data", "params"}:
        return None, {}
    inner, params = body.get("input_data"), body.get("params", {})
    columns: Json = None
    if isinstance(inner, dict) and inner.keys() <= {"columns", "index", "data"}:
        columns, inner = inner.get("columns"), inner.get("data")
    rows = inner if isinstance(inner, list) and inner else []
    widths = {len(row) if isinstance(row, list) else -1 for row in rows}
    if isinstance(columns, list):
        widths.add(len(columns))
    plain = all(not isinstance(cell, list | dict) for row in rows if isinstance(row, list) for cell in row)
    if not plain or len(widths) != 1 or -1 in widths or not isinstance(params, dict):
        return None, {}
    return {"columns": columns, "rows": list(rows)}, params


def _dump(body: Json) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        raise UnencodableRequest("the request holds NaN or an infinity, which JSON cannot say.") from None
