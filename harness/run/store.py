"""Where runs and nights live: a folder of this machine, and for machines that forget a store behind it.

With a store every night begins by fetching the `night.json` that are not here yet, and, of the runs before, the rows
that it judges. Runs are made here and put into the store file by file, each object whole; the night's own document
last, so that a night that is there has all that it speaks of. What is there is never changed: names of runs and nights
are unique, and `index.html` alone is written over, being made of the others.

The ledger holds every answer as it came, so it leaves the machine only where the profile says `payloads = "full"`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from harness.config import Profile, Project
from harness.core.report import Payloads
from harness.errors import ConfigError, LedgerError
from harness.run.folder import RunFolder, write_whole
from harness.run.nights import FOLDER, NIGHT, STARTED

_AT_ONCE = 16  # objects fetched at a time
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Store:
    """reports: the folder in which runs are made and read. system: pyarrow's file system behind it, None for none;
    base: its path there. ledgers: whether those may leave this machine.
    """

    reports: Path
    system: Any = None
    base: str = ""
    ledgers: bool = False

    @classmethod
    def of(cls, project: Project, profile: Profile | None = None) -> Store:
        """profile: whose payload rule holds for what is put there. Raises ConfigError where it cannot be opened."""
        if project.store is None:
            return cls(project.reports)
        from harness.run.files import open_store

        try:
            system, base = open_store(project.store)
        except (OSError, ValueError) as exc:
            raise ConfigError(f"{project.store}: the store cannot be opened: {exc}") from exc
        full = profile is not None and profile.payloads is Payloads.FULL
        return cls(project.reports, system, base.rstrip("/"), full)

    def pull(self) -> None:
        """Bring the nights of other machines here: what each came to, and those that have begun.

        Raises LedgerError where the store cannot be read: without its nights tonight's evidence would be another.
        """
        if self.system is None:
            return
        from pyarrow import fs

        selector = fs.FileSelector(f"{self.base}/{FOLDER}", allow_not_found=True, recursive=True)
        listed = self._told(lambda: self.system.get_file_info(selector))
        present = {posixpath.relpath(one.path, self.base) for one in listed if one.type is fs.FileType.File}
        wanted = [one for one in sorted(present) if self._wanted(one, present)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._fetch, wanted))

    def _wanted(self, relative: str, present: set[str]) -> bool:
        parts = relative.split("/")
        if len(parts) != 3 or not _NAME.fullmatch(parts[1]) or (self.reports / relative).exists():
            return False
        return parts[2] == NIGHT or (parts[2] == STARTED and f"{FOLDER}/{parts[1]}/{NIGHT}" not in present)

    def fetch(self, relative: str) -> Path:
        """A file of an earlier run, on this machine. Raises LedgerError where it is lost."""
        path = self.reports / relative
        if not path.is_file() and self.system is not None:
            self._fetch(relative)
        if not path.is_file():
            raise LedgerError(f"{path}: is evidence of an earlier night, and is not there. Restore it.")
        return path

    def fetch_run(self, name: str) -> None:
        """Every file of an earlier run that the store has and this machine has not. Raises LedgerError."""
        if self.system is None or not _NAME.fullmatch(name):
            return
        from pyarrow import fs

        selector = fs.FileSelector(f"{self.base}/{name}", allow_not_found=True, recursive=True)
        listed = self._told(lambda: self.system.get_file_info(selector))
        files = [posixpath.relpath(one.path, self.base) for one in listed if one.type is fs.FileType.File]
        for relative in sorted(files):
            if ".." not in relative.split("/") and not (self.reports / relative).exists():
                self._fetch(relative)

    def _fetch(self, relative: str) -> None:
        path = self.reports / relative
        content = self._told(lambda: self._read(relative))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)

    def _read(self, relative: str) -> bytes:
        with self.system.open_input_stream(f"{self.base}/{relative}") as stream:
            return bytes(stream.read())

    def keep(self, path: Path) -> None:
        """Put one file below the reports where other machines find it. Raises LedgerError where that fails, and where
        a finished night of that name is there already."""
        if self.system is None:
            return
        from pyarrow import fs

        relative = path.relative_to(self.reports).as_posix()
        target = f"{self.base}/{relative}"
        if path.name == NIGHT and self._told(lambda: self.system.get_file_info(target)).type is fs.FileType.File:
            raise LedgerError(f"{target}: this night was finished elsewhere.")
        self._told(lambda: self._write(target, path.read_bytes()))

    def _write(self, target: str, content: bytes) -> None:
        from pyarrow import fs

        if not isinstance(self.system, fs.S3FileSystem):  # elsewhere folders are things that must be there
            self.system.create_dir(posixpath.dirname(target), recursive=True)
        with self.system.open_output_stream(target) as stream:
            stream.write(content)

    def keep_run(self, folder: RunFolder) -> None:
        """The same for every file of a run that may leave this machine."""
        if self.system is not None:
            for path in self._leaving(folder):
                self.keep(path)

    def _leaving(self, folder: RunFolder) -> Iterator[Path]:
        for path in sorted(folder.path.rglob("*")):
            answers = path.is_relative_to(folder.ledger) or path.is_relative_to(folder.judgements)
            if (
                path.is_file()
                and path.name != "lock"
                and not path.name.startswith(".")
                and (self.ledgers or not answers)
            ):
                yield path

    def _told(self, call: Callable[[], _T]) -> _T:
        """A call of the store, its failure in our words; pyarrow's message names bucket, key and reason."""
        try:
            return call()
        except (OSError, ValueError) as exc:
            raise LedgerError(
                f"{self.base}: the store of nights cannot be used: {exc}. What was made lies in {self.reports}."
            ) from exc
