"""What listings of both clouds share: a listing that is refused is told, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from harness.core.inventory import Found, Inventory, Unlisted
from harness.errors import Denied, ServiceError


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
        """What is listed within; a failure ends it and is kept, and other listings go on. needs: the right it takes."""
        try:
            yield
        except ServiceError as exc:
            reason = "AccessDenied" if isinstance(exc, Denied) else exc.kind
            if exc.status is not None and not isinstance(exc, Denied):
                reason += f", status {exc.status}"
            self._unlisted[kind, needs] = Unlisted(
                service=self._service, kind=kind, reason=reason, needs=needs, again=exc.retryable
            )


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
