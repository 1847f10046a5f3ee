"""HTML that is safe by construction: text becomes markup only here, and only escaped.

`tag("td", anything)` escapes `anything` unless it is `Markup`, and only this module makes `Markup`. Attributes that run
code, load something or carry style are refused, so that hostile text has no door even where a caller errs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from harness.reporters._parts.text import HIDDEN, HIDDEN_OR_BREAK, code

_VOID = frozenset({"meta", "br", "hr", "wbr", "input"})
_REFUSED_TAGS = frozenset(
    {"script", "style", "iframe", "object", "embed", "link", "base", "form", "img", "foreignObject"}
)
# Files that the harness itself writes beside a page or in folders below it.
_BESIDE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/){0,2}[A-Za-z0-9_][A-Za-z0-9._-]*\.html(?:#[a-z0-9-]+)?")
_ADDRESSES = frozenset({"href", "xlink:href", "src", "action", "formaction", "data", "srcset", "ping", "poster"})


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that is written as it is. Made by `tag`, `fragment`, `sheet` and `code_block`, nowhere else."""

    html: str


Child: TypeAlias = "Markup | str | Iterable[Child] | None"
Value: TypeAlias = str | float | bool | None


def tag(name: str, /, *children: Child, **attributes: Value) -> Markup:
    """One element. Children are escaped unless they are Markup; None is left out.

    Attribute names lose a trailing underscore and turn the others into hyphens (`class_`, `aria_label`). True writes a
    bare name, False and None write nothing. Raises ValueError for tags and attributes that could run, load or style.
    """
    if name in _REFUSED_TAGS:
        raise ValueError(f"a report has no <{name}>")
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{''.join(_flat(children))}</{name}>")


def fragment(*children: Child) -> Markup:
    """Several children without an element around them."""
    return Markup("".join(_flat(children)))


def sheet(css: str) -> Markup:
    """The page's own stylesheet, the one place where text is not escaped. Raises ValueError if it could end early."""
    if "</" in css or "<!--" in css:
        raise ValueError("a stylesheet must not hold markup")
    return Markup(f"<style>{css}</style>")


def code_block(javascript: str) -> Markup:
    """The page's own script, which the page's policy names by its hash. Raises ValueError if it could end early."""
    if "</" in javascript or "<!--" in javascript:
        raise ValueError("a script must not hold markup")
    return Markup(f"<script>{javascript}</script>")


def escape(text: str) -> str:
    """Text as HTML: markup characters as entities, hidden characters as a marked number."""
    return HIDDEN.sub(lambda found: f'<i class="u">{code(found[0])}</i>', html.escape(text, quote=False))


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            yield child.html
        elif isinstance(child, str):
            yield escape(child)
        else:
            yield from _flat(child)


def _attribute(key: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = key.removesuffix("_").replace("_", "-")
    if name.lower().startswith("on") or name == "style":
        raise ValueError(f"a report has no {name} attribute")
    if value is True:
        return f" {name}"
    shown = f"{value:g}" if isinstance(value, int | float) else value
    if name.lower() in _ADDRESSES and not (shown.startswith("#") or _BESIDE.fullmatch(shown)):
        raise ValueError(f"{name} may only point into the page itself, or to a page of the same report")
    safe = HIDDEN_OR_BREAK.sub(lambda found: f"[{code(found[0])}]", html.escape(shown, quote=True))
    return f' {name}="{safe}"'
