"""How far a replay has come, for somebody who watches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TextIO

EVERY = 25

Progress = Callable[[int, int], None]  # (cases done, cases in all)


def silent(_done: int, _total: int) -> None:
    """For CI, where nobody watches."""


def counter(stream: TextIO) -> Progress:
    """One line that counts cases, written over itself; silent where `stream` is no terminal. Safe to share by threads.

    Threads may report out of order; the line never runs backwards.
    """
    if not stream.isatty():
        return silent
    lock = threading.Lock()
    shown = 0

    def show(done: int, total: int) -> None:
        nonlocal shown
        with lock:
            if done <= shown or (done % EVERY and done != total):
                return
            shown = done
            stream.write(f"\r{done:,} of {total:,} cases" + ("\n" if done == total else ""))
            stream.flush()

    return show
