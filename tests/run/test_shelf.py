"""Listed cases: the worst of each metric, in an order that the order of arrival does not change."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from harness.run import shelf as room
from harness.run.shelf import Shelf
from tests.reporters.sample import worst_case


def filled(found: list[tuple[str, float]], order: list[int]) -> Shelf:
    shelf = Shelf()
    for at in order:
        metric, badness = found[at]
        shelf.add(metric, badness, at, lambda at=at, metric=metric: worst_case(f"c-{at}", metric=metric))
    return shelf


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0.1, 0.2, 0.9])), max_size=20), st.randoms())
def test_the_order_of_arrival_changes_only_which_metric_comes_first(found, shuffler: random.Random):
    order = list(range(len(found)))
    shuffled = order.copy()
    shuffler.shuffle(shuffled)
    for metric in "ab":
        listed = [
            [one.case_id for one in filled(found, turn).cases() if one.metric == metric] for turn in (order, shuffled)
        ]
        assert listed[0] == listed[1]
        worst_first = [found[int(name[2:])][1] for name in listed[0]]
        assert worst_first == sorted(worst_first, reverse=True)


def test_metrics_take_turns_and_pages_follow_each_other():
    found = [("a", 0.9), ("a", 0.8), ("b", 0.1), ("b", 0.2)]
    shelf = filled(found, [0, 1, 2, 3])
    assert [one.case_id for one in shelf.cases()] == ["c-0", "c-3", "c-1", "c-2"]
    assert [one.case_id for one in (*shelf.cases(0, 3), *shelf.cases(3, 6))] == ["c-0", "c-3", "c-1", "c-2"]
    assert (len(shelf), shelf.differing) == (4, 4)


def test_of_more_than_a_page_can_hold_the_worst_stay_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(room, "MOST_PER_METRIC", 3)
    made = []
    shelf = Shelf()
    for at in range(10):
        shelf.add("a", float(at % 5), at, lambda at=at: made.append(at) or worst_case(f"c-{at}"))
    assert [one.case_id for one in shelf.cases()] == ["c-4", "c-9", "c-3"]
    assert shelf.differing == 10
    assert 5 not in made  # a case that does not stay is not even written


def test_a_case_comes_back_as_it_was():
    case = replace(worst_case("c\udcff-1"), source="line\nline \x00 \u202e", target=None, slices={"k": "v"})
    shelf = Shelf()
    shelf.add("a", float("inf"), 0, lambda: case)
    assert list(shelf.cases()) == [case]
