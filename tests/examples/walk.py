"""Walk a page from top to bottom in a folder of its own: write its files where it puts them, run its commands in order.

Only commands that are quick and need no server run. After a change of words, of rounding or of the shipped suite,
`.venv/bin/python -m tests.examples.walk` writes what they print now, and the suite, into the pages.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import cli
from tests.examples.pages import PAGES, ROOT, Block, Command, blocks, commands

QUICK = (
    "parity decide ",
    "parity golden ",
    "parity import ",
    "parity plan ",
    "parity selftest --rows ",
    "parity schema",
    "parity --version",
    "parity lab faults",
)
SHELL = ("head ", "mkdir ", "cp ", "cat ")  # what a page may do with its own files
WRITTEN = ("python", "jsonl", "toml")


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ran, what it printed, and its exit code."""

    command: Command
    printed: str
    code: int


def walk(page: Path, folder: Path) -> Iterator[Ran]:
    """Every command of the page that ran. The present folder must be `folder`, which is empty."""
    for name in ("parity.toml", "suites/visits", "golden/visits"):
        _copy(ROOT / name, folder / name)
    code: int | None = None
    for block in blocks(page):
        if block.language in WRITTEN and not block.about.startswith("part of "):
            _write(block, folder)
        for command in commands(block) if block.language == "console" else ():
            if command.line == "echo $?":
                if code is not None:
                    yield Ran(command, f"{code}\n", 0)
                continue
            with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(io.StringIO()):
                code = _run(command.line)
            if code is not None:
                yield Ran(command, printed.getvalue(), code)


def says(shown: tuple[str, ...], printed: str) -> bool:
    """Whether a page shows what was printed; `...` stands for any number of lines."""
    pattern = "\n".join(".*" if line == "..." else re.escape(line.rstrip()) for line in shown)
    return re.fullmatch(pattern, "\n".join(line.rstrip() for line in printed.splitlines()), re.DOTALL) is not None


def _run(line: str) -> int | None:
    """The exit code; None for a command that is not run here."""
    if line.startswith(QUICK):
        try:
            return cli.main(shlex.split(line)[1:])
        except SystemExit as exc:  # --version
            return int(exc.code or 0)
    if re.fullmatch(r"python [\w/-]+\.py", line) and Path(line.split()[1]).is_file():
        runpy.run_path(line.split()[1], run_name="__main__")
        return 0
    if line.startswith(SHELL):
        done = subprocess.run(["/bin/sh", "-c", line], check=True, capture_output=True, text=True)
        sys.stdout.write(done.stdout)
        return 0
    return None


def _write(block: Block, folder: Path) -> None:
    """`python NAME.py` writes a file; `python line of NAME.py` puts one line in the place of the one for that name."""
    name = block.about.removeprefix("line of ")
    if not name or name in ("suite.toml", "parity.toml"):
        return
    path = folder / name
    if name != block.about:
        start = block.text.partition("=")[0]
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        if sum(line.startswith(start) for line in lines) != 1:
            raise ValueError(f"{block}: {name} has not one line that begins with {start!r}")
        path.write_text("".join(block.text if line.startswith(start) else line for line in lines), encoding="utf-8")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def _rewritten(page: Path) -> str:
    """The page with what its commands print now; what is cut with `...` stays as it is."""
    text = page.read_text(encoding="utf-8")
    if page == ROOT / "README.md":
        (shown,) = [block.text for block in blocks(page) if block.about == "suite.toml"]
        text = text.replace(shown, (ROOT / "suites" / "visits" / "suite.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        for ran in walk(page, Path(name)):
            shown = ran.command.output
            if shown and "..." not in shown and not says(shown, ran.printed):
                before = "\n".join([f"$ {ran.command.line}", *shown])
                text = text.replace(before, "\n".join([f"$ {ran.command.line}", *ran.printed.rstrip("\n").split("\n")]))
    return text


if __name__ == "__main__":
    os.environ["COLUMNS"] = "110"
    for one in PAGES:
        one.write_text(_rewritten(one), encoding="utf-8")
