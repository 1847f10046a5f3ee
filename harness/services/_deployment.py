"""What the resource manager tells of a deployment: model version, upgrade policy, content filter. An optional reading.

It is evidence of what answered, which no answer tells in full, and needs the right to read the resource
("Cognitive Services User" or "Reader"). Where it cannot be read, the evidence says so, and the run goes on: nothing
but words depends on it.
Source: Azure REST reference, Cognitive Services, "Deployments - Get" and "Rai Policies - Get", API version 2024-10-01.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

import urllib3

from harness.config import SideSettings
from harness.errors import ConfigError, ServiceError
from harness.services._chat import parsed, table
from harness.services._entra import token_of
from harness.services._hosts import AzureCloud
from harness.services._network import CONNECT_TIMEOUT_S, Way

API_VERSION = "2024-10-01"


class _NotRead(Exception):
    """Why; a status or a word of ours."""


def deployment_told(settings: SideSettings, cloud: AzureCloud, way: Way, *, service: str) -> str:
    """A line for the evidence; "" where the profile does not name subscription, resource group and resource.

    "gpt-4o 2024-11-20, sku GlobalStandard, upgrades NoAutoUpgrade, filter strict sha256:1f0c...".
    """
    if settings.subscription_id is None or settings.resource_group is None or settings.resource is None:
        return ""
    manager = settings.lab.get("resource_manager", cloud.manager)
    account = (
        f"{manager}/subscriptions/{settings.subscription_id}/resourceGroups/{quote(settings.resource_group, safe='')}"
        f"/providers/Microsoft.CognitiveServices/accounts/{settings.resource}"
    )
    pool = way.pool(manager, 1)
    try:
        token = token_of(settings, cloud, way, scope=f"{cloud.manager}/.default", service=service).token
        deployment = _get(pool, f"{account}/deployments/{quote(settings.endpoint, safe='')}", token)
        properties = table(deployment.get("properties"))
        model = table(properties.get("model"))
        told = [" ".join(_words(model, "name", "version")) or "model not told"]
        for label, words in (
            ("sku", _words(table(deployment.get("sku")), "name")),
            ("upgrades", _words(properties, "versionUpgradeOption")),
            ("filter", _words(properties, "raiPolicyName")),
        ):
            told.append(f"{label} {' '.join(words) or 'not told'}")
        policy = "".join(_words(properties, "raiPolicyName"))
        return ", ".join(told) + (f" {_policy_hash(pool, account, policy, token)}" if policy else "")
    except ServiceError as exc:
        return f"deployment not read ({exc.kind})"
    except ConfigError:
        return "deployment not read (no credential)"
    except _NotRead as exc:
        return f"deployment not read ({exc})"
    finally:
        pool.clear()


def _policy_hash(pool: urllib3.PoolManager, account: str, name: str, token: str) -> str:
    """Hash of what a policy filters: its content, without who changed it when."""
    try:
        policy = _get(pool, f"{account}/raiPolicies/{quote(name, safe='')}", token)
    except _NotRead as exc:
        return f"not read ({exc})"
    content = json.dumps(policy.get("properties"), sort_keys=True, separators=(",", ":")).encode()
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _get(pool: urllib3.PoolManager, address: str, token: str) -> dict[str, Any]:
    try:
        reply = pool.request(
            "GET",
            f"{address}?api-version={API_VERSION}",
            headers={"authorization": f"Bearer {token}", "accept": "application/json"},
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=3 * CONNECT_TIMEOUT_S),
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as exc:
        raise _NotRead(type(exc).__name__) from None
    if reply.status != 200:
        raise _NotRead(f"status {reply.status}")
    _, value = parsed(reply.data.decode("utf-8", "replace"))
    if not isinstance(value, dict):
        raise _NotRead("no JSON object")
    return value


def _words(of: dict[str, Any], *names: str) -> list[str]:
    return [value for name in names if isinstance(value := of.get(name), str) and value]
