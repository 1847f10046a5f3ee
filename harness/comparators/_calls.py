"""Calls of tools on two sides: which of the source's the target made, and how they differ.

Modes, in the words of agent evaluation: `exact` the same calls in the same order; `unordered` the same calls in any
order; `in_order` the source's calls in their order, further ones allowed between; `any_order` the source's calls in any
order, further ones allowed; `subset` no call that the source did not make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.comparators._json.forms import key_of
from harness.comparators._json.walk import Walk, short, too_deep
from harness.core.output import ToolCall

MODES = ("exact", "unordered", "in_order", "any_order", "subset")
# Calls beyond this many on a side are compared as text, without tolerances: no agent makes so many that are read.
MANY = 300


@dataclass(frozen=True, slots=True)
class Matched:
    """share: of the calls that the mode asks about, those that match, in [0, 1]; 1 exactly when `reasons` is empty."""

    share: float
    reasons: tuple[str, ...]


def match(source: Sequence[ToolCall], target: Sequence[ToolCall], *, mode: str, walk: Walk) -> Matched:
    """Hold the target's calls against the source's. Rules of `walk` start with the tool's name."""
    same = _same(source, target, walk)
    paired = _in_order if mode in ("exact", "in_order") else _any_order
    pairs = paired(source, target, same)
    lost = [at for at in range(len(source)) if at not in {one for one, _ in pairs}]
    added = [at for at in range(len(target)) if at not in {other for _, other in pairs}]
    if mode in ("in_order", "any_order"):
        asked, bad = len(source), len(lost)
    elif mode == "subset":
        asked, bad = len(target), len(added)
    else:
        asked, bad = len(source) + len(target), len(lost) + len(added)
    if not bad:
        return Matched(1.0, ())
    wanted_lost = lost if mode != "subset" else []
    wanted_added = added if mode in ("exact", "unordered", "subset") else []
    return Matched(1.0 - bad / asked, tuple(_reasons(source, target, (wanted_lost, lost), (wanted_added, added), walk)))


def told(call: ToolCall) -> str:
    """search(city="Oslo")."""
    if call.raw is not None:
        return f"{call.name}({short(call.raw)})"
    if isinstance(call.arguments, dict):
        inner = ", ".join(f"{name}={short(value, 40)}" for name, value in sorted(call.arguments.items()))
        return f"{call.name}({inner if len(inner) <= 160 else inner[:157] + '...'})"
    return f"{call.name}({short(call.arguments)})"


def _same(source: Sequence[ToolCall], target: Sequence[ToolCall], walk: Walk) -> list[list[bool]]:
    """Shape (source calls, target calls)."""
    if max(len(source), len(target)) > MANY:
        keys = [_key(call) for call in target]
        return [[_key(one) == key for key in keys] for one in source]
    return [[_equal(one, other, walk) for other in target] for one in source]


def _key(call: ToolCall) -> tuple[str, str]:
    return call.name, call.raw if call.raw is not None else key_of(call.arguments)


def _equal(one: ToolCall, other: ToolCall, walk: Walk) -> bool:
    if one.name != other.name:
        return False
    if one.raw is not None or other.raw is not None or too_deep(one.arguments) or too_deep(other.arguments):
        return one.raw == other.raw and one.arguments == other.arguments
    return walk.same(one.arguments, other.arguments, (one.name,))


def _in_order(source: Sequence[ToolCall], target: Sequence[ToolCall], same: list[list[bool]]) -> list[tuple[int, int]]:
    """The longest common subsequence."""
    longest = [[0] * (len(target) + 1) for _ in range(len(source) + 1)]
    for i in range(len(source) - 1, -1, -1):
        for j in range(len(target) - 1, -1, -1):
            longest[i][j] = longest[i + 1][j + 1] + 1 if same[i][j] else max(longest[i + 1][j], longest[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(source) and j < len(target):
        if same[i][j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _any_order(source: Sequence[ToolCall], target: Sequence[ToolCall], same: list[list[bool]]) -> list[tuple[int, int]]:
    """Each call with the first equal one that is free; equality under tolerances is near enough to transitive."""
    free = set(range(len(target)))
    pairs = []
    for i in range(len(source)):
        j = next((j for j in range(len(target)) if j in free and same[i][j]), None)
        if j is not None:
            free.remove(j)
            pairs.append((i, j))
    return pairs


def _reasons(
    source: Sequence[ToolCall],
    target: Sequence[ToolCall],
    lost: tuple[list[int], list[int]],
    added: tuple[list[int], list[int]],
    walk: Walk,
) -> list[str]:
    """In words. Of each pair of lists the first is what the mode minds, the second all that have no partner."""
    if not target:
        return [f"the target calls no tool, the source calls {told(source[at])}" for at in lost[0][:1]]
    reasons, explained = [], set()
    for at in lost[0]:
        one = source[at]
        twin = next((j for j in added[1] if j not in explained and target[j].name == one.name), None)
        if twin is None:
            reasons.append(f"the target does not call {told(one)}")
            continue
        explained.add(twin)
        reasons.append(_arguments(one, target[twin], walk))
    others = [target[j] for j in added[0] if j not in explained]
    if others and not source:
        reasons.append(f"the target calls {told(others[0])}, the source calls no tool")
    else:
        reasons += [f"the target also calls {told(call)}" for call in others]
    return reasons


def _arguments(one: ToolCall, other: ToolCall, walk: Walk) -> str:
    if other.raw is not None and one.raw is None:
        return f"{one.name}: the target's arguments are not JSON: {short(other.raw)}"
    if one.raw is not None or too_deep(one.arguments) or too_deep(other.arguments):
        return f"{one.name}: source {told(one)}, target {told(other)}"
    found = walk.differences(one.arguments, other.arguments, (one.name,))
    if not found:
        return f"{one.name} is called in another order"
    return "; ".join(f"argument {difference}" for difference in found[:3])
