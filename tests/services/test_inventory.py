"""What services list, page by page, through the real SDKs, and what becomes of a listing that is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from harness.core.inventory import Found, Inventory, Unlisted
from harness.core.protocols import Lister
from harness.services import azure_openai, azureml, bedrock, foundry, sagemaker
from tests.services.clouds import Internet, Reply, Request, aws_side, azure_side, json_reply

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/any"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """moto's server, which others wrote: SageMaker's and Bedrock's control planes over loopback."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto: str, internet: Internet) -> Any:
    """A maker of clients of that server, with the throw-away credentials of the environment."""
    assert internet.url
    return lambda api: boto3.client(api, endpoint_url=moto, region_name="us-east-1")


def listed(inventory: Inventory | None, kind: str) -> list[Found]:
    assert inventory is not None
    return [one for one in inventory.found if one.kind == kind]


def model(client: Any, name: str, package: str | None = None) -> None:
    container = {"ModelPackageName": package} if package else {"Image": "image", "ModelDataUrl": "s3://b/m.tar.gz"}
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)


def endpoint(client: Any, name: str, *models: str) -> None:
    variants = [
        {"VariantName": f"v{at}", "ModelName": one, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        for at, one in enumerate(models, start=1)
    ]
    client.create_endpoint_config(EndpointConfigName=f"{name}-config", ProductionVariants=variants)
    client.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-config")


def test_sagemaker_lists_endpoints_with_the_model_version_behind_each(moto, aws, internet):
    client = aws("sagemaker")
    model(client, "plain")
    model(client, "packaged", "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/7")
    endpoint(client, "one", "packaged")
    endpoint(client, "two", "packaged", "plain")
    client.create_model_package_group(ModelPackageGroupName="churn", ModelPackageGroupDescription="churn")
    client.create_pipeline(PipelineName="train", PipelineDefinition="{}", ClientRequestToken="a" * 32, RoleArn=ROLE)
    found = sagemaker.build(aws_side(internet, lab={"sagemaker": moto})).inventory(LONG_AGO)
    one, two = listed(found, "endpoint")
    assert (one.name, one.model, one.version) == ("one", "churn", "7")
    assert (two.name, two.model, two.variants) == ("two", None, ("v1: churn 7", "v2: plain"))
    assert (one.account, one.region, one.owned) == ("123456789012", "us-east-1", True)
    assert one.changed_at is not None and datetime.now(UTC) - one.changed_at < timedelta(hours=1)
    assert [entry.name for entry in listed(found, "pipeline")] == ["train"]
    assert [entry.name for entry in listed(found, "model package group")] == ["churn"]
    assert found is not None and found.unlisted == ()


def test_batch_jobs_are_told_by_their_model(moto, aws, internet):
    client = aws("sagemaker")
    model(client, "nightly")
    for number in range(2):
        client.create_transform_job(
            TransformJobName=f"job-{number}",
            ModelName="nightly",
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}},
            TransformOutput={"S3OutputPath": "s3://b/out"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
    found = sagemaker.build(aws_side(internet, lab={"sagemaker": moto})).inventory(LONG_AGO)
    assert [(one.name, one.model) for one in listed(found, "transform job")] == [("nightly", "nightly")]


def test_bedrock_lists_what_moto_has_and_tells_what_moto_has_not(moto, aws, internet):
    """moto knows agents, knowledge bases and custom models; it fails at the rest, which is told."""
    client = aws("bedrock-agent")
    client.create_agent(agentName="helper", agentResourceRoleArn=ROLE, foundationModel="anthropic.claude")
    found = bedrock.build(aws_side(internet, lab={"bedrock": moto})).inventory(LONG_AGO)
    assert [one.model for one in listed(found, "agent")] == ["helper"]
    assert found is not None
    refused = {one.kind: (one.reason, one.needs) for one in found.unlisted}
    assert refused["guardrail"] == ("unavailable, status 500", "bedrock:ListGuardrails")
    assert "agent" not in refused and "knowledge base" not in refused


AT = "2026-03-04T05:06:07Z"
ARN = "arn:aws:bedrock:us-east-1:123456789012:"
ENTRIES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "/custom-models": (
        "modelSummaries",
        [
            {
                "modelArn": f"{ARN}custom-model/tuned-{at}",
                "modelName": f"tuned-{at}",
                "creationTime": AT,
                "baseModelArn": f"{ARN}foundation-model/amazon.nova",
                "baseModelName": "amazon.nova",
            }
            for at in range(5)
        ],
    ),
    "/imported-models": (
        "modelSummaries",
        [{"modelArn": f"{ARN}imported-model/x", "modelName": "mine", "creationTime": AT, "modelArchitecture": "llama"}],
    ),
    "/provisioned-model-throughputs": (
        "provisionedModelSummaries",
        [
            {
                "provisionedModelName": "fast",
                "provisionedModelArn": f"{ARN}provisioned-model/p",
                "modelArn": f"{ARN}foundation-model/anthropic.claude",
                "desiredModelArn": "d",
                "foundationModelArn": "f",
                "modelUnits": 1,
                "desiredModelUnits": 1,
                "status": "InService",
                "creationTime": AT,
                "lastModifiedTime": AT,
            }
        ],
    ),
    "/inference-profiles": (
        "inferenceProfileSummaries",
        [
            {
                "inferenceProfileName": "shop",
                "inferenceProfileArn": f"{ARN}application-inference-profile/abc",
                "inferenceProfileId": "abc",
                "models": [],
                "status": "ACTIVE",
                "type": "APPLICATION",
                "updatedAt": AT,
            }
        ],
    ),
    "/guardrails": (
        "guardrails",
        [
            {
                "id": "g1",
                "arn": f"{ARN}guardrail/g1",
                "status": "READY",
                "name": "polite",
                "version": "DRAFT",
                "createdAt": AT,
                "updatedAt": AT,
            }
        ],
    ),
    "/agents/": (
        "agentSummaries",
        [{"agentId": "A1", "agentName": "helper", "agentStatus": "PREPARED", "updatedAt": AT}],
    ),
    "/knowledgebases/": (
        "knowledgeBaseSummaries",
        [{"knowledgeBaseId": "K1", "name": "manuals", "status": "ACTIVE", "updatedAt": AT}],
    ),
}


def bedrock_control(request: Request) -> Reply:
    """Bedrock's listings, two entries a page."""
    split = urlsplit(request.path)
    key, entries = ENTRIES[split.path]
    asked = json.loads(request.body or b"{}") | {name: given[0] for name, given in parse_qs(split.query).items()}
    start = int(asked.get("nextToken", 0))
    more = {"nextToken": str(start + 2)} if start + 2 < len(entries) else {}
    return json_reply({key: entries[start : start + 2], **more})


def test_bedrock_lists_every_page_of_everything_of_ones_own(internet: Internet):
    internet.answer = bedrock_control
    found = bedrock.build(aws_side(internet, lab={"bedrock": internet.url})).inventory(LONG_AGO)
    assert found is not None
    assert [one.name for one in listed(found, "custom model")] == [f"tuned-{at}" for at in range(5)]
    assert {(one.kind, one.name, one.model) for one in found.found if one.kind != "custom model"} == {
        ("imported model", "mine", "llama"),
        ("provisioned model", "fast", "anthropic.claude"),
        ("inference profile", "abc", None),
        ("guardrail", "g1", "polite"),
        ("agent", "A1", "helper"),
        ("knowledge base", "K1", "manuals"),
    }
    assert found.found[0].changed_at == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert "type=APPLICATION" in next(one.path for one in internet.requests if "profiles" in one.path)


def sagemaker_denies(*operations: str) -> Any:
    """SageMaker's control plane, empty, where a role may not do these."""

    def answer(request: Request) -> Reply:
        operation = request.headers["x-amz-target"].removeprefix("SageMaker.")
        if operation in operations:
            return json_reply({"__type": "AccessDeniedException", "Message": "User is not authorized"}, 400)
        if operation == "ListEndpoints":
            made = {"CreationTime": 0, "LastModifiedTime": 0, "EndpointStatus": "InService"}
            arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/visits"
            return json_reply({"Endpoints": [{"EndpointName": "visits", "EndpointArn": arn, **made}]})
        return json_reply({})

    return answer


def test_what_a_role_may_not_list_is_told_and_the_rest_is_listed(internet: Internet):
    internet.answer = sagemaker_denies("ListPipelines", "DescribeEndpoint")
    found = sagemaker.build(aws_side(internet)).inventory(LONG_AGO)
    assert found is not None
    assert [one.name for one in listed(found, "endpoint")] == ["visits"]
    assert found.unlisted == (
        Unlisted(
            service="sagemaker",
            kind="endpoint",
            reason="AccessDenied",
            needs="sagemaker:DescribeEndpoint, DescribeEndpointConfig and DescribeModel",
        ),
        Unlisted(service="sagemaker", kind="pipeline", reason="AccessDenied", needs="sagemaker:ListPipelines"),
    )


def test_a_listing_that_is_throttled_asks_to_be_asked_again(internet: Internet):
    internet.answer = lambda _: json_reply({"__type": "ThrottlingException", "message": "Rate exceeded"}, 400)
    found = sagemaker.build(aws_side(internet)).inventory(LONG_AGO)
    assert found is not None
    assert {(one.reason, one.again) for one in found.unlisted} == {("throttled, status 400", True)}


def deployment(name: str, upgrades: str | None, **properties: Any) -> dict[str, Any]:
    option = {} if upgrades is None else {"versionUpgradeOption": upgrades}
    made = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    return {
        "name": name,
        "sku": {"name": "Standard"},
        "systemData": {"lastModifiedAt": AT},
        "properties": {"model": made, **option, **properties},
    }


MODELS = [
    {
        "format": "OpenAI",
        "name": "gpt-4o",
        "version": "2024-08-06",
        "deprecation": {"inference": "2020-01-01T00:00:00Z"},
    },
    {
        "format": "OpenAI",
        "name": "gpt-4o",
        "version": "2024-11-20",
        "deprecation": {"inference": "2027-01-01T00:00:00Z"},
        "skus": [
            {"name": "GlobalStandard", "deprecationDate": "2029-01-01T00:00:00Z"},
            {"name": "Standard", "deprecationDate": "2028-01-01T00:00:00Z"},
        ],
    },
]


def cognitive(internet: Internet, deployments: list[dict[str, Any]], models: list[dict[str, Any]] | int) -> Any:
    """A resource manager; models: a status where the list of them is refused."""

    def answer(request: Request) -> Reply:
        if request.path.startswith("/msi/"):
            return json_reply(
                {"access_token": "t" * 20, "expires_on": "4000000000", "resource": "r", "token_type": "B"}
            )
        path = urlsplit(request.path).path
        if path.endswith("/models"):
            return json_reply({"value": models}) if isinstance(models, list) else json_reply({}, models)
        start = int(parse_qs(urlsplit(request.path).query).get("skip", ["0"])[0])
        page: dict[str, Any] = {"value": deployments[start : start + 1]}
        if start + 1 < len(deployments):
            page["nextLink"] = f"{internet.url}{path}?api-version=2024-10-01&skip={start + 1}"
        return json_reply(page)

    return answer


def openai_side(internet: Internet, **more: Any) -> Any:
    return azure_openai.build(azure_side(internet, resource="mine", **more))


def test_azure_openai_tells_version_upgrades_and_the_day_of_retirement_of_its_sku(internet: Internet):
    options = ["NoAutoUpgrade", "OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", None]
    listing = [deployment(f"d{at}", option) for at, option in enumerate(options)]
    internet.answer = cognitive(internet, listing, MODELS)
    found = openai_side(internet).inventory(LONG_AGO)
    assert [one.auto_upgrade for one in found.found] == [False, True, True, None]
    first = found.found[0]
    assert (first.name, first.model, first.version) == ("d0", "gpt-4o", "2024-11-20")
    assert (first.retires, first.changed_at) == (date(2028, 1, 1), datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert (first.owned, first.kind) == (False, "deployment")


def test_a_sku_without_a_day_retires_with_its_model_and_an_unknown_model_tells_none(internet: Internet):
    other = {**deployment("other", "NoAutoUpgrade"), "sku": {"name": "DataZone"}}
    unknown = deployment("unknown", "NoAutoUpgrade", model={"format": "OpenAI", "name": "gpt-9", "version": "1"})
    internet.answer = cognitive(internet, [other, unknown], MODELS)
    assert [one.retires for one in openai_side(internet).inventory(LONG_AGO).found] == [date(2027, 1, 1), None]


def test_deployments_are_listed_where_the_list_of_models_is_denied(internet: Internet):
    internet.answer = cognitive(internet, [deployment("d", "NoAutoUpgrade")], 403)
    found = openai_side(internet).inventory(LONG_AGO)
    assert [(one.name, one.retires) for one in found.found] == [("d", None)]
    assert [(one.kind, one.reason) for one in found.unlisted] == [("model", "AccessDenied")]
    assert found.unlisted[0].needs == "Microsoft.CognitiveServices/accounts/models/read"


def test_other_makers_models_belong_to_foundry(internet: Internet):
    claude = deployment("claude", "NoAutoUpgrade", model={"format": "Anthropic", "name": "claude", "version": "1"})
    internet.answer = cognitive(internet, [deployment("gpt", "NoAutoUpgrade"), claude], [])
    side = azure_side(internet, resource="mine")
    assert [one.name for one in azure_openai.build(side).inventory(LONG_AGO).found] == ["gpt"]  # type: ignore[union-attr]
    assert [one.name for one in foundry.build(side).inventory(LONG_AGO).found] == ["claude"]  # type: ignore[union-attr]


def test_a_token_is_not_carried_to_another_host_by_a_next_page(internet: Internet):
    before = cognitive(internet, [], [])

    def elsewhere(request: Request) -> Reply:
        if request.path.startswith("/msi/"):
            return before(request)
        return json_reply({"value": [], "nextLink": "http://127.0.0.1:9/steal"})

    internet.answer = elsewhere
    found = openai_side(internet).inventory(LONG_AGO)
    assert [(one.kind, one.reason) for one in found.unlisted] == [
        ("model", "unavailable"),
        ("deployment", "unavailable"),
    ]


def test_a_side_of_the_other_cloud_and_one_without_a_resource_have_nothing_to_tell(internet: Internet):
    assert sagemaker.build(azure_side(internet)).inventory(LONG_AGO) is None
    assert bedrock.build(azure_side(internet)).inventory(LONG_AGO) is None
    assert azureml.build(aws_side(internet)).inventory(LONG_AGO) is None
    assert azureml.build(replace(azure_side(internet), workspace=None)).inventory(LONG_AGO) is None
    assert azure_openai.build(azure_side(internet)).inventory(LONG_AGO) is None
    assert all(
        isinstance(service, Lister)
        for service in (sagemaker.build(aws_side()), bedrock.build(aws_side()), azureml.build(azure_side()))
    )
