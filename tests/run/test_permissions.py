"""Documents of IAM and Azure: valid, within their limits, and no wider than the grants."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import botocore.session
import pytest

from harness.core.check import Grant, Load
from harness.run import permissions
from harness.services import azure_openai, azureml, bedrock, foundry, sagemaker
from tests.services.clouds import ZEROS, aws_side, azure_side

MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
LOGGED = Load(logged=True)
# Actions that no operation carries the name of; Service Authorization Reference, "Amazon S3" and "Amazon Bedrock".
NO_OPERATION = {
    "s3:ListBucket": "ListObjectsV2",
    "s3:GetObject": "GetObject",
    "bedrock:InvokeModelWithResponseStream": "InvokeModelWithResponseStream",
}
SERVICES = {
    "bedrock": ("bedrock", "bedrock-runtime"),
    "sagemaker": ("sagemaker", "sagemaker-runtime"),
    "servicequotas": ("service-quotas",),
    "s3": ("s3",),
    "kms": ("kms",),
    "sts": ("sts",),
}
ARN = re.compile(r"^arn:(aws|aws-us-gov):[a-z0-9-]+:[a-z0-9*-]*:(\d{12}|\*|):\S+$")


def aws(**more: Any) -> list[tuple[str, Grant]]:
    """Grants of a SageMaker and a Bedrock suite."""
    services = [sagemaker.build(aws_side(**more)), bedrock.build(aws_side(**{**more, "endpoint": MODEL}))]
    return [("suite, source", grant) for one in services for grant in one.grants(LOGGED)]


def azure() -> list[tuple[str, Grant]]:
    services = [
        azure_openai.build(azure_side(resource="answers", endpoint="gpt-4o")),
        foundry.build(azure_side(resource="makers", endpoint="claude")),
        azureml.build(azure_side()),
    ]
    return [("suite, target", grant) for one in services for grant in one.grants(Load())]


def test_every_action_exists_in_the_services_own_model():
    session = botocore.session.get_session()
    actions = {
        action
        for document in permissions.aws_policies(aws(role_arn="arn:aws:iam::123456789012:role/reader"))
        for statement in document.content["Statement"]
        for action in statement["Action"]
    }
    for action in actions:
        prefix, _, name = action.partition(":")
        known = {one for api in SERVICES[prefix] for one in session.get_service_model(api).operation_names}
        assert NO_OPERATION.get(action, name) in known, action
    assert not [action for action in actions if "*" in action]


@pytest.mark.parametrize(
    ("more", "partition", "account"),
    [
        ({}, "aws", "*"),
        ({"cloud": "aws-us-gov", "region": "us-gov-west-1"}, "aws-us-gov", "*"),
        ({"role_arn": "arn:aws:iam::123456789012:role/reader"}, "aws", "123456789012"),
    ],
)
def test_resources_are_of_the_sides_partition_region_and_account(more, partition, account):
    documents = permissions.aws_policies(aws(**more))
    arns = [
        arn
        for document in documents
        for statement in document.content["Statement"]
        for arn in statement["Resource"]
        if arn != "*"
    ]
    assert all(ARN.match(arn) for arn in arns)
    assert {arn.split(":")[1] for arn in arns} == {partition}
    region = more.get("region", "us-east-1")
    assert f"arn:{partition}:sagemaker:{region}:{account}:endpoint/visits" in arns
    assert f"arn:{partition}:bedrock:{region}::foundation-model/{MODEL}" in arns


def test_everything_on_every_resource_is_only_what_knows_no_resources():
    wide = {
        action
        for document in permissions.aws_policies(aws())
        for statement in document.content["Statement"]
        if statement["Resource"] == ["*"]
        for action in statement["Action"]
    }
    assert wide == {"servicequotas:ListServiceQuotas", "bedrock:GetModelInvocationLoggingConfiguration"}


def test_a_side_that_is_not_logged_reads_no_logs():
    grants = [("s", grant) for grant in sagemaker.build(aws_side()).grants(Load())]
    text = json.dumps([document.content for document in permissions.aws_policies(grants)])
    assert "s3:" not in text and "kms:" not in text


def test_decryption_is_bound_to_s3():
    statements = [s for d in permissions.aws_policies(aws()) for s in d.content["Statement"]]
    (decrypt,) = (one for one in statements if "kms:Decrypt" in one["Action"])
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}


def test_a_role_is_assumed_by_a_policy_of_its_own():
    role = "arn:aws:iam::123456789012:role/reader"
    named = {document.name: document for document in permissions.aws_policies(aws(role_arn=role))}
    assert set(named) == {"parity-harness", "parity-harness-assume"}
    (statement,) = named["parity-harness-assume"].content["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["sts:AssumeRole"], [role])


def test_equal_resources_are_one_statement_that_says_why_for_each_suite():
    grant = Grant(cloud="aws", why="w", actions=("s3:GetObject",), resources=("arn:aws:s3:::b/*",))
    other = Grant(cloud="aws", why="v", actions=("s3:ListBucket",), resources=("arn:aws:s3:::b/*",))
    (document,) = permissions.aws_policies([("one", grant), ("two", grant), ("two", other)])
    (statement,) = document.content["Statement"]
    assert statement["Action"] == ["s3:GetObject", "s3:ListBucket"]
    assert document.why == {"Parity1": "w (one, two); v (two)"}


def test_a_policy_over_the_limit_becomes_several_that_lose_nothing():
    arns = tuple(f"arn:aws:sagemaker:us-east-1:*:endpoint/endpoint-{number:04}" for number in range(400))
    long = Grant(cloud="aws", why="w", actions=("sagemaker:InvokeEndpoint",), resources=arns)
    documents = permissions.aws_policies([("s", long), *aws()])
    assert len(documents) > 3
    assert all(permissions.size(document.content) <= permissions.AWS_MOST for document in documents)
    statements = [one for document in documents for one in document.content["Statement"]]
    assert set(arns) <= {arn for one in statements for arn in one["Resource"]}
    assert len({one["Sid"] for one in statements}) == len(statements)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", one["Sid"]) for one in statements)


def test_roles_of_azure_are_custom_narrow_and_assigned_to_the_resource():
    documents = permissions.azure_roles(azure())
    assert len({document.name for document in documents}) == len(documents)
    group = f"/subscriptions/{ZEROS}/resourceGroups/rg"
    for document in documents:
        content = document.content
        assert content["IsCustom"] is True
        assert content["AssignableScopes"] == [group]
        assert content["Actions"] or content["DataActions"]
        assert all(f"--scope {group}/providers/Microsoft." in command for command in document.assign)
        for action in (*content["Actions"], *content["DataActions"]):
            assert re.fullmatch(r"Microsoft\.[A-Za-z]+(/[A-Za-z]+|/\*)+", action), action
            assert not fnmatch.fnmatch("Microsoft.CognitiveServices/accounts/listKeys/action", action)
    written = [one for document in documents for one in document.content["Actions"]]
    assert not [action for action in written if action.endswith(("/write", "/delete"))]


def test_a_suite_of_embeddings_may_not_chat():
    (calling, _) = azure_openai.build(azure_side(resource="r")).grants(Load(tasks=frozenset({"embedding"})))
    assert "Microsoft.CognitiveServices/accounts/OpenAI/deployments/embeddings/action" in calling.data_actions
    assert not [one for one in calling.data_actions if "chat" in one]


def test_whoever_calls_with_a_key_needs_no_data_actions():
    grants = azure_openai.build(azure_side(resource="r", api_key_env="NAME")).grants(Load())
    assert [grant.data_actions for grant in grants] == [()]
