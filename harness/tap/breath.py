"""Pauses of the writer, so that the application gets the interpreter when it wants it.

A thread that wants Python's interpreter lock asks for it after 5 ms (`sys.getswitchinterval`), and a call waits for it
about four times: a writer that never lets go makes a call 20 ms longer. This one lets go a few thousand times a second.
"""

from __future__ import annotations

import time

BUSY_S = 0.0002  # on end, between two pauses
PAUSE_S = 0.00005  # long enough for a thread that waits to wake up; 0 is not


class Breath:
    """Of one thread."""

    def __init__(self) -> None:
        self._last_s = 0.0

    def take(self) -> None:
        """Let go of the interpreter for a moment, if it was kept for a while."""
        if time.perf_counter() - self._last_s > BUSY_S:
            time.sleep(PAUSE_S)
            self._last_s = time.perf_counter()
