"""The peers that can be installed, each in an environment of its own, made on demand and kept in a cache folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peers.samples import Sample

HERE = Path(__file__).resolve().parent
COLUMNS = ("source", "again", "target", "timed_out", "region", "night", "absent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """worker: the file beside this one that the peer's own Python runs. items, draws: the shape of its samples.

    beside: what else its environment needs.
    """

    words: str
    package: str
    version: str
    worker: str
    items: int
    draws: int
    beside: tuple[str, ...] = ()

    def python(self, cache: Path) -> Path:
        """The interpreter of its environment, which is made where it does not exist."""
        folder = cache / f"{self.package}-{self.version}"
        python = folder / "bin" / "python"
        ready = folder / "ready"
        if not ready.exists():
            print(f"installing {self.package} {self.version} into {folder}", file=sys.stderr)
            venv.create(folder, with_pip=True)
            requirements = (f"{self.package}=={self.version}", *self.beside)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
            ready.touch()
        return python

    def start(self, cache: Path, folder: Path) -> subprocess.Popen[bytes]:
        """Judge every stack of samples in the folder; -I keeps this project out of the peer's way."""
        # litellm, below evalshift, would otherwise ask the web for a price list when it is imported.
        environment = os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        return subprocess.Popen([self.python(cache), "-I", HERE / self.worker, folder], env=environment)


PEERS = (
    Peer(
        words="model-migration-kit",
        package="model-migration-kit",
        version="0.1.1",
        worker="migration_kit.py",
        items=80,
        draws=5,
    ),
    Peer(words="evalshift", package="evalshift", version="1.6.1", worker="evalshift.py", items=400, draws=1),
)


def write(folder: Path, name: str, samples: list[Sample]) -> None:
    np.savez(
        folder / f"{name}.npz", **{column: np.stack([getattr(one, column) for one in samples]) for column in COLUMNS}
    )


def read(folder: Path) -> Mapping[str, list[list[str]]]:
    """Verdicts of each sample, one a night, by the name of the stack."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
