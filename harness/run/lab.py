"""The embedded lab, as a door hands it in: this room only knows that something can be started and has addresses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from harness.config import Profile
from harness.errors import ConfigError


class RunningLab(Protocol):
    """What `harness.lab.start` gives: addresses, and what a credential chain must find in the environment."""

    @property
    def addresses(self) -> Mapping[str, str]: ...

    @property
    def environment(self) -> Mapping[str, str]: ...


@contextmanager
def opened(
    profile: Profile, *, plant: str | None, start: Callable[[str | None], AbstractContextManager[RunningLab]]
) -> Iterator[dict[str, str]]:
    """The addresses of a lab that runs while the block does; none for a profile of real clouds.

    Raises ConfigError when a fault is to be planted into real clouds.
    """
    if not profile.lab:
        if plant is not None:
            raise ConfigError(f'profile "{profile.name}" is not a lab: faults are planted in the embedded lab only.')
        yield {}
        return
    with start(plant) as lab, _environment(lab.environment):
        yield dict(lab.addresses)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
