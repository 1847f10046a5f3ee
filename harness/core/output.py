"""What a side answers, in no service's own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from harness.core.case import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class StopReason(StrEnum):
    """Why a chat model stopped. What a service calls it stays in `Chat.stop_raw`.

    filter: a guardrail or content filter, on the prompt or on the completion. length: the limit on output, or the
    context window. other: malformed output, a pause, or a word that nobody has documented.
    """

    END = "end"
    LENGTH = "length"
    STOP_SEQUENCE = "stop_sequence"
    TOOL = "tool"
    FILTER = "filter"
    REFUSAL = "refusal"
    OTHER = "other"


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Numbers a model returned.

    values: float64, shape (rows, columns), one row a row of the request; NaN and infinities are kept as they came.
    columns: one name a column; ("0", "1", ...) where the service gave none.
    eq is off: == on arrays is not a yes or no.
    """

    values: NDArray[np.float64]
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.columns):
            raise ValueError(f"Scores of shape {self.values.shape} do not fit {len(self.columns)} column names")


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Vectors, one a text of the request in its order: float64, shape (texts, dimension)."""

    vectors: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2:
            raise ValueError(f"an Embedding has shape (texts, dimension), not {self.vectors.shape}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool. arguments: parsed; where they were no JSON, None, and `raw` holds their text.

    id: the service's own, which no comparison reads.
    """

    name: str
    arguments: Json
    id: str | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a guardrail or content filter said. blocked: it stopped the prompt or the completion.

    where: "prompt" or "completion"; None where the service does not tell. masked: it changed the text and let it pass.
    categories: the service's own category -> its own grade (Content Safety's severity, Guardrails' confidence or
    action), for those that were detected. They are different quantities and are never compared level by level.
    """

    blocked: bool
    where: str | None = None
    masked: bool = False
    categories: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One answer of a chat model.

    text: what the user reads, the text blocks joined; "" where there is none. value: the answer parsed, where the
    request asked for JSON and the text is JSON; `has_value` tells JSON's null from no value. reasoning: text of the
    thinking, never compared. refusal: the text of a refusal that the service itself marks as one. server_tool_calls:
    tools that the service ran by itself. stop_raw: the service's word.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    server_tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str | None = None
    value: Json = None
    has_value: bool = False
    refusal: str | None = None
    filter: Filter | None = None
    stop: StopReason = StopReason.END
    stop_raw: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing came: no text but white space, no tool call, no refusal. An outcome of its own."""
        return not (self.text.strip() or self.tool_calls or self.refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Pictures as bytes. filtered: how many were withheld by a filter. revised_prompt: what was drawn instead."""

    images: tuple[bytes, ...]
    filtered: int = 0
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A JSON value where the service answers with one: a registry entry, a report, any record."""

    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One retrieved passage. document: what it is from, the same name on both sides. span: (start, end) in characters
    of the document, None where the service does not tell. score: the service's own, comparable within one side only.
    """

    document: str
    text: str
    span: tuple[int, int] | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A stretch of an answer, (start, end) in characters, and the places in `Retrieved.hits`, from 0, it stands on."""

    span: tuple[int, int]
    hits: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """What a retrieval found, best first, and the answer that was made of it, None for a retrieval alone."""

    hits: tuple[Hit, ...]
    answer: Chat | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the text that was judged, (start, end) in characters, and what it is (EMAIL, NAME, ...)."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyAction:
    """What a filter did with a text. grades: category -> number (severity, confidence rank, score); see Filter.

    text: the text as it was let through, masked; None where it was blocked or left alone. spans: what was masked.
    """

    blocked: bool
    grades: Mapping[str, float] = field(default_factory=dict)
    text: str | None = None
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an agent. kind: "say" | "call" | "result"; `writes`: the call changes the world, None: not known."""

    kind: str
    text: str = ""
    call: ToolCall | None = None
    writes: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """What an agent did, in order. final_state: of the world afterwards; None where it is not known.

    reward: the task's own judgement of the outcome in [0, 1], None where there is none.
    """

    steps: tuple[Step, ...]
    final_state: Json = None
    reward: float | None = None


Output: TypeAlias = Scores | Embedding | Chat | Images | Document | Retrieved | SafetyAction | Trajectory


def kind(output: Output) -> str:
    """The output's word in messages and files: "scores", "embedding", "chat", ..."""
    return {"SafetyAction": "safety_action"}.get(type(output).__name__, type(output).__name__.lower())


def told(output: Output) -> str:
    """An output as a person reads it in a report."""
    match output:
        case Scores():
            return "\n".join(
                ", ".join(f"{name} = {float(value)!r}" for name, value in zip(output.columns, row, strict=True))
                for row in output.values
            )
        case Embedding():
            texts, dimension = output.vectors.shape
            return f"{texts} vector{'' if texts == 1 else 's'} of dimension {dimension}"
        case Chat():
            return _chat_told(output)
        case Images():
            return f"{len(output.images)} image{'' if len(output.images) == 1 else 's'}, {output.filtered} withheld"
        case Document():
            return json.dumps(output.value, ensure_ascii=False, indent=2, sort_keys=True)
        case Retrieved():
            found = [f"{place}. {hit.document}: {hit.text}" for place, hit in enumerate(output.hits, start=1)]
            return "\n".join([*found, *([_chat_told(output.answer)] if output.answer else [])])
        case SafetyAction():
            grades = ", ".join(f"{name} {grade:g}" for name, grade in sorted(output.grades.items()))
            return ("blocked" if output.blocked else output.text or "let through") + (f" ({grades})" if grades else "")
        case Trajectory():
            return "\n".join(
                f"{step.kind}: {_call_told(step.call) if step.call else step.text}" for step in output.steps
            )


def _chat_told(chat: Chat) -> str:
    lines = [chat.text] if chat.text else []
    lines += [_call_told(call) for call in chat.tool_calls]
    if chat.refusal:
        lines.append(f"[refusal] {chat.refusal}")
    if chat.filter is not None and chat.filter.blocked:
        lines.append(f"[blocked by a filter{f', {chat.filter.where}' if chat.filter.where else ''}]")
    if chat.stop not in (StopReason.END, StopReason.TOOL, StopReason.STOP_SEQUENCE):
        lines.append(f"[stopped: {chat.stop.value}]")
    return "\n".join(lines) or "[empty]"


def _call_told(call: ToolCall) -> str:
    arguments = call.raw if call.raw is not None else json.dumps(call.arguments, ensure_ascii=False, sort_keys=True)
    return f"{call.name}({arguments})"
