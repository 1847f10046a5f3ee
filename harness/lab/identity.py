"""Managed identity as Azure App Service offers it: a loopback endpoint that hands out tokens.

`GET {IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=...[&client_id=...]` with `X-IDENTITY-HEADER`. It was chosen
because azure-identity's ManagedIdentityCredential then runs as shipped, over plain http on loopback.
Source: Azure App Service documentation, "Connect to Azure services in app code", REST endpoint reference.
"""

from __future__ import annotations

import json
import time
from urllib.parse import parse_qs

from harness.lab import tokens
from harness.lab.loopback import Reply, Request
from harness.lab.settings import CLIENT, Settings

PATH = "/msi/token"
API_VERSION = "2019-08-01"
ARM_AUDIENCE = "https://management.azure.com"
ML_AUDIENCE = "https://ml.azure.com"
COGNITIVE_AUDIENCES = ("https://cognitiveservices.azure.com", "https://ai.azure.com")  # either opens Azure OpenAI


def arm_audiences(settings: Settings) -> tuple[str, ...]:
    """MLClient derives the audience from the resource manager's address, so the lab's own is as good as Azure's."""
    return (ARM_AUDIENCE, settings.addresses["resource_manager"])


def hand_out(settings: Settings, request: Request) -> Reply:
    """A token for the asked resource, or the protocol's refusal."""
    asked = {name: values[0] for name, values in parse_qs(request.query).items()}
    if request.headers.get("x-identity-header") != settings.identity_header:
        return _refuse(401, "Unauthorized", "the X-IDENTITY-HEADER is missing or wrong")
    if asked.get("api-version") != API_VERSION:
        return _refuse(400, "BadRequest", f"api-version must be {API_VERSION}")
    resource = asked.get("resource", "").rstrip("/")
    if resource not in (*arm_audiences(settings), ML_AUDIENCE, *COGNITIVE_AUDIENCES):
        return _refuse(400, "BadRequest", f"AADSTS500011: no resource principal named {resource!r} in this tenant")
    if asked.get("client_id", CLIENT) != CLIENT:
        return _refuse(400, "BadRequest", "no user assigned managed identity has this client id")
    now = time.time()
    document = {
        "access_token": tokens.issue(
            settings.signing, audience=resource, subject=CLIENT, now=now, lifetime_s=settings.token_lifetime_s
        ),
        "client_id": CLIENT,
        "expires_on": str(int(now + settings.token_lifetime_s)),
        "not_before": str(int(now)),
        "resource": resource,
        "token_type": "Bearer",
    }
    return Reply(status=200, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"})


def _refuse(status: int, code: str, message: str) -> Reply:
    document = {"statusCode": status, "code": code, "message": message}
    return Reply(status=status, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"})
