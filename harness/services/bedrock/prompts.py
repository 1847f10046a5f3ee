"""Prompts that hold a whole conversation as one text, in the form that a model was trained on.

A prompt is parsed only where it has exactly a known form, so that it can be built again byte for byte; any other prompt
is one user's text, of form "raw". A conversation is written only where its texts cannot be taken for marks of the form.
Source: model cards of Llama 2, Llama 3, Mistral 7B Instruct and DeepSeek-R1; Bedrock user guide, "Anthropic Claude Text
Completions API" and "Amazon Titan Text models"; wire contracts D.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.core.chat import Conversation, Message, Text
from harness.errors import UnencodableRequest
from harness.services._chat import only_text

RAW = "raw"

Turns = tuple[str, ...]  # user, assistant, user, ...: the last is what the model answers to, or the answer's beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What stands before and after each text. cue: stands last, where the model is to write.

    system: None where the form has no place for one. system_inside: it stands within the first user's turn.
    """

    opening: str = ""
    system: tuple[str, str] | None = None
    system_inside: bool = False
    user: tuple[str, str]
    assistant: tuple[str, str]
    cue: str

    def join(self, system: str, turns: Turns) -> str:
        pieces = [self.opening]
        block = self.system[0] + system + self.system[1] if self.system is not None and system else ""
        pieces.append(self.user[0] + block if self.system_inside else block + self.user[0])
        last = len(turns) - 1
        for place, said in enumerate(turns):
            pieces.append(said)
            before, after = (self.user[1], self.assistant[0]) if place % 2 == 0 else (self.assistant[1], self.user[0])
            if place < last:
                pieces.append(before + after)
            elif place % 2 == 0:
                pieces.append(before + self.cue)
        return "".join(pieces)

    def split(self, prompt: str) -> tuple[str, Turns] | None:
        """What `join` may have been given; None where the prompt has another form."""
        found = self._begin(prompt)
        if found is None:
            return None
        system, rest = found
        turns: list[str] = []
        end, answers, asks = self.user[1] + self.cue, self.user[1] + self.assistant[0], self.assistant[1] + self.user[0]
        while True:
            at = rest.find(answers)
            if rest.endswith(end) and at in (-1, len(rest) - len(end)):
                turns.append(rest[: len(rest) - len(end)])
                break
            if at < 0:
                return None
            turns.append(rest[:at])
            said, more, rest = rest[at + len(answers) :].partition(asks)
            turns.append(said)
            if not more:
                break
        return system, tuple(turns)

    def _begin(self, prompt: str) -> tuple[str, str] | None:
        """The system text, and what follows the mark of the first user's turn."""
        if not prompt.startswith(self.opening):
            return None
        rest = prompt.removeprefix(self.opening)
        if self.system_inside:
            if not rest.startswith(self.user[0]):
                return None
            rest = rest.removeprefix(self.user[0])
            if self.system is None or not rest.startswith(self.system[0]):
                return "", rest
            system, mark, rest = rest.removeprefix(self.system[0]).partition(self.system[1])
            return (system, rest) if mark else None
        before, mark, rest = rest.partition(self.user[0])
        if not mark:
            return None
        if self.system is None or not before:
            return ("", rest) if not before else None
        if not before.startswith(self.system[0]) or not before.endswith(self.system[1]):
            return None
        return before[len(self.system[0]) : len(before) - len(self.system[1])], rest


def _header(role: str) -> tuple[str, str]:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>"


FORMS = {
    "llama3": Form(
        opening="<|begin_of_text|>",
        system=_header("system"),
        user=_header("user"),
        assistant=_header("assistant"),
        cue=_header("assistant")[0],
    ),
    "llama2": Form(
        system=("<<SYS>>\n", "\n<</SYS>>\n\n"),
        system_inside=True,
        user=("<s>[INST] ", " [/INST]"),
        assistant=(" ", " </s>"),
        cue="",
    ),
    "mistral": Form(opening="<s>", user=("[INST] ", " [/INST]"), assistant=(" ", "</s>"), cue=""),
    "claude2": Form(system=("", ""), user=("\n\nHuman: ", ""), assistant=("\n\nAssistant: ", ""), cue="\n\nAssistant:"),
    "titan": Form(user=("User: ", "\n"), assistant=("Bot: ", "\n"), cue="Bot:"),
    "deepseek": Form(
        opening="<｜begin▁of▁sentence｜>",
        system=("", ""),
        user=("<｜User｜>", ""),
        assistant=("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
        cue="<｜Assistant｜><think>\n",
    ),
}


def read(prompt: str, forms: Iterable[str]) -> tuple[Conversation, str]:
    """The conversation in a prompt, and its form: the first of `forms` that fits, else "raw"."""
    for name in forms:
        found = FORMS[name].split(prompt) if name in FORMS else None
        if found is not None and FORMS[name].join(*found) == prompt:
            system, turns = found
            messages = tuple(
                Message("assistant" if place % 2 else "user", (Text(said),)) for place, said in enumerate(turns)
            )
            return Conversation(messages=messages, system=(Text(system),) if system else ()), name
    return Conversation(messages=(Message("user", (Text(prompt),)),)), RAW


def write(conversation: Conversation, name: str, kind: str) -> str:
    """The prompt of a conversation in the form of that name. kind: of the body, for messages.

    Raises UnencodableRequest where the form has no place for what is said, or a text could be taken for its marks.
    """
    turns = tuple(only_text(message.content, kind, "a message") for message in conversation.messages)
    system = only_text(conversation.system, kind, "system")
    if name == RAW:
        if system or len(turns) != 1 or conversation.messages[0].role != "user":
            raise UnencodableRequest(f'{kind}: a prompt of form "raw" is one text of the user.')
        return turns[0]
    if name not in FORMS:
        raise UnencodableRequest(f'{kind}: no prompt has the form "{name}"; known are {", ".join(sorted(FORMS))}, raw.')
    form = FORMS[name]
    if system and form.system is None:
        raise UnencodableRequest(f'{kind}: a prompt of form "{name}" has no place for a system text.')
    if not turns or [one.role for one in conversation.messages] != (["user", "assistant"] * len(turns))[: len(turns)]:
        raise UnencodableRequest(f"{kind}: turns of a prompt alternate, and the user's is the first (message_order).")
    prompt = form.join(system, turns)
    if form.split(prompt) != (system, turns):
        raise UnencodableRequest(f'{kind}: a text holds what a prompt of form "{name}" takes for its own marks.')
    return prompt
