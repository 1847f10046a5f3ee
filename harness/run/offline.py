"""A stored run, compared again without a call: under the suite's present comparators, margins and slices.

The stored run stays as it is. What was asked must be the same (pair, golden set, order, endpoints); what is made of the
answers may have changed, and then it is said: it is another epoch, and its author had seen the answers.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.core.call import Mode
from harness.errors import LedgerError
from harness.run import session
from harness.run.folder import RunFolder, must_agree, new_run, write_whole
from harness.run.plan import Plan

ASKED = ("pair", "reverse", "source", "target", "endpoints")  # tables of a suite that decide what is sent, and where
ASKED_KEYS = ("pair", "golden", "request_builder", "deterministic_source", "seed")  # and keys of its [suite]


def compare_again(
    made: Plan, stored: RunFolder, *, reports: Path, now: Callable[[], datetime] = session.utc_now
) -> session.Finished:
    """A run of its own, from the answers of `stored`. Raises LedgerError where those are answers to something else."""
    record = stored.read_record()
    if record.mode == Mode.RECORD:
        raise LedgerError(f"run {record.run} recorded the source alone; there is nothing to compare it with.")
    if record.finished_at is None:
        raise LedgerError(f"run {record.run} has not ended. Finish it first: parity run --resume {record.run}")
    before, after = (tomllib.loads(path.read_text(encoding="utf-8")) for path in (stored.policy, made.suite.path))
    _must_ask_the_same(record.run, before, after)
    fresh = session.record_of(made, now(), partial=record.partial, planted=record.planted)
    now_asked = replace(record, suite_sha256=fresh.suite_sha256, policy_sha256=fresh.policy_sha256)
    must_agree(now_asked, fresh)
    folder = new_run(reports, made.suite.name, now())
    shutil.copytree(stored.ledger, folder.ledger, ignore=shutil.ignore_patterns("lock"))
    write_whole(folder.policy, made.suite.path.read_bytes())
    record = replace(
        now_asked, run=folder.path.name, compared_from=record.run, changed=_told(list(_changes(before, after)))
    )
    folder.write_record(record)
    return session.judge(made, folder, record, decided_at=now())


def _must_ask_the_same(run: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for place, was, now in (
        *((f"[{table}]", before.get(table, {}), after.get(table, {})) for table in ASKED),
        *((f"[suite] {key}", before["suite"].get(key), after["suite"].get(key)) for key in ASKED_KEYS),
    ):
        if was != now:
            raise LedgerError(
                f"run {run} does not fit: {place} has changed since, so its answers are answers to something else. "
                "Put it back, or make a new run."
            )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What is made of the answers, where it is no longer the same."""
    was, now = before.get("comparators", {}), after.get("comparators", {})
    for name in dict.fromkeys((*was, *now)):
        if was.get(name) != now.get(name):
            yield f"comparator {name} was {_shown(was.get(name))}, is {_shown(now.get(name))}"
    for table in ("criterion", "gate", "epoch", "coverage", "waiver", "prices"):
        if before.get(table) != after.get(table):
            yield f"[{table}] has changed"
    rest = [key for key in ("slices_by", "calibration") if before["suite"].get(key) != after["suite"].get(key)]
    yield from (f"[suite] {key} has changed" for key in rest)


def _told(changes: list[str]) -> str:
    if not changes:
        return ""
    return (
        f" Since then: {'; '.join(changes)}. Whoever changed this could have seen the answers: it is an epoch of its "
        "own, and each is a new chance of a wrong GO."
    )


def _shown(table: Mapping[str, Any] | None) -> str:
    return "absent" if table is None else "|".join(f"{key}:{value}" for key, value in table.items())
