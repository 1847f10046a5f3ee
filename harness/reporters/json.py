"""The whole report as one JSON document, for machines; `schema()` describes it.

`schema` is the first key and names the version, as in "parity-report/1". Within a version fields are added and never
change meaning, so readers ignore keys that they do not know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.core.case import Json
from harness.core.report import SCHEMA, ParityReport
from harness.reporters._parts.schema import plain, schema_of


@dataclass(frozen=True, slots=True)
class JsonReport:
    """Every field, in declared order; mappings sorted; ASCII only, so that no terminal obeys what a model said."""

    @property
    def suffix(self) -> str:
        return ".json"

    def render(self, report: ParityReport) -> bytes:
        fields = plain(report)
        if not isinstance(fields, dict):
            raise TypeError(f"not a report: {type(report).__name__}")
        text = json.dumps({"schema": SCHEMA, **fields}, indent=1, allow_nan=False)
        return text.replace("##", "\\u0023\\u0023").encode("ascii") + b"\n"  # no "##vso[" for a build's log


def build() -> JsonReport:
    return JsonReport()


def schema() -> dict[str, Json]:
    """JSON Schema (draft 2020-12) of the document."""
    described = schema_of(ParityReport)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parity report",
        "type": "object",
        "properties": {"schema": {"const": SCHEMA}},
        "required": ["schema"],
        **described,
    }
