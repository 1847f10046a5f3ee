"""What no order, name or repetition of rows may change, and what worse answers may never improve."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.rows import Rows
from harness.core.verdict import Decision, Row, RowStatus, Verdict
from harness.gate.decide import decide
from harness.gate.document import document
from harness.gate.policy import Policy, parse_policy

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ORDER = {Verdict.NO_GO: 0, Verdict.INCONCLUSIVE: 1, Verdict.GO: 2}
CRITERIA: list[dict[str, Any]] = [
    {"metric": "sim", "kind": "score", "slices": {"region": ["eu"]}},
    {"metric": "label", "kind": "flip", "margin": 0.05},
    {"metric": "slow", "kind": "exceed", "quantile": 0.5},
]

values = st.one_of(
    st.none(), st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5]), st.sampled_from([float("nan"), float("inf"), -0.5])
)
plain = st.sampled_from([0.0, 1.0, 0.5, 0.25])
rows = st.builds(
    Row,
    case=st.sampled_from([f"c{i}" for i in range(12)]),
    metric=st.sampled_from(["sim", "label", "slow", "other"]),
    cluster=st.sampled_from(["", "k"]),
    repeat=st.integers(0, 2),
    run=st.sampled_from(["", "n1", "n2"]),
    slices=st.sampled_from([{}, {"region": "eu"}, {"region": "us", "source_label": "a"}, {"source_label": "b"}]),
    value_target=values,
    value_noise=values,
    status_target=st.sampled_from(list(RowStatus)),
    status_source=st.sampled_from([RowStatus.OK, RowStatus.OK, RowStatus.UNSCORED, RowStatus.ERROR]),
)


def policy(mode: str, *criteria: dict[str, Any]) -> Policy:
    return parse_policy({"gate": {"mode": mode}, "criterion": list(criteria or CRITERIA)}, where="POLICY.toml")


def judged(listed: list[Row], by: Policy) -> Decision:
    return decide(Rows.from_rows(listed), by, decided_at=NOW)


def said(decision: Decision) -> dict[str, Any]:
    return document(decision)


modes = st.sampled_from(["fixed", "anytime"])


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=60), modes, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(listed: list[Row], mode: str, random: Any) -> None:
    shuffled = random.sample(listed, len(listed))
    assert said(judged(listed, policy(mode))) == said(judged(shuffled, policy(mode)))


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=40), modes)
def test_reporting_rows_twice_changes_no_finding(listed: list[Row], mode: str) -> None:
    once, twice = judged(listed, policy(mode)), judged(listed * 2, policy(mode))
    verdicts = [(finding.criterion, finding.slice, finding.verdict) for finding in once.findings]
    assert [(finding.criterion, finding.slice, finding.verdict) for finding in twice.findings] == verdicts
    if all("contradict" not in finding.reason for finding in once.findings):
        assert said(once)["findings"] == said(twice)["findings"]


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=40), modes)
def test_names_of_cases_and_clusters_change_nothing(listed: list[Row], mode: str) -> None:
    """The new names sort the other way round."""

    def renamed(row: Row) -> Row:
        cluster = f"z{row.cluster}" if row.cluster else ""
        return replace(row, case=f"x{100 - int(row.case[1:])}", cluster=cluster)

    before, after = judged(listed, policy(mode)), judged([renamed(row) for row in listed], policy(mode))
    assert said(before)["findings"] == said(after)["findings"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(plain, plain), min_size=1, max_size=300), st.integers(0, 299), modes)
def test_a_worse_answer_never_helps(pairs: list[tuple[float, float]], at: int, mode: str) -> None:
    """Exact for events; the t-test alone is no monotone function of one value, as variance enters it."""
    criterion = {"metric": "m", "kind": "flip", "margin": 0.2, "deterministic": mode == "fixed"}
    events = [(float(target == 1.0), None if mode == "fixed" else noise) for target, noise in pairs]
    listed = [
        Row(case=f"c{i}", metric="m", value_target=target, value_noise=noise)
        for i, (target, noise) in enumerate(events)
    ]
    worse = [replace(row, value_target=1.0) if i == at % len(listed) else row for i, row in enumerate(listed)]
    before, after = judged(listed, policy(mode, criterion)), judged(worse, policy(mode, criterion))
    assert ORDER[after.verdict] <= ORDER[before.verdict]
    first, second = before.findings[0].evidence, after.findings[0].evidence
    assert first is not None and second is not None
    assert second.p_go >= first.p_go * (1 - 1e-9)
    assert second.p_no_go <= first.p_no_go * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(plain, plain), min_size=2, max_size=200), modes, st.floats(0.01, 0.2), st.floats(0.0, 0.04))
def test_a_wider_margin_is_easier_to_keep(
    pairs: list[tuple[float, float]], mode: str, margin: float, wider: float
) -> None:
    listed = [Row(case=f"c{i}", metric="m", value_target=t, value_noise=s) for i, (t, s) in enumerate(pairs)]

    def evidence(at: float) -> Any:
        found = judged(listed, policy(mode, {"metric": "m", "kind": "score", "margin": at})).findings[0].evidence
        assert found is not None
        return found

    narrow, wide = evidence(margin), evidence(margin + wider)
    assert wide.p_go <= narrow.p_go * (1 + 1e-9) + 1e-15
    assert wide.p_no_go >= narrow.p_no_go * (1 - 1e-9) - 1e-15


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=60), modes)
def test_bounds_and_p_values_never_disagree(listed: list[Row], mode: str) -> None:
    """Of one run: over several, an early look may have ruled out what the whole now looks like."""
    one_run = [replace(row, run="") for row in listed]
    for finding in judged(one_run, policy(mode)).findings:
        evidence = finding.evidence
        if evidence is not None:
            assert evidence.low <= evidence.estimate + 1e-9
            assert evidence.estimate <= evidence.high + 1e-9
            assert (evidence.low > -evidence.margin) == (evidence.p_go <= 0.05)
            assert (evidence.high < -evidence.margin) == (evidence.p_no_go <= 0.05)


@settings(max_examples=40, deadline=None)
@given(st.lists(rows, max_size=25), modes)
def test_few_units_never_pass(listed: list[Row], mode: str) -> None:
    assert judged(listed, policy(mode)).verdict is not Verdict.GO
