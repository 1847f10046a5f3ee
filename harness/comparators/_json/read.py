"""The JSON value of an answer, or why there is none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from harness.comparators._conduct import cut_short
from harness.comparators._json.walk import DEEPEST, too_deep
from harness.core.case import Json
from harness.core.output import Chat, Document

_FENCED = re.compile(r"\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Broken:
    """Why an answer is no JSON, in words that end a sentence."""

    why: str


def read(output: Chat | Document, *, fenced: bool) -> Json | Broken:
    """The value of a document, of an answer parsed by the service, or of a text; see RFC 8259.

    NaN and Infinity are no JSON, although Python reads them. fenced: a text inside one Markdown fence counts.
    """
    if isinstance(output, Document) or output.has_value:
        value = output.value
    else:
        text = output.text
        if fenced and (found := _FENCED.fullmatch(text)):
            text = found[1]
        try:
            value = json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError as exc:
            return Broken(f"{exc.msg.lower()} at character {exc.pos}{cut_short(output)}")
        except RecursionError:
            return Broken(f"nested deeper than {DEEPEST} levels")
        except ValueError as exc:
            return Broken(f"{str(exc)[:80]}{cut_short(output)}")
    return Broken(f"nested deeper than {DEEPEST} levels") if too_deep(value) else value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
