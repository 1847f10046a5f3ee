from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.core.verdict import Verdict
from harness.errors import PolicyError
from harness.gate.cutover import Judged
from harness.gate.cutover_switches import LiveSettings
from harness.run.cutover_live import Live, live_policy

SINCE = datetime(2027, 1, 31, 12, tzinfo=UTC)
NOW = SINCE + timedelta(minutes=30)
POLICY = """
[[criterion]]
name = "calls succeed"
metric = "error"
kind = "limit"
margin = 0.05
"""


def row(number: int, *, error: float = 0.0, at: datetime = NOW - timedelta(minutes=1), **more: object) -> str:
    told = {"case": f"r{number}", "metric": "error", "value_target": error, "at": at.isoformat(), **more}
    return json.dumps(told) + "\n"


@pytest.fixture
def judge(tmp_path: Path):
    """Judges rows that were appended to a file."""
    (tmp_path / "live.toml").write_text(POLICY)

    def judged(*rows: str, now: datetime = NOW, **settings: object) -> Judged:
        (tmp_path / "rows.jsonl").write_text("".join(rows))
        told = LiveSettings(**{"policy": tmp_path / "live.toml", "rows": "rows.jsonl", **settings})
        return Live(told, live_policy(told), tmp_path)(SINCE, now)

    return judged


GOOD = [row(number) for number in range(200)]


def test_clean_rows_of_this_stage_are_go(judge):
    found = judge(*GOOD)
    assert found.verdict is Verdict.GO
    assert found.evidence["rows"] == 200


def test_failures_beyond_the_limit_are_no_go(judge):
    found = judge(*GOOD, *(row(1000 + number, error=1.0) for number in range(60)))
    assert found.verdict is Verdict.NO_GO


def test_too_few_rows_wait(judge):
    assert judge(*GOOD[:20]).verdict is Verdict.INCONCLUSIVE


def test_rows_of_an_earlier_stage_do_not_speak_for_this_one(judge):
    found = judge(*(row(number, at=SINCE - timedelta(seconds=1)) for number in range(200)))
    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE,
        "no live row since the stage was set at 12:00:00 UTC",
    )


def test_a_fault_that_comes_late_is_not_outvoted_by_the_good_rows_before(judge):
    early = [row(number, at=SINCE + timedelta(minutes=2)) for number in range(3000)]
    late = [row(10_000 + number, error=1.0) for number in range(40)]
    found = judge(*early, *late)
    assert found.verdict is Verdict.NO_GO
    assert found.reason.startswith("in the last 10 minutes: ")


def test_rows_that_stopped_coming_are_no_go_ahead(judge):
    found = judge(*GOOD, now=NOW + timedelta(minutes=15))
    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE,
        'the newest live row of metric "error" is 16 minutes old',
    )


def test_stale_rows_that_refuse_still_refuse(judge):
    bad = [row(1000 + number, error=1.0) for number in range(60)]
    assert judge(*bad, now=NOW + timedelta(hours=2)).verdict is Verdict.NO_GO


def test_rows_from_the_future_keep_nothing_fresh(judge):
    found = judge(*GOOD, row(999, at=NOW + timedelta(hours=1)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "still to come" in found.reason


def test_a_line_that_is_being_written_is_left_for_later(judge):
    assert judge(*GOOD, '{"case": "r9').verdict is Verdict.GO


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense\n", "line 201: is not JSON"),
        ("[]\n", "line 201: is no JSON object"),
        ('{"case": "a", "metric": "error", "value_target": 0}\n', 'line 201: "at" must be a time'),
        ('{"case": "a", "metric": "error", "at": "2027-01-31T12:00:00"}\n', "in UTC such as"),
        ('{"case": "a", "metric": "error", "at": "0001-01-01T00:00:00+14:00"}\n', 'line 201: "at" must be a time'),
        (row(201, value_target="much"), "must be a number"),
        (row(1, error=1.0), "contradict another report"),
    ],
)
def test_rows_that_cannot_be_read_give_no_go(judge, line, said):
    found = judge(*GOOD, line)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert said in found.reason


def test_a_line_that_cannot_be_read_does_not_hide_a_refusal(judge):
    bad = [row(1000 + number, error=1.0) for number in range(60)]
    assert judge(*bad, "nonsense\n", row(999, at=NOW + timedelta(hours=1))).verdict is Verdict.NO_GO


def test_every_metric_must_go_on_being_measured(judge, tmp_path):
    """Whatever compares answers may have died while failures are still counted."""
    (tmp_path / "live.toml").write_text(
        POLICY + POLICY.replace('"error"', '"slow"').replace("calls succeed", "in time")
    )
    old = [row(number, metric="slow", at=NOW - timedelta(minutes=16)) for number in range(200)]
    found = judge(*GOOD, *old)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert 'metric "slow" is 16 minutes old' in found.reason


def test_a_source_that_is_not_there_waits(judge):
    found = judge(rows="elsewhere/*.jsonl")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "live rows cannot be judged" in found.reason


def test_nights_in_the_rows_are_one_look(judge):
    """A first look that crosses would be final; live rows must be able to turn."""
    early = [row(number, at=SINCE, run="a") for number in range(200)]
    late = [row(1000 + number, error=1.0, run="b") for number in range(200)]
    assert judge(*early, *late).verdict is Verdict.NO_GO


def test_a_command_prints_the_rows(judge, tmp_path):
    (tmp_path / "print.py").write_text(
        f"import sys; assert sys.argv[1] == '{SINCE.isoformat()}'; print(open('rows.jsonl').read())"
    )
    command = (sys.executable, "-S", "print.py", "{since}")
    assert judge(*GOOD, rows=None, command=command).verdict is Verdict.GO


def test_a_command_that_fails_or_hangs_waits(judge):
    fails = judge(*GOOD, rows=None, command=(sys.executable, "-S", "-c", "raise SystemExit(3)"))
    assert (fails.verdict, "exit code 3" in fails.reason) == (Verdict.INCONCLUSIVE, True)
    hangs = judge(*GOOD, rows=None, command=(sys.executable, "-S", "-c", "import time; time.sleep(9)"), timeout_s=0.3)
    assert (hangs.verdict, "timed out" in hangs.reason) == (Verdict.INCONCLUSIVE, True)


def test_a_fixed_sample_is_refused(tmp_path):
    (tmp_path / "live.toml").write_text('[gate]\nmode = "fixed"\n' + POLICY)
    with pytest.raises(PolicyError, match="looked at at every step"):
        live_policy(LiveSettings(policy=tmp_path / "live.toml", rows="rows.jsonl"))
