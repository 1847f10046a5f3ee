"""A plan refuses a suite whose answers would be read as something they are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from planned import POLICY, Plain, always, planned

from harness.comparators import by_slice
from harness.core.case import Lot
from harness.errors import ConfigError, UnencodableRequest, UnknownName
from harness.recordings.store import GoldenSet, write
from harness.run import plan


def checked(folder: Path, policy: str) -> None:
    plan._check_metrics(planned(folder, Plain(always(1)), Plain(always(1)), policy=policy), "suite.toml")


@pytest.mark.parametrize("kind", ["score", 'limit"\nmargin = 0.01\n#', 'check"\n#'])
def test_a_bad_event_is_not_read_as_another_kind(tmp_path: Path, kind: str):
    """numeric_close says 1 where values differ: as a score that would be the best there is."""
    policy = POLICY.replace('kind = "flip"\ndeterministic', f'kind = "{kind}"\ndeterministic', 1)
    with pytest.raises(ConfigError, match="is of kind flip"):
        checked(tmp_path, policy)


def test_a_cost_criterion_needs_the_prices_of_both_sides(tmp_path: Path):
    policy = POLICY + '[[criterion]]\nmetric = "cost_usd"\nkind = "cost"\nratio = 1.1\ncap_usd = 1.0\n'
    with pytest.raises(ConfigError, match=r"\[prices\.target\]"):
        checked(tmp_path, policy)


def test_an_unknown_metric_names_the_nearest(tmp_path: Path):
    with pytest.raises(UnknownName, match='Did you mean "value"'):
        checked(tmp_path, POLICY.replace('"value"', '"valeu"'))


SUITE = """
[suite]
title = "own builder"
pair = "sagemaker_to_azureml"
golden = "{golden}"
request_builder = "checks:build"
[endpoints.lab]
source = "visits"
target = "visits"
[comparators.score]
use = "numeric_close"
[[criterion]]
metric = "score"
kind = "flip"
deterministic = true
"""
ROOT = Path(__file__).resolve().parents[2]


def own(folder: Path, checks: str, *, golden: Path = ROOT / "golden" / "visits", sample: int | None = 3) -> plan.Plan:
    from harness import config

    (folder / "parity.toml").write_text((ROOT / "parity.toml").read_text())
    suite = folder / "suites" / "own" / "suite.toml"
    suite.parent.mkdir(parents=True)
    suite.write_text(SUITE.format(golden=golden))
    (suite.parent / "checks.py").write_text(checks)
    return plan.make(suite, config.profile(config.load_project(suite), "lab"), sample=sample)


def test_the_applications_own_builder_makes_the_targets_body(tmp_path: Path):
    made = own(tmp_path, "def build(request):\n    return {'rows': request.payload['rows'], 'mine': True}\n")
    plan.preflight(made)
    case = made.case(int(made.order[0]))
    request = made.translate(case).request
    wire = made.target.codec.next(Lot("0:x", {case.id: request}), ())
    assert b'"mine":true' in wire.body
    assert made.translation == "checks:build"


def test_a_comparator_may_refuse_a_case_before_the_first_call(tmp_path: Path):
    made = own(tmp_path, "build = None\n")
    chosen = by_slice.build(slice="kind", values={"a": {"use": "class_label"}})
    with pytest.raises(ConfigError, match=r'case visits-\w+ has no slice "kind"'):
        plan.preflight(replace(made, comparators=(("label", chosen),)))


def test_a_builder_that_fails_names_itself_and_the_case(tmp_path: Path):
    made = own(tmp_path, "def build(request):\n    raise KeyError('age')\n")
    with pytest.raises(UnencodableRequest, match=r"case visits-\w+: checks:build failed: KeyError"):
        plan.preflight(made)


def test_a_request_is_replayed_once_however_often_it_was_recorded(tmp_path: Path):
    """A payload is one unit of evidence; the repeats are the source's noise, and the report counts them."""
    words = dict.fromkeys(("name", "description", "licence", "source", "split"), "w")
    with GoldenSet.open(ROOT / "golden" / "visits") as visits:
        first = [visits.recording(index) for index in range(6)]
    again = [
        replace(one, recording=replace(one.recording, id=f"{one.id}-2"), repeat_of=one.id, cluster="")
        for one in first[:4]
    ]
    write(
        tmp_path / "golden",
        [*first, *again],
        service="sagemaker",
        operation="InvokeEndpoint",
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
        **words,
    )
    made = own(tmp_path, "def build(request):\n    return {}\n", golden=tmp_path / "golden", sample=None)
    assert sorted(made.order.tolist()) == [0, 1, 2, 3, 4, 5]
    assert made.rank[6:].tolist() == [-1] * 4
    assert made.golden.repeats(3) == (9,)
