"""The fenced blocks of README and docs, as data.

What stands after the language says what a block is:

    toml suite.toml            a whole file; written beside the page's other files, read with the real loaders
    toml part of suite.toml    tables of one; laid over the shipped suite, then read
    toml NAME.toml             any other name: a policy
    python NAME.py             a file; written, and run when the page runs it
    python line of NAME.py     one line of it, changed
    jsonl NAME.jsonl           a rows file
    console                    `$ command` lines and what they print; a line `...` stands for any number of lines
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(
    sorted(
        page
        for pattern in ("*.md", "docs/**/*.md", "suites/*/*.md", "golden/*/*.md", "reports/README.md")
        for page in ROOT.glob(pattern)
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block. about: what stands after the language. line: where it begins, from 1."""

    page: Path
    line: int
    language: str
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    """One `$ ` line and the lines under it, down to the next."""

    block: Block
    line: str
    output: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.block} {self.line}"


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    found = []
    for token in tokens:
        if token.type == "fence" and token.map is not None:
            language, _, about = token.info.strip().partition(" ")
            found.append(
                Block(page=page, line=token.map[0] + 1, language=language, about=about.strip(), text=token.content)
            )
    return found


def all_blocks(*languages: str) -> list[Block]:
    """Blocks of these languages on every page."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def commands(block: Block) -> list[Command]:
    """The commands of a console block; a line that ends in a backslash goes on in the next."""
    found: list[tuple[str, list[str]]] = []
    lines = iter(block.text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            typed = line[2:]
            while typed.endswith("\\"):
                typed = typed[:-1] + next(lines).strip()
            found.append((typed, []))
        elif found:
            found[-1][1].append(line)
        else:
            raise ValueError(f'{block}: a console block begins with a command, "$ ..."')
    return [Command(block, typed, tuple(output)) for typed, output in found]
