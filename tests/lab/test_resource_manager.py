"""The resource manager and the managed identity, asked by real azure-ai-ml and azure-identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy

from harness import lab as lab_room
from tests.lab.asking import frame


class LoopbackWithoutTls(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """Some calls of azure-ai-ml 1.35 do not hand on its own `enforce_https` option."""

    def on_request(self, request: Any) -> None:
        if request.http_request.url.startswith("http://127.0.0.1:"):
            request.context.options["enforce_https"] = False


@pytest.fixture
def client(lab, monkeypatch) -> Callable[..., Any]:
    # MLClient overwrites this variable, and a process that inherits an unknown cloud cannot import azure.ai.ml.
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")

    def build(workspace: str = lab_room.WORKSPACE) -> Any:
        from azure.ai.ml import MLClient
        from azure.identity import ManagedIdentityCredential

        address = lab.addresses["resource_manager"]
        return MLClient(
            ManagedIdentityCredential(client_id=lab_room.CLIENT),
            lab_room.SUBSCRIPTION,
            lab_room.RESOURCE_GROUP,
            workspace,
            cloud=f"Lab-{address.rsplit(':', 1)[1]}",
            cloud_metadata={
                "azure_portal": address,
                "resource_manager": address,
                "active_directory": address,
                "aml_resource_id": "https://ml.azure.com",
                "storage_endpoint": "core.windows.net",
                "registry_discovery_endpoint": address,
            },
            enable_telemetry=False,
            show_progress=False,
            per_call_policies=[LoopbackWithoutTls()],
        )

    return build


def test_the_scoring_uri_and_key_that_mlclient_resolves_are_good_for_a_call(client, http, held_out):
    ml = client()
    endpoint = ml.online_endpoints.get("visits")
    assert endpoint.auth_mode == "key" and endpoint.traffic == {"blue": 100}
    key = ml.online_endpoints.get_keys("visits").primary_key
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    assert http.request("POST", endpoint.scoring_uri, body=frame(held_out[:1]), headers=headers).status == 200


@pytest.mark.parametrize(("name", "mode"), [("visits-token", "aml_token"), ("visits-aad", "aad_token")])
def test_tokens_are_good_until_they_expire_and_then_a_new_one_is(lab, client, http, held_out, name, mode):
    ml = client()
    endpoint = ml.online_endpoints.get(name)
    assert endpoint.auth_mode == mode

    def call(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return http.request("POST", endpoint.scoring_uri, body=frame(held_out[:1]), headers=headers).status

    token = ml.online_endpoints.get_keys(name).access_token
    assert call(token) == 200
    lab.expire_tokens()
    assert call(token) == 401
    assert call(client().online_endpoints.get_keys(name).access_token) == 200


def test_a_token_lifetime_is_told_and_kept(lab, client):
    lab.set_token_lifetime(60.0)
    token = client().online_endpoints.get_keys("visits-token")
    assert token.refresh_after_time_utc < token.expiry_time_utc
    lab.set_token_lifetime(600.0)
    assert 500 < client().online_endpoints.get_keys("visits-token").expiry_time_utc - token.expiry_time_utc < 600


def test_traffic_is_set_through_a_long_running_operation_and_then_rules_calls(client, score, held_out):
    ml, body = client(), frame(held_out[:1])
    endpoint = ml.online_endpoints.get("visits")
    endpoint.traffic = {"blue": 0}
    assert ml.online_endpoints.begin_create_or_update(endpoint).result().traffic == {}
    assert score(body).status == 404
    assert score(body, azureml_model_deployment="blue").status == 200
    endpoint.traffic = {"blue": 100}
    assert ml.online_endpoints.begin_create_or_update(endpoint).result().traffic == {"blue": 100}
    assert score(body).status == 200


@pytest.mark.parametrize("traffic", [{"green": 100}, {"blue": 50}])
def test_impossible_traffic_is_refused(client, traffic):
    ml = client()
    endpoint = ml.online_endpoints.get("visits")
    endpoint.traffic = traffic
    with pytest.raises(HttpResponseError, match="BadRequest"):
        ml.online_endpoints.begin_create_or_update(endpoint).result()


def test_regenerated_keys_replace_the_old_one(client, score, held_out):
    ml, body = client(), frame(held_out[:1])
    old = ml.online_endpoints.get_keys("visits").primary_key
    ml.online_endpoints.begin_regenerate_keys("visits").result()
    new = ml.online_endpoints.get_keys("visits").primary_key
    assert score(body, token=old).status == 401
    assert score(body, token=new).status == 200


def test_lists_hold_what_can_be_got(client):
    ml = client()
    assert [endpoint.name for endpoint in ml.online_endpoints.list()] == [
        "visits",
        "visits-token",
        "visits-aad",
        "usage",
        "visits-both",
    ]
    assert [deployment.name for deployment in ml.online_deployments.list("visits-both")] == ["blue", "green"]
    assert [deployment.name for deployment in ml.online_deployments.list("visits")] == ["blue"]
    assert ml.workspaces.get(lab_room.WORKSPACE).location == "eastus"


def test_what_does_not_exist_is_not_found_in_the_resource_managers_words(client):
    with pytest.raises(ResourceNotFoundError, match="ResourceNotFound"):
        client().online_endpoints.get("visit")
    with pytest.raises(ResourceNotFoundError, match="workspaces/elsewhere"):
        client(workspace="elsewhere").online_endpoints.get("visits")


def test_an_expired_arm_token_is_refused_and_a_new_credential_helps(lab, client):
    ml = client()
    ml.online_endpoints.get("visits")
    lab.expire_tokens()
    with pytest.raises(ClientAuthenticationError, match="ExpiredAuthenticationToken"):
        ml.online_endpoints.get("visits")
    assert client().online_endpoints.get("visits").name == "visits"


def test_the_identity_endpoint_answers_only_to_its_header_and_known_audiences(lab, http):
    place = lab.environment["IDENTITY_ENDPOINT"]
    header = {"X-IDENTITY-HEADER": lab.environment["IDENTITY_HEADER"]}
    good = {"api-version": "2019-08-01", "resource": "https://ml.azure.com"}
    assert http.request("GET", place, fields=good, headers=header).status == 200
    assert http.request("GET", place, fields=good).status == 401
    assert (
        http.request("GET", place, fields=good | {"resource": "https://vault.azure.net"}, headers=header).status == 400
    )
    assert http.request("GET", place, fields=good | {"client_id": "other"}, headers=header).status == 400


def test_a_token_for_another_audience_opens_nothing(lab, http):
    place = lab.environment["IDENTITY_ENDPOINT"]
    header = {"X-IDENTITY-HEADER": lab.environment["IDENTITY_HEADER"]}
    asked = {"api-version": "2019-08-01", "resource": "https://ml.azure.com"}
    token = http.request("GET", place, fields=asked, headers=header).json()["access_token"]
    workspace = (
        f"/subscriptions/{lab_room.SUBSCRIPTION}/resourceGroups/{lab_room.RESOURCE_GROUP}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{lab_room.WORKSPACE}?api-version=2024-10-01-preview"
    )
    headers = {"Authorization": f"Bearer {token}"}
    answer = http.request("GET", lab.addresses["resource_manager"] + workspace, headers=headers)
    assert (answer.status, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_it_tells_of_the_deployments_of_azure_openai_and_of_their_content_filter(lab, http):
    manager, header = lab.addresses["resource_manager"], {"X-IDENTITY-HEADER": lab.environment["IDENTITY_HEADER"]}
    asked = {"api-version": "2019-08-01", "resource": "https://management.azure.com"}
    handed = http.request("GET", lab.environment["IDENTITY_ENDPOINT"], fields=asked, headers=header).json()
    account = (
        f"{manager}/subscriptions/{lab_room.SUBSCRIPTION}/resourceGroups/{lab_room.RESOURCE_GROUP}"
        "/providers/Microsoft.CognitiveServices/accounts/parity-lab"
    )

    def get(path: str, token: str = handed["access_token"]) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return http.request("GET", f"{account}/{path}?api-version=2024-10-01", headers=headers)

    deployment = get("deployments/gpt-4o").json()["properties"]
    assert deployment["model"] == {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
    policy = get(f"raiPolicies/{deployment['raiPolicyName']}").json()["properties"]
    assert {one["name"] for one in policy["contentFilters"]} == {"Hate", "Selfharm", "Sexual", "Violence"}
    assert get("deployments/gpt-9").status == 404 and get("deployments/gpt-4o", token="x.y.z").status == 401
