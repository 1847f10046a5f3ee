"""Golden sets come back as they were written, or not at all."""

import json
import random
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.case import Origin, Provenance, Recording
from harness.errors import GoldenError
from harness.recordings import scan
from harness.recordings.gaps import KINDS, Gap
from harness.recordings.lines import StoredCase, decode, encode
from harness.recordings.manifest import Imported
from harness.recordings.store import GoldenSet, write
from harness.recordings.writer import Writer

WORDS = {
    "name": "t",
    "description": "for tests",
    "service": "sagemaker",
    "operation": "InvokeEndpoint",
    "licence": "public domain",
    "source": "made up",
    "split": "none",
    "created_at": datetime(2024, 5, 1, tzinfo=UTC),
}


def case(name: str, body: bytes = b"1,2,3", **fields: object) -> StoredCase:
    recording = Recording(
        id=name,
        service="sagemaker",
        operation="InvokeEndpoint",
        request_headers={"content-type": "text/csv"},
        request_body=body,
        provenance=Provenance(captured_at=None, captured_from="test"),
    )
    return StoredCase(recording=recording, **fields)


def many(n: int) -> Iterator[StoredCase]:
    return (case(f"c-{index:06d}", f"{index},2.5,3".encode(), slices={"half": str(index % 2)}) for index in range(n))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "t", many(20), **WORDS)
    return tmp_path / "t"


texts = st.text(max_size=12)
names = st.text(min_size=1, max_size=12)
counts = st.integers(0, 2**40)
times = st.none() | st.datetimes(timezones=st.just(UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
recordings = st.builds(
    Recording,
    id=names,
    service=st.sampled_from(["sagemaker", "bedrock"]),
    operation=st.sampled_from(["InvokeEndpoint", "Converse"]),
    model=st.none() | texts,
    region=st.none() | texts,
    url=st.none() | texts,
    request_headers=st.dictionaries(texts, texts, max_size=3),
    request_body=st.binary(max_size=40) | texts.map(str.encode),
    status=st.none() | st.integers(100, 599),
    response_headers=st.dictionaries(texts, texts, max_size=3),
    response_body=st.none() | st.binary(max_size=40),
    latency_s=st.none() | st.floats(0, 1e6),
    request_id=st.none() | texts,
    tokens=st.dictionaries(texts, counts, max_size=3),
    provenance=st.builds(
        Provenance,
        captured_at=times,
        captured_from=texts,
        origin=st.none()
        | st.builds(Origin, format=names, path=texts, index=counts, line=st.none() | st.integers(1, 2**40)),
        flags=st.lists(texts, max_size=2).map(tuple),
        redaction=st.none() | texts,
        redacted=st.booleans(),
        sha256=texts,
    ),
)
links = st.one_of(
    st.just({}), *(st.builds(lambda name, key=key: {key: name}, names) for key in ("repeat_of", "duplicate_of"))
)
stored = st.builds(
    lambda link, **words: StoredCase(**words, **link),
    links,
    recording=recordings,
    cluster=texts,
    slices=st.dictionaries(texts, texts, max_size=3),
    slices_only=st.booleans(),
    expected=json_values,
)


@given(stored)
def test_every_case_comes_back_as_it_was(one):
    line = encode(one, service="sagemaker", operation="InvokeEndpoint")
    assert line.count(b"\n") == 1
    assert decode(line, place="t", service="sagemaker", operation="InvokeEndpoint") == one


@settings(max_examples=25)
@given(bodies=st.lists(st.binary(max_size=60), max_size=8))
def test_bodies_keep_every_byte_through_a_file(tmp_path_factory, bodies):
    folder = tmp_path_factory.mktemp("golden")
    write(folder, (case(f"c{index}", body) for index, body in enumerate(bodies)), **WORDS)
    with GoldenSet.open(folder) as golden:
        assert [one.recording.request_body for one in golden] == bodies


def test_what_is_said_of_a_set_comes_back(tmp_path):
    captured = (datetime(2024, 4, 1, tzinfo=UTC), datetime(2024, 4, 30, 12, tzinfo=UTC))
    said = write(tmp_path, many(3), **WORDS, redaction=("email",), sampled=True, truncated=True, captured=captured)
    with GoldenSet.open(tmp_path) as golden:
        assert golden.manifest == said
        assert (len(golden), golden.name, golden.sha256) == (3, "t", said.sha256)
        assert (said.redaction, said.captured) == (("email",), captured)


def test_the_same_cases_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, many(50), **WORDS)
    for file in ("cases.jsonl", "manifest.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_text_stays_readable_in_the_file(tmp_path):
    write(tmp_path, [case("c", "4.6,Zürich".encode(), expected=1)], **WORDS)
    assert (
        (tmp_path / "cases.jsonl")
        .read_text(encoding="utf-8")
        .startswith('{"id":"c","request":{"headers":{"content-type":"text/csv"},"body":"4.6,Zürich"},"expected":1,')
    )


def test_a_case_without_a_cluster_is_its_own():
    assert case("c-1").cluster == "c-1"
    assert case("c-1", cluster="customer-9").cluster == "customer-9"


def test_an_empty_set_can_be_opened(tmp_path):
    """Empty input is the gate's to refuse: it says INCONCLUSIVE, which a missing file is not."""
    write(tmp_path, [], **WORDS)
    with GoldenSet.open(tmp_path) as golden:
        assert len(golden) == 0


def test_a_set_of_one_schema_is_written_as_ever_and_a_newer_word_needs_the_second(tmp_path):
    """A harness of before reads the first; it would refuse the second by name rather than overlook a gap."""
    write(tmp_path / "old", many(2), **WORDS)
    write(tmp_path / "new", many(2), **WORDS, gaps=(Gap(kind="time_gap", count=2, note="two nights"),))
    said = [json.loads((tmp_path / name / "manifest.json").read_bytes()) for name in ("old", "new")]
    assert [one["schema"] for one in said] == ["golden/1", "golden/2"]
    assert set(said[1]) - set(said[0]) == {"gaps"}


@settings(max_examples=25)
@given(
    st.lists(st.builds(Gap, kind=st.sampled_from(sorted(KINDS)), count=st.integers(1, 2**40), note=texts)).map(tuple),
    st.none() | st.builds(Imported, format=names, records=counts, skipped=st.dictionaries(texts, counts, max_size=2)),
    st.booleans(),
)
def test_what_an_import_found_comes_back(tmp_path_factory, gaps, imported, zstd):
    folder = tmp_path_factory.mktemp("golden")
    words = {key: word for key, word in WORDS.items() if key not in ("service", "operation")}
    with Writer(folder, service="s", operation="o") as writer:
        writer.add(case("c"))
        said = writer.finish({**words, "gaps": gaps, "imported": imported}, zstd=zstd)
    with GoldenSet.open(folder) as golden:
        assert golden.manifest == said
        assert (said.gaps, said.imported) == (gaps, imported)


# Several cases with one request


def call(name: str, request_id: str | None = None, **link: str) -> StoredCase:
    one = case(name, **link)
    return replace(one, recording=replace(one.recording, request_id=request_id))


def test_the_first_case_of_a_request_is_replayed_and_its_repeats_are_found(tmp_path):
    cases = [
        call("a", "1"),
        call("b", "2"),
        call("a again, otherwise", "3", repeat_of="a"),
        call("as before", "4", duplicate_of="a again, otherwise"),
        call("a, logged twice", "1", duplicate_of="a"),
        call("a, the same answer", "5", duplicate_of="a"),
        call("a, unnamed", None, duplicate_of="a"),
    ]
    made = write(tmp_path, cases, **WORDS)
    with GoldenSet.open(tmp_path) as golden:
        assert golden.primaries.tolist() == [0, 1]
        assert golden.repeats(0) == (2, 3, 5, 6)
        assert golden.repeats(1) == ()
    assert (made.cases, made.primaries, made.repeats, made.duplicates) == (7, 2, 1, 4)


@pytest.mark.parametrize("link", [{"repeat_of": "c"}, {"duplicate_of": "b"}, {"repeat_of": "nobody"}])
def test_a_link_names_an_earlier_case(tmp_path, link):
    with pytest.raises(GoldenError, match="line 2: repeat_of or duplicate_of names no earlier case"):
        write(tmp_path, [case("a"), case("b", **link), case("c")], **WORDS)


def test_a_case_is_a_repeat_or_a_duplicate():
    with pytest.raises(ValueError, match="a repeat of one case and a duplicate of another"):
        case("a", repeat_of="b", duplicate_of="c")


def test_a_manifest_that_hides_repeats_is_refused(tmp_path):
    write(tmp_path, [case("a"), case("b", repeat_of="a")], **WORDS)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"repeats": 0}))
    assert "says 0 repeats and 0 duplicates, where the cases say 1 and 0" in refused(tmp_path)


# Compressed


def test_a_compressed_set_holds_the_same_cases(tmp_path):
    write(tmp_path / "plain", many(500), **WORDS)
    made = write(tmp_path / "packed", many(500), **WORDS, zstd=True)
    assert sorted(path.name for path in (tmp_path / "packed").iterdir()) == ["cases.jsonl.zst", "manifest.json"]
    with GoldenSet.open(tmp_path / "plain") as plain, GoldenSet.open(tmp_path / "packed") as golden:
        assert golden.sha256 == plain.sha256
        assert list(golden) == list(plain)
    assert made.unpacked_bytes == (tmp_path / "plain" / "cases.jsonl").stat().st_size


def test_a_set_is_compressed_or_not_and_never_both(tmp_path):
    for zstd in (False, True, False):
        write(tmp_path, many(3), **WORDS, zstd=zstd)
        assert len(list(tmp_path.iterdir())) == 2
        with GoldenSet.open(tmp_path) as golden:
            assert len(golden) == 3


def test_no_more_is_unpacked_than_was_said(tmp_path):
    """A megabyte of nothing in a few bytes: the size that the manifest says, and its share of the file's, both hold."""
    write(tmp_path, many(50), **WORDS, zstd=True)
    path = tmp_path / "cases.jsonl.zst"
    path.write_bytes(zstandard.compress(bytes(64 << 20)))
    assert "altered: not the" in refused(tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_bytes()) | {"unpacked_bytes": 64 << 20}))
    assert "more than 1000 times its size" in refused(tmp_path)
    path.write_bytes(b"no frame")
    assert "more than 1000 times its size" in refused(tmp_path)


def test_a_file_that_is_not_compressed_is_named(tmp_path):
    write(tmp_path, many(50), **WORDS, zstd=True)
    path = tmp_path / "cases.jsonl.zst"
    path.write_bytes(bytes(path.stat().st_size))
    assert "cases.jsonl.zst: cannot be unpacked" in refused(tmp_path)


def test_a_set_that_would_be_refused_is_not_written(tmp_path):
    with pytest.raises(GoldenError, match="Store them without compression"):
        write(tmp_path, [case("a", b"0" * (8 << 20))], **WORDS, zstd=True)
    assert list(tmp_path.iterdir()) == []


def test_a_line_longer_than_a_case_can_be_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "LONGEST_LINE", 500)
    with pytest.raises(GoldenError, match="line 1: longer than 500 bytes"):
        write(tmp_path, [case("a", b"0" * 600)], **WORDS)


# Damage


def refused(folder: Path) -> str:
    with pytest.raises(GoldenError) as caught:
        GoldenSet.open(folder)
    return str(caught.value)


def test_a_flipped_bit_anywhere_is_found_and_its_line_named(folder):
    path = folder / "cases.jsonl"
    good = path.read_bytes()
    rng = random.Random(1)
    for position in rng.sample(range(len(good)), 150):
        bad = bytearray(good)
        bad[position] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        line = good.count(b"\n", 0, position) + 1
        assert f"cases.jsonl, line {line}: " in refused(folder)


def test_a_torn_last_line_is_named(folder):
    path = folder / "cases.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    assert "cases.jsonl, line 20: the line is torn" in refused(folder)


def test_only_the_last_line_feed_missing_is_a_torn_line(folder):
    path = folder / "cases.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert "line 20: the line is torn" in refused(folder)


def test_lines_removed_added_or_reordered_are_an_altered_set(folder):
    path = folder / "cases.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    new = encode(case("new"), service="sagemaker", operation="InvokeEndpoint")
    for altered in (lines[:-1], [*lines, new], lines[::-1], []):
        path.write_bytes(b"".join(altered))
        assert "lines were added, removed, reordered or exchanged" in refused(folder)


def test_every_single_byte_that_is_another_is_found(tmp_path):
    """Also where the byte is a line feed or becomes one; the compressed file is proved by what comes out of it."""
    path = tmp_path / "t" / "cases.jsonl"
    write(tmp_path / "t", many(2), **WORDS)
    good = path.read_bytes()
    for position in range(len(good)):
        for other in {good[position] ^ 1, ord("\n"), ord('"')} - {good[position]}:
            path.write_bytes(good[:position] + bytes([other]) + good[position + 1 :])
            assert "cases.jsonl, line " in refused(tmp_path / "t")


@pytest.mark.parametrize("zstd", [False, True])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_line_removed_added_or_moved_is_found(tmp_path_factory, zstd, data):
    """In a set that is read in several pieces."""
    folder = tmp_path_factory.mktemp("lines")
    cases = [case(f"c-{at}", b"x" * (9_000 if at % 3 else 70_000)) for at in range(12)]
    write(folder, cases, **WORDS, zstd=zstd)
    path = folder / ("cases.jsonl.zst" if zstd else "cases.jsonl")
    good = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read() if zstd else path.read_bytes()
    lines = good.splitlines(keepends=True)
    places = st.integers(0, len(lines) - 1)
    at, to = data.draw(places), data.draw(places)
    change = data.draw(st.sampled_from(["removed", "twice", "moved", "exchanged", "added", "empty"]))
    if change in ("removed", "moved"):
        line = lines.pop(at)
    if change == "moved":
        lines.insert(to, line)
    if change == "twice":
        lines.insert(to, lines[at])
    if change == "exchanged":
        lines[at], lines[to] = lines[to], lines[at]
    if change == "added":
        lines.insert(at, encode(case("new"), service="sagemaker", operation="InvokeEndpoint"))
    if change == "empty":
        lines.insert(at, b"\n")
    altered = b"".join(lines)
    path.write_bytes(zstandard.ZstdCompressor().compress(altered) if zstd else altered)
    if altered == good:
        GoldenSet.open(folder).close()
    else:
        refused(folder)


def test_carriage_returns_of_a_checkout_are_named(folder):
    path = folder / "cases.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert "line 1: the line does not end in its crc32" in refused(folder)


def test_an_id_that_is_there_twice_is_named_with_both_lines(tmp_path):
    with pytest.raises(GoldenError, match=r'line 3: case "a" is on line 1 already'):
        write(tmp_path, [case("a"), case("b"), case("a", b"other")], **WORDS)


def test_missing_parts_are_named(folder):
    (folder / "cases.jsonl").unlink()
    assert "cases.jsonl: cannot be read: No such file" in refused(folder)
    assert "manifest.json: there is no manifest" in refused(folder / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "golden/3"}, 'unknown schema "golden/3". Known: golden/1, golden/2'),
        ({"licenze": "x"}, 'unknown key "licenze"'),
        ({"licence": ""}, 'key "licence" must not be empty'),
        ({"cases": 19}, "20 cases with sha256"),
        ({"cases": True}, 'key "cases" must be a whole number'),
        ({"sha256": "0" * 64}, "lines were added"),
        ({"sha256": "zz"}, 'key "sha256" must be 64 hex digits'),
        ({"created_at": "2024-05-01"}, 'key "created_at" must be a time in UTC'),
        ({"created_at": "2024-05-01T25:00:00Z"}, "hour must be in 0..23"),
        ({"captured": {"from": "2024-05-01T00:00:00Z"}}, 'key "to" is missing'),
        ({"redaction": "email"}, 'key "redaction" must be a list'),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder, change, message):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    assert message in refused(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '"golden"', "{}", "\xff"])
def test_a_manifest_that_is_none_is_refused(folder, text):
    (folder / "manifest.json").write_bytes(text.encode("latin-1"))
    assert "manifest.json" in refused(folder)


def sealed(text: str) -> bytes:
    """A line as another program might write it, with its crc32 right."""
    import zlib

    return text[:-1].encode() + b',"crc32":"%08x"}\n' % zlib.crc32(text[:-1].encode())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id":"a","request":{},"provenance":{"captured_from":"x"},"slice":{}}', 'Did you mean "slices"'),
        ('{"id":"","request":{},"provenance":{"captured_from":"x"}}', 'key "id" must not be empty'),
        ('{"id":7,"request":{},"provenance":{"captured_from":"x"}}', 'key "id" must be text'),
        ('{"id":"a","provenance":{"captured_from":"x"}}', 'key "request" is missing'),
        ('{"id":"a","request":{"body":"x","body_base64":"eA=="},"provenance":{"captured_from":"x"}}', "either body or"),
        ('{"id":"a","request":{"body_base64":"e"},"provenance":{"captured_from":"x"}}', "cannot be read"),
        ('{"id":"a","request":{"body":"\\ud800"},"provenance":{"captured_from":"x"}}', "surrogates not allowed"),
        ('{"id":"a","request":{},"provenance":{"captured_from":"x"},"expected":NaN}', "NaN is not JSON"),
        ('{"id":"a","request":{},"provenance":{"captured_from":"x","captured_at":"2024-05-01"}}', "without an offset"),
        ('{"id":"a","request":{},"slices":{"n":1},"provenance":{"captured_from":"x"}}', 'key "n" must be text'),
        ('{"id":"a" "request"}', "cannot be read"),
    ],
)
def test_a_whole_line_that_says_nonsense_is_named(text, message):
    with pytest.raises(GoldenError, match=r"f\.jsonl, line 9") as caught:
        decode(sealed(text), place="f.jsonl, line 9", service="s", operation="o")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "one",
    [
        case("nan", expected=float("nan")),
        case("half", expected="\ud800"),
        case("object", expected=object()),
        case("number", slices={"n": 1}),
        StoredCase(
            recording=Recording(
                id="naive",
                service="s",
                operation="o",
                provenance=Provenance(
                    captured_at=datetime(2024, 5, 1, tzinfo=timezone(timedelta(hours=2))), captured_from=""
                ),
            )
        ),
    ],
    ids=lambda one: one.id,
)
def test_a_case_that_cannot_be_stored_is_named(one):
    with pytest.raises(GoldenError, match=f'case "{one.id}" cannot be stored'):
        encode(one, service="sagemaker", operation="InvokeEndpoint")


def test_a_writer_that_fails_leaves_the_older_set_and_nothing_else(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def broken() -> Iterator[StoredCase]:
        yield case("new")
        raise OSError("the log ended early")

    with pytest.raises(OSError, match="ended early"):
        write(folder, broken(), **WORDS)
    with pytest.raises(GoldenError, match='"name" must not be empty'):
        write(folder, [case("new")], **(WORDS | {"name": ""}))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


# Reading while others do


def test_threads_read_any_case_at_any_time(tmp_path):
    write(tmp_path, many(2000), **WORDS)
    with GoldenSet.open(tmp_path) as golden:
        start = threading.Barrier(8)

        def read(seed: int) -> bool:
            start.wait()
            indices = random.Random(seed).choices(range(2000), k=600)
            return all(golden.recording(index).recording.request_body == f"{index},2.5,3".encode() for index in indices)

        switch = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                assert all(pool.map(read, range(8)))
        finally:
            sys.setswitchinterval(switch)


def test_a_line_edited_after_opening_is_not_replayed(folder):
    with GoldenSet.open(folder) as golden, (folder / "cases.jsonl").open("r+b") as stream:
        start = stream.read().index(b'"body":"7,')
        stream.seek(start + len(b'"body":"'))
        stream.write(b"8")
        stream.flush()
        with pytest.raises(GoldenError, match="line 8: the line was altered"):
            golden.recording(7)
        assert golden.recording(8).id == "c-000008"


def test_a_set_written_anew_does_not_disturb_one_that_is_open(folder):
    with GoldenSet.open(folder) as golden:
        write(folder, [case("new")], **WORDS)
        assert golden.recording(19).id == "c-000019"
        assert len(golden) == 20


def test_a_case_that_does_not_exist_is_an_index_error(folder):
    with GoldenSet.open(folder) as golden:
        for index in (20, -1):
            with pytest.raises(IndexError, match=f"no case {index} of 20"):
                golden.recording(index)


def test_a_closed_set_says_so(folder):
    golden = GoldenSet.open(folder)
    golden.close()
    golden.close()
    with pytest.raises(GoldenError, match="was closed"):
        golden.recording(0)


def test_an_open_set_takes_memory_by_the_line_not_by_the_case(tmp_path):
    """20,000 cases in a file of over 3 MB: 160 kB of places stay, and opening needs well under the file's size."""
    write(tmp_path, many(20_000), **WORDS)
    size = (tmp_path / "cases.jsonl").stat().st_size
    tracemalloc.start()
    try:
        with GoldenSet.open(tmp_path):
            kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 3_000_000
    assert kept < 400_000
    assert peak < 2_000_000
