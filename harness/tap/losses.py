"""Why a call is not recorded, in the words of `Status.lost`, of the log and of the file's lines `{"lost": "WHY"}`."""

from __future__ import annotations

FULL = "the queue was full"
LONG = "a body or a line was too long"
NOT_WRITTEN = "the file could not be written"
NOT_STORED = "what it said cannot be stored"
FAILED = "the tap failed"
LATE = "the tap was closed"
UNABLE = "the writer could not be started"
ENDED = "the writer ended before it answered for the call"
LEFT = "the application ended and too much was left to write"
