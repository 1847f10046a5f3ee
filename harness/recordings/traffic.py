"""What a stream of cases shows of the traffic that it is from: when it was, what is missing in time, what answered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from statistics import median

from harness.core.case import Recording
from harness.recordings import gaps
from harness.recordings.gaps import Gap

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)  # before any service whose logs are read here
AHEAD = timedelta(hours=1)
# Records lie in the folder of their hour, and those of one hour may arrive minutes late.
LATE = timedelta(hours=1)
SHORTEST_GAP_MINUTES = 30
USUAL = 20
MOST_MINUTES = 200_000
MOST_MODELS = 1000
SHOWN = 5
_HOUR = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(\d\d)/")
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
HEAD = 4096  # bytes of an answer that are searched for the name of its model


class Traffic:
    """Fed every case once, in order; memory does not grow with their number."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._minutes: set[int] = set()
        self._unit = 1
        self._models: Counter[str] = Counter()
        self.flags: Counter[str] = Counter()
        self.first: datetime | None = None
        self.last: datetime | None = None

    def skewed(self, at: datetime | None, path: str | None) -> bool:
        """Whether a time cannot be right: in the future, before there was such a log, or not of its folder's hour.

        path: of the file in the log.
        """
        if at is None:
            return False
        if at > self._now + AHEAD or at < EARLIEST:
            return True
        hour = None if path is None else _hour(path)
        return hour is not None and not hour - LATE <= at < hour + timedelta(hours=1) + LATE

    def add(self, recording: Recording) -> None:
        """Count a case, flags and all."""
        flags = recording.provenance.flags
        self.count(flags, recording.service, recording.model, served(recording.response_body))
        if recording.provenance.captured_at is None:
            self.flags[gaps.NO_TIME] += 1
        elif gaps.CLOCK_SKEW not in flags:
            self.seen(recording.provenance.captured_at)

    def count(
        self, flags: tuple[str, ...], service: str, model: str | None, served: str | None, *, calls: int = 1
    ) -> None:
        """Count calls that have this in common. served: the model that the answer names."""
        for flag in flags:
            self.flags[flag] += calls
        called = f"{service} {model or 'a model that is not named'}"
        self._call(f"{called}, answered by {served}" if served else called, calls)

    def merge(self, later: Traffic) -> None:
        """Count what was counted elsewhere, of cases that come after all of these."""
        self.flags.update(later.flags)
        for name, calls in later._models.items():
            self._call(name, calls)
        for at in (later.first, later.last):
            if at is not None:
                self._span(at)
        self._busy(minute * later._unit for minute in later._minutes)

    def seen(self, at: datetime) -> None:
        """There was a call at that time; once is enough."""
        self._span(at)
        self._busy((int(at.timestamp()) // 60,))

    def _call(self, name: str, calls: int) -> None:
        if name in self._models or len(self._models) < MOST_MODELS:
            self._models[name] += calls

    def _span(self, at: datetime) -> None:
        self.first = at if self.first is None or at < self.first else self.first
        self.last = at if self.last is None or at > self.last else self.last

    def _busy(self, minutes: Iterable[int]) -> None:
        self._minutes.update(minute // self._unit for minute in minutes)
        while len(self._minutes) > MOST_MINUTES:
            self._minutes = {minute // 4 for minute in self._minutes}
            self._unit *= 4

    def gaps(self) -> list[Gap]:
        """What was found, in the order of `gaps.KINDS`, without what the set's own links say."""
        found = {kind: Gap(kind=kind, count=count) for kind, count in self.flags.items() if kind in gaps.KINDS}
        if len(self._models) > 1:
            usual = sorted(self._models.items(), key=lambda model: (-model[1], model[0]))
            shown = "; ".join(f"{name}: {count:,}" for name, count in usual[:SHOWN])
            found[gaps.MODEL_VERSIONS] = Gap(kind=gaps.MODEL_VERSIONS, count=len(self._models), note=shown)
        holes = self._holes()
        if holes:
            found[gaps.TIME_GAP] = Gap(kind=gaps.TIME_GAP, count=len(holes), note=_shown(holes))
        return [found[kind] for kind in gaps.KINDS if kind in found]

    def _holes(self) -> list[tuple[int, int]]:
        """(last minute before, first minute after) of stretches much longer than is usual in the log, longest first."""
        busy = sorted(self._minutes)
        steps = [after - before for before, after in pairwise(busy)]
        if len(steps) < 2:
            return []
        least = max(SHORTEST_GAP_MINUTES / self._unit, USUAL * median(steps))
        holes = [(before, after) for before, after in pairwise(busy) if after - before > least]
        return [
            (before * self._unit, after * self._unit)
            for before, after in sorted(holes, key=lambda hole: hole[0] - hole[1])
        ]


def served(body: bytes | None) -> str | None:
    """The model that an answer says it is from."""
    found = _MODEL.search((body or b"")[:HEAD])
    return None if found is None else found[1].decode("utf-8", "replace")


@lru_cache(maxsize=16)
def _hour(path: str) -> datetime | None:
    found = _HOUR.search(path)
    if found is None:
        return None
    try:
        return datetime.strptime("/".join(found.groups()), "%Y/%m/%d/%H").replace(tzinfo=UTC)
    except ValueError:
        return None


def _shown(holes: list[tuple[int, int]]) -> str:
    def told(minute: int) -> str:
        return datetime.fromtimestamp(60 * minute, UTC).strftime("%Y-%m-%d %H:%M")

    more = f" and {len(holes) - SHOWN:,} more" if len(holes) > SHOWN else ""
    return "; ".join(f"{told(before)} to {told(after)} UTC" for before, after in holes[:SHOWN]) + more
