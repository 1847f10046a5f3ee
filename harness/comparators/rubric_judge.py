"""A model as judge, only where text_similarity is unsure: both orders, ties allowed, answers treated as hostile input.

The comparator holds no service. It says what it would ask (`ask`), the session sends that in the role of the judge and
hands the answers to `compare`. Without an answer that fits the schema, the score of the words stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.comparators import word
from harness.comparators._text.answers import compare_answers, comparison, prose
from harness.comparators._text.judging import EQUIVALENT, FIRST, SECOND, addresses_judge, request, verdict
from harness.comparators._text.model import Model, default
from harness.comparators._text.similarity import Same, Similarity
from harness.core.case import Case, Request
from harness.core.chat import question
from harness.core.output import Output
from harness.core.protocols import Judge
from harness.core.verdict import Comparison
from harness.errors import ConfigError

ACCOUNTS = ("source", "target")
TIE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricJudge:
    """value: 1 where both orders call the target equivalent or better, 0 where both call it worse, else 0.5: a tie.

    Cases that the words settle keep the score of the words, and are not asked.
    """

    rubric: str
    judge: Judge
    model: Model
    complete: bool
    name: str = "rubric_judge"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits: 1 is as good."""
        return ("score",)

    def signature(self) -> str:
        rubric = hashlib.sha256(self.rubric.encode()).hexdigest()[:12]
        who = f"{self.judge.service}/{word(self.judge.endpoint)}|vendor:{word(self.judge.vendor)}"
        settings = f"complete:{str(self.complete).lower()}|model:{self.model.sha256[:12]}"
        return f"{self.name}|judge:{who}|rubric:{rubric}|{settings}"

    def ask(self, source: Output, target: Output, *, case: Case) -> tuple[Request, ...]:
        """Both orders; nothing where the words settle it, or where an answer speaks to the judge."""
        found = compare_answers(source, target, case, self.model, complete=self.complete)
        ours, theirs = prose(source), prose(target)
        if isinstance(found, str) or found.verdict is not Same.NOT_SHOWN or ours is None or theirs is None:
            return ()
        if addresses_judge(ours.text) or addresses_judge(theirs.text):
            return ()
        asked, endpoint = question(case.request), self.judge.endpoint
        return (
            request(self.rubric, asked, ours.text, theirs.text, endpoint),
            request(self.rubric, asked, theirs.text, ours.text, endpoint),
        )

    def compare(
        self, source: Output, target: Output, *, case: Case, answers: Sequence[Output | None] = ()
    ) -> Comparison:
        """answers: what the judge said to each request of `ask`, in order; None for a call that failed."""
        found = compare_answers(source, target, case, self.model, complete=self.complete)
        if isinstance(found, str) or found.verdict is not Same.NOT_SHOWN:
            return comparison(self, case, found)
        if not self.ask(source, target, case=case):
            why = "an answer speaks to the judge, which was not asked"
            return comparison(self, case, _also(found, min(found.score, TIE), why))
        said = [verdict(answer) for answer in answers]
        if len(said) != 2 or None in said:
            return comparison(self, case, _also(found, found.score, "the judge gave no verdict in both orders"))
        return comparison(self, case, _judged(said[0], said[1], found))


def _judged(source_first: str | None, target_first: str | None, found: Similarity) -> Similarity:
    """One verdict of two orders."""
    # How the target fares: 0 worse, 1 equivalent, 2 better.
    fares = (
        {FIRST: 0, EQUIVALENT: 1, SECOND: 2}[str(source_first)],
        {FIRST: 2, EQUIVALENT: 1, SECOND: 0}[str(target_first)],
    )
    if min(fares) >= 1:
        words = "equivalent" if max(fares) == 1 else "no worse"
        return replace(found, score=1.0, verdict=Same.SAME, reasons=(f"the judge calls the target {words}",))
    if max(fares) == 0:
        return _also(replace(found, verdict=Same.DIFFERENT), 0.0, "the judge calls the target worse in both orders")
    return _also(found, TIE, "the judge contradicts itself when the order is turned: a tie")


def _also(found: Similarity, score: float, reason: str) -> Similarity:
    return replace(found, score=score, reasons=(reason, *found.reasons))


def build(
    *,
    rubric: str,
    service: str,
    endpoint: str,
    vendor: str,
    source_vendor: str,
    target_vendor: str,
    account: str = "target",
    calls: int = 1000,
    complete: bool = True,
) -> RubricJudge:
    """`[comparators.NAME] use = "rubric_judge"`.

    rubric: by what an answer is worse. service, endpoint: who judges, in the words of a side's service. vendor: who
    made the judge; source_vendor, target_vendor: who made the models that are judged. account: the side of the profile
    whose account is used. calls: ceiling of a run. complete: as for text_similarity.
    Raises ConfigError where an option is of the wrong kind, or where the judge's vendor made exactly one side.
    """
    texts = {"rubric": rubric, "service": service, "endpoint": endpoint, "vendor": vendor}
    for name, value in {**texts, "source_vendor": source_vendor, "target_vendor": target_vendor}.items():
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"rubric_judge: {name} must be a text that is not empty, not {value!r}.")
    if account not in ACCOUNTS:
        raise ConfigError(f'rubric_judge: account must be "source" or "target", not {account!r}.')
    if isinstance(calls, bool) or not isinstance(calls, int) or calls < 1:
        raise ConfigError(f"rubric_judge: calls must be a whole number of at least 1, not {calls!r}.")
    if not isinstance(complete, bool):
        raise ConfigError(f"rubric_judge: complete must be true or false, not {complete!r}.")
    made = [one.strip().casefold() == vendor.strip().casefold() for one in (source_vendor, target_vendor)]
    if made[0] != made[1]:
        side = "source" if made[0] else "target"
        raise ConfigError(
            f"rubric_judge: {vendor} made the judge and the {side} alone; models favour their own kind. Name a judge "
            "of another vendor, or one whose vendor made both sides."
        )
    who = Judge(service=service, endpoint=endpoint, account=account, vendor=vendor, calls=calls)
    return RubricJudge(rubric=rubric, judge=who, model=default(), complete=complete)
