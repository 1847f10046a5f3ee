"""A log in memory, and what a format reads of it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import HealthCheck, settings

from harness.core import registry
from harness.core.case import Recording
from harness.recordings.formats import Found, LogFile, Record

# A busy machine draws slowly; that is no finding about a format.
PATIENT = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class MemoryLog:
    """Files by path, in sorted order; `find` knows an address by its end."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {path: LogFile(path, lambda path=path: io.BytesIO(files[path])) for path in sorted(files)}

    def __iter__(self) -> Iterator[LogFile]:
        return iter(self._files.values())

    def find(self, uri: str, *, beside: str) -> LogFile | None:
        return next((file for path, file in self._files.items() if uri.endswith(f"/{path}")), None)


def read(form: str, files: Mapping[str, bytes] | bytes, **options: Any) -> list[Found]:
    """All that a format finds; bytes alone are a file named `log`."""
    log = MemoryLog({"log": files} if isinstance(files, bytes) else files)
    return list(registry.load("recordings.formats", form, **options).read(log))


def recordings(form: str, files: Mapping[str, bytes] | bytes, **options: Any) -> list[Recording]:
    """The recordings of a log that holds nothing else."""
    found = read(form, files, **options)
    assert all(isinstance(one, Record) for one in found), found
    return [one.recording for one in found if isinstance(one, Record)]
