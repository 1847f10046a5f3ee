"""Tables, as every section of a page writes them."""

from __future__ import annotations

from collections.abc import Iterable

from harness.reporters._parts.markup import Markup, tag


def cell(shown: str) -> Markup:
    """A cell that holds a number."""
    return tag("td", shown, class_="n")


def table(title: str, heads: tuple[str, ...], rows: Iterable[Markup], *, left: int) -> Markup:
    """A table whose first `left` columns hold words and the others numbers."""
    top = [tag("th", head, scope="col", class_=None if at < left else "n") for at, head in enumerate(heads)]
    return tag(
        "div",
        tag("table", tag("caption", title, class_="hide"), tag("thead", tag("tr", top)), tag("tbody", rows)),
        class_="scroll",
        tabindex=0,
        role="group",
        aria_label=f"{title}, a table that scrolls sideways on small screens",
    )
