"""Proxy, authorities and client certificate: honoured by boto3, azure-ai-ml, azure-identity and our own POST."""

from __future__ import annotations

import secrets
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config import Network
from harness.core.case import Request, Task
from harness.errors import Unavailable
from harness.services import azure_openai, azureml, foundry, sagemaker
from harness.services._network import Way
from tests.services.clouds import ZEROS, Internet, aws_side, azure_side, through
from tests.services.contract import lot, table

SCORING = "https://visits.eastus.inference.ml.azure.com/score"
ROLE = "arn:aws:iam::000000000000:role/reader"


@pytest.fixture
def sides(internet: Internet, clouds, monkeypatch, tmp_path):
    """Both services, with every way out leading through the proxy: STS and the runtime, Entra, ARM and scoring."""
    token = tmp_path / "federated"
    token.write_text(secrets.token_hex(8))
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    clouds.scoring_uri = SCORING
    aws = aws_side(role_arn=ROLE)
    azure = azure_side(credential="workload_identity", client_id=ZEROS, tenant_id=ZEROS)

    def with_network(network: Network):
        return [
            sagemaker.build(replace(aws, network=network)),
            azureml.build(replace(azure, network=network)),
            azure_openai.build(replace(azure, network=network, resource="visits")),
            foundry.build(replace(azure, network=network, resource="visits")),
        ]

    return with_network


def score_once(service) -> None:
    endpoint = service.open()
    try:
        tabular = service.codec.__class__.__module__ in (sagemaker.__name__, azureml.__name__)
        asked = table([["1"]]) if tabular else Request(Task.CHAT, {"messages": []}, {"max_tokens": 5})
        endpoint.call(service.codec.next(lot(asked), ()), timeout_s=5)
    finally:
        endpoint.close()


HOSTS = {
    "sts.us-east-1.amazonaws.com",
    "runtime.sagemaker.us-east-1.amazonaws.com",
    "login.microsoftonline.com",
    "management.azure.com",
    "visits.eastus.inference.ml.azure.com",
    "visits.openai.azure.com",
    "visits.services.ai.azure.com",
}


def test_every_call_goes_through_the_proxy(internet, sides):
    for service in sides(through(internet)):
        score_once(service)
    assert {request.host for request in internet.requests} == HOSTS


def test_the_proxy_of_the_environment_is_obeyed_too(internet, sides, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", internet.url)
    for service in sides(Network(ca_bundle=internet.authority.pem)):
        score_once(service)
    assert {request.host for request in internet.requests} == HOSTS


def test_a_password_of_the_environments_proxy_is_sent_and_not_shown(internet, sides, monkeypatch):
    password = secrets.token_hex(8)
    monkeypatch.setenv("HTTPS_PROXY", internet.url.replace("http://", f"http://user:{password}@"))
    for service in sides(Network(ca_bundle=internet.authority.pem)):
        score_once(service)
    internet.close()
    for service in sides(Network(ca_bundle=internet.authority.pem)):
        with pytest.raises(Unavailable) as caught:
            score_once(service)
        assert password not in f"{caught.value}{caught.value!r}"


def test_the_clients_certificate_is_shown_to_every_host(internet, sides):
    certificate, key = internet.authority.issue("client")
    for service in sides(through(internet, client_certificate=certificate, client_key=key)):
        score_once(service)
    assert {(request.host, request.peer) for request in internet.requests} == {(host, "client") for host in HOSTS}


def test_certificate_and_key_may_be_one_file(internet, sides, tmp_path):
    certificate, key = internet.authority.issue("client")
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    for service in sides(through(internet, client_certificate=both)):
        score_once(service)
    assert {request.peer for request in internet.requests} == {"client"}


def test_an_authority_that_nobody_named_is_not_trusted(internet, sides):
    for service in sides(Network(proxy=internet.url)):
        with pytest.raises(Unavailable):
            score_once(service)
    assert internet.requests == []


def test_a_scoring_host_that_is_not_trusted_is_not_called(internet, clouds):
    """The control plane may be reached in another way than the endpoint is."""
    clouds.scoring_uri = SCORING
    settings = azure_side(internet, network=Network())
    service = azureml.build(settings)
    endpoint = service.open()
    endpoint._pool = Way(Network(proxy=internet.url)).pool(SCORING, 1)
    with pytest.raises(Unavailable, match="is the certificate authority in ca_bundle"):
        endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
    endpoint.close()


def test_the_profiles_authorities_are_added_to_the_usual_ones(internet):
    way = Way(Network(ca_bundle=internet.authority.pem))
    pem = Path(way.ca_file).read_text()
    assert internet.authority.pem.read_text() in pem
    assert pem.count("BEGIN CERTIFICATE") > 50
    way.close()
    assert not Path(way.ca_file).exists()


def test_nothing_turns_verification_off():
    """No argument, no environment variable: what reaches the clients is a file of authorities, or their own default."""
    way = Way(Network())
    assert way.for_azure() == {}
    assert way.for_boto() == {}
    assert way.for_httpx()["verify"].verify_mode is ssl.CERT_REQUIRED
    assert way.for_httpx()["verify"].check_hostname
    assert way.pool("https://x.example", 1).connection_pool_kw["cert_reqs"] == "CERT_REQUIRED"
