"""No secret in a text of ours: secrets are planted where each SDK finds them, and services quote them back at us."""

from __future__ import annotations

import json
import logging
import secrets
import traceback
from dataclasses import replace

import pytest

from harness.config import SideSettings
from harness.core.call import Side
from harness.core.case import Request, Task
from harness.core.protocols import Service
from harness.core.secrets import MASK
from harness.errors import Denied, HarnessError
from harness.services import azure_openai, azureml, foundry, sagemaker
from tests.services.clouds import ZEROS, Internet, Reply, aws_side, azure_side, json_reply, through
from tests.services.contract import lot, table

ROLE = "arn:aws:iam::000000000000:role/reader"


@pytest.fixture
def planted(internet, clouds, monkeypatch, tmp_path, caplog) -> set[str]:
    """Random secrets in the environment, in a credentials file, in a token file, and in what the clouds hand out."""
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.DEBUG, logger="harness")
    key, other, federated, header, password = (secrets.token_hex(20) for _ in range(5))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key)
    (tmp_path / "aws_credentials").write_text(
        f"[file]\naws_access_key_id = THROWAWAY\naws_secret_access_key = {other}\n"
    )
    (tmp_path / "federated").write_text(federated)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "federated"))
    monkeypatch.setenv("AZURE_CLIENT_SECRET", password)
    monkeypatch.setenv("IDENTITY_HEADER", header)
    monkeypatch.setenv("RESOURCE_KEY", clouds.key)
    return {
        key,
        other,
        federated,
        header,
        password,
        clouds.session_secret,
        clouds.session_token,
        clouds.key,
        clouds.token,
    }


def quoting(planted: set[str], status: int, code: str = "InvalidSignatureException") -> Reply:
    """An answer as AWS gives it when a signature does not match: the canonical request, session token and all."""
    said = (
        "AADSTS1: The Canonical String for this request should have been 'x-amz-security-token:"
        + " ".join(planted)
        + "'"
    )
    body = {"message": said, "Message": said, "error": {"code": code, "message": said}, "error_description": said}
    return Reply(status, json.dumps(body).encode(), {"x-amzn-ErrorType": code, "Content-Type": "application/json"})


def texts(error: BaseException, *more: object) -> str:
    return "\n".join([*traceback.format_exception(error), repr(error), str(error), *map(repr, more)])


def ours(caplog) -> str:
    """What our loggers wrote, and botocore's, whose traceback we take away. Others log what their user asks for."""
    return "\n".join(
        f"{record.getMessage()} {record.exc_text} {record.exc_info}"
        for record in caplog.records
        if record.name.startswith(("harness", "botocore"))
    )


def assert_clean(text: str, planted: set[str]) -> None:
    shown = [secret[:4] for secret in planted if secret in text]
    assert not shown


def workload(internet):
    return azure_side(credential="workload_identity", client_id=ZEROS, tenant_id=ZEROS, network=through(internet))


SIDES = {
    "keys": lambda internet: sagemaker.build(aws_side(internet)),
    "file": lambda internet: sagemaker.build(aws_side(internet, aws_profile="file")),
    "role": lambda internet: sagemaker.build(aws_side(internet, role_arn=ROLE)),
    "key": lambda internet: azureml.build(azure_side(internet)),
    "openai": lambda internet: azure_openai.build(ai_side(internet)),
    "openai, dated, by key": lambda internet: azure_openai.build(
        ai_side(internet, api_key_env="RESOURCE_KEY"), api_version="2024-10-21"
    ),
    "claude": lambda internet: foundry.build(ai_side(internet)),
    "claude, by key": lambda internet: foundry.build(ai_side(internet, api_key_env="RESOURCE_KEY")),
    "inference, by key": lambda internet: foundry.build(ai_side(internet, api_key_env="RESOURCE_KEY"), api="chat"),
}


def ai_side(internet: Internet, **more: str) -> SideSettings:
    lab = {"azure_openai": internet.url, "foundry": internet.url}
    given = {"cloud": "azure", "endpoint": "visits", "credential": "managed_identity"}
    return SideSettings(side=Side.TARGET, lab=lab, **{**given, **more})


def question(service: Service) -> Request:
    if type(service).__module__ in (sagemaker.__name__, azureml.__name__):
        return table([["1"]])
    return Request(Task.CHAT, {"messages": []}, {"max_tokens": 5})


@pytest.mark.parametrize("status", [400, 403, 424, 429, 500])
@pytest.mark.parametrize("side", SIDES)
def test_a_service_that_quotes_secrets_is_not_quoted(internet, clouds, planted, caplog, side, status):
    service = SIDES[side](internet)
    endpoint = service.open()
    clouds.infer = lambda request: quoting(planted, status)
    with pytest.raises(HarnessError) as caught:
        endpoint.call(service.codec.next(lot(question(service)), ()), timeout_s=5)
    assert_clean(texts(caught.value, endpoint, service, vars(endpoint)) + ours(caplog), planted)
    endpoint.close()


@pytest.mark.parametrize("code", ["ValidationError", "AccessDeniedException", "ThrottlingException"])
def test_what_is_quoted_is_masked(internet, clouds, planted, code):
    service = SIDES["role"](internet)
    endpoint = service.open()
    clouds.infer = lambda request: quoting(planted & {clouds.session_secret, clouds.session_token}, 400, code)
    with pytest.raises(HarnessError) as caught:
        endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
    assert MASK in str(caught.value)
    assert_clean(texts(caught.value), planted)
    endpoint.close()


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_sts_quoting_what_it_was_sent_is_not_quoted(internet, clouds, planted, caplog, status):
    clouds.manage = lambda request: quoting(planted, status)
    with pytest.raises(HarnessError) as caught:
        SIDES["role"](internet).open()
    assert_clean(texts(caught.value) + ours(caplog), planted)


@pytest.mark.parametrize("path", ["/msi/token", "/subscriptions", "/v2.0/token"])
def test_a_control_plane_quoting_what_it_was_sent_is_not_quoted(internet, clouds, planted, caplog, path):
    """A managed identity is asked with a header, Entra with a federated token, the manager with what they gave."""
    clouds.manage = lambda request: quoting(planted, 401) if path in request.path else None
    settings = workload(internet) if "v2.0" in path else azure_side(internet)
    with pytest.raises(HarnessError) as caught:
        azureml.build(settings).open()
    assert any(path in request.path for request in internet.requests)
    assert_clean(texts(caught.value, settings) + ours(caplog), planted)


def test_entras_own_code_is_told(internet, clouds, planted):
    said = {"error": "invalid_client", "error_description": "AADSTS700016: Application not found. Trace ID: x"}
    clouds.manage = lambda request: json_reply(said, 400) if request.path.endswith("/v2.0/token") else None
    with pytest.raises(Denied, match="AADSTS700016"):
        azureml.build(workload(internet)).open()


def test_a_renewal_that_is_refused_shows_nothing(internet, clouds, planted, caplog):
    """botocore logs the failure with its traceback, which quotes STS."""
    clouds.lifetime_s = 300
    service = SIDES["role"](internet)
    endpoint = service.open()
    clouds.manage = lambda request: quoting(planted, 403) if request.path == "/" else None
    with pytest.raises(HarnessError) as caught:
        endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
    assert "Refreshing temporary credentials failed" in caplog.text
    assert_clean(texts(caught.value, endpoint) + ours(caplog), planted)
    endpoint.close()


def test_an_access_shows_no_secret(internet, clouds, planted):
    endpoint = SIDES["key"](internet).open()
    access = endpoint._access
    assert access.secret == clouds.key
    assert_clean(repr(access) + repr(replace(access, number=2)), planted)
    endpoint.close()


def test_settings_do_not_print_the_labs_credentials():
    secret = secrets.token_hex(20)
    assert secret not in repr(aws_side(lab={"aws_secret_access_key": secret}))
