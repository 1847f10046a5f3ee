"""Hypothesis strategies: neutral conversations as chat APIs can say them, and the params beside them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from harness.core.chat import (
    Call,
    Conversation,
    File,
    Format,
    Image,
    Message,
    Result,
    Text,
    Tool,
    ToolChoice,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAME = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
NUMBER = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
TEXTS = st.builds(Text, TEXT)
IMAGES = st.builds(
    Image, media_type=st.sampled_from(["image/png", "image/jpeg"]), data=st.binary(max_size=12)
) | st.builds(Image, url=st.sampled_from(["https://example.org/a.png", "https://example.org/b.png"]))
DETAILED = st.builds(
    Image,
    media_type=st.just("image/png"),
    data=st.binary(max_size=12),
    detail=st.sampled_from(["low", "high", "auto"]),
)
DOCUMENTS = st.builds(
    File,
    kind=st.just("document"),
    format=st.sampled_from(["pdf", "txt", "csv", "html", "md"]),
    name=st.none() | NAME,
    data=st.binary(max_size=12),
)
SOUNDS = st.builds(File, kind=st.just("audio"), format=st.sampled_from(["wav", "mp3"]), data=st.binary(max_size=12))
CALLS = st.builds(Call, id=NAME, name=NAME, arguments=JSON) | st.builds(
    Call, id=NAME, name=NAME, arguments=st.none(), raw=st.sampled_from(["", '{"a', "no JSON", "NaN"])
)
# One text alone goes as a text, so that a list of one text cannot be told from it.
SAID = st.lists(TEXTS | IMAGES | DETAILED | DOCUMENTS | SOUNDS, min_size=1, max_size=3).map(tuple)
ANSWERED = st.lists(TEXTS, max_size=2).map(tuple)
RESULTS = st.lists(st.builds(Result, id=NAME, content=ANSWERED), min_size=1, max_size=2).map(tuple)


def turns(said: st.SearchStrategy[Any], *, named: bool = False) -> st.SearchStrategy[list[Message]]:
    """Turns of a conversation in which a tool's results follow the calls that asked for them."""
    name = st.none() | NAME if named else st.none()
    user = st.builds(Message, st.just("user"), said, name)
    answer = st.builds(
        Message,
        st.just("assistant"),
        st.tuples(ANSWERED, st.lists(CALLS, max_size=2).map(tuple)).map(lambda parts: parts[0] + parts[1]),
        name,
    )
    after_tools = st.builds(Message, st.just("user"), st.tuples(RESULTS, st.just(()) | said).map(lambda p: p[0] + p[1]))
    pair = st.tuples(user | after_tools, answer)
    return st.tuples(st.lists(pair, max_size=2), user).map(
        lambda parts: [message for two in parts[0] for message in two] + [parts[1]]
    )


TOOLS = st.lists(
    st.builds(
        Tool,
        name=NAME,
        description=st.none() | TEXT,
        schema=OBJECT,
        strict=st.none() | st.booleans(),
    ),
    max_size=2,
).map(tuple)
CHOICES = (
    st.none()
    | st.builds(ToolChoice, st.sampled_from(["auto", "any", "none"]))
    | st.builds(ToolChoice, st.just("tool"), NAME)
)
FORMATS = (
    st.none()
    | st.builds(Format, kind=st.sampled_from(["text", "json"]))
    | st.builds(
        Format,
        kind=st.just("schema"),
        name=NAME,
        description=st.none() | TEXT,
        schema=st.none() | OBJECT,
        strict=st.none() | st.booleans(),
    )
)
SYSTEM = st.lists(TEXTS, max_size=2).map(tuple)
PARAMS: dict[str, st.SearchStrategy[Any]] = {
    "model": NAME,
    "stream": st.booleans(),
    "max_tokens": st.integers(1, 4096),
    "temperature": st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "stop": st.lists(TEXT, min_size=1, max_size=4),
    "seed": st.integers(0, 2**31),
    "n": st.integers(1, 3),
    "presence_penalty": st.floats(-2, 2),
    "frequency_penalty": st.floats(-2, 2),
    "logit_bias": st.dictionaries(st.sampled_from(["50256", "1"]), st.integers(-100, 100)),
    "logprobs": st.booleans(),
    "top_logprobs": st.integers(0, 20),
    "reasoning": st.builds(dict, effort=st.sampled_from(["minimal", "low", "medium", "high", "none"])),
    "verbosity": st.sampled_from(["low", "high"]),
    "parallel_tool_calls": st.booleans(),
    "service_tier": st.sampled_from(["auto", "default"]),
    "cache_key": NAME,
    "metadata": st.dictionaries(NAME, TEXT, max_size=2),
    "user": NAME,
    "store": st.booleans(),
    "extra": st.builds(dict, safety_identifier=NAME),
}


def conversations(said: st.SearchStrategy[Any] = SAID, *, named: bool = False) -> st.SearchStrategy[Conversation]:
    return st.builds(
        Conversation,
        messages=turns(said, named=named).map(tuple),
        system=SYSTEM,
        tools=TOOLS,
        tool_choice=CHOICES,
        format=FORMATS,
    )


def params(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: PARAMS[name] for name in names or PARAMS})
