"""What exists is documented, what is linked exists, and no page tells of the machine it was written on."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.core import registry
from harness.gate import policy
from harness.lab.plants import PLANTS
from harness.shapes import PROJECT, SUITE
from tests.examples.pages import PAGES, ROOT

DOCS = ROOT / "docs"


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def parsers(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """("lab up", its parser) for every command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield f"{name} {word}".strip(), inner
                yield from parsers(inner, f"{name} {word}".strip())


COMMANDS = dict(parsers(cli.parser()))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    text = page("reference-cli.md")
    section = text.partition(f"\n## parity {name.split()[0]}\n")[2].partition("\n## ")[0]
    assert f"parity {name}" in section
    for action in COMMANDS[name]._actions:
        for option in action.option_strings:
            assert option in ("-h", "--help") or f"`{option}" in section, f"parity {name} {option}"


def test_every_option_for_pytest_is_in_the_reference() -> None:
    plugin = (ROOT / "harness" / "plugin.py").read_text(encoding="utf-8")
    options = set(re.findall(r'"(--parity-[a-z-]+)"', plugin))
    assert options
    assert [option for option in sorted(options) if f"`{option}" not in page("reference-cli.md")] == []


@pytest.mark.parametrize("name", registry.names("comparators"))
def test_every_comparator_and_option_of_it_is_in_the_reference(name: str) -> None:
    section = page("reference-comparators.md").partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    options = inspect.signature(importlib.import_module(f"harness.comparators.{name}").build).parameters
    assert section
    assert [option for option in options if f"`{option}`" not in section] == []


@pytest.mark.parametrize("room", ["services", "pairs"])
def test_every_service_and_pair_and_option_is_documented(room: str) -> None:
    text = page("write-a-suite.md")
    for name in registry.names(room):
        assert f"`{name}`" in text, f"{room}: {name}"
        for option in inspect.signature(importlib.import_module(f"harness.{room}.{name}").build).parameters:
            assert option == "settings" or f"`{option}`" in text, f"{room}: {name}: {option}"


@pytest.mark.parametrize("shape", [SUITE, PROJECT, policy.schema()], ids=["suite", "project", "policy"])
def test_every_key_of_a_file_is_documented(shape: Mapping[str, Any]) -> None:
    text = page("write-a-suite.md")
    named = {key for heading in re.findall(r"\[([\w.]+)\]", text) for key in heading.split(".")}  # of tables
    assert [key for key in sorted(set(_keys(shape)) - named) if f"`{key}`" not in text] == []


def _keys(shape: Mapping[str, Any]) -> Iterator[str]:
    for key, inner in shape.get("properties", {}).items():
        yield key
        yield from _keys(inner)
    for nested in (shape.get("additionalProperties"), shape.get("items"), *shape.get("anyOf", ())):
        if isinstance(nested, Mapping):
            yield from _keys(nested)


@pytest.mark.parametrize("name", PLANTS)
def test_every_fault_is_in_the_lab_page_with_what_the_gate_must_say(name: str) -> None:
    assert re.search(
        rf"^\| `{name}` \| {PLANTS[name].side} \|.*\| {PLANTS[name].expected} \|$", page("lab.md"), re.MULTILINE
    )


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
def test_links_lead_somewhere(one: Path) -> None:
    text = one.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (one.parent / path).resolve() if path else one
        assert file.exists(), f"{one.name}: {target}"
        assert not anchor or anchor in _anchors(file), f"{one.name}: {target}"


def _anchors(file: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
def test_no_page_tells_of_the_machine_it_was_written_on(one: Path) -> None:
    assert not re.search(r"/work/|/tmp/|/root/|/home/", one.read_text(encoding="utf-8"))


def test_every_page_is_listed_in_the_index() -> None:
    listed = page("README.md")
    assert [one.name for one in DOCS.glob("*.md") if one.name != "README.md" and f"({one.name})" not in listed] == []


def test_the_picture_is_there_and_small() -> None:
    picture = (DOCS / "images" / "report.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 250_000


def test_the_changelog_is_written_in_four_words() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert headings
    assert set(headings) <= {"Added", "Changed", "Fixed", "Removed"}
    assert re.search(rf"^## {re.escape(version)}\b", text, re.MULTILINE)
