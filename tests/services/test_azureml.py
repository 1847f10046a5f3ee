"""Azure ML online endpoints: the codec, and the endpoint that azure-ai-ml resolves."""

from __future__ import annotations

import json
import math
import re
import secrets
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import SideSettings
from harness.core.call import Reading, Side, Unreadable, Wire
from harness.core.case import Request, Task
from harness.core.protocols import Service
from harness.errors import ConfigError, Denied, Rejected, Throttled, TimedOut, Unavailable, UnencodableRequest
from harness.services._replies import retry_after_s
from harness.services.azureml import build
from tests.services.clouds import Reply, azure_side, json_reply
from tests.services.contract import CodecContract, EndpointContract, lot, recording, replayed, table, values

SETTINGS = SideSettings(side=Side.TARGET, cloud="azure", endpoint="visits")


def wire(body: bytes, **headers: str) -> Wire:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Wire(operation="score", status=200, headers={"content-type": "application/json", **named}, body=body)


class TestAzureMLCodec(CodecContract):
    codec = build(SETTINGS).codec
    json_only = True

    def reply(self, body, **headers):
        return wire(body, **headers)

    def test_it_belongs_to_a_service(self):
        assert isinstance(build(SETTINGS), Service)

    def test_named_columns_go_out_in_split_form(self):
        sent = self.codec.next(lot(table([[63, 2.5], [45, None]], columns=["age", "chol"])), ())
        expected = {"input_data": {"columns": ["age", "chol"], "index": [0, 1], "data": [[63, 2.5], [45, None]]}}
        assert json.loads(sent.body) == expected
        assert sent.headers == {"content-type": "application/json", "accept": "application/json"}

    def test_rows_without_names_go_out_alone(self):
        assert self.codec.next(lot(table([[1, 2]])), ()).body == b'{"input_data":[[1,2]]}'

    def test_params_of_predict_go_beside_the_rows(self):
        sent = self.codec.next(lot(table([[1]], temperature=0.0)), ())
        assert json.loads(sent.body) == {"input_data": [[1]], "params": {"temperature": 0.0}}

    @pytest.mark.parametrize(
        "body",
        [
            b'{"input_data":{"columns":["a"],"index":[0],"data":[[1]]}}',
            b'{"input_data":[[1,null],["x",true]]}',
            b'{"input_data":[[1]],"params":{"k":2}}',
            b'{"input_data":{"tokens":[[0,655]],"mask":[[0,1]]}}',
            b'{"data":[[1]]}',
            b"[1,2]",
        ],
    )
    def test_a_recorded_body_goes_out_as_it_came(self, body):
        request = self.codec.read_request(recording(body, "application/json"))
        assert self.codec.next(lot(request), ()).body == body

    @pytest.mark.parametrize(
        "body",
        [b'{"input_data":{"columns":["a","b"],"data":[[1]]}}', b'{"input_data":[[1],[1,2]]}', b'{"input_data":[]}'],
    )
    def test_a_ragged_table_is_kept_as_a_body(self, body):
        assert self.codec.read_request(recording(body, "application/json")).payload == {"body": json.loads(body)}

    @given(st.lists(st.tuples(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()), min_size=1))
    def test_rows_come_back_as_they_went(self, rows):
        request = table([list(row) for row in rows], columns=["a", "b", "c"])
        assert replayed(self.codec, request) == request

    def test_json_cannot_say_nan(self):
        with pytest.raises(UnencodableRequest, match="NaN"):
            self.codec.next(lot(table([[math.nan]])), ())

    def test_an_application_body_is_sent_as_it_is(self):
        sent = self.codec.next(lot(Request(Task.TABULAR, {"body": {"data": [[1]]}})), ())
        assert sent.body == b'{"data":[[1]]}'

    def test_rows_of_an_application_body_are_counted_where_it_shows_them(self):
        request = lot(Request(Task.TABULAR, {"body": {"input_data": {"columns": ["a"], "data": [[1], [2]]}}}))
        (read,) = self.codec.decode(request, (wire(b"[0.5]"),)).values()
        assert isinstance(read, Unreadable)

    @pytest.mark.parametrize(
        ("body", "rows", "expected", "columns"),
        [
            (b"[0, 1]", 2, [[0.0], [1.0]], ("0",)),
            (b"0.5", 1, [[0.5]], ("0",)),
            (b"[[0.1, 0.9]]", 1, [[0.1, 0.9]], ("0", "1")),
            (b'[{"p": 0.1, "q": 1}, {"q": 2, "p": 0.7}]', 2, [[0.1, 1.0], [0.7, 2.0]], ("p", "q")),
            (b'{"predictions": [0.1]}', 1, [[0.1]], ("0",)),
            (b'{"predictions": [0.1], "model": "x"}', 1, [[0.1]], ("0",)),
            (b'{"scores": [[0.1]]}', 1, [[0.1]], ("0",)),
            (b'"[0.1, 0.2]"', 2, [[0.1], [0.2]], ("0",)),
            (b"[Infinity, -Infinity]", 2, [[math.inf], [-math.inf]], ("0",)),
        ],
    )
    def test_answers(self, body, rows, expected, columns):
        read = self.decoded(body, rows)
        assert values(read) == expected
        assert read.output.columns == columns

    def test_nan_came_and_stays(self):
        assert math.isnan(values(self.decoded(b"[NaN]"))[0][0])

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b'{"predictions": [0.1', "ends too early"),
            (b"[0.1,,]", "is malformed"),
            (b"[nan]", "is malformed"),
            (b"[null]", 'row 1, column "0" of the reply is null'),
            (b"[true]", "is true or false, not a number"),
            (b'["0.5"]', "is text, not a number"),
            (b"[[[1]]]", "is a list, not a number"),
            (b"[1e5, {}]", "empty object"),
            (b"[[1, 2], [3]]", "row 2 of the reply has other columns"),
            (b"[]", "no rows"),
            (b'{"a": [1], "b": [2]}', "without a list of predictions"),
            (b'"not json"', "is malformed"),
            (b"[" * 100_000, "nested too deeply"),
            (b"[1" + b"0" * 400 + b"]", "too large"),
        ],
    )
    def test_unreadable_answers_say_why(self, body, said):
        read = self.decoded(body)
        assert isinstance(read, Unreadable)
        assert said in read.message

    def test_what_served_it_is_read_from_the_headers(self):
        read = self.decoded(b"[0.5]", azureml_model_deployment="green", x_model_runtime="onnxruntime 1.23.2")
        assert isinstance(read, Reading)
        assert (read.served_model, read.runtime) == ("green", "onnxruntime 1.23.2")


class TestAzureMLEndpoint(EndpointContract):
    throttled = Reply(429, b"too_many_pending_request", {"Retry-After": "3"})
    unavailable = Reply(500, b"fault")
    rejected = Reply(424, b"patient 4711", {"ms-azureml-model-error-statuscode": "400"})
    denied = Reply(403)

    def service(self, internet, **more):
        return build(azure_side(internet, **more))

    def expire(self, clouds):
        clouds.key, clouds.token = secrets.token_hex(32), secrets.token_hex(32)

    def renewals(self, internet):
        return sum(request.path.split("?")[0].endswith("/listKeys") for request in internet.requests)

    def call(self, internet, **more):
        service = self.service(internet, **more)
        endpoint = service.open()
        endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
        endpoint.close()
        return self.calls(internet)[-1]

    def test_the_key_is_resolved_once(self, internet, opened):
        endpoint, wire = opened
        for _ in range(5):
            endpoint.call(wire, timeout_s=5)
        assert self.renewals(internet) == 1
        assert len(internet.requests) == len(self.calls(internet)) + 5  # token, endpoint and deployments, both again

    def test_each_call_has_an_id_of_its_own(self, internet, opened):
        endpoint, wire = opened
        for _ in range(3):
            endpoint.call(wire, timeout_s=5)
        assert len({call.headers["x-ms-client-request-id"] for call in self.calls(internet)}) == 3

    def test_a_deployment_is_named_only_where_the_suite_names_it(self, internet):
        """azure-ai-ml's invoke leaks the header of one call into the next."""
        assert self.call(internet, endpoint="visits/blue").headers["azureml-model-deployment"] == "blue"
        assert "azureml-model-deployment" not in self.call(internet).headers

    @pytest.mark.parametrize("auth_mode", ["AMLToken", "AADToken"])
    def test_tokens_open_an_endpoint_too(self, internet, clouds, auth_mode):
        clouds.auth_mode = auth_mode
        assert self.call(internet).headers["authorization"] == f"Bearer {clouds.token}"

    @pytest.mark.parametrize("auth_mode", ["AMLToken", "AADToken"])
    def test_a_token_near_its_end_is_renewed_without_a_failure(self, internet, clouds, auth_mode):
        clouds.auth_mode, clouds.lifetime_s = auth_mode, 1.0
        service = self.service(internet)
        endpoint = service.open()
        wire = service.codec.next(lot(table([["1"]])), ())
        used = {clouds.token}
        endpoint.call(wire, timeout_s=5)
        for _ in range(2):
            time.sleep(1.0)
            clouds.token = secrets.token_hex(32)
            endpoint.call(wire, timeout_s=5)
            used.add(clouds.token)
        endpoint.close()
        assert {call.headers["authorization"].removeprefix("Bearer ") for call in self.calls(internet)} == used

    def test_a_renewal_that_fails_early_does_no_harm(self, internet, clouds):
        clouds.auth_mode, clouds.lifetime_s = "AMLToken", 5.0
        service = self.service(internet)
        endpoint = service.open()
        wire = service.codec.next(lot(table([["1"]])), ())
        endpoint._access = replace(endpoint._access, refresh_at_s=0.0)
        clouds.manage = lambda request: Reply(503) if request.path.startswith("/subscriptions") else None
        for _ in range(3):
            assert endpoint.call(wire, timeout_s=5).status == 200
        asked = [one for one in internet.requests if one.path.split("?")[0].endswith("/onlineEndpoints/visits")]
        assert len(asked) == 3  # two at opening; one renewal was tried, and not again for a while
        endpoint._access = replace(endpoint._access, refresh_at_s=0.0, expires_at_s=0.0)
        with pytest.raises(Unavailable):
            endpoint.call(wire, timeout_s=5)
        endpoint.close()

    @pytest.mark.parametrize(
        ("status", "headers", "kind", "said"),
        [
            (400, {}, Rejected, "status 400"),
            (401, {}, Denied, "has expired"),
            (404, {}, Rejected, "no deployment has traffic"),
            (408, {}, TimedOut, "request_timeout_ms"),
            (413, {}, Rejected, "larger than the endpoint takes"),
            (424, {"ms-azureml-model-error-statuscode": "500"}, Unavailable, "the model answered status 500"),
            (424, {"ms-azureml-model-error-statuscode": "400"}, Rejected, "the model answered status 400"),
            (424, {"ms-azureml-model-error-reason": "model_error"}, Rejected, "status unknown (model_error)"),
            (302, {"Location": "https://elsewhere.example"}, Rejected, "status 302"),
            (502, {"x-request-id": "r-1"}, Unavailable, "(request r-1)"),
            (504, {}, Unavailable, "status 504"),
        ],
    )
    def test_statuses_of_the_service(self, opened, clouds, status, headers, kind, said):
        error = self.failure(opened, clouds, Reply(status, b"", headers))
        assert (type(error), error.status, error.may_refresh) == (kind, status, status == 401)
        assert said in str(error)

    @pytest.mark.parametrize(
        ("headers", "wait_s"),
        [
            ({"retry-after-ms": "250", "Retry-After": "9"}, 0.25),
            ({"x-ms-retry-after-ms": "1500"}, 1.5),
            ({"Retry-After": "Fri, 20 Nov 2026 10:00:07 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 7.0),
            ({"Retry-After": "Fri, 20 Nov 2026 09:00:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 0.0),
            ({"Retry-After": "soon"}, None),
            ({"Retry-After": "-5"}, None),
            ({}, None),
        ],
    )
    def test_waits_are_read_in_every_form(self, headers, wait_s):
        assert retry_after_s(headers) == wait_s

    @pytest.mark.parametrize(
        ("status", "kind", "said"),
        [
            (404, Rejected, "answered NotFound (status 404)"),
            (403, Denied, "status 403"),
            (401, Denied, "status 401"),
            (429, Throttled, "status 429"),
            (503, Unavailable, "status 503"),
        ],
    )
    def test_refusals_of_the_control_plane_are_told_at_opening(self, internet, clouds, status, kind, said):
        refusal = json_reply({"error": {"code": "NotFound", "message": "m"}}, status)
        clouds.manage = lambda request: refusal if "/onlineEndpoints/" in request.path else None
        with pytest.raises(kind, match=re.escape(said)) as caught:
            self.service(internet).open()
        assert 'online endpoint "visits" of workspace "ws"' in str(caught.value)
        assert sum("/onlineEndpoints/" in request.path for request in internet.requests) == 1  # no retry of the SDK's

    @pytest.mark.parametrize(("body", "kind"), [(b"{}", Denied), (b"", Unavailable)])
    def test_an_identity_that_gives_no_token_is_told_at_opening(self, internet, clouds, body, kind):
        """msal lets the error of the JSON reader through where the answer is none (1.39)."""
        clouds.manage = lambda request: Reply(400, body) if request.path.startswith("/msi") else None
        with pytest.raises(kind):
            self.service(internet).open()

    @pytest.mark.parametrize("key", ["subscription_id", "resource_group", "workspace"])
    def test_what_the_profile_leaves_out_is_named(self, internet, key):
        with pytest.raises(ConfigError, match=f'the profile needs "{key}"'):
            self.service(internet, **{key: None}).open()

    def test_an_unconfigured_credential_is_a_mistake_in_the_set_up(self, internet):
        with pytest.raises(ConfigError, match='"workload_identity" is not configured'):
            self.service(internet, credential="workload_identity").open()
