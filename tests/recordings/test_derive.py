"""Sets made of sets: shares that follow the traffic, clusters that stay together, and nothing written over."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.case import Provenance, Recording
from harness.errors import GoldenError
from harness.recordings import gaps
from harness.recordings.derive import Wanted, sample, split
from harness.recordings.gaps import Gap
from harness.recordings.lines import StoredCase
from harness.recordings.store import GoldenSet, write

QUIET = settings(max_examples=25, deadline=None)


def case(name: str, **fields: object) -> StoredCase:
    recording = Recording(
        id=name,
        service="sagemaker",
        operation="InvokeEndpoint",
        request_headers={"content-type": "text/csv"},
        request_body=name.encode(),
        provenance=Provenance(captured_at=None, captured_from="test"),
    )
    return StoredCase(recording=recording, **fields)


def opened(folder: Path, cases: list[StoredCase], **words: object) -> GoldenSet:
    write(
        folder,
        cases,
        name="t",
        description="for tests",
        service="sagemaker",
        operation="InvokeEndpoint",
        licence="public domain",
        source="made up",
        split="none",
        created_at=datetime(2024, 5, 1, tzinfo=UTC),
        **words,
    )
    return GoldenSet.open(folder)


def no_nulls(_: Recording) -> bool:
    return False


@QUIET
@given(clusters=st.lists(st.integers(0, 9), min_size=1, max_size=40), share=st.floats(0.05, 0.95), seed=st.integers())
def test_a_split_shares_no_cluster_and_loses_no_case(tmp_path_factory, clusters, share, seed):
    folder = tmp_path_factory.mktemp("split")
    cases = [case(f"c-{at}", cluster=f"k-{cluster}") for at, cluster in enumerate(clusters)]
    with opened(folder / "t", cases) as golden:
        try:
            split(golden, folder / "a", folder / "b", share=share, seed=seed)
        except GoldenError as exc:
            assert "no cluster would be in it" in str(exc)
            assert len(sides({one.cluster for one in cases}, share, seed)) == 1
            return
    with GoldenSet.open(folder / "a") as first, GoldenSet.open(folder / "b") as rest:
        assert not {one.cluster for one in first} & {one.cluster for one in rest}
        assert sorted(one.id for one in (*first, *rest)) == sorted(one.id for one in cases)
        assert {one.cluster for one in first} == {
            cluster for cluster in {one.cluster for one in cases} if sides({cluster}, share, seed) == {True}
        }


def sides(clusters: set[str], share: float, seed: int) -> set[bool]:
    """Which halves the clusters fall into, as the docs say it: SHA-256 of seed and name against the share."""
    names = (f"parity-split:{seed}:{cluster}".encode() for cluster in clusters)
    return {int.from_bytes(hashlib.sha256(name).digest()[:8], "big") < share * 2**64 for name in names}


def linked(draws: list[tuple[int, int, int]]) -> list[StoredCase]:
    """Cases from (request, answer, cluster), linked as an import links them."""
    made, requests, answers = [], {}, {}
    for at, (request, answer, cluster) in enumerate(draws):
        name = f"c-{at}"
        link = {}
        if (request, answer) in answers:
            link = {"duplicate_of": answers[request, answer]}
        elif request in requests:
            link = {"repeat_of": requests[request]}
        requests.setdefault(request, name)
        answers.setdefault((request, answer), name)
        slices = {"request": str(request), "answer": str(answer)}
        made.append(case(name, cluster=f"k-{cluster}", slices=slices, **link))
    return made


DRAWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 4)), min_size=2, max_size=40)


def check_links(golden: GoldenSet) -> None:
    """Each later case names the first of the set with its request and, where there is one, with its answer."""
    requests, answers = {}, {}
    for one in golden:
        request, answer = one.slices["request"], one.slices["answer"]
        if (request, answer) in answers:
            assert one.duplicate_of == answers[request, answer]
        elif request in requests:
            assert one.repeat_of == requests[request]
        else:
            assert one.primary
        requests.setdefault(request, one.id)
        answers.setdefault((request, answer), one.id)


@settings(max_examples=60, deadline=None)
@given(draws=DRAWS, seed=st.integers(0, 5))
def test_neither_a_cluster_nor_a_request_leaks_into_the_other_half(tmp_path_factory, draws, seed):
    folder = tmp_path_factory.mktemp("leak")
    cases = linked(draws)
    with opened(folder / "t", cases) as golden:
        try:
            made = split(golden, folder / "a", folder / "b", share=0.5, seed=seed)
        except GoldenError:
            return
        split(golden, folder / "c", folder / "d", share=0.5, seed=seed)
    assert (folder / "a/cases.jsonl").read_bytes() == (folder / "c/cases.jsonl").read_bytes()
    with GoldenSet.open(folder / "a") as first, GoldenSet.open(folder / "b") as rest:
        for key in (lambda one: one.cluster, lambda one: one.slices["request"]):
            assert not {key(one) for one in first} & {key(one) for one in rest}
        kept = {one.id for one in (*first, *rest)}
        assert len(kept) == len(first) + len(rest)
        assert {one.id for one in cases if one.primary} <= kept
        for golden, words in zip((first, rest), made, strict=True):
            check_links(golden)
            (left,) = [gap.count for gap in words.gaps if gap.kind == gaps.LEFT_OUT]
            assert left == len(cases) - len(golden)
            counted = {gap.kind: gap.count for gap in words.gaps}
            assert counted.get(gaps.REPEATS, 0) == sum(one.repeat_of is not None for one in golden)
            assert counted.get(gaps.DUPLICATES, 0) == sum(one.duplicate_of is not None for one in golden)


@settings(max_examples=60, deadline=None)
@given(draws=DRAWS, wanted=st.integers(1, 10), seed=st.integers(0, 5))
def test_a_sample_has_all_calls_of_the_requests_that_it_draws(tmp_path_factory, draws, wanted, seed):
    folder = tmp_path_factory.mktemp("calls")
    cases = linked(draws)
    with opened(folder / "t", cases) as golden:
        sample(golden, folder / "a", Wanted(cases=wanted, seed=seed), has_nulls=no_nulls)
    with GoldenSet.open(folder / "a") as made:
        requests = {one.slices["request"] for one in made}
        assert [one.id for one in made] == [one.id for one in cases if one.slices["request"] in requests]
        assert len(made.primaries) == min(wanted, sum(one.primary for one in cases))
        check_links(made)


def test_what_a_set_is_known_to_lack_is_counted_in_what_is_made_of_it(tmp_path):
    """A cut body stays counted where its case goes, and nowhere else; what was left out before stays left out."""
    cut = Provenance(captured_at=None, captured_from="test", flags=(gaps.TRUNCATED,))
    cases = [case(f"c-{at}") for at in range(20)]
    cases[3] = replace(cases[3], recording=replace(cases[3].recording, provenance=cut))
    known = (Gap(kind=gaps.TRUNCATED, count=1), Gap(kind=gaps.LEFT_OUT, count=7, note="by hand"))
    with opened(tmp_path / "t", cases, gaps=known) as golden:
        made = split(golden, tmp_path / "a", tmp_path / "b", share=0.5, seed=1)
    sizes = []
    for folder, words in zip("ab", made, strict=True):
        with GoldenSet.open(tmp_path / folder) as golden:
            counted = {gap.kind: gap.count for gap in words.gaps}
            assert (gaps.TRUNCATED in counted) == any(one.id == "c-3" for one in golden)
            assert counted[gaps.LEFT_OUT] == 27 - len(golden)
            sizes.append(len(golden))
    assert sum(sizes) == 20


@pytest.mark.parametrize(
    ("more", "message"),
    [({"over": {("s", "x"): 1}}, "no case lies in slice s=x"), ({"rare": 1}, "no case has a label")],
)
def test_more_of_what_is_not_there_is_refused(tmp_path, more, message):
    with opened(tmp_path / "t", [case("a", slices={"s": "y"})]) as golden, pytest.raises(GoldenError, match=message):
        sample(golden, tmp_path / "a", Wanted(cases=1, seed=0, **more), has_nulls=no_nulls)
    assert not (tmp_path / "a").exists()


def test_fewer_than_were_wanted_are_told(tmp_path):
    with opened(tmp_path / "t", [case(f"c-{at}", slices={"s": str(at % 5)}) for at in range(10)]) as golden:
        wanted = Wanted(cases=1, seed=0, over={("s", "2"): 4}, nulls=3)
        assert sample(golden, tmp_path / "a", wanted, has_nulls=no_nulls).short == {"s=2": 2, "nulls=yes": 0}


@QUIET
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), wanted=st.integers(1, 60), seed=st.integers())
def test_a_sample_keeps_each_slice_within_a_case_of_its_share(tmp_path_factory, sizes, wanted, seed):
    folder = tmp_path_factory.mktemp("sample")
    cases = [case(f"c-{at}-{n}", slices={"s": str(at)}) for at, size in enumerate(sizes) for n in range(size)]
    with opened(folder / "t", cases) as golden:
        drawn = sample(golden, folder / "a", Wanted(cases=wanted, seed=seed), has_nulls=no_nulls)
    with GoldenSet.open(folder / "a") as made:
        counts = Counter(one.slices["s"] for one in made)
    total = min(wanted, len(cases))
    assert (sum(counts.values()), drawn.left_out) == (total, len(cases) - total)
    assert all(abs(counts[str(at)] - total * size / len(cases)) < 1 for at, size in enumerate(sizes))


def test_what_is_drawn_besides_speaks_for_slices_only_and_is_counted(tmp_path):
    cases = [case(f"c-{at}", slices={"region": "eu" if at < 4 else "us"}) for at in range(100)]
    with opened(tmp_path / "t", cases) as golden:
        wanted = Wanted(cases=10, seed=1, over={("region", "eu"): 4})
        drawn = sample(golden, tmp_path / "a", wanted, has_nulls=no_nulls)
    with GoldenSet.open(tmp_path / "a") as made:
        marked = [one for one in made if one.slices_only]
        assert len(made) == 10 + len(marked)
        assert sum(one.slices["region"] == "eu" for one in made) == 4
        assert {one.slices["region"] for one in marked} == {"eu"}
        (left,) = [gap for gap in made.manifest.gaps if gap.kind == gaps.LEFT_OUT]
    assert left.count == drawn.left_out == 100 - len(marked) - 10


def test_repeats_go_where_the_first_of_them_goes(tmp_path):
    cases = [case("a"), replace(case("b"), repeat_of="a"), case("c"), replace(case("d"), duplicate_of="c")]
    with opened(tmp_path / "t", cases) as golden:
        sample(golden, tmp_path / "one", Wanted(cases=1, seed=3), has_nulls=no_nulls)
    with GoldenSet.open(tmp_path / "one") as made:
        assert [one.id for one in made] in (["a", "b"], ["c", "d"])


@pytest.mark.parametrize("into", ["t", "other"])
def test_no_set_is_written_over(tmp_path, into):
    opened(tmp_path / "other", [case("z")]).close()
    with opened(tmp_path / "t", [case("a"), case("b")]) as golden:
        with pytest.raises(GoldenError, match="none is written over"):
            sample(golden, tmp_path / into, Wanted(cases=1, seed=0), has_nulls=no_nulls)
        with pytest.raises(GoldenError, match="none is written over"):
            split(golden, tmp_path / "new", tmp_path / into, share=0.5, seed=0)
        with pytest.raises(GoldenError, match="one folder"):
            split(golden, tmp_path / "new", tmp_path / "new", share=0.5, seed=0)
    assert not (tmp_path / "new").exists()
    with GoldenSet.open(tmp_path / "t") as still:
        assert len(still) == 2
