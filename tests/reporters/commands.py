"""What two build systems find in a line of a log, by the rules of their own parsers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

# Texts that try to be commands, and what .NET's culture skips while it looks for them.
SMUGGLED = [
    "::error::owned", "::set-env name=PATH::x", "  ::stop-commands::token", "x\n::add-mask::GO", "x\r::warning::y",
    "##[error]x", "##[command]x", "x ##vso[task.complete result=Succeeded;]done", "a;type=x]y", "%AZP25 ;%5D",
    "###vso[task.setvariable variable=a]b", "##\u200bvso[task.setvariable variable=a]b", "##VSO[task.complete]x",
    "#\ufe0f#v\ufe0fso[task.complete]x", "\ufe0f::error::x", ":\ufe0f:error::x", "a,title=b::c%0A::error::d",
    "a]##vso[task.complete result=Succeeded;]", "100 %0D%0A::error::e",
]  # fmt: skip
PARTS = ["#", "::", ":", "##", "vso[", "[", "]", ";", "%", "\n", "\r", "\u2028", "error", " ", "\ufe0f", "x"]
TEXT: Any = st.one_of(st.sampled_from(SMUGGLED), st.lists(st.sampled_from(PARTS)).map("".join), st.text(max_size=30))


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    data: str


def lines(log: bytes) -> list[str]:
    return re.split("[\n\r]", log.decode())


def github(line: str) -> Command | None:
    """`::name k=v,k=v::data` at the start of a line, and the older `##[name k=v;k=v]data` anywhere in it."""
    seen = _weighty(line)
    found = re.match(r"\s*::([\w-]+)(?: ([^:]*))?::(.*)", seen)
    if found:
        pairs = dict(pair.split("=", 1) for pair in (found[2] or "").split(",") if "=" in pair)
        return Command(found[1], {key: _back(value, "%3A:", "%2C,") for key, value in pairs.items()}, _back(found[3]))
    older = re.search(r"##\[([^\]]*)\](.*)", seen)
    return Command(f"older {older[1]}", {}, older[2]) if older else None


def azure(line: str) -> Command | None:
    """`##vso[area.event k=v;k=v]data` anywhere in a line."""
    found = re.search(r"##vso\[([^\]\s]+)(?: ([^\]]*))?\](.*)", _weighty(line), re.IGNORECASE)
    if found is None:
        return None
    pairs = dict(pair.split("=", 1) for pair in (found[2] or "").split(";") if "=" in pair)
    return Command(
        found[1], {key: _back(value, "%3B;", "%5D]", percent="%AZP25") for key, value in pairs.items()}, found[3]
    )


def _weighty(line: str) -> str:
    """Without what has no weight when two texts are compared by culture."""
    return "".join(one for one in line if unicodedata.category(one) not in ("Cf", "Mn", "Me", "Cc"))


def _back(text: str, *pairs: str, percent: str = "%25") -> str:
    for pair in ("%0D\r", "%0A\n", *pairs):
        text = text.replace(pair[:3], pair[3])
    return text.replace(percent, "%")
