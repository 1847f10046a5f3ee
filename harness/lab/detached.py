"""A lab that outlives the command that started it: `up`, `status`, `attach`, `down`, around one state file.

The lab's owner is then a keeper process of its own (`python -m harness.lab.keeper STATE_FILE`). The state file, which
only its owner may read, holds addresses, environment, the keeper's process id and the control secret. Removing it stops
the lab too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from harness.errors import LabError
from harness.lab import desk
from harness.lab.lifecycle import SERVICE_TIME_S, START_TIMEOUT_S, Controls, child_environment

DOWN_TIMEOUT_S = 20.0


def up(
    state_file: Path,
    *,
    plant: str | None = None,
    seed: int = 7,
    service_time_s: float = SERVICE_TIME_S,
    untold: bool = False,
) -> dict[str, Any]:
    """Start a lab and leave it running; returns its status. Options as of `start`.

    untold: runs are not told of the plant, and meet it as they would meet a fault of a cloud.

    Raises LabError when one runs already, or when it does not start; UnknownName for the plant.
    """
    state_file = state_file.resolve()
    if status(state_file) is not None:
        raise LabError(f"{state_file}: a lab is running already. Stop it with `parity lab down`.")
    state_file.unlink(missing_ok=True)  # of a lab that is no more
    state_file.parent.mkdir(parents=True, exist_ok=True)
    options = {"plant": plant, "seed": seed, "service_time_s": service_time_s, "untold": untold}
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "harness.lab.keeper", str(state_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=child_environment(),
    ) as first:
        said, _ = first.communicate(json.dumps(options).encode(), timeout=START_TIMEOUT_S + 10.0)
    error = json.loads(said)["error"] if said else "the keeper process ended without a word"
    if error is not None:
        raise LabError(error)
    present = status(state_file)
    if present is None:
        raise LabError(f"{state_file}: the lab started and is gone again. Try again.")
    return present


def status(state_file: Path) -> dict[str, Any] | None:
    """What `Controls.status` says, with the addresses and the keeper's pid; None when no lab runs under this file."""
    state = _read(state_file)
    if state is None:
        return None
    try:
        return _controls(state).status() | {"pid": state["pid"], "addresses": state["addresses"]}
    except LabError:
        return None


def tells(state_file: Path) -> bool:
    """Whether the lab under this file tells runs what is planted in it."""
    return not (_read(state_file) or {}).get("untold", False)


def attach(state_file: Path) -> Controls:
    """The controls of the lab that runs under this file. Raises LabError when none does."""
    state = _read(state_file)
    if state is None or status(state_file) is None:
        raise LabError(f"{state_file}: no lab is running. Start one with `parity lab up`.")
    return _controls(state)


def down(state_file: Path) -> bool:
    """Stop the lab under this file; False when none was running. Raises LabError when it does not stop."""
    state = _read(state_file)
    if state is None:
        return False
    if status(state_file) is None or not _keeps(state):
        state_file.unlink(missing_ok=True)
        return False
    os.kill(state["pid"], signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while state_file.exists():  # the last thing that the keeper does is to remove it
        if time.monotonic() > deadline:
            raise LabError(f"{state_file}: the lab (process {state['pid']}) did not stop. End that process.")
        time.sleep(0.02)
    return True


def _read(state_file: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(state_file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except ValueError as exc:
        raise LabError(f"{state_file}: this is not a lab's state file. Remove it.") from exc


def _controls(state: dict[str, Any]) -> Controls:
    return Controls(state["addresses"], state["environment"], state["control"])


def _keeps(state: dict[str, Any]) -> bool:
    """Whether the recorded process is still the lab's keeper: process ids are used again."""
    health = desk.send(state["addresses"]["resource_manager"], state["control"], "health")
    return bool(health["parent"] == state["pid"])
