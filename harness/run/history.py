"""All nights as two tables, queried with DuckDB straight from the files: no server, nothing to keep in step.

* `nights`: one row a suite and night, with everything that `night.json` says of it.
* `findings`: one row a finding of those.

A question of one's own is SQL over these two, and may read `rows.parquet` of any run beside them. It is only read: the
connection has no database, and DuckDB is told to reach nothing outside of the reports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.run.nights import FOLDER, NIGHT

_SUITE = (
    "STRUCT(suite VARCHAR, title VARCHAR, kind VARCHAR, verdict VARCHAR, headline VARCHAR, run VARCHAR, "
    "over_nights VARCHAR, alarms VARCHAR[], alarmed_in VARCHAR, epoch VARCHAR, epochs INTEGER, opened BOOLEAN, "
    "changes STRUCT(what VARCHAR, text VARCHAR, before VARCHAR, after VARCHAR)[], "
    "findings STRUCT(criterion VARCHAR, slice VARCHAR, verdict VARCHAR, gating BOOLEAN, reason VARCHAR, units BIGINT, "
    "margin DOUBLE, estimate DOUBLE, low DOUBLE, high DOUBLE, p_go DOUBLE, p_no_go DOUBLE, more_units BIGINT)[], "
    "units BIGINT, seen BIGINT, unseen BIGINT, replayed BIGINT, planted VARCHAR, error VARCHAR, "
    "started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ)[]"
)
_NIGHTS = """
CREATE VIEW nights AS
SELECT name AS night, profile, n.started_at AS began, one.*
FROM read_json({files}, columns = {{name: 'VARCHAR', profile: 'VARCHAR', started_at: 'TIMESTAMPTZ', suites: '{suite}'}},
               format = 'auto', maximum_object_size = 67108864) n, unnest(suites) AS suites(one)
"""
_FINDINGS = """
CREATE VIEW findings AS
SELECT night, profile, began, suite, epoch, run, unnest(findings, recursive := true) FROM nights
"""
_TABLE = """
SELECT night, profile, suite, verdict, kind, epochs, units, seen, unseen, alarms, run FROM nights
WHERE (len($suites) = 0 OR list_contains($suites, suite)) AND ($profile IS NULL OR profile = $profile)
  AND ($since IS NULL OR began >= $since::DATE)
ORDER BY began, night
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An answer. columns: names; rows: one value a column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def history(
    reports: Path, *, suites: Sequence[str] = (), profile: str | None = None, since: date | None = None
) -> Table:
    """A row a suite and night, oldest first. Raises ConfigError without a night."""
    day = None if since is None else since.isoformat()
    return query(reports, _TABLE, {"suites": list(suites), "profile": profile, "since": day})


def query(reports: Path, sql: str, values: Mapping[str, Any] | None = None) -> Table:
    """One question in SQL. Raises ConfigError where it cannot be answered, with DuckDB's own words."""
    import duckdb

    files = sorted(str(path) for path in (reports / FOLDER).glob(f"*/{NIGHT}"))
    if not files:
        raise ConfigError(f"{reports / FOLDER}: no night has ended yet. Run one: parity nightly")
    with duckdb.connect(config={"threads": 2}) as connection:
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"SET allowed_directories = [{_quoted(str(reports.resolve()))}]")
            connection.execute("SET enable_external_access = false")
            listed = f"[{', '.join(_quoted(str(Path(path).resolve())) for path in files)}]"
            connection.execute(_NIGHTS.format(files=listed, suite=re.sub(r"\s+", " ", _SUITE)))
            connection.execute(_FINDINGS)
            asked = connection.extract_statements(sql)
            if len(asked) != 1 or asked[0].type is not duckdb.StatementType.SELECT:
                raise ConfigError("history: ask one SELECT; nights are only read.")
            found = connection.execute(sql, dict(values or {}))
            return Table(columns=tuple(one[0] for one in found.description or ()), rows=tuple(found.fetchall()))
        except duckdb.Error as exc:
            raise ConfigError(f"history: {exc}") from exc


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
