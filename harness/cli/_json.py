"""JSON on standard output that a build's log may show: no text in it is a command of a build system."""

from __future__ import annotations

import json
from typing import Any


def json_line(document: Any) -> str:
    """One line of strict JSON in ASCII. Two hashes side by side are escaped, as JSON allows: build systems look for
    `##vso[` and `##[` anywhere in a line. A line of JSON never starts with `::`.
    """
    return json.dumps(document, allow_nan=False).replace("##", "\\u0023\\u0023")
