"""Which earlier case a call repeats or duplicates: the same operation, model and request, and then the same answer.

Most requests of a log are like no other, which a rough key tells without reading them. Only where one came again are
all that share it read, and held against each other by what they ask and how they were answered. What is known of each
call lies on disk, so that memory does not grow with their number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.core.case import Recording
from harness.recordings.keys import Keys
from harness.recordings.writer import Writer
from harness.run.outcomes import answer_key, asked, gist_of, request_key, rough_key

_LOT = 4096  # cases that are looked at together
_MOST = 20_000  # lines that are remembered
_RAW = msgspec.Raw(b"")


class _Answer(msgspec.Struct, gc=False):
    """What an answer says that is not of the one call."""

    status: int | None = None
    headers: msgspec.Raw = _RAW
    body: str | None = None
    body_base64: str | None = None


class _Call(msgspec.Struct, gc=False):
    """Equal for cases whose keys are."""

    service: str | None = None
    operation: str | None = None
    model: str | None = None
    request: msgspec.Raw = _RAW
    response: _Answer | None = None


_call = msgspec.json.Decoder(_Call).decode


class Links:
    """Told of each case once, in order; `found` then says the links. folder: where what is known of them lies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rough = Keys(folder)
        self._read: dict[bytes, tuple[int, int]] = {}

    def add(self, rough: NDArray[np.int64], starts: NDArray[np.uint64]) -> None:
        """The rough keys of cases and where their lines start, both of shape (n,)."""
        self._rough.add(rough, starts)

    def add_case(self, recording: Recording, start: int) -> None:
        """The same for one case."""
        gist = gist_of(recording, asked(recording))
        self._rough.add([rough_key(recording.service, recording.operation, recording.model, gist)], [start])

    def found(self, writer: Writer) -> Iterator[tuple[int, int, bool]]:
        """As `Writer.link` takes them: the first case with the request is repeated, and the first one with the request
        and the answer is duplicated.
        """
        requests, answers, later = (Keys(self._folder) for _ in range(3))
        try:
            for shared in self._rough.shared():
                for starts in np.array_split(shared, len(shared) // _LOT + 1):
                    pairs = [self._keys(writer, start) for start in starts.tolist()]
                    requests.add(np.array([pair[0] for pair in pairs], dtype=np.uint64), starts)
                    answers.add(np.array([pair[1] for pair in pairs], dtype=np.uint64), starts)
            # Where both are found the answer counts: of equal keys the first one stays first.
            for repeats, table in enumerate((answers, requests)):
                for starts, firsts in table.later():
                    later.add(starts, firsts << np.uint64(1) | np.uint64(repeats))
            rows = (row for span in later.spans() for row in zip(span[0].tolist(), span[1].tolist(), strict=True))
            for start, same in groupby(rows, key=lambda row: row[0]):
                first = next(same)[1]
                yield start, first >> 1, bool(first & 1)
        finally:
            for table in (requests, answers, later):
                table.close()

    def close(self) -> None:
        """Let go of what lies on disk."""
        self._rough.close()

    def _keys(self, writer: Writer, start: int) -> tuple[int, int]:
        """Of a case the keys of its request and of its answer; lines that say the same are read once."""
        said = hashlib.blake2b(msgspec.json.encode(_call(writer.line(start))), digest_size=16).digest()
        keys = self._read.get(said)
        if keys is None:
            recording = writer.written(start).recording
            request = request_key(recording)
            keys = request, answer_key(recording, request)
            if len(self._read) >= _MOST:
                self._read.clear()
            self._read[said] = keys
        return keys
