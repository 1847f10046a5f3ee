"""Chat completions as the service writes them, whole and in chunks, with the content filter's annotations.

Source: Azure OpenAI REST reference, chat completions; "Content filtering": annotations, the error of a blocked prompt.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.lab.chat.prompt import END, FILTER, LENGTH, STOP_SEQUENCE, TOOL, Prompt, Said, pieces

FINISHES = {END: "stop", STOP_SEQUENCE: "stop", LENGTH: "length", TOOL: "tool_calls", FILTER: "content_filter"}
_CATEGORIES = ("hate", "self_harm", "sexual", "violence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer is written for. usage_asked: a stream is to end with token counts. created: seconds since 1970."""

    prompt: Prompt
    id: str
    model: str
    created: int
    usage_asked: bool = False
    n: int = 1


def chat(asked: Asked, said: Said) -> dict[str, Any]:
    """A chat completion."""
    return {
        **_head(asked, "chat.completion"),
        "choices": [
            {
                "index": index,
                "finish_reason": FINISHES[said.stop],
                "logprobs": None,
                "message": {
                    "role": "assistant",
                    "content": said.text or (None if said.calls else ""),
                    "refusal": None,
                    **({"tool_calls": _calls(asked, said)} if said.calls else {}),
                },
                "content_filter_results": _verdicts(violence="medium" if said.stop == FILTER else "safe"),
            }
            for index in range(asked.n)
        ],
        "prompt_filter_results": _on_prompt(),
        "usage": usage(asked, said),
    }


def chat_chunks(asked: Asked, said: Said) -> list[dict[str, Any]]:
    """The chunks of one: the filter's word on the prompt, role, deltas, the end, and token counts where asked for."""
    first = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": _on_prompt()}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if said.calls else "", "refusal": None}]
    deltas += [{"content": piece} for piece in pieces(said.text)]
    for index, call in enumerate(_calls(asked, said)):
        function = call["function"]
        deltas.append(
            {"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]}
        )
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in pieces(function["arguments"])
        ]
    chunks = [first, *(_chunk(asked, delta, None) for delta in deltas), _chunk(asked, {}, FINISHES[said.stop])]
    if asked.usage_asked:
        chunks.append({**_head(asked, "chat.completion.chunk"), "choices": [], "usage": usage(asked, said)})
    return chunks


def usage(asked: Asked, said: Said) -> dict[str, Any]:
    """Token counts; what was cached is inside the prompt's, what was reasoned inside the completion's."""
    read, written = asked.prompt.tokens, said.tokens
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": said.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def blocked() -> dict[str, Any]:
    """The error object of a prompt that the content filter did not let through."""
    return {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": _verdicts(violence="medium")
            | {"jailbreak": {"detected": False, "filtered": False}},
        },
    }


def _head(asked: Asked, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{asked.id}",
        "object": kind,
        "created": asked.created,
        "model": asked.model,
        "system_fingerprint": "fp_lab",
    }


def _chunk(asked: Asked, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    if delta.get("content"):
        choice["content_filter_results"] = _verdicts()
    return {**_head(asked, "chat.completion.chunk"), "choices": [choice]}


def _calls(asked: Asked, said: Said) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{asked.id[:20]}{number}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
        }
        for number, call in enumerate(said.calls)
    ]


def _on_prompt() -> list[dict[str, Any]]:
    verdicts = _verdicts() | {"jailbreak": {"detected": False, "filtered": False}}
    return [{"prompt_index": 0, "content_filter_results": verdicts}]


def _verdicts(*, violence: str = "safe") -> dict[str, Any]:
    safe = {name: {"filtered": False, "severity": "safe"} for name in _CATEGORIES}
    return safe | {"violence": {"filtered": violence != "safe", "severity": violence}}
