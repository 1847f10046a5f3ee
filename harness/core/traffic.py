"""How live traffic is split between the two sides, and the socket of what splits it.

Shares are whole percents here, as routers, flag files and Azure ML take them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from harness.errors import SwitchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Percent of live requests that each side answers, and percent that is copied to the target unseen.

    source + target is 100: a request that neither side answers is lost. Raises SwitchError where it is not.
    """

    source: int
    target: int
    mirror: int = 0

    def __post_init__(self) -> None:
        values = (self.source, self.target, self.mirror)
        if any(type(value) is not int or not 0 <= value <= 100 for value in values):
            raise SwitchError(f"shares of traffic are whole percents from 0 to 100, not {', '.join(map(str, values))}.")
        if self.source + self.target != 100:
            raise SwitchError(
                f"the shares add up to {self.source + self.target} % (source {self.source}, target {self.target}), "
                "not 100: requests are lost or answered twice."
            )

    @classmethod
    def of(cls, target: int, *, mirror: int = 0) -> Shares:
        """The source answers what the target does not."""
        return cls(source=100 - target, target=target, mirror=mirror)

    def __str__(self) -> str:
        copied = f", {self.mirror} % mirrored" if self.mirror else ""
        return f"source {self.source} %, target {self.target} %{copied}"

    def document(self) -> dict[str, int]:
        return {"source": self.source, "target": self.target, "mirror": self.mirror}

    @classmethod
    def from_document(cls, document: Mapping[str, int]) -> Shares:
        return cls(source=document["source"], target=document["target"], mirror=document["mirror"])


ALL_SOURCE = Shares.of(0)


@runtime_checkable
class Switch(Protocol):
    """Moves traffic, and says how it is split. Neither retries, and nothing is remembered between calls.

    Both methods raise SwitchError where the answer cannot be read or is refused for good, SwitchBusy where a change is
    under way, and ServiceError as a cloud answers.
    """

    @property
    def name(self) -> str: ...

    @property
    def mirror_limit(self) -> int:
        """The largest mirror share it can set, in percent; 0: it cannot mirror."""
        ...

    def read(self) -> Shares:
        """What is in force now, asked anew. Raises SwitchBusy while a change may still land."""
        ...

    def set(self, shares: Shares) -> None:
        """Put `shares` in force in one act: no request meets a split that is neither the old nor the new one."""
        ...
