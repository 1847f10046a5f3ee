"""SageMaker runtime, real-time endpoints: one InvokeEndpoint call a case.

Wire format: botocore's service model `sagemaker-runtime` 2017-05-13; bodies: SageMaker developer guide, "Common data
formats for inference" and the pages of the built-in algorithms.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from harness.config import SideSettings
from harness.core.call import Reading, Unreadable, Wire
from harness.core.case import Json, Lot, Recording, Request, Task
from harness.core.check import Grant, Load, Probe
from harness.core.inventory import Inventory
from harness.core.output import Scores
from harness.core.protocols import Endpoint
from harness.core.table import rows_asked, table_of
from harness.errors import CodecError, UnencodableRequest
from harness.services._replies import kept
from harness.services._tabular import (
    NotScores,
    parse_json,
    reading,
    recorded_header,
    recorded_json,
    reply_bytes,
    scores_of,
    table_of_numbers,
    unreadable,
)
from harness.shapes import AWS_CLOUDS

if TYPE_CHECKING:
    from harness.services._aws import Aws

SERVICE = "sagemaker"
OPERATION = "InvokeEndpoint"
CSV = "text/csv"
JSON = "application/json"
JSONL = "application/jsonlines"

# HTTP header -> parameter of boto3's invoke_endpoint.
PARAMETERS = {
    "content-type": "ContentType",
    "accept": "Accept",
    "x-amzn-sagemaker-custom-attributes": "CustomAttributes",
    "x-amzn-sagemaker-target-variant": "TargetVariant",
    "x-amzn-sagemaker-inference-component": "InferenceComponentName",
}


def build(
    settings: SideSettings,
    *,
    accept: str = CSV,
    content_type: str | None = None,
    target_variant: str | None = None,
    inference_component: str | None = None,
    custom_attributes: str | None = None,
) -> SageMaker:
    """content_type: without it, each request goes out in the form it was recorded in, CSV where that is unknown."""
    fixed = {
        "accept": accept,
        "x-amzn-sagemaker-target-variant": target_variant,
        "x-amzn-sagemaker-inference-component": inference_component,
        "x-amzn-sagemaker-custom-attributes": custom_attributes,
    }
    headers = {name: value for name, value in fixed.items() if value is not None}
    return SageMaker(codec=SageMakerCodec(headers=headers, content_type=content_type), settings=settings)


@dataclass(frozen=True, slots=True)
class SageMakerCodec:
    """CSV or JSON out, CSV, JSON or JSON lines back. headers: sent with every call, names in lower case."""

    headers: Mapping[str, str] = field(default_factory=lambda: {"accept": CSV})
    content_type: str | None = None

    def read_request(self, recording: Recording) -> Request:
        """A recorded request as a table; CSV cells stay text, for CSV has no types.

        JSON: [[...]], {"instances": [[...]]} or {"instances": [{"features": [...]}]}; params keep which, so that it
        goes out as it came. Any other JSON becomes {"body": ...}. Raises CodecError naming the recording.
        """
        kind = recorded_header(recording.request_headers, "content-type") or CSV
        if _media(kind) == JSON:
            body = recorded_json(recording)
            form, rows = _rows_in(body)
            payload: Json = {"body": body} if rows is None else {"columns": None, "rows": list[Json](rows)}
            return Request(Task.TABULAR, payload, {"content_type": kind, "form": form})
        if _media(kind) != CSV:
            raise CodecError(f'recording {recording.id}: requests of type "{kind}" are not read; CSV and JSON are.')
        return Request(Task.TABULAR, {"columns": None, "rows": _read_csv(recording)}, {"content_type": kind})

    def gist(self, _operation: str, _model: str | None, content_type: str, body: str, /) -> str | None:
        """As `protocols.Gists` says, of JSON and of CSV without quotes whose rows are of one length."""
        if content_type != CSV and _media(content_type) != CSV:
            return _json_gist(body) if _media(content_type) == JSON else None
        text = body.rstrip("\n") if body[-1:] == "\n" else body
        if not text or '"' in text or "\r" in text or "\0" in text or len(text) > csv.field_size_limit():
            return None
        if "\n" in text:
            commas = {row.count(",") if row else -1 for row in text.split("\n")}
            if len(commas) > 1 or -1 in commas:
                return None
        return text

    def from_http(self, recording: Recording) -> Wire:
        """The recorded response as the endpoint would have returned it."""
        headers = {name.lower(): value for name, value in recording.response_headers.items()}
        return Wire(operation=OPERATION, status=recording.status, headers=headers, body=recording.response_body)

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | None:
        """One InvokeEndpoint call: a row a line without a header line, or the rows in the JSON form recorded.

        Column order is the model's training order and is sent as given. Raises UnencodableRequest.
        """
        if replies:
            return None
        request = lot.only
        own = request.payload.get("body") if isinstance(request.payload, dict) else None
        if own is not None:
            kind = self.content_type or (CSV if isinstance(own, str) else JSON)
            body = own if isinstance(own, str) else _dump(own)
        else:
            kind = self.content_type or str(request.params.get("content_type", CSV))
            _, rows = table_of(request)
            form = str(request.params.get("form", "instances"))
            body = _dump(_json_body(form, rows)) if _media(kind) == JSON else _write_csv(rows)
        headers = {**self.headers, "content-type": kind}
        return Wire(operation=OPERATION, headers=headers, body=body.encode())

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        """Scores, one row a row asked about. NaN and infinities stay as they came."""
        try:
            reply, body = reply_bytes(replies)
            kind = _media(reply.headers.get("content-type", CSV))
            rows = rows_asked(lot.only)
            scores = _read_json(body, kind, rows=rows) if kind in (JSON, JSONL) else _read_lines(body, rows=rows)
        except NotScores as exc:
            return unreadable(lot, str(exc), exc.partial)
        runtime = _attribute(reply.headers.get("x-amzn-sagemaker-custom-attributes", ""), "runtime")
        return reading(lot, scores, reply, served="x-amzn-invoked-production-variant", runtime=runtime)


@dataclass(frozen=True, slots=True)
class SageMaker:
    """The service as the session holds it."""

    codec: SageMakerCodec
    settings: SideSettings

    def open(self) -> Endpoint:
        """Resolve credentials and prepare a client. Raises ConfigError; Denied where there are no credentials."""
        from harness.services._aws import Aws  # boto3 takes half a second to import

        return SageMakerEndpoint(self.settings.endpoint, Aws(self.settings, service=SERVICE, api="sagemaker-runtime"))

    def inventory(self, since: datetime, /) -> Inventory | None:
        """Endpoints, batch jobs, pipelines and groups of the registry."""
        if self.settings.cloud not in AWS_CLOUDS:
            return None
        from harness.services import _inventory_sagemaker

        return _inventory_sagemaker.read(self.settings, since=since)

    def probes(self, load: Load, /) -> tuple[Probe, ...]:
        """What can be looked at without a scoring call."""
        from harness.services import _checks_sagemaker as checks

        return checks.probes(self.settings, load, SERVICE)

    def grants(self, load: Load, /) -> tuple[Grant, ...]:
        """What a run and its checks need leave for."""
        from harness.services import _checks_sagemaker as checks

        return checks.grants(self.settings, load)


class SageMakerEndpoint:
    """boto3's `invoke_endpoint`, one attempt a call."""

    def __init__(self, name: str, aws: Aws) -> None:
        self._name = name
        self._aws = aws

    def __repr__(self) -> str:
        return f"<SageMakerEndpoint {self._name} {self._aws!r}>"

    @property
    def name(self) -> str:
        return self._name

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        """One InvokeEndpoint. Raises ServiceError; ConfigError where no call can ever succeed."""
        parameters = {parameter: wire.headers[name] for name, parameter in PARAMETERS.items() if name in wire.headers}
        with self._aws.attempt(timeout_s) as client:
            reply = client.invoke_endpoint(EndpointName=self._name, Body=wire.body, **parameters)
            body = reply["Body"].read()
        answer = reply["ResponseMetadata"]
        return Wire(
            operation=OPERATION, status=answer["HTTPStatusCode"], headers=kept(answer["HTTPHeaders"]), body=body
        )

    def refresh(self) -> bool:
        return self._aws.refresh()

    def close(self) -> None:
        self._aws.close()


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _read_csv(recording: Recording) -> list[Json]:
    try:
        rows: list[list[str]] = list(
            csv.reader(io.StringIO(recording.request_body.decode("utf-8"), newline=""), strict=True)
        )
    except (UnicodeDecodeError, csv.Error) as exc:
        raise CodecError(f"recording {recording.id}: the request is not CSV in UTF-8 ({type(exc).__name__}).") from None
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise CodecError(f"recording {recording.id}: the request has no rows.")
    for index, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise CodecError(f"recording {recording.id}: row {index} has {len(row)} cells, row 1 has {len(rows[0])}.")
    return [list[Json](row) for row in rows]


def _write_csv(rows: list[list[Json]]) -> str:
    lines = []
    for index, row in enumerate(rows, start=1):
        for place, cell in enumerate(row, start=1):
            if cell is None or isinstance(cell, bool | list | dict):
                raise UnencodableRequest(f"row {index}, cell {place}: CSV can say numbers and text only.")
        lines.append(",".join(map(_cell, row)) if row != [""] else '""')
    return "\n".join(lines)


def _cell(cell: Json) -> str:
    text = cell if isinstance(cell, str) else repr(cell)
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in '",\r\n') else text


def _json_gist(body: str) -> str | None:
    try:
        value: Json = json.loads(body)
        _, rows = _rows_in(value)
        cells = [cell for row in rows or () for cell in row]
        if rows is not None and all(isinstance(cell, str) for cell in cells):
            return "\n".join(",".join(map(str, row)) for row in rows)
        payload = {"body": value} if rows is None else {"columns": None, "rows": rows}
        return msgspec.json.encode(payload, order="sorted").decode()
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _rows_in(body: Json) -> tuple[str, list[list[Json]] | None]:
    """The form and the rows of a JSON body; rows None where it is no table of plain values of one length."""
    form = "list"
    if isinstance(body, dict):
        form, body = "instances", body.get("instances") if len(body) == 1 else None
    if not isinstance(body, list) or not body:
        return form, None
    if all(isinstance(one, dict) and list(one) == ["features"] for one in body):
        form, body = "features", [one["features"] for one in body if isinstance(one, dict)]
    rows = [row for row in body if isinstance(row, list) and not any(isinstance(cell, list | dict) for cell in row)]
    whole = len(rows) == len(body) and len({len(row) for row in rows}) == 1
    return form, rows if whole else None


def _json_body(form: str, rows: list[list[Json]]) -> Json:
    plain: list[Json] = [list(row) for row in rows]
    if form == "list":
        return plain
    return {"instances": [{"features": row} for row in plain] if form == "features" else plain}


def _dump(value: Json) -> str:
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError as exc:
        raise UnencodableRequest("the request holds NaN or an infinity, which JSON cannot say.") from exc


def _read_lines(body: bytes, *, rows: int | None) -> Scores:
    """One line a row, cells joined by commas, brackets around them tolerated.

    Built-in XGBoost before 1.2 answers several rows in one line; that is read where the counts leave no doubt.
    """
    try:
        lines = body.decode("utf-8").split("\n")
    except UnicodeDecodeError as exc:
        raise NotScores(f"the reply is not UTF-8 (byte {exc.start} of {len(body)})") from None
    cells = [line.strip().removeprefix("[").removesuffix("]").split(",") for line in lines if line.strip()]
    if len(cells) == 1 and rows is not None and rows == len(cells[0]) > 1:
        cells = [[cell] for cell in cells[0]]
    named = [{str(place): _parse(cell) for place, cell in enumerate(row)} for row in cells]
    return table_of_numbers(named, rows=rows)


def _parse(cell: str) -> Json:
    """The number a cell holds, else its text. Python reads "1_0" and digits of other scripts; no model writes them."""
    try:
        return float(cell) if cell.isascii() and "_" not in cell else cell
    except ValueError:
        return cell


def _read_json(body: bytes, kind: str, *, rows: int | None) -> Scores:
    if kind == JSON:
        return scores_of(parse_json(body), rows=rows)
    return scores_of([parse_json(line) for line in body.splitlines() if line.strip()], rows=rows)


def _attribute(attributes: str, name: str) -> str | None:
    """A value of "name=value;name=value", the form in which our containers tell their versions; None without it."""
    for part in attributes.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name and value.strip():
            return value.strip()
    return None
