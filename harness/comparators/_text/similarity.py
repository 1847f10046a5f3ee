"""Whether two answers to one question say the same: a probability, a verdict, and reasons in words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.comparators._text.code import compare_code
from harness.comparators._text.features import FEATURES, Pair, Side, pair
from harness.comparators._text.languages import language
from harness.comparators._text.model import Model
from harness.comparators._text.near_copies import Found, Turn, added, compare_near
from harness.comparators._text.refusing import refusals
from harness.comparators._text.structures import compare_citations, compare_structures
from harness.comparators._text.vocabulary import NO, YES
from harness.comparators._text.words import read

DEFECT = 0.2  # at most this where aligned sentences differ by a typed fact, or where sentences are missing
ALIKE = 0.97  # at least this where every word that differs is known to mean the same
SUSPECT = 0.85  # at most this where near copies differ in a word that may or may not mean the same
SALIENT = 0.2  # probability that a word belongs to the answer, from which on it may not be replaced
OTHER_CODE = 0.5  # at most this where code differs: another program may do the same, and nothing here runs it
LONG = 25.0  # a text of this weight (about as many content words) is judged sentence by sentence
MISSING = 0.15  # share of a text that may be left out or added before it counts
CUT = 0.85  # a text that ends without a full stop and is shorter than this share of the other was cut off
_CERTAIN = 50.0  # a bias that makes every probability 1, or minus it 0
MOST_REASONS = 5
MOST_SHOWN = 120
_ENDED = re.compile(r"[.!?。！？।:;\"'”’)\]}>*`|]\s*$")


class Same(StrEnum):
    """The verdict. not shown: the score is too far from both ends; a person or a judge may know."""

    SAME = "same"
    NOT_SHOWN = "not shown"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """score: probability in [0, 1] that people would call the answers equivalent. uncalibrated: why it is none."""

    score: float
    verdict: Same
    reasons: tuple[str, ...]
    uncalibrated: str | None = None


def compare_texts(question: str, source: str, target: str, model: Model, *, complete: bool = False) -> Similarity:
    """Two texts; the score is symmetric, the reasons say what the target does.

    complete: what differs between rewordings counts at any length, not only in long texts.
    Any text is taken, the empty one included.
    """
    if " ".join(source.split()) == " ".join(target.split()) and compare_code(source, target) is None:
        return Similarity(score=1.0, verdict=Same.SAME, reasons=())
    one_sided = _one_sided(source, target)
    if one_sided is not None:
        return one_sided
    if not read(source).tokens or not read(target).tokens:
        return Similarity(score=0.0, verdict=Same.DIFFERENT, reasons=("the answers hold no words, and differ",))
    compared = pair(question, source, target, model.salience)
    uncalibrated = _uncalibrated(question, compared)
    score = model.probability(compared.values)
    if not question.strip() or uncalibrated:
        score = min(score, _held(compared))
    formed = compare_structures(question, source, target)
    alike = formed is not None and formed.turn is Turn.ALIKE
    code = None if alike else compare_code(source, target)
    near = _cited(formed or compare_near(source, target), source, target)
    if near is not None and near.turn is Turn.ALIKE and code is None:
        return Similarity(score=max(score, ALIKE), verdict=Same.SAME, reasons=(), uncalibrated=uncalibrated)
    reasons, defect = _defects(compared, source, target, complete)
    suspicions: list[str] = []
    if near is not None and _counts(near, compared, complete):
        defect |= near.turn is Turn.DIFFERENT
        suspicions += near.reasons
    if complete and not defect and (more := added(question, source, target)) is not None:
        suspicions.append(more)
    reasons = [*suspicions, *reasons]
    if code is not None:
        reasons.insert(0, code.said)
        defect |= code.changed
    most = min(SUSPECT if suspicions else 1.0, OTHER_CODE if code is not None else 1.0, DEFECT if defect else 1.0)
    score = min(score, most)
    verdict = Same.DIFFERENT if defect else _verdict(score, model)
    if suspicions and verdict is Same.SAME:
        verdict = Same.NOT_SHOWN
    if verdict is not Same.SAME and not reasons:
        reasons = _apart(compared)
    said = tuple(dict.fromkeys(reasons))[:MOST_REASONS]
    return Similarity(score=score, verdict=verdict, reasons=said, uncalibrated=uncalibrated)


def _verdict(score: float, model: Model) -> Same:
    return Same.SAME if score >= model.same_at else Same.DIFFERENT if score <= model.different_at else Same.NOT_SHOWN


def _cited(found: Found | None, source: str, target: str) -> Found | None:
    """What was found, or that near copies cite something else."""
    if found is not None and found.turn <= Turn.REPLACED:
        return compare_citations(source, target) or found
    return found


def _counts(near: Found, compared: Pair, complete: bool) -> bool:  # noqa: FBT001
    """Whether a difference between near copies keeps them from being called the same."""
    if not near.reasons:
        return False
    if complete or near.decisive:
        return True
    return near.turn >= Turn.REPLACED and _salient(compared)


def _salient(compared: Pair) -> bool:
    """Whether a word that is likely to belong to the answer has no counterpart, on both sides."""
    return compared.values[list(FEATURES).index("strongest_unshared")] >= SALIENT


def bounds(question: str, source: str, target: str, model: Model) -> tuple[float, float]:
    """(least, most) that a pair can score whatever the model's coefficients: typed differences bound it from above,
    and texts that differ only by words for the same thing from below.
    """
    least, most = (compare_texts(question, source, target, replace(model, bias=bias)) for bias in (-_CERTAIN, _CERTAIN))
    return least.score, most.score


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _one_sided(source: str, target: str) -> Similarity | None:
    """Outcomes that come before any word is compared: an empty text, a refusal."""
    for outcome, ours, theirs in (
        ("answer is empty", not source.strip(), not target.strip()),
        ("answer is a refusal", *refusals(source, target)),
    ):
        if ours and theirs:
            return Similarity(score=1.0, verdict=Same.SAME, reasons=(f"each {outcome}",))
        if ours or theirs:
            side = "source" if ours else "target"
            said = f"the {side} refuses" if "refusal" in outcome else f"the {side}'s {outcome}"
            return Similarity(score=0.0, verdict=Same.DIFFERENT, reasons=(said,))
    return None


def _uncalibrated(question: str, compared: Pair) -> str | None:
    words = (compared.source.words, compared.target.words)
    if min(one.latin for one in words) < 0.5:
        return "another script than the labels it was fitted on"
    spoken = {language(one) for one in words} - {None, "English"}
    if spoken:
        return f"another language than the labels it was fitted on ({', '.join(sorted(filter(None, spoken)))})"
    return None if question.strip() else "no question"


def _held(compared: Pair) -> float:
    """Share of each text's weight that the other holds, of the direction where it is less."""
    shares = []
    for one, found in ((compared.source, compared.source_found), (compared.target, compared.target_found)):
        total = math.fsum(token.weight for token in one.tokens)
        held = math.fsum(token.weight for token, is_found in zip(one.tokens, found, strict=True) if is_found)
        shares.append(held / total if total else 0.0)
    return min(shares)


def _defects(compared: Pair, source: str, target: str, complete: bool) -> tuple[list[str], bool]:  # noqa: FBT001
    """What the alignment found, in words, and whether it settles the score."""
    aligned = compared.alignment
    long = aligned.weight >= LONG
    reasons: list[str] = []
    defect = False
    spoken = language(compared.source.words), language(compared.target.words)
    if None not in spoken and spoken[0] != spoken[1]:
        reasons.append(f"the target answers in {spoken[1]}, the source in {spoken[0]}")
        defect = True
    if {_says_yes(compared.source), _says_yes(compared.target)} == {True, False}:
        reasons.append(f"target says {_first(compared.target)}, source says {_first(compared.source)}")
        return reasons, True
    for change in aligned.of("number", "name"):
        reasons.append(f"target says {_short(change.target)}, source says {_short(change.source)}")
    for change in aligned.of("negation", "opposite"):
        reasons.append(
            f'the sense is turned around: target "{_short(change.target)}", source "{_short(change.source)}"'
        )
    defect |= bool(reasons) and (complete or (aligned.close and long))
    for change in aligned.of("omission"):
        reasons.append(f'the target leaves out "{_short(change.source)}"')
    for change in aligned.of("addition"):
        reasons.append(f'the target adds "{_short(change.target)}"')
    defect |= max(aligned.missing, aligned.extra) > MISSING and (long or complete)
    cut = _cut_off(source, target, "target") or _cut_off(target, source, "source")
    if cut is not None and (complete or (aligned.close and long)):
        reasons.insert(0, cut)
        defect = True
    return reasons, defect


def _first(one: Side) -> str:
    return one.words.tokens[0].shown


def _says_yes(one: Side) -> bool | None:
    """Whether an answer begins with yes or with no; None where it begins otherwise."""
    form = one.words.tokens[0].form
    return True if form in YES else False if form in NO else None


def _cut_off(whole: str, part: str, side: str) -> str | None:
    """Whether a text stops in the middle where the other goes on."""
    whole, part = _plain(whole), _plain(part)
    if len(part) >= CUT * len(whole) or len(part.split()) < 4:
        return None
    stops = _ENDED.search(part) is None and (_ENDED.search(whole) is not None or whole.startswith(part))
    return f"the {side}'s answer is cut off" if stops else None


def _apart(compared: Pair) -> list[str]:
    """What speaks most against: the most salient words that the other side lacks."""
    theirs = _phrase(compared.target, compared.target_found)
    ours = _phrase(compared.source, compared.source_found)
    if theirs and ours:
        return [f"target says {_short(theirs)}, source says {_short(ours)}"]
    if theirs:
        return [f'the target adds "{_short(theirs)}"']
    return [f'the target leaves out "{_short(ours)}"'] if ours else []


def _phrase(one: Side, found: Sequence[bool]) -> str | None:
    """The words around the most salient one that is not found, as written."""
    missing = [place for place, is_found in enumerate(found) if not is_found and one.salience[place] > 0.1]
    if not missing:
        return None
    top = max(missing, key=lambda place: one.salience[place])
    first = last = top
    wanted = {place for place in missing if one.tokens[place].sentence == one.tokens[top].sentence}
    while first - 1 in wanted:
        first -= 1
    while last + 1 in wanted:
        last += 1
    return one.words.text[one.tokens[first].start : one.tokens[last].end]


def _short(text: str | None) -> str:
    text = " ".join((text or "").split())
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "..."
