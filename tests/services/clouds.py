"""A small internet: a proxy that every host can be asked for, with as little of both clouds behind it as clients ask.

The proxy ends TLS itself, with a certificate made on the spot by a throw-away authority, and notes which hosts were
asked for. The same port answers plain HTTP, as loopback services do. Everything beyond it is the real SDKs.
"""

from __future__ import annotations

import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.config import Network, SideSettings
from harness.core.call import Side

ZEROS = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Request:
    """host: "" when asked without the proxy. peer: common name of the client's certificate, None without one."""

    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    peer: str | None


@dataclass(frozen=True)
class Reply:
    """status 0: hang up without an answer. delay_s: before it. A Content-Length of its own ends the connection."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


class Authority:
    """Makes certificates for hosts and clients. `pem`: its own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away authority")])
        certificate = self._sign(self._name, self._key, authority=True)
        self.pem = folder / "authority.pem"
        self.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files for a host or a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
        paths = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate = self._sign(subject, key, host=name)
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return paths

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, host: str = "", authority: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if authority:
            usage = dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
            )
            builder = builder.add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=True,
                    crl_sign=True,
                    encipher_only=False,
                    decipher_only=False,
                    **usage,
                ),
                critical=True,
            )
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


class Internet:
    """The proxy. hosts: asked for through it, in order, each once. requests: all that were answered."""

    def __init__(self, folder: Path, answer: Callable[[Request], Reply]) -> None:
        self.authority = Authority(folder)
        self.hosts: list[str] = []
        self.requests: list[Request] = []
        self.answer = answer
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def context(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.authority.pem))
                context.verify_mode = ssl.CERT_OPTIONAL
                context.load_cert_chain(*self.authority.issue(host))
                self._contexts[host] = context
                self.hosts.append(host)
            return self._contexts[host]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(internet: Internet) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        host = ""

        def do_CONNECT(self) -> None:
            host = self.path.partition(":")[0]
            context = internet.context(host)
            self.send_response(200)
            self.end_headers()
            try:
                self.connection = context.wrap_socket(self.connection, server_side=True)
            except (ssl.SSLError, OSError):  # the client does not trust us, or went away: its own business
                self.close_connection = True
                return
            self.host = host
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            self.close_connection = False

        def do_GET(self) -> None:
            peer = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
            names = dict(pair for group in (peer or {}).get("subject", ()) for pair in group)
            request = Request(
                self.host,
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(self.headers.get("Content-Length", 0))),
                names.get("commonName"),
            )
            internet.requests.append(request)
            reply = internet.answer(request)
            time.sleep(reply.delay_s)
            if reply.status == 0:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = self.close_connection or "Content-Length" in reply.headers

        def do_POST(self) -> None:
            self.do_GET()

        def finish(self) -> None:
            super().finish()
            self.connection.close()  # the server closes only the socket that TLS was wrapped around

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # a client that hung up, as one that ran out of time does
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class Clouds:
    """Just enough of SageMaker, STS, Entra, a managed identity, the resource manager and a scoring endpoint.

    infer: the model, on both sides. auth_mode: of the Azure endpoint. Secrets are random.
    sessions: AWS sessions that STS gave out. lifetime_s: of what is issued from now on.
    """

    def __init__(self) -> None:
        self.infer: Callable[[Request], Reply] = lambda request: Reply(200, b"[0.5]", {"Content-Type": "text/csv"})
        self.manage: Callable[[Request], Reply | None] = lambda request: None
        self.scoring_uri = ""
        self.auth_mode = "Key"
        self.lifetime_s = 3600.0
        self.key = secrets.token_hex(32)
        self.token = secrets.token_hex(32)
        self.session_secret = secrets.token_hex(20)
        self.session_token = secrets.token_hex(40)
        self.sessions = 0

    def __call__(self, request: Request) -> Reply:
        path = urlsplit(request.path).path
        if path.endswith("/invocations"):
            return self.infer(request)
        if path == "/score":
            bearer = request.headers.get("authorization")
            expected = self.key if self.auth_mode == "Key" else self.token
            return self.infer(request) if bearer == f"Bearer {expected}" else Reply(401, b"key_auth_access_denied")
        if path.startswith(("/openai/", "/models/", "/anthropic/")):
            given = request.headers.get("api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
            return self.infer(request) if given in (self.key, self.token) else Reply(401, b'{"error":{"code":"401"}}')
        return self.manage(request) or self._manage(request, path)

    def _manage(self, request: Request, path: str) -> Reply:
        if path == "/":
            return self._assume(request)
        if path.endswith("/openid-configuration"):
            base = f"https://{request.host}/{path.split('/')[1]}"
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token"}
            return json_reply(
                {"issuer": f"{base}/v2.0", **{key: f"{base}/oauth2/v2.0/{name}" for key, name in names.items()}}
            )
        if path.endswith("/oauth2/v2.0/token"):
            return json_reply({"access_token": self.token, "expires_in": int(self.lifetime_s), "token_type": "Bearer"})
        if path == "/msi/token":
            expires_on = str(int(time.time() + self.lifetime_s))
            return json_reply({"access_token": self.token, "expires_on": expires_on, "token_type": "Bearer"})
        if path.endswith("/listKeys"):
            return json_reply({"primaryKey": self.key, "secondaryKey": secrets.token_hex(32)})
        if path.endswith("/token"):
            end = int(time.time() + self.lifetime_s)
            return json_reply({"accessToken": self.token, "expiryTimeUtc": end, "tokenType": "Bearer"})
        if path.endswith("/deployments"):
            return json_reply({"value": []})
        if "/onlineEndpoints/" in path:
            properties = {"scoringUri": self.scoring_uri, "authMode": self.auth_mode, "traffic": {"blue": 100}}
            return json_reply({"id": path, "name": "visits", "location": "x", "properties": properties})
        return json_reply({"error": {"code": "NotFound", "message": path}}, status=404)

    def _assume(self, request: Request) -> Reply:
        asked = parse_qs(request.body.decode())
        action = asked["Action"][0]  # AssumeRole, or AssumeRoleWithWebIdentity
        self.sessions += 1
        end = (datetime.now(UTC) + timedelta(seconds=self.lifetime_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
<AssumedRoleUser><AssumedRoleId>x:y</AssumedRoleId><Arn>{asked["RoleArn"][0]}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>SESSION{self.sessions:09}</AccessKeyId><SecretAccessKey>{self.session_secret}</SecretAccessKey>
<SessionToken>{self.session_token}</SessionToken><Expiration>{end}</Expiration></Credentials>
</{action}Result></{action}Response>"""
        return Reply(200, body.encode(), {"Content-Type": "text/xml"})


def aws_side(internet: Internet | None = None, **more: Any) -> SideSettings:
    """Settings of a SageMaker side; with an internet, on its loopback address."""
    lab = {"sagemaker": internet.url, "sts": internet.url} if internet is not None else {}
    given = {"cloud": "aws", "region": "us-east-1", "endpoint": "visits", "lab": lab, "timeout_s": 5.0, **more}
    return SideSettings(side=Side.SOURCE, **given)


def azure_side(internet: Internet | None = None, **more: Any) -> SideSettings:
    """The same for an Azure ML side, with a managed identity."""
    lab = {"resource_manager": internet.url} if internet is not None else {}
    names = {"subscription_id": ZEROS, "resource_group": "rg", "workspace": "ws", "credential": "managed_identity"}
    return SideSettings(side=Side.TARGET, **{"cloud": "azure", "endpoint": "visits", "lab": lab, **names, **more})


def through(internet: Internet, **more: Any) -> Network:
    """A network whose only way out is the internet's proxy, and whose only extra authority is its own."""
    return Network(proxy=internet.url, ca_bundle=internet.authority.pem, **more)
