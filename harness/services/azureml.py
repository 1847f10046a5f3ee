"""Azure ML online endpoints: one POST to the scoring URI a case.

Wire format: Azure ML documentation, "Deploy MLflow models to online endpoints" (body `input_data`) and "Troubleshoot
online endpoints" (headers and status codes).
"""

from __future__ import annotations

import json
import threading
import time
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

from harness import __version__
from harness.config import SideSettings
from harness.core.call import Reading, Unreadable, Wire
from harness.core.case import Json, Lot, Recording, Request, Task
from harness.core.check import Grant, Load, Probe
from harness.core.inventory import Inventory
from harness.core.protocols import Endpoint
from harness.core.table import rows_asked, table_of
from harness.errors import HarnessError, Rejected, ServiceError, Unavailable, UnencodableRequest
from harness.services._failures import HTTP, Row, by_model_status, by_status, cause, from_row, row_for
from harness.services._network import CONNECT_TIMEOUT_S, Way
from harness.services._replies import kept, retry_after_s
from harness.services._tabular import (
    NotScores,
    parse_json,
    reading,
    recorded_json,
    reply_bytes,
    scores_of,
    unreadable,
)
from harness.shapes import AZURE_CLOUDS

if TYPE_CHECKING:
    from harness.services._azure import Access

SERVICE = "azureml"
OPERATION = "score"
JSON = "application/json"
RETRY_RENEWAL_S = 30.0  # a renewal that failed while the token was still good is tried again after this

HINTS = {
    401: "the key or token is wrong or has expired",
    403: "the identity may not score on this endpoint",
    404: "no deployment has traffic, or the named one does not exist",
    408: "the model took longer than the deployment's request_timeout_ms",
    413: "the payload is larger than the endpoint takes",
    429: "more calls than the deployment takes",
}
OTHER = Row((urllib3.exceptions.HTTPError,), Unavailable, "the call failed in a way not known here")


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
        """Resolve scoring URI and key or token. Raises ConfigError, and ServiceError as the control plane answers."""
        return AzureMLEndpoint(self.settings)

    def probes(self, load: Load, /) -> tuple[Probe, ...]:
        """What can be looked at without a scoring call."""
        from harness.services import _checks_azureml

        return _checks_azureml.probes(self.settings, load, SERVICE)

    def grants(self, _load: Load, /) -> tuple[Grant, ...]:
        """What a run and its checks need leave for."""
        from harness.services import _checks_azureml

        return _checks_azureml.grants(self.settings)

    def inventory(self, _since: datetime, /) -> Inventory | None:
        """Deployments of online and batch endpoints, and models of the workspace; none where the profile names none."""
        if self.settings.cloud not in AZURE_CLOUDS or self.settings.workspace is None:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in `_resolve`
            from harness.services import _inventory_azureml

        return _inventory_azureml.read(self.settings)


class AzureMLEndpoint:
    """A POST to the scoring URI that azure-ai-ml resolved, one attempt a call.

    azure-ai-ml's own `invoke` keeps the deployment header of one call for later ones, and makes two or three calls of
    the control plane each time (1.35), so it resolves, and urllib3 calls.
    """

    def __init__(self, settings: SideSettings) -> None:
        self._settings = settings
        self._deployment = settings.endpoint.partition("/")[2]
        self._way = Way(settings.network)
        self._lock = threading.Lock()
        self._used = threading.local()
        try:
            self._access = self._resolve(0)
        except BaseException:
            self._way.close()
            raise
        self._pool = self._way.pool(self._access.scoring_uri, settings.connections)

    def __repr__(self) -> str:
        return f"<AzureMLEndpoint {self.name} {self._settings.cloud}>"

    @property
    def name(self) -> str:
        return self._settings.endpoint

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        """One POST. Raises ServiceError; a token near its end is renewed first."""
        access = self._current()
        self._used.number = access.number
        headers = {
            **wire.headers,
            "authorization": f"Bearer {access.secret}",
            "x-ms-client-request-id": str(uuid.uuid4()),
            "user-agent": f"parity-harness/{__version__}",
        }
        if self._deployment:
            headers["azureml-model-deployment"] = self._deployment
        timeout = urllib3.Timeout(connect=min(timeout_s, CONNECT_TIMEOUT_S), read=timeout_s)
        try:
            reply = self._pool.request(
                "POST",
                access.scoring_uri,
                body=wire.body if isinstance(wire.body, bytes) else None,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as exc:
            raise self._broken(exc) from cause(exc, (access.secret,))
        if not 200 <= reply.status < 300:
            raise self._refused(reply.status, reply.headers)
        return Wire(operation=OPERATION, status=reply.status, headers=kept(reply.headers), body=reply.data)

    def refresh(self) -> bool:
        """Resolve key or token anew; True when it differs from the one that the calling thread used last.

        Threads that were refused together share one renewal. Raises as opening does.
        """
        with self._lock:
            before = self._access
            if getattr(self._used, "number", before.number) != before.number:
                return True
            self._access = self._resolve(before.number + 1)
            return self._access.secret != before.secret

    def close(self) -> None:
        self._pool.clear()
        self._way.close()

    def _resolve(self, number: int) -> Access:
        with warnings.catch_warnings():
            # azure-ai-ml 1.35 builds its schemas with arguments that marshmallow 3.24 deprecated: hundreds of lines
            # under pytest, and errors under -W error, that nobody who writes suites can do anything about.
            warnings.simplefilter("ignore")
            from harness.services import _azure  # azure-ai-ml takes seconds to import

        return _azure.resolve(self._settings, self._way, service=SERVICE, number=number)

    def _current(self) -> Access:
        """The access to use now. One thread renews it while others go on with what is still good."""
        access = self._access
        now = time.time()
        if access.refresh_at_s is None or access.expires_at_s is None or now < access.refresh_at_s:
            return access
        expired = now >= access.expires_at_s
        if self._lock.acquire(blocking=expired):
            try:
                if self._access is access:
                    self._access = self._resolve(access.number + 1)
            except ServiceError:
                if expired:
                    raise
                self._access = replace(access, refresh_at_s=now + RETRY_RENEWAL_S)
            finally:
                self._lock.release()
        return self._access

    def _broken(self, exc: urllib3.exceptions.HTTPError) -> HarnessError:
        row = row_for(type(exc), HTTP) or OTHER
        return from_row(exc, row, place=f"POST to {self._host}", service=SERVICE)

    def _refused(self, status: int, headers: Mapping[str, str]) -> ServiceError:
        ours, may_refresh = by_status(status)
        detail = HINTS.get(status, "")
        if status == 424:
            model = headers.get("ms-azureml-model-error-statuscode", "")
            ours = by_model_status(int(model)) if model.isdecimal() else Rejected
            reason = headers.get("ms-azureml-model-error-reason", "")
            detail = f"the model answered status {model or 'unknown'}" + (
                f" ({reason})" if reason.isidentifier() else ""
            )
        request = headers.get("x-request-id", "not given")[:64]
        return ours(
            f"POST to {self._host}: answered status {status} (request {request}){': ' if detail else ''}{detail}",
            service=SERVICE,
            status=status,
            retry_after_s=retry_after_s(headers),
            may_refresh=may_refresh,
        )

    @property
    def _host(self) -> str:
        return urlsplit(self._access.scoring_uri).hostname or ""


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
