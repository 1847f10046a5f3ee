"""What passes between a server and the chat model: a prompt in no vendor's words, and what was said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

END, LENGTH, STOP_SEQUENCE, TOOL, FILTER = "end", "length", "stop_sequence", "tool", "filter"
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call; `raw` replaces the arguments' JSON where a fault breaks it."""

    name: str
    arguments: Mapping[str, Any]
    raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn. role: user or assistant. results: what tools gave back, as text, in a user's turn."""

    role: str
    text: str = ""
    calls: tuple[Call, ...] = ()
    results: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that may be called; schema: JSON Schema of its arguments."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One request. schema: JSON Schema that the answer must follow; json: the answer must be JSON.

    only_tool: a tool that must be called. max_tokens: reasoning counts.
    """

    turns: tuple[Turn, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    only_tool: str | None = None
    schema: Mapping[str, Any] | None = None
    json: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """What the user said last."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user" and turn.text), "")

    def instructed(self) -> Prompt:
        """The prompt with its system text; where there is none, the first paragraph of the user's is taken for it."""
        if self.system or not self.turns or not self.turns[-1].text:
            return self
        system, _, rest = self.turns[-1].text.partition("\n\n")
        return (
            replace(self, system=system, turns=(*self.turns[:-1], replace(self.turns[-1], text=rest))) if rest else self
        )

    @property
    def tokens(self) -> int:
        """How much there is to read; schemas of tools count."""
        words = [
            self.system,
            *(turn.text for turn in self.turns),
            *(text for turn in self.turns for text in turn.results),
        ]
        words += [f"{tool.name} {tool.description} {tool.schema}" for tool in self.tools]
        return sum(map(tokens, words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer. stop: a word of this module. reasoning_tokens: spent before the first word, part of `tokens`.

    prompt_blocked: the content filter let the prompt not through. matched: the stop sequence that ended it.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    stop: str = END
    reasoning_tokens: int = 0
    prompt_blocked: bool = False
    matched: str | None = None

    @property
    def tokens(self) -> int:
        """Tokens of the answer, reasoning included."""
        words = [self.text, *(f"{call.name} {dict(call.arguments)}" for call in self.calls)]
        return self.reasoning_tokens + sum(map(tokens, words))


def tokens(text: str) -> int:
    """Words and punctuation marks: the only tokenizer that both stand-ins have."""
    return len(_TOKEN.findall(text))


def ended(said: Said, prompt: Prompt) -> Said:
    """The answer as stop sequences and the limit on output leave it."""
    places = {word: said.text.find(word) for word in prompt.stop}
    found = [word for word, place in places.items() if place >= 0]
    if found:
        word = min(found, key=places.__getitem__)
        said = replace(said, text=said.text[: places[word]], stop=STOP_SEQUENCE, matched=word)
    if prompt.max_tokens is not None and said.tokens > prompt.max_tokens:
        said = replace(said, text=first_tokens(said.text, prompt.max_tokens), stop=LENGTH, matched=None)
    return said


def first_tokens(text: str, count: int) -> str:
    """The text up to the end of its `count`-th token."""
    for number, match in enumerate(_TOKEN.finditer(text), start=1):
        if number == count:
            return text[: match.end()]
    return text if count > 0 else ""


def pieces(text: str, *, size: int = 5) -> list[str]:
    """The text as a stream brings it: `size` tokens at a time, nothing lost."""
    starts = [match.start() for match in _TOKEN.finditer(text)][::size]
    if not starts:
        return [text] if text else []
    return [text[begin:end] for begin, end in zip([0, *starts[1:]], [*starts[1:], len(text)], strict=True)]
