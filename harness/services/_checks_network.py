"""The way to an address, looked at step by step: name, connection, certificate, clock. One HEAD request, no body."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import urllib3

from harness.config import SideSettings
from harness.core.check import Check, fine, problem, unchecked
from harness.services._network import Way

NAME, CONNECTION, CLOCK = "name resolution", "connection and TLS", "clock"
CONNECT_S, READ_S = 3.0, 5.0
SKEW_S = 300.0  # AWS refuses signatures that are older or newer (SigV4); tokens of Entra are as strict
# OpenSSL, x509_vfy.h
NOT_YET_VALID, EXPIRED, HOST = 9, 10, 62
UNTRUSTED = (18, 19, 20, 21)


def way_to(address: str, settings: SideSettings, *, private_link: str) -> list[Check]:
    """Checks of the way to one address. private_link: what gives it a private address, for the remedy."""
    way = Way(settings.network)
    try:
        named = _name(address, settings, way, private_link)
        return [named] if named.remedy and "does not resolve" in named.said else [named, *_asked(address, way)]
    finally:
        way.close()


def _name(address: str, settings: SideSettings, way: Way, private_link: str) -> Check:
    place = urlsplit(address)
    host = place.hostname or ""
    if way.proxy_for(address) is not None:
        return unchecked(NAME, f"the proxy resolves {host}", "Ask on the proxy: getent hosts " + host)
    try:
        found = socket.getaddrinfo(host, place.port or 443, type=socket.SOCK_STREAM)
    except OSError as exc:
        return problem(
            NAME,
            f"{host} does not resolve ({exc.strerror or type(exc).__name__})",
            f"Look with: getent hosts {host}. Check region and resource name, this machine's resolver, and "
            f"{private_link}.",
        )
    addresses = sorted({str(one[4][0]) for one in found})
    private = all(ipaddress.ip_address(one.partition("%")[0]).is_private for one in addresses)
    said = f"{host} is {', '.join(addresses[:4])} ({'private' if private else 'public'})"
    if settings.private is True and not private:
        return problem(
            NAME, f"{said}; the profile says private", f"Set up {private_link}, and resolve through its DNS."
        )
    if settings.private is False and private and not settings.lab:
        return problem(
            NAME,
            f"{said}; the profile says public",
            f"Say private = true for the {settings.side.value} in parity.toml, or take {private_link} out of this "
            "machine's DNS.",
        )
    return fine(NAME, said)


def _asked(address: str, way: Way) -> Iterator[Check]:
    pool = way.pool(address, 1)
    host = urlsplit(address).hostname or ""
    try:
        reply = pool.request(
            "HEAD",
            address,
            timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S),
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as exc:
        yield _failed(exc, host, way.proxy_for(address))
        yield unchecked(CLOCK, "no answer to take the time from")
        return
    finally:
        pool.clear()
    if reply.status == 407:
        yield _proxy_wants(host)
        yield unchecked(CLOCK, "no answer to take the time from")
        return
    yield fine(CONNECTION, f"{host} answers" + (", certificate verified" if address.startswith("https") else ""))
    yield clock(reply.headers.get("date"), now_s=time.time(), host=host)


def clock(date: str | None, *, now_s: float, host: str) -> Check:
    """This machine's clock against the answer's Date header. now_s: seconds since 1970."""
    try:
        told_s = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return unchecked(CLOCK, f"{host} tells no time")
    ahead_s = now_s - told_s
    said = f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} {host}"
    if abs(ahead_s) > SKEW_S:
        return problem(
            CLOCK,
            f"this machine is {said}; signatures and tokens fail beyond {SKEW_S:.0f} s",
            "Set the clock: timedatectl set-ntp true, or chronyc makestep.",
        )
    return fine(CLOCK, said)


def _failed(exc: BaseException, host: str, proxy: str | None) -> Check:
    """What stopped a connection, most specific first."""
    links = list(_chain(exc))
    for link in links:
        if isinstance(link, ssl.SSLCertVerificationError):
            return _certificate(link, host)
    if any("407" in str(link) for link in links):
        return _proxy_wants(host)
    for link in links:
        if isinstance(link, ssl.SSLError):
            return problem(
                CONNECTION,
                f"TLS with {host} failed ({link.reason or type(link).__name__})",
                "Something on the way speaks other TLS, or wants a client certificate: client_certificate under the "
                f"profile's network. Look with: openssl s_client -connect {host}:443",
            )
    if proxy is not None and any(isinstance(link, urllib3.exceptions.ProxyError) for link in links):
        return problem(
            CONNECTION,
            f"the proxy {_without_user(proxy)} did not lead to {host}",
            "Check proxy under the profile's network (or HTTPS_PROXY), that it runs, and that it allows this host.",
        )
    # urllib3 derives the connection that nobody accepts from the one that nobody answers.
    late = isinstance(exc, urllib3.exceptions.TimeoutError) and not isinstance(
        exc, urllib3.exceptions.NewConnectionError
    )
    what = "no answer in time" if late else f"no connection ({type(exc).__name__})"
    return problem(
        CONNECTION,
        f"{host}: {what}",
        f"Let this machine reach {host} on its port: firewall, security group, route, or the profile's proxy. Look "
        f"with: curl -sSv https://{host}/",
    )


def _certificate(exc: ssl.SSLCertVerificationError, host: str) -> Check:
    said = f"the certificate of {host} is refused: {exc.verify_message}"
    look = f"Look with: openssl s_client -connect {host}:443 -servername {host} -showcerts"
    if exc.verify_code in UNTRUSTED:
        return problem(
            CONNECTION, said, f"Put your authority's PEM file into ca_bundle under the profile's network. {look}"
        )
    if exc.verify_code in (EXPIRED, NOT_YET_VALID):
        return problem(
            CONNECTION, said, f"Whoever runs that host or proxy renews it; if date -u is wrong here, set it. {look}"
        )
    if exc.verify_code == HOST or "match" in exc.verify_message:
        return problem(
            CONNECTION,
            said,
            "Another host answers under this name: check DNS, private endpoints and the proxy; certificates of private "
            f"links carry the public name. {look}",
        )
    return problem(CONNECTION, said, look)


def _proxy_wants(host: str) -> Check:
    return problem(
        CONNECTION,
        f"the proxy wants a password before it leads to {host} (407)",
        "Put user and password into HTTPS_PROXY (a profile holds none), and leave proxy out of the profile's network.",
    )


def _chain(exc: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [exc]
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]


def _without_user(proxy: str) -> str:
    return urlsplit(proxy)._replace(netloc=urlsplit(proxy).netloc.rpartition("@")[2]).geturl()
