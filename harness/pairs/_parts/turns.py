"""The turns of a conversation: who speaks when, and whether it all fits. What their parts become is in `contents`."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from harness.core.chat import (
    Call,
    Conversation,
    File,
    Image,
    Message,
    Part,
    Result,
    Text,
    Value,
    text_of,
)
from harness.errors import UnencodableRequest
from harness.pairs._parts import contents
from harness.pairs._parts.fit import Losses, Target

FILLER = "(The conversation begins with the assistant's turn.)"

# UTF-8 bytes a token, rounded toward more tokens: English runs at about 4, code and JSON at 3, Chinese at 3 to 4.5.
BYTES_PER_TOKEN = 3
IMAGE_TOKENS = 1600  # the most that Claude counts for one picture; gpt-4o counts at most about 1,500


def carry(conversation: Conversation, target: Target, losses: Losses) -> Conversation:
    """The conversation as the target takes it; tools and formats are left alone."""
    system = tuple(contents.carry(conversation.system, target, losses))
    messages = [
        replace(
            message, content=tuple(contents.carry(message.content, target, losses)), name=_name(message, target, losses)
        )
        for message in conversation.messages
    ]
    messages = [_ordered(message, target, losses) for message in messages]
    messages = _without_empty(messages, losses)
    if not messages:
        raise UnencodableRequest("nothing that the target can be asked is left of the conversation.")
    if system and target.accepts("system") is not True:
        system, messages = _system_in_turn(system, messages, target, losses)
    if target.api.alternate:
        messages = _alternating(messages, target, losses)
    messages = _with_ids(messages, losses)
    messages = _prefill(messages, target, losses)
    if target.api.prompt:
        reason = "the body holds one text, built of the turns by the model's template"
        losses.change("prompt_form", "turns", "a prompt", reason)
        system, messages = _one_text(system), [replace(one, content=_one_text(one.content)) for one in messages]
    return replace(conversation, system=system, messages=tuple(messages))


def check_length(conversation: Conversation, target: Target, losses: Losses) -> None:
    """A departure where the prompt, counted generously, is longer than the target reads."""
    most = target.family.input_tokens
    if most is None:
        return
    about = tokens(conversation)
    if about > most:
        reason = f"about {BYTES_PER_TOKEN} bytes a token: model {target.family.name} may refuse it as too long"
        losses.change("context_length", f"more than {most} tokens", f"{most} tokens", reason)


def tokens(conversation: Conversation) -> int:
    """How many tokens a prompt takes at most, by its bytes; documents, sound and film as files are not counted."""
    size = images = 0
    queue: list[Part] = [*conversation.system, *(part for one in conversation.messages for part in one.content)]
    while queue:
        part = queue.pop()
        match part:
            case Text():
                size += len(part.text.encode())
            case Value():
                size += len(json.dumps(part.value, ensure_ascii=False).encode())
            case Call():
                size += len((part.raw or json.dumps(part.arguments, ensure_ascii=False)).encode())
            case Result():
                queue.extend(part.content)
            case File(text=str() as text):
                size += len(text.encode())
            case Image():
                images += 1
            case _:
                pass
    size += sum(len(json.dumps(dict(tool.schema))) + len(tool.description or "") for tool in conversation.tools)
    return math.ceil(size / BYTES_PER_TOKEN) + images * IMAGE_TOKENS


def _one_text(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return (Text(text_of(parts)),) if parts else ()


def _name(message: Message, target: Target, losses: Losses) -> str | None:
    if message.name is None or target.accepts("message_name") is not False:
        return message.name
    losses.drop("message_name", "given", target.who("message_name"))
    return None


def _ordered(message: Message, target: Target, losses: Losses) -> Message:
    """Where calls and results are messages of their own, they have a fixed place: results first, calls last."""
    if target.api.alternate:
        return message
    results = [part for part in message.content if isinstance(part, Result)]
    calls = [part for part in message.content if isinstance(part, Call)]
    others = [part for part in message.content if not isinstance(part, Result | Call)]
    ordered = (*results, *others, *calls)
    if ordered != message.content:
        reason = f"{target.api.title} puts results before the turn's text and calls after it"
        losses.change("message_order", "text among tool calls or results", "moved", reason)
    return replace(message, content=ordered)


def _without_empty(messages: list[Message], losses: Losses) -> list[Message]:
    kept = [message for message in messages if message.content]
    if len(kept) < len(messages):
        losses.drop("message_order", "a turn of which nothing is left", "no API takes a turn without content")
    return kept


def _system_in_turn(
    system: tuple[Part, ...], messages: list[Message], target: Target, losses: Losses
) -> tuple[tuple[Part, ...], list[Message]]:
    place = "in the first turn" if target.accepts("system") else None
    losses.change("system", "given", place, f"model {target.family.name} has no system text of its own")
    if place is None:
        return (), messages
    texts = tuple(part for part in system if isinstance(part, Text))
    if messages[0].role != "user":
        return (), [Message("user", texts), *messages]
    return (), [replace(messages[0], content=(*texts, *messages[0].content)), *messages[1:]]


def _alternating(messages: list[Message], target: Target, losses: Losses) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            merged[-1] = replace(merged[-1], content=(*merged[-1].content, *message.content))
            results = all(isinstance(part, Result) for part in message.content)
            if not results:  # results of several calls are one turn to every service that alternates
                reason = f"{target.api.title} wants the turns to alternate"
                losses.change("message_order", "turns of one speaker in a row", "one turn", reason)
        else:
            merged.append(message)
    if merged[0].role != "user":
        losses.change(
            "message_order", "the assistant speaks first", "a user's turn before it", f"{target.api.title} wants one"
        )
        merged.insert(0, Message("user", (Text(FILLER),)))
    return merged


def _with_ids(messages: list[Message], losses: Losses) -> list[Message]:
    """Calls and results without an id get one each, in order: every target pairs them by id."""
    made = answered = 0
    out = []
    for message in messages:
        parts: list[Part] = []
        for part in message.content:
            if isinstance(part, Call) and part.id is None:
                made += 1
                losses.change("tool_call", "no id", "numbered", "the target pairs calls and results by id")
                parts.append(replace(part, id=f"call_{made}"))
            elif isinstance(part, Result):
                if part.id is None:
                    answered += 1
                    losses.change("tool_result", "no id", "numbered", "the target pairs calls and results by id")
                # The name of the tool is told by the call that the id names.
                parts.append(replace(part, id=part.id or f"call_{answered}", name=None))
            else:
                parts.append(part)
        out.append(replace(message, content=tuple(parts)))
    return out


def _prefill(messages: list[Message], target: Target, losses: Losses) -> list[Message]:
    last = messages[-1]
    if last.role != "assistant" or any(isinstance(part, Call) for part in last.content):
        return messages
    way = target.accepts("prefill")
    if way == "continued":
        return messages
    if way == "answered":
        reason = f"{target.api.title} answers after such a turn instead of going on with it"
        losses.change("prefill", "the answer's beginning", "a finished turn", reason)
        return messages
    losses.drop("prefill", "the answer's beginning", target.who("prefill"))
    if len(messages) == 1:
        raise UnencodableRequest("the conversation is nothing but the beginning of an answer.")
    return messages[:-1]
