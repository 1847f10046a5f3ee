"""Where runs and nights live: a folder of this machine, and for machines that forget a store behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.config import Project
from harness.errors import LedgerError
from harness.run.folder import RunFolder


@dataclass(frozen=True, slots=True)
class Store:
    """reports: the folder in which runs are made and read."""

    reports: Path

    @classmethod
    def of(cls, project: Project) -> Store:
        return cls(project.reports)

    def pull(self) -> None:
        """Bring the nights of other machines here."""

    def fetch(self, relative: str) -> Path:
        """A file of an earlier run, on this machine. Raises LedgerError where it is lost."""
        path = self.reports / relative
        if not path.is_file():
            raise LedgerError(f"{path}: is evidence of an earlier night, and is not there. Restore it.")
        return path

    def keep(self, path: Path) -> None:
        """Put one file below the reports where other machines find it."""

    def keep_run(self, folder: RunFolder) -> None:
        """The same for every file of a run."""
