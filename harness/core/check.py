"""What is looked at before a run: a check says what it found, and what to do where that would stop the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class CheckStatus(StrEnum):
    OK = "ok"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """said: what was found, or why it could not be looked at. remedy: the command, setting or permission that helps."""

    name: str
    status: CheckStatus
    said: str
    remedy: str = ""


def fine(name: str, said: str) -> Check:
    return Check(name, CheckStatus.OK, said)


def problem(name: str, said: str, remedy: str) -> Check:
    return Check(name, CheckStatus.PROBLEM, said, remedy)


def unchecked(name: str, why: str, remedy: str = "") -> Check:
    return Check(name, CheckStatus.NOT_CHECKED, why, remedy)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question put to a cloud, of which one or more checks come. name: said in their place if it never ends."""

    name: str
    look: Callable[[], Iterable[Check]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a suite asks of one side.

    requests, tokens: the most in one minute of the recorded traffic; None: no times, or no tokens, are known. models:
    that its requests go to, the commonest first. tasks: of them. needs: features that they use ("json_schema").
    logged: the side's cloud writes the logs that golden sets come from. logs: where they lie, "s3://BUCKET/PREFIX",
    where that is known.
    """

    requests: int | None = None
    tokens: int | None = None
    models: tuple[str, ...] = ()
    tasks: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    logged: bool = False
    logs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A permission that a side needs. cloud: "aws" or "azure"; `why` is for whoever grants it.

    resources: ARNs, or scopes. conditions: keys of IAM and the values that they must equal. holder: "caller" where
    whoever assumes the side's role needs it, "" where the side itself does. data_actions: Azure's, of the data plane.
    builtin: the narrowest built-in role that holds them; "": none that is narrow.
    """

    cloud: str
    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...] = ()
    holder: str = ""
    data_actions: tuple[str, ...] = ()
    builtin: str = ""


@runtime_checkable
class Checkable(Protocol):
    """A service that can be looked at without a scoring call."""

    def probes(self, load: Load, /) -> tuple[Probe, ...]: ...

    def grants(self, load: Load, /) -> tuple[Grant, ...]: ...
