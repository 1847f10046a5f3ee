"""Rows of any table as calls: which column holds what."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.case import Json, Origin, Provenance, Recording
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.formats import Found, Record, Reject, case_id
from harness.recordings.formats._json import json_bytes
from harness.recordings.formats._openai import status_in
from harness.recordings.plain import moment

_TYPES = {"text": "text/plain", "csv": "text/csv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of columns; None: there is no such column.

    request, response: bodies, as text or as JSON. features, answers: columns, joined by commas, of which a body of CSV
    is made instead. time, latency_s, status, request_id, model, cluster, expected: what their names say.
    service, operation, content_type, accept: of every call. A status is the one that its column says, else none.
    """

    request: str | None = None
    response: str | None = None
    features: str | None = None
    answers: str | None = None
    time: str | None = None
    latency_s: str | None = None
    status: str | None = None
    request_id: str | None = None
    model: str | None = None
    cluster: str | None = None
    expected: str | None = None
    service: str = "sagemaker"
    operation: str = "InvokeEndpoint"
    content_type: str | None = None
    accept: str | None = None

    def __post_init__(self) -> None:
        if (self.request is None) == (self.features is None):
            raise ConfigError("a column map names either request, or the features that make one.")
        if self.response is not None and self.answers is not None:
            raise ConfigError("a column map names either response, or the answers that make one.")

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that the map names."""
        lists = (name for some in (self.features, self.answers) if some is not None for name in some.split(","))
        own = (self.request, self.response, self.time, self.latency_s, self.status, self.request_id)
        more = (self.model, self.cluster, self.expected)
        return tuple(dict.fromkeys((*lists, *(name for name in (*own, *more) if name is not None))))

    def twice(self, header: Sequence[str]) -> str | None:
        """What is wrong with a table that has a column of the map twice."""
        found = next((name for name in self.named if list(header).count(name) > 1), None)
        return None if found is None else f"there are several columns {found}"

    @classmethod
    def of(cls, *, request: str | None = None, features: str | None = None, **columns: Any) -> Columns:
        """Without a request or features, the column `request` holds the body and `response` that of the answer."""
        if request is None and features is None:
            request, columns = "request", {"response": "response", **columns}
        return cls(request=request, features=features, **columns)

    def found(self, origin: Origin, row: Mapping[str, Any], told: Callable[[], Json]) -> Found:
        """The call that a row is of."""
        missing = next((name for name in self.named if name not in row), None)
        if missing is not None:
            return Reject(origin, f"there is no column {missing}")
        asked = self._body(row, self.request, self.features)
        if asked is None:
            return Reject(origin, "the request is empty")
        answered = self._body(row, self.response, self.answers)
        if self.answers is not None and all(row[name] in (None, "") for name in self.answers.split(",")):
            answered = None
        took, said = self._number(row, self.latency_s), _value(row, self.status)
        status = self._number(row, self.status)
        code = None if status is None else status_in(int(status))
        if code is None and not (said in (None, "") or said != said):  # a NaN is how pandas leaves a cell empty
            return Reject(origin, "a status that is none of HTTP")
        if answered is None and code is not None and code >= 400:
            answered = b"", _TYPES["text"]
        name = self._text(row, self.request_id)
        recording = Recording(
            id=case_id(origin),
            service=self.service,
            operation=self.operation,
            model=self._text(row, self.model),
            request_headers={"content-type": self.content_type or asked[1]},
            request_body=asked[0],
            status=code,
            response_headers={} if answered is None else {"content-type": self.accept or answered[1]},
            response_body=None if answered is None else answered[0],
            latency_s=took if took is not None and took >= 0 else None,
            request_id=name,
            provenance=Provenance(
                captured_at=moment(_value(row, self.time)),
                origin=origin,
                flags=(gaps.NOT_WIRE_BYTES,) if answered is not None else (gaps.NO_ANSWER, gaps.NOT_WIRE_BYTES),
            ),
        )
        return Record(
            recording=recording,
            document=told,
            labels=(name,) if name else (),
            expected=_plain(_value(row, self.expected)),
            cluster=self._text(row, self.cluster) or "",
        )

    def _body(self, row: Mapping[str, Any], whole: str | None, parts: str | None) -> tuple[bytes, str] | None:
        """A body and its type; None for an empty cell."""
        if parts is not None:
            return _csv([row[name] for name in parts.split(",")]), _TYPES["csv"]
        if whole is None:
            return None
        value = row[whole]
        if value is None or value == "":
            return None
        if isinstance(value, bytes):
            return value, "application/octet-stream"
        if not isinstance(value, str):
            return _dump(value), "application/json"
        text = value.strip()
        return value.encode("utf-8", "replace"), "application/json" if text[:1] in ("{", "[") else _TYPES["csv"]

    def _text(self, row: Mapping[str, Any], name: str | None) -> str | None:
        value = _value(row, name)
        return None if value is None or value == "" else str(value)

    def _number(self, row: Mapping[str, Any], name: str | None) -> float | None:
        value = _value(row, name)
        try:
            number = float(value) if value not in (None, "") else None
        except (TypeError, ValueError, OverflowError):
            return None
        return number if number is not None and -1e9 < number < 1e9 else None


def _value(row: Mapping[str, Any], name: str | None) -> Any:
    return None if name is None else row.get(name)


def _plain(value: Any) -> Json:
    return value if isinstance(value, bool | int | float | str) else None if value is None else str(value)


def _dump(value: Any) -> bytes:
    """A value as JSON; NaN and the infinities, which JSON has no word for, as the literals that models answer with."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    except TypeError:
        return json_bytes(value)


def _csv(cells: list[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(["" if cell is None else cell for cell in cells])
    return out.getvalue().encode("utf-8", "replace")
