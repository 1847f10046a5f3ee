"""The tap: a door for the application. It copies the calls that a client makes, as recordings, into a folder.

`install(client, into=...)` takes a boto3 client of bedrock-runtime, bedrock-agent-runtime or sagemaker-runtime, or a
client of openai. What it writes is redacted first, and `parity import tap FOLDER --into golden/NAME` reads it. The
application gets the answers, streams and exceptions that it would get without: whatever fails here is counted and
never raised, and nothing here waits. Each kind of client has one file; to add one, hook it there and make an
`Exchange`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.recordings.privacy import Redactor
from harness.tap.exchange import Sample
from harness.tap.redaction import Redaction
from harness.tap.spool import Spool, Status

__all__ = ["Status", "Tap", "install"]

# Two taps on one client would record every call twice. The process is the only place that knows all of them.
_TAPPED: weakref.WeakSet[Any] = weakref.WeakSet()


class Tap:
    """One client's tap. Leave it open while the application runs; the end of the process closes it."""

    def __init__(self, client: Any, spool: Spool, unhook: Callable[[], None]) -> None:
        self._client = weakref.ref(client)
        self._spool = spool
        self._unhook = unhook

    def status(self) -> Status:
        """What was seen, written and lost so far, by this process."""
        return self._spool.status()

    def close(self, timeout_s: float = 5.0) -> Status:
        """Let go of the client and wait until what waits is written, for at most `timeout_s`. What is not by then still
        counts as waiting: the writer goes on with it, for a minute when the application has ended.
        """
        if (client := self._client()) is not None and client in _TAPPED:
            _TAPPED.discard(client)
            self._unhook()
        self._spool.close(timeout_s)
        return self._spool.status()


def install(client: Any, *, into: str | Path, share: float = 1.0, redact: str | Redactor = "default") -> Tap:
    """Copy the client's calls of models into files in `into` from now on.

    share: of the requests, 0 < share <= 1, drawn by a checksum of the request, so that every call of one request is in
    or none is. redact: a word as of `parity import --redact`, or a redactor.
    Raises ConfigError for a client that is none of those known, or has a tap, and for a share that is none. A folder
    that cannot be written raises nothing, here or later: its calls are counted as lost and a warning is logged.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"tap: share is {share}; it is above 0 and at most 1.")
    if client in _TAPPED:
        raise ConfigError("tap: this client has a tap already, and its calls would be recorded twice. Close that one.")
    spool = Spool(Path(into), Redaction.of(redact))
    unhook = _hooked(client, spool, Sample(share))
    _TAPPED.add(client)
    return Tap(client, spool, unhook)


def _hooked(client: Any, spool: Spool, sample: Sample) -> Callable[[], None]:
    if hasattr(getattr(client, "meta", None), "events"):
        from harness.tap import boto_client

        return boto_client.hook(client, spool, sample)
    if hasattr(getattr(client, "_client", None), "event_hooks"):
        from harness.tap import openai_client  # loads httpx2, as the client did

        return openai_client.hook(client, spool, sample)
    raise ConfigError(f"tap: {type(client).__name__} is no client of boto3 or openai.")
