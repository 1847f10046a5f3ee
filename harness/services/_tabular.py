"""Numbers that come back: what every tabular service needs to read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from harness.core.call import Reading, Unreadable, Wire
from harness.core.case import Json, Lot, Recording
from harness.core.output import Scores
from harness.errors import CodecError


class NotScores(CodecError):
    """A reply that holds no table of numbers; `partial` is what could be read of it."""

    def __init__(self, message: str, partial: Scores | None = None) -> None:
        super().__init__(message)
        self.partial = partial


def parse_json(body: bytes) -> Json:
    """Strict JSON, with NaN and infinities kept: they are numbers that came. Raises NotScores naming the position."""
    try:
        value: Json = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as exc:
        raise NotScores(f"the reply is not UTF-8 (byte {exc.start} of {len(body)})") from exc
    except json.JSONDecodeError as exc:
        reason = "ends too early" if exc.pos >= len(exc.doc.rstrip()) else "is malformed"
        # The exception holds the whole document, so it is not kept as the cause.
        raise NotScores(f"the reply's JSON {reason} (character {exc.pos} of {len(exc.doc)}: {exc.msg})") from None
    except RecursionError:
        raise NotScores("the reply's JSON is nested too deeply to read") from None
    return value


def scores_of(value: Json, *, rows: int | None) -> Scores:
    """The table of numbers in a JSON reply.

    Read are: a number; [number]; [[number]]; [{name: number or [number]}]; and any of these under "predictions", or
    under the only key of an object. Columns are the objects' keys ("score.0" for a list in one), else "0", "1", ...
    rows: how many the request asked about, None where unknown. Raises NotScores.
    Source: SageMaker developer guide, "Common data formats for inference"; Azure ML, "Deploy MLflow models".
    """
    if isinstance(value, dict):
        inner = value.get("predictions", next(iter(value.values())) if len(value) == 1 else None)
        if not isinstance(inner, list):
            raise NotScores("the reply is an object without a list of predictions")
        value = inner
    entries = value if isinstance(value, list) else [value]
    named = [_named(entry, index) for index, entry in enumerate(entries, start=1)]
    return table_of_numbers(named, rows=rows)


def table_of_numbers(named: Sequence[Mapping[str, Json]], *, rows: int | None) -> Scores:
    """Scores from one mapping (column -> number) a row. Raises NotScores where rows differ in shape or number."""
    if not named:
        raise NotScores("the reply holds no rows")
    columns = tuple(named[0])
    values = np.empty((len(named), len(columns)), dtype=np.float64)
    for index, row in enumerate(named):
        if row.keys() != named[0].keys():
            raise NotScores(f"row {index + 1} of the reply has other columns than row 1")
        for place, column in enumerate(columns):
            values[index, place] = _number(row[column], index + 1, column)
    scores = Scores(values, columns)
    if rows is not None and rows != len(named):
        raise NotScores(f"the reply holds {len(named)} rows, and {rows} were asked about", partial=scores)
    return scores


def reading(lot: Lot, read: Scores, reply: Wire, *, served: str, runtime: str | None) -> dict[str, Reading]:
    """The reading of a live lot; `served` is the header that names what answered."""
    (case,) = lot.requests
    return {case: Reading(output=read, served_model=reply.headers.get(served), runtime=runtime)}


def unreadable(lot: Lot, message: str, partial: Scores | None = None) -> dict[str, Unreadable]:
    """The same for a reply that could not be read."""
    return {case: Unreadable(message, partial) for case in lot.requests}


def reply_bytes(replies: Sequence[Wire]) -> tuple[Wire, bytes]:
    """The one reply of a live call and its body. Raises NotScores where it is an error's, or empty."""
    reply = replies[-1]
    if reply.status is not None and not 200 <= reply.status < 300:
        raise NotScores(f"the reply has status {reply.status}")
    body = reply.body if isinstance(reply.body, bytes) else b""
    if not body.strip():
        raise NotScores("the reply is empty")
    return reply, body


def recorded_header(headers: Mapping[str, str], name: str) -> str:
    """A header of a recording, whose names come in any case; "" where it is missing."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def recorded_json(recording: Recording) -> Json:
    """The JSON of a recorded request. Raises CodecError naming the recording."""
    try:
        value: Json = json.loads(recording.request_body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise CodecError(f"recording {recording.id}: the request is not JSON in UTF-8.") from None
    return value


def _named(entry: Json, index: int) -> dict[str, Json]:
    if isinstance(entry, list):
        return {str(place): cell for place, cell in enumerate(entry)}
    if not isinstance(entry, dict):
        return {"0": entry}
    named: dict[str, Json] = {}
    for key, cell in entry.items():
        if isinstance(cell, list):
            named.update({f"{key}.{place}": inner for place, inner in enumerate(cell)})
        else:
            named[key] = cell
    if not named:
        raise NotScores(f"row {index} of the reply is an empty object")
    return named


def _number(cell: Json, row: int, column: str) -> float:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise NotScores(f'row {row}, column "{column}" of the reply is {_kind(cell)}, not a number')
    try:
        return float(cell)
    except OverflowError:
        raise NotScores(f'row {row}, column "{column}" of the reply is too large for a float64') from None


def _kind(cell: Json) -> str:
    if cell is None:
        return "null"
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return names.get(type(cell), type(cell).__name__)
