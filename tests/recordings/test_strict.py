"""The fast test of a shape and the one that explains agree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.shape import check
from harness.errors import ConfigError
from harness.recordings.lines import SHAPE
from harness.recordings.strict import fits

FITS = fits(SHAPE)
WHOLE: dict[str, Any] = {
    "id": "a",
    "request": {"headers": {"x": "y"}, "body": "1"},
    "response": {"status": 200, "latency_s": 0.5, "tokens": {"input": 1}},
    "slices": {"a": "b"},
    "expected": [None, {"x": 1.5}],
    "provenance": {"captured_from": "x", "flags": ["y"], "origin": {"format": "f", "path": "p", "index": 0, "line": 1}},
    "crc32": "0",
}
values = st.sampled_from([None, True, 1, -1, 0, 1.5, "", "x", [], ["x"], [1], {}, {"x": "y"}, {"x": 1}])


def places(table: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [above] if above else []
    for key in table if isinstance(table, dict) else ():
        found += places(table[key], (*above, key))
    return found


def changed(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(json.dumps(WHOLE))
    inner = table
    for key in place[:-1]:
        inner = inner[key]
    if value == "gone":
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return table


def explained(table: Any) -> bool:
    try:
        check(table, SHAPE, place="t")
    except ConfigError:
        return False
    return True


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([*places(WHOLE), ("new",), ("request", "new")]), values | st.just("gone"))
def test_one_change_anywhere_is_judged_alike(place, value):
    if place[-1] == "new" and value == "gone":
        return
    table = changed(place, value)
    assert FITS(json.dumps(table).encode()) == explained(table)


@pytest.mark.parametrize("text", [b"", b"{", b'{"id": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_does_not_fit(text):
    assert not FITS(text)
