"""Listings of AWS through boto3: every page of an operation, with the account and region that an ARN tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.config import SideSettings
from harness.services._aws import Aws


class Pages:
    """One API of one side. Raises ServiceError as the service answers."""

    def __init__(self, settings: SideSettings, *, service: str, api: str) -> None:
        self._aws = Aws(settings, service=service, api=api)
        self._timeout_s = settings.timeout_s

    def list(self, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Every entry under `key` of all pages. operation: in boto3's words, "list_endpoints"."""
        with self._aws.attempt(self._timeout_s) as client:
            for page in client.get_paginator(operation).paginate(**arguments):
                yield from page.get(key, ())

    def get(self, operation: str, **arguments: Any) -> dict[str, Any]:
        with self._aws.attempt(self._timeout_s) as client:
            found: dict[str, Any] = getattr(client, operation)(**arguments)
            return found

    def close(self) -> None:
        self._aws.close()


def place(arn: object) -> dict[str, Any]:
    """Account and region of an ARN, as members of `Found`."""
    parts = str(arn).split(":")
    known = len(parts) >= 6 and parts[0] == "arn"
    return {"region": parts[3] or None if known else None, "account": parts[4] or None if known else None}
