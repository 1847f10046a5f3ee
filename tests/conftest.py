"""What several rooms of tests share: one small server, one embedded lab, and small projects for both doors."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harness import lab as lab_room
from tests.small import project as small
from tests.small.project import Project
from tests.small.server import Server, serving

# How fast a machine draws and runs an example says nothing of the code: a busy one must not fail a test.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(_server: Server) -> Server:
    """The server behind `plainhttp`, both sides honest."""
    _server.reset()
    return _server


@pytest.fixture
def numbers(tmp_path: Path, server: Server) -> Project:
    """A project whose suite `numbers` replays 80 numbers to that server: GO as long as both sides are honest."""
    return small.make(tmp_path, server)


@pytest.fixture
def make_numbers(tmp_path: Path, server: Server) -> Callable[..., Project]:
    """The same with other options; see `tests.small.project.make`."""
    return lambda **options: small.make(tmp_path, server, **options)


@dataclass(frozen=True)
class SharedLab:
    """state_file: what `--lab-state` takes."""

    lab: lab_room.Lab
    state_file: Path


@pytest.fixture(scope="session")
def _shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedLab]:
    # Not `lab.up`, which would outlive tests that are killed; the state file is the same.
    with lab_room.start(service_time_s=0.0) as started:
        state_file = tmp_path_factory.mktemp("lab") / "lab.json"
        state = {
            "pid": os.getpid(),
            "addresses": started.addresses,
            "environment": started.environment,
            "control": started.control,
            "pids": started.pids,
        }
        state_file.touch(mode=0o600)
        state_file.write_text(json.dumps(state))
        yield SharedLab(started, state_file)


@pytest.fixture
def shared_lab(_shared_lab: SharedLab) -> Iterator[SharedLab]:
    """The lab that the tests of the doors share, without a fault and as fast as it can be, before and after."""
    _shared_lab.lab.plant(None)
    _shared_lab.lab.set_service_time(0.0)
    yield _shared_lab
    _shared_lab.lab.plant(None)
