"""Whether two answers to one question say the same, by their words: a probability of equivalence, with reasons.

No model is called. Before any word is compared: a refusal, a block by a filter, an empty answer and one that was cut
off are behaviour. One side alone scores 0; both are a match, save that two answers that were cut off are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.comparators._text.answers import compare_answers, compare_overlap, comparison
from harness.comparators._text.model import Model, default, load
from harness.comparators._text.overlap import OVERLAPS
from harness.core.case import Case
from harness.core.output import Output
from harness.core.verdict import Comparison
from harness.errors import ConfigError, UnknownName

MODEL = "model"
MEASURES = (MODEL, *OVERLAPS)


@dataclass(frozen=True, slots=True)
class TextSimilarity:
    """value: the score, 1 for the same. Status: match where the verdict is "same", else mismatch.

    A verdict of "not shown" is a mismatch too: what is not shown to be the same does not pass as the same.
    """

    model: Model
    complete: bool
    fitted: str  # "shipped" or "calibrated"
    measure: str
    name: str = "text_similarity"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits: 1 is the same."""
        return ("score",)

    def signature(self) -> str:
        if self.measure != MODEL:
            return f"{self.name}|measure:{self.measure}"
        return f"{self.name}|complete:{str(self.complete).lower()}|model:{self.fitted}:{self.model.sha256[:12]}"

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if self.measure != MODEL:
            return comparison(self, case, compare_overlap(source, target, self.measure))
        return comparison(self, case, compare_answers(source, target, case, self.model, complete=self.complete))


def build(*, complete: bool = True, calibration: str | None = None, measure: str = MODEL) -> TextSimilarity:
    """`[comparators.NAME] use = "text_similarity"`.

    complete (true): whatever differs between rewordings counts, though the question may be answered without it: a
    sentence more or less, another number or name. calibration: a file that `parity calibrate` wrote; a suite's is
    relative to the suite. measure: "model", or "rouge_l" or "chrf" as their reference packages count them, to which the
    other options mean nothing. Raises ConfigError where an option is of the wrong kind or the file is no calibration.
    """
    if not isinstance(complete, bool):
        raise ConfigError(f"text_similarity: complete must be true or false, not {complete!r}.")
    if measure not in MEASURES:
        raise UnknownName("text_similarity", "measure", str(measure), MEASURES)
    if measure != MODEL and calibration is not None:
        raise ConfigError(f"text_similarity: measure {measure} takes no calibration.")
    if calibration is None:
        return TextSimilarity(default(), complete, "shipped", measure)
    if not isinstance(calibration, str) or not calibration:
        raise ConfigError(f"text_similarity: calibration must name a file, not {calibration!r}.")
    return TextSimilarity(load(Path(calibration)), complete, "calibrated", measure)
