"""Which earlier case a call repeats or duplicates: the same operation, model and request, and then the same answer.

Most requests of a log are like no other, which a rough key tells without reading them. Only where it came before are
both read, and held against each other by what they ask and how they were answered.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from harness.recordings.lines import StoredCase
from harness.recordings.seen import Seen
from harness.recordings.writer import Writer
from harness.run.outcomes import answer_key, asked, gist_of, request_key, request_key_of, rough_key


class Links:
    """Writes cases, each with a link to the earlier one that it repeats or duplicates."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._rough = Seen()
        self._requests = Seen()
        self._answers = Seen()
        self._request_at = lru_cache(maxsize=4096)(self._key_of_written)
        self.repeats = self.duplicates = 0
        self.unread = 0  # cases whose request no codec reads

    def add(self, case: StoredCase) -> StoredCase:
        """The case as it was written."""
        recording = case.recording
        neutral = asked(recording)
        self.unread += neutral is None
        gist = gist_of(recording, neutral)
        rough = rough_key(recording.service, recording.operation, recording.model, gist)
        alike = self._rough.get(rough)
        if alike is None:
            self._rough.put(rough, self._writer.add(case))
            return case
        self._requests.put(self._request_at(alike), alike)
        request = request_key_of(recording, neutral)
        first = self._requests.get(request)
        if first is None:
            self._requests.put(request, self._writer.add(case))
            return case
        return self._later(case, request, first)

    def add_new(self, rough: int, line: bytes, name: str) -> bool:
        """Write a line whose request is like no earlier one; False, and nothing written, where it may be."""
        if self._rough.get(rough) is not None:
            return False
        self._rough.put(rough, self._writer.put(line, name))
        return True

    def add_duplicate(self, line: bytes, name: str, *, of: str, unread: bool) -> None:
        """Write a line that duplicates the case `of`. unread: no codec reads its request."""
        self.duplicates += 1
        self.unread += unread
        self._writer.put(line, name, link=of)

    def _later(self, case: StoredCase, request: int, first: int) -> StoredCase:
        """Write a case with the request of an earlier one. first: the byte at which that one's line starts."""
        primary = self._writer.written(first)
        self._answers.put(answer_key(primary.recording, request), first)
        answer = answer_key(case.recording, request)
        same = self._answers.get(answer)
        if same is not None:
            self.duplicates += 1
            case = replace(case, duplicate_of=primary.id if same == first else self._writer.written(same).id)
            self._writer.add(case)
            return case
        self.repeats += 1
        case = replace(case, repeat_of=primary.id)
        self._answers.put(answer, self._writer.add(case))
        return case

    def _key_of_written(self, start: int) -> int:
        return request_key(self._writer.written(start).recording)
