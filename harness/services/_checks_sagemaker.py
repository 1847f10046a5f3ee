"""A SageMaker endpoint before a run: does it serve, is its traffic captured, how many instances stand behind it.

Source: botocore's service model `sagemaker` 2017-07-24, DescribeEndpoint; developer guide, "Data capture".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from harness.config import SideSettings
from harness.core.check import Check, Grant, Load, Probe, fine, problem, unchecked
from harness.errors import HarnessError, Rejected
from harness.services import _checks_aws as aws
from harness.services._checks_network import way_to
from harness.services._hosts import aws_cloud

ENDPOINT, CAPTURE, CAPACITY = "endpoint", "data capture", "capacity"
DESCRIBE = "sagemaker:DescribeEndpoint"


def probes(settings: SideSettings, load: Load, service: str) -> tuple[Probe, ...]:
    return (
        Probe("network", lambda: _network(settings, service)),
        Probe(aws.CREDENTIALS, lambda: aws.identity(settings)),
        Probe(ENDPOINT, lambda: _endpoint(settings, load)),
    )


def grants(settings: SideSettings, load: Load) -> tuple[Grant, ...]:
    partition = aws_cloud(settings, "sagemaker").partition
    region, account = settings.region or "*", aws.account_of(settings)
    arn = f"arn:{partition}:sagemaker:{region}:{account}:endpoint/{settings.endpoint.lower()}"
    needed = [
        Grant(cloud="aws", why="score the suite's cases", actions=("sagemaker:InvokeEndpoint",), resources=(arn,)),
        Grant(cloud="aws", why="parity doctor: state, capture and instances", actions=(DESCRIBE,), resources=(arn,)),
    ]
    return (*needed, *aws.log_grants(settings, load), *aws.role_grants(settings))


def _network(settings: SideSettings, service: str) -> list[Check]:
    address = aws.address_of(settings, service, "sagemaker-runtime")
    link = (
        f"an interface VPC endpoint for com.amazonaws.{settings.region or 'REGION'}.sagemaker.runtime with private DNS"
    )
    return way_to(address, settings, private_link=link)


def _endpoint(settings: SideSettings, load: Load) -> Iterator[Check]:
    control, name, region = aws.Control(settings), settings.endpoint, settings.region or "REGION"
    try:
        found = control.ask("sagemaker", "describe_endpoint", EndpointName=name)
    except Rejected:
        yield problem(
            ENDPOINT, f"there is no endpoint {name} in {region}", f"aws sagemaker list-endpoints --region {region}"
        )
    except (HarnessError, aws.NoControlPlane) as exc:
        for what in (ENDPOINT, CAPTURE) if load.logged else (ENDPOINT,):
            yield aws.not_seen(what, exc, permission=f"{DESCRIBE} on endpoint/{name}")
    else:
        yield _state(found, name, region)
        yield _capacity(found, load)
        if load.logged:
            yield from _capture(control, found, name, region)
    finally:
        control.close()


def _state(found: dict[str, Any], name: str, region: str) -> Check:
    status = found["EndpointStatus"]
    if status == "InService":
        return fine(ENDPOINT, f"{name} is in service")
    return problem(
        ENDPOINT,
        f"{name} is {status}",
        f"aws sagemaker wait endpoint-in-service --endpoint-name {name} --region {region}; its reason: "
        f"aws sagemaker describe-endpoint --endpoint-name {name} --query FailureReason",
    )


def _capacity(found: dict[str, Any], load: Load) -> Check:
    """SageMaker has no quota of requests: what stands behind the endpoint is told beside the recorded peak."""
    variants = [
        f"{one['VariantName']} {one.get('CurrentInstanceCount', 'serverless, 0')} instance(s)"
        for one in found.get("ProductionVariants", ())
    ]
    peak = f"the recorded peak is {load.requests:,} calls a minute" if load.requests else "no times were recorded"
    return unchecked(CAPACITY, f"no quota of requests exists; {', '.join(variants) or 'no variants'}; {peak}")


def _capture(control: aws.Control, found: dict[str, Any], name: str, region: str) -> Iterator[Check]:
    capture = found.get("DataCaptureConfig") or {}
    if not capture.get("EnableCapture") or capture.get("CaptureStatus") == "Stopped":
        yield problem(
            CAPTURE,
            f"{name} captures no traffic (the default)",
            "Give it a configuration with DataCaptureConfig (EnableCapture, InitialSamplingPercentage 100, "
            "DestinationS3Uri, CaptureOptions Input and Output): aws sagemaker create-endpoint-config "
            "--data-capture-config ..., then "
            f"aws sagemaker update-endpoint --endpoint-name {name} --region {region} --endpoint-config-name NEW",
        )
        return
    share, place = capture.get("CurrentSamplingPercentage"), str(capture.get("DestinationS3Uri", ""))
    yield fine(CAPTURE, f"on, {share} % of calls, into {place}")
    split = urlsplit(place)
    yield aws.logs(control, split.netloc, split.path.lstrip("/"))
