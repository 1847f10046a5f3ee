"""One AWS service behind one door: session, credentials, and one client a time-out.

Credentials come from botocore's own chain (environment, profile, web identity, container, instance) and, where the
profile names a role, from that role through botocore's own fetcher, which renews them in mid-run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import boto3
from botocore import credentials as boto_credentials
from botocore import exceptions as boto
from botocore.config import Config
from botocore.session import Session

from harness import __version__
from harness.config import SideSettings
from harness.errors import ConfigError
from harness.services._aws_failures import EXCEPTIONS, from_answer
from harness.services._failures import cause, from_row, row_for
from harness.services._hosts import AwsCloud, aws_cloud
from harness.services._network import CONNECT_TIMEOUT_S, Way


def _without_exception(record: logging.LogRecord) -> bool:
    record.exc_info = record.exc_text = None
    return True


# What botocore logs when credentials cannot be renewed is raised too. Its traceback may quote the request that STS
# refused, session token included, and pytest shows logged warnings in its reports.
logging.getLogger("botocore.credentials").addFilter(_without_exception)


class Aws:
    """Clients of one service for one side. Safe to share by threads; nothing of it is printed but service and place."""

    def __init__(self, settings: SideSettings, *, service: str, api: str) -> None:
        """service: our name for it; api: botocore's. Resolves credentials. Raises ConfigError and ServiceError."""
        self._settings = settings
        self._service = service
        self._api = api
        self._cloud = aws_cloud(settings, service)
        self._way = Way(settings.network)
        self._lock = threading.Lock()
        self._used = threading.local()
        self._generation = 0
        self._clients: dict[float, Any] = {}
        self._known: set[str] = set()
        try:
            with self._mapped():
                self._session = self._renewed()
                self._client(settings.timeout_s)
        except BaseException:
            self._way.close()
            raise

    def __repr__(self) -> str:
        return f"<Aws {self._api} {self._settings.cloud} {self._settings.region or ''}>"

    @contextmanager
    def attempt(self, timeout_s: float) -> Iterator[Any]:
        """A client for one call; whatever botocore raises within comes out as one of ours."""
        self._used.generation = self._generation
        with self._mapped():
            with self._lock:
                client = self._client(timeout_s)
            yield client

    def refresh(self) -> bool:
        """Fetch credentials anew; True when they differ from those that the calling thread used last.

        Threads that were refused together share one renewal. Raises as opening does.
        """
        with self._lock:
            if getattr(self._used, "generation", self._generation) != self._generation:
                return True
            with self._mapped():
                session = self._renewed()
            if _secrets(session.get_credentials()) == _secrets(self._session.get_credentials()):
                return False
            self._session, self._clients = session, {}  # calls in flight keep their old client
            self._generation += 1
            return True

    def close(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients = {}
        self._way.close()

    def _client(self, timeout_s: float) -> Any:
        client = self._clients.get(timeout_s)
        if client is None:
            # boto3 has no time-out for one call; a client holds one, so there is a client a time-out.
            config = Config(connect_timeout=min(timeout_s, CONNECT_TIMEOUT_S), read_timeout=timeout_s)
            address = self._settings.lab.get(self._service)
            client = self._session.client(self._api, config=config, endpoint_url=address)
            self._clients[timeout_s] = client
        return client

    def _renewed(self) -> boto3.Session:
        session = _session(self._settings, self._cloud, self._way, self._known)
        credentials = session.get_credentials()
        if credentials is None:
            raise boto.NoCredentialsError
        credentials.get_frozen_credentials()  # fetches those that come from elsewhere: better now than at a call
        return session

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        place = f"{self._api} in {self._settings.region or 'the default region'}"
        try:
            yield
        except boto.ClientError as exc:
            secrets = self._secrets()
            raise from_answer(exc, place=place, service=self._service, secrets=secrets) from cause(exc, secrets)
        except Exception as exc:
            row = row_for(type(exc), EXCEPTIONS)
            if row is None:
                raise
            raise from_row(exc, row, place=place, service=self._service) from cause(exc, self._secrets())

    def _secrets(self) -> set[str]:
        session: boto3.Session | None = getattr(self, "_session", None)
        return self._known.union(_secrets(session.get_credentials()) if session is not None else ())


def _secrets(credentials: Any) -> tuple[str, ...]:
    """What must not be printed of credentials. Asking botocore for them in public could fetch new ones."""
    frozen = getattr(credentials, "_frozen_credentials", credentials)
    found = (getattr(frozen, name, None) for name in ("secret_key", "token"))
    return tuple(text for text in found if isinstance(text, str))


def _session(settings: SideSettings, cloud: AwsCloud, way: Way, known: set[str]) -> boto3.Session:
    core = Session(profile=settings.aws_profile)
    region = settings.region or core.get_config_variable("region")
    if region is None:
        raise boto.NoRegionError
    partitions = {f"region {region}": core.get_partition_for_region(region)}
    if settings.role_arn is not None:
        partitions["the role"] = settings.role_arn.split(":")[1]
    for what, partition in partitions.items():
        if partition != cloud.partition:
            raise ConfigError(
                f'{settings.side.value}: {what} lies in the partition "{partition}", and the cloud '
                f'"{settings.cloud}" is the partition "{cloud.partition}".'
            )
    core.set_config_variable("region", region)
    core.set_config_variable("sts_regional_endpoints", "regional")
    if way.ca_file is not None:
        core.set_config_variable("ca_bundle", way.ca_file)
    in_lab = bool(settings.lab)
    core.set_default_client_config(
        Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=settings.connections,
            use_fips_endpoint=cloud.fips and not in_lab,  # botocore has no FIPS endpoints at addresses of one's own
            ignore_configured_endpoint_urls=not in_lab,  # hosts are set by the cloud word alone
            user_agent_extra=f"parity-harness/{__version__}",
            **way.for_boto(),
        )
    )
    if settings.role_arn is not None:
        provider = _AssumedRole(core, settings, known)
        core.register_component("credential_provider", boto_credentials.CredentialResolver([provider]))
    return boto3.Session(botocore_session=core)


class _AssumedRole(boto_credentials.CredentialProvider):  # type: ignore[misc] # botocore ships no types
    """The role of the profile, assumed with what botocore's own chain finds, and assumed anew before it expires."""

    METHOD = "assume-role"
    CANONICAL_NAME = "Parity"

    def __init__(self, core: Session, settings: SideSettings, known: set[str]) -> None:
        """known: takes the secrets of the credentials that the role is assumed with, so that no message shows them."""
        super().__init__()
        self._core = core
        self._settings = settings
        self._known = known

    def load(self) -> Any:
        region = self._core.get_config_variable("region")
        chain = boto_credentials.create_credential_resolver(self._core, region_name=region)
        base = chain.load_credentials()
        if base is None:
            return None
        self._known.update(_secrets(base))
        # Only the lab has an address of its own for STS; elsewhere botocore finds the region's.
        client = partial(self._core.create_client, endpoint_url=self._settings.lab.get("sts"))
        extra = {"RoleSessionName": "parity-harness", "ExternalId": self._settings.external_id}
        fetcher = boto_credentials.AssumeRoleCredentialFetcher(
            client_creator=client,
            source_credentials=base,
            role_arn=self._settings.role_arn,
            extra_args={name: value for name, value in extra.items() if value is not None},
        )
        return boto_credentials.DeferredRefreshableCredentials(
            refresh_using=fetcher.fetch_credentials, method=self.METHOD
        )
