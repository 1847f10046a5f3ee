"""What an Azure ML workspace has: deployments of its online and batch endpoints, and its models.

Endpoints and deployments come through azure-ai-ml, models from the resource manager itself: of azure-ai-ml's listings
(1.35) that of models alone refuses an address without TLS, such as one on loopback.

A deployment pins a version of a model, so nothing upgrades it by itself; a model of the workspace, or of a registry of
one's own, is one's own, and no vendor retires it. A deployment without a model brings its own container.
Source: azure-ai-ml, operations of online and batch endpoints and deployments, and of models.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from harness.config import SideSettings
from harness.core.inventory import Found, Inventory
from harness.services._azure import ML_EXCEPTIONS, workspace_client
from harness.services._azure_failures import ours
from harness.services._chat import table
from harness.services._entra import Remembering, credential_of
from harness.services._failures import cause
from harness.services._hosts import azure_cloud
from harness.services._inventory import Told, moment
from harness.services._inventory_arm import ArmPages, text
from harness.services._network import Way

SERVICE = "azureml"
API_VERSION = "2024-10-01"
READ = "Microsoft.MachineLearningServices/workspaces/{}/read"
PUBLIC = re.compile(r"registries/(azureml|azure-openai|azureml-[a-z0-9-]+)/", re.IGNORECASE)  # Microsoft's own
_MODEL = re.compile(r"(?:azureml:|/models/)([^/:@]+)(?:/versions/|[:@])([^/]+)$")


def read(settings: SideSettings) -> Inventory:
    """Raises ConfigError and ServiceError where nothing can be asked."""
    told, tokens = Told(SERVICE), set[str]()
    cloud, way = azure_cloud(settings, SERVICE), Way(settings.network)
    try:
        client = workspace_client(Remembering(credential_of(settings, cloud, way), tokens), settings, cloud, way)
        listing = _Listing(told, settings, tokens)
        listing.endpoints("deployment", client.online_endpoints, client.online_deployments, "onlineEndpoints")
        listing.endpoints("batch endpoint", client.batch_endpoints, client.batch_deployments, "batchEndpoints")
        _models(told, settings, way)
    finally:
        way.close()
    return told.inventory


class _Listing:
    def __init__(self, told: Told, settings: SideSettings, tokens: set[str]) -> None:
        self._told = told
        self._settings = settings
        self._tokens = tokens

    def endpoints(self, kind: str, endpoints: Any, deployments: Any, what: str) -> None:
        """One entry a deployment, under ENDPOINT/DEPLOYMENT, which is how a suite names it."""
        needs = READ.format(what)
        with self._told.listing(kind, needs):
            for endpoint in self._all(endpoints.list):
                shares = getattr(endpoint, "traffic", None) or {}
                with self._told.listing(kind, f"{needs} and {needs.removesuffix('/read')}/deployments/read"):
                    for one in self._all(lambda name=endpoint.name: deployments.list(name)):
                        share = shares.get(one.name, 0) / 100 if kind == "deployment" else None
                        self._told.add(self._deployment(kind, endpoint, one, share))

    def _deployment(self, kind: str, endpoint: Any, one: Any, share: float | None) -> Found:
        model = getattr(one, "model", None)
        identity = str(getattr(model, "id", None) or model or "")
        named = _MODEL.search(identity)
        return Found(
            **_place(self._settings),
            kind=kind,
            name=f"{endpoint.name}/{one.name}",
            model=named[1] if named else identity or None,
            version=named[2] if named else None,
            changed_at=_changed(getattr(one, "creation_context", None)),
            share=share,
            auto_upgrade=False,
            owned=PUBLIC.search(identity) is None,
        )

    def _all(self, listed: Any) -> list[Any]:
        """Every page of a listing; whatever the SDK raises comes out as one of ours."""
        place = f'workspace "{self._settings.workspace}"'
        try:
            return list(listed())
        except Exception as exc:
            error = ours(exc, place=place, service=SERVICE, rows=ML_EXCEPTIONS)
            if error is None:
                raise
            raise error from cause(exc, self._tokens)


def _models(told: Told, settings: SideSettings, way: Way) -> None:
    """Every model that the workspace has registered, with its latest version."""
    with told.listing("model", READ.format("models")):
        pages = ArmPages(settings, way, service=SERVICE, api_version=API_VERSION)
        for one in pages.list(f"{workspace_path(settings)}/models"):
            version = text(table(one.get("properties")).get("latestVersion"))
            told.add(Found(**_place(settings), kind="model", name=str(one.get("name")), version=version, owned=True))


def workspace_path(settings: SideSettings) -> str:
    return (
        f"/subscriptions/{settings.subscription_id}/resourceGroups/{quote(settings.resource_group or '', safe='')}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{quote(settings.workspace or '', safe='')}"
    )


def _place(settings: SideSettings) -> dict[str, Any]:
    return {"service": SERVICE, "account": f"{settings.subscription_id}/{settings.workspace}"}


def _changed(context: Any) -> datetime | None:
    """Last change of a deployment: azure-ai-ml hands out an object, or the resource manager's own table (1.35)."""
    if isinstance(context, dict):
        return moment(context.get("lastModifiedAt") or context.get("createdAt"))
    return moment(getattr(context, "last_modified_at", None) or getattr(context, "created_at", None))
