"""One content, one text: the bytes that hashes and signatures are taken of.

JSON: keys sorted, no spaces, ASCII only, numbers as Python's shortest form, a newline at the end. Rows: one JSON object
a line with every column in fixed order, so that rows which are read back and written again give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

from harness.core.rows import STATUSES, Labels, Rows
from harness.errors import EvidenceError

ROWS_A_CHUNK = 20_000


def canonical_json(content: Any) -> bytes:
    """Raises ValueError for NaN and infinities, which JSON has no words for."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def parse_canonical(content: bytes, what: str) -> dict[str, Any]:
    """A JSON object that is written canonically. Raises EvidenceError naming `what` for anything else."""
    try:
        document = json.loads(content)
        same = isinstance(document, dict) and canonical_json(document) == content
    except (ValueError, RecursionError) as exc:
        raise EvidenceError(f"{what}: is not JSON ({type(exc).__name__}).") from exc
    if not same:
        raise EvidenceError(f"{what}: is not written in canonical form (one JSON object, keys sorted, no spaces).")
    found: dict[str, Any] = document
    return found


def rows_lines(rows: Rows) -> Iterator[bytes]:
    """The rows as JSON Lines in their own order, many lines a chunk; readable by `parity decide`.

    Every column is written; an absent value is null, NaN and infinities are quoted.
    """
    texts = [_quoted(column) for column in (rows.case, rows.metric, rows.cluster, rows.run)]
    slices = [(json.dumps(key), _quoted(rows.slices[key]), rows.slices[key]) for key in sorted(rows.slices)]
    statuses = [json.dumps(status.value) for status in STATUSES]
    for start in range(0, len(rows), ROWS_A_CHUNK):
        part = slice(start, start + ROWS_A_CHUNK)
        named = [
            [names[code] for code in column.codes[part].tolist()]
            for column, names in zip((rows.case, rows.metric, rows.cluster, rows.run), texts, strict=True)
        ]
        values = [
            [None if null else value for value, null in zip(column[part].tolist(), nulls[part].tolist(), strict=True)]
            for column, nulls in ((rows.value_target, rows.null_target), (rows.value_noise, rows.null_noise))
        ]
        sliced = [(key, names, column.codes[part].tolist()) for key, names, column in slices]
        lines = []
        columns = (*named, rows.repeat[part].tolist(), *values, rows.status_target[part], rows.status_source[part])
        for at, (case, metric, cluster, run, repeat, target, noise, status_t, status_s) in enumerate(
            zip(*columns, strict=True)
        ):
            held = ",".join(f"{key}:{names[codes[at]]}" for key, names, codes in sliced if codes[at] >= 0)
            lines.append(
                f'{{"case":{case},"metric":{metric},"cluster":{cluster},"run":{run},"repeat":{repeat},'
                f'"slices":{{{held}}},"value_target":{_number(target)},"value_noise":{_number(noise)},'
                f'"status_target":{statuses[status_t]},"status_source":{statuses[status_s]}}}\n'
            )
        yield "".join(lines).encode("ascii")


def rows_sha256(rows: Rows) -> str:
    """SHA-256 of the canonical lines: the hash of the rows whatever file they lie in."""
    digest = hashlib.sha256()
    for chunk in rows_lines(rows):
        digest.update(chunk)
    return digest.hexdigest()


def _quoted(column: Labels) -> list[str]:
    """The names as JSON text; the last entry, which code -1 finds, is the empty text."""
    return [*(json.dumps(name) for name in column.names), '""']


def _number(value: float | None) -> str:
    if value is None:
        return "null"
    if math.isfinite(value):
        return repr(value)
    return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
