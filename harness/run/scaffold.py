"""The files of a new project: what `parity init` writes. Templates are files of the package (`harness/templates`).

`common` is written always; a source's folder and a build system's as asked. A part of a path that begins with an
underscore begins with a dot in the project, so that no tool takes the templates themselves for its own files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from harness import __version__
from harness.errors import ConfigError

BUILDS = {"github": ("github",), "azure": ("azure",), "both": ("github", "azure"), "none": ()}
SOURCES = ("sagemaker", "bedrock")
BESIDE = ".parity-new"  # what a file is called that may not take the place of one that is there
_FILLED = (".txt", ".toml")  # in others a token would be text


@dataclass(frozen=True, slots=True)
class File:
    """One file to write: its path below the project's folder, with slashes, and what stands in it."""

    path: PurePosixPath
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of the files. beside: those that were put beside a different one that is there."""

    new: tuple[PurePosixPath, ...]
    same: tuple[PurePosixPath, ...]
    beside: tuple[PurePosixPath, ...]


def scaffold(*, source: str, builds: str, now: datetime) -> tuple[File, ...]:
    """Every file, sorted by path. source: of SOURCES; builds: of BUILDS; now: UTC; its day alone is used."""
    tokens = {b"@VERSION@": __version__.encode(), b"@NOW@": now.strftime("%Y-%m-%dT00:00:00Z").encode()}
    found = []
    for folder in ("common", source, *BUILDS[builds]):
        for path, content in _walk(files("harness") / "templates" / folder, PurePosixPath()):
            if path.suffix in _FILLED:
                for token, value in tokens.items():
                    content = content.replace(token, value)
            found.append(File(path, content))
    return tuple(sorted(found, key=lambda one: one.path))


def compare(project: Sequence[File], folder: Path) -> tuple[list[File], list[File], list[File]]:
    """(not there yet, there and the same, there and different)."""
    new, same, other = [], [], []
    for file in project:
        there = folder / file.path
        if not there.exists() and not there.is_symlink():
            new.append(file)
        elif there.is_file() and there.read_bytes() == file.content:
            same.append(file)
        else:
            other.append(file)
    return new, same, other


def write(project: Sequence[File], folder: Path, *, force: bool = False) -> Written:
    """Write what is not there. No file that is there is ever written over.

    Where one is there and different, nothing at all is written; with `force` ours goes beside it as NAME.parity-new.
    Raises ConfigError naming those files.
    """
    new, same, other = compare(project, folder)
    if other and not force:
        names = ", ".join(str(file.path) for file in other)
        raise ConfigError(
            f"{folder}: nothing was written, for these files are there and different: {names}. Move them away, choose "
            f"another folder, or let --force write the rest, and these beside them as NAME{BESIDE}."
        )
    beside = [File(file.path.with_name(file.path.name + BESIDE), file.content) for file in other]
    taken = [file for file in beside if (folder / file.path).exists()]
    if taken:
        raise ConfigError(f"{folder}: nothing was written, for {taken[0].path} is there too. Move it away first.")
    for file in (*new, *beside):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as made:  # not over one that came in the meantime either
            made.write(file.content)
    return Written(
        new=tuple(file.path for file in new),
        same=tuple(file.path for file in same),
        beside=tuple(file.path for file in beside),
    )


def _walk(folder: Traversable, below: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
    for one in folder.iterdir():
        path = below / (f".{one.name[1:]}" if one.name.startswith("_") else one.name)
        if one.is_dir():
            yield from _walk(one, path)
        else:
            yield path, one.read_bytes()
