"""Sets made of sets: shares that follow the traffic, clusters that stay together, and nothing written over."""

from __future__ import annotations

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


def opened(folder: Path, cases: list[StoredCase]) -> GoldenSet:
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
        split(golden, folder / "a", folder / "b", share=share, seed=seed)
    with GoldenSet.open(folder / "a") as first, GoldenSet.open(folder / "b") as rest:
        assert not {one.cluster for one in first} & {one.cluster for one in rest}
        assert sorted(one.id for one in (*first, *rest)) == sorted(one.id for one in cases)


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
