"""All nights as tables: read where they lie, and nothing else is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.run import nights
from harness.run.history import history, query
from tests.reporters.nights import GO, NO_GO, OPEN, night, part


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Three nights of two suites, one of which breaks in the third."""
    for place, verdict in enumerate((OPEN, GO, NO_GO)):
        nights.write(tmp_path, night(place, part(verdict, place), part(GO, place, suite="chat")))
    return tmp_path


def test_a_row_a_suite_and_night_oldest_first(reports: Path) -> None:
    table = history(reports, suites=["visits"])
    verdicts = [row[table.columns.index("verdict")] for row in table.rows]
    assert verdicts == ["INCONCLUSIVE", "GO", "NO-GO"]
    assert len(history(reports).rows) == 6
    assert history(reports, profile="staging").rows == ()


def test_since_is_a_day_in_utc(reports: Path) -> None:
    assert len(history(reports, since=date(2026, 1, 3)).rows) == 2


def test_a_question_of_ones_own_sees_nights_findings_and_rows(reports: Path) -> None:
    assert query(reports, "SELECT suite, count(*) FROM nights GROUP BY suite ORDER BY suite").rows == (
        ("chat", 3),
        ("visits", 3),
    )
    found = query(reports, "SELECT max(units) FROM findings WHERE criterion = 'labels agree'")
    assert found.rows == ((150,),)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "Permission"),
        ("COPY (SELECT 1) TO 'x.csv'", "one SELECT"),
        ("DROP VIEW nights", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("SELECT nothing FROM nights", "nothing"),
    ],
)
def test_nights_are_only_read_and_nothing_else_is(reports: Path, sql: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        query(reports, sql)


def test_no_night_says_how_to_run_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="parity nightly"):
        history(tmp_path)
