"""An online endpoint of Azure ML before a run: state, traffic, instances, leave to call it, collected data.

Source: Azure REST reference, Machine Learning, "Online Endpoints - Get", "Online Deployments - List" and "Online
Endpoints - List Keys" (API version 2024-04-01); Azure ML documentation, "Authentication and authorization for online
endpoints".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from harness.config import SideSettings
from harness.core.check import Check, Grant, Load, Probe, fine, problem, unchecked
from harness.services import _checks_azure as azure
from harness.services._chat import table
from harness.services._checks_network import way_to
from harness.services._hosts import azure_cloud
from harness.services._network import Way

ENDPOINT, OPENING, CAPACITY, COLLECTION = "endpoint", "leave to call", "capacity", "data collection"
API_VERSION = "2024-04-01"
ONLINE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
READING = (f"{ONLINE}/read", f"{ONLINE}/deployments/read")
WORKSPACE = "Microsoft.MachineLearningServices/workspaces/read"
ROLE = "AzureML Data Scientist"  # the narrowest built-in role that may call; `parity doctor --policy` prints a narrower


def probes(settings: SideSettings, load: Load, service: str) -> tuple[Probe, ...]:
    return (
        Probe(azure.TOKEN, lambda: _token(settings, service)),
        Probe(ENDPOINT, lambda: _looked(settings, load, service)),
    )


def scope_of(settings: SideSettings) -> str:
    endpoint = settings.endpoint.partition("/")[0]
    return f"{workspace_of(settings)}/onlineEndpoints/{endpoint}"


def workspace_of(settings: SideSettings) -> str:
    place = f"{azure.scope_of(settings)}/Microsoft.MachineLearningServices/workspaces"
    return f"{place}/{settings.workspace or 'WORKSPACE'}"


def grants(settings: SideSettings) -> tuple[Grant, ...]:
    return (
        Grant(
            cloud="azure",
            why="find the endpoint; parity doctor: state and deployments",
            actions=(WORKSPACE, *READING),
            resources=(workspace_of(settings),),
            builtin=ROLE,
        ),
        Grant(
            cloud="azure",
            why="get the endpoint's key or token, or call it with one of Entra",
            actions=(f"{ONLINE}/listKeys/action", f"{ONLINE}/token/action", f"{ONLINE}/score/action"),
            resources=(scope_of(settings),),
            builtin=ROLE,
        ),
    )


def _token(settings: SideSettings, service: str) -> list[Check]:
    cloud, way = azure_cloud(settings, service), Way(settings.network)
    try:
        return [azure.opener(settings, cloud, way, scope=f"{cloud.manager}/.default", service=service)]
    finally:
        way.close()


def _looked(settings: SideSettings, load: Load, service: str) -> list[Check]:
    way = Way(settings.network)
    try:
        return list(_endpoint(settings, load, azure.Manager(settings, azure_cloud(settings, service), way, service)))
    finally:
        way.close()


def _endpoint(settings: SideSettings, load: Load, manager: azure.Manager) -> Iterator[Check]:
    name, _, deployment = settings.endpoint.partition("/")
    workspace = quote(settings.workspace or "", safe="")
    place = f"/Microsoft.MachineLearningServices/workspaces/{workspace}/onlineEndpoints/{quote(name, safe='')}"
    try:
        properties = table(manager.ask(place, API_VERSION).get("properties"))
    except azure.NotTold as exc:
        if exc.status == 404:
            yield problem(
                ENDPOINT,
                f"there is no endpoint {name} in {settings.workspace} ({exc.why})",
                f"az ml online-endpoint list -w {settings.workspace} -g {settings.resource_group} --query '[].name'",
            )
            return
        for what in (ENDPOINT, OPENING, CAPACITY):
            yield azure.not_seen(what, exc, action=READING[0], role=ROLE, scope=scope_of(settings))
        return
    uri = properties.get("scoringUri")
    if isinstance(uri, str) and uri:
        zone = "privatelink.api.azureml.ms"
        yield from way_to(uri, settings, private_link=f"a private endpoint of the workspace with the DNS zone {zone}")
    yield _state(properties, settings, name)
    yield _opening(manager, place, str(properties.get("authMode", "")), settings)
    try:
        found = manager.ask(f"{place}/deployments", API_VERSION).get("value", [])
    except azure.NotTold as exc:
        yield azure.not_seen(CAPACITY, exc, action=READING[1], role=ROLE, scope=scope_of(settings))
        return
    deployments = [table(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if deployment:
        deployments = [one for one in deployments if one.get("name") == deployment]
        if not deployments:
            yield problem(
                ENDPOINT,
                f"{name} has no deployment {deployment}",
                f"az ml online-deployment list -e {name} -w {settings.workspace} -g {settings.resource_group}",
            )
    yield _capacity(deployments, load)
    if load.logged:
        yield _collection(deployments, settings)


def _state(properties: dict[str, Any], settings: SideSettings, name: str) -> Check:
    state, traffic = properties.get("provisioningState"), table(properties.get("traffic"))
    named = "/" in settings.endpoint
    if state not in (None, "Succeeded"):
        return problem(ENDPOINT, f"{name} is {state}", f"az ml online-endpoint show -n {name} -w {settings.workspace}")
    if not named and not any(isinstance(share, int | float) and share > 0 for share in traffic.values()):
        return problem(
            ENDPOINT,
            f"{name} sends its traffic to no deployment",
            f"az ml online-endpoint update -n {name} -w {settings.workspace} -g {settings.resource_group} "
            '--traffic "DEPLOYMENT=100", or name it: endpoint = "' + name + '/DEPLOYMENT".',
        )
    told = ", ".join(f"{key} {share} %" for key, share in traffic.items())
    return fine(
        ENDPOINT, f"{name}, {properties.get('authMode', 'authMode not told')}, traffic {told or 'to one by name'}"
    )


def _opening(manager: azure.Manager, place: str, mode: str, settings: SideSettings) -> Check:
    """Whether this machine may have what opens the endpoint. Nothing of it is kept."""
    word = {"Key": "listKeys", "AMLToken": "token"}.get(mode)
    if word is None:
        return unchecked(
            OPENING,
            f"{mode or 'an unknown mode'}: only a scoring call shows it",
            f"It needs {ONLINE}/score/action: {azure.assign(ROLE, scope_of(settings))}",
        )
    try:
        manager.ask(f"{place}/{word}", API_VERSION, method="POST")
    except azure.NotTold as exc:
        if exc.status in (401, 403):
            action = f"{ONLINE}/{word}/action"
            return problem(
                OPENING, f"{word} is refused ({exc.why})", f"Allow {action}: {azure.assign(ROLE, scope_of(settings))}"
            )
        return unchecked(OPENING, exc.why)
    return fine(OPENING, f"{word} is allowed")


def _capacity(deployments: list[dict[str, Any]], load: Load) -> Check:
    told = []
    for one in deployments:
        properties, sku = table(one.get("properties")), table(one.get("sku"))
        at_once = table(properties.get("requestSettings")).get("maxConcurrentRequestsPerInstance", 1)
        told.append(f"{one.get('name')} {sku.get('capacity', 'not told how many')} instance(s), {at_once} call(s) each")
    peak = f"the recorded peak is {load.requests:,} calls a minute" if load.requests else "no times were recorded"
    return unchecked(CAPACITY, f"no limit of requests is told; {', '.join(told) or 'no deployments'}; {peak}")


def _collection(deployments: list[dict[str, Any]], settings: SideSettings) -> Check:
    """Whether requests and answers are kept by the model data collector."""
    for one in deployments:
        collections = table(table(table(one.get("properties")).get("dataCollector")).get("collections"))
        on = [name for name, each in collections.items() if table(each).get("dataCollectionMode") == "Enabled"]
        if not {"model_inputs", "model_outputs"} <= set(on):
            return problem(
                COLLECTION,
                f"{one.get('name')} collects {', '.join(on) or 'nothing (the default)'}",
                "Say data_collector.collections model_inputs and model_outputs with enabled: true in the "
                f"deployment's YAML: az ml online-deployment update -f FILE -w {settings.workspace} "
                f"-g {settings.resource_group}",
            )
    return fine(COLLECTION, "inputs and outputs") if deployments else unchecked(COLLECTION, "no deployments are told")
