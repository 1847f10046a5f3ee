"""What a cloud says it has: one entry a thing that answers, or that what answers is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

# Kinds that answer requests, each of which a suite must cover before traffic moves.
SERVING = (
    "endpoint",
    "transform job",
    "foundation model",
    "custom model",
    "imported model",
    "provisioned model",
    "inference profile",
    "agent",
    "knowledge base",
    "guardrail",
    "batch endpoint",
    "deployment",
)
# What those are made by or from: listed for people, and nothing that a request could go to.
BEHIND = ("pipeline", "model package group", "model")
KINDS = (*SERVING, *BEHIND)
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that was listed. None: the cloud does not tell, or it has no such property.

    service: module name in services/. kind: one of KINDS. name: as a suite's [endpoints] names it. variants: what
    stands behind an endpoint, in words. changed_at: last change of its configuration, UTC. share: of its endpoint's
    traffic, 0 to 1. auto_upgrade: the cloud may put another model version in its place. owned: a model of one's own,
    which no vendor upgrades or retires. retires: the day from which it no longer answers.
    """

    service: str
    kind: str
    name: str
    model: str | None = None
    version: str | None = None
    account: str | None = None
    region: str | None = None
    variants: tuple[str, ...] = ()
    changed_at: datetime | None = None
    share: float | None = None
    auto_upgrade: bool | None = None
    owned: bool = False
    retires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """A listing that failed. kind: one of KINDS, or EVERYTHING where the service could not be asked at all.

    reason: the cloud's word ("AccessDenied"). needs: the right or setting that would help. again: another attempt may.
    """

    service: str
    kind: str
    reason: str
    needs: str
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What one service told: what it has, and what it would not list."""

    found: tuple[Found, ...] = ()
    unlisted: tuple[Unlisted, ...] = ()

    def __add__(self, other: Inventory) -> Inventory:
        return Inventory(found=self.found + other.found, unlisted=self.unlisted + other.unlisted)
