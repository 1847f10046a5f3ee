"""What listings of both clouds share: a listing that is refused is told, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from harness.core.inventory import Found, Inventory, Unlisted
from harness.errors import Denied, Rejected


class Told:
    """Collects what one service lists, and what it would not."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._found: list[Found] = []
        self._unlisted: dict[tuple[str, str], Unlisted] = {}

    @property
    def inventory(self) -> Inventory:
        return Inventory(found=tuple(self._found), unlisted=tuple(self._unlisted.values()))

    def add(self, found: Found) -> None:
        self._found.append(found)

    @contextmanager
    def listing(self, kind: str, needs: str) -> Iterator[None]:
        """What is listed within; a refusal ends it and is kept. needs: the right that it takes.

        Failures that another attempt may mend are raised: the caller asks again.
        """
        try:
            yield
        except (Denied, Rejected) as exc:
            reason = "AccessDenied" if isinstance(exc, Denied) else f"rejected, status {exc.status or 'unknown'}"
            self._unlisted[kind, needs] = Unlisted(service=self._service, kind=kind, reason=reason, needs=needs)


def moment(value: object) -> datetime | None:
    """A time that an SDK or a document gives, in UTC; None for none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def day(value: object) -> date | None:
    """The day of a time; None for none."""
    found = moment(value)
    return None if found is None else found.date()
