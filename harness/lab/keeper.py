"""The process that owns a detached lab: `python -m harness.lab.keeper STATE_FILE`, options on standard input."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, cast

from harness.errors import HarnessError
from harness.lab.lifecycle import Lab, start, write_private


def keep(state_file: Path) -> None:
    """Start the lab, say so in one line, and wait until told to stop, a server falls, or the state file is removed."""
    options = json.loads(sys.stdin.buffer.read())
    untold = options.pop("untold")
    if os.fork():
        os._exit(0)  # so that the command that started us has no child left behind
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        lab = start(**options)
    except Exception as exc:  # whatever it is, somebody is waiting to hear of it
        _say(str(exc) if isinstance(exc, HarnessError) else f"{type(exc).__name__}: {exc}")
        return
    with lab:
        _write_state(state_file, lab, untold=untold)
        _say(None)
        while not stop.wait(0.2) and lab.fallen() is None and state_file.exists():
            pass
    state_file.unlink(missing_ok=True)


def _write_state(state_file: Path, lab: Lab, *, untold: bool) -> None:
    state = {
        "pid": os.getpid(),
        "addresses": lab.addresses,
        "environment": lab.environment,
        "control": lab.control,
        "pids": lab.pids,
        "untold": untold,
    }
    part = state_file.with_name(f"{state_file.name}.{os.getpid()}.part")
    write_private(part, json.dumps(state))
    part.replace(state_file)


def _say(error: str | None) -> None:
    output = cast("IO[bytes]", sys.stdout.buffer)
    output.write(json.dumps({"error": error}).encode())
    output.flush()
    # Whoever waits for our words waits for the end of the stream.
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 1)
    os.close(silence)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
