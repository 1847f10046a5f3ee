"""Azure before a run: the token that opens a side, and reading the resource manager without its SDK.

Source: Azure REST reference, "Deployments - Get", "Accounts - List Models", "Online Endpoints - Get" and "- List Keys";
Entra's error codes.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3

from harness.config import SideSettings
from harness.core.check import Check, fine, problem, unchecked
from harness.errors import ConfigError, HarnessError
from harness.services._chat import parsed, table
from harness.services._checks_network import CONNECT_S, READ_S
from harness.services._entra import token_of
from harness.services._hosts import AzureCloud
from harness.services._network import Way

TOKEN = "key or token"  # noqa: S105 a check's name
_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_AADSTS = re.compile(r"AADSTS(\d+)")
# Code of Entra -> what to do. https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ENTRA = {
    "50034": "The tenant does not know this account: tenant_id in parity.toml, or az login --tenant TENANT.",
    "50076": "Sign in with the second factor: az login --tenant TENANT, or use an identity that needs none.",
    "70021": "The federated credential's issuer, subject and audience must be those of this token: az identity "
    "federated-credential list.",
    "700016": "The tenant does not know the application: check client_id and tenant_id in parity.toml.",
    "700024": "The federated token has expired: is AZURE_FEDERATED_TOKEN_FILE renewed, and the clock right?",
    "700213": "No federated credential has this token's subject: az identity federated-credential list.",
    "90002": "There is no such tenant in this cloud: check tenant_id and cloud in parity.toml.",
    "500011": "The tenant does not know the audience: check cloud in parity.toml, and that it uses the service.",
    "7000215": "The secret is wrong: renew it where azure-identity reads it.",
    "7000222": "The secret has expired: renew it where azure-identity reads it.",
}
_MISSING = {
    "cli": "az login",
    "managed_identity": "Give this machine an identity (az vm identity assign, az webapp identity assign), and say its "
    "client_id where there are several.",
    "workload_identity": 'Label the pod azure.workload.identity/use: "true", and name tenant_id and client_id in '
    "parity.toml.",
    "default": "az login, or an identity of this machine.",
}


def opener(settings: SideSettings, cloud: AzureCloud, way: Way, *, scope: str, service: str) -> Check:
    """The key that the profile names, or a token: of the right tenant, for the right audience, not near its end."""
    if settings.api_key_env is not None:
        if os.environ.get(settings.api_key_env, "").strip():
            return fine(TOKEN, f"{settings.api_key_env} holds a key")
        return problem(
            TOKEN,
            f"the environment variable {settings.api_key_env} is not set",
            f"export {settings.api_key_env}=$(az cognitiveservices account keys list -n "
            f"{settings.resource or 'RESOURCE'} -g {settings.resource_group or 'GROUP'} "
            "--query key1 -o tsv), or leave api_key_env out to use Entra.",
        )
    try:
        token = token_of(settings, cloud, way, scope=scope, service=service)
    except HarnessError as exc:
        return _refused(exc, settings)
    return held(claims(token.token), float(token.expires_on), settings, scope=scope, now_s=time.time())


def held(said: dict[str, Any], expires_s: float, settings: SideSettings, *, scope: str, now_s: float) -> Check:
    """A token's claims against what the profile says. Times are seconds since 1970."""
    wanted, audience = urlsplit(scope).netloc, str(said.get("aud", ""))
    given = urlsplit(audience).netloc
    if given and given != wanted:
        return problem(
            TOKEN,
            f"the token is for {given}, and {wanted} is called",
            "Check cloud in parity.toml; it sets the audience.",
        )
    tenant = str(said.get("tid", ""))
    if (
        settings.tenant_id
        and tenant
        and _UUID.match(settings.tenant_id)
        and tenant.lower() != settings.tenant_id.lower()
    ):
        return problem(
            TOKEN,
            f"the token is of tenant {tenant}, and the profile names {settings.tenant_id}",
            f"az login --tenant {settings.tenant_id}, or correct tenant_id.",
        )
    left_s = expires_s - now_s
    if left_s <= 0:
        return problem(TOKEN, "the token has expired already", "Set the clock, or sign in again: az login.")
    who = str(said.get("oid") or said.get("appid") or "")
    return fine(TOKEN, f"a token for {wanted}, good for {left_s / 60:.0f} minutes" + (f", of {who}" if who else ""))


def claims(token: str) -> dict[str, Any]:
    """What a token says, unproved: only whoever it is for can prove it. {} for one that is no JWT."""
    try:
        middle = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return table(found)


def _refused(exc: HarnessError, settings: SideSettings) -> Check:
    code = _AADSTS.search(str(exc))
    if code is not None:
        remedy = _ENTRA.get(code[1], f"https://login.microsoftonline.com/error?code={code[1]} says what it means.")
        return problem(TOKEN, str(exc), remedy.replace("TENANT", settings.tenant_id or "TENANT"))
    if isinstance(exc, ConfigError):
        return problem(TOKEN, str(exc), "Correct the side in parity.toml, or its environment.")
    word = settings.credential or "default"
    return problem(TOKEN, str(exc), _MISSING.get(word, _MISSING["default"]))


@dataclass(frozen=True, slots=True)
class NotTold(Exception):
    """The resource manager did not tell. status: its answer's; None: there was none, `why` says so."""

    status: int | None
    why: str


@dataclass(slots=True)
class Manager:
    """The resource manager, for one side. Asks for a token once."""

    settings: SideSettings
    cloud: AzureCloud
    way: Way
    service: str
    _token: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        return self.settings.lab.get("resource_manager", self.cloud.manager)

    def ask(self, path: str, api_version: str, *, method: str = "GET") -> dict[str, Any]:
        """One call below the side's resource group. Raises NotTold."""
        settings = self.settings
        if settings.subscription_id is None or settings.resource_group is None:
            raise NotTold(None, "the profile names no subscription_id and resource_group")
        try:
            scope = f"{self.cloud.manager}/.default"
            self._token = (
                self._token or token_of(settings, self.cloud, self.way, scope=scope, service=self.service).token
            )
        except HarnessError as exc:
            raise NotTold(None, str(exc)) from exc
        pool = self.way.pool(self.address, 1)
        try:
            reply = pool.request(
                method,
                f"{self.address}{scope_of(settings)}{path}?api-version={api_version}",
                headers={"authorization": f"Bearer {self._token}", "accept": "application/json"},
                timeout=urllib3.Timeout(connect=CONNECT_S, read=2 * READ_S),
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as exc:
            host = urlsplit(self.address).hostname
            raise NotTold(None, f"{host}: {type(exc).__name__}; it needs a way to the resource manager") from exc
        finally:
            pool.clear()
        _, document = parsed(reply.data.decode("utf-8", "replace"))
        if reply.status != 200:
            code = table(table(document).get("error")).get("code")
            raise NotTold(reply.status, f"status {reply.status}{f' {code}' if isinstance(code, str) else ''}")
        return table(document)


def scope_of(settings: SideSettings) -> str:
    """The resource group as a scope; its parts in capitals where the profile does not name them."""
    group = quote(settings.resource_group or "RESOURCE_GROUP", safe="")
    return f"/subscriptions/{settings.subscription_id or 'SUBSCRIPTION'}/resourceGroups/{group}/providers"


def not_seen(name: str, exc: NotTold, *, action: str, role: str, scope: str) -> Check:
    """Why the resource manager told nothing, and what would allow it."""
    if exc.status in (401, 403):
        return unchecked(name, f"this machine may not look ({exc.why})", f"Allow {action}: {assign(role, scope)}")
    return unchecked(name, exc.why, f"It needs {action}.")


def assign(role: str, scope: str) -> str:
    return f'az role assignment create --assignee PRINCIPAL --role "{role}" --scope {scope}'
