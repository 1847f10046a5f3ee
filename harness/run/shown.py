"""What of a payload a report may show: the profile's rule, applied to every text before it is kept for a reader."""

from __future__ import annotations

import hashlib

from harness.core.call import Answer, Outcome
from harness.core.output import told
from harness.core.report import Payloads

HIDDEN_REASON = "not shown: this profile keeps payloads out of reports"


class Shown:
    """Cuts a text to what the profile lets a report show."""

    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads

    def __call__(self, text: str) -> str | None:
        from harness.recordings.redact import redact_text

        match self._payloads:
            case Payloads.NONE:
                return None
            case Payloads.HASH:
                return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
            case Payloads.REDACTED:
                return redact_text(text)
            case Payloads.FULL:
                return text

    def reason(self, text: str) -> str:
        """A comparator's reason quotes answers, so it is shown no more freely than they are."""
        if self._payloads in (Payloads.NONE, Payloads.HASH):
            return HIDDEN_REASON
        return self(text) or ""


def outcome_text(outcome: Outcome) -> str:
    """An answer as a person reads it, or why there is none."""
    return told(outcome.output) if isinstance(outcome, Answer) else f"{outcome.kind.value}: {outcome.message}"
