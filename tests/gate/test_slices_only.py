"""Cases that were drawn above their share speak for the slices they lie in, and never for the whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.core.rows import Rows
from harness.core.verdict import SLICES_ONLY, Decision, Row, Verdict
from harness.gate.decide import decide
from harness.gate.policy import parse_policy

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def row(number: int, *, bad: bool, region: str = "us", above: bool = False) -> Row:
    slices = {"region": region} | ({SLICES_ONLY: "yes"} if above else {})
    return Row(case=f"c{number}", metric="label", slices=slices, value_target=float(bad), value_noise=0.0)


def decided(rows: list[Row], mode: str, **keys: Any) -> Decision:
    criterion = {"metric": "label", "kind": "flip", "margin": 0.01, **keys}
    policy = parse_policy({"gate": {"mode": mode}, "criterion": [criterion]}, "POLICY.toml")
    return decide(Rows.from_rows(rows), policy, decided_at=NOW)


@pytest.mark.parametrize("mode", ["fixed", "anytime"])
def test_a_bad_slice_that_was_drawn_larger_does_not_condemn_the_whole(mode):
    """60 flips in 860 rows would be 7 %; in the traffic the slice is none of 800."""
    rows = [row(n, bad=False) for n in range(800)]
    rows += [row(1000 + n, bad=True, region="eu", above=True) for n in range(60)]
    whole, sliced = decided(rows, mode, slices={"region": ["eu"]}).findings[:2]
    assert (whole.slice, whole.verdict) == (None, Verdict.GO)
    assert whole.evidence is not None
    assert whole.evidence.units == 800
    assert (sliced.slice, sliced.verdict) == ("region=eu", Verdict.NO_GO)


@pytest.mark.parametrize("mode", ["fixed", "anytime"])
def test_good_cases_drawn_larger_do_not_carry_the_whole(mode):
    """The wrong GO to fear: 5 flips of 100 in the traffic, buried under 5,000 easy cases."""
    rows = [row(n, bad=n < 5) for n in range(100)]
    rows += [row(1000 + n, bad=False, region="eu", above=True) for n in range(5000)]
    assert decided(rows, mode).findings[0].verdict is not Verdict.GO
    unmarked = [row(index, bad=bool(one.value_target)) for index, one in enumerate(rows)]
    assert decided(unmarked, mode).findings[0].verdict is Verdict.GO


def test_a_set_of_such_cases_alone_decides_nothing_about_the_whole():
    rows = [row(n, bad=False, above=True) for n in range(1000)]
    assert decided(rows, "fixed").findings[0].verdict is Verdict.INCONCLUSIVE
