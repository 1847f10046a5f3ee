"""Text that others wrote, made safe to look at: hidden characters become visible, long text is cut with a note."""

from __future__ import annotations

import re

# Characters that show nothing, or change how their neighbours show: controls, bidirectional marks, zero-width and
# filler characters, spaces that look like a space and are none, invisible tags and variation selectors, lone
# surrogates, noncharacters. Not here: U+FE0F, which is in every other emoji, and U+3000, the ordinary CJK space.
# Unicode 14, general categories Cc Cf Cs Zl Zp Zs, and Default_Ignorable_Code_Point.
_RANGES = (
    "\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u3164\ud800-\udfff\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
HIDDEN = re.compile(f"[{_RANGES}]")
HIDDEN_OR_BREAK = re.compile(f"[\t\n{_RANGES}]")
# What build systems obey where it stands in a log: GitHub's runner "::name ...::" at the start of a line and "##[name]"
# anywhere, the Azure Pipelines agent "##vso[area.event ...]" anywhere (actions/runner, ActionCommand.cs;
# microsoft/azure-pipelines-agent, Command.cs). Both search as .NET's culture does, which skips characters without
# weight, so that any character beyond ASCII may stand between.
_WIDE = r"\x80-\U0010ffff"
_COMMANDS = re.compile(
    rf"(?<![#{_WIDE}])[#{_WIDE}]++(?=(?:v[{_WIDE}]*s[{_WIDE}]*o[{_WIDE}]*)?\[)|^[\s{_WIDE}]*+:[{_WIDE}]*+:",
    re.IGNORECASE,
)


def visible(text: str) -> str:
    """One line of plain text: each hidden character, tab and line break as its number, as in "[U+202E]".

    A terminal or an XML reader that is handed the result obeys no escape sequence in it and sees no forged line. A
    build system that reads it in a log finds no command: the hashes or colons of one become numbers too.
    """
    shown = HIDDEN_OR_BREAK.sub(lambda found: f"[{code(found[0])}]", text)
    return _COMMANDS.sub(lambda found: re.sub("[#:]", lambda sign: f"[{code(sign[0])}]", found[0]), shown)


def code(character: str) -> str:
    """The character's number in Unicode's own notation, as in "U+202E"."""
    return f"U+{ord(character):04X}"


def cut(text: str, limit: int) -> str:
    """The first `limit` characters, and how many more there are."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} … ({len(text) - limit:,} more characters)"
