"""An import keeps every record, links what repeats, and says what is missing."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import registry
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.privacy import redactor
from harness.recordings.store import GoldenSet
from harness.run import importing
from harness.run.importing import Summary, asking
from harness.run.making import Options
from tests.small.logs import PATIENT, MemoryLog

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def captured(asked: str, answered: str | None, at: str = "2026-11-01T09:12:33Z", name: str = "e") -> dict[str, Any]:
    halves = {"endpointInput": {"data": asked, "encoding": "CSV", "observedContentType": "text/csv"}}
    if answered is not None:
        halves["endpointOutput"] = {"data": answered, "encoding": "CSV", "observedContentType": "text/csv"}
    return {"captureData": halves, "eventMetadata": {"eventId": name, "inferenceTime": at}}


def imported(
    folder: Path, *lines: Any, options: Options | None = None, form: str = "sagemaker_capture", path: str = "a.jsonl"
) -> Summary:
    content = b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)
    built = registry.load("recordings.formats", form)
    return importing.run(built, MemoryLog({path: content}), folder, options or Options(), now=lambda: NOW)


def links(folder: Path) -> list[tuple[str | None, str | None]]:
    with GoldenSet.open(folder) as golden:
        ids = [case.id for case in golden]
        places = {name: str(at) for at, name in enumerate(ids)} | {"": None}
        return [(places[case.repeat_of or ""], places[case.duplicate_of or ""]) for case in golden]


def test_half_a_character_in_one_record_does_not_end_the_import(tmp_path: Path):
    """JSON can say it and UTF-8 cannot: the record is a case, and so are those around it."""
    odd = {"captureData": {"endpointInput": {"data": json.dumps("\ud800"), "encoding": "JSON"}}}
    same = copy.deepcopy(odd)
    summary = imported(tmp_path / "set", captured("1", "2"), odd, same, captured("3", "4"))
    assert summary.manifest.cases == 4
    assert links(tmp_path / "set")[2][1] == "1"


def test_failures_are_counted_with_and_without_a_status(tmp_path: Path):
    asked = {"messages": [{"role": "user", "content": "2+2?"}]}
    summary = imported(
        tmp_path / "set",
        {"request": asked, "status": 429, "error": "slow down"},
        {"request": asked, "error": "timeout"},
        {"request": asked, "response": "4"},
        {"request": asked},
        form="openai_jsonl",
    )
    assert summary.refused == 2


def test_the_same_request_again_is_a_repeat_or_a_duplicate(tmp_path: Path):
    """Answers are compared as what they say: 0.5 and 0.50 are one number."""
    imported(
        tmp_path,
        captured("1,2", "0.5", name="a"),
        captured("1,2", "0.7", name="b"),
        captured("3,4", "0.5", name="c"),
        captured("1,2\n", "0.50", name="d"),
        captured("1,2", "0.7", name="e"),
        captured("1,2", None, name="f"),
        captured("1,2", None, name="g"),
    )
    none = None
    assert links(tmp_path) == [
        (none, none),
        ("0", none),
        (none, none),
        (none, "0"),
        (none, "1"),
        ("0", none),
        (none, "5"),
    ]
    with GoldenSet.open(tmp_path) as golden:
        assert golden.primaries.tolist() == [0, 2]
        assert golden.repeats(0) == (1, 3, 4, 5, 6)


@PATIENT
@given(st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 2)), max_size=12))
def test_links_are_those_of_a_plain_search(tmp_path_factory: pytest.TempPathFactory, calls):
    folder = tmp_path_factory.mktemp("golden")
    imported(folder, *(captured(str(asked), None if said is None else str(said)) for asked, said in calls))
    expected = []
    for at, (asked, said) in enumerate(calls):
        first = next(before for before, (other, _) in enumerate(calls) if other == asked)
        same = calls.index((asked, said))
        expected.append((None, None) if first == at else (None, str(same)) if same < at else (str(first), None))
    assert links(folder) == expected


def test_what_cannot_be_read_is_kept_with_line_and_reason(tmp_path: Path):
    summary = imported(tmp_path, captured("1", "1"), b"{", captured("2", "1"), b"\xff")
    told = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [(one["path"], one["index"], one["line"]) for one in told] == [("a.jsonl", 1, 2), ("a.jsonl", 3, 4)]
    assert all("not the JSON of a record" in one["reason"] for one in told)
    assert summary.document() | {"cases": 2, "rejected": 2, "records": 4} == summary.document()
    assert {gap.kind: gap.count for gap in summary.manifest.gaps}[gaps.REJECTED] == 2
    imported(tmp_path, captured("1", "1"))
    assert not (tmp_path / "rejects.jsonl").exists()


def test_a_text_that_cannot_be_stored_is_a_reject(tmp_path: Path):
    """A file name need not be UTF-8."""
    summary = imported(tmp_path, captured("1", "1"), path="\udcff.jsonl")
    assert summary.document() | {"records": 1, "cases": 0, "rejected": 1} == summary.document()
    assert json.loads((tmp_path / "rejects.jsonl").read_text())["reason"] == "a text that UTF-8 cannot say"


def test_a_request_that_no_codec_reads_is_a_case_and_counted(tmp_path: Path):
    summary = imported(tmp_path, captured("1,2\n3", "1"))
    assert summary.manifest.cases == 1
    assert {gap.kind: gap.count for gap in summary.manifest.gaps}[gaps.UNREAD] == 1


def test_every_record_is_accounted_for(tmp_path: Path):
    only_answered = {"captureData": {"endpointOutput": {"data": "1"}}}
    summary = imported(tmp_path, captured("1", "1"), only_answered, b"{", captured("1", None))
    told = summary.document()
    assert told["records"] == told["cases"] + told["rejected"] + sum(told["skipped"].values()) == 4
    counts = {gap["kind"]: gap["count"] for gap in told["gaps"]}
    assert counts == {
        "sampled": 2,
        "no_request": 1,
        "no_answer": 1,
        "repeats": 1,
        "rejected": 1,
    }


def test_gaps_in_time_and_clocks_that_are_off_are_found(tmp_path: Path):
    minutes = [f"2026-11-01T09:{minute:02}:00Z" for minute in range(40)]
    later = [f"2026-11-01T15:{minute:02}:00Z" for minute in range(20)]
    wrong = ["2031-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "{%s}"]
    times = [*minutes, *later, *wrong]
    made = imported(tmp_path, *(captured(str(at), "1", at=time) for at, time in enumerate(times))).manifest
    found = {gap.kind: gap for gap in made.gaps}
    assert found[gaps.TIME_GAP].count == 1
    assert found[gaps.TIME_GAP].note == "2026-11-01 09:39 to 2026-11-01 15:00 UTC"
    assert found[gaps.CLOCK_SKEW].count == 2
    assert found[gaps.NO_TIME].count == 1
    assert made.captured is not None
    assert [moment.hour for moment in made.captured] == [9, 15]


def test_a_record_in_the_folder_of_another_hour_is_flagged(tmp_path: Path):
    path = "ep/AllTraffic/2026/11/01/09/a.jsonl"
    times = ["2026-11-01T09:59:00Z", "2026-11-01T10:20:00Z", "2026-11-01T14:00:00Z"]
    imported(tmp_path, *(captured(str(at), "1", at=time) for at, time in enumerate(times)), path=path)
    with GoldenSet.open(tmp_path) as golden:
        assert [case.recording.provenance.flags for case in golden] == [(), (), (gaps.CLOCK_SKEW,)]


def test_several_models_in_one_set_are_told(tmp_path: Path):
    request = {"model": "gpt", "messages": [{"role": "user", "content": "a"}]}
    answers = [{"model": f"gpt-4o-{version}", "choices": []} for version in ("05", "05", "11")]
    made = imported(tmp_path, *({"request": request, "response": one} for one in answers), form="openai_jsonl").manifest
    (found,) = (gap for gap in made.gaps if gap.kind == gaps.MODEL_VERSIONS)
    assert found.count == 2
    assert "answered by gpt-4o-05: 2" in found.note


def test_a_sample_is_one_until_somebody_says_that_it_is_not(tmp_path: Path):
    assert imported(tmp_path, captured("1", "1")).manifest.sampled
    assert not imported(tmp_path, captured("1", "1"), options=Options(whole=True)).manifest.sampled


def test_clusters_slices_and_labels_are_asked_of_the_record(tmp_path: Path):
    options = Options(
        cluster=asking("eventMetadata.eventId", option="--cluster"),
        slices={
            "encoding": asking("captureData.endpointInput.encoding", option="--slice"),
            "none": asking("nowhere", option="--slice"),
        },
        labels={"order-1": 1},
    )
    summary = imported(
        tmp_path, captured("1", "1", name="order-1"), captured("2", "1", name="order-2"), options=options
    )
    with GoldenSet.open(tmp_path) as golden:
        assert [case.cluster for case in golden] == ["order-1", "order-2"]
        assert [dict(case.slices) for case in golden] == [{"encoding": "CSV"}] * 2
        assert [case.expected for case in golden] == [1, None]
    assert (summary.labelled, summary.clusters_unknown) == (1, 0)


def test_an_expression_that_is_none_is_named():
    with pytest.raises(ConfigError, match='--cluster: "a\\[" is no JMESPath'):
        asking("a[", option="--cluster")


def test_nothing_of_a_planted_secret_reaches_the_disk(tmp_path: Path):
    """Request, answer, cluster, slice, label, path and reject: each place where a log may hold one."""
    address, key = "ann@" + "example.com", "AK" + "IA" + "Q" * 16
    options = Options(
        redactor=redactor("default"),
        cluster=asking("eventMetadata.eventId", option="--cluster"),
        slices={"who": asking("eventMetadata.eventId", option="--slice")},
        labels={address: key},
    )
    lines = [captured(f"4.6,{address}", f"0.5,{key}", name=address), b'{"captureData": "%s"' % key.encode()]
    summary = imported(tmp_path, *lines, options=options, path=f"{address}/a.jsonl")
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert address.encode() not in written
    assert key.encode() not in written
    assert address not in json.dumps(summary.document())
    with GoldenSet.open(tmp_path) as golden:
        (case,) = golden
        assert re.fullmatch(rb"4\.6,[a-p]{8}@example\.invalid", case.recording.request_body)
        assert case.recording.provenance.redacted
        assert gaps.REDACTED in case.recording.provenance.flags


def test_numbers_stay_as_they_were(tmp_path: Path):
    """A card number's digits among features are a feature."""
    row = "4111111111111111,+12025550143,0.5"
    imported(tmp_path, captured(row, "1"), options=Options(redactor=redactor("default")))
    with GoldenSet.open(tmp_path) as golden:
        (case,) = golden
        assert case.recording.request_body == row.encode()
        assert not case.recording.provenance.redacted


def test_a_streamed_answer_that_holds_something_is_left_out_whole(tmp_path: Path):
    """What is to be found may lie across two pieces, where no piece shows it."""

    def log(first: str, second: str) -> dict[str, Any]:
        deltas = [{"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": text}}} for text in (first, second)]
        events = [{"messageStart": {"role": "assistant"}}, *deltas, {"messageStop": {"stopReason": "end_turn"}}]
        asked = {"messages": [{"role": "user", "content": [{"text": f"to {len(first)}?"}]}]}
        return {
            "operation": "ConverseStream",
            "modelId": "amazon.nova-lite-v1:0",
            "input": {"inputBodyJson": asked},
            "output": {"outputBodyJson": events},
        }

    options = Options(redactor=redactor("default"))
    imported(tmp_path, log("ann@exam", "ple.com"), log("nothing ", "here"), options=options, form="bedrock_log")
    with GoldenSet.open(tmp_path) as golden:
        first, second = golden
    assert first.recording.response_body is None
    assert {gaps.NO_ANSWER, gaps.REDACTED} <= set(first.recording.provenance.flags)
    assert second.recording.response_body is not None


def test_the_same_log_gives_the_same_bytes(tmp_path: Path):
    for name in ("x", "x"):
        imported(tmp_path / name, captured("1", "1"), captured("1", "2"))
        content = [(tmp_path / name / file).read_bytes() for file in ("cases.jsonl", "manifest.json")]
        (tmp_path / f"before-{len(content)}").write_bytes(b"".join(content))
    assert (tmp_path / "before-2").read_bytes() == b"".join(content)


def test_ids_say_nothing_of_the_record(tmp_path: Path):
    imported(tmp_path, captured("1", "1", name="../../etc/passwd"))
    with GoldenSet.open(tmp_path) as golden:
        (case,) = golden
        assert case.id.startswith("sagemaker_capture-")
        assert "passwd" not in case.id


def test_an_import_that_fails_leaves_the_older_set(tmp_path: Path):
    imported(tmp_path, captured("1", "1"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    class Broken:
        def __iter__(self):
            raise ConfigError("the store is gone")

        def find(self, uri: str, *, beside: str) -> None: ...

    with pytest.raises(ConfigError, match="gone"):
        importing.run(registry.load("recordings.formats", "sagemaker_capture"), Broken(), tmp_path, Options())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
