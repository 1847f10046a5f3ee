"""Where two texts part."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reporters._parts.difference import Pieces, differences, windows

TEXTS = st.text(st.sampled_from("ab 01.-eE,\n"), max_size=40)


def shown(pieces: Pieces) -> str:
    return "".join(f"{piece.head}<{piece.text}>" if piece.differs else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("source", "target", "marked_source", "marked_target"),
    [
        ("0.3502717", "0.3499999", "0.3<502717>", "0.3<499999>"),
        ("0.1234567890", "0.1234567891", "0.123456789<0>", "0.123456789<1>"),
        ("0.35", "0.3500001", "0.35<>", "0.35<00001>"),
        ("-1.5e-07", "-1.6e-07", "-1.<5e-07>", "-1.<6e-07>"),
        ("9.5", "10.5", "<9.5>", "<10.5>"),  # another magnitude: no digit stands where it stood
        ("12.5", "1.25", "<12.5>", "<1.25>"),
        ("0.5", "-0.5", "<0.5>", "<-0.5>"),
        ("1e-07", "1e-06", "<1e-07>", "<1e-06>"),
        ("0.1,0.2,0.3", "0.1,0.25,0.3", "0.1,0.2<>,0.3", "0.1,0.2<5>,0.3"),
        ("the cat sat", "the dog sat", "the <cat> sat", "the <dog> sat"),
        ("visits are likely", "many visits are likely", "<>visits are likely", "<many >visits are likely"),
        ("same", "same", "same", "same"),
        ("", "x", "<>", "<x>"),
        (
            "id " + "a" * 30 + "b" * 30,
            "id " + "a" * 30 + "c" + "b" * 30,
            *["id " + "a" * 30 + f"<{x}>" + "b" * 30 for x in ("", "c")],
        ),
        ("sha256:12ab", "sha256:12ac", "<sha256:12ab>", "<sha256:12ac>"),
    ],
)
def test_the_difference_is_marked(source: str, target: str, marked_source: str, marked_target: str):
    assert tuple(map(shown, differences(source, target))) == (marked_source, marked_target)


@given(TEXTS, TEXTS)
def test_the_pieces_of_each_side_are_the_whole_text(source: str, target: str):
    left, right = differences(source, target)
    whole = tuple("".join(piece.head + piece.text for piece in side) for side in (left, right))
    assert whole == (source, target)


@given(TEXTS, TEXTS)
def test_what_is_not_marked_is_the_same_on_both_sides(source: str, target: str):
    left, right = (
        "".join(piece.head if piece.differs else piece.text for piece in side) for side in differences(source, target)
    )
    assert left == right


@given(TEXTS, TEXTS)
def test_something_is_marked_exactly_when_the_texts_differ(source: str, target: str):
    marks = [piece for side in differences(source, target) for piece in side if piece.differs]
    assert bool(marks) == (source != target)


def test_the_window_is_placed_on_the_first_difference():
    source, target = windows("a" * 10_000 + "X" + "b" * 500, "a" * 10_000 + "Y" + "b" * 500, 300)
    assert ("X" in source.text, "Y" in target.text) == (True, True)
    assert (source.before, len(source.text), source.after) == (9_900, 300, 301)


def test_texts_that_fit_are_shown_whole():
    source, _ = windows("abc", "abd", 3)
    assert (source.text, source.before, source.after) == ("abc", 0, 0)


@pytest.mark.parametrize(
    "text", ["9" * 4000 + "x", "! ?" * 1300, "a b c d " * 500, "1.2" * 1300], ids=["digits", "marks", "words", "dots"]
)
def test_hostile_lengths_take_no_time(text: str):
    started = time.process_time()
    differences(text, text[::-1] + "y")
    assert time.process_time() - started < 2.0
