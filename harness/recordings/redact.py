"""Blank out personal data and secrets in text that a report shows.

For the payload level "redacted": whatever a detector finds becomes a placeholder that says what stood there, "[email]".
Addresses of machines stay, for a report is about machines. What has no shape stays too (see `detectors`), and a report
that must not hold it is made at level "hash" or "none". Redacting what is stored is `privacy`'s.
"""

from __future__ import annotations

from harness.recordings.detectors import scrub

_STAY = frozenset({"ip"})


def redact_text(text: str) -> str:
    """The text with typed placeholders; placeholders that stand in it already stay."""
    return scrub(text, lambda kind, _: f"[{kind}]", off=_STAY)
