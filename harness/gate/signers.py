"""Who may sign in which role: the `[signoff]` table of a policy, or a verifier's own file of allowed signers.

A person is looked up from a key and never asserts a name. One key belongs to one person.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EvidenceError, PolicyError

if TYPE_CHECKING:
    from harness.gate.keys import PublicKey

REQUIRED = "required"
SEAL_ROLE = "evidence"  # in a file of allowed signers: who may seal bundles
_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_KEYS = ("name", "public_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One person, one role, one key. public_key: as it was written, in any form that `keys` reads."""

    role: str
    name: str
    public_key: str

    @property
    def key(self) -> PublicKey:
        from harness.gate.keys import parse_public_key

        return parse_public_key(self.public_key, f"{self.role}, {self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which roles must sign off, and who may. Both empty: the policy asks for no sign-off."""

    required: tuple[str, ...] = ()
    signers: tuple[Signer, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(signer.role for signer in self.signers))

    def of(self, role: str) -> tuple[Signer, ...]:
        return tuple(signer for signer in self.signers if signer.role == role)


def parse_roles(table: Any, where: str) -> Roles:
    """The `[signoff]` table: `required = [ROLE, ...]` (all roles where absent) and ROLE = [{ name, public_key }, ...].

    Raises PolicyError where two people of two required roles could never sign.
    """
    if not isinstance(table, Mapping):
        raise PolicyError(f"{where} must be a table.")
    signers = tuple(
        signer for role, entries in table.items() if role != REQUIRED for signer in _role(role, entries, where)
    )
    names = tuple(role for role in table if role != REQUIRED)
    required = table.get(REQUIRED, list(names))
    if not isinstance(required, list) or not all(isinstance(role, str) for role in required):
        raise PolicyError(f'{where}: "{REQUIRED}" is a list of roles, such as ["engineering", "risk"].')
    for role in required:
        if role not in names:
            near = difflib.get_close_matches(role, names, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            raise PolicyError(f'{where}: role "{role}" is required and lists nobody. Listed: {", ".join(names)}.{hint}')
    roles = Roles(required=tuple(dict.fromkeys(required)), signers=signers)
    if len(roles.required) < 2:
        raise PolicyError(f"{where}: a sign-off is two people in two roles; require at least two.")
    try:
        one_person_a_key(signers, where)
    except EvidenceError as exc:
        raise PolicyError(str(exc)) from exc
    return roles


def _role(role: str, entries: Any, where: str) -> Iterable[Signer]:
    if not _ROLE.fullmatch(role):
        raise PolicyError(f'{where}: a role is a word in small letters such as "risk", not "{role}".')
    if not isinstance(entries, list) or not entries:
        raise PolicyError(f'{where}: {role} = [{{ name = "...", public_key = "..." }}], with at least one person.')
    for entry in entries:
        place = f"{where}, {role}"
        if not isinstance(entry, Mapping):
            raise PolicyError(f"{place}: a signer is a table with name and public_key.")
        for key in entry:
            if key not in _KEYS:
                raise PolicyError(f'{place}: unknown key "{key}". Known keys: {", ".join(_KEYS)}.')
        for key in _KEYS:
            if not isinstance(entry.get(key), str) or not entry[key].strip():
                raise PolicyError(f'{place}: a signer needs "{key}", a text.')
        yield Signer(role=role, name=entry["name"].strip(), public_key=entry["public_key"].strip())


def read_trust(path: Path) -> tuple[Signer, ...]:
    """A file of allowed signers: ROLE[,ROLE] NAME PUBLIC-KEY a line; `#` begins a comment, names may be quoted.

    Raises EvidenceError naming the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise EvidenceError(f"{path}: the allowed signers cannot be read ({exc.strerror}).") from exc
    except UnicodeDecodeError as exc:
        raise EvidenceError(f"{path}: is not UTF-8 text (byte {exc.start}).") from exc
    signers: list[Signer] = []
    for number, line in enumerate(text.splitlines(), start=1):
        signers += _trusted(line, f"{path}, line {number}")
    if not signers:
        raise EvidenceError(f"{path}: lists no signer. A line reads: ROLE NAME PUBLIC-KEY")
    one_person_a_key(signers, str(path))
    return tuple(signers)


def _trusted(line: str, where: str) -> list[Signer]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError as exc:
        raise EvidenceError(f"{where}: {exc}. A line reads: ROLE NAME PUBLIC-KEY") from exc
    if not words:
        return []
    if len(words) < 3:
        raise EvidenceError(f"{where}: a line reads: ROLE NAME PUBLIC-KEY")
    roles, name, *key = words
    for role in roles.split(","):
        if not _ROLE.fullmatch(role):
            raise EvidenceError(f'{where}: a role is a word in small letters such as "risk", not "{role}".')
    return [Signer(role=role, name=name, public_key=" ".join(key)) for role in roles.split(",")]


def one_person_a_key(signers: Sequence[Signer], where: str) -> None:
    """Raises EvidenceError where a key cannot be read, or stands beside two names."""
    owner: dict[str, str] = {}
    for signer in signers:
        key = signer.key
        if owner.setdefault(key.id, signer.name) != signer.name:
            raise EvidenceError(
                f"{where}: {owner[key.id]} and {signer.name} have the same key {key.id[:16]}; a key is one person's."
            )


def find(signers: Iterable[Signer], key_id: str) -> Signer | None:
    """Whose key it is."""
    return next((signer for signer in signers if signer.key.id == key_id), None)
