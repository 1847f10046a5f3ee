"""What may be promised, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.errors import PolicyError
from harness.gate.policy import Criterion, Policy, load_policy, parse_policy, schema
from harness.gate.tables import CRITERION, KEYS_OF_KIND
from harness.stats.measure import Kind
from tests.gate.making import write_policy

SCORE = {"metric": "sim", "kind": "score"}


def parsed(*criteria: dict[str, Any], **tables: Any) -> Policy:
    return parse_policy({"criterion": list(criteria), **tables}, where="POLICY.toml")


def one(**keys: Any) -> Criterion:
    return parsed({**SCORE, **keys}).criteria[0]


def refused(document: dict[str, Any]) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_policy(document, where="POLICY.toml")
    return str(caught.value)


def refused_criterion(**keys: Any) -> str:
    return refused({"criterion": [{**SCORE, **keys}]})


def test_an_unknown_key_is_told_with_the_known_ones_and_the_nearest() -> None:
    told = refused({"criterion": [SCORE, {**SCORE, "name": "b", "margn": 0.1}]})
    first, second = told.splitlines()
    assert first == 'POLICY.toml, criterion 2: unknown key "margn".'
    assert second.startswith("Known keys: advisory, cap_usd, critical, deterministic, kind, ")
    assert second.endswith('Did you mean "margin"?')


@pytest.mark.parametrize(
    "document, told",
    [
        ({}, "no criterion"),
        ({"criterion": []}, "no criterion"),
        ({"criterion": {"metric": "sim"}}, "[[criterion]]"),
        ({"criterion": [{"kind": "score"}]}, 'criterion 1: key "metric" is missing'),
        ({"criterion": [{"metric": "sim"}]}, "It is one of score, flip"),
        (
            {"criterion": [SCORE], "gates": {}},
            'unknown table "gates".\nKnown tables: coverage, criterion, epoch, gate, signoff, waiver',
        ),
        ({"criterion": [SCORE], "gate": {"alpha": 0.05}}, '[gate]: unknown key "alpha"'),
        ({"criterion": [SCORE], "gate": {"mode": "anytim"}}, 'Did you mean "anytime"?'),
        ({"criterion": [SCORE], "gate": {"alpha_go": 0}}, '"alpha_go" must be more than 0'),
        ({"criterion": [SCORE], "gate": {"alpha_go": 0.5}}, '"alpha_go" must be less than 0.5'),
        ({"criterion": [SCORE], "gate": {"max_cluster": 0}}, '"max_cluster" must be at least 1'),
        ({"criterion": [SCORE], "epoch": {"model": ["a"]}}, '"model" must be a version in words'),
        ({"criterion": [SCORE, SCORE]}, 'the name "sim" is taken by criterion 1'),
        ({"criterion": [{**SCORE, "name": "a"}, {**SCORE, "name": "a severe"}]}, "is taken by criterion 1"),
        ({"criterion": [SCORE], "suite": {}, "criterian": []}, 'unknown table "criterian"'),
    ],
)
def test_a_mistake_is_told_with_its_place(document: dict[str, Any], told: str) -> None:
    assert told in refused(document)
    assert refused(document).startswith("POLICY.toml")


@pytest.mark.parametrize(
    "keys, told",
    [
        ({"kind": "scor"}, 'Did you mean "score"?'),
        ({"margin": -0.1}, '"margin" must be at least 0'),
        ({"margin": 0}, "margin 0 can never be shown to hold"),
        ({"margin": 0.25}, "must be less than 0.25"),
        ({"margin": "0.1"}, '"margin" must be a number, not text'),
        ({"margin": float("nan")}, '"margin" must be a number, not nan'),
        ({"margin": True}, '"margin" must be a number, not true or false'),
        ({"kind": "flip", "margin": 1.0}, "must be less than 1"),
        ({"severe": 0}, '"severe" must be more than 0'),
        ({"severe": 1.0}, '"severe" must be less than 1'),
        ({"severe": False}, '"severe" must be a number, not true or false'),
        ({"kind": "flip", "severe": 0.1}, '"severe" belongs to kind score'),
        ({"quantile": 0.5}, '"quantile" belongs to kind exceed'),
        ({"kind": "exceed"}, 'margin 0 needs "quantile"'),
        ({"kind": "exceed", "margin": 0.0}, 'margin 0 needs "quantile"'),
        ({"kind": "exceed", "quantile": 1.0}, '"quantile" must be less than 1'),
        ({"kind": "exceed", "quantile": 0.5, "ratio": 0.9}, '"ratio" must be at least 1'),
        ({"kind": "cost"}, 'needs "ratio" (such as 1.1) and "cap_usd"'),
        ({"kind": "cost", "ratio": 1.1, "cap_usd": 0}, '"cap_usd" must be more than 0'),
        ({"kind": "limit"}, 'needs "margin", the share'),
        ({"kind": "quality"}, 'needs "margin", the loss'),
        ({"kind": "quality", "margin": 0.1, "value_range": [1, 0]}, '"value_range" must be [least, largest]'),
        ({"kind": "check", "limit": 1, "margin": 1}, "not both"),
        ({"kind": "check", "limit": 1, "lower_limit": 2}, "nothing passes"),
        ({"slices": {"region": []}}, 'slices are written { region = ["eu", "us"] }; "region"'),
        ({"slices": {"region": [1]}}, "slices are written"),
        ({"critical": "yes"}, '"critical" must be true or false'),
    ],
)
def test_a_criterion_that_cannot_be_judged_is_refused(keys: dict[str, Any], told: str) -> None:
    message = refused_criterion(**keys)
    assert told in message
    assert message.startswith("POLICY.toml, criterion 1")


@pytest.mark.parametrize(
    "keys, margin",
    [
        ({"kind": "score"}, 0.03),
        ({"kind": "flip"}, 0.005),
        ({"kind": "flip", "metric": "error"}, 0.01),
        ({"kind": "exceed", "quantile": 0.95}, 0.0),
        ({"kind": "cost", "ratio": 1.1, "cap_usd": 0.1}, 0.0),
        ({"kind": "check"}, 0.0),
    ],
)
def test_default_margins(keys: dict[str, Any], margin: float) -> None:
    assert one(**keys).margin == margin


def test_a_mean_score_always_has_its_severe_share() -> None:
    assert one().severe == 0.02
    assert one(severe=0.01).severe == 0.01
    assert one(kind="flip").severe is None


def test_defaults_of_the_gate() -> None:
    policy = parsed(SCORE)
    assert (policy.mode, policy.alpha_go, policy.alpha_no_go, policy.max_cluster) == ("anytime", 0.05, 0.05, None)
    assert policy.criteria[0].name == "sim"


def test_a_slice_has_the_wider_margin() -> None:
    assert one().slice_margin == 0.10
    assert one(margin=0.15).slice_margin == 0.15
    assert one(kind="quality", margin=0.5, value_range=[0, 10]).slice_margin == 1.0


def test_slices_may_be_one_text_or_a_bare_list() -> None:
    assert one(slices={"region": "eu"}).slices == {"region": ("eu",)}
    assert one(slices={"region": ["eu", "us", "eu"]}).slices == {"region": ("eu", "us")}
    assert one(slices=["eu"]).slices == {"slice": ("eu",)}


def test_the_hash_is_of_what_is_promised_not_of_how_it_is_written() -> None:
    same = parsed({**SCORE, "margin": 0.03, "severe": 0.02, "name": "sim", "advisory": False}, gate={"mode": "anytime"})
    assert parsed(SCORE).sha256 == same.sha256
    assert parsed({**SCORE, "margin": 0.031}).sha256 != same.sha256
    assert parse_policy({"criterion": [SCORE]}, where="elsewhere").sha256 == same.sha256


@pytest.mark.parametrize(
    "other",
    [
        parsed({**SCORE, "margin": 0.04}),
        parsed({**SCORE, "severe": 0.01}),
        parsed(SCORE, epoch={"source_model": "churn@15"}),
        parsed(SCORE, gate={"alpha_go": 0.01}),
        parsed(SCORE, {"metric": "label", "kind": "flip"}),
    ],
)
def test_any_change_of_a_promise_opens_a_new_epoch(other: Policy) -> None:
    assert other.epoch_id != parsed(SCORE).epoch_id


SUITE: dict[str, Any] = {
    "suite": {"title": "Churn", "seed": 7},
    "pair": {"columns": ["age", "plan"]},
    "comparators": {"label": {"use": "class_label", "threshold": 0.35}},
}


@pytest.mark.parametrize(
    "change",
    [
        {"comparators": {"label": {"use": "class_label", "threshold": 0.5}}},
        {"pair": {"columns": ["plan", "age"]}},
        {"suite": {"title": "Churn", "seed": 8}},
        {"endpoints": {"lab": {"target": "churn"}}},
        {"source": {"name": "churn"}},
        {"target": {"name": "churn"}},
    ],
)
def test_another_definition_of_the_suite_is_another_epoch_of_the_same_policy(change: dict[str, Any]) -> None:
    before, after = parsed(SCORE, **SUITE), parsed(SCORE, **(SUITE | change))
    assert before.epoch_id != after.epoch_id
    assert before.sha256 == after.sha256 == parsed(SCORE).sha256


def test_the_title_of_a_suite_opens_no_epoch() -> None:
    renamed = SUITE | {"suite": {"title": "Churn, again", "seed": 7}}
    assert parsed(SCORE, **SUITE).epoch_id == parsed(SCORE, **renamed).epoch_id


def test_a_bare_policy_keeps_its_epoch() -> None:
    assert parsed(SCORE).epoch_id == "a2044453253f24df"


def test_a_suite_file_is_a_policy_too(tmp_path: Path) -> None:
    path = tmp_path / "suite.toml"
    path.write_text('[suite]\ntitle = "t"\n[pair]\nx = 1\n[limits]\n[[criterion]]\nmetric = "sim"\nkind = "score"\n')
    assert load_policy(path).criteria == parsed(SCORE).criteria


@pytest.mark.parametrize("text, told", [("[gate", "is not TOML"), (b"\xff", "is not UTF-8")])
def test_a_file_that_is_no_policy(tmp_path: Path, text: str | bytes, told: str) -> None:
    path = tmp_path / "POLICY.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PolicyError, match=told):
        load_policy(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.toml: no such file"):
        load_policy(tmp_path / "nowhere.toml")


def test_the_schema_is_what_is_read(tmp_path: Path) -> None:
    document = {
        "gate": {"mode": "fixed", "alpha_go": 0.01, "max_cluster": 5},
        "epoch": {"source_model": "churn@14"},
        "criterion": [{**SCORE, "slices": {"region": ["eu"]}, "severe": 0.02}],
    }
    jsonschema.validate(document, schema())
    parse_policy(document, where="POLICY.toml")
    jsonschema.Draft202012Validator.check_schema(schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"criterion": [{**SCORE, "margn": 0.1}]}, schema())


def test_every_key_belongs_to_a_kind() -> None:
    assert {key for keys in KEYS_OF_KIND.values() for key in keys} == set(CRITERION["properties"])
    assert set(KEYS_OF_KIND) == set(Kind)


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    path = write_policy(
        tmp_path / "POLICY.toml",
        [
            {
                "metric": "sim",
                "kind": "score",
                "margin": 0.03,
                "deterministic": False,
                "severe": 0.02,
                "slices": {"region": ["eu", "us"]},
                "critical": True,
            }
        ],
        mode="anytime",
        alpha_go=0.05,
        alpha_no_go=0.05,
        epoch={"source_model": "churn@14"},
    )
    policy = load_policy(path)
    assert policy.criteria[0].slices == {"region": ("eu", "us")}
    assert policy.epoch == {"source_model": "churn@14"}
