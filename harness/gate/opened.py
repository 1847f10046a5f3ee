"""A bundle's archive opened for reading: its members, and whether they are the ones that were written.

Nothing here knows what a decision is; `verification` does.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from harness.errors import EvidenceError
from harness.gate import evidence, signoff
from harness.gate.canonical import parse_canonical
from harness.gate.container import Altered, Member, contents, members
from harness.gate.dsse import Envelope, parse_envelope
from harness.gate.statement import PAYLOAD_TYPE

MOST_JSON_BYTES = 256 * 2**20  # a document that is parsed whole; rows are not
_VERSION = re.compile(r"bundle/(\d+)")
_SIGNOFF = re.compile(rf"{signoff.FOLDER}/([a-z][a-z0-9_-]*)\.json")


class Opened:
    """A bundle's members, hashed, in the order in which they lie."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        self._file = file
        self.where = where
        self.members: list[Member] = []
        self.damage: str | None = None
        self._scan()
        self.by_name = {member.name: member for member in self.members}

    def _scan(self) -> None:
        try:
            for member in members(self._file, evidence.HEAD):
                self.members.append(member)
                if len(self.members) == 1:
                    self._refuse_later_version(member)
        except Altered as exc:
            self.damage = str(exc)
        except EvidenceError as exc:
            raise EvidenceError(f"{self.where}: {exc}") from exc

    def _refuse_later_version(self, member: Member) -> None:
        """The first thing that is read, whatever else a later version changed."""
        try:
            schema = str(json.loads(self._bytes(member)).get("schema"))
        except (ValueError, AttributeError, RecursionError):
            return  # altered, which the hashes will show
        found = _VERSION.fullmatch(schema)
        if found and int(found[1]) > 1:
            raise EvidenceError(f"is of format {schema}, and this version reads {evidence.SCHEMA}. Use a later one.")

    def _bytes(self, member: Member) -> bytes:
        if member.size > MOST_JSON_BYTES:
            raise Altered(f"{member.name} is larger than any such member.")
        return b"".join(contents(self._file, member))

    def bytes(self, name: str) -> bytes:
        return self._bytes(self.by_name[name])

    def json(self, name: str) -> dict[str, Any]:
        return parse_canonical(self.bytes(name), name)

    def document(self, name: str) -> dict[str, Any]:
        """A member that other parts of the harness wrote: JSON, not canonical, bound by its hash."""
        try:
            found = json.loads(self.bytes(name))
        except (ValueError, RecursionError) as exc:
            raise Altered(f"{name}: is not JSON.") from exc
        if not isinstance(found, dict):
            raise Altered(f"{name}: is not a JSON object.")
        return found

    def envelope(self) -> Envelope:
        """The statement's. Raises EvidenceError."""
        found = parse_envelope(self.bytes(evidence.STATEMENT), evidence.STATEMENT)
        if found.payload_type != PAYLOAD_TYPE:
            raise EvidenceError(f"{evidence.STATEMENT}: payload type {found.payload_type!r}, not {PAYLOAD_TYPE!r}.")
        return found

    def roles(self) -> list[str]:
        """Of the sign-offs in it."""
        return [found[1] for name in self.by_name if (found := _SIGNOFF.fullmatch(name))]

    @contextmanager
    def extracted(self, *names: str) -> Iterator[Path]:
        """A temporary folder with some members, for what reads files."""
        with tempfile.TemporaryDirectory(prefix="parity-verify-") as folder:
            for name in names:
                with (Path(folder) / name).open("wb") as file:
                    for chunk in contents(self._file, self.by_name[name]):
                        file.write(chunk)
            yield Path(folder)


def must_be_whole(opened: Opened) -> None:
    names = [member.name for member in opened.members]
    expected = evidence.order(opened.roles())
    if names == expected:
        return
    missing = [name for name in expected if name not in names]
    unknown = [name for name in names if name not in expected]
    faults = [*(f"{name} is missing." for name in missing), *(f"{name} does not belong there." for name in unknown)]
    raise Altered(*(faults or ["the members are not in their order, or one is there twice."]))


def must_fit_hashes(opened: Opened) -> None:
    """Every member against the statement and SHA256SUMS, so that whatever was changed is named."""
    faults = []
    told = opened.bytes(evidence.SUMS).decode("ascii", "replace").splitlines()
    for member in opened.members[:-1]:
        if f"{member.sha256}  {member.name}" not in told:
            faults.append(f"{member.name} does not have the hash that {evidence.SUMS} gives.")
    if not faults and opened.bytes(evidence.SUMS) != evidence.sums(opened.members[:-1]):
        faults.append(f"{evidence.SUMS} is not written as it must be.")
    try:
        stated = _stated(opened.envelope())
    except EvidenceError as exc:
        raise Altered(*faults, str(exc)) from exc
    for member in opened.members[:-2]:
        if stated.get(member.name) != member.sha256:
            faults.append(f"{member.name} does not have the hash that the statement gives.")
    if faults:
        raise Altered(*faults)


def _stated(envelope: Envelope) -> dict[str, str]:
    """Subjects and their hashes."""
    document = parse_canonical(envelope.payload, f"{evidence.STATEMENT}, payload")
    try:
        return {subject["name"]: subject["digest"]["sha256"] for subject in document["subject"]}
    except (KeyError, TypeError) as exc:
        raise EvidenceError(f"{evidence.STATEMENT}: its subjects have no names and hashes.") from exc
