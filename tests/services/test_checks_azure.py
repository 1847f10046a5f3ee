"""What Azure says before a run, asked of a resource manager, an Entra and data planes behind a proxy of ours."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.core.check import Check, CheckStatus, Load
from harness.services import _checks_azure as azure
from harness.services import _checks_cognitive as cognitive
from harness.services import azure_openai, azureml, foundry
from tests.services.clouds import ZEROS, Internet, Reply, azure_side, json_reply, through

OK, PROBLEM, NOT = CheckStatus.OK, CheckStatus.PROBLEM, CheckStatus.NOT_CHECKED
RECORDED = Load(requests=120, tokens=60_000)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def looked(service: Any, load: Load, name: str) -> dict[str, Check]:
    (probe,) = (one for one in service.probes(load) if one.name == name)
    return {check.name: check for check in probe.look()}


def openai_side(internet: Internet, **more: Any) -> Any:
    names = {"resource": "answers", "endpoint": "gpt-4o", "network": through(internet)}
    return azure_openai.build(azure_side(**{**names, **more}))


def deployment(**properties: Any) -> dict[str, Any]:
    told = {
        "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"},
        "versionUpgradeOption": "NoAutoUpgrade",
        "provisioningState": "Succeeded",
        "rateLimits": [
            {"key": "request", "renewalPeriod": 10, "count": 100},
            {"key": "token", "renewalPeriod": 60, "count": 100_000},
        ],
    }
    return {"name": "gpt-4o", "sku": {"name": "Standard", "capacity": 100}, "properties": {**told, **properties}}


def models(ends: datetime | None) -> dict[str, Any]:
    one = {"name": "gpt-4o", "version": "2024-11-20", "lifecycleStatus": "GenerallyAvailable"}
    return {"value": [{**one, **({"deprecation": {"inference": ends.isoformat()}} if ends else {})}]}


LATER = datetime.now(UTC) + timedelta(days=400)


def managed(clouds: Any, answers: dict[str, Any]) -> None:
    """What the resource manager answers, by the end of the path."""

    def manage(request: Any) -> Reply | None:
        path = request.path.partition("?")[0]
        for end, reply in answers.items():
            if path.endswith(end):
                return reply if isinstance(reply, Reply) else json_reply(reply)
        return None

    clouds.manage = manage


def refused(status: int, code: str) -> Reply:
    return json_reply({"error": {"code": code, "message": "not shown"}}, status)


def test_a_deployment_that_stands_still_is_fine(internet, clouds):
    managed(clouds, {"/deployments/gpt-4o": deployment(), "/models": models(LATER)})
    found = looked(openai_side(internet), RECORDED, "deployment")
    assert {check.status for check in found.values()} == {OK}
    assert "gpt-4o 2024-11-20" in found["deployment"].said


def test_automatic_upgrades_are_a_problem(internet, clouds):
    upgrading = deployment(versionUpgradeOption="OnceNewDefaultVersionAvailable")
    managed(clouds, {"/deployments/gpt-4o": upgrading, "/models": models(LATER)})
    check = looked(openai_side(internet), RECORDED, "deployment")["automatic upgrade"]
    assert (check.status, "NoAutoUpgrade" in check.remedy) == (PROBLEM, True)


@pytest.mark.parametrize(("days", "status"), [(-1, PROBLEM), (89, PROBLEM), (91, OK), (None, NOT)])
def test_a_version_that_retires_within_90_days_is_a_problem(days, status):
    told = models(None if days is None else NOW + timedelta(days=days))["value"]
    check = cognitive.retirement({"name": "gpt-4o", "version": "2024-11-20"}, told, now=NOW)
    assert check.status is status


def test_another_versions_date_is_not_taken():
    told = models(NOW)["value"]
    assert cognitive.retirement({"name": "gpt-4o", "version": "2024-08-06"}, told, now=NOW).status is NOT


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (Load(requests=600, tokens=100_000), [OK, OK]),
        (Load(requests=601, tokens=100_000), [PROBLEM, OK]),
        (Load(requests=1, tokens=100_001), [OK, PROBLEM]),
        (Load(requests=1), [OK, NOT]),
        (Load(), [NOT]),
    ],
)
def test_rate_limits_are_scaled_to_a_minute_and_held_against_the_peak(load, expected):
    """100 requests in 10 seconds are 600 a minute."""
    found = cognitive.quota(deployment()["properties"], {}, load, "answers")
    assert [check.status for check in found] == expected


def test_limits_that_are_not_told_are_not_checked():
    (check,) = cognitive.quota({}, {"capacity": 7}, RECORDED, "answers")
    assert (check.status, "capacity 7" in check.said) == (NOT, True)


def test_a_deployment_that_is_not_there_is_a_problem(internet, clouds):
    managed(clouds, {"/deployments/gpt-4o": refused(404, "ResourceNotFound")})
    (check,) = looked(openai_side(internet), RECORDED, "deployment").values()
    assert (check.status, "az cognitiveservices account deployment list" in check.remedy) == (PROBLEM, True)


def test_what_the_resource_manager_does_not_tell_is_not_checked_and_names_role_and_scope(internet, clouds):
    managed(clouds, {"/deployments/gpt-4o": refused(403, "AuthorizationFailed")})
    found = looked(openai_side(internet), RECORDED, "deployment")
    assert set(found) == {"deployment", "automatic upgrade", "retirement", "quota"}
    assert {check.status for check in found.values()} == {NOT}
    scope = f"/subscriptions/{ZEROS}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/answers"
    assert all(f'"Cognitive Services OpenAI User" --scope {scope}' in check.remedy for check in found.values())


def test_a_profile_without_a_subscription_is_not_checked(internet):
    found = looked(openai_side(internet, subscription_id=None), RECORDED, "deployment")
    assert {check.status for check in found.values()} == {NOT}
    assert "subscription_id" in found["deployment"].said


@pytest.mark.parametrize(
    ("reply", "status", "remedy"),
    [
        (Reply(200, b'{"data": []}'), OK, ""),
        (
            json_reply({"error": {"message": "Public access is disabled. Please use it."}}, 403),
            PROBLEM,
            "network-rule add",
        ),
        (
            json_reply({"error": {"message": "lacks the required data action"}}, 401),
            PROBLEM,
            "Cognitive Services OpenAI User",
        ),
        (json_reply({"error": {"message": "x"}}, 403), PROBLEM, "az role assignment create"),
        (Reply(404), NOT, "--sample 1"),
    ],
)
def test_the_data_plane_tells_network_rules_from_roles(internet, clouds, reply, status, remedy):
    clouds.infer = lambda request: reply
    (check,) = looked(openai_side(internet), RECORDED, "access").values()
    assert check.status is status
    assert remedy in check.remedy


def test_a_key_that_is_refused_is_told_from_a_role(internet, clouds, monkeypatch):
    monkeypatch.setenv("RESOURCE_KEY", "k" * 8)
    (check,) = looked(openai_side(internet, api_key_env="RESOURCE_KEY"), RECORDED, "access").values()
    assert (check.status, "account keys list" in check.remedy) == (PROBLEM, True)


def test_a_key_that_is_not_set_is_a_problem(internet):
    (check,) = looked(openai_side(internet, api_key_env="NOWHERE_SET"), RECORDED, "key or token").values()
    assert (check.status, "export NOWHERE_SET=" in check.remedy) == (PROBLEM, True)


SCOPE = "https://cognitiveservices.azure.com/.default"


@pytest.mark.parametrize(
    ("said", "left_s", "status", "remedy"),
    [
        ({"aud": "https://cognitiveservices.azure.com", "tid": ZEROS}, 3600, OK, ""),
        ({"aud": "00000003-0000-0000-c000-000000000000"}, 3600, OK, ""),
        ({"aud": "https://management.azure.com/", "tid": ZEROS}, 3600, PROBLEM, "cloud"),
        ({"tid": ZEROS.replace("0", "1")}, 3600, PROBLEM, "az login --tenant"),
        ({}, -1, PROBLEM, "clock"),
        ({}, 60, OK, ""),
    ],
)
def test_a_token_is_held_against_tenant_audience_and_time(said, left_s, status, remedy):
    middle = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    now_s = time.time()
    side = azure_side(tenant_id=ZEROS)
    check = azure.held(azure.claims(f"h.{middle}.s"), now_s + left_s, side, scope=SCOPE, now_s=now_s)
    assert check.status is status
    assert remedy in check.remedy


def test_a_token_that_is_no_jwt_says_nothing():
    assert azure.claims("opaque") == azure.claims("a.!!!.c") == {}


@pytest.mark.parametrize(
    ("code", "remedy"),
    [("700016", "client_id"), ("90002", "no such tenant"), ("7000222", "expired"), ("9999999", "error?code=9999999")],
)
def test_each_refusal_of_entra_has_a_remedy_of_its_own(internet, clouds, monkeypatch, tmp_path, code, remedy):
    token = tmp_path / "federated"
    token.write_text("x" * 9)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    said = {"error": "unauthorized_client", "error_description": f"AADSTS{code}: words"}
    managed(clouds, {"/oauth2/v2.0/token": json_reply(said, 400)})
    service = openai_side(internet, credential="workload_identity", client_id=ZEROS, tenant_id=ZEROS)
    (check,) = looked(service, RECORDED, "key or token").values()
    assert check.status is PROBLEM
    assert remedy in check.remedy


@pytest.mark.parametrize(
    ("version", "api", "needs", "status"),
    [
        ("v1", "responses", {"json_schema"}, OK),
        ("2024-10-21", "chat", {"json_schema"}, OK),
        ("2024-06-01", "chat", {"json_schema"}, PROBLEM),
        ("2024-06-01", "chat", set(), OK),
        ("2024-10-21", "responses", set(), PROBLEM),
        ("2025-03-01-preview", "responses", set(), OK),
    ],
)
def test_an_api_version_must_know_what_the_suite_needs(version, api, needs, status):
    assert cognitive.api_version(version, api, Load(needs=frozenset(needs))).status is status


def test_foundry_is_asked_for_what_costs_nothing(internet, clouds):
    managed(clouds, {"/deployments/claude": deployment(), "/models": models(LATER)})
    service = foundry.build(azure_side(resource="answers", endpoint="claude", network=through(internet)))
    assert looked(service, RECORDED, "deployment")["deployment"].status is OK
    assert looked(service, RECORDED, "access")["access"].status is NOT
    assert not [one for one in internet.requests if one.path.startswith("/anthropic")]


def endpoint(**properties: Any) -> dict[str, Any]:
    told = {"authMode": "Key", "traffic": {"blue": 100}, "provisioningState": "Succeeded"}
    return {"name": "visits", "properties": {**told, **properties}}


def deployments(*collected: str) -> dict[str, Any]:
    collections = {name: {"dataCollectionMode": "Enabled"} for name in collected}
    properties = {
        "dataCollector": {"collections": collections},
        "requestSettings": {"maxConcurrentRequestsPerInstance": 4},
    }
    return {"value": [{"name": "blue", "sku": {"capacity": 3}, "properties": properties}]}


def ml(internet: Internet, **more: Any) -> Any:
    return azureml.build(azure_side(network=through(internet), **more))


def test_an_online_endpoint_that_serves_is_fine_and_its_instances_are_told(internet, clouds):
    managed(clouds, {"/onlineEndpoints/visits": endpoint(), "/deployments": deployments()})
    found = looked(ml(internet), RECORDED, "endpoint")
    assert found["endpoint"].status is found["leave to call"].status is OK
    assert "blue 3 instance(s), 4 call(s) each" in found["capacity"].said
    assert "data collection" not in found
    assert all(clouds.key not in str(check) for check in found.values())


@pytest.mark.parametrize(
    ("answers", "more", "name", "remedy"),
    [
        ({"/onlineEndpoints/visits": refused(404, "ResourceNotFound")}, {}, "endpoint", "az ml online-endpoint list"),
        ({"/onlineEndpoints/visits": endpoint(traffic={"blue": 0})}, {}, "endpoint", "--traffic"),
        ({"/onlineEndpoints/visits": endpoint(provisioningState="Failed")}, {}, "endpoint", "online-endpoint show"),
        (
            {"/onlineEndpoints/visits": endpoint(), "/listKeys": refused(403, "AuthorizationFailed")},
            {},
            "leave to call",
            "onlineEndpoints/listKeys/action",
        ),
        (
            {"/onlineEndpoints/visits": endpoint(), "/deployments": deployments()},
            {"endpoint": "visits/green"},
            "endpoint",
            "az ml online-deployment list",
        ),
    ],
)
def test_what_stops_an_online_endpoint_is_a_problem(internet, clouds, answers, more, name, remedy):
    managed(clouds, answers)
    check = looked(ml(internet, **more), RECORDED, "endpoint")[name]
    assert check.status is PROBLEM
    assert remedy in check.remedy


def test_an_endpoint_of_entras_tokens_cannot_be_checked_without_a_call(internet, clouds):
    managed(clouds, {"/onlineEndpoints/visits": endpoint(authMode="AADToken")})
    check = looked(ml(internet), RECORDED, "endpoint")["leave to call"]
    assert (check.status, "score/action" in check.remedy) == (NOT, True)


@pytest.mark.parametrize(
    ("collected", "status"), [(("model_inputs", "model_outputs"), OK), (("model_inputs",), PROBLEM)]
)
def test_the_logged_side_collects_inputs_and_outputs(internet, clouds, collected, status):
    managed(clouds, {"/onlineEndpoints/visits": endpoint(), "/deployments": deployments(*collected)})
    found = looked(ml(internet), replace(RECORDED, logged=True), "endpoint")
    assert found["data collection"].status is status


def test_a_resource_manager_that_may_not_be_asked_is_not_checked(internet, clouds):
    managed(clouds, {"/onlineEndpoints/visits": refused(403, "AuthorizationFailed")})
    found = looked(ml(internet), RECORDED, "endpoint")
    assert {check.status for check in found.values()} == {NOT}
    assert "AzureML Data Scientist" in found["endpoint"].remedy
