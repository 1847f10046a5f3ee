"""One server's way of wording: another at every call of one request, the same in every lab of one seed."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from random import Random

from harness.lab.chat import faults, model
from harness.lab.chat.prompt import Prompt, Said
from harness.lab.desk import Desk

TIMES_SCORING = 2.0


class Voice:
    """Answers prompts for one server. name: sets its words apart from the other side's, not its meaning."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk = desk
        self._name = name
        self._asked: Counter[bytes] = Counter()
        self._lock = threading.Lock()

    def answer(self, body: bytes, prompt: Prompt) -> Said:
        """What is said to this request, as a planted fault lets it out."""
        key = hashlib.sha256(body).digest()
        with self._lock:
            self._asked[key] += 1
            times = self._asked[key]
        draw = Random(f"{self._desk.settings.seed}:{self._name}:{key.hex()}:{times}")
        return faults.spoiled(self._desk.fault, body, prompt, model.answer(prompt, draw))

    def takes_s(self, body: bytes) -> float:
        """How long this call takes: a model that writes takes longer than one that scores."""
        desk = self._desk
        return desk.fault.service_time_s(body, TIMES_SCORING * desk.settings.service_time_s)


def wait_until(moment_s: float) -> None:
    """Sleep until that moment of `time.perf_counter()`; one that has passed takes no time."""
    left_s = moment_s - time.perf_counter()
    if left_s > 0:
        time.sleep(left_s)
