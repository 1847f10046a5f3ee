"""Text becomes markup in one place, and only escaped."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness.reporters
from harness.reporters._parts.markup import fragment, sheet, tag
from harness.reporters._parts.text import HIDDEN
from tests.reporters.reading import HOSTILE, Page

# surrogates among them: JSON escapes can bring them in
ANYTHING = st.text(st.characters(), max_size=60) | st.sampled_from(
    [HOSTILE, "</p><script>", "<!--", "]]>", "&#60;b&#62;"]
)


@given(ANYTHING)
def test_whatever_the_text_it_stays_text(text: str):
    page = Page(tag("p", text).html)
    assert {element.tag for element in page.elements} <= {"p", "i"}
    assert page.unbalanced == []


@given(ANYTHING)
def test_a_reader_gets_the_text_with_hidden_characters_as_numbers(text: str):
    expected = HIDDEN.sub(lambda found: f"U+{ord(found[0]):04X}", text)
    assert Page(tag("p", text).html).one("p").text == expected


@given(ANYTHING)
def test_an_attribute_cannot_be_left(text: str):
    page = Page(tag("p", "x", title=text).html)
    assert [element.tag for element in page.elements] == ["p"]
    assert list(page.one("p").attributes) == ["title"]
    assert page.one("p").text == "x"


@given(ANYTHING)
def test_markup_can_always_be_written_as_utf_8(text: str):
    assert tag("p", text, title=text).html.encode()


@pytest.mark.parametrize(
    "name", ["script", "style", "img", "iframe", "object", "link", "base", "form", "foreignObject"]
)
def test_elements_that_run_or_load_are_refused(name: str):
    with pytest.raises(ValueError, match=name):
        tag(name)


@pytest.mark.parametrize("attribute", ["onclick", "onLoad", "style"])
def test_attributes_that_run_or_style_are_refused(attribute: str):
    with pytest.raises(ValueError, match=attribute):
        tag("p", **{attribute: "x"})


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://example.org", "//example.org", "data:text/html,x"])
def test_links_point_into_the_page_only(address: str):
    with pytest.raises(ValueError, match="into the page"):
        tag("a", "x", href=address)


def test_none_is_left_out_and_markup_is_kept():
    assert fragment("a<", None, [tag("b", "c&")], tag("wbr")).html == "a&lt;<b>c&amp;</b><wbr>"


def test_a_stylesheet_cannot_end_early():
    with pytest.raises(ValueError, match="markup"):
        sheet("p{}</style><script>")


def test_markup_is_made_in_one_module_only():
    """A second place that calls Markup(...) would be a second place to forget escaping."""
    found = {
        path.name
        for path in Path(harness.reporters.__path__[0]).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Markup"
    }
    assert found == {"markup.py"}
