"""Redactors that the writer's process can import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


class Plain:
    """A redactor that finds nothing."""

    rules: tuple[str, ...] = ("plain/1",)

    def redact(self, text: str) -> str:
        return text

    def picked(self, value: object, side: str) -> object:
        return value

    def cell(self, text: str, column: int, side: str) -> None:
        return None


class Waiting(Plain):
    """One that waits until a file is there."""

    def __init__(self, go: Path) -> None:
        self.go = go

    def redact(self, text: str) -> str:
        until = time.monotonic() + 60
        while not self.go.exists() and time.monotonic() < until:
            time.sleep(0.005)
        return text


class Broken(Plain):
    """One that fails."""

    def redact(self, text: str) -> str:
        raise RuntimeError(text)


class Deadly(Plain):
    """One that ends the whole process at a word, as a fault in a C library would."""

    def redact(self, text: str) -> str:
        if "die" in text:
            os.kill(os.getpid(), signal.SIGSEGV)
        return text


class Unmade(Plain):
    """One that the writer cannot make."""

    def __reduce__(self) -> tuple[object, ...]:
        return _absent, ()


class Locked(Plain):
    """One that no other process can have."""

    def __init__(self) -> None:
        self.find = lambda text: text


def _absent() -> None:
    raise ModuleNotFoundError("a library that only the application has")
