"""Pauses of the writer."""

from __future__ import annotations

import time
from pathlib import Path

from harness.recordings.pseudonyms import Pseudonyms
from harness.tap import breath
from harness.tap.breath import Breath
from harness.tap.spool import Spool


def test_it_pauses_after_having_been_busy_and_not_before():
    one = Breath()
    one.take()
    started = time.thread_time()
    one.take()
    assert time.thread_time() - started < breath.BUSY_S
    time.sleep(2 * breath.BUSY_S)
    started = time.perf_counter()
    one.take()
    assert time.perf_counter() - started >= breath.PAUSE_S


def test_redaction_pauses_before_each_detector_and_finds_what_it_found():
    text = "call 415-555-0199 or write to ann@example.com"
    by, times = Pseudonyms(key=b"k" * 32), [0]

    def pause() -> None:
        times[0] += 1

    by.pause = pause
    assert by.redact(text) == Pseudonyms(key=b"k" * 32).redact(text)
    assert times[0] > 5


def test_a_spool_sets_the_pauses_of_its_redactor(tmp_path: Path):
    by = Pseudonyms()
    spool = Spool(tmp_path, by)
    assert by.pause.__name__ == "take"
    spool.close()
