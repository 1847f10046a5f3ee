"""Every TOML block of README and docs is read by the loader that will read the reader's copy of it."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness import config
from harness.core import registry
from harness.gate.cutover_file import load_cutover
from harness.gate.cutover_switches import switch_settings
from harness.gate.estate import load_estate
from harness.gate.policy import load_policy
from harness.prices import prices
from harness.recordings.pseudonyms import Pseudonyms
from tests.examples.pages import ROOT, Block, all_blocks

BLOCKS = all_blocks("toml")
SHIPPED = {"suite.toml": ROOT / "suites" / "visits" / "suite.toml", "parity.toml": ROOT / "parity.toml"}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_toml_and_says_of_which_file(block: Block) -> None:
    tomllib.loads(block.text)
    assert block.about, f"{block}: say ```toml suite.toml, ```toml part of parity.toml, or a policy's name"


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_read_by_the_real_loader(block: Block, tmp_path: Path) -> None:
    project = tmp_path / "parity.toml"
    shutil.copy(SHIPPED["parity.toml"], project)
    match _file(block):
        case "parity.toml":
            project.write_text(_whole(block))
            assert config.load_project(tmp_path).profiles
        case "suite.toml":
            file = tmp_path / "suites" / "mine" / "suite.toml"
            file.parent.mkdir(parents=True)
            file.write_text(_whole(block))
            load(file)
        case "models.toml":
            own = tmp_path / "models.toml"
            own.write_text(block.text)
            assert registry.load("pairs", "bedrock_to_azure_openai", models=str(own))
        case "cutover.toml":
            whole = next(one for one in all_blocks("toml") if one.page == block.page and one.about == "cutover.toml")
            path = tmp_path / "cutover.toml"
            path.write_text(whole.text if whole == block else f"{whole.text}\n{block.text}")
            policy = load_cutover(path)
            assert policy.require
            assert all(switch_settings(policy.switches, name, path) for name in policy.switches)
        case "estate.toml":
            (tmp_path / "estate.toml").write_text(block.text)
            assert load_estate(tmp_path / "estate.toml").entries
        case "prices.toml":
            (tmp_path / "prices.toml").write_text(block.text)
            assert prices({"file": "prices.toml"}, tmp_path)
        case "redaction.toml":
            (names,) = [one for one in all_blocks("python") if one.page == block.page]
            (tmp_path / names.about).write_text(names.text)
            (tmp_path / "redaction.toml").write_text(block.text)
            by = Pseudonyms.from_file(tmp_path / "redaction.toml")
            assert "Ann Lee" not in by.redact("Ann Lee, C-123456") and "C-123456" not in by.redact("Ann Lee, C-123456")
        case _:
            bare = tmp_path / "policy.toml"
            bare.write_text(_whole(block))
            assert load_policy(bare).criteria


def test_the_readme_shows_the_shipped_suite_as_it_is() -> None:
    shown = [block for block in BLOCKS if block.page.name == "README.md" and block.about == "suite.toml"]
    assert [block.text for block in shown] == [SHIPPED["suite.toml"].read_text(encoding="utf-8")]


def load(file: Path) -> None:
    """Suite, policy, pair and comparators; what lies beside the suite (`checks:...`) is another test's."""
    suite = config.load_suite(file)
    assert load_policy(file).criteria
    registry.load("pairs", suite.pair, where=str(file), **suite.pair_options)
    for settings in suite.comparators:
        if ":" not in settings.use:
            registry.load("comparators", settings.use, where=str(file), **settings.options)


def _file(block: Block) -> str:
    return Path(block.about.removeprefix("part of ")).name


def _whole(block: Block) -> str:
    """A part is laid over the shipped file, table by table; a policy's part over one criterion."""
    if not block.about.startswith("part of "):
        return block.text
    base = SHIPPED.get(_file(block))
    whole = (
        tomllib.loads(base.read_text(encoding="utf-8")) if base else {"criterion": [{"metric": "m", "kind": "flip"}]}
    )
    return _toml(_laid_over(whole, tomllib.loads(block.text)))


def _laid_over(whole: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(whole)
    for key, value in part.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _laid_over(merged[key], value) if both else value
    return merged


def _toml(table: Mapping[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {_inline(value)}\n" for key, value in table.items())


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)
