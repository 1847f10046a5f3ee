"""What two golden sets share: counted as often as it is asked, and the same from both sides."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.case import Provenance, Recording
from harness.errors import GoldenError
from harness.recordings.lines import StoredCase
from harness.recordings.store import GoldenSet, write
from harness.run.golden_merge import merge
from harness.run.golden_stats import difference, stats
from harness.run.outcomes import answer_key, request_key

WORDS = {
    **dict.fromkeys(("name", "description", "licence", "source", "split"), "w"),
    "service": "sagemaker",
    "operation": "InvokeEndpoint",
    "created_at": datetime(2026, 11, 1, tzinfo=UTC),
}
CALLS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=14)


def opened(folder: Path, calls: list[tuple[int, int]], *, prefix: str = "c") -> GoldenSet:
    """A set of primary cases, unlinked although requests recur. calls: (request, answer)."""
    cases = [
        StoredCase(
            recording=Recording(
                id=f"{prefix}-{at}",
                service="sagemaker",
                operation="InvokeEndpoint",
                request_headers={"content-type": "text/csv"},
                request_body=f"{request},1".encode(),
                status=200,
                response_headers={"content-type": "text/csv"},
                response_body=f"0.{answer}".encode(),
                provenance=Provenance(captured_at=None, captured_from="test"),
            ),
            cluster=f"k{request}",
        )
        for at, (request, answer) in enumerate(calls)
    ]
    write(folder, cases, **WORDS)
    return GoldenSet.open(folder)


@settings(max_examples=60, deadline=None)
@given(CALLS, CALLS)
def test_a_difference_counts_calls_and_is_symmetric(tmp_path_factory, before, after):
    folder = tmp_path_factory.mktemp("diff")
    with opened(folder / "a", before) as first, opened(folder / "b", after) as second:
        there, back = difference(first, second), difference(second, first)
    counts = there["counts"]
    assert counts["same"] == (Counter(before) & Counter(after)).total()
    assert counts["same"] + counts["changed"] + counts["removed"] == len(before)
    assert counts["same"] + counts["changed"] + counts["added"] == len(after)
    asked = [Counter(request for request, _ in calls) for calls in (before, after)]
    assert counts["removed"] == (asked[0] - asked[1]).total()
    assert back["counts"] == {**counts, "removed": counts["added"], "added": counts["removed"]}
    assert (back["cases"]["removed"], back["cases"]["added"]) == (there["cases"]["added"], there["cases"]["removed"])
    assert there["same"] == back["same"] == (Counter(before) == Counter(after))


@settings(max_examples=40, deadline=None)
@given(CALLS.filter(bool), CALLS.filter(bool), st.booleans())
def test_a_merge_has_every_case_once_and_links_it_to_the_first_with_its_request(tmp_path_factory, one, two, overlap):
    folder = tmp_path_factory.mktemp("merge")
    more = one + two if overlap else two
    with (
        opened(folder / "a", one) as first,
        opened(folder / "b", more, prefix="c" if overlap else "d") as second,
    ):
        made = merge([first, second], folder / "m")
        ids = list(dict.fromkeys(case.id for case in (*first, *second)))
    with GoldenSet.open(folder / "m") as merged:
        assert [case.id for case in merged] == ids
        requests, answers = {}, {}
        for case in merged:
            request = request_key(case.recording)
            answer = answer_key(case.recording, request)
            if answer in answers:
                assert (case.duplicate_of, case.repeat_of) == (answers[answer], None)
            else:
                assert (case.duplicate_of, case.repeat_of) == (None, requests.get(request))
            requests.setdefault(request, case.id)
            answers.setdefault(answer, case.id)
        assert len(merged.primaries) == len(requests) == made.primaries
        assert stats(merged)["clusters"] == {
            "count": len({case.cluster for case in merged}),
            "largest": max(Counter(case.cluster for case in merged).values()),
        }


def test_a_case_of_several_sets_is_written_once_and_another_of_its_id_is_refused(tmp_path):
    with (
        opened(tmp_path / "a", [(0, 0), (1, 0)]) as first,
        opened(tmp_path / "b", [(0, 0), (1, 0), (2, 0)]) as second,
        opened(tmp_path / "c", [(0, 0), (1, 0), (2, 1)]) as other,
    ):
        assert merge([first, second, first], tmp_path / "m").cases == 3
        with pytest.raises(GoldenError, match=r'c: case "c-2" is another one in .*b'):
            merge([first, second, other], tmp_path / "n")
    assert not list((tmp_path / "n").iterdir())
