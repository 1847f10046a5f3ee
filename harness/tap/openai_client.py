"""openai's clients, plain and async, by the event hooks of the httpx2 client that they are built on.

Hooks see every attempt. A refusal that openai may answer with another attempt waits for that: an attempt says in a
header that it is not the first, and takes the place of a refusal of the same request. Calls without any answer (a
connection that breaks, a time-out) reach no hook.
Source: openai 3.52, `_base_client.py`; httpx2, `_client.py`, `_models.py`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2

from harness.recordings.formats._http import call_of
from harness.tap.copying import Copy
from harness.tap.exchange import MOST, Asked, Sample
from harness.tap.losses import FAILED, LONG
from harness.tap.spool import Spool

_STARTED = "parity-tap"
_ATTEMPT = "x-stainless-retry-count"
_AGAIN = (408, 409, 429)  # and all of 500 and above
_PATIENCE_S = 90.0  # openai waits up to a minute before another attempt

Ending = Callable[[bool], None]


def hook(client: Any, spool: Spool, sample: Sample) -> Callable[[], None]:
    """Hook a client; what is returned lets go of it. Copies of the client (`with_options`) share its connections."""
    http = client._client
    taken = _Taken(spool, sample)
    plain = isinstance(http, httpx2.Client)
    ours = {
        "request": taken.asked if plain else taken.asked_async,
        "response": taken.answered if plain else taken.answered_async,
    }
    http.event_hooks = {name: [*http.event_hooks.get(name, []), handler] for name, handler in ours.items()}

    def unhook() -> None:
        hooks = http.event_hooks
        http.event_hooks = {
            name: [one for one in hooks.get(name, []) if one != handler] for name, handler in ours.items()
        }

    return unhook


class _Taken:
    """The hooks."""

    def __init__(self, spool: Spool, sample: Sample) -> None:
        self._spool = spool
        self._sample = sample
        self._lock = threading.Lock()
        self._refused: deque[tuple[float, tuple[str, bytes], Copy]] = deque()

    def asked(self, request: httpx2.Request) -> None:
        try:
            request.extensions[_STARTED] = (datetime.now(UTC), time.perf_counter())
            self._settle(_same(request) if request.headers.get(_ATTEMPT, "0") != "0" else None)
        except Exception as exc:
            self._spool.lose(FAILED, exc)

    def refused(self, request: httpx2.Request, copy: Copy) -> None:
        """Keep a refusal for a while."""
        with self._lock:
            self._refused.append((time.monotonic(), _same(request), copy))

    def _settle(self, again: tuple[str, bytes] | None) -> None:
        """The oldest refusal of the request that is made again is none; refusals that waited long enough are."""
        until = time.monotonic() - _PATIENCE_S
        with self._lock:
            old = [one for one in self._refused if one[0] < until]
            retried = next((one for one in self._refused if one[1] == again), None)
            for one in old if retried is None else [*old, retried]:
                if one in self._refused:
                    self._refused.remove(one)
        if retried is not None:
            retried[2].drop("retried")
        for _, _, copy in old:
            copy.end(whole=False)

    async def asked_async(self, request: httpx2.Request) -> None:
        self.asked(request)

    def answered(self, response: httpx2.Response) -> None:
        try:
            if (copy := self._copy(response)) is not None:
                response.stream = _Tee(response.stream, self._ending(response, copy), copy)
        except Exception as exc:
            self._spool.lose(FAILED, exc)

    async def answered_async(self, response: httpx2.Response) -> None:
        try:
            if (copy := self._copy(response)) is not None:
                response.stream = _AsyncTee(response.stream, self._ending(response, copy), copy)
        except Exception as exc:
            self._spool.lose(FAILED, exc)

    def _copy(self, response: httpx2.Response) -> Copy | None:
        request = response.request
        call = call_of(request.method, str(request.url))
        if isinstance(call, str):
            return None
        body = request.content
        if len(body) > MOST:
            self._spool.lose(LONG)
            return None
        if not self._sample.takes(call.operation, call.model, body):
            self._spool.count("left_out")
            return None
        at, started_s = request.extensions[_STARTED]
        asked = Asked(
            service=call.service,
            operation=call.operation,
            model=call.model,
            region=call.region,
            url=str(request.url),
            headers=dict(request.headers),
            body=body,
            at=at,
            started_s=started_s,
        )
        return Copy(self._spool, asked, response.status_code, dict(response.headers))

    def _ending(self, response: httpx2.Response, copy: Copy) -> Ending:
        """What is done when an answer was read, or closed before."""
        if response.status_code < 500 and response.status_code not in _AGAIN:
            return lambda whole: copy.end(whole=whole)
        waits = [True]

        def ended(whole: bool) -> None:  # noqa: FBT001
            copy.pause(whole=whole)
            if waits:
                waits.clear()
                self.refused(response.request, copy)

        return ended


def _same(request: httpx2.Request) -> tuple[str, bytes]:
    """What is equal in all attempts of one call."""
    return str(request.url), request.content


class _Tee(httpx2.SyncByteStream):
    """An answer that hands on what is read of it, and keeps a copy. ended: told whether the end itself came."""

    def __init__(self, inner: Any, ended: Ending, copy: Copy) -> None:
        self._inner = inner
        self._ended = ended
        self._copy = copy
        self._whole = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            self._copy.add(piece)
            yield piece
        self._whole = True
        self._ended(True)

    def close(self) -> None:
        self._ended(self._whole)
        self._inner.close()


class _AsyncTee(httpx2.AsyncByteStream):
    """The same for an async client."""

    def __init__(self, inner: Any, ended: Ending, copy: Copy) -> None:
        self._inner = inner
        self._ended = ended
        self._copy = copy
        self._whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._copy.add(piece)
            yield piece
        self._whole = True
        self._ended(True)

    async def aclose(self) -> None:
        self._ended(self._whole)
        await self._inner.aclose()
