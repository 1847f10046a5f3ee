"""The same questions put to every comparator: wrong kinds, identity, bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from harness.core.case import Case, Json, Provenance, Recording, Request, Task
from harness.core.output import (
    Chat,
    Document,
    Embedding,
    Filter,
    Hit,
    Images,
    Output,
    Retrieved,
    SafetyAction,
    Scores,
    StopReason,
    ToolCall,
    Trajectory,
    kind,
)
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status

ONE_OF_EACH: tuple[Output, ...] = (
    Scores(np.array([[0.5]]), ("0",)),
    Embedding(np.ones((1, 3))),
    Chat(text="an answer"),
    Images(images=(b"x",)),
    Document(value={"a": 1}),
    Retrieved(hits=(Hit(document="d", text="t"),)),
    SafetyAction(blocked=False),
    Trajectory(steps=()),
)
BLOCKED = Chat(text="", filter=Filter(blocked=True, where="prompt"), stop=StopReason.FILTER)
REFUSED = Chat(text="", refusal="I cannot help with that.", stop=StopReason.REFUSAL)
EMPTY = Chat(text=" \n")


def case(
    name: str = "c-1",
    *,
    slices: Mapping[str, str] | None = None,
    request: Request | None = None,
    expected: Json = None,
) -> Case:
    recording = Recording(
        id=name, service="s", operation="o", provenance=Provenance(captured_at=None, captured_from="t")
    )
    return Case(
        id=name,
        suite="t",
        request=request or Request(Task.CHAT, None),
        recording=recording,
        cluster=name,
        slices=slices or {},
        expected=expected,
    )


def calls(*named: tuple[str, Json]) -> Chat:
    """A chat answer that calls these tools."""
    made = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in named)
    return Chat(text="", tool_calls=made, stop=StopReason.TOOL)


def check_said(comparator: Comparator, found: Comparison) -> None:
    """What holds of every comparison: a value in [0, 1] unless incomparable, a reason unless it matches, settings."""
    assert found.comparator == comparator.signature()
    if found.status is Status.INCOMPARABLE:
        assert found.value is None
    else:
        assert found.value is not None
        assert 0 <= found.value <= 1
        assert found.distance is None or math.isfinite(found.distance)
    assert found.reason or found.status is Status.MATCH


def check_kinds(comparator: Comparator, good: Iterable[Output]) -> None:
    """A source of the wrong kind is incomparable, a target of the wrong kind a mismatch; the reason names the kind."""
    good = tuple(good)
    for right in good:
        for wrong in ONE_OF_EACH:
            if type(wrong) in map(type, good):
                continue
            found = comparator.compare(wrong, right, case=case())
            assert (found.status, found.value) == (Status.INCOMPARABLE, None)
            assert f"source answered with {kind(wrong)}" in found.reason
            found = comparator.compare(right, wrong, case=case())
            assert found.status is Status.MISMATCH
            assert f"target answered with {kind(wrong)}" in found.reason
            check_said(comparator, found)


def check_conduct(comparator: Comparator, answer: Chat) -> None:
    """A refusal, a block and an empty answer on one side alone are a mismatch; on both they match."""
    for silent, told in ((BLOCKED, "blocked by a filter on the prompt"), (REFUSED, "refuses"), (EMPTY, "empty")):
        for pair in ((answer, silent), (silent, answer)):
            found = comparator.compare(*pair, case=case())
            assert found.status is Status.MISMATCH
            assert told in found.reason
            check_said(comparator, found)
        assert comparator.compare(silent, silent, case=case()).status is Status.MATCH
    assert comparator.compare(BLOCKED, REFUSED, case=case()).status is Status.MATCH
    assert comparator.compare(BLOCKED, EMPTY, case=case()).status is Status.MISMATCH
