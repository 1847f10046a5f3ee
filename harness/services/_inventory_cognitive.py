"""What an Azure OpenAI or Foundry resource deploys: model, version, who upgrades it, and when the version retires.

The day of retirement is that of the deployment's SKU, else of the model, as the resource's own list of models tells it.
A model of one's own (fine-tuned: it has a source) is still retired with its base, so nothing here counts as owned.
Source: Azure REST reference, Cognitive Services, "Deployments - List" and "Accounts - List Models", version 2024-10-01.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

from harness.config import SideSettings
from harness.core.inventory import Found, Inventory
from harness.services._chat import table
from harness.services._inventory import Told, day, moment
from harness.services._inventory_arm import ArmPages, text
from harness.services._network import Way

API_VERSION = "2024-10-01"
OPENAI = "OpenAI"  # a model's format; every other is served by Foundry's own APIs
UPGRADES = {"NoAutoUpgrade": False, "OnceNewDefaultVersionAvailable": True, "OnceCurrentVersionExpired": True}
DEPLOYMENTS = "Microsoft.CognitiveServices/accounts/deployments/read"
MODELS = "Microsoft.CognitiveServices/accounts/models/read"


def read(settings: SideSettings, *, service: str, openai: bool) -> Inventory:
    """Deployments of OpenAI's models, or of all others. Raises ConfigError, and ServiceError as Entra answers."""
    told, way = Told(service), Way(settings.network)
    try:
        pages = ArmPages(settings, way, service=service, api_version=API_VERSION)
        account = (
            f"/subscriptions/{settings.subscription_id}/resourceGroups/{quote(settings.resource_group or '', safe='')}"
            f"/providers/Microsoft.CognitiveServices/accounts/{settings.resource}"
        )
        models: list[dict[str, Any]] = []
        with told.listing("model", MODELS):
            models = list(pages.list(f"{account}/models"))
        with told.listing("deployment", DEPLOYMENTS):
            for one in pages.list(f"{account}/deployments"):
                model = table(table(one.get("properties")).get("model"))
                if (model.get("format") == OPENAI) == openai:
                    told.add(_found(one, model, models, settings, service))
    finally:
        way.close()
    return told.inventory


def _found(
    one: dict[str, Any], model: dict[str, Any], models: list[dict[str, Any]], settings: SideSettings, service: str
) -> Found:
    option = table(one.get("properties")).get("versionUpgradeOption")
    context = table(one.get("systemData"))
    return Found(
        service=service,
        kind="deployment",
        name=str(one.get("name")),
        model=text(model.get("name")),
        version=text(model.get("version")),
        account=f"{settings.subscription_id}/{settings.resource}",
        changed_at=moment(context.get("lastModifiedAt") or context.get("createdAt")),
        auto_upgrade=UPGRADES.get(str(option)),
        retires=_retires(model, str(table(one.get("sku")).get("name")), models),
    )


def _retires(model: dict[str, Any], sku: str, models: list[dict[str, Any]]) -> date | None:
    """None where the resource's list does not know the model, or tells no day."""
    key = ("format", "name", "version")
    for known in models:
        if all(known.get(part) == model.get(part) for part in key):
            skus = [table(entry) for entry in known.get("skus") or ()]
            of_sku = [day(entry.get("deprecationDate")) for entry in skus if entry.get("name") == sku]
            return next(filter(None, of_sku), None) or day(table(known.get("deprecation")).get("inference"))
    return None
