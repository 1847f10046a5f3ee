"""boto3's clients of model services, by botocore's events: before-call, after-call, after-call-error.

They come once a call, around its retries. An answer in pieces is copied where botocore reads it from the connection:
`_raw_stream` of `StreamingBody` and `EventStream` (botocore 1.43); the application keeps both objects as they are.
Source: botocore, `client.py`, `response.py`, `eventstream.py`; service model `bedrock-agent-runtime` 2023-07-26.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from harness.errors import ConfigError
from harness.recordings.formats._http import Call, call_of
from harness.tap.copying import Copy
from harness.tap.exchange import MOST, Asked, Exchange, Sample
from harness.tap.losses import FAILED, LONG
from harness.tap.spool import Spool

SERVICES = ("bedrock-runtime", "bedrock-agent-runtime", "sagemaker-runtime")
AGENT = "bedrock_agent"
AGENT_OPERATIONS = ("Retrieve", "RetrieveAndGenerate", "RetrieveAndGenerateStream", "InvokeAgent")
_KEY = "parity-tap"


def hook(client: Any, spool: Spool, sample: Sample) -> Callable[[], None]:
    """Hook a client; what is returned lets go of it. Raises ConfigError for a client of another service."""
    service = client.meta.service_model.service_name
    if service not in SERVICES:
        raise ConfigError(f"tap: a client of {service} calls no models; known are {', '.join(SERVICES)}.")
    taken = _Taken(spool, sample, client.meta.region_name)
    prefix = client.meta.service_model.service_id.hyphenize()
    handlers = {
        f"before-call.{prefix}": taken.before,
        f"after-call.{prefix}": taken.after,
        f"after-call-error.{prefix}": taken.failed,
    }
    for event, handler in handlers.items():
        client.meta.events.register_last(event, handler)

    def unhook() -> None:
        for event, handler in handlers.items():
            client.meta.events.unregister(event, handler)

    return unhook


class _Taken:
    """The handlers. botocore takes what a handler returns for an answer, so none returns anything."""

    def __init__(self, spool: Spool, sample: Sample, region: str | None) -> None:
        self._spool = spool
        self._sample = sample
        self._region = region

    def before(self, params: Any, model: Any, context: Any, **_: Any) -> None:
        try:
            call, body = _call(model.name, params["url"]), params.get("body") or b""
            if call is None:
                return
            if isinstance(body, str | bytearray):
                body = body.encode() if isinstance(body, str) else bytes(body)
            if not isinstance(body, bytes):
                raise TypeError("a body that is a file can be read once")
            if len(body) > MOST:
                self._spool.lose(LONG)
            elif self._sample.takes(call.operation, call.model, body):
                context[_KEY] = Asked(
                    service=call.service,
                    operation=call.operation,
                    model=call.model,
                    region=self._region,
                    url=params["url"],
                    headers=dict(params["headers"]),
                    body=body,
                    at=datetime.now(UTC),
                    started_s=time.perf_counter(),
                )
            else:
                self._spool.count("left_out")
        except Exception as exc:
            self._spool.lose(FAILED, exc)

    def after(self, http_response: Any, parsed: Any, model: Any, context: Any, **_: Any) -> None:
        try:
            if (asked := context.pop(_KEY, None)) is not None:
                self._answered(asked, http_response, parsed, model)
        except Exception as exc:
            self._spool.lose(FAILED, exc)

    def failed(self, context: Any, **_: Any) -> None:
        """No answer came: the connection broke, or nobody answered in time."""
        try:
            if (asked := context.pop(_KEY, None)) is not None:
                self._spool.offer(Exchange(asked=asked))
        except Exception as exc:
            self._spool.lose(FAILED, exc)

    def _answered(self, asked: Asked, http: Any, parsed: Any, model: Any) -> None:
        latency_s: float | None = time.perf_counter() - asked.started_s
        if parsed.get("ResponseMetadata", {}).get("RetryAttempts"):
            latency_s = None  # it would be that of several attempts and the waits between them
        headers, status = dict(http.headers), http.status_code
        if status < 300 and (model.has_event_stream_output or model.has_streaming_output):
            holder = parsed[model.output_shape.serialization["payload"]]
            length = str(headers.get("content-length", headers.get("Content-Length", "")))
            copy = Copy(self._spool, asked, status, headers)
            holder._raw_stream = _Tee(holder._raw_stream, copy, int(length) if length.isdecimal() else None)
            return
        body = http.content
        if len(body) > MOST:
            self._spool.lose(LONG)
            return
        self._spool.offer(Exchange(asked=asked, status=status, headers=headers, body=body, latency_s=latency_s))


def _call(operation: str, url: str) -> Call | None:
    """What is called; None for what is no call of a model with an answer of its own."""
    if operation in AGENT_OPERATIONS:
        parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
        named = {name: parts[at + 1] for at, name in enumerate(parts[:-1])}
        model = named.get("knowledgebases") or "/".join(
            named[name] for name in ("agents", "agentAliases") if name in named
        )
        return Call(AGENT, operation, model or None)
    call = call_of("POST", url)
    if isinstance(call, str) or call.operation == "InvokeEndpointAsync":  # its answer goes to S3
        return None
    return replace(call, operation=operation)


class _Tee:
    """A connection's stream that hands on what the application reads of it, and keeps a copy.

    The ways to read are those that botocore has; all else is the stream's own. length: bytes that will come.
    """

    def __init__(self, inner: Any, copy: Copy, length: int | None) -> None:
        self._inner = inner
        self._copy = copy
        self._left = length

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> _Tee:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            self._took(piece)
            yield piece
        self._end(whole=True)

    def __del__(self) -> None:
        self._end(whole=False)

    def read(self, amt: int | None = None, *args: Any, **kwargs: Any) -> Any:
        piece = self._read(self._inner.read, amt, *args, **kwargs)
        self._took(piece)
        if amt is None or amt < 0 or (not piece and amt):
            self._end(whole=True)
        return piece

    def readinto(self, buffer: Any) -> Any:
        count = self._read(self._inner.readinto, buffer)
        self._took(bytes(memoryview(buffer)[:count]))
        if not count and len(buffer):
            self._end(whole=True)
        return count

    def readlines(self, *args: Any) -> Any:
        lines = self._read(self._inner.readlines, *args)
        self._took(b"".join(lines))
        return lines

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        try:
            for piece in self._inner.stream(*args, **kwargs):
                self._took(piece)
                yield piece
        except BaseException:
            self._end(whole=False)
            raise
        self._end(whole=True)

    def close(self) -> None:
        self._end(whole=False)
        self._inner.close()

    def _read(self, reads: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return reads(*args, **kwargs)
        except BaseException:
            self._end(whole=False)
            raise

    def _took(self, piece: bytes) -> None:
        self._copy.add(piece)
        if self._left is not None:
            self._left -= len(piece)
            if self._left <= 0:
                self._end(whole=True)

    def _end(self, *, whole: bool) -> None:
        self._copy.end(whole=whole)
