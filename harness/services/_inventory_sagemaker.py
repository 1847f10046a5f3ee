"""What SageMaker has: endpoints with their variants, batch jobs by model, pipelines, groups of the model registry.

A model that comes from the registry is told by its group and version; another by its own name, without a version.
Source: Amazon SageMaker API reference, ListEndpoints, DescribeEndpoint, DescribeEndpointConfig, DescribeModel,
ListTransformJobs, DescribeTransformJob, ListPipelines, ListModelPackageGroups; botocore's service model 2017-07-24.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from harness.config import SideSettings
from harness.core.inventory import Found, Inventory
from harness.services._inventory import Told, moment
from harness.services._inventory_aws import Pages, place

SERVICE = "sagemaker"


def read(settings: SideSettings, *, since: datetime) -> Inventory:
    """since: batch jobs begun before are not in use any more. Raises as opening an endpoint does."""
    told, pages = Told(SERVICE), Pages(settings, service=SERVICE, api="sagemaker")
    try:
        with told.listing("endpoint", "sagemaker:ListEndpoints"):
            for summary in pages.list("list_endpoints", "Endpoints"):
                told.add(_endpoint(told, pages, summary))
        with told.listing("transform job", "sagemaker:ListTransformJobs"):
            _transform_jobs(told, pages, since)
        with told.listing("pipeline", "sagemaker:ListPipelines"):
            for one in pages.list("list_pipelines", "PipelineSummaries"):
                told.add(_behind("pipeline", one["PipelineName"], one["PipelineArn"], one.get("LastModifiedTime")))
        with told.listing("model package group", "sagemaker:ListModelPackageGroups"):
            for one in pages.list("list_model_package_groups", "ModelPackageGroupSummaryList"):
                name, arn = one["ModelPackageGroupName"], one["ModelPackageGroupArn"]
                told.add(_behind("model package group", name, arn, one.get("CreationTime")))
    finally:
        pages.close()
    return told.inventory


def _endpoint(told: Told, pages: Pages, summary: dict[str, Any]) -> Found:
    """An endpoint; what cannot be described of it stays untold."""
    name = summary["EndpointName"]
    variants: list[tuple[str, tuple[str, str | None]]] = []
    with told.listing("endpoint", "sagemaker:DescribeEndpoint, DescribeEndpointConfig and DescribeModel"):
        config = pages.get("describe_endpoint", EndpointName=name)["EndpointConfigName"]
        for variant in pages.get("describe_endpoint_config", EndpointConfigName=config)["ProductionVariants"]:
            # A variant of inference components names no model.
            model = variant.get("ModelName")
            variants.append((variant["VariantName"], _model(pages, model) if model else ("inference components", None)))
    model, version = variants[0][1] if len({made for _, made in variants}) == 1 else (None, None)
    return Found(
        service=SERVICE,
        kind="endpoint",
        name=name,
        model=model,
        version=version,
        variants=tuple(f"{at}: {' '.join(word for word in made if word)}" for at, made in variants),
        changed_at=moment(summary.get("LastModifiedTime")),
        owned=True,
        **place(summary.get("EndpointArn")),
    )


def _model(pages: Pages, name: str) -> tuple[str, str | None]:
    """What a model is made of: (group, version) of the registry, or its name."""
    told = pages.get("describe_model", ModelName=name)
    containers = [told["PrimaryContainer"]] if told.get("PrimaryContainer") else told.get("Containers", [])
    packages = [one["ModelPackageName"] for one in containers if one.get("ModelPackageName")]
    if len(packages) != 1:
        return name, None
    group, _, version = packages[0].rpartition(":")[2].removeprefix("model-package/").partition("/")
    return group, version or None


def _transform_jobs(told: Told, pages: Pages, since: datetime) -> None:
    """One entry a model that was applied to batches since then; jobs themselves come and go."""
    seen: dict[str, Found] = {}
    for summary in pages.list("list_transform_jobs", "TransformJobSummaries", CreationTimeAfter=since):
        with told.listing("transform job", "sagemaker:DescribeTransformJob and DescribeModel"):
            name = pages.get("describe_transform_job", TransformJobName=summary["TransformJobName"])["ModelName"]
            if name not in seen:
                model, version = _model(pages, name)
                where = place(summary.get("TransformJobArn"))
                seen[name] = Found(
                    service=SERVICE, kind="transform job", name=name, model=model, version=version, owned=True, **where
                )
    for found in seen.values():
        told.add(found)


def _behind(kind: str, name: str, arn: str, changed: object) -> Found:
    return Found(service=SERVICE, kind=kind, name=name, changed_at=moment(changed), owned=True, **place(arn))
