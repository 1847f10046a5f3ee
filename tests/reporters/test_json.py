"""The document for machines: every field, strict JSON, and a schema that follows the types."""

from __future__ import annotations

import json as stdlib_json
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import jsonschema
import numpy as np
import pytest

from harness.core.report import ParityReport
from harness.reporters import json
from tests.reporters import sample
from tests.reporters.reading import HOSTILE

BUILDERS = [sample.go, sample.no_go, sample.inconclusive, sample.partial]


def document(report: ParityReport) -> dict[str, Any]:
    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is not JSON")

    read: dict[str, Any] = stdlib_json.loads(json.build().render(report), parse_constant=refuse)
    return read


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_document_fits_its_schema(builder: Callable[[], ParityReport]):
    jsonschema.Draft202012Validator(json.schema(), format_checker=jsonschema.FormatChecker()).validate(
        document(builder())
    )


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json.schema())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda read: read.pop("schema"),
        lambda read: read.update(schema="parity-report/0"),
        lambda read: read.pop("signature"),
        lambda read: read["decision"].update(verdict="PASS"),
        lambda read: read["decision"]["findings"][0]["evidence"].update(low="-0.1"),
        lambda read: read["sides"][0]["histogram"][0].pop(),
        lambda read: read["clients"].update(boto3=1),
    ],
)
def test_the_schema_refuses_what_is_wrong(spoil: Callable[[dict[str, Any]], object]):
    read = document(sample.go())
    spoil(read)
    assert not jsonschema.Draft202012Validator(json.schema()).is_valid(read)


def test_every_field_is_there_in_declared_order():
    def same(value: object, read: Any) -> None:
        if is_dataclass(value):
            assert list(read) == [field.name for field in fields(value)]
            for field in fields(value):
                same(getattr(value, field.name), read[field.name])
        elif isinstance(value, tuple):
            assert len(value) == len(read)
            for one, other in zip(value, read, strict=True):
                same(one, other)

    read = document(sample.no_go())
    assert next(iter(read)) == "schema"
    read.pop("schema")
    same(sample.no_go(), read)


def test_the_same_report_gives_the_same_bytes_whatever_the_order_of_its_mappings():
    report = sample.go()
    turned = replace(report, clients=dict(reversed(report.clients.items())))
    assert json.build().render(turned) == json.build().render(report)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_not_finite_is_null(value: float):
    worst = (replace(sample.worst_case(), distance=value),)
    assert document(replace(sample.go(), worst=worst))["worst"][0]["distance"] is None


def test_numbers_from_arrays_are_numbers():
    report = replace(sample.go(), cases=np.int64(3), worst=(sample.worst_case(distance=np.float32(0.5)),))
    assert (document(report)["cases"], document(report)["worst"][0]["distance"]) == (3, 0.5)


def test_times_are_utc():
    east = timezone(timedelta(hours=5))
    report = replace(sample.go(), started_at=datetime(2026, 11, 20, 5, 30, tzinfo=east))
    assert document(report)["started_at"] == "2026-11-20T00:30:00.000000Z"


def test_hostile_text_comes_back_as_it_was_but_for_lone_surrogates():
    worst = (replace(sample.worst_case(), source=HOSTILE),)
    rendered = json.build().render(replace(sample.go(), worst=worst))
    assert rendered.isascii()
    assert b"\x1b" not in rendered
    assert stdlib_json.loads(rendered)["worst"][0]["source"] == HOSTILE.replace("\ud800", "\ufffd")


def test_what_is_no_part_of_a_report_is_refused():
    with pytest.raises(TypeError, match="bytes"):
        json.build().render(replace(sample.go(), title=b"x"))
