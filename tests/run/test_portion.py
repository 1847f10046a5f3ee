"""The part of a suite that one night takes: whole units, never twice, in an order that was fixed beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import LedgerError
from harness.gate.conditions import WATCH
from harness.recordings.sample import order
from harness.recordings.store import GoldenSet, write
from harness.run.plan import Plan
from harness.run.portion import NEW, Portion, choose, cut
from tests.run.planned import Plain, always, planned, stored


@pytest.fixture
def made(tmp_path: Path) -> Plan:
    """30 cases of 10 customers, the first of whom has 12 of them."""
    golden = tmp_path / "golden"
    customers = [0] * 12 + [1 + at % 9 for at in range(18)]
    write(
        golden,
        (replace(stored(at), cluster=f"k{customer}") for at, customer in enumerate(customers)),
        name="numbers",
        description="numbers of customers",
        service="plain",
        operation="Plain",
        licence="public domain",
        source="made for a test",
        split="none",
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    side = Plain(always(1.0))
    return replace(planned(tmp_path, side, side), golden=GoldenSet.open(golden))


def portion(made: Plan, *, units: int, seen: Iterable[str] = (), night: str = "n") -> Portion:
    found = choose(made, night=night, units=units, seen=seen, served={}).portion
    assert found is not None
    return found


def customers(made: Plan, found: Portion) -> set[str]:
    return {made.golden.recording(index).cluster or "" for index in found.indices}


def test_a_unit_is_taken_whole(made: Plan) -> None:
    for units in (1, 3, 9):
        found = portion(made, units=units)
        taken = customers(made, found)
        assert len(taken) == units == found.units
        whole = [at for at in range(30) if (made.golden.recording(at).cluster or "") in taken]
        assert sorted(found.indices) == whole


def test_nights_take_every_unit_once_and_then_watch(made: Plan) -> None:
    seen: set[str] = set()
    left = []
    for _ in range(4):
        found = portion(made, units=3, seen=seen)
        assert found.kind == NEW
        assert not customers(made, found) & seen
        seen |= customers(made, found)
        left.append(found.unseen)
    assert (len(seen), left) == (10, [7, 4, 1, 0])
    first, second = (portion(made, units=3, seen=seen, night=name) for name in ("a", "b"))
    assert first.kind == second.kind == WATCH
    assert first.indices != second.indices


def test_large_units_do_not_come_first(made: Plan) -> None:
    """Units are shuffled by the seed, not cases: the customer with 40 % of the cases is first for one seed in ten."""
    first = [
        customers(replace(made, suite=replace(made.suite, seed=seed)), portion(_seeded(made, seed), units=1))
        for seed in range(60)
    ]
    assert sum(taken == {"k0"} for taken in first) <= 14


def _seeded(made: Plan, seed: int) -> Plan:
    return replace(made, suite=replace(made.suite, seed=seed))


def test_without_clusters_the_order_is_the_suites_own(tmp_path: Path) -> None:
    side = Plain(always(1.0))
    made = planned(tmp_path, side, side)
    assert portion(made, units=5).indices == tuple(order(20, 7)[:5].tolist())


def test_a_portion_is_read_back_as_it_was_written(made: Plan) -> None:
    found = portion(made, units=3)
    assert Portion.from_document(found.document()) == found
    with pytest.raises(LedgerError, match="cannot be read"):
        Portion.from_document({"night": "n"})


def test_a_portion_of_another_golden_set_is_refused(made: Plan) -> None:
    found = portion(made, units=3)
    for indices in ((99,), (1, 1), ()):
        with pytest.raises(LedgerError, match="not the golden set"):
            cut(made, replace(found, indices=indices))
