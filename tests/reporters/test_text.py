"""What cannot be seen, and what is too long."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from harness.reporters._parts.text import HIDDEN, cut, visible

# Format characters that draw something: Arabic number signs, Syriac and Kaithi marks, hieroglyph joiners, shorthand.
DRAWN = {
    *range(0x600, 0x606),
    0x6DD,
    0x70F,
    *range(0x890, 0x892),
    0x8E2,
    0x110BD,
    0x110CD,
    *range(0x13430, 0x13440),
}


def test_every_control_format_separator_and_surrogate_character_is_made_visible():
    left = [
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
        and code not in DRAWN | {0x20, 0x09, 0x0A, 0x3000}
        and not HIDDEN.match(chr(code))
    ]
    assert [f"U+{code:04X}" for code in left] == []


def test_ordinary_text_of_many_scripts_is_left_alone():
    text = "naïve — 12 % ₂ עברית العربية हिन्दी 日本語\u3000語 한국어 ❤\ufe0f 👍🏽 e\u0301"
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a[U+202E]b"),
        ("\x1b[2J", "[U+001B][2J"),
        ("GO\ndecision: GO", "GO[U+000A]decision: GO"),
        ("\ud800", "[U+D800]"),
        ("\U000e0041", "[U+E0041]"),
    ],
)
def test_hidden_characters_become_their_number(text: str, shown: str):
    assert visible(text) == shown


def test_a_cut_says_how_much_is_missing():
    assert cut("x" * 1500, 10) == "xxxxxxxxxx … (1,490 more characters)"


def test_text_that_fits_is_not_cut():
    assert cut("x" * 10, 10) == "x" * 10
