from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.core.traffic import Shares
from harness.errors import ConfigError, UnknownName
from harness.gate.cutover import plan_of
from harness.gate.cutover_switches import mover_of, switch_settings

PATH = Path("cutover.toml")
LIVE = {"policy": "live.toml", "rows": "live.jsonl"}


def settings(**table: Any):
    return switch_settings({"router": {"use": "command", "live": LIVE, **table}}, "router", PATH)


def test_the_stages_of_a_plan_rise_to_everything():
    plan = plan_of(settings(stages=["mirror", 5, 100], mirror_percent=20), live_policy_sha256="", mirror_limit=50)
    assert [stage.shares for stage in plan.stages] == [Shares.of(0, mirror=20), Shares.of(5), Shares.of(100)]


def test_what_the_plan_is_hashes():
    first = plan_of(settings(), live_policy_sha256="a", mirror_limit=100).sha256
    for table in ({"stages": [100]}, {"bake_minutes": 1}, {"read": ["x"]}, {"mirror_percent": 1}):
        assert plan_of(settings(**table), live_policy_sha256="a", mirror_limit=100).sha256 != first
    assert plan_of(settings(), live_policy_sha256="b", mirror_limit=100).sha256 != first


def test_all_other_keys_are_options_of_the_switch():
    assert settings(read=["x"], timeout_s=3).mover.options == {"read": ["x"], "timeout_s": 3}


@pytest.mark.parametrize(
    "stages", [[1, 10], [10, 1, 100], [1, 1, 100], [0, 100], [1, "mirror", 100], ["mirror"], [0.5, 100], [True, 100]]
)
def test_stages_that_are_no_way_up_are_refused(stages):
    with pytest.raises(ConfigError, match="rising order"):
        settings(stages=stages)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"live": {"policy": "live.toml"}}, 'exactly one of "rows" and "command"'),
        ({"live": {**LIVE, "command": ["x"]}}, 'exactly one of "rows" and "command"'),
        ({"live": {**LIVE, "max_age": 1}}, 'Did you mean "max_age_minutes"?'),
        ({"bake_minutes": -1}, "at least 0"),
        ({"use": ""}, "must not be empty"),
    ],
)
def test_a_table_that_says_too_little_or_too_much_is_refused(table, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        settings(**table)


def test_without_live_criteria_there_is_no_cutover_and_still_a_way_back():
    table = {"router": {"use": "command", "stages": "nonsense"}}
    with pytest.raises(ConfigError):
        switch_settings(table, "router", PATH)
    with pytest.raises(ConfigError, match=r"needs a table \[switches\.router\.live\]"):
        switch_settings({"router": {"use": "command"}}, "router", PATH)
    assert mover_of(table, "router", PATH).use == "command"


def test_an_unknown_switch_names_the_nearest():
    with pytest.raises(UnknownName, match='Did you mean "router"'):
        switch_settings({"router": {"use": "command"}}, "ruoter", PATH)


def test_a_mirror_that_the_switch_cannot_make_is_refused():
    for limit, said in ((0, "cannot mirror"), (49, "mirrors at most 49 %")):
        with pytest.raises(ConfigError, match=said):
            plan_of(settings(), live_policy_sha256="", mirror_limit=limit)
