"""Two outputs held against each other as answers in prose: what came of the call first, then the words."""

from __future__ import annotations

from dataclasses import replace

from harness.comparators import not_of
from harness.comparators._conduct import unanswered
from harness.comparators._text.model import Model
from harness.comparators._text.overlap import OVERLAPS
from harness.comparators._text.refusing import refusals
from harness.comparators._text.similarity import Same, Similarity, compare_texts
from harness.core.case import Case
from harness.core.chat import question
from harness.core.output import Chat, Output, Retrieved, StopReason
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status


def compare_answers(source: Output, target: Output, case: Case, model: Model, *, complete: bool) -> Similarity | str:
    """The similarity; or why the source's own answer leaves nothing to compare with."""
    found = _answered(source, target)
    if not isinstance(found, tuple):
        return found
    return compare_texts(question(case.request), found[0].text, found[1].text, model, complete=complete)


def compare_overlap(source: Output, target: Output, measure: str) -> Similarity | str:
    """The same with a measure of OVERLAPS in place of the model: no verdict but "same" where it is 1."""
    found = _answered(source, target)
    if not isinstance(found, tuple):
        return found
    score = OVERLAPS[measure](found[0].text, found[1].text)
    return Similarity(score=score, verdict=Same.SAME if score >= 1 else Same.NOT_SHOWN, reasons=())


def _answered(source: Output, target: Output) -> tuple[Chat, Chat] | Similarity | str:
    """Both answers where their words are to be compared; else what came of the calls."""
    ours, theirs = prose(source), prose(target)
    if ours is None:
        return not_of("chat", "source", source)
    if theirs is None:
        return Similarity(score=0.0, verdict=Same.DIFFERENT, reasons=(not_of("chat", "target", target),))
    refused = refusals(ours.text, theirs.text)
    ours, theirs = (_refusal(chat) if of else chat for chat, of in zip((ours, theirs), refused, strict=True))
    if settled := unanswered(ours, theirs):
        same = settled[0] is Status.MATCH
        verdict = Same.SAME if same else Same.DIFFERENT
        return Similarity(score=float(same), verdict=verdict, reasons=(settled[1],))
    return _cut(ours, theirs) or (ours, theirs)


def prose(output: Output) -> Chat | None:
    """A chat, or the answer that a retrieval made; None for what holds no prose."""
    return output.answer if isinstance(output, Retrieved) else output if isinstance(output, Chat) else None


def comparison(comparator: Comparator, case: Case, found: Similarity | str) -> Comparison:
    """What a comparator says of it: a match where the verdict is "same"."""
    if isinstance(found, str):
        status = Status.INCOMPARABLE
        return Comparison(case_id=case.id, comparator=comparator.signature(), status=status, value=None, reason=found)
    reason = "; ".join(found.reasons)
    if found.verdict is not Same.SAME:
        reason = f"{found.verdict}: {reason}" if reason else str(found.verdict)
    if found.uncalibrated:
        reason = f"{reason} (uncalibrated: {found.uncalibrated})".strip()
    return Comparison(
        case_id=case.id,
        comparator=comparator.signature(),
        status=Status.MATCH if found.verdict is Same.SAME else Status.MISMATCH,
        value=found.score,
        distance=1 - found.score,
        unit="1 - score",
        reason=reason,
    )


def _refusal(chat: Chat) -> Chat:
    """A refusal in plain text is one, though no service marks it."""
    return replace(chat, stop=StopReason.REFUSAL)


def _cut(source: Chat, target: Chat) -> Similarity | None:
    """Where one answer alone was cut off; two that were are compared as they are."""
    ours, theirs = source.stop is StopReason.LENGTH, target.stop is StopReason.LENGTH
    if ours == theirs:
        return None
    said = f"the {'source' if ours else 'target'}'s answer is cut off"
    return Similarity(score=0.0, verdict=Same.DIFFERENT, reasons=(said,))
