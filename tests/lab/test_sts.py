"""Temporary AWS credentials, through boto3's own chain."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import lab as lab_room

ROW = "0.0,1,6.109248,0.0,1.0,13.0,1,0,0\n"


def invoke(client: Any) -> float:
    return float(client.invoke_endpoint(EndpointName="visits", ContentType="text/csv", Body=ROW)["Body"].read())


@pytest.fixture
def sts(lab: lab_room.Lab) -> Any:
    return boto3.Session(profile_name=lab_room.PROFILE).client(
        "sts", region_name=lab_room.REGION, config=Config(retries={"total_max_attempts": 1})
    )


@pytest.mark.parametrize("profile", ["parity-lab-role", "parity-lab-web"])
def test_a_role_is_assumed_by_the_chain_and_may_invoke(lab, aws, profile):
    assert 0 < invoke(aws(profile)) < 1
    assert boto3.Session(profile_name=profile).get_credentials().access_key.startswith("ASIA")


def test_an_expired_session_is_refused_with_its_own_code(lab, aws):
    client = aws("parity-lab-role")
    invoke(client)
    lab.expire_tokens()
    with pytest.raises(ClientError) as caught:
        invoke(client)
    assert caught.value.response["Error"]["Code"] == "ExpiredTokenException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    invoke(aws("parity-lab-role"))


def test_sessions_near_their_end_are_renewed_in_mid_run_by_the_sdk(lab, aws):
    """boto3 renews at every call once fewer than ten minutes are left."""
    lab.set_token_lifetime(300.0)
    client = aws("parity-lab-role")
    invoke(client)
    first = client._request_signer._credentials.access_key
    invoke(client)
    assert client._request_signer._credentials.access_key != first


@pytest.mark.parametrize("changed", [{"ExternalId": "other"}, {"RoleArn": lab_room.ROLE + "2"}])
def test_a_wrong_external_id_or_role_is_denied(sts, changed):
    request = {"RoleArn": lab_room.ROLE, "RoleSessionName": "test", "ExternalId": lab_room.EXTERNAL_ID}
    assert sts.assume_role(**request)["Credentials"]["SessionToken"]
    with pytest.raises(ClientError) as caught:
        sts.assume_role(**request | changed)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_a_forged_web_identity_is_refused(sts):
    with pytest.raises(ClientError) as caught:
        sts.assume_role_with_web_identity(
            RoleArn=lab_room.ROLE, RoleSessionName="test", WebIdentityToken="head.body.signature"
        )
    assert caught.value.response["Error"]["Code"] == "InvalidIdentityToken"


def test_a_session_token_of_another_key_is_refused(lab, sts, aws):
    request = {"RoleArn": lab_room.ROLE, "RoleSessionName": "test", "ExternalId": lab_room.EXTERNAL_ID}
    one, other = (sts.assume_role(**request)["Credentials"] for _ in range(2))
    mixed = aws(
        aws_access_key_id=one["AccessKeyId"],
        aws_secret_access_key=one["SecretAccessKey"],
        aws_session_token=other["SessionToken"],
    )
    with pytest.raises(ClientError) as caught:
        invoke(mixed)
    assert caught.value.response["Error"]["Code"] == "UnrecognizedClientException"
