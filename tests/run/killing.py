"""A process that is killed, as `kill -9` does, before any line of the code that moves traffic."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import harness
from harness.errors import HarnessError

PATIENCE_S = 30
HOUSE = Path(harness.__file__).parent
# Journal, driver and switch: all that writes, sets and reads back.
WATCHED = tuple(
    str(HOUSE / name)
    for name in (
        "run/cutover.py",
        "run/cutover_journal.py",
        "run/ledger.py",
        "switches/azureml.py",
        "switches/flagd.py",
        "services/_azureml_traffic.py",
    )
)


def lines(act: Callable[[], Any]) -> int:
    """How many lines of the watched files `act` runs through, in a process of its own that undoes nothing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        ran = _traced(act, kill_at=None)
        os.write(writer, str(ran).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        count = int(told.read())
    os.waitpid(child, 0)
    return count


def killed(act: Callable[[], Any], *, at: int) -> bool:
    """Run `act` in a process that is killed before its line number `at`; False where it ended first."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        _traced(act, kill_at=at)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    assert os.WEXITSTATUS(status) == 0
    return False


def _traced(act: Callable[[], Any], *, kill_at: int | None) -> int:
    ran = 0

    def line(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal ran
        if event == "line":
            if ran == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            ran += 1
        return line

    def call(frame: FrameType, _event: str, _argument: object) -> Any:
        return line if frame.f_code.co_filename in WATCHED else None

    sys.settrace(call)
    try:
        act()
    except HarnessError:
        pass
    except BaseException:
        traceback.print_exc()
        os._exit(3)
    finally:
        sys.settrace(None)
    return ran
