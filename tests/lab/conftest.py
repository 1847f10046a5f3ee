"""One lab for all tests of this folder, with its credentials where the SDKs look for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from harness import lab as lab_room
from harness.lab import visits
from tests.lab.asking import present_key


@pytest.fixture(scope="session")
def running() -> Iterator[lab_room.Lab]:
    with lab_room.start(service_time_s=0.02) as started, pytest.MonkeyPatch.context() as patch:
        for name, value in started.environment.items():
            patch.setenv(name, value)
        yield started


@pytest.fixture
def lab(running: lab_room.Lab) -> Iterator[lab_room.Lab]:
    """The shared lab, without a fault before and after."""
    running.plant(None)
    running.set_token_lifetime(3600.0)
    yield running
    running.plant(None)


@pytest.fixture(scope="session")
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(maxsize=32, retries=False, timeout=20.0) as pool:
        yield pool


@pytest.fixture(scope="session")
def aws(running: lab_room.Lab) -> Callable[..., Any]:
    """A real SageMaker runtime client; `profile` picks the credential."""
    import boto3
    from botocore.config import Config

    def client(profile: str = lab_room.PROFILE, region: str = lab_room.REGION, **session: str) -> Any:
        owner = boto3.Session(**session) if session else boto3.Session(profile_name=profile)
        return owner.client(
            "sagemaker-runtime",
            region_name=region,
            endpoint_url=running.addresses["sagemaker"],
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32),
        )

    return client


@pytest.fixture
def ask_source(lab: lab_room.Lab, aws: Callable[..., Any]) -> Callable[[visits.HeldOut], float]:
    client = aws()

    def ask(row: visits.HeldOut) -> float:
        answer = client.invoke_endpoint(
            EndpointName="visits", ContentType="text/csv", Accept="text/csv", Body=",".join(row.cells) + "\n"
        )
        return float(answer["Body"].read())

    return ask


@pytest.fixture
def score(lab: lab_room.Lab, http: urllib3.PoolManager) -> Callable[..., urllib3.BaseHTTPResponse]:
    """POST to the target's scoring URI with its present key; headers and body may be replaced."""

    def ask(
        body: bytes, *, path: str = "/score", token: str | None = None, timeout: float = 20.0, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        sent = {
            "Authorization": f"Bearer {token if token is not None else present_key(lab)}",
            "Content-Type": "application/json",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return http.request("POST", lab.addresses["azureml"] + path, body=body, headers=sent, timeout=timeout)

    return ask


@pytest.fixture(scope="session")
def held_out() -> tuple[visits.HeldOut, ...]:
    return visits.held_out()
