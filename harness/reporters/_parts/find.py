"""Finding cases: the controls, and what each case is found by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.report import CaseOutcome, CaseSummary
from harness.core.verdict import Status
from harness.reporters._parts.markup import Markup, tag
from harness.reporters._parts.text import cut

MOST_OPTIONS = 200  # in one list; what is rarer is found by its words

OUTCOMES = {
    CaseOutcome.FAILED: "a side failed",
    CaseOutcome.DIFFERS: "differs",
    CaseOutcome.UNSCORED: "could not be scored",
    CaseOutcome.MATCHES: "matches",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The options of the lists of reasons and slices, each with its number and how many cases it has."""

    reasons: Mapping[str, int]
    slices: Mapping[str, int]
    counts: Mapping[str, int]

    def of(self, case: CaseSummary) -> dict[str, str]:
        """The attributes that the script looks at."""
        return {
            "data_o": case.outcome.value,
            "data_r": _numbers(self.reasons, reasons(case)),
            "data_s": _numbers(self.slices, slices(case)),
        }

    def of_page(self, outcomes: Iterable[CaseOutcome], found: Iterable[str]) -> dict[str, str]:
        """The same for all that one page holds; found: its reasons and slices."""
        held = frozenset(found)
        return {
            "data_o": " ".join(outcome.value for outcome in outcomes),
            "data_r": _numbers(self.reasons, held),
            "data_s": _numbers(self.slices, held),
        }


def reasons(case: CaseSummary) -> tuple[str, ...]:
    """Why a case is here: what failed, by side and kind, and the metrics that do not call it a match."""
    failed = tuple(failure.partition(":")[0] for failure in case.failures)
    return failed + tuple(one.metric for one in case.scores if one.status is not Status.MATCH)


def slices(case: CaseSummary) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in case.slices.items())


def keys(reasons_: Counter[str], slices_: Counter[str]) -> Keys:
    """The most frequent of each."""
    counts = {**slices_, **reasons_}
    return Keys(reasons=_options(reasons_), slices=_options(slices_), counts=counts)


def controls(found: Keys, *, paged: bool) -> Markup:
    """Hidden until the script shows them. paged: other pages hold cases too."""
    where = "Words are searched in the cases of this page: name, slices, reasons, request and both answers as shown."
    if paged:
        where += " The pages below hold the rest; outcome, reason and slice leave out the pages that have none."
    return tag(
        "div",
        tag(
            "div",
            _labelled(
                "Words", tag("input", type="search", id="find-words", autocomplete="off", spellcheck="false"), "words"
            ),
            _list("Outcome", "o", [(outcome.value, word) for outcome, word in OUTCOMES.items()]),
            _list("Reason", "r", [(f"{at}", name) for name, at in found.reasons.items()]),
            _list("Slice", "s", [(f"{at}", name) for name, at in found.slices.items()]),
            tag("button", "Open shown", type="button", id="find-open"),
            tag("button", "Close", type="button", id="find-close"),
            class_="controls",
        ),
        tag("p", where, class_="soft small"),
        tag("p", role="status", id="find-said"),
        id="find",
        class_="find",
        role="search",
        aria_label="Find cases",
        hidden=True,
    )


def _list(word: str, key: str, options: list[tuple[str, str]]) -> Markup:
    chosen = [tag("option", "any", value="")]
    chosen += [tag("option", cut(name, 80), value=value) for value, name in options]
    return _labelled(word, tag("select", chosen, id=f"find-{key}"), key)


def _labelled(word: str, control: Markup, key: str) -> Markup:
    return tag("div", tag("label", word, for_=f"find-{key}"), control)


def _options(counted: Counter[str]) -> dict[str, int]:
    names = sorted(name for name, _ in counted.most_common(MOST_OPTIONS))
    return {name: at for at, name in enumerate(names)}


def _numbers(options: Mapping[str, int], names: Iterable[str]) -> str:
    return " ".join(f"{options[name]}" for name in names if name in options)
