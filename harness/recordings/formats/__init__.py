"""Log formats: one file each, named as in `parity import FORMAT`. A format reads files and says what each record is.

A format opens nothing: a door hands it a `Log`, whose files it reads as binary streams, each once and in order, and
holds one record at a time. It never refuses a file: what it cannot read becomes a `Reject`, what is no call of a model
a `Skip`, both with their place. To add one, add a file with `build(**options)` and its test in
`tests/recordings/formats/`; what several formats need lies in files that begin with an underscore.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, TypeAlias, runtime_checkable

from harness.core.case import Json, Origin, Recording


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a log. path: relative to what was imported, with forward slashes. open: its bytes as they lie there,
    from the start; seekable.
    """

    path: str
    open: Callable[[], BinaryIO]


class Log(Protocol):
    """The files of an import, in an order that is always the same."""

    def __iter__(self) -> Iterator[LogFile]: ...

    def find(self, uri: str, *, beside: str) -> LogFile | None:
        """The file that a record names by its address in a store; `beside`: path of the file that the record is in.

        None where it is not among the imported files. Never anything outside them.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One call. its recording's id is `case_id(origin)`.

    document: the record as the log holds it, plain JSON, bodies parsed where they are JSON: what JMESPath is asked of.
    expected: the truth, where the record has it. labels: names under which a file of labels may know the record.
    cluster, slices: where the record's own format has columns for them. failed: the record says that the call was
    refused, which without a status nothing else says before its body is read.
    """

    recording: Recording
    document: Callable[[], Json]
    labels: tuple[str, ...] = ()
    expected: Json = None
    cluster: str = ""
    slices: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be read. reason: a sentence without any of its content."""

    origin: Origin
    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A record that is no call of a model, or one with nothing to replay. why: one of few words, to be counted.

    no_request: it is the answer of a call whose request was not kept.
    """

    origin: Origin
    why: str
    no_request: bool = False


Found: TypeAlias = Record | Reject | Skip


@runtime_checkable
class Format(Protocol):
    """service, operation: what most of its records are. sampled: the log is a part of the traffic by its nature."""

    @property
    def name(self) -> str: ...

    @property
    def service(self) -> str: ...

    @property
    def operation(self) -> str: ...

    @property
    def sampled(self) -> bool: ...

    def read(self, log: Log) -> Iterator[Found]: ...


def case_id(origin: Origin) -> str:
    """An id that says nothing of the record, the same at every import: what a log puts into its own ids stays out."""
    place = f"{origin.path}\0{origin.index}".encode("utf-8", "surrogateescape")
    return f"{origin.format}-{hashlib.sha256(place).hexdigest()[:16]}"
