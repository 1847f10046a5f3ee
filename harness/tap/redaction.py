"""What the writer's process is told about redaction: enough to make the redactor that the application chose."""

from __future__ import annotations

import pickle
import pickletools
import secrets
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigError
from harness.recordings.privacy import Redactor, redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """word: as of `--redact`. key: of the pseudonyms, so that forked processes and a new writer give the same ones; it
    is in memory alone. own: a redactor of the application's, pickled; the word says nothing then.
    """

    word: str
    key: bytes
    own: bytes | None = None

    @classmethod
    def of(cls, redact: str | Redactor) -> Redaction:
        """Raises ConfigError for a word or a file that `--redact` would not take, and for a redactor that only this
        process could make.
        """
        key = secrets.token_bytes(32)
        if isinstance(redact, str):
            redactor(redact)  # raises for what is wrong
            return cls(word=redact if redact in ("none", "default") else str(Path(redact).absolute()), key=key)
        return cls(word="", key=key, own=_pickled(redact))

    def redactor(self) -> Redactor | None:
        """Raises whatever the making of an own redactor raises, and ConfigError for a file that is gone."""
        if self.own is not None:
            made: Redactor = pickle.loads(self.own)  # noqa: S301 - the application's own object, by a private socket
            return made
        if self.word in ("none", "default"):
            return _default(self.key) if self.word == "default" else None
        return _ruled(Path(self.word), self.key)


def _default(key: bytes) -> Redactor:
    from harness.recordings.pseudonyms import Pseudonyms

    return Pseudonyms(key=key)


def _ruled(path: Path, key: bytes) -> Redactor:
    from harness.recordings.pseudonyms import Pseudonyms
    from harness.recordings.rules import load

    source = Pseudonyms.from_file(path).rules[-1]
    return Pseudonyms(load(path), key=key, source=source)


def _pickled(own: Redactor) -> bytes:
    name = type(own).__name__
    try:
        pickled = pickle.dumps(own)
    except Exception as exc:
        raise ConfigError(
            f"tap: the redactor {name} cannot be handed to the process that writes: {type(exc).__name__}. It must be "
            "one that pickle takes: without locks, connections and functions that have no name."
        ) from exc
    if any(argument == "__main__" for _, argument, _ in pickletools.genops(pickled)):
        raise ConfigError(
            f"tap: the redactor {name} is defined in the program that was started, which the writing process "
            "cannot import. Put it in a module of its own."
        )
    return pickled
