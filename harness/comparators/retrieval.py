"""What a retrieval found, and whether the answer made of it stands on it.

Passages of the two sides are the same where they are of one document and share most of their text: the sides cut their
documents differently, so ids of chunks say nothing. One measure a metric; `measure` chooses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.comparators import not_of, number
from harness.comparators._conduct import ANSWERED, conduct
from harness.comparators._passages import named, same
from harness.comparators._support import sentences, supported
from harness.core.case import Case, Json
from harness.core.output import Hit, Output, Retrieved
from harness.core.ranking import ndcg_at, overlap_at, rbo, recall_at
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

# Against the source's ranking, or, with truth, against the relevant passages that the case names.
RANKINGS = ("recall", "ndcg", "rbo", "overlap")
OF_TRUTH = ("recall", "ndcg")
# Of the answer that was made of the passages; needs no other side.
ANSWERS = ("citation_precision", "citation_recall", "supported")
MEASURES = (*RANKINGS, *ANSWERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Rankings without `truth` are scores: how like the source's ranking. All else is of kind quality: the value is the
    second side's own measure, so that the gate holds the target's against the source's.

    k: how many passages count. p: how deep rank-biased overlap looks. overlap: share of the shorter passage that two
    must share to be one. support: share of a claim's words that the passages must hold.
    """

    measure: str
    k: int = 10
    p: float = 0.9
    overlap: float = 0.6
    support: float = 0.6
    truth: bool = False
    name: str = "retrieval"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return ("quality",) if self.truth or self.measure in ANSWERS else ("score",)

    def signature(self) -> str:
        parts = [self.name, f"measure:{self.measure}"]
        if self.measure in RANKINGS:
            parts += [f"p:{self.p!r}"] if self.measure == "rbo" else [f"k:{self.k}"]
            parts += [f"overlap:{self.overlap!r}", *(["truth"] if self.truth else [])]
        else:
            parts.append(f"support:{self.support!r}")
        return "|".join(parts)

    def check(self, case: Case) -> None:
        """Before the first call: raises ConfigError where the case does not say what is relevant."""
        if self.truth:
            _relevant(case)

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Retrieved):
            return self._say(case, Status.INCOMPARABLE, not_of("retrieved", "source", source))
        if not isinstance(target, Retrieved):
            return self._say(case, Status.MISMATCH, not_of("retrieved", "target", target), 0.0)
        if self.measure in ANSWERS:
            return self._compare_answers(source, target, case)
        if self.truth:
            return self._compare_to_truth(source, target, case)
        return self._compare_rankings(source, target, case)

    def _compare_rankings(self, source: Retrieved, target: Retrieved, case: Case) -> Comparison:
        if not source.hits and not target.hits:
            return self._say(case, Status.MATCH, "", 1.0)
        if not source.hits:
            return self._say(case, Status.MISMATCH, f"the source finds nothing, the target {_count(target.hits)}", 0.0)
        passages = named(source.hits[: self.k], target.hits[: self.k], self.overlap)
        value = {
            "recall": lambda: recall_at(passages.target, passages.source, self.k),
            "overlap": lambda: overlap_at(passages.source, passages.target, self.k),
            "rbo": lambda: rbo(passages.source, passages.target, self.p),
            "ndcg": lambda: ndcg_at(passages.target, _grades(passages.source), self.k),
        }[self.measure]()
        if value >= 1.0:
            return self._say(case, Status.MATCH, "", 1.0)
        return self._say(case, Status.MISMATCH, self._lost(source, target), value)

    def _lost(self, source: Retrieved, target: Retrieved) -> str:
        found = target.hits[: self.k]
        lost = [hit for hit in source.hits[: self.k] if not any(same(hit, other, self.overlap) for other in found)]
        if not target.hits:
            return f"the target finds nothing, the source {_count(source.hits)}"
        if not lost:
            return "the same passages in another order, or others besides"
        named_lost = ", ".join(f'"{_place(hit)}"' for hit in lost[:3])
        first = min(self.k, len(source.hits))
        return f"{len(lost)} of the source's first {first} are not among the target's: {named_lost}"

    def _compare_to_truth(self, source: Retrieved, target: Retrieved, case: Case) -> Comparison:
        try:
            relevant = _relevant(case)
        except ConfigError as exc:
            return self._say(case, Status.INCOMPARABLE, str(exc))
        was, now = (self._against(relevant, side) for side in (source, target))
        reason = f"{self.measure} at {self.k}: source {was:.3g}, target {now:.3g}" if now < was else ""
        return self._say(case, Status.MISMATCH if now < was else Status.MATCH, reason, now, distance=max(was - now, 0))

    def _against(self, relevant: Mapping[Hit, float], side: Retrieved) -> float:
        """The measure of one side; a relevant passage is found at the first hit that holds it."""
        graded = list(relevant)
        ranking: list[str] = []
        for place, hit in enumerate(side.hits[: self.k]):
            held = [str(at) for at, wanted in enumerate(graded) if _holds(hit, wanted, self.overlap)]
            # A further chunk of what was found already takes no place; one that holds several takes a place for each.
            ranking += [name for name in held if name not in ranking] if held else [f"irrelevant {place}"]
        grades = {str(at): grade for at, grade in enumerate(relevant.values())}
        if self.measure == "recall":
            return recall_at(ranking, [name for name, grade in grades.items() if grade > 0], len(ranking))
        return ndcg_at(ranking, grades, self.k)

    def _compare_answers(self, source: Retrieved, target: Retrieved, case: Case) -> Comparison:
        was, now = source.answer, target.answer
        if was is None:
            return self._say(case, Status.INCOMPARABLE, "the source gives no answer, only passages")
        if now is None:
            return self._say(case, Status.MISMATCH, "the target gives no answer, only passages", 0.0)
        if conduct(now) != ANSWERED:
            both = conduct(was) == conduct(now)
            status = Status.MATCH if both else Status.MISMATCH
            return self._say(case, status, f"the target's answer is {conduct(now)}", float(both))
        measured, why = _MEASURES_OF_ANSWERS[self.measure](target, self.support)
        reference = _MEASURES_OF_ANSWERS[self.measure](source, self.support)[0] if conduct(was) == ANSWERED else 1.0
        worse = measured < reference
        reason = f"{self.measure}: source {reference:.3g}, target {measured:.3g}; {why}" if worse else ""
        distance = max(reference - measured, 0.0)
        return self._say(case, Status.MISMATCH if worse else Status.MATCH, reason, measured, distance=distance)

    def _say(
        self, case: Case, status: Status, reason: str, value: float | None = None, *, distance: float | None = None
    ) -> Comparison:
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=status,
            value=value,
            distance=1.0 - value if distance is None and value is not None else distance,
            unit="" if value is None else self.measure,
            reason=reason,
        )


def build(
    *,
    measure: str = "recall",
    k: int = 10,
    p: float = 0.9,
    overlap: float = 0.6,
    support: float = 0.6,
    truth: bool = False,
) -> Retrieval:
    """`[comparators.NAME] use = "retrieval"`.

    measure: recall (default), ndcg, rbo, overlap, citation_precision, citation_recall or supported. k: passages that
    count (10). p: depth of rbo, 0.9. overlap: share of the shorter passage that makes two the same. support: share of a
    claim's words that its passages must hold. truth: hold recall and ndcg against the passages that the case names.
    Raises ConfigError and UnknownName for what is none of these.
    """
    where = "retrieval"
    if measure not in MEASURES:
        raise UnknownName(where, "measure", str(measure), MEASURES)
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ConfigError(f"{where}: k must be a whole number of at least 1, not {k!r}.")
    if not isinstance(truth, bool) or (truth and measure not in OF_TRUTH):
        raise ConfigError(f"{where}: truth is true or false, and goes with measure {' or '.join(OF_TRUTH)}.")
    if not 0 < number(where, "p", p) < 1:
        raise ConfigError(f"{where}: p must lie between 0 and 1, not {p!r}.")
    for key, value in {"overlap": overlap, "support": support}.items():
        if not 0 < number(where, key, value) <= 1:
            raise ConfigError(f"{where}: {key} must be above 0 and at most 1, not {value!r}.")
    return Retrieval(measure=measure, k=k, p=p, overlap=overlap, support=support, truth=truth)


def _grades(ranking: tuple[str, ...]) -> dict[str, float]:
    """The source's ranking as relevance: n for the first of n, 1 for the last."""
    return {name: float(len(ranking) - place) for place, name in enumerate(ranking)}


def _relevant(case: Case) -> dict[Hit, float]:
    """What a case calls relevant, with grades. Raises ConfigError where it does not say.

    `expected` is {"relevant": [...]} of documents' names, or of {"document", "span": [start, end], "grade"}.
    """
    listed = case.expected.get("relevant") if isinstance(case.expected, dict) else None
    if not isinstance(listed, list) or not listed:
        raise ConfigError(f'retrieval: case {case.id} does not say what is relevant: expected = {{"relevant": [...]}}.')
    relevant = dict(_graded(case, entry) for entry in listed)
    if max(relevant.values()) <= 0:
        raise ConfigError(f"retrieval: case {case.id} grades nothing above 0.")
    return relevant


def _graded(case: Case, entry: Json) -> tuple[Hit, float]:
    if isinstance(entry, str):
        return Hit(document=entry, text=""), 1.0
    match entry:
        case {"document": str(document), **rest} if set(rest) <= {"span", "grade"}:
            span, grade = rest.get("span"), rest.get("grade", 1.0)
            if isinstance(grade, int | float):
                match span:
                    case None:
                        return Hit(document=document, text=""), float(grade)
                    case [int(start), int(end)]:
                        return Hit(document=document, text="", span=(start, end)), float(grade)
    raise ConfigError(f"retrieval: case {case.id}: {entry!r} is no relevant passage: document, span, grade.")


def _holds(hit: Hit, wanted: Hit, overlap: float) -> bool:
    """Whether a hit holds a relevant passage; one without a span is the whole document."""
    if wanted.span is None or hit.span is None:
        return hit.document == wanted.document
    return same(hit, wanted, overlap)


def _cited_precision(side: Retrieved, share: float) -> tuple[float, str]:
    """Share of citations whose passages support the stretch they stand at; an answer that cites nothing has 0."""
    text = side.answer.text if side.answer is not None else ""
    if not side.citations:
        return 0.0, "nothing is cited"
    bad = [one for one in side.citations if not supported(text[slice(*one.span)], _texts(side, one.hits), share)]
    why = f'"{_short(text[slice(*bad[0].span)])}" is not in what it cites' if bad else ""
    return 1.0 - len(bad) / len(side.citations), why


def _cited_recall(side: Retrieved, share: float) -> tuple[float, str]:
    """Share of the answer's sentences that passages cited at them support."""
    text = side.answer.text if side.answer is not None else ""

    def cited(start: int, end: int) -> tuple[int, ...]:
        at = (one for one in side.citations if one.span[0] < end and start < one.span[1])
        return tuple(hit for one in at for hit in one.hits)

    return _share_of_sentences(
        text, lambda start, end: supported(text[start:end], _texts(side, cited(start, end)), share)
    )


def _supported(side: Retrieved, share: float) -> tuple[float, str]:
    """Share of the answer's sentences that the retrieved passages support, cited or not."""
    text = side.answer.text if side.answer is not None else ""
    passages = _texts(side, tuple(range(len(side.hits))))
    return _share_of_sentences(text, lambda start, end: supported(text[start:end], passages, share))


def _share_of_sentences(text: str, holds: Callable[[int, int], bool]) -> tuple[float, str]:
    spans = sentences(text)
    bad = [(start, end) for start, end in spans if not holds(start, end)]
    why = f'"{_short(text[slice(*bad[0])])}" has nothing to stand on' if bad else ""
    return (1.0 - len(bad) / len(spans) if spans else 1.0), why


_MEASURES_OF_ANSWERS: Mapping[str, Callable[[Retrieved, float], tuple[float, str]]] = {
    "citation_precision": _cited_precision,
    "citation_recall": _cited_recall,
    "supported": _supported,
}


def _texts(side: Retrieved, places: tuple[int, ...]) -> str:
    return "\n".join(side.hits[place].text for place in dict.fromkeys(places) if 0 <= place < len(side.hits))


def _place(hit: Hit) -> str:
    return hit.document if hit.span is None else f"{hit.document}[{hit.span[0]}:{hit.span[1]}]"


def _count(hits: tuple[Hit, ...]) -> str:
    return f"{len(hits)} passage{'' if len(hits) == 1 else 's'}"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 80 else f"{flat[:77]}..."
