"""What leaves the machine: under "none" and "hash" no byte of a payload, under any rule no secret."""

from __future__ import annotations

import io
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import Network, Project
from harness.core.report import ParityReport, Payloads
from harness.run import publish_mlflow, publish_webhook
from harness.run.publish import publish, publishing
from harness.run.publish_page import Bulletin
from harness.run.publish_payloads import HASHED, OPEN, PAYLOAD, WITHHELD, _walk, cleared, packed, unpacked
from tests.reporters import sample

MARK = "zqxj"  # stands in no word of ours
PAYLOAD_TEXT = st.text(st.characters(codec="utf-8"), max_size=40).map(lambda text: f"{MARK}{text}{MARK}")


def with_payloads(text: str, rule: Payloads) -> ParityReport:
    """A report whose every payload field holds this text, as if nobody had cut it before."""
    made = sample.no_go(payloads=rule)
    return replace(
        made,
        worst=tuple(
            replace(one, request=text, source=text, target=text, reason=text, slices={text: text}) for one in made.worst
        ),
        departures=tuple(
            replace(one, departure=replace(one.departure, source_value=text, target_value=text))
            for one in made.departures
        ),
    )


def published(report: ParityReport, folder: Path) -> bytes:
    """Every byte that any channel sends or leaves for a build."""
    folder.mkdir()
    project = Project(folder=folder, default_profile="p", profiles={}, reports=folder)
    to = publishing(["github", "azure_devops"], project, Network())
    out, summary = io.StringIO(), folder / "step"
    told = publish([report], to, out=out, environment={"GITHUB_STEP_SUMMARY": str(summary)})
    assert [one.problem for one in told] == [None, None]
    bulletin = Bulletin(reports=(cleared(report),), verdict="NO-GO")
    parts = [out.getvalue(), publish_webhook.document(bulletin), publish_webhook.text(bulletin)]
    parts += [publish_mlflow.metrics(bulletin.reports[0]), publish_mlflow.params(bulletin.reports[0])]
    parts += [publish_mlflow.tags(bulletin.reports[0], bulletin)]
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 5
    return b"".join([*(str(part).encode() for part in parts), *files])


@pytest.mark.parametrize("rule", [Payloads.NONE, Payloads.HASH])
def test_no_byte_of_a_payload_is_published(rule: Payloads, tmp_path: Path):
    assert MARK.encode() not in published(with_payloads(MARK, rule), tmp_path / "p")


@pytest.mark.parametrize("rule", [Payloads.REDACTED, Payloads.FULL])
def test_where_payloads_may_be_shown_they_are(rule: Payloads, tmp_path: Path):
    """The test above can fail: the same report under another rule does hold the text."""
    assert MARK.encode() in published(with_payloads(MARK, rule), tmp_path / "p")


@given(PAYLOAD_TEXT, st.sampled_from([Payloads.NONE, Payloads.HASH]))
def test_no_payload_text_is_in_a_cleared_report(text: str, rule: Payloads):
    said = repr(cleared(with_payloads(text, rule)))
    assert MARK not in said
    assert (re.search("sha256:[0-9a-f]{64}", said) is not None) == (rule is Payloads.HASH)


def test_redacted_takes_out_what_detectors_know():
    report = cleared(with_payloads("write to ann.lee@example.com", Payloads.REDACTED))
    assert "ann.lee" not in repr(report)
    assert "[email]" in str(report.worst[0].request)


@pytest.mark.parametrize("rule", list(Payloads))
def test_no_secret_leaves_under_any_rule(rule: Payloads):
    key = "AKIA" + "Q" * 16
    report = with_payloads(f"key {key}", rule)
    report = replace(report, stopped=f"the source said {key}", title=key)
    assert key not in repr(cleared(report))


@pytest.mark.parametrize("rule", list(Payloads))
def test_clearing_twice_is_clearing_once(rule: Payloads):
    once = cleared(with_payloads("a payload", rule))
    assert cleared(once) == once


def test_numbers_and_the_decision_are_left_as_they_are():
    report = sample.go(payloads=Payloads.NONE)
    assert cleared(report).decision == report.decision
    assert (cleared(report).sides, cleared(report).metrics) == (report.sides, report.metrics)


def test_a_packed_report_is_the_same_on_the_other_side():
    """Infinities too, which JSON has no form for."""
    report = cleared(sample.no_go(payloads=Payloads.FULL))
    assert report.sides[0].histogram[-1][0] == float("inf")
    assert unpacked(packed(report)) == report


def test_the_lists_name_fields_that_there_are():
    assert set(texts(ParityReport)) >= OPEN | PAYLOAD
    assert not OPEN & PAYLOAD
    assert HASHED <= PAYLOAD


@dataclass(frozen=True)
class _Newer:
    """What a later report may hold."""

    said: str
    several: tuple[str, ...]
    by_name: Mapping[str, str]
    count: int


@pytest.mark.parametrize("rule", [Payloads.NONE, Payloads.HASH])
def test_a_field_that_nobody_put_on_a_list_is_a_payload(rule: Payloads):
    made = _walk(_Newer("text", ("text",), {"text": "text"}, 7), rule, "")
    assert made == _Newer(WITHHELD, (WITHHELD,), {}, 7)


def texts(cls: type) -> Iterator[str]:
    """ "Class.field" of everything in a report that holds text."""
    for name, hint in ((one.name, get_type_hints(cls)[one.name]) for one in fields(cls)):
        for leaf in leaves(hint):
            if leaf is str:
                yield f"{cls.__name__}.{name}"
            elif is_dataclass(leaf):
                yield from texts(leaf)


def leaves(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in (Union, types.UnionType, tuple, Mapping):
        for part in get_args(hint):
            yield from leaves(part)
    elif isinstance(hint, type) and not issubclass(hint, Enum | datetime):
        yield hint
