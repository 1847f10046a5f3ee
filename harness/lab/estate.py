"""What the lab's control planes list: the things that stand behind its endpoints, and when they were made.

Source: Amazon SageMaker API reference (JSON 1.1, operation in `X-Amz-Target`); Amazon Bedrock API reference, control
plane and agents; Azure REST reference, Machine Learning and Cognitive Services, and "Paging" of the resource manager.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

from harness.lab.loopback import Reply, Request
from harness.lab.settings import ACCOUNT, DEPLOYMENTS, REGION, VARIANT

MADE = datetime(2026, 1, 15, 9, tzinfo=UTC)  # when everything in the lab was last changed
RETIRES = "2028-01-31T00:00:00Z"  # every model of the Azure OpenAI resource
PAGE = 3  # entries a page, so that whoever lists must turn pages
TARGET = "SageMaker."
# Paths of Bedrock's control plane that the lab knows, with the key of what is listed: nothing, for it has none.
BEDROCK_LISTS = {
    "/custom-models": "modelSummaries",
    "/imported-models": "modelSummaries",
    "/provisioned-model-throughputs": "provisionedModelSummaries",
    "/inference-profiles": "inferenceProfileSummaries",
    "/guardrails": "guardrails",
    "/agents/": "agentSummaries",
    "/knowledgebases/": "knowledgeBaseSummaries",
}


def sagemaker(request: Request, endpoints: Iterable[str]) -> Reply:
    """One operation of SageMaker's control plane over these endpoints."""
    operation = request.headers.get("x-amz-target", "").removeprefix(TARGET)
    asked = json.loads(request.body or b"{}")
    names = sorted(endpoints)
    match operation:
        case "ListEndpoints":
            start = int(asked.get("NextToken", 0))
            page = [_summary(name) for name in names[start : start + 1]]
            more = {"NextToken": str(start + 1)} if start + 1 < len(names) else {}
            return _amz({"Endpoints": page, **more})
        case "DescribeEndpoint" if asked.get("EndpointName") in names:
            name = asked["EndpointName"]
            variants = [{"VariantName": VARIANT, "CurrentWeight": 1.0}]
            return _amz({**_summary(name), "EndpointConfigName": name, "ProductionVariants": variants})
        case "DescribeEndpointConfig" if asked.get("EndpointConfigName") in names:
            name = asked["EndpointConfigName"]
            document = {
                "EndpointConfigName": name,
                "EndpointConfigArn": _arn("endpoint-config", name),
                "CreationTime": MADE.timestamp(),
                "ProductionVariants": [{"VariantName": VARIANT, "ModelName": name, "InitialVariantWeight": 1.0}],
            }
            return _amz(document)
        case "DescribeModel" if asked.get("ModelName") in names:
            name = asked["ModelName"]
            package = _arn("model-package", f"{name}/1")
            document = {"ModelName": name, "ModelArn": _arn("model", name), "CreationTime": MADE.timestamp()}
            return _amz({**document, "PrimaryContainer": {"ModelPackageName": package}})
        case "ListModelPackageGroups":
            groups = [
                {
                    "ModelPackageGroupName": name,
                    "ModelPackageGroupArn": _arn("model-package-group", name),
                    "CreationTime": MADE.timestamp(),
                    "ModelPackageGroupStatus": "Completed",
                }
                for name in names
            ]
            return _amz({"ModelPackageGroupSummaryList": groups})
        case "ListTransformJobs":
            return _amz({"TransformJobSummaries": []})
        case "ListPipelines":
            return _amz({"PipelineSummaries": []})
    return refusal(400, "ValidationException", f"{operation}: not found.")


def refusal(status: int, code: str, message: str) -> Reply:
    """In the shape of JSON 1.1, where the name of an error stands in the body."""
    return _amz({"__type": code, "message": message}, status=status)


def bedrock(request: Request) -> Reply:
    """One listing of Bedrock's control plane; the path is one of BEDROCK_LISTS."""
    document: dict[str, Any] = {BEDROCK_LISTS[request.path]: []}
    headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": "application/json"}
    return Reply(status=200, body=json.dumps(document).encode(), headers=headers)


def system_data() -> dict[str, str]:
    """Who made a resource of Azure's and when."""
    made = MADE.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"createdAt": made, "createdBy": "lab", "lastModifiedAt": made, "lastModifiedBy": "lab"}


def model_of(workspace: str, endpoint: str) -> str:
    """The id of the registered model behind an Azure ML endpoint; all ways to authenticate share one."""
    return f"{workspace}/models/{endpoint.partition('-')[0]}/versions/1"


def models(workspace: str, endpoints: Iterable[str]) -> list[dict[str, Any]]:
    """The models that the workspace has registered."""
    return [
        {
            "id": f"{workspace}/models/{name}",
            "name": name,
            "type": "Microsoft.MachineLearningServices/workspaces/models",
            "properties": {"latestVersion": "1", "nextVersion": "2", "isArchived": False},
            "systemData": system_data(),
        }
        for name in sorted({endpoint.partition("-")[0] for endpoint in endpoints})
    ]


def catalogue(split: Any) -> list[dict[str, Any]]:
    """What the Azure OpenAI resource could deploy, with the day on which each version retires."""
    found = []
    for served in DEPLOYMENTS.values():
        name, version, maker = split(served)
        skus = [{"name": "Standard", "usageName": f"{maker}.Standard.{name}", "deprecationDate": RETIRES}]
        deprecation = {"inference": RETIRES}
        found.append({"format": maker, "name": name, "version": version, "skus": skus, "deprecation": deprecation})
    return found


def paged(values: list[dict[str, Any]], request: Request, address: str) -> dict[str, Any]:
    """One page of a list of the resource manager, and where the next one lies."""
    query = {name: given[0] for name, given in parse_qs(request.query).items()}
    start = int(query.get("$skiptoken", 0))
    page: dict[str, Any] = {"value": values[start : start + PAGE]}
    if start + PAGE < len(values):
        more = urlencode({**query, "$skiptoken": str(start + PAGE)})
        page["nextLink"] = f"{address}{request.path}?{more}"
    return page


def _summary(name: str) -> dict[str, Any]:
    return {
        "EndpointName": name,
        "EndpointArn": _arn("endpoint", name),
        "CreationTime": MADE.timestamp(),
        "LastModifiedTime": MADE.timestamp(),
        "EndpointStatus": "InService",
    }


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def _amz(document: dict[str, Any], status: int = 200) -> Reply:
    headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": "application/x-amz-json-1.1"}
    return Reply(status=status, body=json.dumps(document).encode(), headers=headers)
