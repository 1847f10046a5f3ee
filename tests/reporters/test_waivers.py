"""A waiver is shown on every report, with its owner: nobody reads a GO without what was left out of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from harness.core import registry
from harness.core.rows import Rows
from harness.core.verdict import Row, Verdict
from harness.gate.decide import decide
from harness.gate.policy import parse_policy
from tests.reporters.sample import go

POLICY = {
    "gate": {"mode": "fixed"},
    "criterion": [
        {"metric": "label", "kind": "flip", "deterministic": True, "slices": {"region": ["eu"]}},
        {"metric": "error", "kind": "flip"},
    ],
    "waiver": [
        {
            "criterion": "label",
            "owner": "Dana Ito",
            "reason": "replaced in January",
            "expires": date(2026, 12, 31),
            "slice": "region=eu",
        }
    ],
}


@pytest.mark.parametrize("name", ["html", "json", "markdown", "junit", "terminal"])
def test_every_report_names_the_owner_of_a_waiver(name: str) -> None:
    rows = [
        Row(case=f"c{at}", metric=metric, value_target=float(bad), value_noise=0.0, slices={"region": region})
        for at in range(1000)
        for region in ["us" if at % 5 else "eu"]
        for metric, bad in (("label", region == "eu" and at < 500), ("error", False))
    ]
    decision = decide(
        Rows.from_rows(rows), parse_policy(POLICY, "POLICY.toml"), decided_at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    assert decision.verdict is Verdict.GO
    text = registry.load("reporters", name).render(replace(go(), decision=decision)).decode()
    assert "Dana Ito" in text
    assert "replaced in January" in text
