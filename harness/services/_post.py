"""One POST to an address that is no model service: whoever wants to hear of a decision."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import urllib3

from harness import __version__
from harness.config import Network
from harness.errors import ConfigError
from harness.services._failures import HTTP, Row, by_status, cause, from_row, row_for
from harness.services._network import CONNECT_TIMEOUT_S, Way
from harness.services._replies import retry_after_s

_SERVICE = "webhook"
_OTHER = Row((urllib3.exceptions.HTTPError,), ConfigError, "the call failed in a way not known here")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def post(url: str, body: bytes, headers: Mapping[str, str], network: Network, *, timeout_s: float) -> int:
    """The status of a 2xx answer. One attempt; no redirect is followed; messages never quote the address's path.

    Raises ConfigError for an address that is not https (plain http is for loopback), ServiceError for the rest.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ConfigError("the webhook's address must begin with https:// and name a host.")
    way = Way(network)
    try:
        reply = way.pool(url, 1).request(
            "POST",
            url,
            body=body,
            headers={**headers, "user-agent": f"parity-harness/{__version__}"},
            timeout=urllib3.Timeout(connect=min(timeout_s, CONNECT_TIMEOUT_S), read=timeout_s),
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as exc:
        raise from_row(exc, row_for(type(exc), HTTP) or _OTHER, place=host, service=_SERVICE) from cause(exc, (url,))
    finally:
        way.close()
    if not 200 <= reply.status < 300:
        ours, _ = by_status(reply.status)
        raise ours(
            f"{host}: status {reply.status}",
            service=_SERVICE,
            status=reply.status,
            retry_after_s=retry_after_s(reply.headers),
        )
    return int(reply.status)
