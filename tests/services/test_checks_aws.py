"""What AWS says before a run, asked of moto (SageMaker, S3, Bedrock's logging) and of a server with AWS's refusals."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from harness.config import SideSettings
from harness.core.check import Check, CheckStatus, Load
from harness.services import _checks_aws as aws
from harness.services import bedrock, sagemaker
from tests.services.clouds import Internet, Reply, aws_side, json_reply, through

OK, PROBLEM, NOT = CheckStatus.OK, CheckStatus.PROBLEM, CheckStatus.NOT_CHECKED
MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
ROLE = "arn:aws:iam::123456789012:role/reader"
RECORDED = Load(requests=120, tokens=60_000, logged=True)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(address, timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def account(moto: str, internet: Internet) -> Iterator[SideSettings]:
    """A side whose control plane is moto's, empty."""
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()
    places = ("sagemaker_control", "s3_control", "bedrock_control", "sts_control", "sts", "sagemaker", "bedrock")
    yield aws_side(lab=dict.fromkeys(places, moto))


def client(settings: SideSettings, api: str) -> Any:
    return boto3.client(api, region_name=settings.region, endpoint_url=settings.lab["sts"])


def endpoint(settings: SideSettings, capture: dict[str, Any] | None) -> None:
    made = client(settings, "sagemaker")
    variant = {"VariantName": "blue", "ModelName": "m", "InitialInstanceCount": 2, "InstanceType": "ml.m5.large"}
    made.create_model(ModelName="m", ExecutionRoleArn=ROLE)
    more = {"DataCaptureConfig": capture} if capture else {}
    made.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant], **more)
    made.create_endpoint(EndpointName="visits", EndpointConfigName="c")


CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://logs/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
}


def looked(service: Any, load: Load, *names: str) -> dict[str, Check]:
    """What the probes of these names find, by the check's name."""
    probes = [probe for probe in service.probes(load) if probe.name in names]
    assert len(probes) == len(names)
    return {check.name: check for probe in probes for check in probe.look()}


def test_an_endpoint_without_capture_is_a_problem_with_the_command(account):
    endpoint(account, None)
    checks = looked(sagemaker.build(account), RECORDED, "endpoint")
    assert checks["endpoint"].status is OK
    assert "blue 2 instance(s)" in checks["capacity"].said and "120 calls a minute" in checks["capacity"].said
    assert checks["data capture"].status is PROBLEM
    assert "aws sagemaker update-endpoint --endpoint-name visits" in checks["data capture"].remedy


def test_an_endpoint_that_captures_is_fine_and_its_bucket_is_read(account):
    endpoint(account, CAPTURE)
    s3 = client(account, "s3")
    s3.create_bucket(Bucket="logs")
    assert looked(sagemaker.build(account), RECORDED, "endpoint")["access to the logs"].status is NOT  # empty
    s3.put_object(Bucket="logs", Key="capture/visits/one.jsonl", Body=b"{}")
    checks = looked(sagemaker.build(account), RECORDED, "endpoint")
    assert checks["data capture"].status is OK
    assert checks["access to the logs"].status is OK


def test_a_bucket_that_is_gone_is_a_problem(account):
    endpoint(account, CAPTURE)
    check = looked(sagemaker.build(account), RECORDED, "endpoint")["access to the logs"]
    assert check.status is PROBLEM
    assert "NoSuchBucket" in check.said


def test_only_the_side_that_is_logged_is_asked_about_capture(account):
    endpoint(account, None)
    assert "data capture" not in looked(sagemaker.build(account), Load(), "endpoint")


def test_an_endpoint_that_is_not_there_is_a_problem(account):
    check = looked(sagemaker.build(account), RECORDED, "endpoint")["endpoint"]
    assert (check.status, "aws sagemaker list-endpoints" in check.remedy) == (PROBLEM, True)


def test_who_this_machine_is_comes_from_sts(account):
    (check,) = aws.identity(account)
    assert check.status is OK
    assert check.said.startswith("arn:aws:")


def test_invocation_logging_is_off_by_default_and_needs_texts(account):
    def now() -> dict[str, Check]:
        return looked(bedrock.build(account), RECORDED, "invocation logging")

    assert now()["invocation logging"].status is PROBLEM
    assert "put-model-invocation-logging-configuration" in now()["invocation logging"].remedy
    client(account, "s3").create_bucket(Bucket="logs")
    made = client(account, "bedrock")
    place = {"s3Config": {"bucketName": "logs", "keyPrefix": "bedrock"}}
    made.put_model_invocation_logging_configuration(loggingConfig={**place, "textDataDeliveryEnabled": False})
    assert "no prompts" in now()["invocation logging"].said
    made.put_model_invocation_logging_configuration(loggingConfig={**place, "textDataDeliveryEnabled": True})
    assert now()["invocation logging"].status is OK
    client(account, "s3").put_object(Bucket="logs", Key="bedrock/one.json", Body=b"{}")
    assert now()["access to the logs"].status is OK


def refusal(code: str, message: str, status: int = 403) -> Reply:
    """As S3 words it."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>r</RequestId></Error>"
    return Reply(status, body.encode(), {"Content-Type": "application/xml"})


def cloud(internet: Internet, answers: dict[str, Any]) -> SideSettings:
    """A side whose calls go through the internet's proxy; answers: by host and the end of the path."""

    def answer(request: Any) -> Reply:
        for (host, path), reply in answers.items():
            if request.host.startswith(host) and path in request.path:
                return reply if isinstance(reply, Reply) else json_reply(reply)
        return json_reply({"message": "unknown"}, 404, x_amzn_errortype="ResourceNotFoundException")

    internet.answer = answer
    return aws_side(network=through(internet), endpoint=MODEL)


LISTED = b"<ListBucketResult><Contents><Key>p/one</Key><Size>9</Size></Contents></ListBucketResult>"


@pytest.mark.parametrize(
    ("reply", "remedy"),
    [
        (refusal("AccessDenied", "User is not authorized to perform: kms:Decrypt on the resource"), "kms:Decrypt"),
        (refusal("KMS.DisabledException", "key is disabled", 400), "kms describe-key"),
        (refusal("AccessDenied", "Access Denied"), "s3:GetObject on arn:aws:s3:::logs/p"),
    ],
)
def test_an_object_that_cannot_be_read_tells_key_from_bucket(internet, reply, remedy):
    listed = Reply(200, LISTED, {"Content-Type": "application/xml"})
    settings = cloud(internet, {("logs.s3", "/p/one"): reply, ("logs.s3", "list-type=2"): listed})
    with closing(aws.Control(settings)) as control:
        check = aws.logs(control, "logs", "p")
    assert check.status is PROBLEM
    assert remedy in check.remedy


def test_a_listing_that_is_refused_is_a_problem(internet):
    settings = cloud(internet, {("logs.s3", ""): refusal("AccessDenied", "Access Denied")})
    with closing(aws.Control(settings)) as control:
        check = aws.logs(control, "logs", "p")
    assert (check.status, "s3:ListBucket on arn:aws:s3:::logs" in check.remedy) == (PROBLEM, True)


def denied(action: str) -> Reply:
    said = {"message": f"User: arn:aws:iam::123456789012:user/x is not authorized to perform: {action}"}
    return json_reply(said, 403, x_amzn_errortype="AccessDeniedException")


def test_what_may_not_be_looked_at_is_not_checked_and_names_the_permission(internet):
    settings = cloud(internet, {("bedrock.", ""): denied("bedrock:x"), ("api.sagemaker", ""): denied("sagemaker:x")})
    checks = looked(bedrock.build(settings), RECORDED, f"model {MODEL}", "invocation logging")
    checks |= looked(sagemaker.build(settings), RECORDED, "endpoint")
    assert {check.status for check in checks.values()} == {NOT}
    assert "bedrock:GetFoundationModel" in checks[f"model {MODEL}"].remedy
    assert "bedrock:GetModelInvocationLoggingConfiguration" in checks["invocation logging"].remedy
    assert "sagemaker:DescribeEndpoint" in checks["data capture"].remedy


def model(status: str = "ACTIVE", ends: datetime | None = None) -> dict[str, Any]:
    life = {"status": status, **({"endOfLifeTime": ends.isoformat()} if ends else {})}
    names = {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/x", "modelId": MODEL}
    said = {"modelName": "Claude 3.5 Sonnet", "providerName": "Anthropic", "modelLifecycle": life}
    return {"modelDetails": {**names, **said}}


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (model(), OK, "ACTIVE"),
        (model("LEGACY"), PROBLEM, "LEGACY"),
        (model("ACTIVE", datetime.now(UTC) + timedelta(days=30)), PROBLEM, "its life ends on"),
        (model("ACTIVE", datetime.now(UTC) + timedelta(days=400)), OK, "until"),
        (model("LEGACY", datetime.now(UTC) - timedelta(days=1)), PROBLEM, "its life ended on"),
    ],
)
def test_a_model_near_its_end_is_a_problem(internet, answer, status, said):
    settings = cloud(internet, {("bedrock.us-east-1", "/foundation-models/"): answer})
    check = looked(bedrock.build(settings), Load(), f"model {MODEL}")[f"model {MODEL}"]
    assert (check.status, said in check.said) == (status, True)


def test_a_model_that_is_not_there_is_a_problem(internet):
    check = looked(bedrock.build(cloud(internet, {})), Load(), f"model {MODEL}")[f"model {MODEL}"]
    assert (check.status, "list-foundation-models" in check.remedy) == (PROBLEM, True)


def quotas(**values: float) -> dict[str, Any]:
    return {
        "Quotas": [
            {"QuotaName": f"{way} InvokeModel {what} per minute for {of}", "Value": value, "QuotaCode": "L-1"}
            for what, value in values.items()
            for way, of in (
                ("On-demand", "Anthropic Claude 3.5 Sonnet"),
                ("Cross-region", "Anthropic Claude 3.5 Sonnet"),
                ("On-demand", "Anthropic Claude 3.5 Sonnet V2"),
            )
        ]
    }


@pytest.mark.parametrize(
    ("load", "values", "expected"),
    [
        (RECORDED, {"requests": 200, "tokens": 100_000}, [OK, OK]),
        (RECORDED, {"requests": 100, "tokens": 100_000}, [PROBLEM, OK]),
        (RECORDED, {"tokens": 50_000}, [PROBLEM]),
        (Load(requests=120), {"tokens": 50_000}, [NOT]),
        (RECORDED, {}, [NOT]),
        (Load(), {"tokens": 1}, [NOT]),
    ],
)
def test_quotas_of_the_model_are_held_against_the_recorded_peak(internet, load, values, expected):
    settings = cloud(
        internet,
        {("bedrock.us-east-1", "/foundation-models/"): model(), ("servicequotas", "/"): quotas(**values)},
    )
    (probe,) = (one for one in bedrock.build(settings).probes(load) if one.name == f"model {MODEL}")
    found = [check for check in probe.look() if check.name.startswith("quota")]
    assert [check.status for check in found] == expected
    assert all("request-service-quota-increase" in one.remedy for one in found if one.status is PROBLEM)


def test_a_profile_is_asked_which_model_it_leads_to_and_has_cross_region_quotas(internet):
    found = {"models": [{"modelArn": f"arn:aws:bedrock:us-west-2::foundation-model/{MODEL}"}]}
    own = {"QuotaName": "Cross-region InvokeModel tokens per minute for Anthropic Claude 3.5 Sonnet", "Value": 5.0}
    other = {**own, "QuotaName": own["QuotaName"].replace("Cross-region", "On-demand"), "Value": 1e9}
    settings = cloud(
        internet,
        {
            ("bedrock.us-east-1", "/inference-profiles/"): found,
            ("bedrock.us-east-1", "/foundation-models/"): model(),
            ("servicequotas", "/"): {"Quotas": [own, other]},
        },
    )
    load = Load(requests=1, tokens=10, models=(f"us.{MODEL}",))
    checks = looked(bedrock.build(settings), load, f"model us.{MODEL}")
    assert checks[f"quota us.{MODEL}"].status is PROBLEM


def sts(code: str, message: str, status: int = 403) -> Reply:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    body = f"<ErrorResponse>{error}</ErrorResponse>"
    return Reply(status, body.encode(), {"Content-Type": "text/xml"})


@pytest.mark.parametrize(
    ("reply", "more", "remedy"),
    [
        (
            sts("AccessDenied", "not authorized to perform: sts:AssumeRole"),
            {"role_arn": ROLE},
            "no external_id was sent",
        ),
        (
            sts("AccessDenied", "not authorized to perform: sts:AssumeRole"),
            {"role_arn": ROLE, "external_id": "parity"},
            'external_id "parity" was sent',
        ),
        (sts("ExpiredToken", "expired", 400), {}, "aws sso login"),
        (sts("InvalidClientTokenId", "invalid"), {}, "unknown in aws"),
        (sts("SignatureDoesNotMatch", "mismatch"), {}, "clock is wrong"),
    ],
)
def test_each_refusal_of_credentials_has_a_remedy_of_its_own(internet, reply, more, remedy):
    internet.answer = lambda _: reply
    (check,) = aws.identity(aws_side(network=through(internet), **more))
    assert check.status is PROBLEM
    assert remedy in check.remedy


def test_no_credentials_at_all_is_a_problem(internet, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    (check,) = aws.identity(aws_side(network=through(internet)))
    assert (check.status, "aws sso login" in check.remedy) == (PROBLEM, True)


def test_a_lab_without_a_control_plane_is_not_checked(internet):
    checks = looked(bedrock.build(aws_side(internet)), RECORDED, "invocation logging")
    assert checks["invocation logging"].status is NOT


def test_no_check_shows_a_secret(internet, monkeypatch):
    secret = secrets.token_hex(20)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    internet.answer = lambda _: sts("SignatureDoesNotMatch", f"the canonical string was {secret}")
    assert secret not in json.dumps([str(check) for check in aws.identity(aws_side(network=through(internet)))])


@pytest.mark.parametrize(
    ("service", "more", "host"),
    [
        (sagemaker, {}, "runtime.sagemaker.us-east-1.amazonaws.com"),
        (bedrock, {}, "bedrock-runtime.us-east-1.amazonaws.com"),
        (bedrock, {"cloud": "aws-fips"}, "bedrock-runtime-fips.us-east-1.amazonaws.com"),
        (bedrock, {"cloud": "aws-us-gov", "region": "us-gov-west-1"}, "bedrock-runtime.us-gov-west-1.amazonaws.com"),
    ],
)
def test_the_way_is_looked_at_without_credentials(internet, monkeypatch, service, more, host):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    network = replace(through(internet), ca_bundle=None)
    checks = looked(service.build(aws_side(network=network, **more)), RECORDED, "network")
    assert host in checks["connection and TLS"].said
    assert "ca_bundle" in checks["connection and TLS"].remedy


def test_models_beyond_those_that_are_asked_about_are_named_and_still_granted(internet):
    names = tuple(f"anthropic.model-{number}-v1:0" for number in range(10))
    service = bedrock.build(aws_side(internet))
    (check,) = looked(service, Load(models=names), "model").values()
    assert check.status is NOT
    assert names[8] in check.said and names[9] in check.said and names[7] not in check.said
    arns = {arn for grant in service.grants(Load(models=names)) for arn in grant.resources}
    assert {f"arn:aws:bedrock:us-east-1::foundation-model/{name}" for name in names} <= arns


def test_the_suites_own_model_is_asked_about_in_place_of_the_recorded_ones(internet):
    service = bedrock.build(aws_side(internet), model="amazon.nova-lite-v1:0")
    names = [probe.name for probe in service.probes(Load(models=(MODEL,)))]
    assert "model amazon.nova-lite-v1:0" in names and f"model {MODEL}" not in names
