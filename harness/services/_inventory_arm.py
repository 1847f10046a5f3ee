"""Listings of Azure's resource manager that no SDK here makes: one GET a page, each where the last one pointed.

Source: Azure REST reference, "Paging" (`value`, `nextLink`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import urllib3

from harness.config import SideSettings
from harness.errors import ServiceError, Unavailable
from harness.services._chat import parsed
from harness.services._entra import token_of
from harness.services._failures import HTTP, by_status, from_row, row_for
from harness.services._hosts import azure_cloud
from harness.services._network import CONNECT_TIMEOUT_S, Way
from harness.services._replies import retry_after_s


class ArmPages:
    """Listings of the resource manager, page after page, each at the address that the last one named."""

    def __init__(self, settings: SideSettings, way: Way, *, service: str, api_version: str) -> None:
        """Fetches a token of the profile's credential. Raises ConfigError, and ServiceError as Entra answers."""
        cloud = azure_cloud(settings, service)
        self._manager = settings.lab.get("resource_manager", cloud.manager)
        self._token = token_of(settings, cloud, way, scope=f"{cloud.manager}/.default", service=service).token
        self._pool = way.pool(self._manager, 1)
        self._service = service
        self._api_version = api_version

    def list(self, path: str) -> Iterator[dict[str, Any]]:
        address: str | None = f"{self._manager}{path}?api-version={self._api_version}"
        while address is not None:
            page = self._get(address)
            yield from (entry for entry in page.get("value") or () if isinstance(entry, dict))
            address = text(page.get("nextLink"))
            if address is not None and not address.startswith(f"{self._manager}/"):
                raise Unavailable("the next page lies at another host, and the token stays here", service=self._service)

    def _get(self, address: str) -> dict[str, Any]:
        try:
            reply = self._pool.request(
                "GET",
                address,
                headers={"authorization": f"Bearer {self._token}", "accept": "application/json"},
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=3 * CONNECT_TIMEOUT_S),
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as exc:
            row = row_for(type(exc), HTTP)
            if row is None:
                raise
            raise from_row(exc, row, place="resource manager", service=self._service) from None
        if reply.status != 200:
            raise self._refused(reply.status, reply.headers)
        _, value = parsed(reply.data.decode("utf-8", "replace"))
        if not isinstance(value, dict):
            raise Unavailable("the resource manager answered no JSON object", service=self._service)
        return value

    def _refused(self, status: int, headers: Any) -> ServiceError:
        kind, _ = by_status(status)
        said = f"resource manager: answered status {status}"
        return kind(said, service=self._service, status=status, retry_after_s=retry_after_s(headers))


def text(value: object) -> str | None:
    """A text that says something; None for anything else."""
    return value if isinstance(value, str) and value else None
