"""What can be typed is documented: every command, option, plug-in, fault and key stands in docs/ or the README."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import cli, plugin
from harness.cli.schema import schema
from harness.core import registry
from harness.lab.plants import PLANTS
from harness.run.lab import STATE_VARIABLE

ROOT = Path(__file__).parent.parent
PAGES = {path: path.read_text() for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]}
TEXT = "\n".join(PAGES.values())


def written(word: str) -> bool:
    """Whether a word stands somewhere on its own, not as a part of a longer one."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", TEXT) is not None


def commands(parser: argparse.ArgumentParser, words: str = "parity") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its parser, `parity lab up` among them."""
    yield words, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, f"{words} {name}")


def options() -> Iterator[tuple[str, str]]:
    for words, parser in commands(cli.parser()):
        for action in parser._actions:
            yield from ((words, option) for option in action.option_strings if option not in ("-h", "--help"))


class Options:
    """Stands where pytest's parser stands when it asks a plugin for its options."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def getgroup(self, *_: str) -> Options:
        return self

    def addoption(self, name: str, **_: Any) -> None:
        self.names.append(name)


def pytest_options() -> list[str]:
    asked = Options()
    plugin.pytest_addoption(asked)  # type: ignore[arg-type]
    return asked.names


def keys(shape: Any, place: str = "") -> Iterator[str]:
    """Every key that a file may hold, at any depth."""
    if not isinstance(shape, dict):
        return
    for name, inner in shape.get("properties", {}).items():
        yield name
        yield from keys(inner, f"{place}.{name}")
    for word in ("items", "additionalProperties"):
        yield from keys(shape.get(word), place)
    for inner in shape.get("anyOf", ()):
        yield from keys(inner, place)


@pytest.mark.parametrize("words", [words for words, _ in commands(cli.parser()) if " " in words])
def test_every_command_is_documented(words: str):
    assert re.search(rf"\b{re.escape(words)}\b", TEXT)


@pytest.mark.parametrize(("words", "option"), list(options()))
def test_every_option_is_documented_on_a_page_that_names_its_command(words: str, option: str):
    pages = [text for text in PAGES.values() if words in text]
    assert any(re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) for text in pages)


@pytest.mark.parametrize("option", pytest_options())
def test_every_pytest_option_is_documented(option: str):
    assert written(option)


@pytest.mark.parametrize("room", ["comparators", "pairs", "recordings.formats", "reporters", "services", "switches"])
def test_every_plug_in_is_documented(room: str):
    assert [name for name in registry.names(room) if not written(name)] == []


@pytest.mark.parametrize("fault", PLANTS)
def test_every_fault_is_documented(fault: str):
    assert written(fault)


@pytest.mark.parametrize("which", ["suite", "project", "cutover"])
def test_every_key_of_a_file_is_documented(which: str):
    assert sorted({key for key in keys(schema(which)) if not written(key)}) == []


def test_the_environments_words_are_documented():
    assert written(STATE_VARIABLE)


def test_links_between_pages_lead_somewhere():
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path, text in PAGES.items()
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists()
    ]
    assert dead == []
