"""InvokeModel bodies that hold one text for a whole conversation: Titan Text, Llama, Mistral's text form, DeepSeek.

Each family marks the turns in its own way; a text without marks is one user's. Where a family has no place for a system
text, the model takes the first paragraph for one (`Prompt.instructed`).
Source: Amazon Bedrock user guide, the families' pages; the models' cards for their marks.
"""

from __future__ import annotations

import re
from typing import Any

from harness.lab.bedrock_bodies import Asked, Body, Family
from harness.lab.chat.prompt import FILTER, LENGTH, STOP_SEQUENCE, Prompt, Said, Turn, pieces

_LLAMA = re.compile(r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n(.*?)<\|eot_id\|>", re.DOTALL)
_MISTRAL = re.compile(r"\[INST\](.*?)\[/INST\]([^\[]*)", re.DOTALL)
_TITAN = re.compile(r"(?:^|\n)(User|Bot):(.*?)(?=\n(?:User|Bot):|\Z)", re.DOTALL)
_DEEPSEEK = re.compile("<｜(User|Assistant)｜>(.*?)(?=<｜|\\Z)", re.DOTALL)


def _turns(marked: list[tuple[str, str]], whole: str) -> tuple[Turn, ...]:
    """(role, text) pairs as turns, without the empty one that the model is to fill; the whole text where none is."""
    turns = tuple(Turn(role=role, text=text.strip()) for role, text in marked if text.strip())
    return turns or (Turn(role="user", text=whole),)


def _prompt(body: Body, *, text: str, system: str = "", marked: list[tuple[str, str]], limit: str, stop: str) -> Prompt:
    limits = body.get("textGenerationConfig", body)
    return Prompt(
        system=system,
        turns=_turns(marked, text),
        max_tokens=limits.get(limit),
        stop=tuple(limits.get(stop, ())),
    )


def _titan(body: Body) -> Prompt:
    text = body["inputText"]
    marked = [("user" if who == "User" else "assistant", said) for who, said in _TITAN.findall(text)]
    before = text.partition("User:")[0].strip() if marked else ""
    return _prompt(body, text=text, system=before, marked=marked, limit="maxTokenCount", stop="stopSequences")


def _titan_reason(said: Said) -> str:
    return {LENGTH: "LENGTH", STOP_SEQUENCE: "STOP_CRITERIA_MET", FILTER: "CONTENT_FILTERED"}.get(said.stop, "FINISH")


def _titan_answer(asked: Asked, said: Said) -> Body:
    result = {"tokenCount": said.tokens, "outputText": said.text, "completionReason": _titan_reason(said)}
    return {"inputTextTokenCount": asked.prompt.tokens, "results": [result]}


def _titan_stream(asked: Asked, said: Said) -> list[Body]:
    parts = pieces(said.text) or [""]
    return [
        {
            "outputText": part,
            "index": 0,
            "inputTextTokenCount": asked.prompt.tokens if number == 0 else None,
            "totalOutputTextTokenCount": said.tokens if number == len(parts) - 1 else None,
            "completionReason": _titan_reason(said) if number == len(parts) - 1 else None,
        }
        for number, part in enumerate(parts)
    ]


TITAN_TEXT = Family(
    required=frozenset({"inputText"}),
    known=frozenset({"textGenerationConfig"}),
    read=_titan,
    write=_titan_answer,
    stream=_titan_stream,
)


def _llama(body: Body) -> Prompt:
    text = body["prompt"]
    found = _LLAMA.findall(text)
    system = "\n\n".join(said for who, said in found if who == "system")
    marked = [(who, said) for who, said in found if who != "system"]
    return _prompt(body, text=text, system=system, marked=marked, limit="max_gen_len", stop="stop")


def _llama_answer(asked: Asked, said: Said) -> Body:
    return {
        "generation": said.text,
        "prompt_token_count": asked.prompt.tokens,
        "generation_token_count": said.tokens,
        "stop_reason": _stop_reason(said),
    }


def _stop_reason(said: Said) -> str:
    return "length" if said.stop == LENGTH else "stop"


def _llama_stream(asked: Asked, said: Said) -> list[Body]:
    parts = pieces(said.text) or [""]
    return [
        {
            "generation": part,
            "prompt_token_count": asked.prompt.tokens if number == 0 else None,
            "generation_token_count": number + 1 if number < len(parts) - 1 else said.tokens,
            "stop_reason": _stop_reason(said) if number == len(parts) - 1 else None,
        }
        for number, part in enumerate(parts)
    ]


LLAMA = Family(
    required=frozenset({"prompt"}),
    known=frozenset({"max_gen_len", "temperature", "top_p", "images"}),
    read=_llama,
    write=_llama_answer,
    stream=_llama_stream,
)


def _mistral(body: Body) -> Prompt:
    text = body["prompt"]
    marked = [turn for asked, said in _MISTRAL.findall(text) for turn in (("user", asked), ("assistant", _ended(said)))]
    return _prompt(body, text=text, marked=marked, limit="max_tokens", stop="stop")


def _ended(said: str) -> str:
    return said.replace("</s>", "")


def _outputs(_: Asked, said: Said) -> Body:
    return {"outputs": [{"text": said.text, "stop_reason": _stop_reason(said)}]}


def _outputs_stream(_: Asked, said: Said) -> list[Body]:
    return [{"outputs": [{"text": part, "stop_reason": reason}]} for part, reason in _parts(said)]


def _parts(said: Said) -> list[tuple[str, str | None]]:
    """(piece, stop reason): None until the last."""
    parts: list[Any] = [(part, None) for part in pieces(said.text) or [""]]
    return [*parts[:-1], (parts[-1][0], _stop_reason(said))]


_SAMPLED = frozenset({"max_tokens", "temperature", "top_p", "stop"})
MISTRAL_TEXT = Family(
    required=frozenset({"prompt"}),
    known=_SAMPLED | {"top_k"},
    read=_mistral,
    write=_outputs,
    stream=_outputs_stream,
)


def _deepseek(body: Body) -> Prompt:
    text = body["prompt"]
    found = _DEEPSEEK.findall(text)
    system = re.sub("^<[^>]*>", "", text.partition("<｜User")[0]) if found else ""
    marked = [("user" if who == "User" else "assistant", said.replace("<think>", "")) for who, said in found]
    return _prompt(body, text=text, system=system, marked=marked, limit="max_tokens", stop="stop")


DEEPSEEK = Family(
    required=frozenset({"prompt"}),
    known=_SAMPLED,
    read=_deepseek,
    write=lambda _, said: {"choices": [{"text": said.text, "stop_reason": _stop_reason(said)}]},
    stream=lambda _, said: [{"choices": [{"text": part, "stop_reason": reason}]} for part, reason in _parts(said)],
)
