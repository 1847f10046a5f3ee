"""Whatever is asked, each target's codec can say what the pair made of it, and says nothing that is not told.

A request goes through the pair, into the target's real body, and is read back from it. Then it is the request of
before, apart from the fields that a departure names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.config import SideSettings
from harness.core import registry
from harness.core.call import Side
from harness.core.case import Lot, Provenance, Recording, Request, Task, Translation
from harness.core.chat import (
    CachePoint,
    Call,
    Conversation,
    File,
    Format,
    Image,
    Message,
    Part,
    Reasoning,
    Result,
    Text,
    Tool,
    ToolChoice,
    Value,
)
from harness.core.protocols import Service
from harness.errors import UnencodableRequest
from harness.pairs._parts.catalog import shipped
from harness.pairs._parts.params import HARMLESS

# InvokeModel's bodies that take few conversations at all; their codec says of each which field it cannot say.
NARROW = ("cohere", "command", "jurassic")
EXAMPLES = int(os.environ.get("PARITY_EXAMPLES", "25"))
WORDS = st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=8)
NAMES = st.from_regex(r"[a-z][a-z_]{0,7}", fullmatch=True)
VALUES = st.dictionaries(NAMES, st.none() | st.booleans() | st.integers(0, 9) | WORDS, max_size=2)
TEXTS = st.builds(Text, WORDS)
IMAGES = st.builds(
    Image, media_type=st.sampled_from(["image/png", "image/jpeg"]), data=st.binary(min_size=1, max_size=4)
)
FILES = st.builds(
    File,
    kind=st.just("document"),
    format=st.sampled_from(["pdf", "txt", "csv", "xlsx"]),
    name=NAMES,
    data=st.just(b"a"),
    citations=st.booleans(),
)
LINKS = st.builds(Image, url=st.just("https://example.com/a.png"), detail=st.none() | st.just("low"))
SAID = st.lists(TEXTS | IMAGES | FILES | LINKS | st.just(CachePoint()), min_size=1, max_size=3)
OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
STRICT: dict[str, Any] = {**OBJECT, "required": ["a"], "additionalProperties": False}
SCHEMAS = st.sampled_from([OBJECT, STRICT])
TOOLS = st.lists(
    st.builds(
        Tool,
        name=NAMES,
        description=st.none() | WORDS,
        schema=SCHEMAS,
        strict=st.none() | st.booleans(),
        cache=st.booleans(),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda tool: tool.name,
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": st.integers(1, 200_000),
        "temperature": st.sampled_from([0, 0.5, 1, 1.5]),
        "top_p": st.sampled_from([0.1, 0.99, 1]),
        "top_k": st.integers(1, 500),
        "stop": st.lists(WORDS, max_size=6),
        "seed": st.integers(0, 99),
        "n": st.integers(1, 3),
        "presence_penalty": st.sampled_from([-1, 0, 1]),
        "frequency_penalty": st.sampled_from([0, 0.5]),
        "logit_bias": st.just({"5": 1}),
        "logprobs": st.booleans(),
        "reasoning": st.sampled_from(
            [{"effort": "low"}, {"effort": "high"}, {"budget_tokens": 2048}, {"adaptive": True}, {"enabled": False}]
        ),
        "verbosity": st.just("low"),
        "parallel_tool_calls": st.booleans(),
        "service_tier": st.sampled_from(["default", "priority", "reserved"]),
        "latency": st.sampled_from(["standard", "optimized"]),
        "guardrail": st.just({"id": "g", "version": "1"}),
        "metadata": st.just({"team": "claims"}),
        "user": st.just("u"),
        "cache_key": st.just("k"),
        "store": st.booleans(),
        "stream": st.booleans(),
    },
)


@st.composite
def turns(draw: st.DrawFn) -> tuple[Message, ...]:
    """A conversation: who speaks when is free, calls are answered, and an answer may be begun."""
    messages: list[Message] = []
    for number in range(draw(st.integers(1, 3))):
        messages.append(Message("user", tuple(draw(SAID)), draw(st.none() | NAMES)))
        if not draw(st.booleans()):
            continue
        said: list[Part] = [draw(TEXTS)] if draw(st.booleans()) else []
        if draw(st.booleans()):
            said.insert(0, Reasoning(text="hm", signature="s"))
        if draw(st.booleans()):
            said.append(Call(id=f"c{number}", name="f", arguments=draw(VALUES)))
            content = tuple(draw(st.lists(TEXTS | st.builds(Value, VALUES) | IMAGES, min_size=1, max_size=2)))
            answer = Result(id=f"c{number}", content=content, error=draw(st.booleans()))
            messages += [Message("assistant", tuple(said)), Message("user", (answer,))]
        elif said:
            messages.append(Message("assistant", tuple(said)))
    return tuple(messages)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    tools = tuple(draw(TOOLS)) if draw(st.booleans()) else ()
    choice = draw(st.none() | st.sampled_from(["auto", "any", "none"]).map(ToolChoice)) if tools else None
    form = draw(
        st.none()
        | st.sampled_from(["text", "json"]).map(lambda kind: Format(kind=kind))
        | st.builds(
            Format,
            kind=st.just("schema"),
            name=st.none() | NAMES,
            schema=SCHEMAS,
            strict=st.none() | st.booleans(),
        )
    )
    conversation = Conversation(
        messages=draw(turns()),
        system=tuple(draw(st.lists(TEXTS, max_size=2))),
        tools=tools,
        tool_choice=choice,
        format=form,
    )
    return conversation.request(draw(PARAMS))


def ways() -> list[tuple[str, str, str, str]]:
    """(pair, source model, target model, form of its API): every chat family as a target, in every form it has."""
    found = []
    for pair, source in (
        ("bedrock_to_azure_openai", "claude-3-7-sonnet"),
        ("azure_openai_to_bedrock", "gpt-4o"),
        ("bedrock_to_foundry", "claude-3-7-sonnet"),
        ("foundry_to_bedrock", "claude-sonnet-4-5"),
    ):
        target = pair.partition("_to_")[2]
        for family in shipped().families[target].values():
            said = [api for api in family.apis if api != "invoke" or family.body not in NARROW]
            found += [(pair, source, family.name, api) for api in said if family.task == "chat"]
    return found


def service(name: str, form: str) -> Service:
    options = {"api": "messages" if form == "messages" else "chat"} if name == "foundry" else {}
    built: Service = registry.load("services", name, settings=SideSettings.nowhere(Side.SOURCE), **options)
    return built


def sent(translation: Translation, target: str) -> Recording:
    """What the target's codec sends, as a recording of it."""
    codec = service(target, str(translation.request.params["api"])).codec
    wire = codec.next(Lot("1", {"1": translation.request}), ())
    body = wire.body if isinstance(wire.body, bytes) else json.dumps(wire.body).encode()
    return Recording(
        id="1",
        service=target,
        operation=wire.operation,
        model=str(translation.request.params["model"]),
        request_headers=wire.headers,
        request_body=body,
        provenance=Provenance(captured_at=None, captured_from="test"),
    )


def read(recording: Recording) -> Request:
    codec = service(recording.service, recording.operation).codec
    request: Request = codec.read_request(recording)
    return request


@pytest.mark.parametrize("pair", sorted({pair for pair, *_ in ways()}))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), request_=requests())
def test_what_comes_back_from_the_targets_body_is_what_was_asked(pair: str, data: st.DataObject, request_: Request):
    source, target, api = data.draw(st.sampled_from([way[1:] for way in ways() if way[0] == pair]))
    built = registry.load("pairs", pair, source_model=source, target_model=target, api=api)
    try:
        translation = built.translate(request_)
    except UnencodableRequest:
        return  # said to the user, before a call
    back = read(sent(translation, built.target))
    told = {one.field for one in translation.departures}
    for field, before, after in differences(request_, back):
        assert told & fields_of(field), f"{field}: {before} became {after}, told: {sorted(told)}"


def fields_of(field: str) -> set[str]:
    """Departures that tell of a difference in a field."""
    also = {
        "text": {"system", "document", "message_order", "tool_call", "tool_result", "context_length"},
        "tool_call": {"tool_call", "tools"},
        "tools": {"tools", "tool_schema", "tool_choice", "cache_point"},
        "tool_choice": {"tool_choice", "tools"},
        "image": {"image", "tool_result"},
        "document": {"document", "citations"},
        "message_name": {"message_name", "message_order"},
        "parallel_tool_calls": {"parallel_tool_calls", "tools", "tool_choice"},
    }
    return {field, "prefill"} | also.get(field, set())


def differences(before: Request, after: Request) -> Iterable[tuple[str, Any, Any]]:
    """(field, before, after) of everything that is not the same, but for what says the same by saying nothing."""
    for name in sorted(before.params.keys() | after.params.keys() - {"model", "api"}):
        ours, theirs = before.params.get(name), after.params.get(name)
        if ours != theirs and not (theirs is None and ours in HARMLESS.get(name, ())):
            if name == "reasoning" and ours in (None, {"enabled": False}) and theirs in (None, {"effort": "none"}):
                continue
            yield name, ours, theirs
    one, other = Conversation.of(before), Conversation.of(after)
    parts = [list(_flat(both)) for both in (one, other)]
    kinds: dict[str, type | tuple[type, ...]] = {
        "image": Image,
        "document": File,
        "tool_call": Call,
        "tool_result": Result,
        "cache_point": CachePoint,
        "reasoning_content": Reasoning,
    }
    for field, kind in kinds.items():
        ours, theirs = ([part for part in flat if isinstance(part, kind)] for flat in parts)
        if list(map(_plain, ours)) != list(map(_plain, theirs)):
            yield field, ours, theirs
    texts = ["".join(part.text for part in flat if isinstance(part, Text)).replace("\n", "") for flat in parts]
    if texts[0] != texts[1]:
        yield "text", *texts
    if one.tools != other.tools:
        yield "tools", one.tools, other.tools
    if (one.tool_choice or ToolChoice("auto")) != (other.tool_choice or ToolChoice("auto")):
        yield "tool_choice", one.tool_choice, other.tool_choice
    forms = [None if form is None or form.kind == "text" else form for form in (one.format, other.format)]
    if forms[0] != forms[1] and not _same_form(*forms):
        yield "response_format", *forms
    if any(message.name for message in one.messages) != any(message.name for message in other.messages):
        yield "message_name", "named", "not"


def _same_form(before: Format | None, after: Format | None) -> bool:
    """Converse holds every answer to its schema: not saying that it is strict says that it is."""
    if before is None or after is None or before.strict is False:
        return False
    return (before.kind, before.name, before.schema) == (after.kind, after.name, after.schema) and after.strict is None


def _flat(conversation: Conversation) -> Iterable[Part]:
    for part in (*conversation.system, *(part for message in conversation.messages for part in message.content)):
        yield part
        if isinstance(part, Result):
            yield from (inner for inner in part.content if isinstance(inner, Image | File))


def _plain(part: Part) -> Part:
    """A result without what is looked at by itself; a document's text as the bytes it is."""
    if isinstance(part, File) and part.text is not None:
        return replace(part, data=part.text.encode(), text=None)
    if isinstance(part, Result):
        kept = tuple(inner for inner in part.content if not isinstance(inner, Image | File))
        return Result(id=part.id, content=kept, error=part.error)
    return part


def test_embeddings_come_back_from_the_targets_body():
    request = Request(
        Task.EMBEDDING, {"texts": ["a", "b"]}, {"model": "amazon.titan-embed-text-v2:0", "dimensions": 512}
    )
    translation = registry.load("pairs", "bedrock_to_azure_openai").translate(request)
    back = read(sent(translation, "azure_openai"))
    assert back.payload == {"texts": ["a", "b"]}
    assert back.params["dimensions"] == 512
