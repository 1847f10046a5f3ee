"""Whether two answers to one question say the same, by their words: a probability of equivalence, with reasons.

No model is called. Before any word is compared: a refusal, a block by a filter, an empty answer and one that was cut
off are behaviour. One side alone scores 0; both are a match, save that two answers that were cut off are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from harness.comparators import not_of
from harness.comparators._conduct import unanswered
from harness.comparators._text.model import Model, default, load
from harness.comparators._text.refusing import refuses
from harness.comparators._text.similarity import Same, Similarity, compare_texts
from harness.core.case import Case
from harness.core.chat import question
from harness.core.output import Chat, Output, Retrieved, StopReason
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TextSimilarity:
    """value: the score, 1 for the same. Status: match where the verdict is "same", else mismatch.

    A verdict of "not shown" is a mismatch too: what is not shown to be the same does not pass as the same.
    """

    model: Model
    complete: bool
    fitted: str  # "shipped" or "calibrated"
    name: str = "text_similarity"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits: 1 is the same."""
        return ("score",)

    def signature(self) -> str:
        return f"{self.name}|complete:{str(self.complete).lower()}|model:{self.fitted}:{self.model.sha256[:12]}"

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        ours, theirs = _chat(source), _chat(target)
        if ours is None:
            return self._say(case, Status.INCOMPARABLE, None, not_of("chat", "source", source))
        if theirs is None:
            return self._say(case, Status.MISMATCH, 0.0, not_of("chat", "target", target))
        ours, theirs = _read_refusal(ours), _read_refusal(theirs)
        if settled := unanswered(ours, theirs):
            status, reason = settled
            return self._say(case, status, float(status is Status.MATCH), reason)
        found = _cut(ours, theirs)
        if found is None:
            asked = question(case.request)
            found = compare_texts(asked, ours.text, theirs.text, self.model, complete=self.complete)
        reason = "; ".join(found.reasons)
        if found.verdict is not Same.SAME:
            reason = f"{found.verdict}: {reason}" if reason else str(found.verdict)
        if found.uncalibrated:
            reason = f"{reason} (uncalibrated: {found.uncalibrated})".strip()
        status = Status.MATCH if found.verdict is Same.SAME else Status.MISMATCH
        return self._say(case, status, found.score, reason)

    def _say(self, case: Case, status: Status, value: float | None, reason: str) -> Comparison:
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=status,
            value=value,
            distance=None if value is None else 1 - value,
            unit="" if value is None else "1 - score",
            reason=reason,
        )


def _chat(output: Output) -> Chat | None:
    """The answer's text: a chat, or the answer that a retrieval made."""
    return output.answer if isinstance(output, Retrieved) else output if isinstance(output, Chat) else None


def _read_refusal(chat: Chat) -> Chat:
    """A refusal in plain text is one, though no service marks it."""
    return replace(chat, stop=StopReason.REFUSAL) if refuses(chat.text) else chat


def _cut(source: Chat, target: Chat) -> Similarity | None:
    """Where one answer alone was cut off; two that were are compared as they are."""
    ours, theirs = source.stop is StopReason.LENGTH, target.stop is StopReason.LENGTH
    if ours == theirs:
        return None
    return Similarity(
        score=0.0, verdict=Same.DIFFERENT, reasons=(f"the {'source' if ours else 'target'}'s answer is cut off",)
    )


def build(*, complete: bool = True, calibration: str | None = None) -> TextSimilarity:
    """`[comparators.NAME] use = "text_similarity"`.

    complete (true): a sentence that one answer has and the other lacks counts against the target, though the question
    may be answered without it. calibration: a file that `parity calibrate` wrote; a suite's is relative to the suite.
    Raises ConfigError where an option is of the wrong kind or the file is no calibration.
    """
    if not isinstance(complete, bool):
        raise ConfigError(f"text_similarity: complete must be true or false, not {complete!r}.")
    if calibration is None:
        return TextSimilarity(default(), complete, "shipped")
    if not isinstance(calibration, str) or not calibration:
        raise ConfigError(f"text_similarity: calibration must name a file, not {calibration!r}.")
    return TextSimilarity(load(Path(calibration)), complete, "calibrated")
