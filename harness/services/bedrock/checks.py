"""Bedrock before a run: invocation logging, the models' lives, and quotas against the recorded peak.

Source: botocore's service model `bedrock` 2023-04-20; user guide, "Model invocation logging", "Model lifecycle" and
"Quotas for the bedrock-runtime endpoint" (since May 2026 tokens a minute alone; before, requests too).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from harness.config import SideSettings
from harness.core.check import Check, Grant, Load, Probe, fine, problem, unchecked
from harness.errors import HarnessError, Rejected
from harness.services import _checks_aws as aws
from harness.services._checks_network import way_to
from harness.services._hosts import aws_cloud

LOGGING, MODEL, QUOTA = "invocation logging", "model", "quota"
SOON = timedelta(days=90)
MOST_MODELS = 8  # that are asked about
_PROFILE = re.compile(r"^(us|eu|apac|jp|au|ca|us-gov|global)\.|:(application-)?inference-profile/")


def probes(settings: SideSettings, load: Load, service: str) -> tuple[Probe, ...]:
    models = load.models or (settings.endpoint,)
    return (
        Probe("network", lambda: _network(settings, service)),
        Probe(aws.CREDENTIALS, lambda: aws.identity(settings)),
        *(Probe(f"{MODEL} {one}", partial(_model, settings, load, one)) for one in models[:MOST_MODELS]),
        *((Probe(MODEL, lambda: _not_asked(models[MOST_MODELS:])),) if len(models) > MOST_MODELS else ()),
        *((Probe(LOGGING, lambda: _logging(settings)),) if load.logged else ()),
    )


def _not_asked(models: tuple[str, ...]) -> list[Check]:
    return [unchecked(MODEL, f"only {MOST_MODELS} are asked about; not {', '.join(models)}", "Split the suite.")]


def grants(settings: SideSettings, load: Load) -> tuple[Grant, ...]:
    models = load.models or (settings.endpoint,)
    arns = tuple(dict.fromkeys(arn for one in models for arn in _arns(one, settings)))
    needed = [
        Grant(
            cloud="aws",
            why="call the suite's models, Converse and streams included",
            actions=("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"),
            resources=arns,
        ),
        Grant(
            cloud="aws",
            why="parity doctor: whether a model is retired, and which models a profile leads to",
            actions=("bedrock:GetFoundationModel", "bedrock:GetInferenceProfile"),
            resources=arns,
        ),
        Grant(
            cloud="aws",
            why="parity doctor: quotas (the action knows no resources)",
            actions=("servicequotas:ListServiceQuotas",),
            resources=("*",),
        ),
    ]
    if load.logged:
        why = "parity doctor: whether calls are logged (the action knows no resources)"
        action = "bedrock:GetModelInvocationLoggingConfiguration"
        needed.append(Grant(cloud="aws", why=why, actions=(action,), resources=("*",)))
    return (*needed, *aws.log_grants(settings, load), *aws.role_grants(settings))


def _arns(model: str, settings: SideSettings) -> tuple[str, ...]:
    """What a call needs leave for: a model in the side's region, or a profile and its models wherever it leads."""
    partition, region = aws_cloud(settings, "bedrock").partition, settings.region or "*"
    if model.startswith("arn:"):
        return (model, f"arn:{partition}:bedrock:*::foundation-model/*") if "inference-profile/" in model else (model,)
    if _PROFILE.search(model):
        bare = model.partition(".")[2]
        return (
            f"arn:{partition}:bedrock:{region}:{aws.account_of(settings)}:inference-profile/{model}",
            f"arn:{partition}:bedrock:*::foundation-model/{bare}",
        )
    return (f"arn:{partition}:bedrock:{region}::foundation-model/{model}",)


def _network(settings: SideSettings, service: str) -> list[Check]:
    address = aws.address_of(settings, service, "bedrock-runtime")
    link = f"an interface VPC endpoint for com.amazonaws.{settings.region or 'REGION'}.bedrock-runtime with private DNS"
    return way_to(address, settings, private_link=link)


def _model(settings: SideSettings, load: Load, model: str) -> Iterator[Check]:
    control, name = aws.Control(settings), f"{MODEL} {model}"
    try:
        found = _details(control, model)
        if found is None:
            yield unchecked(name, "no foundation model: one of the account's own, without a life cycle that AWS tells")
            return
        yield _life(name, found, settings)
        yield from _quotas(control, found, model, load, settings.region or "REGION")
    except Rejected as exc:
        yield problem(
            name,
            f"not found in {settings.region or 'the default region'} ({aws.code_of(exc) or exc})",
            "aws bedrock list-foundation-models --query 'modelSummaries[].modelId'; "
            "aws bedrock list-inference-profiles --query 'inferenceProfileSummaries[].inferenceProfileId'",
        )
    except (HarnessError, aws.NoControlPlane) as exc:
        yield aws.not_seen(name, exc, permission="bedrock:GetFoundationModel and bedrock:GetInferenceProfile")
    finally:
        control.close()


def _details(control: aws.Control, model: str) -> dict[str, Any] | None:
    """What Bedrock says of the foundation model behind an id; None for a model that is none."""
    if re.search(r":(provisioned-model|custom-model|imported-model|custom-model-deployment)/", model):
        return None
    if _PROFILE.search(model):
        profile = control.ask("bedrock", "get_inference_profile", inferenceProfileIdentifier=model)
        model = str(profile["models"][0]["modelArn"]).rpartition("/")[2]
    found: dict[str, Any] = control.ask("bedrock", "get_foundation_model", modelIdentifier=model)["modelDetails"]
    return found


def _life(name: str, found: dict[str, Any], settings: SideSettings) -> Check:
    life = found.get("modelLifecycle", {})
    status, ends = life.get("status", "ACTIVE"), life.get("endOfLifeTime")
    remedy = (
        "Plan the suite on its successor, or finish before: aws bedrock list-foundation-models --region "
        f"{settings.region or 'REGION'} --by-provider {found.get('providerName', 'PROVIDER')}"
    )
    if ends is not None and ends <= datetime.now(UTC):
        return problem(name, f"its life ended on {ends:%Y-%m-%d}", remedy)
    if status == "LEGACY":
        return problem(name, f"LEGACY{f', its life ends on {ends:%Y-%m-%d}' if ends is not None else ''}", remedy)
    if ends is not None and ends <= datetime.now(UTC) + SOON:
        return problem(name, f"its life ends on {ends:%Y-%m-%d}", remedy)
    return fine(name, f"{status}{f', until {ends:%Y-%m-%d} at least' if ends is not None else ''}")


def _quotas(control: aws.Control, found: dict[str, Any], model: str, load: Load, region: str) -> Iterator[Check]:
    name = f"{QUOTA} {model}"
    if load.requests is None:
        yield unchecked(name, "no times were recorded, so that there is no peak to hold a quota against")
        return
    way = "cross-region" if _PROFILE.search(model) else "on-demand"
    whose = f"{found.get('providerName', '')} {found.get('modelName', '')}".strip().lower()
    try:
        with control.client("service-quotas") as client:
            pages = client.get_paginator("list_service_quotas").paginate(ServiceCode="bedrock")
            listed = [one for page in pages for one in page["Quotas"]]
    except (HarnessError, aws.NoControlPlane) as exc:
        yield aws.not_seen(name, exc, permission="servicequotas:ListServiceQuotas")
        return
    limits = {}
    for one in listed:
        said, _, of = one["QuotaName"].lower().partition(" per minute for ")
        if of == whose and said.startswith(way) and said.endswith((" requests", " tokens")):
            limits[said.rpartition(" ")[2]] = one
    if not limits:
        yield unchecked(
            name,
            f"no {way} quota is named for {whose}",
            f"Look in the console: Service Quotas, Amazon Bedrock, {region}, a minute's requests and tokens.",
        )
    for what, peak in (("requests", load.requests), ("tokens", load.tokens)):
        if what in limits:
            yield _held(name, what, peak, limits[what], region)


def _held(name: str, what: str, peak: int | None, quota: dict[str, Any], region: str) -> Check:
    most = int(quota["Value"])
    if peak is None:
        return unchecked(name, f"{most:,} {what} a minute; the recordings count none")
    said = f"{most:,} {what} a minute, the recorded peak is {peak:,}"
    if peak <= most:
        return fine(name, said)
    ask = f"aws service-quotas request-service-quota-increase --service-code bedrock --region {region} --quota-code "
    return problem(
        name,
        said,
        f"{ask}{quota.get('QuotaCode', 'CODE')} --desired-value {peak}"
        + ("" if quota.get("Adjustable", True) else " (not adjustable there: AWS Support)")
        + "; or slow the run: requests_per_second under the profile's limits.",
    )


def _logging(settings: SideSettings) -> Iterator[Check]:
    control = aws.Control(settings)
    try:
        found = control.ask("bedrock", "get_model_invocation_logging_configuration").get("loggingConfig") or {}
        bucket, group = found.get("s3Config") or {}, found.get("cloudWatchConfig") or {}
        put = (
            "aws bedrock put-model-invocation-logging-configuration --logging-config "
            '\'{"s3Config":{"bucketName":"BUCKET","keyPrefix":"PREFIX"},"textDataDeliveryEnabled":true,'
            '"embeddingDataDeliveryEnabled":true}\' --region ' + (settings.region or "REGION")
        )
        if not bucket and not group:
            yield problem(LOGGING, "off (the default)", put)
        elif not found.get("textDataDeliveryEnabled", False):
            yield problem(LOGGING, "on, but without texts: records hold no prompts and no answers", put)
        else:
            places = [f"s3://{bucket['bucketName']}"] if bucket else []
            places += [f"log group {group['logGroupName']}"] if group else []
            yield fine(LOGGING, f"on, texts included, into {' and '.join(places)}")
        large = group.get("largeDataDeliveryS3Config") or {}
        for one in (bucket, large):
            if one.get("bucketName"):
                yield aws.logs(control, one["bucketName"], one.get("keyPrefix", ""))
        if group and not bucket and not large:
            yield unchecked(
                aws.LOGS,
                "bodies over 100 kB are not kept: the log group has no bucket for them",
                "Set largeDataDeliveryS3Config in cloudWatchConfig.",
            )
    except (HarnessError, aws.NoControlPlane) as exc:
        yield aws.not_seen(LOGGING, exc, permission="bedrock:GetModelInvocationLoggingConfiguration")
    finally:
        control.close()
