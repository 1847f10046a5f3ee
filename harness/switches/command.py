"""A command of the user's own: one that prints the share in force, and one that sets another. No shell is involved."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.traffic import Shares
from harness.errors import ConfigError, SwitchError
from harness.switches._shares import shares_of

TIMEOUT_S = 60.0
PLACEHOLDERS = ("{source}", "{target}", "{mirror}")


def build(
    *,
    folder: Path = Path(),
    read: Sequence[str],
    set: Sequence[str],  # noqa: A002 - its word in the file
    timeout_s: float = TIMEOUT_S,
) -> CommandSwitch:
    """read, set: program and arguments, run in `folder`. {source}, {target} and {mirror} in `set` stand for percents.

    read prints the target's percent alone, or JSON {"target": 10} with "source" and "mirror" beside it where there are.
    timeout_s: after so long a command is ended, and what it started with it. Raises ConfigError.
    """
    for name, command in (("read", read), ("set", set)):
        if isinstance(command, str) or not command or not all(isinstance(part, str) and part for part in command):
            raise ConfigError(f'switch "command": "{name}" is a list of texts, the program first: ["router", "get"].')
    if not any(word in part for part in set for word in ("{source}", "{target}")):
        raise ConfigError('switch "command": "set" must name {target} or {source}, the percent to set.')
    return CommandSwitch(tuple(read), tuple(set), float(timeout_s), folder)


@dataclass(frozen=True, slots=True)
class CommandSwitch:
    """Runs one command a call. A command that fails, hangs or prints something else is a SwitchError."""

    reading: tuple[str, ...]
    setting: tuple[str, ...]
    timeout_s: float
    folder: Path

    @property
    def name(self) -> str:
        return "command"

    @property
    def mirror_limit(self) -> int:
        return 100 if any("{mirror}" in part for part in self.setting) else 0

    def read(self) -> Shares:
        return shares_of(self._run(self.reading), self.reading[0])

    def set(self, shares: Shares) -> None:
        values = dict(zip(PLACEHOLDERS, (shares.source, shares.target, shares.mirror), strict=True))
        self._run(tuple(_filled(part, values) for part in self.setting))

    def _run(self, command: tuple[str, ...]) -> bytes:
        try:
            # Descriptors that are marked for it go with the program: the journal's lock, and nothing else. A session of
            # its own, so that whatever the program starts can be ended with it.
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.folder,
                close_fds=False,
                start_new_session=True,
            )
        except OSError as exc:
            raise SwitchError(f"{command[0]} cannot be run ({exc.strerror}).") from exc
        with child:
            try:
                printed, complaint = child.communicate(timeout=self.timeout_s)
            except BaseException as exc:
                os.killpg(child.pid, signal.SIGKILL)
                if isinstance(exc, subprocess.TimeoutExpired):
                    raise SwitchError(f"{command[0]} took longer than {self.timeout_s:g} s and was ended.") from exc
                raise
        if child.returncode:
            last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["nothing on stderr"]
            raise SwitchError(f"{command[0]} ended with exit code {child.returncode} ({last[0][:200]}).")
        return printed


def _filled(part: str, values: Mapping[str, int]) -> str:
    for word, value in values.items():
        part = part.replace(word, str(value))
    return part
