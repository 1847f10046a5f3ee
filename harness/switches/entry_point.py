"""A switch of the user's own in Python: "module:callable", of a file beside the cutover.toml or of a package."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.core import registry
from harness.core.traffic import Shares
from harness.errors import ConfigError, HarnessError, SwitchError
from harness.switches._shares import shares_in


@runtime_checkable
class Own(Protocol):
    """What the callable returns. An attribute mirror_limit may say the largest mirror share; without it, none."""

    def read(self) -> int | Mapping[str, int]:
        """The target's percent, or {"target": 10} with "source" and "mirror" beside it where they are known."""
        ...

    def set(self, source: int, target: int, mirror: int) -> None:
        """Put these percents in force in one act, or raise."""
        ...


def build(
    *,
    folder: Path = Path(),
    call: str,
    options: Mapping[str, Any] | None = None,
) -> EntryPointSwitch:
    """call: "module:callable". options: keyword arguments of the callable. Raises ConfigError."""
    module, _, name = call.partition(":")
    if not module or not name:
        raise ConfigError(f'switch "entry_point": "call" is written "module:callable", not "{call}".')
    try:
        if (folder / f"{module}.py").is_file():
            make = registry.attribute(call, suite_folder=folder, where='switch "entry_point"')
        else:
            make = getattr(importlib.import_module(module), name)
        own = make(**(options or {}))
    except HarnessError:
        raise
    except Exception as exc:
        raise ConfigError(f'switch "entry_point": {call} cannot be made ({type(exc).__name__}: {exc}).') from exc
    if not isinstance(own, Own):
        raise ConfigError(f'switch "entry_point": what {call} returns has no read() and set(source, target, mirror).')
    return EntryPointSwitch(call, own)


@dataclass(frozen=True, slots=True)
class EntryPointSwitch:
    """Calls the user's object; whatever that raises is a SwitchError here."""

    call: str
    own: Own

    @property
    def name(self) -> str:
        return "entry_point"

    @property
    def mirror_limit(self) -> int:
        return int(getattr(self.own, "mirror_limit", 0))

    def read(self) -> Shares:
        try:
            told = self.own.read()
        except HarnessError:
            raise
        except Exception as exc:
            raise SwitchError(f"{self.call}: read() failed ({type(exc).__name__}: {exc}).") from exc
        return shares_in(told, self.call)

    def set(self, shares: Shares) -> None:
        try:
            self.own.set(shares.source, shares.target, shares.mirror)
        except HarnessError:
            raise
        except Exception as exc:
            raise SwitchError(f"{self.call}: set() failed ({type(exc).__name__}: {exc}).") from exc
