"""Azure OpenAI: the endpoint behind the real SDK, and what is this service's own in the codec."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from harness.config import SideSettings
from harness.core.call import FailureKind, Reading, Side, Unreadable, Wire
from harness.core.case import Request, Task
from harness.core.chat import Conversation, Message, Text
from harness.core.output import Chat, StopReason
from harness.core.protocols import Codec, Service
from harness.errors import ConfigError, Denied, Rejected, ServiceError, Throttled, Unavailable, UnknownName
from harness.services.azure_openai import build
from tests.services.clouds import ZEROS, Clouds, Internet, Reply, json_reply
from tests.services.contract import EndpointContract, lot

HELLO = Conversation(messages=(Message("user", (Text("Hello?"),)),))
ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-2024-11-20",
    "system_fingerprint": "fp_1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10},
}
BLOCKED = {
    "error": {
        "code": "content_filter",
        "message": "filtered",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {
                "self-harm": {"filtered": True, "severity": "high"},
                "hate": {"filtered": False, "severity": "safe"},
                "jailbreak": {"detected": True, "filtered": False},
            },
        },
    }
}


def side(internet: Internet | None = None, **more: Any) -> SideSettings:
    lab = {"azure_openai": internet.url} if internet is not None else {}
    given = {"cloud": "azure", "endpoint": "visits", "credential": "managed_identity", "lab": lab, "timeout_s": 5.0}
    return SideSettings(side=Side.TARGET, **{**given, **more})


def asked(**params: Any) -> Request:
    return HELLO.request(params)


def chunk(content: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    return {"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def sse(*chunks: Any, done: bool = True) -> Reply:
    lines = [f"data: {json.dumps(one)}\n\n" for one in chunks] + ["data: [DONE]\n\n"] * done
    return Reply(200, "".join(lines).encode(), {"Content-Type": "text/event-stream"})


class TestAzureOpenAIEndpoint(EndpointContract):
    """v1 addresses and Entra."""

    request = asked()
    answered = json_reply(ANSWER)
    body = ANSWER  # type: ignore[assignment]
    throttled = json_reply({"error": {"code": "429", "message": "slow"}}, 429, Retry_After="3")
    unavailable = json_reply({"error": {"code": "InternalServerError", "message": "m"}}, 500)
    rejected = json_reply({"error": {"code": "DeploymentNotFound", "message": "m"}}, 404)
    denied = json_reply({"error": {"code": "PermissionDenied", "message": "m"}}, 403)
    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def model(self, clouds: Clouds) -> None:
        clouds.infer = lambda request: self.answered

    def service(self, internet: Internet, **more: Any) -> Service:
        return build(side(internet, **more), **self.options)

    def calls(self, internet: Internet) -> list[Any]:
        return [one for one in internet.requests if "/chat/completions" in one.path]

    def sent(self, call: Any) -> Any:
        return json.loads(call.body)

    def expire(self, clouds: Clouds) -> None:
        clouds.token = secrets.token_hex(32)

    def renewals(self, internet: Internet) -> int:
        return sum(one.path.startswith("/msi/token") for one in internet.requests)

    def test_the_address_is_v1s(self, opened, internet):
        endpoint, wire = opened
        endpoint.call(wire, timeout_s=5)
        (call,) = self.calls(internet)
        assert call.path == "/openai/v1/chat/completions"
        assert self.sent(call)["model"] == "visits"


class TestDatedAddressesAndKeys(TestAzureOpenAIEndpoint):
    options: ClassVar[dict[str, Any]] = {"api_version": "2024-10-21"}

    @pytest.fixture(autouse=True)
    def key(self, clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("RESOURCE_KEY", clouds.key)

    def service(self, internet: Internet, **more: Any) -> Service:
        return build(side(internet, api_key_env="RESOURCE_KEY", **more), **self.options)

    def expire(self, clouds: Clouds) -> None:
        clouds.key = clouds.token = secrets.token_hex(32)
        self.monkeypatch.setenv("RESOURCE_KEY", clouds.key)

    def test_threads_refused_together_share_one_renewal(self, internet, clouds):
        """A key that was rolled is read again from its variable."""
        service = self.service(internet)
        endpoint = service.open()
        wire = service.codec.next(lot(self.request), ())
        self.expire(clouds)
        with pytest.raises(Denied) as caught:
            endpoint.call(wire, timeout_s=5)
        assert caught.value.may_refresh
        assert endpoint.refresh()
        assert endpoint.call(wire, timeout_s=5).status == 200
        endpoint.close()

    def test_the_address_is_v1s(self, opened, internet, clouds):
        endpoint, wire = opened
        endpoint.call(wire, timeout_s=5)
        (call,) = self.calls(internet)
        assert call.path == "/openai/deployments/visits/chat/completions?api-version=2024-10-21"
        assert call.headers["api-key"] == clouds.key
        assert "authorization" not in call.headers


@pytest.fixture
def called(internet, clouds):
    """Calls the service with one reply of the cloud; gives what the endpoint gave, or raised."""

    def call(reply: Reply, **params: Any) -> Wire:
        clouds.infer = lambda request: reply
        service = build(side(internet))
        endpoint = service.open()
        try:
            return endpoint.call(service.codec.next(lot(asked(**params)), ()), timeout_s=5)
        finally:
            endpoint.close()

    return call


def read(wire: Wire, request: Request | None = None) -> Reading | Unreadable:
    (reading,) = build(side()).codec.decode(lot(request or asked()), (wire,)).values()
    return reading


def chat(wire: Wire) -> Chat:
    reading = read(wire)
    assert isinstance(reading, Reading), reading
    assert isinstance(reading.output, Chat)
    return reading.output


def test_it_is_a_service():
    assert isinstance(build(side()), Service)
    assert isinstance(build(side()).codec, Codec)


def test_an_answer_tells_what_served_it(called):
    reading = read(called(json_reply(ANSWER, apim_request_id="r-1", x_ms_region="East US 2")))
    assert reading.output == Chat(text="Hello.", stop_raw="stop")
    assert (reading.served_model, reading.runtime) == ("gpt-4o-2024-11-20", "fp_1; api v1")
    assert (reading.tokens_in, reading.tokens_out) == (8, 2)
    wire = called(json_reply(ANSWER, apim_request_id="r-1", x_ms_region="East US 2"))
    assert (wire.headers["apim-request-id"], wire.headers["x-ms-region"]) == ("r-1", "East US 2")


def test_a_blocked_prompt_is_an_answer(called):
    answer = chat(called(json_reply(BLOCKED, 400)))
    assert (answer.text, answer.stop) == ("", StopReason.FILTER)
    assert (answer.filter.blocked, answer.filter.where) == (True, "prompt")
    assert answer.filter.categories == {"self_harm": "high", "jailbreak": "detected"}


def test_another_bad_request_is_rejected_by_its_code(called):
    with pytest.raises(Rejected, match=r"answered context_length_exceeded \(status 400"):
        called(json_reply({"error": {"code": "context_length_exceeded", "message": "patient 4711"}}, 400))


def test_milliseconds_to_wait_are_obeyed(called):
    with pytest.raises(Throttled) as caught:
        called(json_reply({"error": {"code": "429"}}, 429, retry_after_ms="1500", Retry_After="9"))
    assert caught.value.retry_after_s == 1.5


def test_a_stream_is_put_together(called):
    lead = {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"content_filter_results": {}}]}
    usage = {"model": "m", "choices": [], "usage": {"prompt_tokens": 8, "completion_tokens": 2}}
    wire = called(sse(lead, chunk(""), chunk("Hel"), chunk("lo."), chunk(finish="stop"), usage), stream=True)
    reading = read(wire)
    assert reading.output == Chat(text="Hello.", stop_raw="stop")
    assert (reading.tokens_in, reading.tokens_out) == (8, 2)
    assert 0 < reading.first_token_s < 5
    assert [event.kind for event in wire.events] == ["chunk"] * 6


def test_a_stream_is_asked_for_its_token_counts(internet, called):
    called(sse(chunk("x", "stop")), stream=True)
    assert json.loads(internet.requests[-1].body)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "reply",
    [
        sse(chunk("Hel"), done=False),
        sse(chunk("Hel")),
        sse(chunk("Hel", "stop"), done=False),
        Reply(200, sse(chunk("Hel"), done=False).body + b"data: {broken\n\n", {"Content-Type": "text/event-stream"}),
        Reply(
            200,
            sse(chunk("Hel"), done=False).body,
            {"Content-Type": "text/event-stream", "Content-Length": "5000"},
        ),
    ],
    ids=["no end", "no finish_reason", "no [DONE]", "no JSON", "connection lost"],
)
def test_a_stream_that_breaks_off_keeps_what_came(called, reply):
    with pytest.raises(Unavailable) as caught:
        called(reply, stream=True)
    partial = read(caught.value.partial)
    assert isinstance(partial, Unreadable)
    assert (partial.partial.text, partial.kind) == ("Hel", FailureKind.UNAVAILABLE)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": {"code": "429", "message": "m"}}, Throttled),
        ({"error": {"type": "rate_limit_exceeded", "message": "m"}}, Throttled),
        ({"error": {"code": "server_error", "message": "m"}}, Unavailable),
        ({"code": "RateLimitReached", "message": "m"}, Throttled),
    ],
)
def test_an_error_inside_a_stream_is_raised_as_what_it_is(called, error, kind):
    with pytest.raises(ServiceError) as caught:
        called(sse(chunk("Hel"), error), stream=True)
    assert type(caught.value) is kind
    assert read(caught.value.partial).partial.text == "Hel"
    assert read(caught.value.partial).kind is FailureKind(kind.kind)


def test_an_error_event_is_an_error_whatever_it_holds(called):
    body = sse(chunk("Hel"), done=False).body + b'event: error\ndata: {"whatever": 1}\n\n'
    with pytest.raises(Unavailable):
        called(Reply(200, body, {"Content-Type": "text/event-stream"}), stream=True)


def test_a_filter_that_stops_a_stream_is_behaviour(called):
    answer = chat(called(sse(chunk("Hel"), {"error": {"code": "content_filter", "message": "m"}}), stream=True))
    assert (answer.text, answer.stop, answer.filter.where) == ("Hel", StopReason.FILTER, "completion")


def test_a_stream_may_be_answered_in_one_piece(called):
    assert chat(called(json_reply(ANSWER), stream=True)).text == "Hello."


@pytest.mark.parametrize("version", ["2024", "latest", "2024-10-21-beta", ""])
def test_a_version_that_is_none_is_refused(version):
    with pytest.raises(ConfigError, match='neither "v1" nor a date'):
        build(side(), api_version=version)


def test_an_unknown_api_names_the_nearest():
    with pytest.raises(UnknownName, match='Did you mean "responses"'):
        build(side(), api="response")


def test_the_limit_has_the_name_of_its_time():
    def limits(version: str) -> set[str]:
        sent = build(side(), api_version=version).codec.next(lot(asked(max_tokens=5)), ())
        return {name for name in sent.body if name.startswith("max_")}

    assert limits("v1") == limits("2024-10-21") == {"max_completion_tokens"}
    assert limits("2024-02-01") == {"max_tokens"}


def test_hosts_follow_the_cloud():
    from harness.services._hosts import azure_cloud, resource_address

    def address(cloud: str) -> str:
        settings = side(cloud=cloud, resource="my-openai")
        return resource_address(settings, "azure_openai", azure_cloud(settings, "azure_openai").openai)

    assert address("azure") == "https://my-openai.openai.azure.com"
    assert address("azure-us-gov") == "https://my-openai.openai.azure.us"


def test_a_resource_and_a_key_that_are_missing_are_named(monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(ConfigError, match='needs "resource"'):
        build(side()).open()
    with pytest.raises(ConfigError, match="NO_SUCH_KEY"):
        build(side(resource="my-openai", api_key_env="NO_SUCH_KEY")).open()


def test_what_is_no_task_of_the_service_is_refused():
    from harness.errors import UnencodableRequest

    with pytest.raises(UnencodableRequest, match="tabular"):
        build(side()).codec.next(lot(Request(Task.TABULAR, {})), ())


def managed(clouds: Clouds, policy: Reply, deployment: Reply | None = None) -> None:
    """A resource manager that knows one deployment."""
    properties = {
        "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"},
        "versionUpgradeOption": "NoAutoUpgrade",
        "raiPolicyName": "strict",
    }
    known = deployment or json_reply({"sku": {"name": "GlobalStandard"}, "properties": properties})

    def manage(request: Any) -> Reply | None:
        account = f"/subscriptions/{ZEROS}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/my-openai"
        replies = {f"{account}/deployments/visits": known, f"{account}/raiPolicies/strict": policy}
        return replies.get(request.path.removesuffix("?api-version=2024-10-01"))

    clouds.manage = manage


@pytest.fixture
def runtime(internet, clouds):
    """The runtime that an answer tells, where the profile names subscription, resource group and resource."""

    def told() -> str | None:
        clouds.infer = lambda request: json_reply(ANSWER)
        lab = {"azure_openai": internet.url, "resource_manager": internet.url}
        settings = side(lab=lab, subscription_id=ZEROS, resource_group="rg", resource="my-openai")
        service = build(settings)
        endpoint = service.open()
        try:
            return read(endpoint.call(service.codec.next(lot(asked()), ()), timeout_s=5)).runtime
        finally:
            endpoint.close()

    return told


def test_the_deployments_version_and_filter_are_told(clouds, runtime):
    managed(clouds, json_reply({"properties": {"mode": "Default"}, "systemData": {"lastModifiedAt": "2026"}}))
    one = runtime()
    assert one.startswith("fp_1; api v1; gpt-4o 2024-11-20, sku GlobalStandard, upgrades NoAutoUpgrade, filter strict ")
    managed(clouds, json_reply({"properties": {"mode": "Default"}, "systemData": {"lastModifiedAt": "2027"}}))
    assert runtime() == one
    managed(clouds, json_reply({"properties": {"mode": "Asynchronous_filter"}}))
    assert runtime() != one


def test_a_deployment_that_cannot_be_read_stops_no_run(clouds, runtime):
    managed(clouds, Reply(403))
    assert runtime().endswith("filter strict not read (status 403)")
    managed(clouds, Reply(403), deployment=Reply(403))
    assert runtime() == "fp_1; api v1; deployment not read (status 403)"
    managed(clouds, Reply(403), deployment=Reply(200, b"<html>"))
    assert runtime() == "fp_1; api v1; deployment not read (no JSON object)"


@pytest.fixture
def renewing(internet, clouds):
    """An endpoint that a token of one second opens, and a call to make through it."""
    clouds.lifetime_s = 1.0
    clouds.infer = lambda request: json_reply(ANSWER)
    service = build(side(internet))
    endpoint = service.open()
    yield endpoint, service.codec.next(lot(asked()), ())
    endpoint.close()


def test_a_token_near_its_end_is_renewed_without_a_failure(internet, clouds, renewing):
    endpoint, wire = renewing
    used = {clouds.token}
    endpoint.call(wire, timeout_s=5)
    time.sleep(1.0)
    clouds.token = secrets.token_hex(32)
    used.add(clouds.token)
    endpoint.call(wire, timeout_s=5)
    calls = [one for one in internet.requests if one.path.startswith("/openai/")]
    assert {call.headers["authorization"].removeprefix("Bearer ") for call in calls} == used


def test_a_renewal_that_fails_early_does_no_harm(clouds, renewing):
    endpoint, wire = renewing
    ring = endpoint._keyring
    clouds.manage = lambda request: Reply(503) if request.path.startswith("/msi") else None
    ring._opener = replace(ring._opener, refresh_at_s=0.0, expires_at_s=time.time() + 60)
    assert [endpoint.call(wire, timeout_s=5).status for _ in range(3)] == [200] * 3
    ring._opener = replace(ring._opener, refresh_at_s=0.0, expires_at_s=0.0)
    with pytest.raises(ServiceError):
        endpoint.call(wire, timeout_s=5)
