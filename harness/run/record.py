"""Ask the source alone, K times a case, and freeze what it answers as a golden set.

The ledger is kept as for any run, so a recording is resumed like one and stops at the same ceilings; the golden set is
written when the last answer is there, and never in part. A call that brought no answer is frozen as that failure.
Before anything is written, every frozen answer is read back by the service's codec and held against the live one: a
recording that would say something else is refused.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.call import Answer, CallFailure, Outcome, Role, Wire
from harness.core.case import Case, Json, Lot
from harness.errors import ConfigError, GoldenError
from harness.recordings.gaps import FAILED
from harness.recordings.lines import StoredCase, decode, encode
from harness.recordings.manifest import Manifest
from harness.recordings.store import write
from harness.recordings.writer import MANIFEST
from harness.run import ledger, session
from harness.run.arrival import Work
from harness.run.folder import RunFolder, RunRecord
from harness.run.observe import Conversation, outcome
from harness.run.plan import Plan, lot_id, lot_place
from harness.run.recorded import recorded

NOT_WIRE = "not_wire_bytes"
JSON_TYPE = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """How a recording ended. manifest: of the golden set; None where the run stopped before its last answer.

    failures: calls that brought no answer.
    """

    folder: RunFolder
    record: RunRecord
    into: Path
    manifest: Manifest | None
    failures: int


def record(
    made: Plan,
    *,
    into: Path,
    repeats: int,
    reports: Path,
    resume: RunFolder | None = None,
    planted: str | None = None,
    now: Callable[[], datetime] = session.utc_now,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Recorded:
    """Ask for what is not there yet, then write the set. made: a plan of mode record.

    Raises ConfigError before the first call, LedgerError where `resume` does not fit, GoldenError for an answer that
    cannot be frozen, and Interrupted after Ctrl-C.
    """
    if repeats < 1:
        raise ConfigError(
            f"{repeats} repeats are no recording; ask for 1 or more, and for 2 where a noise floor is due."
        )
    if (into / MANIFEST).exists():
        raise ConfigError(f"{into}: there is a golden set already, and none is written over. Name another with --into.")
    fresh = replace(
        session.record_of(made, now(), partial=False, planted=planted),
        repeats=repeats,
        into=str(into),
    )
    # Case by case, so that what is in memory follows what is in flight, and a noise floor is that of one moment.
    work = [Work(index, (Role.SOURCE,), ask) for index in made.order.tolist() for ask in range(repeats)]
    folder, kept = session.replay(
        made, fresh, reports=reports, resume=resume, work=work, now=now, progress=progress, command="record"
    )
    if kept.stopped is not None:
        return Recorded(folder=folder, record=kept, into=into, manifest=None, failures=0)
    manifest, failures = _freeze(made, folder, kept, into, at=now())
    return Recorded(folder=folder, record=kept, into=into, manifest=manifest, failures=failures)


def _freeze(made: Plan, folder: RunFolder, kept: RunRecord, into: Path, *, at: datetime) -> tuple[Manifest, int]:
    """Write the set in the order of the set that was asked from."""
    words = made.golden.manifest
    planted = "" if kept.planted is None else f' The fault "{kept.planted}" was planted in the source\'s lab.'
    service, operation = words.service, words.operation
    failures = 0
    with tempfile.TemporaryFile(dir=folder.path) as spool:
        places: list[tuple[int, int]] = []  # (index of the case, where its lines start)
        for index, cases in _answered(made, folder, kept):
            places.append((index, spool.tell()))
            spool.writelines(encode(case, service=service, operation=operation) for case in cases)
            failures += sum(case.recording.response_body is None for case in cases)

        def in_order() -> Iterator[StoredCase]:
            for _, start in sorted(places):
                spool.seek(start)
                for _ in range(kept.repeats):
                    yield decode(spool.readline(), place="the spool", service=service, operation=operation, proved=True)

        manifest = write(
            into,
            in_order(),
            name=into.name,
            description=f"{words.description} Answers of the source, recorded anew.",
            service=service,
            operation=operation,
            licence=words.licence,
            source=f"Requests: golden set {words.name}, {words.sha256[:16]}. Answers: parity record, run {kept.run}."
            f"{planted}",
            split=words.split,
            created_at=at.astimezone(UTC),
            redaction=words.redaction,
            sampled=words.sampled or made.sample is not None,
            truncated=words.truncated,
            captured=words.captured,
        )
    return manifest, failures


def _answered(made: Plan, folder: RunFolder, kept: RunRecord) -> Iterator[tuple[int, list[StoredCase]]]:
    """Each case with all its repeats, as soon as the last of them is over."""
    waiting: dict[int, dict[int, Conversation]] = {}
    for entry in ledger.read(folder.ledger):
        index, ask = lot_place(entry.lot)
        asked = waiting.setdefault(index, {})
        asked.setdefault(ask, Conversation()).add(entry)
        if len(asked) == kept.repeats and all(one.over for one in asked.values()):
            case, stored = made.case(index), made.golden.recording(index)
            yield index, [_frozen(made, kept, case, stored, ask, asked[ask], index) for ask in range(kept.repeats)]
            del waiting[index]


def _frozen(
    made: Plan, kept: RunRecord, case: Case, stored: StoredCase, ask: int, asked: Conversation, index: int
) -> StoredCase:
    live = outcome(made, Lot(lot_id(index, case, ask), {case.id: case.request}), case, Role.SOURCE, asked)
    was = stored.recording
    at = datetime.fromtimestamp(asked.at_s, UTC)
    provenance = replace(
        was.provenance,
        captured_at=was.provenance.captured_at or at,  # of the traffic: it is what arrivals follow
        captured_from=f"parity record, run {kept.run}, answered {at.isoformat(timespec='seconds')}",
        origin=None,
        flags=(),
        redacted=False,  # the answer is one to the request as it is stored
        sha256="",
    )
    recording = replace(
        was,
        id=f"{was.id}#{ask + 1}" if ask else was.id,
        status=None,
        response_headers={},
        response_body=None,
        latency_s=None,
        request_id=None,
        tokens={},
        provenance=provenance,
    )
    if asked.replies and asked.replies[-1].last:
        wire = asked.replies[-1].wire
        body, flags = http(wire)
        recording = replace(
            recording,
            status=wire.status,
            response_headers={**wire.headers, **(JSON_TYPE if flags else {})},
            response_body=body,
            latency_s=live.latency_s,
            provenance=replace(provenance, flags=flags),
        )
        _must_read_back(made, recording.id, recorded(recording, made.codec), live)
    elif isinstance(live, CallFailure):
        recording = replace(recording, provenance=replace(provenance, flags=(f"{FAILED}{live.kind.value}",)))
    return replace(stored, recording=recording, repeat_of=was.id if ask else None)


def http(wire: Wire) -> tuple[bytes, tuple[str, ...]]:
    """The body as the wire had it, or what the SDK made of it as JSON, and flags that say so."""
    if wire.events:
        said: Json = [_event(event.kind, event.data) for event in wire.events]
    elif isinstance(wire.body, bytes):
        return wire.body, ()
    else:
        said = wire.body
    return json.dumps(said, ensure_ascii=False).encode(), (NOT_WIRE,)


def _event(kind: str, data: Json) -> Json:
    """An event as the SDK gives it: by its name, unless it is a bare chunk or names itself."""
    own = isinstance(data, dict) and data.get("type") == kind
    return data if kind == "chunk" or own else {kind: data}


def _must_read_back(made: Plan, case: str, frozen: Outcome | None, live: Outcome) -> None:
    if isinstance(frozen, Answer) and isinstance(live, Answer):
        alike = _same(frozen.output, live.output)
    else:
        alike = isinstance(frozen, CallFailure) and isinstance(live, CallFailure) and frozen.kind == live.kind
    if not alike:
        raise GoldenError(
            f"{made.suite.golden.name}, case {case}: the source's answer would read back as another one, so it cannot "
            f"be recorded (service {made.pair.source}). The ledger keeps it; nothing was written."
        )


def _same(a: Any, b: Any) -> bool:
    """Whether two outputs are the same throughout; NaN is NaN."""
    if is_dataclass(a) and type(a) is type(b):
        return all(_same(getattr(a, one.name), getattr(b, one.name)) for one in fields(a))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, tuple | list) and type(a) is type(b):
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and bool(a == b)
