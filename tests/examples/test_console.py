"""Every command that a page prints exists; those that are quick and need no server print what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harness import cli
from tests.examples.pages import PAGES, ROOT, Command, all_blocks, commands
from tests.examples.walk import says, walk

COMMANDS = [command for block in all_blocks("console") for command in commands(block)]


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.line.startswith("parity ")], ids=str)
def test_a_parity_command_is_one_that_the_parser_takes(command: Command) -> None:
    words = shlex.split(re.sub(r"\$\([^)]*\)", "RUN", command.line), comments=True)
    words = words[: next((at for at, word in enumerate(words) if word in ("|", ">", "2>", ">>")), None)]
    if words[1] != "--version":
        cli.parser().parse_args(words[1:])


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.line.startswith("make ")], ids=str)
def test_a_make_command_names_a_target(command: Command) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in command.line.split()[1:]:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("command", [one for one in COMMANDS if "-m pytest" in one.line], ids=str)
def test_an_option_of_ours_for_pytest_is_one_that_it_has(command: Command, pytestconfig: pytest.Config) -> None:
    for option in re.findall(r"--parity-[a-z-]+", command.line):
        pytestconfig.getoption(option)  # raises ValueError for an option that does not exist


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_its_commands_print(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    for ran in walk(page, tmp_path):
        shown = ran.command.output
        assert not shown or says(shown, ran.printed), f"{ran.command}\nprinted\n{ran.printed}"
