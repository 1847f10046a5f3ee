"""What the resource manager tells of the Azure OpenAI resource: its deployments, and the policy of its content filter.

Source: Azure REST reference, Cognitive Services: "Deployments - Get", "Rai Policies - Get".
"""

from __future__ import annotations

import re
from typing import Any

from harness.lab.settings import DEPLOYMENTS, RESOURCE, RESOURCE_GROUP, SUBSCRIPTION

PROVIDER = "microsoft.cognitiveservices"
POLICY = "Microsoft.DefaultV2"
_ACCOUNT = [
    "subscriptions",
    SUBSCRIPTION,
    "resourcegroups",
    RESOURCE_GROUP,
    "providers",
    PROVIDER,
    "accounts",
    RESOURCE,
]
_CATEGORIES = ("Hate", "Selfharm", "Sexual", "Violence")


def owns(names: list[str]) -> bool:
    """Whether the parts of a path lead into this resource; case does not matter, as in the cloud."""
    return [name.lower() for name in names[:8]] == [name.lower() for name in _ACCOUNT]


def document(names: list[str]) -> dict[str, Any] | None:
    """What stands at a path below the resource; None for nothing."""
    match [names[8].lower(), *names[9:]] if len(names) > 8 else []:
        case ["deployments", name] if name in DEPLOYMENTS:
            return _deployment(name)
        case ["raipolicies", name] if name == POLICY:
            return _policy()
    return None


def _deployment(name: str) -> dict[str, Any]:
    dated = re.fullmatch(r"(.+?)-(\d{4}-\d{2}-\d{2}|\d{8})", DEPLOYMENTS[name])
    model, version = dated.groups() if dated else (DEPLOYMENTS[name], "1")
    return {
        "id": f"/{'/'.join(_ACCOUNT)}/deployments/{name}",
        "name": name,
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "sku": {"name": "Standard", "capacity": 100},
        "properties": {
            "model": {"format": "OpenAI", "name": model, "version": version},
            "versionUpgradeOption": "NoAutoUpgrade",
            "raiPolicyName": POLICY,
            "provisioningState": "Succeeded",
        },
    }


def _policy() -> dict[str, Any]:
    filters = [
        {"name": name, "source": source, "enabled": True, "blocking": True, "severityThreshold": "Medium"}
        for name in _CATEGORIES
        for source in ("Prompt", "Completion")
    ]
    return {"name": POLICY, "properties": {"mode": "Blocking", "type": "SystemManaged", "contentFilters": filters}}
