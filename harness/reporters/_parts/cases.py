"""Cases, source and target side by side, with the difference marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from harness.core.report import CaseOutcome, CaseScore, CaseSummary, WorstCase
from harness.core.verdict import Status
from harness.reporters._parts.difference import Piece, Pieces, Window, differences, windows
from harness.reporters._parts.find import OUTCOMES, Keys, keys, reasons, slices
from harness.reporters._parts.markup import Child, Markup, tag
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import NOT_SHOWN

_ALL_BYTES = 1_600_000  # of a page that stays under 2 MB; the rest is for the tables
_ONE_BYTES = 48_000
_FIRST, _FIRST_BYTES = 20, 16_000  # the worst cases are shown at more length, as far as there is room
_LENGTHS = (4000, 1600, 700, 300, 140, 70, 35, 16, 8)
_OPEN = 3
_STATUS = {"differs": Status.MISMATCH, "not scored": Status.INCOMPARABLE}


def drawn(shown: Sequence[CaseSummary], found: Keys, *, first: int = 1, opened: int = _OPEN) -> Iterator[Markup]:
    """Each case; texts as long as a share of the page's size allows. first: the rank of the first."""
    if not shown:
        return
    usual = min(_ONE_BYTES, _ALL_BYTES // len(shown))
    ahead = min(_FIRST, len(shown))
    more = max(usual, min(_FIRST_BYTES, _ALL_BYTES // 5 // ahead))
    rest = len(shown) - ahead
    less = min(usual, (_ALL_BYTES - ahead * more) // rest) if rest else usual
    for at, case in enumerate(shown):
        yield _fitted(first + at, case, found.of(case), more if at < ahead else less, opened=at < opened)


def keys_of(shown: Sequence[CaseSummary]) -> Keys:
    """What the cases of one page are found by."""
    return keys(Counter(name for case in shown for name in reasons(case)), Counter(s for c in shown for s in slices(c)))


def from_worst(worst: Sequence[WorstCase]) -> list[CaseSummary]:
    """The worst cases of each metric as cases; those of one case in a row become one."""
    return [_merged(list(group)) for _, group in groupby(worst, key=lambda one: one.case_id)]


def _merged(group: list[WorstCase]) -> CaseSummary:
    first = group[0]
    scored = [one for one in group if one.status != "failed"]
    differ = any(one.status == "differs" for one in scored)
    outcome = CaseOutcome.DIFFERS if differ else CaseOutcome.UNSCORED
    return CaseSummary(
        case_id=first.case_id,
        outcome=outcome if scored else CaseOutcome.FAILED,
        failures=tuple(one.reason for one in group if one.status == "failed"),
        scores=tuple(
            CaseScore(
                metric=one.metric, status=_STATUS[one.status], distance=one.distance, unit=one.unit, reason=one.reason
            )
            for one in scored
        ),
        slices=first.slices,
        request=first.request,
        source=first.source,
        target=first.target,
    )


def _fitted(at: int, case: CaseSummary, found: dict[str, str], share: int, *, opened: bool) -> Markup:
    """One case in at most `share` bytes: tried at ever shorter lengths. What is cut off says so."""
    for length in _LENGTHS:
        if length > _LENGTHS[-1] and length * 3 > share:
            continue
        made = _case(at, case, found, length, opened=opened)
        if len(made.html.encode()) <= share:
            break
    return made


def _case(at: int, case: CaseSummary, found: dict[str, str], length: int, *, opened: bool) -> Markup:
    line = min(length, 300)
    named = ", ".join(f"{key} {value}" for key, value in sorted(case.slices.items()))
    return tag(
        "details",
        tag(
            "summary",
            tag("h3", f"{at}. ", tag("code", cut(case.case_id, line))),
            tag("span", OUTCOMES[case.outcome], class_=f"outcome {case.outcome.value}"),
            [tag("span", cut(failure, line), class_="said-of") for failure in case.failures],
            [tag("span", _score(one, line), class_="said-of") for one in _telling(case)],
            tag("span", cut(named, line), class_="sub") if named else None,
        ),
        tag(
            "div",
            _both(case, length),
            tag("div", tag("h4", "request"), _plain(case.request, length), class_="asked"),
            class_="sides",
        ),
        class_="case",
        id=f"case-{at}",
        open=opened,
        **found,
    )


def _telling(case: CaseSummary) -> list[CaseScore]:
    """What does not match; of a case that matches, everything that has a distance."""
    telling = [one for one in case.scores if one.status is not Status.MATCH]
    return telling or [one for one in case.scores if one.distance]


def _score(one: CaseScore, line: int) -> str:
    unit = f" ({cut(one.unit, line)})" if one.unit else ""
    far = "" if one.distance is None else f", distance {one.distance:.6g}{unit}"
    said = f": {cut(one.reason, line)}" if one.reason else ""
    return f"{cut(one.metric, line)}{far}{said}"


def _both(case: CaseSummary, length: int) -> list[Markup]:
    source, target = case.source, case.target
    if source is None or target is None:
        return [_side("source", _plain(source, length)), _side("target", _plain(target, length))]
    here, there = windows(source, target, length)
    marked = differences(here.text, there.text)
    return [_side("source", _marked(here, marked[0])), _side("target", _marked(there, marked[1]))]


def _side(word: str, shown: Markup) -> Markup:
    return tag("div", tag("h4", word), shown)


def _plain(text: str | None, length: int) -> Markup:
    if text is None:
        return tag("p", NOT_SHOWN, class_="soft")
    return _block(cut(text, length)) if text else tag("p", "empty", class_="soft")


def _marked(window: Window, pieces: Pieces) -> Markup:
    before = f"({window.before:,} characters before) … " if window.before else None
    after = f" … ({window.after:,} more characters)" if window.after else None
    body = [_mark(piece) if piece.differs else piece.text for piece in pieces]
    if not (window.text or before):
        return tag("p", "empty", class_="soft")
    return _block(before, body, after)


def _mark(piece: Piece) -> Markup:
    """A marked number is isolated: among right-to-left words its two parts would otherwise change places."""
    marked = tag("mark", piece.text)
    return tag("bdi", piece.head, marked) if piece.head else marked


def _block(*children: Child) -> Markup:
    """Kept line breaks, and the direction of its own first strong character."""
    return tag("pre", *children, dir="auto")
