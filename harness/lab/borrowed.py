"""A lab that runs already, used by a run as if it were its own: one start, many runs.

While a run has planted a fault of its own, no other may use the lab: each holds a lock on the state file, shared by
those that plant nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from harness.errors import LabError
from harness.lab.detached import attach, tells
from harness.lab.lifecycle import Controls, start


def use(plant: str | None, *, state_file: Path | None) -> AbstractContextManager[Controls]:
    """The lab under `state_file` with `plant` in it while the block runs; without a file, a lab of its own.

    plant None leaves a running lab as it is, whatever is planted there: see `planted`.
    Raises LabError when no lab runs there or another run is in the way, UnknownName for the plant.
    """
    return start(plant=plant) if state_file is None else _borrow(state_file, plant)


def planted(plant: str | None, *, state_file: Path | None) -> str | None:
    """The fault that a run meets: the one asked for, or else the one that acts in the running lab already.

    None where that lab does not tell (`up`, untold).
    """
    if plant is not None or state_file is None or not tells(state_file):
        return plant
    found: str | None = attach(state_file).status()["plant"]
    return found


@contextmanager
def _borrow(state_file: Path, plant: str | None) -> Iterator[Controls]:
    controls = attach(state_file)
    with _held(state_file, alone=plant is not None):
        if plant is None:
            yield controls
            return
        before = controls.status()["plant"]
        controls.plant(plant)
        try:
            yield controls
        finally:
            controls.plant(before)


@contextmanager
def _held(state_file: Path, *, alone: bool) -> Iterator[None]:
    import fcntl

    descriptor = os.open(state_file, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise LabError(
                f"{state_file}: another run uses this lab, and a planted fault would be met by both. Wait for it, or "
                "start a lab of its own with another --state."
            ) from exc
        yield
    finally:
        os.close(descriptor)
