"""The files of an import, opened by the door: folders, globs and objects in S3 or Azure Blob Storage.

A log is its files in sorted order, each with a path relative to what was asked for. Stores are reached through pyarrow,
with the credentials that its own chain finds: for S3 those of the AWS SDK, endpoint and region from AWS_ENDPOINT_URL_S3
(or AWS_ENDPOINT_URL) and AWS_REGION (or AWS_DEFAULT_REGION); for Azure the account in the URL or in
AZURE_STORAGE_ACCOUNT, with AZURE_STORAGE_KEY where there is no identity, and AZURE_STORAGE_BLOB_ENDPOINT for an
emulator.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from harness.errors import ConfigError
from harness.recordings.formats import LogFile

_WILD = re.compile(r"[*?\[]")
_URL = re.compile(r"^(s3|abfss?|az)://")


@dataclass(frozen=True, slots=True)
class Place:
    """One PATH of an import. system: pyarrow's, None for this machine. base: a folder of it; pattern: what lies below
    it, with wild cards; "" for everything.
    """

    system: Any
    base: str
    pattern: str
    only: str | None = None


class Files:
    """The log that a format is handed. Raises ConfigError where a path is not there or holds no file."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._places = [_place(path) for path in paths]

    @property
    def remote(self) -> bool:
        """Whether any of it is in a store."""
        return any(place.system is not None for place in self._places)

    def __iter__(self) -> Iterator[LogFile]:
        for path, number, relative in self._walked():
            yield LogFile(path, partial(_open, self._places[number], relative))

    def _walked(self) -> Iterator[tuple[str, int, str]]:
        """Each file as it is called here, the number of its place, and its path there."""
        seen: set[str] = set()
        for number, place in enumerate(self._places):
            found = False
            for relative in _walk(place):
                found, path = True, relative
                if len(self._places) > 1:
                    while path in seen:
                        path = f"{number + 1}/{path}"
                    seen.add(path)
                yield path, number, relative
            if not found:
                raise ConfigError(f"{place.base}: there is no file{f' like {place.pattern}' if place.pattern else ''}.")

    @cached_property
    def _known(self) -> dict[str, tuple[int, str]]:
        """path -> place and path there, of several places, which may hold files of one name."""
        return {path: (number, relative) for path, number, relative in self._walked()}

    @cached_property
    def _called(self) -> dict[tuple[int, str], str]:
        return {there: path for path, there in self._known.items()}

    def find(self, uri: str, *, beside: str) -> LogFile | None:
        """An object that a record names: by the longest end of its address that lies below what is imported, then
        beside the record's own file. Never anything outside.

        `file:///PATH` is the file of that path and no other. Of several places it is the record's own that counts, and
        then the only one that has it: what two others have is nobody's.
        """
        parts = [part for part in urlsplit(uri).path.split("/") if part]
        if not parts or ".." in parts or "\\" in uri or "\0" in uri:
            return None
        if uri.startswith("file:///"):
            return self._exactly(uri.removeprefix("file:///"), beside)
        # Never by the name alone, where there is a folder: in/1 and out/1 are two objects.
        ends = ["/".join(parts[at:]) for at in range(max(len(parts) - 1, 1))]
        own, inside = self._there(beside)
        folder = posixpath.dirname(inside)
        near = [posixpath.join(folder, end) for end in ends if folder]
        if found := self._among(own, [*ends, *near]):
            return found
        mine = _base(self._places[own])
        bases = {base: at for at, place in enumerate(self._places) if (base := _base(place)) != mine}
        others = [found for at in bases.values() if (found := self._among(at, ends))]
        return others[0] if len(others) == 1 else None

    def _there(self, path: str) -> tuple[int, str]:
        return self._known.get(path, (0, path)) if len(self._places) > 1 else (0, path)

    def _exactly(self, path: str, beside: str) -> LogFile | None:
        number, inside = self._there(beside)
        called = beside.removesuffix(inside)
        return self._among(number, [path.removeprefix(called)])

    def _among(self, number: int, relatives: Sequence[str]) -> LogFile | None:
        place = self._places[number]
        for relative in relatives:
            if _is_file(place, relative):
                several = len(self._places) > 1
                path = self._called.get((number, relative), relative) if several else relative
                return LogFile(path, partial(_open, place, relative))
        return None


def _base(place: Place) -> tuple[bool, str]:
    return place.system is None, place.base


def _place(path: str) -> Place:
    if _URL.match(path):
        system, inside = open_store(path)
        head, tail = _split(inside)
        if not tail and _file_of(system, head):
            return Place(system, posixpath.dirname(head), "", only=posixpath.basename(head))
        return Place(system, head, tail)
    if Path(path).is_file():
        return Place(None, str(Path(path).parent), "", only=Path(path).name)
    if Path(path).is_dir():
        return Place(None, path, "")
    head, tail = _split(path)
    if not tail:
        raise ConfigError(f"{path}: there is no such file or folder.")
    return Place(None, head or ".", tail)


def _split(path: str) -> tuple[str, str]:
    """The folder before the first wild card, and the rest."""
    wild = _WILD.search(path)
    if wild is None:
        return path.rstrip("/"), ""
    head = path[: wild.start()].rpartition("/")[0]
    return head or ("/" if path.startswith("/") else ""), path[len(head) :].lstrip("/")


def _walk(place: Place) -> Iterator[str]:
    """Files below the base, sorted within each folder, folder by folder."""
    if place.only is not None:
        yield place.only
        return
    fits = _matcher(place.pattern)
    for relative in _local(Path(place.base), "") if place.system is None else _remote(place, place.base):
        if fits(relative):
            yield relative


def _local(folder: Path, below: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as exc:
        raise ConfigError(f"{folder}: cannot be read: {exc.strerror}.") from exc
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _local(folder / entry.name, f"{below}{entry.name}/")
        elif entry.is_file():
            yield f"{below}{entry.name}"


def _remote(place: Place, folder: str) -> Iterator[str]:
    from pyarrow import fs

    for info in sorted(_told(place.system.get_file_info, fs.FileSelector(folder)), key=lambda one: one.path):
        if info.type is fs.FileType.Directory:
            yield from _remote(place, info.path)
        elif info.type is fs.FileType.File:
            yield posixpath.relpath(info.path, place.base)


def _matcher(pattern: str) -> Any:
    """`*` and `?` stay within a folder, `**` does not."""
    if not pattern:
        return lambda _relative: True
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    text = "".join(
        signs.get(part) or (part if part.startswith("[") and part.endswith("]") else re.escape(part)) for part in parts
    )
    return re.compile(text).fullmatch


def _open(place: Place, relative: str) -> BinaryIO:
    if place.system is None:
        return cast(BinaryIO, (Path(place.base) / relative).open("rb", buffering=0))
    return cast(BinaryIO, _told(place.system.open_input_file, posixpath.join(place.base, relative)))


def _is_file(place: Place, relative: str) -> bool:
    if place.system is None:
        base, path = Path(place.base).resolve(), Path(place.base) / relative
        return path.is_file() and path.resolve().is_relative_to(base)
    return _file_of(place.system, posixpath.join(place.base, relative))


def _file_of(system: Any, path: str) -> bool:
    from pyarrow import fs

    return bool(_told(system.get_file_info, path).type is fs.FileType.File)


def _told(call: Any, argument: Any) -> Any:
    """A call of a store, its failure in our words; the message of pyarrow names bucket, key and reason."""
    try:
        return call(argument)
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{getattr(argument, 'base_dir', argument)}: the store cannot be read: {exc}") from exc


def open_store(url: str) -> tuple[Any, str]:
    """pyarrow's file system and the path inside it, bucket or container first. Raises ConfigError."""
    from pyarrow import fs

    scheme, _, rest = url.partition("://")
    if scheme == "s3":
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        options: dict[str, Any] = {"region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")}
        if endpoint:
            address = urlsplit(endpoint)
            options |= {"endpoint_override": address.netloc, "scheme": address.scheme}
        return fs.S3FileSystem(**{name: value for name, value in options.items() if value}), rest
    container, _, inside = rest.partition("/")
    container, _, host = container.partition("@")
    account = host.partition(".")[0] or os.environ.get("AZURE_STORAGE_ACCOUNT")
    if not account:
        raise ConfigError(
            f"{url}: no storage account. Write abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH, or set "
            "AZURE_STORAGE_ACCOUNT."
        )
    options = {"account_key": os.environ.get("AZURE_STORAGE_KEY")}
    if emulator := os.environ.get("AZURE_STORAGE_BLOB_ENDPOINT"):
        address = urlsplit(emulator)
        options |= dict.fromkeys(("blob_storage_authority", "dfs_storage_authority"), address.netloc)
        options |= dict.fromkeys(("blob_storage_scheme", "dfs_storage_scheme"), address.scheme)
    system = fs.AzureFileSystem(account, **{name: value for name, value in options.items() if value})
    return system, f"{container}/{inside}"
