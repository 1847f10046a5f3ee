"""How calls leave the building: proxy, certificate authorities, client certificate, in the words of each client.

Certificates are always verified; there is no way to say otherwise.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
import urllib3

from harness.config import Network

CONNECT_TIMEOUT_S = 10.0


class Way:
    """One endpoint's way out. `ca_file`: the usual authorities and the profile's own in one file, None without any.

    The file is temporary (SDKs take a path, and one path replaces the usual authorities); `close` removes it.
    """

    def __init__(self, network: Network) -> None:
        self.proxy = network.proxy
        self.certificate = network.client_certificate
        self.key = network.client_key
        self.ca_file: str | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if network.ca_bundle is not None:
            self._folder = tempfile.TemporaryDirectory(prefix="parity-")
            path = Path(self._folder.name) / "authorities.pem"
            path.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + network.ca_bundle.read_bytes())
            self.ca_file = str(path)

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def for_boto(self) -> dict[str, Any]:
        """Arguments of botocore's Config; the file of authorities goes into the session (`ca_bundle`)."""
        arguments: dict[str, Any] = {}
        if self.proxy is not None:
            arguments["proxies"] = {"http": self.proxy, "https": self.proxy}
            if self.ca_file is not None:
                arguments["proxies_config"] = {"proxy_ca_bundle": self.ca_file}
        if self.certificate is not None:
            arguments["client_cert"] = self._pair()
        return arguments

    def for_azure(self) -> dict[str, Any]:
        """Arguments of azure-core's pipelines: azure-ai-ml and azure-identity pass them on."""
        arguments: dict[str, Any] = {}
        if self.proxy is not None:
            arguments["proxies"] = {"http": self.proxy, "https": self.proxy}
        if self.ca_file is not None:
            arguments["connection_verify"] = self.ca_file
        if self.certificate is not None:
            arguments["connection_cert"] = self._pair()
        return arguments

    def for_httpx(self) -> dict[str, Any]:
        """Arguments of httpx2's clients, which openai is built on. Without a proxy they obey the environment's."""
        context = ssl.create_default_context(
            cafile=self.ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where()
        )
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return {"verify": context, **({} if self.proxy is None else {"proxy": self.proxy})}

    def pool(self, url: str, connections: int) -> urllib3.PoolManager:
        """A pool for calls to one address. Without a proxy of its own it obeys the environment's, as the SDKs do."""
        arguments: dict[str, Any] = {
            "num_pools": 1,
            "maxsize": connections,
            "cert_reqs": "CERT_REQUIRED",
            "ca_certs": self.ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where(),
        }
        if self.certificate is not None:
            arguments["cert_file"] = str(self.certificate)
            arguments["key_file"] = str(self.key) if self.key is not None else None
        proxy = self.proxy_for(url)
        if proxy is None:
            return urllib3.PoolManager(**arguments)
        place = urlsplit(proxy)
        if place.username is not None:
            pair = f"{unquote(place.username)}:{unquote(place.password or '')}"
            arguments["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=pair)
            proxy = place._replace(netloc=place.netloc.rpartition("@")[2]).geturl()
        return urllib3.ProxyManager(proxy, **arguments)

    def proxy_for(self, url: str) -> str | None:
        """The proxy that calls to an address go through: the profile's, else the environment's."""
        return self.proxy or _environment_proxy(url)

    def _pair(self) -> str | tuple[str, str]:
        return str(self.certificate) if self.key is None else (str(self.certificate), str(self.key))


def _environment_proxy(url: str) -> str | None:
    place = urlsplit(url)
    if place.hostname is None or urllib.request.proxy_bypass(place.hostname):
        return None
    return urllib.request.getproxies().get(place.scheme)
