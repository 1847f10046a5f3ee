"""Security Token Service: AssumeRole with an external id, AssumeRoleWithWebIdentity with a token of the lab's own.

It shares an address with the runtime, whose paths it does not touch: the query protocol posts forms to `/`.
Source: AWS STS API reference; its errors are XML of the query protocol.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from harness.lab import aws_credentials, sigv4, tokens
from harness.lab.loopback import Reply, Request
from harness.lab.settings import ACCOUNT, EXTERNAL_ID, REGION, ROLE, Settings

WEB_IDENTITY_AUDIENCE = "sts.web-identity"
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def answer(settings: Settings, request: Request) -> Reply:
    """One call of the query protocol."""
    form = {name: values[0] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
    action = form.get("Action", "")
    now = datetime.now(UTC)
    try:
        if action == "AssumeRole":
            _check_caller(settings, form, request, now)
        elif action == "AssumeRoleWithWebIdentity":
            _check_web_identity(settings, form, now)
        else:
            raise _Refused(400, "InvalidAction", f"Could not find operation {action or 'none'}")
        if form.get("RoleArn") != ROLE or not form.get("RoleSessionName"):
            raise _Refused(403, "AccessDenied", f"Not authorized to assume {form.get('RoleArn')}")
        return _reply(200, _granted(settings, action, form))
    except _Refused as refused:
        kind = "Sender" if refused.status < 500 else "Receiver"
        error = f"<Type>{kind}</Type><Code>{refused.code}</Code><Message>{escape(str(refused))}</Message>"
        return _reply(refused.status, f'<ErrorResponse xmlns="{_NAMESPACE}"><Error>{error}</Error></ErrorResponse>')


def web_identity(settings: Settings, *, now: datetime, lifetime_s: float = 86400.0) -> str:
    """The token that a workload would find in its token file."""
    return tokens.issue(
        settings.signing,
        audience=WEB_IDENTITY_AUDIENCE,
        subject="parity-lab",
        now=now.timestamp(),
        lifetime_s=lifetime_s,
    )


def _check_caller(settings: Settings, form: dict[str, str], request: Request, now: datetime) -> None:
    credential = sigv4.Credential(
        region=REGION,
        service="sts",
        secret_of=lambda key_id, token: aws_credentials.secret_of(settings, key_id, token),
    )
    try:
        sigv4.check(request, credential, now=now)
    except sigv4.Denied as denied:
        # The query protocol's words for the same refusals.
        words = {
            "UnrecognizedClientException": "InvalidClientTokenId",
            "InvalidSignatureException": "SignatureDoesNotMatch",
        }
        raise _Refused(denied.status, words.get(denied.code, denied.code), str(denied)) from denied
    if form.get("ExternalId") != EXTERNAL_ID:
        raise _Refused(403, "AccessDenied", f"User is not authorized to perform sts:AssumeRole on resource: {ROLE}")


def _check_web_identity(settings: Settings, form: dict[str, str], now: datetime) -> None:
    try:
        token = form.get("WebIdentityToken", "")
        tokens.check(settings.signing, token, audience=WEB_IDENTITY_AUDIENCE, now=now.timestamp())
    except tokens.TokenExpired as exc:
        raise _Refused(400, "ExpiredTokenException", "Token expired") from exc
    except tokens.TokenInvalid as exc:
        raise _Refused(400, "InvalidIdentityToken", "No OpenIDConnect provider knows this token") from exc


def _granted(settings: Settings, action: str, form: dict[str, str]) -> str:
    session = aws_credentials.open_session(settings, lifetime_s=settings.token_lifetime_s)
    expires = datetime.fromtimestamp(session.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = escape(form["RoleSessionName"])
    user = ROLE.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
    return (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>'
        f"<Credentials><AccessKeyId>{session.key_id}</AccessKeyId><SecretAccessKey>{session.secret}</SecretAccessKey>"
        f"<SessionToken>{session.token}</SessionToken><Expiration>{expires}</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>AROA{ACCOUNT}:{name}</AssumedRoleId><Arn>{user}/{name}</Arn></AssumedRoleUser>"
        f"</{action}Result></{action}Response>"
    )


def _reply(status: int, xml: str) -> Reply:
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": str(uuid.uuid4())}
    return Reply(status=status, body=xml.encode(), headers=headers)
