"""How the tests of this folder put their questions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness import lab as lab_room
from harness.lab import desk, visits


def present_key(lab: lab_room.Lab) -> str:
    """The endpoint's primary key, from the lab's owner rather than from the resource manager's API."""
    return str(desk.send(lab.addresses["resource_manager"], lab.control, "settings")["azure_keys"][0])


def frame(rows: Sequence[visits.HeldOut], columns: Sequence[str] = visits.COLUMNS) -> bytes:
    """The rows as an MLflow deployment takes them."""
    order = [visits.COLUMNS.index(column) for column in columns]
    data = [[float(row.cells[place]) for place in order] for row in rows]
    document = {"input_data": {"columns": list(columns), "index": list(range(len(rows))), "data": data}}
    return json.dumps(document).encode()
