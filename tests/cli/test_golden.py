"""`parity golden`: what a set holds, and sets made of sets."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness import cli
from harness.core.case import Origin, Provenance, Recording
from harness.recordings.detectors import scrub
from harness.recordings.lines import StoredCase
from harness.recordings.store import GoldenSet, write


def case(number: int, *, again: int = 0, **fields: object) -> StoredCase:
    """Request `number`; 1 of 10 lies in slice region=eu, 1 of 50 is labelled 1, 1 of 25 has an empty cell."""
    cell = "" if number % 25 == 0 else str(number)
    recording = Recording(
        id=f"c{number:04d}" + ("" if not again else f"-{again}"),
        service="sagemaker",
        operation="InvokeEndpoint",
        request_headers={"content-type": "text/csv"},
        request_body=f"{number},{cell}".encode(),
        status=200,
        response_headers={"content-type": "text/csv"},
        response_body=f"0.{number % 7 + again}".encode(),
        provenance=Provenance(captured_at=None, captured_from="made for a test"),
    )
    slices = {"region": "eu" if number % 10 == 0 else "us"}
    return StoredCase(
        recording=recording, slices=slices, expected=int(number % 50 == 0), cluster=f"k{number % 40}", **fields
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cases = [case(number) for number in range(400)]
    cases += [case(number, again=1, repeat_of=f"c{number:04d}") for number in range(0, 400, 4)]
    words = dict.fromkeys(("name", "description", "licence", "source", "split"), "w")
    words |= {"service": "sagemaker", "operation": "InvokeEndpoint"}
    write(tmp_path / "whole", cases, created_at=datetime(2026, 11, 1, tzinfo=UTC), **words)
    return tmp_path / "whole"


def parity(*words: object) -> int:
    return cli.main(["golden", *map(str, words)])


def test_a_case_is_shown_with_every_key(folder: Path, capsys):
    assert parity("show", folder, "--case", "c0000-1", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {
        "case": "c0000-1",
        "from": {"format": None, "path": None, "index": None, "line": None, "request_id": None},
        "service": "sagemaker",
        "operation": "InvokeEndpoint",
        "model": None,
        "region": None,
        "captured_at": None,
        "duplicate_of": None,
        "repeat_of": "c0000",
        "flags": [],
        "redacted": False,
        "request": {
            "task": "tabular",
            "payload": {"columns": None, "rows": [["0", ""]]},
            "params": {"content_type": "text/csv"},
        },
        "outcome": {
            "kind": "scores",
            "columns": ["0"],
            "values": [[0.1]],
            "tokens": {"input": None, "output": None, "cache_read": None, "cache_write": None},
            "latency_ms": None,
        },
    }


def test_cases_are_shown_in_stored_order(folder: Path, capsys):
    assert parity("show", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 500
    assert lines[400] == "c0000-1  sagemaker InvokeEndpoint  -  scores  repeat of c0000"


def test_a_case_that_is_not_there_is_named(folder: Path, capsys):
    assert parity("show", folder, "--case", "nobody") == 2
    assert 'no case "nobody"' in capsys.readouterr().err


def test_stats_count_everything(folder: Path, capsys):
    assert parity("stats", folder, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["cases"], told["primaries"], told["repeats"], told["labelled"]) == (500, 400, 100, 500)
    assert told["slices"] == {"region=us": 440, "region=eu": 60}
    assert told["clusters"] == {"count": 40, "largest": 20}
    assert told["outcomes"] == {"scores": 500}
    assert parity("stats", folder) == 0
    assert "500 cases, 400 replayed, 100 repeats" in capsys.readouterr().out


def test_a_sample_keeps_the_proportions_and_says_what_it_left_out(folder: Path, tmp_path: Path, capsys):
    assert parity("sample", folder, "--cases", 50, "--into", tmp_path / "s", "--seed", 3) == 0
    with GoldenSet.open(tmp_path / "s") as golden:
        drawn = [golden.recording(int(index)) for index in golden.primaries]
        assert Counter(one.slices["region"] for one in drawn) == {"us": 45, "eu": 5}
        assert not any(one.slices_only for one in golden)
        (gap,) = (gap for gap in golden.manifest.gaps if gap.kind == "left_out")
        assert gap.count == 500 - len(golden)
        assert golden.manifest.sampled
    assert "50 cases in the proportions of 400, 350 left out" in capsys.readouterr().out


def test_the_same_seed_draws_the_same_and_another_another(folder: Path, tmp_path: Path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert parity("sample", folder, "--cases", 50, "--into", tmp_path / name / "s", "--seed", seed) == 0
    files = [(tmp_path / name / "s" / "cases.jsonl").read_bytes() for name in "abc"]
    assert files[0] == files[1] != files[2]


def test_what_is_drawn_above_its_share_is_for_slices_only(folder: Path, tmp_path: Path):
    words = ["--over", "region=eu:20", "--rare", 6, "--nulls", 10]
    assert parity("sample", folder, "--cases", 50, "--into", tmp_path / "s", *words) == 0
    with GoldenSet.open(tmp_path / "s") as golden:
        drawn = [golden.recording(int(index)) for index in golden.primaries]
        share = [one for one in drawn if not one.slices_only]
        assert len(share) == 50
        assert Counter(one.slices["region"] for one in share) == {"us": 45, "eu": 5}
        assert sum(one.slices["region"] == "eu" for one in drawn) >= 20
        assert sum(one.expected == 1 for one in drawn) >= 6
        assert sum(one.recording.request_body.endswith(b",") for one in drawn) >= 10
        assert {"label", "nulls"} & set().union(*(one.slices for one in drawn if one.slices_only))


def test_a_split_keeps_clusters_whole_and_loses_nothing(folder: Path, tmp_path: Path):
    assert parity("split", folder, "--share", 0.5, "--into", tmp_path / "a", "--rest", tmp_path / "b") == 0
    with GoldenSet.open(tmp_path / "a") as first, GoldenSet.open(tmp_path / "b") as second:
        halves = [{one.cluster for one in golden} for golden in (first, second)]
        assert not halves[0] & halves[1]
        assert len(first) + len(second) == 500
        assert len(first) > 50 < len(second)


def test_a_merge_links_what_two_sets_share(folder: Path, tmp_path: Path, capsys):
    assert parity("split", folder, "--share", 0.5, "--into", tmp_path / "a", "--rest", tmp_path / "b") == 0
    assert parity("merge", tmp_path / "a", tmp_path / "b", folder, "--into", tmp_path / "m") == 0
    with GoldenSet.open(tmp_path / "m") as merged:
        assert len(merged) == 500
        assert len(merged.primaries) == 400
    capsys.readouterr()
    assert parity("diff", folder, tmp_path / "m", "--json") == 0
    assert json.loads(capsys.readouterr().out)["same"]


def test_a_difference_names_the_cases(folder: Path, tmp_path: Path, capsys):
    assert parity("sample", folder, "--cases", 399, "--into", tmp_path / "s") == 0
    capsys.readouterr()
    assert parity("diff", folder, tmp_path / "s") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("removed   c0")
    assert out[-1] == "1 removed, 0 added, 0 changed, 399 same"


def test_verify_proves_and_refuses(folder: Path, capsys):
    assert parity("verify", folder) == 0
    content = (folder / "cases.jsonl").read_bytes()
    (folder / "cases.jsonl").write_bytes(content.replace(b'"body":"7,7"', b'"body":"7,8"'))
    assert parity("verify", folder) == 2
    assert "line 8: the line was altered" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sample", "SET", "--cases", "0", "--into", "x"], "--cases is at least 1"),
        (["sample", "SET", "--cases", "5", "--into", "x", "--over", "region:5"], "--over is written region=eu:30"),
        (["split", "SET", "--share", "1.5", "--into", "x", "--rest", "y"], "--share lies between 0 and 1"),
        (["sample", "SET", "--cases", "5", "--into", "x", *("--over", "a=b:5") * 2], "--over says twice"),
        (
            ["sample", "SET", "--cases", "5", "--into", "x", "--over", "region=mars:5"],
            "no case lies in slice region=mars",
        ),
        (["split", "SET", "--share", "1e-9", "--into", "x", "--rest", "y"], "no cluster would be in it"),
        (["verify", __file__], "there is no manifest"),
        (["verify", "nowhere"], "there is no manifest"),
    ],
)
def test_what_cannot_be_meant_is_named(folder: Path, words: list[str], message: str, capsys):
    assert parity(*[str(folder) if word == "SET" else word for word in words]) == 2
    assert message in capsys.readouterr().err


SET_KEYS = {"golden", "cases", "primaries", "repeats", "duplicates", "sha256"}


def told(capsys, *words: object) -> dict:
    """The one document on standard output."""
    capsys.readouterr()
    assert parity(*words, "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_what_is_made_is_told_as_json(folder: Path, tmp_path: Path, capsys):
    a, b, s, m = (tmp_path / name for name in "absm")
    (whole,) = told(capsys, "verify", folder)["sets"]
    assert whole == {
        "golden": str(folder),
        "cases": 500,
        "primaries": 400,
        "repeats": 100,
        "duplicates": 0,
        "sha256": hashlib.sha256((folder / "cases.jsonl").read_bytes()).hexdigest(),
    }
    made = told(capsys, "split", folder, "--share", 0.5, "--into", a, "--rest", b)["sets"]
    assert [one["golden"] for one in made] == [str(a), str(b)]
    assert sum(one["cases"] for one in made) == 500
    assert told(capsys, "verify", a, b)["sets"] == made
    drawn = told(capsys, "sample", folder, "--cases", 50, "--into", s, "--over", "region=eu:90")
    assert drawn.keys() == SET_KEYS | {"drawn", "of", "left_out", "more", "short"}
    assert (drawn["drawn"], drawn["of"], drawn["more"], drawn["short"]) == (
        50,
        400,
        {"region=eu": 35},
        {"region=eu": 40},
    )
    assert drawn["left_out"] == 400 - 50 - 35
    merged = told(capsys, "merge", a, b, "--into", m)
    assert merged.keys() == SET_KEYS
    assert (merged["cases"], merged["repeats"]) == (500, 100)


def test_stats_and_differences_have_the_keys_that_are_documented(folder: Path, capsys):
    assert list(told(capsys, "stats", folder)) == [
        *("name", "sha256", "cases", "primaries", "repeats", "duplicates", "slices_only", "labelled"),
        *("operations", "models", "outcomes", "slices", "flags", "clusters", "latency_ms", "tokens", "captured"),
        *("sampled", "truncated", "redaction", "gaps"),
    ]
    found = told(capsys, "diff", folder, folder)
    counts = {"removed": 0, "added": 0, "changed": 0, "same": 400}
    assert found == {"same": True, "counts": counts, "cases": {"removed": [], "added": [], "changed": []}}


@pytest.mark.parametrize(("made_up", "code"), [(True, 0), (False, 1)])
def test_an_id_that_an_import_made_is_no_account_number(tmp_path: Path, made_up: bool, code: int, capsys):
    """A hash of 16 digits that also passes as a Belgian IBAN (ISO 13616); told of where it is no hash of the place."""

    def name(index: int) -> str:
        return f"csv-{hashlib.sha256(b'log.csv' + bytes(1) + str(index).encode()).hexdigest()[:16]}"

    found = (index for index in range(100_000) if scrubbed(name(index)))
    index = next(found)
    provenance = Provenance(
        captured_at=None, captured_from="", origin=Origin(format="csv", path="log.csv", index=index + (not made_up))
    )
    recording = Recording(id=name(index), service="w", operation="w", request_body=b"x", provenance=provenance)
    words = dict.fromkeys(("name", "description", "licence", "source", "split", "service", "operation"), "w")
    write(tmp_path / "s", [StoredCase(recording=recording)], created_at=datetime(2026, 11, 1, tzinfo=UTC), **words)
    assert parity("scan", tmp_path / "s", "--json") == code
    assert [one["kind"] for one in json.loads(capsys.readouterr().out)] == ["iban", "iban"][: 2 * code]


def scrubbed(text: str) -> bool:
    return scrub(text, lambda kind, _: kind, off=frozenset()) != text
