"""Code in fenced blocks: the same program is the same, however it is laid out; another operator is another program.

Python is compared by its syntax tree, without comments and docstrings; JSON by its value; anything else, and what does
not parse, by its tokens without comments and white space.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass

LONGEST = 100_000  # characters of a block that are parsed; a longer one is compared by its tokens
FEW = 2  # tokens that may differ for two programs to count as one that was changed
_FENCE = re.compile(r"^[ \t]*(```|~~~)[ \t]*([\w+#.-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.M | re.S)
_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\w'\"])//[^\n]*|(?<!\S)(?:#|--)(?![!\[])[^\n]*", re.S)
_TOKEN = re.compile(r"\w+|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[^\w\s]")
_PYTHON = ("python", "py", "python3", "")


@dataclass(frozen=True, slots=True)
class Difference:
    """How the code of two texts differs. changed: it is one program with a few tokens exchanged."""

    said: str
    changed: bool


def compare_code(source: str, target: str) -> Difference | None:
    """None where neither text has code in fences, or all of it is the same program, in the same order."""
    ours, theirs = _blocks(source), _blocks(target)
    if len(ours) != len(theirs):
        if ours and theirs:
            return Difference(f"target has {len(theirs)} blocks of code, source {len(ours)}", changed=False)
        side = "target" if ours else "source"
        return Difference(f"the {side} gives no code in a block of its own", changed=False)
    for (language, one), (other_language, other) in zip(ours, theirs, strict=True):
        if _form(language or other_language, one) == _form(language or other_language, other):
            continue
        mine, others = _tokens(one), _tokens(other)
        few = len(mine) == len(others) and sum(a != b for a, b in zip(mine, others, strict=True)) <= FEW
        if mine == others:
            continue
        return Difference(_told(one, other), changed=few)
    return None


def _blocks(text: str) -> list[tuple[str, str]]:
    """(language in lower case, code) of each fenced block that holds anything."""
    return [(found[2].lower(), found[3]) for found in _FENCE.finditer(text) if found[3].strip()]


def _form(language: str, code: str) -> str:
    if len(code) <= LONGEST:
        if language == "json":
            try:
                return json.dumps(json.loads(code), sort_keys=True)
            except (ValueError, RecursionError):
                pass
        if language in _PYTHON:
            try:
                return ast.dump(_bare(_tree(code)))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                pass
    return " ".join(_tokens(code))


def _tree(code: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a doubtful escape in somebody's answer
        return ast.parse(code)


def _bare(tree: ast.Module) -> ast.Module:
    """Without docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return tree


def _tokens(code: str) -> list[str]:
    return _TOKEN.findall(_COMMENT.sub(" ", code))


def _told(source: str, target: str) -> str:
    """The first line that is another one."""
    ours, theirs = ([line.strip() for line in code.splitlines() if line.strip()] for code in (source, target))
    pairs = zip(ours, theirs, strict=False)
    mine, other = next(((a, b) for a, b in pairs if _tokens(a) != _tokens(b)), ("", ""))
    if not mine:
        return f"the target's code has {len(theirs)} lines, the source's {len(ours)}"
    return f"in code, target says {other[:60]}, source says {mine[:60]}"
