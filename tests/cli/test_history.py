"""`parity history`: the table, SQL, the index."""

from __future__ import annotations

import pytest

from harness.run import nights
from tests.reporters.nights import GO, NO_GO, night, part
from tests.small.project import Project


@pytest.fixture
def past(numbers: Project) -> Project:
    for place, verdict in enumerate((GO, NO_GO)):
        nights.write(numbers.folder / "reports", night(place, part(verdict, place)))
    return numbers


def test_the_table_and_its_json(past: Project) -> None:
    shown = past.parity("history")
    assert shown.code == 0
    assert [line.split()[3] for line in shown.out.splitlines()] == ["verdict", "GO", "NO-GO"]
    done = past.parity("history", "--json", "--suite", "visits", "--since", "2026-01-02")
    assert [row["verdict"] for row in done.document] == ["NO-GO"]


def test_sql_and_the_index_made_anew(past: Project) -> None:
    assert past.parity("history", "--sql", "SELECT count(*) AS n FROM nights").out.split() == ["n", "2"]
    assert past.parity("history", "--index").code == 0
    assert "NO-GO since 2026-01-02" in (past.folder / "reports" / "index.html").read_text()


def test_words_that_do_not_go_together_are_refused(past: Project) -> None:
    assert past.parity("history", "--sql", "SELECT 1", "--suite", "x").code == 2
    assert "no day" in past.parity("history", "--since", "yesterday").err
