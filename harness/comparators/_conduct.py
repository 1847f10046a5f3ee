"""Whether a chat model answered at all, told the same way by every comparator that reads chat.

A refusal, a block by a filter and an empty answer are behaviour, not failures: one side alone is a mismatch, both is a
match. A refusal on one side and a block on the other are both an answer withheld, and match; an empty answer is an
outcome of its own. A refusal in plain text that no service marks is text to this module.
"""

from __future__ import annotations

from harness.core.case import Case
from harness.core.output import Chat, StopReason
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import UnknownName

SCALES = ("flip", "score")

ANSWERED, WITHHELD, EMPTY = "answered", "withheld", "empty"


def conduct(chat: Chat) -> str:
    """ANSWERED, WITHHELD (refused or blocked) or EMPTY."""
    if _blocked(chat) or chat.refusal is not None or chat.stop is StopReason.REFUSAL:
        return WITHHELD
    return EMPTY if chat.empty else ANSWERED


def unanswered(source: Chat, target: Chat) -> tuple[Status, str] | None:
    """Match or mismatch with its reason where a side did not answer; None where both did."""
    was, now = conduct(source), conduct(target)
    if was == now == ANSWERED:
        return None
    if was == now:
        return Status.MATCH, f"neither side answered: {_told('source', source)}, {_told('target', target)}"
    return Status.MISMATCH, f"{_told('target', target)}, {_told('source', source)}"


def cut_short(chat: Chat) -> str:
    """', cut off at the limit on output' where it was, else ''."""
    return ", cut off at the limit on output" if chat.stop is StopReason.LENGTH else ""


def scale(where: str, value: object) -> str:
    """The option `as`. Raises UnknownName."""
    if value not in SCALES:
        raise UnknownName(where, "value of as", str(value), SCALES)
    return str(value)


def comparison(
    comparator: Comparator, scale: str, case: Case, status: Status, reason: str = "", *, score: float | None = None
) -> Comparison:
    """What a comparator with a `scale` says.

    flip: 1 for a mismatch, else 0. score: the share `score`, by default 1 for a match and 0 for a mismatch. On both,
    distance is 1 - score, so that reports list the widest mismatch first.
    """
    if status is Status.INCOMPARABLE:
        return Comparison(case_id=case.id, comparator=comparator.signature(), status=status, value=None, reason=reason)
    share = float(status is Status.MATCH) if score is None else score
    return Comparison(
        case_id=case.id,
        comparator=comparator.signature(),
        status=status,
        value=share if scale == "score" else float(status is Status.MISMATCH),
        distance=1.0 - share,
        unit="share that differs",
        reason=reason,
    )


def _blocked(chat: Chat) -> bool:
    return chat.stop is StopReason.FILTER or (chat.filter is not None and chat.filter.blocked)


def _told(side: str, chat: Chat) -> str:
    if _blocked(chat):
        where = f" on the {chat.filter.where}" if chat.filter is not None and chat.filter.where else ""
        return f"the {side}'s answer is blocked by a filter{where}"
    return {
        WITHHELD: f"the {side} refuses",
        EMPTY: f"the {side}'s answer is empty{cut_short(chat)}",
        ANSWERED: f"the {side} answers",
    }[conduct(chat)]
