"""Azure Resource Manager, as far as `azure.ai.ml.MLClient` asks for it: one workspace and its online endpoints.

Reads: the workspace, an endpoint, its deployments. Acts: list and regenerate keys, issue a token, set traffic by PUT
with a long-running operation that is polled at `Azure-AsyncOperation`. Bearer tokens are checked for signature,
audience and expiry; errors come in the resource manager's own shape.
Source: Azure REST API reference, Machine Learning, online endpoints; Azure Resource Manager, "Async operations".
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote

from harness.lab import cognitive, estate, identity, tokens
from harness.lab.desk import PREFIX, Desk
from harness.lab.loopback import Reply, Request
from harness.lab.settings import (
    AUTH_MODES,
    CLIENT,
    CONTROL_HEADER,
    DEPLOYMENT,
    ENDPOINT,
    LOCATION,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    TENANT,
    WORKSPACE,
    azure_key,
)

PROVIDER = "Microsoft.MachineLearningServices"
WORKSPACE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/providers/{PROVIDER}/workspaces/{WORKSPACE}"
)
OPERATION_S = 0.5  # how long a change of traffic takes
API_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-preview)?$")


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def application(desk: Desk) -> Callable[[Request], Reply]:
    """The handler of the resource manager's server, its identity endpoint included."""
    operations: dict[str, float] = {}  # operation id -> when it is done

    def handle(request: Request) -> Reply:
        if request.path.startswith(PREFIX):
            status, body = desk.answer(
                request.method, request.path, request.headers.get(CONTROL_HEADER, ""), request.body
            )
            return Reply(status=status, body=body)
        if request.path == identity.PATH:
            return identity.hand_out(desk.settings, request)
        try:
            _admit(desk, request)
            return _route(desk, operations, request)
        except _Refused as refused:
            document = {"error": {"code": refused.code, "message": str(refused)}}
            headers = {"WWW-Authenticate": f'Bearer authorization_uri="https://login.example/{TENANT}"'}
            return _reply(document, status=refused.status, headers=headers if refused.status == 401 else {})

    return handle


def scoring_uri(desk: Desk, endpoint: str) -> str:
    """Where an endpoint is called. All three share a host here, so two of them carry their name in the path."""
    path = "/score" if endpoint == ENDPOINT else f"/api/v1/endpoint/{endpoint}/score"
    return desk.settings.addresses["azureml"] + path


def _admit(desk: Desk, request: Request) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _Refused(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    settings = desk.settings
    refusals: list[str] = []
    for audience in identity.arm_audiences(settings):
        try:
            tokens.check(settings.signing, token, audience=audience, now=time.time(), valid_from=settings.valid_from)
            return
        except tokens.TokenExpired as expired:
            raise _Refused(401, "ExpiredAuthenticationToken", "The access token has expired.") from expired
        except tokens.TokenInvalid as invalid:
            refusals.append(str(invalid))
    raise _Refused(401, "InvalidAuthenticationToken", f"The access token is invalid: {refusals[0]}.")


def _route(desk: Desk, operations: dict[str, float], request: Request) -> Reply:
    version = parse_qs(request.query).get("api-version", [""])[0]
    if not API_VERSION.match(version):
        raise _Refused(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required")
    names = [unquote(part) for part in request.path.strip("/").split("/")]
    if cognitive.owns(names):
        address = desk.settings.addresses["resource_manager"]
        found = cognitive.document(names) if request.method == "GET" else None
        if request.method == "GET" and (listed := cognitive.listed(names)) is not None:
            found = estate.paged(listed, request, address)
        if found is None:
            raise _Refused(404, "ResourceNotFound", f"The Resource '{'/'.join(names[5:])}' was not found.")
        return _reply(found)
    _owned(names)
    rest = [name.lower() for name in names[8:]]
    match request.method, rest:
        case "GET", []:
            return _reply(_workspace())
        case "GET", ["onlineendpoints"]:
            return _page(desk, [_endpoint(desk, name) for name in AUTH_MODES], request)
        case "GET", ["batchendpoints"]:
            return _page(desk, [], request)
        case "GET", ["models"]:
            return _page(desk, estate.models(WORKSPACE_ID, AUTH_MODES), request)
        case "GET", ["onlineendpoints", name]:
            return _reply(_endpoint(desk, _known(name)))
        case "PUT", ["onlineendpoints", name]:
            return _put(desk, operations, _known(name), request)
        case "GET", ["onlineendpoints", name, "deployments"]:
            return _reply({"value": [_deployment(_known(name))]})
        case "GET", ["onlineendpoints", name, "deployments", deployment] if deployment == DEPLOYMENT:
            return _reply(_deployment(_known(name)))
        case "POST", ["onlineendpoints", name, "listkeys"]:
            return _keys(desk, _known(name))
        case "POST", ["onlineendpoints", name, "regeneratekeys"]:
            return _regenerate(desk, _known(name), request)
        case "POST", ["onlineendpoints", name, "token"]:
            return _token(desk, _known(name))
        case "GET", ["operations", operation] if operation in operations:
            done = time.time() >= operations[operation]
            document = {"id": request.path, "name": operation, "status": "Succeeded" if done else "InProgress"}
            return _reply(document, headers={} if done else {"Retry-After": "1"})  # clients wait 30 s unless told
    raise _Refused(404, "ResourceNotFound", f"The Resource '{'/'.join(names[6:])}' was not found.")


def _owned(names: list[str]) -> None:
    """Refuse a path outside the one workspace, naming the first part that does not exist."""
    wanted = WORKSPACE_ID.strip("/").split("/")
    missing = {
        1: ("SubscriptionNotFound", "The subscription '{}' could not be found."),
        3: ("ResourceGroupNotFound", "Resource group '{}' could not be found."),
        7: ("ResourceNotFound", f"The Resource '{PROVIDER}/workspaces/{{}}' was not found."),
    }
    for index, part in enumerate(wanted):
        if index >= len(names) or names[index].lower() != part.lower():
            code, text = missing.get(index, ("ResourceNotFound", "The resource '{}' was not found."))
            raise _Refused(404, code, text.format(names[index] if index < len(names) else ""))


def _known(name: str) -> str:
    if name not in AUTH_MODES:
        raise _Refused(404, "ResourceNotFound", f"The Resource '{WORKSPACE}/onlineEndpoints/{name}' was not found.")
    return name


def _workspace() -> dict[str, Any]:
    return {
        "id": WORKSPACE_ID,
        "name": WORKSPACE,
        "type": f"{PROVIDER}/workspaces",
        "location": LOCATION,
        "identity": _identity(),
        "tags": {},
        "properties": {"workspaceId": CLIENT, "provisioningState": "Succeeded", "friendlyName": WORKSPACE},
    }


def _identity() -> dict[str, str]:
    return {"type": "SystemAssigned", "principalId": CLIENT, "tenantId": TENANT}


def _endpoint(desk: Desk, name: str) -> dict[str, Any]:
    return {
        "id": f"{WORKSPACE_ID}/onlineEndpoints/{name}",
        "name": name,
        "type": f"{PROVIDER}/workspaces/onlineEndpoints",
        "location": LOCATION,
        "kind": "Managed",
        "identity": _identity(),
        "tags": {},
        "properties": {
            "authMode": AUTH_MODES[name],
            "properties": {},
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
            "scoringUri": scoring_uri(desk, name),
            "swaggerUri": f"{desk.settings.addresses['azureml']}/swagger.json",
            "traffic": desk.traffic[name],
            "mirrorTraffic": {},
        },
    }


def _deployment(endpoint: str) -> dict[str, Any]:
    return {
        "id": f"{WORKSPACE_ID}/onlineEndpoints/{endpoint}/deployments/{DEPLOYMENT}",
        "name": DEPLOYMENT,
        "type": f"{PROVIDER}/workspaces/onlineEndpoints/deployments",
        "location": LOCATION,
        "kind": "Managed",
        "tags": {},
        "sku": {"name": "Default", "capacity": 1},
        "systemData": estate.system_data(),
        "properties": {
            "model": estate.model_of(WORKSPACE_ID, endpoint),
            "endpointComputeType": "Managed",
            "instanceType": "Standard_DS3_v2",
            "provisioningState": "Succeeded",
            "properties": {},
            "environmentVariables": {},
            "appInsightsEnabled": False,
            "scaleSettings": {"scaleType": "Default"},
        },
    }


def _put(desk: Desk, operations: dict[str, float], name: str, request: Request) -> Reply:
    try:
        properties = json.loads(request.body)["properties"]
        weights = {str(key): int(value) for key, value in (properties.get("traffic") or {}).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise _Refused(400, "InvalidRequestContent", "The request content was invalid and could not be read.") from exc
    unknown = sorted(set(weights) - {DEPLOYMENT})
    if unknown:
        raise _Refused(400, "BadRequest", f"Traffic names deployments that do not exist: {', '.join(unknown)}.")
    if sum(weights.values()) not in (0, 100) or min(weights.values(), default=0) < 0:
        raise _Refused(400, "BadRequest", "The sum of traffic must be 0 or 100 percent.")
    if str(properties.get("authMode", AUTH_MODES[name])).lower() != AUTH_MODES[name].lower():
        raise _Refused(400, "BadRequest", "The authentication mode of an endpoint cannot be changed.")
    desk.set_traffic(name, weights)
    operation = uuid.uuid4().hex
    operations[operation] = time.time() + OPERATION_S
    address = desk.settings.addresses["resource_manager"]
    version = parse_qs(request.query)["api-version"][0]
    headers = {
        "Azure-AsyncOperation": f"{address}{WORKSPACE_ID}/operations/{operation}?api-version={version}",
        "Retry-After": "1",
    }
    document = _endpoint(desk, name)
    document["properties"]["provisioningState"] = "Updating"
    return _reply(document, headers=headers)


def _keys(desk: Desk, name: str) -> Reply:
    if AUTH_MODES[name] != "Key":
        raise _Refused(400, "BadRequest", "Keys are only available for endpoints with key authentication.")
    primary, secondary = desk.settings.azure_keys
    return _reply({"primaryKey": primary, "secondaryKey": secondary})


def _regenerate(desk: Desk, name: str, request: Request) -> Reply:
    if AUTH_MODES[name] != "Key":
        raise _Refused(400, "BadRequest", "Keys are only available for endpoints with key authentication.")
    # azure-ai-ml sends the present key as keyValue and expects a new one, so keyValue decides nothing here.
    primary, secondary = desk.settings.azure_keys
    kind = json.loads(request.body).get("keyType")
    desk.change(azure_keys=(azure_key(), secondary) if kind == "Primary" else (primary, azure_key()))
    return _reply({})


def _token(desk: Desk, name: str) -> Reply:
    if AUTH_MODES[name] != "AMLToken":
        raise _Refused(400, "BadRequest", "Tokens are only available for endpoints with aml_token authentication.")
    settings, now = desk.settings, time.time()
    document = {
        "accessToken": tokens.issue(
            settings.signing, audience=name, subject=CLIENT, now=now, lifetime_s=settings.token_lifetime_s
        ),
        "expiryTimeUtc": int(now + settings.token_lifetime_s),
        "refreshAfterTimeUtc": int(now + 0.8 * settings.token_lifetime_s),
        "tokenType": "Bearer",
    }
    return _reply(document)


def _page(desk: Desk, values: list[dict[str, Any]], request: Request) -> Reply:
    return _reply(estate.paged(values, request, desk.settings.addresses["resource_manager"]))


def _reply(document: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    head = {"Content-Type": "application/json; charset=utf-8", "x-ms-request-id": str(uuid.uuid4())}
    return Reply(status=status, body=json.dumps(document).encode(), headers=head | (headers or {}))
