"""What was found, and what the answer stands on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparators import _support, retrieval
from harness.core.case import Json
from harness.core.output import Chat, Citation, Hit, Retrieved
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import BLOCKED, EMPTY, case, check_kinds, check_said

SCORES = ("recall", "ndcg", "rbo", "overlap")
ANSWERS = ("citation_precision", "citation_recall", "supported")
HITS = st.builds(
    Hit,
    document=st.sampled_from("ab"),
    text=st.sampled_from(["one two three", "two three four", "nine", ""]),
    span=st.none() | st.tuples(st.integers(0, 5), st.integers(5, 9)),
)
RETRIEVED = st.builds(
    Retrieved,
    hits=st.lists(HITS, max_size=5).map(tuple),
    answer=st.builds(Chat, text=st.text(max_size=40)),
    citations=st.lists(
        st.builds(
            Citation,
            span=st.tuples(st.integers(0, 9), st.integers(0, 40)),
            hits=st.lists(st.integers(-1, 6)).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
)


def hit(document: str, start: int, end: int) -> Hit:
    return Hit(document=document, text=f"{document} {start}", span=(start, end))


def found(*hits: Hit) -> Retrieved:
    return Retrieved(hits=hits)


def compare(source: Retrieved, target: Retrieved, *, expected: Json = None, **options: object) -> Comparison:
    return retrieval.build(**options).compare(source, target, case=case(expected=expected))


A, B, C, D = hit("a", 0, 100), hit("b", 0, 100), hit("c", 0, 100), hit("d", 0, 100)


def test_it_is_a_comparator_whose_kind_follows_its_measure():
    assert isinstance(retrieval.build(), Comparator)
    assert {measure: retrieval.build(measure=measure).kinds for measure in (*SCORES, *ANSWERS)} == {
        **dict.fromkeys(SCORES, ("score",)),
        **dict.fromkeys(ANSWERS, ("quality",)),
    }
    assert retrieval.build(truth=True).kinds == ("quality",)


@pytest.mark.parametrize(
    ("options", "signature"),
    [
        ({}, "retrieval|measure:recall|k:10|overlap:0.6"),
        ({"measure": "rbo", "p": 0.8}, "retrieval|measure:rbo|p:0.8|overlap:0.6"),
        ({"measure": "ndcg", "k": 3, "truth": True}, "retrieval|measure:ndcg|k:3|overlap:0.6|truth"),
        ({"measure": "supported", "support": 0.5}, "retrieval|measure:supported|support:0.5"),
    ],
)
def test_signature_names_every_setting_that_counts(options, signature):
    assert retrieval.build(**options).signature() == signature


def test_chunks_of_another_size_are_the_same_passage():
    large, small, other = hit("a", 0, 400), hit("a", 100, 200), hit("a", 390, 600)
    assert compare(found(large), found(small)).value == 1.0
    assert compare(found(large), found(other)).value == 0.0
    assert compare(found(large), found(hit("b", 0, 400))).value == 0.0


def test_neighbouring_windows_do_not_run_into_one_passage():
    """Windows that overlap by half stay apart: else every chunk of a document would be as good as any other."""
    windows = [hit("a", start, start + 100) for start in range(0, 500, 50)]
    assert compare(found(*windows), found(*windows)).value == 1.0
    assert compare(found(windows[0], windows[2]), found(windows[4], windows[6])).value == 0.0


def test_without_spans_passages_are_matched_by_their_words():
    one = Hit(document="a", text="Refunds take five days. Contact support.")
    other = Hit(document="a", text="refunds take five days")
    assert compare(found(one), found(other)).value == 1.0
    assert compare(found(one), found(Hit(document="a", text="Shipping is free of charge."))).value == 0.0


def test_each_measure_of_a_ranking():
    source, target = found(A, B, C), found(B, A, D)
    assert compare(source, target, measure="recall").value == pytest.approx(2 / 3)
    assert compare(source, target, measure="overlap").value == pytest.approx(2 / 3)
    assert compare(source, target, measure="recall", k=1).value == 0.0
    assert compare(source, target, measure="rbo").value == pytest.approx(0.1 / 0.9 * (0 + 0.81 + 2 / 3 * 0.729) + 0.486)
    # gains 3, 2, 1 for the source's first, second, third: the target has 2, 3, 0.
    ideal = 3 + 2 / 1.584962500721156 + 0.5
    assert compare(source, target, measure="ndcg").value == pytest.approx((2 + 3 / 1.584962500721156) / ideal)


def test_the_reason_names_what_was_lost():
    assert compare(found(A, B), found(A, D)).reason == (
        "1 of the source's first 2 are not among the target's: \"b[0:100]\""
    )
    assert compare(found(A, B), found(B, A), measure="rbo").reason.startswith("the same passages in another order")
    assert compare(found(A), found()).reason == "the target finds nothing, the source 1 passage"


def test_finding_nothing_is_behaviour():
    assert compare(found(), found()).value == 1.0
    assert compare(found(), found(A)).value == 0.0


RELEVANT = {"relevant": ["a", {"document": "b", "span": [0, 100], "grade": 3}]}


def test_against_the_truth_the_value_is_the_second_sides_own_recall():
    options = {"truth": True, "expected": RELEVANT}
    better = compare(found(C), found(A, B), **options)
    assert (better.status, better.value) == (Status.MATCH, 1.0)
    worse = compare(found(A, B), found(hit("b", 300, 400), A), **options)
    assert (worse.status, worse.value) == (Status.MISMATCH, 0.5)
    assert worse.reason == "recall at 10: source 1, target 0.5"
    assert compare(found(B, A), found(A, B), measure="ndcg", **options).value < 1.0


def test_more_chunks_of_one_relevant_document_cost_no_place():
    options = {"truth": True, "expected": {"relevant": ["a", "b"]}, "measure": "ndcg"}
    chunks = [hit("a", start, start + 10) for start in range(0, 50, 10)]
    assert compare(found(A, B), found(*chunks, B), **options).value == pytest.approx(1.0)


@pytest.mark.parametrize("expected", [None, {}, {"relevant": []}, {"relevant": [{"span": [0, 1]}]}, {"relevant": [1]}])
def test_a_case_that_names_nothing_relevant_stops_the_run_before_it_calls(expected):
    built = retrieval.build(truth=True)
    with pytest.raises(ConfigError, match="case c-1"):
        built.check(case(expected=expected))
    assert built.compare(found(A), found(A), case=case(expected=expected)).status is Status.INCOMPARABLE
    built.check(case(expected=RELEVANT))


PASSAGE = Hit(document="a", text="Refunds are paid within 5 working days. Fees of 1,200 EUR are not refunded.")


def answered(text: str, *cited: tuple[int, int], hits: tuple[int, ...] = (0,)) -> Retrieved:
    citations = tuple(Citation(span=span, hits=hits) for span in cited)
    return Retrieved(hits=(PASSAGE,), answer=Chat(text=text), citations=citations)


GOOD, WRONG = "Refunds are paid within 5 working days.", "Refunds are paid within 9 working days."


@pytest.mark.parametrize(
    ("measure", "target", "value"),
    [
        ("citation_precision", answered(GOOD, (0, 39)), 1.0),
        ("citation_precision", answered(WRONG, (0, 39)), 0.0),
        ("citation_precision", answered(GOOD), 0.0),
        ("citation_precision", answered(GOOD, (0, 39), hits=(7,)), 0.0),
        ("citation_recall", answered(f"{GOOD} Fees are not refunded.", (0, 39)), 0.5),
        ("citation_recall", answered(f"{GOOD} Fees are not refunded.", (0, 39), (40, 62)), 1.0),
        ("supported", answered(f"{GOOD} Fees are not refunded."), 1.0),
        ("supported", answered(f"{GOOD} The office is closed on Sundays."), 0.5),
    ],
)
def test_each_measure_of_an_answer_is_the_second_sides_own(measure, target, value):
    result = compare(answered(GOOD, (0, 39)), target, measure=measure)
    assert result.value == pytest.approx(value)
    assert (result.status is Status.MISMATCH) == (value < 1.0)


def test_the_reason_quotes_the_claim():
    assert compare(answered(GOOD, (0, 39)), answered(WRONG, (0, 39)), measure="supported").reason == (
        f'supported: source 1, target 0; "{WRONG}" has nothing to stand on'
    )


def test_silence_and_missing_answers():
    silent = Retrieved(hits=(PASSAGE,), answer=BLOCKED)
    for measure in ANSWERS:
        assert compare(answered(GOOD), silent, measure=measure).value == 0.0
        assert compare(silent, silent, measure=measure).status is Status.MATCH
        assert compare(silent, Retrieved(hits=(), answer=EMPTY), measure=measure).status is Status.MISMATCH
        assert compare(found(A), answered(GOOD), measure=measure).status is Status.INCOMPARABLE
        assert compare(answered(GOOD), found(A), measure=measure).value == 0.0


@pytest.mark.parametrize(
    ("claim", "text", "expected"),
    [
        ("Fees of 1200 EUR", "Fees of 1,200 EUR", True),
        ("Fees of 1200.50 EUR", "Fees of 1,200.5 EUR", True),
        ("Fees of 120 EUR", "Fees of 1,200 EUR", False),
        ("The fee is not refunded", "The fee is refunded", False),
        ("Flights are late", "The flight is late", True),
        ("手数料は返金", "手数料は返金されます", True),
        ("送料は無料です", "手数料は返金されます", False),
        ("", "", True),
    ],
)
def test_support_is_by_words_numbers_and_negation(claim, text, expected):
    assert _support.supported(claim, text, 0.6) is expected


def test_sentences_end_where_a_reader_ends_them():
    text = "Mr. J. Doe paid 3.50 EUR. It took 2 days.\n- first point\n- second"
    assert [text[start:end] for start, end in _support.sentences(text)][-3:] == [
        "It took 2 days.",
        "- first point",
        "- second",
    ]


def test_wrong_kinds_are_told():
    for measure in (*SCORES, *ANSWERS):
        check_kinds(retrieval.build(measure=measure), [answered(GOOD, (0, 39))])


@pytest.mark.parametrize("measure", [*SCORES, *ANSWERS])
@given(source=RETRIEVED, target=RETRIEVED)
def test_identity_bounds_and_no_crash(measure, source, target):
    built = retrieval.build(measure=measure, k=3)
    same = built.compare(source, source, case=case())
    assert same.status is Status.MATCH
    result = built.compare(source, target, case=case())
    check_said(built, result)
    if measure in ("rbo", "overlap"):
        assert built.compare(target, source, case=case()).value == pytest.approx(result.value)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"measure": "recal"}, UnknownName, 'Did you mean "recall"'),
        ({"k": 0}, ConfigError, "at least 1"),
        ({"p": 1}, ConfigError, "between 0 and 1"),
        ({"overlap": 0}, ConfigError, "above 0"),
        ({"support": 1.5}, ConfigError, "at most 1"),
        ({"measure": "rbo", "truth": True}, ConfigError, "recall or ndcg"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        retrieval.build(**options)
