"""Ground truth of recorded calls, from files beside the log.

JSON lines: SageMaker's `{"groundTruthData": {"data", "encoding"}, "eventMetadata": {"eventId"}}`, where eventId is the
inference id or else the id of the captured event; or `{"id": ..., "label": ...}` with the request id of any log. All
labels are in memory, some 200 bytes each.

Source: SageMaker developer guide, "Ingest Ground Truth labels and merge them with predictions".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any

from harness.core.case import Json
from harness.errors import ConfigError
from harness.recordings.formats import LogFile, Reject
from harness.recordings.formats._json import UNREADABLE, document, records


def read(files: Iterable[LogFile]) -> dict[str, Json]:
    """Name of a call -> its truth. Raises ConfigError naming file and line: half of the labels are no labels."""
    labels: dict[str, Json] = {}
    for file in files:
        for item in records(file, "labels"):
            if isinstance(item, Reject):
                raise ConfigError(f"{file.path}, line {item.origin.line}: {item.reason}.")
            origin, line = item
            try:
                name, label = _label(document(line))
            except (*UNREADABLE, TypeError, KeyError, binascii.Error) as exc:
                raise ConfigError(
                    f"{file.path}, line {origin.line}: no label ({type(exc).__name__}). A line is SageMaker's ground "
                    'truth, or {"id": ..., "label": ...}.'
                ) from exc
            if labels.setdefault(name, label) != label:
                raise ConfigError(f"{file.path}, line {origin.line}: a call that has another label already.")
    return labels


def _label(table: Any) -> tuple[str, Json]:
    if "groundTruthData" in table:
        truth = table["groundTruthData"]
        data, name = truth["data"], table["eventMetadata"]["eventId"]
        if truth.get("encoding") == "BASE64":
            data = base64.b64decode(data, validate=True).decode()
        return _name(name), _plain(data)
    return _name(table["id"]), table["label"]


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError("an id that is no text")
    return name


def _plain(data: str) -> Json:
    """A label as the number, truth value or JSON that it is, else its text. NaN is no label of a number."""
    try:
        value: Json = json.loads(data, parse_constant=lambda name: name)
    except ValueError:
        return data
    return value
