"""Azure Resource Manager, as far as `azure.ai.ml.MLClient` asks for it: one workspace and its online endpoints.

Reads: the workspace, an endpoint, its deployments. Acts: list and regenerate keys, issue a token, set traffic by PUT
with a long-running operation that is polled at `Azure-AsyncOperation`: in force at the operation's end, and another PUT
before that is refused with 409. Bearer tokens are checked for signature, audience and expiry; errors come in the
resource manager's own shape.
Source: Azure REST API reference, Machine Learning, online endpoints; Azure Resource Manager, "Async operations".
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from harness.lab import cognitive, estate, identity, tokens
from harness.lab.desk import PREFIX, Desk
from harness.lab.loopback import Reply, Request
from harness.lab.settings import (
    AUTH_MODES,
    CLIENT,
    CONTROL_HEADER,
    ENDPOINT,
    LOCATION,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    TENANT,
    WORKSPACE,
    Settings,
    azure_key,
    deployments,
)

PROVIDER = "Microsoft.MachineLearningServices"
WORKSPACE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/providers/{PROVIDER}/workspaces/{WORKSPACE}"
)
OPERATION_S = 0.5  # how long a change of traffic takes
POLL_S = "1"  # when to ask again whether it is done; clients wait 30 s unless told
API_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-preview)?$")


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(slots=True)
class _Operations:
    """Changes of traffic. running: operation id -> endpoint; begun: all ids there ever were. lost: answers so far."""

    running: dict[str, str] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    lost: int = 0
    settings: Settings | None = None

    def loses(self, settings: Settings) -> bool:
        """Whether this answer is one that the lab was told to lose; new settings count anew."""
        if settings is not self.settings:
            self.settings, self.lost = settings, 0
        self.lost += 1
        return self.lost <= settings.lost_answers


def application(desk: Desk) -> Callable[[Request], Reply | None]:
    """The handler of the resource manager's server, its identity endpoint included."""
    operations = _Operations()

    def handle(request: Request) -> Reply | None:
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


def _route(desk: Desk, operations: _Operations, request: Request) -> Reply | None:
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
            return _page(desk, [_endpoint(desk, name, operations) for name in AUTH_MODES], request)
        case "GET", ["batchendpoints"]:
            return _page(desk, [], request)
        case "GET", ["models"]:
            return _page(desk, estate.models(WORKSPACE_ID, AUTH_MODES), request)
        case "GET", ["onlineendpoints", name]:
            return _reply(_endpoint(desk, _known(name), operations))
        case "PUT", ["onlineendpoints", name]:
            return _put(desk, operations, _known(name), request)
        case "GET", ["onlineendpoints", name, "deployments"]:
            return _reply({"value": [_deployment(name, one) for one in deployments(_known(name))]})
        case "GET", ["onlineendpoints", name, "deployments", one] if one in deployments(_known(name)):
            return _reply(_deployment(name, one))
        case "POST", ["onlineendpoints", name, "listkeys"]:
            return _keys(desk, _known(name))
        case "POST", ["onlineendpoints", name, "regeneratekeys"]:
            return _regenerate(desk, _known(name), request)
        case "POST", ["onlineendpoints", name, "token"]:
            return _token(desk, _known(name))
        case "GET", ["operations", operation] if operation in operations.begun:
            done = operation not in operations.running
            document = {"id": request.path, "name": operation, "status": "Succeeded" if done else "InProgress"}
            return _reply(document, headers={} if done else {"Retry-After": POLL_S})
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


def _endpoint(desk: Desk, name: str, operations: _Operations) -> dict[str, Any]:
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
            "provisioningState": "Updating" if name in operations.running.values() else "Succeeded",
            "publicNetworkAccess": "Enabled",
            "scoringUri": scoring_uri(desk, name),
            "swaggerUri": f"{desk.settings.addresses['azureml']}/swagger.json",
            "traffic": desk.traffic[name],
            "mirrorTraffic": desk.mirrors[name],
        },
    }


def _deployment(endpoint: str, name: str) -> dict[str, Any]:
    return {
        "id": f"{WORKSPACE_ID}/onlineEndpoints/{endpoint}/deployments/{name}",
        "name": name,
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


def _put(desk: Desk, operations: _Operations, name: str, request: Request) -> Reply | None:
    """Accept a change of traffic; None where its answer is lost on the way back."""
    try:
        properties = json.loads(request.body)["properties"]
        weights = _weights(properties, "traffic")
        mirror = _weights(properties, "mirrorTraffic")
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise _Refused(400, "InvalidRequestContent", "The request content was invalid and could not be read.") from exc
    _check_weights(name, weights, mirror)
    if str(properties.get("authMode", AUTH_MODES[name])).lower() != AUTH_MODES[name].lower():
        raise _Refused(400, "BadRequest", "The authentication mode of an endpoint cannot be changed.")
    if name in operations.running.values():
        raise _Refused(409, "Conflict", "Another operation is in progress for the endpoint. Try again later.")
    operation = uuid.uuid4().hex
    operations.running[operation] = name
    operations.begun.add(operation)

    def land() -> None:
        desk.set_traffic(name, weights, mirror)
        del operations.running[operation]

    threading.Timer(OPERATION_S, land).start()
    if operations.loses(desk.settings):
        return None
    address = desk.settings.addresses["resource_manager"]
    version = parse_qs(request.query)["api-version"][0]
    headers = {
        "Azure-AsyncOperation": f"{address}{WORKSPACE_ID}/operations/{operation}?api-version={version}",
        "Retry-After": POLL_S,
    }
    return _reply(_endpoint(desk, name, operations), headers=headers)


def _weights(properties: dict[str, Any], key: str) -> dict[str, int]:
    return {str(name): int(value) for name, value in (properties.get(key) or {}).items()}


def _check_weights(endpoint: str, weights: dict[str, int], mirror: dict[str, int]) -> None:
    """Rules of the documentation: "Safe rollout for online endpoints", live and mirrored traffic."""
    unknown = sorted({*weights, *mirror} - set(deployments(endpoint)))
    if unknown:
        raise _Refused(400, "BadRequest", f"Traffic names deployments that do not exist: {', '.join(unknown)}.")
    if sum(weights.values()) not in (0, 100) or min(weights.values(), default=0) < 0:
        raise _Refused(400, "BadRequest", "The sum of traffic must be 0 or 100 percent.")
    if len(mirror) > 1 or not 0 <= sum(mirror.values()) <= 50:
        raise _Refused(400, "BadRequest", "Traffic is mirrored to one deployment, at most 50 percent of it.")
    if any(weights.get(name) for name in mirror):
        raise _Refused(400, "BadRequest", "A deployment receives live or mirrored traffic, not both.")


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
