"""The way to an address: names, certificates, proxies and clocks, against servers that break them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.config import Network
from harness.core.check import Check, CheckStatus
from harness.services import _checks_network as checks
from tests.services.clouds import Internet, Reply, aws_side, through

LINK = "a private link"


def found(address: str, settings) -> dict[str, Check]:
    return {check.name: check for check in checks.way_to(address, settings, private_link=LINK)}


def certificate(folder: Path, host: str, *, days: int) -> tuple[Path, Path]:
    """A self-signed certificate for a host, that ends in `days`, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "server.pem", folder / "server.key"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(*form))
    return paths


@contextmanager
def tls_server(pem: Path, key: Path) -> Iterator[str]:
    """A server that shows a certificate and answers any request with the time."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(4096)
                    date = format_datetime(datetime.now(UTC), usegmt=True)
                    connection.sendall(f"HTTP/1.1 403 No\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())
            except OSError:
                plain.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"https://localhost:{listener.getsockname()[1]}"
    finally:
        listener.close()


@pytest.mark.parametrize(
    ("host", "days", "trusted", "status", "said", "remedy"),
    [
        ("localhost", 1, True, CheckStatus.OK, "certificate verified", ""),
        ("localhost", 1, False, CheckStatus.PROBLEM, "self-signed", "ca_bundle"),
        ("localhost", -1, True, CheckStatus.PROBLEM, "expired", "renews it"),
        ("elsewhere.example", 1, True, CheckStatus.PROBLEM, "mismatch", "Another host answers"),
    ],
)
def test_each_fault_of_a_certificate_has_a_remedy_of_its_own(tmp_path, host, days, trusted, status, said, remedy):
    pem, key = certificate(tmp_path, host, days=days)
    network = Network(ca_bundle=pem if trusted else None)
    with tls_server(pem, key) as address:
        check = found(address, aws_side(network=network))["connection and TLS"]
    assert check.status is status
    assert said in check.said
    assert remedy in check.remedy


def test_a_host_that_does_not_resolve_ends_the_way():
    (check,) = found("https://nowhere.invalid", aws_side()).values()
    assert (check.name, check.status) == ("name resolution", CheckStatus.PROBLEM)
    assert "getent hosts nowhere.invalid" in check.remedy and LINK in check.remedy


def test_nobody_at_a_port_is_no_connection():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    check = found(f"https://127.0.0.1:{port}", aws_side())["connection and TLS"]
    assert check.status is CheckStatus.PROBLEM
    assert "no connection" in check.said and "firewall" in check.remedy


@pytest.mark.parametrize(
    ("private", "status"), [(None, CheckStatus.OK), (True, CheckStatus.OK), (False, CheckStatus.PROBLEM)]
)
def test_a_private_address_is_wrong_where_the_profile_says_public(private, status):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.close()
        assert found(address, aws_side(private=private))["name resolution"].status is status


def test_a_public_address_is_wrong_where_the_profile_says_private(monkeypatch):
    """8.8.8.8 is a literal address: it resolves without a resolver, and nothing is sent to it."""
    way = checks.Way(Network())
    check = checks._name("https://8.8.8.8", aws_side(private=True), way, LINK)
    assert check.status is CheckStatus.PROBLEM
    assert "public" in check.said and LINK in check.remedy


def test_behind_a_proxy_the_proxy_resolves_and_the_certificate_is_held_against_the_bundle(internet: Internet):
    internet.answer = lambda _: Reply(403, b"", {"Date": format_datetime(datetime.now(UTC), usegmt=True)})
    address = "https://runtime.sagemaker.us-east-1.amazonaws.com"
    good = found(address, aws_side(network=through(internet)))
    assert good["name resolution"].status is CheckStatus.NOT_CHECKED
    assert good["connection and TLS"].status is CheckStatus.OK
    bad = found(address, aws_side(network=replace(through(internet), ca_bundle=None)))
    assert bad["connection and TLS"].status is CheckStatus.PROBLEM
    assert "ca_bundle" in bad["connection and TLS"].remedy
    assert bad["clock"].status is CheckStatus.NOT_CHECKED


def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{'x' * 9}@127.0.0.1:{port}")
    check = found("https://elsewhere.example", aws_side())["connection and TLS"]
    assert check.status is CheckStatus.PROBLEM
    assert f"the proxy http://127.0.0.1:{port} did not lead" in check.said


@pytest.mark.parametrize(
    ("ahead_s", "status"),
    [(0, CheckStatus.OK), (299, CheckStatus.OK), (301, CheckStatus.PROBLEM), (-301, CheckStatus.PROBLEM)],
)
def test_five_minutes_of_skew_break_signatures(ahead_s, status):
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    check = checks.clock(format_datetime(now, usegmt=True), now_s=now.timestamp() + ahead_s, host="h")
    assert check.status is status
    assert ("behind" if ahead_s <= 0 else "ahead") in check.said


def test_an_answer_without_a_date_leaves_the_clock_unchecked():
    assert checks.clock(None, now_s=0.0, host="h").status is CheckStatus.NOT_CHECKED
