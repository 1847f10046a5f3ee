"""How an Azure ML online endpoint splits its traffic between deployments: read and set through azure-ai-ml.

No service: nothing is scored here. Each call signs in anew, so that a token which expired meanwhile is never the last
word. Source: azure-ai-ml, `OnlineEndpoint.traffic`, `mirror_traffic`; Azure ML documentation, "Safe rollout for online
endpoints".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from harness.config import SideSettings
from harness.errors import HarnessError, ServiceError, SwitchBusy, SwitchError
from harness.services._azure import ML_EXCEPTIONS, workspace_client
from harness.services._azure_failures import ours
from harness.services._entra import Remembering, credential_of
from harness.services._failures import cause
from harness.services._hosts import azure_cloud
from harness.services._network import Way

SERVICE = "azureml"
CONFLICT = 409  # another update of the endpoint is running
SETTLED = "succeeded"
MOVING = ("creating", "updating", "deleting")


@dataclass(frozen=True, slots=True)
class EndpointTraffic:
    """Percent by deployment. live: of the requests; mirror: of those that are copied."""

    live: Mapping[str, int]
    mirror: Mapping[str, int]


def read(settings: SideSettings, endpoint: str) -> EndpointTraffic:
    """What is in force. Raises SwitchBusy while an update runs, SwitchError after one that failed, ServiceError."""
    with _client(settings, endpoint) as client:
        found = client.online_endpoints.get(endpoint)
    _must_be_settled(found, endpoint)
    return EndpointTraffic(live=_percents(found.traffic), mirror=_percents(found.mirror_traffic))


def write(settings: SideSettings, endpoint: str, wanted: EndpointTraffic, *, timeout_s: float) -> None:
    """Set both kinds in one update, and wait for it for so long; whether it is in force is `read`'s to say.

    Raises as `read` does, SwitchBusy where another update is running.
    """
    with _client(settings, endpoint) as client:
        found = client.online_endpoints.get(endpoint)
        _must_be_settled(found, endpoint)
        found.traffic, found.mirror_traffic = dict(wanted.live), dict(wanted.mirror)
        client.online_endpoints.begin_create_or_update(found).wait(timeout_s)


@contextmanager
def _client(settings: SideSettings, endpoint: str) -> Iterator[Any]:
    """A client with a credential made anew; what it raises is ours. Raises ConfigError, SwitchBusy, ServiceError."""
    named = replace(settings, endpoint=endpoint)
    place = f'traffic of online endpoint "{endpoint}" of workspace "{settings.workspace}"'
    tokens: set[str] = set()
    way = Way(settings.network)
    try:
        cloud = azure_cloud(named, SERVICE)
        credential = Remembering(credential_of(named, cloud, way), tokens)
        yield workspace_client(credential, named, cloud, way)
    except HarnessError:
        raise
    except Exception as exc:
        error = ours(exc, place=place, service=SERVICE, rows=ML_EXCEPTIONS)
        if error is None:
            raise
        if isinstance(error, ServiceError) and error.status == CONFLICT:
            error = SwitchBusy(f"{place}: another update is running (status {CONFLICT}).")
        raise error from cause(exc, tokens)
    finally:
        way.close()


def _must_be_settled(found: Any, endpoint: str) -> None:
    told = found.provisioning_state
    state = str(getattr(told, "value", told)).lower()  # an enumeration in azure-ai-ml 1.35, a text before
    if state in MOVING:
        raise SwitchBusy(f'online endpoint "{endpoint}" is {state}: what it splits by now may change in a moment.')
    if state != SETTLED:
        raise SwitchError(
            f'online endpoint "{endpoint}" is in state "{state}", and what it splits by is not '
            "certain. Mend it in the Azure portal, then ask again."
        )


def _percents(told: Mapping[str, int] | None) -> dict[str, int]:
    return {str(name): int(percent) for name, percent in (told or {}).items() if int(percent)}
