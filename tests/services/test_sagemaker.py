"""SageMaker runtime: the codec, and the endpoint through boto3."""

from __future__ import annotations

import math
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import SideSettings
from harness.core.call import Reading, Side, Unreadable, Wire
from harness.core.case import Request, Task
from harness.core.protocols import Service
from harness.errors import (
    CodecError,
    ConfigError,
    Denied,
    Rejected,
    Throttled,
    TimedOut,
    Unavailable,
    UnencodableRequest,
)
from harness.services.sagemaker import build
from tests.services.clouds import Reply, aws_side, json_reply
from tests.services.contract import CodecContract, EndpointContract, lot, recording, replayed, table, values

SETTINGS = SideSettings(side=Side.SOURCE, cloud="aws", endpoint="visits", region="us-east-1")


def codec(**options):
    return build(SETTINGS, **options).codec


def wire(body: bytes, content_type: str = "text/csv", **headers: str) -> Wire:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Wire(operation="InvokeEndpoint", status=200, headers={"content-type": content_type, **named}, body=body)


class TestSageMakerCodec(CodecContract):
    codec = codec()

    def reply(self, body, **headers):
        return wire(body, **headers)

    def test_it_belongs_to_a_service(self):
        assert isinstance(build(SETTINGS), Service)

    def test_csv_goes_out_a_row_a_line(self):
        sent = self.codec.next(lot(table([["5.1", "a,b"], ["", 3.5]])), ())
        assert sent.body == b'5.1,"a,b"\n,3.5'
        assert sent.headers == {"content-type": "text/csv", "accept": "text/csv"}
        assert sent.operation == "InvokeEndpoint"

    def test_a_recorded_body_goes_out_as_it_came(self):
        body = b"0.10, 5,,north\n1e-5,6,7,"
        request = self.codec.read_request(recording(body, "text/csv; charset=utf-8"))
        sent = self.codec.next(lot(request), ())
        assert sent.body == body
        assert sent.headers["content-type"] == "text/csv; charset=utf-8"

    @pytest.mark.parametrize("body", [b"1,2\n3,4\n", b"1,2\r\n3,4\r\n", b"1,2\n3,4\n\n"])
    def test_line_ends_are_not_cells(self, body):
        assert self.codec.read_request(recording(body, "text/csv")).payload["rows"] == [["1", "2"], ["3", "4"]]

    @pytest.mark.parametrize("body", [b"", b"1,2\n3\n", b"1,2\n\n3,4", b'"1'])
    def test_broken_csv_is_refused_by_recording(self, body):
        with pytest.raises(CodecError, match="recording r1"):
            self.codec.read_request(recording(body, "text/csv"))

    def test_an_unread_type_is_refused_by_recording(self):
        with pytest.raises(CodecError, match=r'recording r1.*"application/x-npy" are not read'):
            self.codec.read_request(recording(b"1", "application/x-npy"))

    @pytest.mark.parametrize(
        "body",
        [
            b"[[1,2.5],[3,null]]",
            b'{"instances":[[1,"a"],[2,"b"]]}',
            b'{"instances":[{"features":[1,2]},{"features":[3,4]}]}',
        ],
    )
    def test_json_keeps_its_form(self, body):
        request = self.codec.read_request(recording(body, "application/json"))
        assert len(request.payload["rows"]) == 2
        sent = self.codec.next(lot(request), ())
        assert sent.body == body
        assert sent.headers["content-type"] == "application/json"

    def test_other_json_goes_out_as_it_came(self):
        body = b'{"inputs":["a"],"parameters":{"k":2}}'
        request = self.codec.read_request(recording(body, "application/json"))
        assert self.codec.next(lot(request), ()).body == body

    @given(st.lists(st.tuples(st.integers(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
    def test_json_rows_come_back_as_they_went(self, rows):
        request = table([list(row) for row in rows], content_type="application/json", form="instances")
        assert replayed(self.codec, request) == request

    def test_the_suite_may_fix_type_and_headers(self):
        sent = codec(
            content_type="application/json",
            accept="application/json",
            target_variant="blue",
            inference_component="ic",
            custom_attributes="trace=1",
        ).next(lot(table([["1"]])), ())
        assert sent.body == b'{"instances":[["1"]]}'
        assert sent.headers == {
            "content-type": "application/json",
            "accept": "application/json",
            "x-amzn-sagemaker-target-variant": "blue",
            "x-amzn-sagemaker-inference-component": "ic",
            "x-amzn-sagemaker-custom-attributes": "trace=1",
        }

    @pytest.mark.parametrize("cell", [None, True, [1], {"a": 1}])
    def test_csv_says_numbers_and_text_only(self, cell):
        with pytest.raises(UnencodableRequest, match="row 1, cell 2"):
            self.codec.next(lot(table([["1", cell]])), ())

    def test_json_cannot_say_nan(self):
        with pytest.raises(UnencodableRequest, match="NaN"):
            codec(content_type="application/json").next(lot(table([[math.nan]])), ())

    def test_an_application_body_is_sent_as_it_is(self):
        text = self.codec.next(lot(Request(Task.TABULAR, {"body": "1,2"})), ())
        assert (text.body, text.headers["content-type"]) == (b"1,2", "text/csv")
        made = self.codec.next(lot(Request(Task.TABULAR, {"body": {"x": [1]}})), ())
        assert (made.body, made.headers["content-type"]) == (b'{"x":[1]}', "application/json")

    @pytest.mark.parametrize(
        ("body", "rows", "expected"),
        [
            (b"0.0254\n", 1, [[0.0254]]),
            (b"0.1\r\n0.9\r\n", 2, [[0.1], [0.9]]),
            (b"0.1,0.9", 2, [[0.1], [0.9]]),
            (b"0.1,0.9", 1, [[0.1, 0.9]]),
            (b"[0.1, 0.7, 0.2]\n[0.3, 0.3, 0.4]\n", 2, [[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]]),
            (b"inf\n-inf", 2, [[math.inf], [-math.inf]]),
        ],
    )
    def test_csv_answers(self, body, rows, expected):
        assert values(self.decoded(body, rows)) == expected

    def test_nan_came_and_stays(self):
        assert math.isnan(values(self.decoded(b"nan"))[0][0])

    @pytest.mark.parametrize("body", [b"1_0", "٣".encode(), b"0.1\n0.2,0.3", b"0.1,", b"true"])
    def test_csv_that_is_no_number_is_unreadable(self, body):
        assert isinstance(self.decoded(body, rows=body.count(b"\n") + 1), Unreadable)

    def test_json_answers(self):
        read = self.decoded(b'{"predictions":[{"score":0.4,"predicted_label":0}]}', content_type="application/json")
        assert values(read) == [[0.4, 0.0]]
        assert read.output.columns == ("score", "predicted_label")

    def test_json_lines_answers(self):
        read = self.decoded(b'{"score": [0.4, 0.6]}\n{"score": [1, 0]}\n', 2, content_type="application/jsonlines")
        assert values(read) == [[0.4, 0.6], [1.0, 0.0]]
        assert read.output.columns == ("score.0", "score.1")

    def test_what_served_it_is_read_from_the_headers(self):
        read = self.decoded(
            b"0.5",
            x_amzn_invoked_production_variant="AllTraffic",
            x_amzn_sagemaker_custom_attributes="trace=1; runtime=scikit-learn 1.8.0, numpy 2.3",
        )
        assert isinstance(read, Reading)
        assert (read.served_model, read.runtime) == ("AllTraffic", "scikit-learn 1.8.0, numpy 2.3")

    def test_what_is_not_told_is_not_guessed(self):
        read = self.decoded(b"0.5", x_amzn_sagemaker_custom_attributes="trace=1")
        assert isinstance(read, Reading)
        assert (read.served_model, read.runtime) == (None, None)


ROLE = "arn:aws:iam::000000000000:role/reader"


def aws_error(code: str, status: int, **body) -> Reply:
    return json_reply({"Message": f"message of {code}", **body}, status, x_amzn_ErrorType=f"{code}:http://x/")


class TestSageMakerEndpoint(EndpointContract):
    throttled = Reply(429, b"{}", {"x-amzn-ErrorType": "ThrottlingException", "Retry-After": "3"})
    unavailable = aws_error("InternalFailure", 500)
    rejected = aws_error("ModelError", 424, OriginalStatusCode=400, OriginalMessage="patient 4711")
    denied = aws_error("AccessDeniedException", 403)

    def service(self, internet, **more):
        return build(aws_side(internet, **more))

    def renewable(self, internet):
        return self.service(internet, role_arn=ROLE, external_id="agreed")

    def expire(self, clouds):
        worthless = clouds.sessions
        clouds.session_secret, clouds.session_token = secrets.token_hex(20), secrets.token_hex(40)

        def infer(request):
            if f"SESSION{worthless:09}" in request.headers["authorization"]:
                return aws_error("ExpiredTokenException", 403)
            return Reply(200, b"[0.5]")

        clouds.infer = infer

    def renewals(self, internet):
        return sum(request.path == "/" for request in internet.requests)

    def test_options_reach_the_service_as_its_headers(self, internet):
        service = build(aws_side(internet), target_variant="blue", inference_component="ic", custom_attributes="a=1")
        endpoint = service.open()
        endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
        endpoint.close()
        (call,) = self.calls(internet)
        assert call.path == "/endpoints/visits/invocations"
        assert call.headers["x-amzn-sagemaker-target-variant"] == "blue"
        assert call.headers["x-amzn-sagemaker-inference-component"] == "ic"
        assert call.headers["x-amzn-sagemaker-custom-attributes"] == "a=1"
        assert call.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=THROWAWAY/")
        assert "/us-east-1/sagemaker/aws4_request" in call.headers["authorization"]

    @pytest.mark.parametrize(
        ("status", "kind"), [(0, TimedOut), (400, Rejected), (403, Rejected), (429, Throttled), (500, Unavailable)]
    )
    def test_a_model_error_is_judged_by_the_models_own_status(self, opened, clouds, status, kind):
        error = self.failure(
            opened, clouds, aws_error("ModelError", 424, OriginalStatusCode=status, LogStreamArn="log")
        )
        assert type(error) is kind
        assert error.status == 424
        assert f"the model answered status {status}, its log is log" in str(error)

    @pytest.mark.parametrize(
        ("code", "status", "kind", "may_refresh"),
        [
            ("ThrottlingException", 400, Throttled, False),
            ("ModelNotReadyException", 429, Unavailable, False),
            ("ServiceUnavailable", 503, Unavailable, False),
            ("InternalDependencyException", 530, Unavailable, False),
            ("ValidationError", 400, Rejected, False),
            ("UnrecognizedClientException", 403, Denied, True),
            ("InvalidSignatureException", 403, Denied, False),
            ("SomethingNew", 503, Unavailable, False),
            ("SomethingNew", 418, Rejected, False),
        ],
    )
    def test_codes_of_the_service(self, opened, clouds, code, status, kind, may_refresh):
        error = self.failure(opened, clouds, aws_error(code, status))
        assert (type(error), error.may_refresh) == (kind, may_refresh)
        assert f"InvokeEndpoint answered {code} (status {status}" in str(error)

    def test_a_refusal_that_speaks_of_names_is_quoted(self, opened, clouds):
        assert "message of ValidationError" in str(self.failure(opened, clouds, aws_error("ValidationError", 400)))

    def test_a_role_is_assumed_with_its_external_id(self, internet, clouds):
        endpoint = self.service(internet, role_arn=ROLE, external_id="agreed").open()
        endpoint.close()
        (asked,) = [request for request in internet.requests if request.path == "/"]
        assert b"ExternalId=agreed" in asked.body
        assert b"RoleSessionName=parity-harness" in asked.body

    def test_a_session_near_its_end_is_renewed_without_a_failure(self, internet, clouds):
        """botocore renews when less than ten minutes are left."""
        clouds.lifetime_s = 300
        service = self.service(internet, role_arn=ROLE)
        endpoint = service.open()
        for _ in range(3):
            endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
        endpoint.close()
        used = {call.headers["authorization"].split("Credential=")[1].split("/")[0] for call in self.calls(internet)}
        assert len(used) == 3

    def test_a_role_that_may_not_be_assumed_is_denied_at_opening(self, internet, clouds):
        body = (
            b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>"
        )
        clouds.manage = lambda request: Reply(403, body, {"Content-Type": "text/xml"})
        with pytest.raises(Denied, match="AssumeRole answered AccessDenied"):
            self.service(internet, role_arn=ROLE).open()

    def test_no_credentials_are_denied_at_opening(self, internet, monkeypatch):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        with pytest.raises(Denied, match="no complete credentials were found"):
            self.service(internet).open()

    def test_an_unknown_profile_is_a_mistake_in_the_set_up(self, internet):
        with pytest.raises(ConfigError, match="no profile of that name"):
            self.service(internet, aws_profile="nobody").open()

    def test_a_profile_of_the_configuration_files_is_used(self, internet, tmp_path, monkeypatch):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        (tmp_path / "aws_credentials").write_text("[mine]\naws_access_key_id = FROMFILE\naws_secret_access_key = x\n")
        service = self.service(internet, aws_profile="mine")
        endpoint = service.open()
        endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
        endpoint.close()
        assert "Credential=FROMFILE/" in self.calls(internet)[0].headers["authorization"]

    def test_a_web_identity_is_found_in_the_environment(self, internet, clouds, monkeypatch, tmp_path):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", internet.url)
        monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "missing"))
        with pytest.raises(Denied, match="credentials could not be fetched"):
            self.service(internet).open()
        (tmp_path / "missing").write_text("token")
        service = self.service(internet)
        endpoint = service.open()
        endpoint.call(service.codec.next(lot(table([["1"]])), ()), timeout_s=5)
        endpoint.close()
        assert "Credential=SESSION000000001/" in self.calls(internet)[0].headers["authorization"]

    def test_parameters_that_boto3_refuses_are_rejected_without_being_quoted(self, opened):
        endpoint, wire = opened
        with pytest.raises(Rejected) as caught:
            endpoint.call(Wire(operation=wire.operation, body={"patient": 4711}), timeout_s=5)
        assert "4711" not in str(caught.value)
