"""Where a server of the lab takes orders from the lab's owner: `/.lab/...`, closed to everybody else.

`GET /.lab/health` says that the server is up, which process it is and which libraries it runs; it is open. The others
want the control secret: `POST /.lab/settings` replaces the settings, `POST /.lab/traffic` sets the weights of the
deployments, `POST /.lab/change` (resource manager only) changes some members and hands the result to all servers.
"""

from __future__ import annotations

import hmac
import http.client
import json
import os
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.lab.plants import Fault
from harness.lab.settings import AUTH_MODES, CONTROL_HEADER, DEPLOYMENT, Settings

PREFIX = "/.lab/"


class Desk:
    """One server's copy of the settings, and the fault they plant. Readers take `settings` once a request.

    side: source or target for a server that a fault may be planted in; None for the others.
    """

    def __init__(self, settings: Settings, versions: Mapping[str, str], *, side: str | None = None) -> None:
        self._side = side
        self.settings = settings
        self.fault = self._fault(settings)
        self.traffic: dict[str, dict[str, int]] = {name: {DEPLOYMENT: 100} for name in AUTH_MODES}
        self.mirrors: dict[str, dict[str, int]] = {name: {} for name in AUTH_MODES}  # told, and not acted on
        self.versions = dict(versions)
        self._changing = threading.Lock()

    def answer(self, method: str, path: str, secret: str, body: bytes) -> tuple[int, bytes]:
        """Status and JSON body for one request below PREFIX."""
        order = path.removeprefix(PREFIX)
        if method == "GET" and order == "health":
            document = {"pid": os.getpid(), "parent": os.getppid(), "versions": self.versions}
            return 200, json.dumps(document).encode()
        if not hmac.compare_digest(secret.encode("utf-8", "replace"), self.settings.control.encode()):
            return 403, b'{"error": "the control secret is missing or wrong"}'
        if order == "settings" and method == "GET":
            return 200, self.settings.to_json()
        if order == "settings" and method == "POST":
            self._take(Settings.from_json(body))
            return 200, b"{}"
        if order == "traffic" and method == "POST":
            self.traffic = json.loads(body)
            return 200, b"{}"
        if order == "change" and method == "POST":
            self.change(**json.loads(body))
            return 200, b"{}"
        return 404, b'{"error": "no such order"}'

    def change(self, **members: Any) -> None:
        """Change some members of the settings here and in all other servers of the lab."""
        with self._changing:
            document = json.loads(self.settings.to_json()) | members
            settings = Settings.from_json(json.dumps(document))
            for address in settings.addresses.values():
                if address != settings.addresses["resource_manager"]:
                    send(address, settings.control, "settings", settings.to_json())
            self._take(settings)

    def set_traffic(self, endpoint: str, weights: dict[str, int], mirror: dict[str, int]) -> None:
        """New weights for one endpoint, here and in the scoring server."""
        with self._changing:
            self.mirrors = self.mirrors | {endpoint: mirror}
            traffic = self.traffic | {endpoint: weights}
            send(self.settings.addresses["azureml"], self.settings.control, "traffic", json.dumps(traffic).encode())
            self.traffic = traffic

    def _take(self, settings: Settings) -> None:
        before, self.settings = self.settings, settings
        if (before.plant, before.seed) != (settings.plant, settings.seed):
            # A fault keeps count of calls: it starts anew when it is planted, not when a key is rotated.
            self.fault = self._fault(settings)

    def _fault(self, settings: Settings) -> Fault:
        return Fault(settings.plant if self._side else None, side=self._side or "", seed=settings.seed)


def send(
    address: str, control: str, order: str, body: bytes | None = None, *, timeout_s: float = 30.0
) -> dict[str, Any]:
    """Give one order to the server at `address` (GET without a body, else POST); returns its JSON answer.

    Raises OSError when nobody answers, and RuntimeError when the order is refused.
    """
    place = urlsplit(address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=timeout_s)
    try:
        connection.request("GET" if body is None else "POST", PREFIX + order, body, {CONTROL_HEADER: control})
        answer = connection.getresponse()
        document = answer.read()
    except http.client.HTTPException as exc:
        raise OSError(f"{address} did not answer: {type(exc).__name__}") from exc
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{address} refused {order!r} with {answer.status}: {document.decode(errors='replace')}")
    return dict(json.loads(document))
