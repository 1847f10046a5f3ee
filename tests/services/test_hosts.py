"""The cloud word decides which hosts are opened: asked of the real clients, through a proxy that notes every host."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator

import pytest

from harness.errors import ConfigError, UnknownName
from harness.services import azureml, sagemaker
from tests.services.clouds import ZEROS, Internet, aws_side, azure_side, through
from tests.services.contract import lot, table

GOVERNMENT = (".us-gov-west-1.amazonaws.com", ".microsoftonline.us", ".usgovcloudapi.net", ".ml.azure.us")


@pytest.fixture(autouse=True)
def looked_up(monkeypatch) -> Iterator[list[str]]:
    """Names resolved by this process: with a proxy there is one, its own. A client that went round it shows here."""
    names: list[str] = []
    resolve = socket.getaddrinfo

    def noting(host, *more, **named):
        names.append(host)
        return resolve(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", noting)
    yield names
    assert set(names) <= {"127.0.0.1"}


def score_once(service) -> None:
    endpoint = service.open()
    try:
        endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
    finally:
        endpoint.close()


def workload_identity(monkeypatch, tmp_path) -> None:
    token = tmp_path / "federated"
    token.write_text(secrets.token_hex(8))
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))


@pytest.mark.parametrize(
    ("cloud", "region", "expected"),
    [
        ("aws", "us-east-1", ["sts.us-east-1.amazonaws.com", "runtime.sagemaker.us-east-1.amazonaws.com"]),
        (
            "aws-fips",
            "us-east-1",
            ["sts-fips.us-east-1.amazonaws.com", "runtime-fips.sagemaker.us-east-1.amazonaws.com"],
        ),
        (
            "aws-us-gov",
            "us-gov-west-1",
            ["sts.us-gov-west-1.amazonaws.com", "runtime.sagemaker.us-gov-west-1.amazonaws.com"],
        ),
        (
            "aws-us-gov-fips",
            "us-gov-west-1",
            ["sts.us-gov-west-1.amazonaws.com", "runtime.sagemaker.us-gov-west-1.amazonaws.com"],
        ),
    ],
)
def test_an_aws_cloud_opens_its_own_hosts_and_no_other(internet: Internet, monkeypatch, cloud, region, expected):
    """Source: AWS documentation, "SageMaker AI endpoints and quotas", "AWS STS endpoints and quotas", FIPS columns."""
    partition = "aws-us-gov" if "gov" in cloud else "aws"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://elsewhere.example")  # nothing but the cloud word decides
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    role = f"arn:{partition}:iam::000000000000:role/reader"
    score_once(sagemaker.build(aws_side(cloud=cloud, region=region, role_arn=role, network=through(internet))))
    assert internet.hosts == expected
    if "gov" in cloud:
        assert all(host.endswith(GOVERNMENT) for host in internet.hosts)


@pytest.mark.parametrize("auth_mode", ["Key", "AMLToken", "AADToken"])
@pytest.mark.parametrize(
    ("cloud", "expected"),
    [
        (
            "azure",
            ["login.microsoftonline.com", "management.azure.com", "visits.eastus.inference.ml.azure.com"],
        ),
        (
            "azure-us-gov",
            ["login.microsoftonline.us", "management.usgovcloudapi.net", "visits.usgovarizona.inference.ml.azure.us"],
        ),
    ],
)
def test_an_azure_cloud_opens_its_own_hosts_and_no_other(
    internet: Internet, clouds, monkeypatch, tmp_path, cloud, expected, auth_mode
):
    """Source: Azure documentation, "Compare Azure Government and global Azure"."""
    clouds.scoring_uri, clouds.auth_mode = f"https://{expected[-1]}/score", auth_mode
    workload_identity(monkeypatch, tmp_path)
    settings = azure_side(
        cloud=cloud, credential="workload_identity", client_id=ZEROS, tenant_id=ZEROS, network=through(internet)
    )
    score_once(azureml.build(settings))
    assert internet.hosts == expected
    if "gov" in cloud:
        assert all(host.endswith(GOVERNMENT) for host in internet.hosts)


def test_the_default_credential_stays_in_its_cloud(internet: Internet, clouds, monkeypatch):
    """An app registration in the environment, the first that DefaultAzureCredential tries."""
    for name, value in {"TENANT_ID": ZEROS, "CLIENT_ID": ZEROS, "CLIENT_SECRET": secrets.token_hex(20)}.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "login.microsoftonline.com")  # the cloud word is stronger
    clouds.scoring_uri = "https://visits.usgovarizona.inference.ml.azure.us/score"
    settings = azure_side(cloud="azure-us-gov", credential="default", network=through(internet))
    score_once(azureml.build(settings))
    assert internet.hosts[0] == "login.microsoftonline.us"
    assert all(host.endswith(GOVERNMENT) for host in internet.hosts)


def test_a_government_token_is_asked_for_with_the_government_scope(internet: Internet, clouds, monkeypatch, tmp_path):
    """azure-ai-ml's get_keys would ask for https://ml.azure.com in every cloud."""
    clouds.scoring_uri, clouds.auth_mode = "https://visits.usgovarizona.inference.ml.azure.us/score", "AADToken"
    workload_identity(monkeypatch, tmp_path)
    settings = azure_side(
        cloud="azure-us-gov",
        credential="workload_identity",
        client_id=ZEROS,
        tenant_id=ZEROS,
        network=through(internet),
    )
    score_once(azureml.build(settings))
    asked = b" ".join(request.body for request in internet.requests if request.path.endswith("/oauth2/v2.0/token"))
    assert b"ml.azure.us" in asked
    assert b"management.usgovcloudapi.net" in asked
    assert b".azure.com" not in asked


def test_a_government_profile_refuses_a_public_scoring_address(internet: Internet, clouds):
    clouds.scoring_uri = "https://visits.eastus.inference.ml.azure.com/score"
    settings = azure_side(internet, cloud="azure-us-gov")
    with pytest.raises(ConfigError, match='belongs to the cloud "azure", and the profile says "azure-us-gov"'):
        azureml.build(settings).open()


def test_a_key_is_never_sent_in_the_clear(internet: Internet, clouds, monkeypatch, tmp_path):
    clouds.scoring_uri = "http://10.0.0.1/score"
    workload_identity(monkeypatch, tmp_path)
    settings = azure_side(credential="workload_identity", client_id=ZEROS, tenant_id=ZEROS, network=through(internet))
    with pytest.raises(ConfigError, match="is not https"):
        azureml.build(settings).open()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cloud": "aws-us-gov", "region": "us-east-1"}, 'region us-east-1 lies in the partition "aws"'),
        ({"cloud": "aws", "region": "us-gov-west-1"}, 'region us-gov-west-1 lies in the partition "aws-us-gov"'),
        ({"cloud": "aws", "role_arn": "arn:aws-us-gov:iam::000000000000:role/r"}, "the role lies in the partition"),
    ],
)
def test_a_region_or_role_of_another_partition_is_refused(internet: Internet, settings, said):
    with pytest.raises(ConfigError, match=said):
        sagemaker.build(aws_side(internet, **settings)).open()
    assert internet.requests == []


def test_a_service_on_the_wrong_cloud_is_refused():
    with pytest.raises(UnknownName, match='source: sagemaker: unknown cloud "azure"'):
        sagemaker.build(aws_side(cloud="azure")).open()
    with pytest.raises(UnknownName, match='target: azureml: unknown cloud "aws"'):
        azureml.build(azure_side(cloud="aws")).open()
