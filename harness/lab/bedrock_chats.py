"""InvokeModel bodies that list messages: Nova, Mistral's chat form, Jamba, gpt-oss, Cohere Command R.

Source: Amazon Bedrock user guide and Amazon Nova user guide, request and response of each family.
"""

from __future__ import annotations

import time
from typing import Any

from harness.lab import converse, openai_answers, openai_body
from harness.lab.bedrock_bodies import Asked, Body, Family
from harness.lab.chat.prompt import LENGTH, STOP_SEQUENCE, TOOL, Prompt, Said, Tool, Turn, pieces


def _nova(body: Body) -> Prompt:
    return converse.prompt_of({name: value for name, value in body.items() if name != "schemaVersion"})


def _nova_answer(asked: Asked, said: Said) -> Body:
    whole = converse.answer(asked, said, 0)
    return {name: value for name, value in whole.items() if name != "metrics"}


NOVA = Family(
    required=frozenset({"messages"}),
    known=frozenset({"schemaVersion", "system", "inferenceConfig", "toolConfig", "reasoningConfig"}),
    read=_nova,
    write=_nova_answer,
    stream=lambda asked, said: [{name: document} for name, document in converse.events(asked, said, 0)],
)


# Bodies in the form of OpenAI's chat completions, each with its own word for why it stopped.


def _openai_prompt(body: Body) -> Prompt:
    choice = body.get("tool_choice")
    try:
        return openai_body.prompt({**body, "tool_choice": "required" if choice == "any" else choice}, reasons=False)
    except openai_body.Invalid as exc:
        raise ValueError(str(exc)) from exc


def _openai_asked(asked: Asked) -> openai_answers.Asked:
    return openai_answers.Asked(
        prompt=asked.prompt, id=asked.id[:24], model=asked.model, created=int(time.time()), usage_asked=True
    )


def _openai_answer(asked: Asked, said: Said) -> Body:
    whole = openai_answers.chat(_openai_asked(asked), said)
    for choice in whole["choices"]:
        del choice["content_filter_results"]
    return {name: value for name, value in whole.items() if name != "prompt_filter_results"}


def _openai_stream(asked: Asked, said: Said) -> list[Body]:
    chunks = openai_answers.chat_chunks(_openai_asked(asked), said)[1:]
    for chunk in chunks:
        for choice in chunk["choices"]:
            choice.pop("content_filter_results", None)
    return chunks


def _mistral_answer(asked: Asked, said: Said) -> Body:
    return {"choices": [_renamed(choice) for choice in _openai_answer(asked, said)["choices"]]}


def _mistral_stream(asked: Asked, said: Said) -> list[Body]:
    chunks = _openai_stream(asked, said)
    made: list[Body] = [
        {"choices": [_renamed(one) for one in chunk["choices"]]} for chunk in chunks if chunk["choices"]
    ]
    for chunk in made:  # its streams have whole messages where others have deltas
        for choice in chunk["choices"]:
            choice["message"] = {"role": "assistant", "content": "", **choice.pop("delta")}
    return made


def _renamed(choice: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in choice.items() if name not in ("finish_reason", "logprobs")}
    return kept | {"stop_reason": choice["finish_reason"]}


_OPENAI = frozenset(
    {"max_tokens", "temperature", "top_p", "stop", "n", "tools", "tool_choice", "response_format", "seed"}
    | {"presence_penalty", "frequency_penalty", "max_completion_tokens", "reasoning_effort", "model", "stream"}
)
MISTRAL_CHAT = Family(
    required=frozenset({"messages"}),
    known=frozenset({"max_tokens", "temperature", "top_p", "stop", "tools", "tool_choice"}),
    read=_openai_prompt,
    write=_mistral_answer,
    stream=_mistral_stream,
)
JAMBA = Family(
    required=frozenset({"messages"}),
    known=_OPENAI - {"model", "stream", "reasoning_effort", "max_completion_tokens"},
    read=_openai_prompt,
    write=_openai_answer,
    stream=_openai_stream,
)
GPT_OSS = Family(
    required=frozenset({"messages"}),
    known=_OPENAI,
    read=_openai_prompt,
    write=_openai_answer,
    stream=_openai_stream,
)


# Cohere Command R: the last message apart from the history, the system text as `preamble`.

_SCHEMA_WORDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def _cohere(body: Body) -> Prompt:
    told = [
        Turn(role="user" if turn["role"] == "USER" else "assistant", text=turn["message"])
        for turn in body.get("chat_history", ())
    ]
    facts = "\n".join(document["snippet"] for document in body.get("documents", ()))
    message = f"{facts}\n\n{body['message']}" if facts else body["message"]
    return Prompt(
        system=body.get("preamble", ""),
        turns=(*told, Turn(role="user", text=message)),
        tools=tuple(map(_cohere_tool, body.get("tools", ()))),
        max_tokens=body.get("max_tokens"),
        stop=tuple(body.get("stop_sequences", ())),
    )


def _cohere_tool(tool: dict[str, Any]) -> Tool:
    properties = {
        name: {"type": _SCHEMA_WORDS.get(said["type"], said["type"])}
        for name, said in tool.get("parameter_definitions", {}).items()
    }
    schema = {"type": "object", "properties": properties}
    return Tool(name=tool["name"], description=tool.get("description", ""), schema=schema)


def _cohere_answer(asked: Asked, said: Said) -> Body:
    reasons = {LENGTH: "MAX_TOKENS", STOP_SEQUENCE: "STOP_SEQUENCE", TOOL: "COMPLETE"}
    whole: Body = {
        "response_id": asked.id,
        "generation_id": asked.id[::-1],
        "text": said.text,
        "chat_history": [],
        "finish_reason": reasons.get(said.stop, "COMPLETE"),
    }
    calls = [{"name": call.name, "parameters": dict(call.arguments)} for call in said.calls]
    return whole | ({"tool_calls": calls} if calls else {})


def _cohere_stream(asked: Asked, said: Said) -> list[Body]:
    whole = _cohere_answer(asked, said)
    chunks: list[Body] = [{"event_type": "stream-start", "generation_id": asked.id, "is_finished": False}]
    chunks += [{"event_type": "text-generation", "text": piece, "is_finished": False} for piece in pieces(said.text)]
    if "tool_calls" in whole:
        chunks.append({"event_type": "tool-calls-generation", "tool_calls": whole["tool_calls"], "is_finished": False})
    end = {"event_type": "stream-end", "is_finished": True, "finish_reason": whole["finish_reason"]}
    return [*chunks, end | {"response": whole}]


COHERE = Family(
    required=frozenset({"message"}),
    known=frozenset(
        {"chat_history", "preamble", "documents", "max_tokens", "temperature", "p", "k", "seed", "stop_sequences"}
        | {"tools", "tool_results", "frequency_penalty", "presence_penalty", "prompt_truncation", "search_queries_only"}
    ),
    read=_cohere,
    write=_cohere_answer,
    stream=_cohere_stream,
)
