"""The frame of a page: its own policy first, then title, stylesheet, body, script."""

from __future__ import annotations

from harness.reporters._parts.markup import Markup, code_block, sheet, tag
from harness.reporters._parts.script import SCRIPT
from harness.reporters._parts.style import CSS, POLICY
from harness.reporters._parts.text import visible


def page(title: str, body: Markup) -> bytes:
    """A whole HTML file in UTF-8. title: plain text; a title element shows no markup, so hidden characters are told."""
    made = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("title", visible(title)),
            sheet(CSS),
        ),
        tag("body", body, code_block(SCRIPT)),
        lang="en",
    )
    return f"<!doctype html>\n{made.html}\n".encode()
