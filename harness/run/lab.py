"""The embedded lab, as a door hands it in: this room only knows that something can be started and has addresses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.config import Profile

STATE_VARIABLE = "PARITY_LAB_STATE"  # names the state file of a running lab where a door's option does not


class RunningLab(Protocol):
    """What `harness.lab.start` gives: addresses, and what a credential chain must find in the environment."""

    @property
    def addresses(self) -> Mapping[str, str]: ...

    @property
    def environment(self) -> Mapping[str, str]: ...


def state_file(profile: Profile, option: Path | str | None) -> Path | None:
    """The state file of the running lab to use: the door's option, or the environment's word. None: start a lab.

    Raises ConfigError when the option is given and the profile is none of a lab.
    """
    if not profile.lab:
        if option is not None:
            raise ConfigError(f'profile "{profile.name}" is not a lab: there is no lab for it to use ({option}).')
        return None
    named = option or os.environ.get(STATE_VARIABLE)
    return Path(named) if named else None


@contextmanager
def opened(
    profile: Profile, *, plant: str | None, start: Callable[[str | None], AbstractContextManager[RunningLab]]
) -> Iterator[dict[str, str]]:
    """The addresses of a lab that runs while the block does; none for a profile of real clouds.

    start: gives a lab with the plant in it, one of its own or one that runs already.

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
