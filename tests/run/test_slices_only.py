"""What a golden set says of a case that was drawn above its share comes through to every row of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from planned import POLICY, Plain, always, planned, stored

from harness.gate.rows_file import read_rows
from harness.recordings.store import write
from harness.run import session

LATENCY = '\n[[criterion]]\nmetric = "slow"\nkind = "limit"\nlimit_s = 5.0\nmargin = 0.05\n'


def test_rows_of_answers_errors_and_latency_all_carry_the_mark(tmp_path: Path):
    write(
        tmp_path / "golden",
        (replace(stored(number), slices_only=number == 2) for number in range(4)),
        name="numbers",
        description="numbers from 0",
        service="plain",
        operation="Plain",
        licence="public domain",
        source="made for a test",
        split="none",
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    plan = planned(tmp_path, Plain(always(1)), Plain(always(1)), policy=POLICY + LATENCY)
    finished = session.run(plan, reports=tmp_path / "reports", partial=True)
    marked = {(row.case, row.metric) for row in read_rows(finished.folder.rows) if "slices_only" in row.slices}
    assert marked == {("n00002", metric) for metric in ("value", "error", "slow")}
