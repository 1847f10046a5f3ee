"""A run is held to what its policy demands of the golden set, when it is decided and when it is decided again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from planned import POLICY, Plain, always, planned, stored

from harness.core.verdict import Verdict
from harness.recordings.store import write
from harness.run import session

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WIDE = POLICY.replace('kind = "flip"', 'kind = "flip"\nmargin = 0.05')  # what 80 cases can settle
MANY = 80


def finished(folder: Path, *, sampled: bool, coverage: str = "") -> session.Finished:
    write(
        folder / "golden",
        (stored(number) for number in range(MANY)),
        name="numbers",
        description="numbers from 0",
        service="plain",
        operation="Plain",
        licence="public domain",
        source="made for a test",
        split="none",
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
        sampled=sampled,
    )
    made = planned(folder, Plain(always(1)), Plain(always(1)), policy=WIDE + coverage)
    return session.run(made, reports=folder / "reports", now=lambda: NOW)


def test_a_sampled_golden_set_is_no_go_unless_the_policy_allows_it(tmp_path: Path) -> None:
    refused = finished(tmp_path / "a", sampled=True).decision
    allowed = finished(tmp_path / "b", sampled=True, coverage="[coverage]\nallow_sampled = true\n").decision
    assert refused is not None
    assert allowed is not None
    assert (refused.verdict, allowed.verdict) == (Verdict.INCONCLUSIVE, Verdict.GO)


def test_a_golden_set_grows_too_old_after_the_run(tmp_path: Path) -> None:
    """The folder keeps what the golden set said of itself, so the gate holds a stored run to it later too."""
    run = finished(tmp_path, sampled=False, coverage="[coverage]\nmax_age_days = 20\n")
    assert run.decision is not None
    assert run.decision.verdict is Verdict.GO
    later = session.decide_stored(run.folder, now=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    assert later.verdict is Verdict.INCONCLUSIVE
    assert "21 days before this decision" in later.headline


def test_a_run_of_before_the_facts_were_kept_is_no_go_when_it_is_decided_again(tmp_path: Path) -> None:
    run = finished(tmp_path, sampled=False)
    path = run.folder.path / "run.json"
    record = json.loads(path.read_bytes())
    del record["golden"]
    path.write_text(json.dumps(record))
    assert session.decide_stored(run.folder, now=lambda: NOW).verdict is Verdict.INCONCLUSIVE
