"""A deployment of Azure OpenAI or Foundry before a run: leave to call it, version, upgrades, retirement, limits.

Source: Azure REST reference, Cognitive Services, "Deployments - Get", "Accounts - List Models" (API version
2024-10-01); Azure OpenAI documentation, "Model versions", "API version lifecycle" and "Role-based access control".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import urllib3

from harness.config import SideSettings
from harness.core.check import Check, Grant, Load, Probe, fine, problem, unchecked
from harness.errors import HarnessError
from harness.services import _checks_azure as azure
from harness.services._chat import parsed, table
from harness.services._checks_network import CONNECT_S, READ_S, way_to
from harness.services._entra import key_or_token
from harness.services._hosts import AzureCloud
from harness.services._network import Way

DEPLOYMENT, UPGRADE, RETIREMENT, QUOTA, ACCESS, API = (
    "deployment",
    "automatic upgrade",
    "retirement",
    "quota",
    "access",
    "API version",
)
API_VERSION = "2024-10-01"
SOON = timedelta(days=90)
READ = "Microsoft.CognitiveServices/accounts/deployments/read"
MODELS = "Microsoft.CognitiveServices/accounts/models/read"
FILTERS = "Microsoft.CognitiveServices/accounts/raiPolicies/read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One side's resource. role: the built-in role that calls it. free: a path that costs nothing; "": none."""

    settings: SideSettings
    cloud: AzureCloud
    service: str
    address: str
    role: str
    zone: str
    free: str = ""

    @property
    def scope(self) -> str:
        name = self.settings.resource or "RESOURCE"
        return f"{azure.scope_of(self.settings)}/Microsoft.CognitiveServices/accounts/{name}"


def probes(account: Account, load: Load) -> tuple[Probe, ...]:
    link = f"a private endpoint of {account.settings.resource or 'the resource'} with the DNS zone {account.zone}"
    return (
        Probe("network", lambda: way_to(account.address, account.settings, private_link=link)),
        Probe(azure.TOKEN, lambda: _with_way(account, lambda way: iter([_opener(account, way)]))),
        Probe(ACCESS, lambda: _with_way(account, lambda way: iter([_access(account, way)]))),
        Probe(DEPLOYMENT, lambda: _with_way(account, lambda way: _deployment(account, way, load))),
    )


def _with_way(account: Account, look: Callable[[Way], Iterator[Check]]) -> list[Check]:
    way = Way(account.settings.network)
    try:
        return list(look(way))
    finally:
        way.close()


def _opener(account: Account, way: Way) -> Check:
    return azure.opener(account.settings, account.cloud, way, scope=account.cloud.ai_scope, service=account.service)


def _access(account: Account, way: Way) -> Check:
    """Whether the resource lets this machine in, asked of a list that costs nothing."""
    if not account.free:
        return unchecked(ACCESS, "only a paid call would show it", "parity run --sample 1 shows it.")
    try:
        opener = key_or_token(
            account.settings, account.cloud, way, scope=account.cloud.ai_scope, service=account.service
        )
    except HarnessError as exc:
        return unchecked(ACCESS, f"no key and no token ({type(exc).__name__})")
    header = {"authorization": f"Bearer {opener.secret}"} if opener.is_token else {"api-key": opener.secret}
    pool = way.pool(account.address, 1)
    try:
        reply = pool.request(
            "GET",
            account.address + account.free,
            headers=header,
            timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S),
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as exc:
        return unchecked(ACCESS, f"no answer ({type(exc).__name__})")
    finally:
        pool.clear()
    _, body = parsed(reply.data.decode("utf-8", "replace"))
    return let_in(
        account, reply.status, str(table(table(body).get("error")).get("message", "")), key=not opener.is_token
    )


def let_in(account: Account, status: int, message: str, *, key: bool) -> Check:
    """What the data plane's answer means. message: the error's own; it is read and not shown."""
    name = account.settings.resource or "RESOURCE"
    group = account.settings.resource_group or "GROUP"
    if status == 200:
        return fine(ACCESS, "the resource lets this machine in")
    said = f"the resource answered status {status}"
    if status == 403 and any(
        word in message for word in ("Public access", "Virtual Network", "Firewall", "private endpoint")
    ):
        return problem(
            ACCESS,
            f"{said}: its network rules keep this machine out",
            f"Call it through its private endpoint, or add this machine: az cognitiveservices account network-rule add "
            f"-n {name} -g {group} --ip-address ADDRESS",
        )
    if status == 401 and key:
        return problem(
            ACCESS,
            f"{said}: the key is not this resource's, or keys are switched off (disableLocalAuth)",
            f"az cognitiveservices account keys list -n {name} -g {group}; or leave api_key_env out to use Entra.",
        )
    if status in (401, 403):
        return problem(ACCESS, f"{said}: the identity has no role there", azure.assign(account.role, account.scope))
    return unchecked(ACCESS, said, "parity run --sample 1 shows it.")


def _deployment(account: Account, way: Way, load: Load) -> Iterator[Check]:
    settings = account.settings
    manager = azure.Manager(settings, account.cloud, way, account.service)
    place = f"/Microsoft.CognitiveServices/accounts/{quote(settings.resource or '', safe='')}"
    group, name = settings.resource_group or "GROUP", settings.resource or "RESOURCE"
    try:
        if settings.resource is None:
            raise azure.NotTold(None, "the profile names no resource")
        found = manager.ask(f"{place}/deployments/{quote(settings.endpoint, safe='')}", API_VERSION)
    except azure.NotTold as exc:
        if exc.status == 404:
            yield problem(
                DEPLOYMENT,
                f"{name} has no deployment {settings.endpoint}, or there is no such resource",
                f"az cognitiveservices account deployment list -n {name} -g {group} --query '[].name'",
            )
            return
        for what in (DEPLOYMENT, UPGRADE, RETIREMENT, QUOTA):
            yield azure.not_seen(what, exc, action=READ, role=account.role, scope=account.scope)
        return
    properties = table(found.get("properties"))
    model, sku = table(properties.get("model")), table(found.get("sku"))
    yield _state(properties, model, sku)
    yield _upgrade(properties, settings, name)
    try:
        listed = manager.ask(f"{place}/models", API_VERSION).get("value", [])
        yield retirement(model, listed if isinstance(listed, list) else [], now=datetime.now(UTC))
    except azure.NotTold as exc:
        yield azure.not_seen(RETIREMENT, exc, action=MODELS, role=account.role, scope=account.scope)
    yield from quota(properties, sku, load, name)


def _state(properties: dict[str, Any], model: dict[str, Any], sku: dict[str, Any]) -> Check:
    said = (
        f"{model.get('name', 'model not told')} {model.get('version', 'version not told')}, {sku.get('name', 'no sku')}"
    )
    state = properties.get("provisioningState", "not told")
    if state != "Succeeded":
        return problem(DEPLOYMENT, f"{said}: {state}", "Wait, or deploy it anew; its activity log says why.")
    return fine(DEPLOYMENT, said)


def _upgrade(properties: dict[str, Any], settings: SideSettings, name: str) -> Check:
    option = properties.get("versionUpgradeOption")
    if option == "NoAutoUpgrade":
        return fine(UPGRADE, "off")
    if not isinstance(option, str):
        return unchecked(UPGRADE, "the resource manager does not tell versionUpgradeOption")
    return problem(
        UPGRADE,
        f"{option}: the model may change under the evidence",
        f"Foundry portal, {name}, Deployments, {settings.endpoint}, Edit: version update policy "
        '"Opt out of automatic model version upgrades"; or PUT the deployment with versionUpgradeOption NoAutoUpgrade.',
    )


def retirement(model: dict[str, Any], listed: list[Any], *, now: datetime) -> Check:
    """When the deployed version stops to answer, from the list of the account's models."""
    wanted = model.get("name"), model.get("version")
    for one in map(table, listed):
        if (one.get("name"), one.get("version")) != wanted:
            continue
        told, status = table(one.get("deprecation")).get("inference"), one.get("lifecycleStatus", "status not told")
        if not isinstance(told, str):
            break
        ends = datetime.fromisoformat(told)
        ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
        said = f"{wanted[0]} {wanted[1]} ({status}) answers until {ends:%Y-%m-%d}"
        if ends <= now + SOON:
            return problem(
                RETIREMENT,
                said,
                "Deploy a later version and run the suite on it: az cognitiveservices account list-models.",
            )
        return fine(RETIREMENT, said)
    return unchecked(RETIREMENT, f"no date is told for {wanted[0]} {wanted[1]}", "See Microsoft's page of retirements.")


def quota(properties: dict[str, Any], sku: dict[str, Any], load: Load, name: str) -> Iterator[Check]:
    """The deployment's rate limits, scaled to a minute, against the recorded peak."""
    limits = {}
    for one in map(table, properties.get("rateLimits") or ()):
        count, period_s = one.get("count"), one.get("renewalPeriod")
        if isinstance(count, int | float) and isinstance(period_s, int | float) and period_s > 0:
            limits[str(one.get("key"))] = int(count * 60 / period_s)
    if load.requests is None:
        yield unchecked(QUOTA, "no times were recorded, so that there is no peak to hold a limit against")
        return
    if not limits:
        yield unchecked(QUOTA, f"no rate limits are told; capacity {sku.get('capacity', 'not told')}")
    for key, what, peak in (("request", "requests", load.requests), ("token", "tokens", load.tokens)):
        if key not in limits:
            continue
        if peak is None:
            yield unchecked(QUOTA, f"{limits[key]:,} {what} a minute; the recordings count none")
            continue
        said = f"{limits[key]:,} {what} a minute, the recorded peak is {peak:,}"
        if peak <= limits[key]:
            yield fine(QUOTA, said)
        else:
            yield problem(
                QUOTA,
                said,
                f"Raise the deployment's capacity (Foundry portal, {name}, Deployments, Edit: tokens per minute), "
                "within az cognitiveservices usage list; or slow the run: requests_per_second "
                "under the profile's limits.",
            )


def api_version(version: str, api: str, load: Load) -> Check:
    """Whether a dated API version knows what the suite needs; "v1" does.

    Source: Azure OpenAI documentation, "API version lifecycle" and "What's new" (structured outputs from
    2024-08-01-preview, the responses API from 2025-03-01-preview).
    """
    needed = {"json_schema": "2024-08-01"} if "json_schema" in load.needs else {}
    if api == "responses":
        needed["the responses API"] = "2025-03-01"
    for what, since in needed.items():
        if version[:10] < since:
            return problem(API, f"{version} does not know {what}", 'Say api_version = "v1" under [target] or [source].')
    return fine(API, f"{version} knows what the suite needs")


def grants(account: Account, data_actions: tuple[str, ...]) -> tuple[Grant, ...]:
    reading = Grant(
        cloud="azure",
        why="evidence and parity doctor: version, upgrades, content filter, limits and retirement",
        actions=(READ, MODELS, FILTERS),
        resources=(account.scope,),
        builtin=account.role,
    )
    if account.settings.api_key_env is not None:
        return (reading,)
    calling = Grant(
        cloud="azure",
        why="call the suite's deployment",
        actions=(),
        data_actions=data_actions,
        resources=(account.scope,),
        builtin=account.role,
    )
    return (calling, reading)
