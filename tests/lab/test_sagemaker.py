"""The SageMaker runtime stand-in, asked by real boto3."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import lab as lab_room
from harness.lab import visits

ROW = "0.0,1,6.109248,0.0,1.0,13.0,1,0,0\n"


def refusal(client: Any, **changed: Any) -> dict[str, Any]:
    """What boto3 makes of a refused call: code, message, status, further members."""
    request = {"EndpointName": "visits", "ContentType": "text/csv", "Body": ROW} | changed
    with pytest.raises(ClientError) as caught:
        client.invoke_endpoint(**request)
    answer: dict[str, Any] = dict(caught.value.response)
    assert answer["ResponseMetadata"]["RequestId"]
    return {"status": answer["ResponseMetadata"]["HTTPStatusCode"], **answer["Error"], **answer}


def test_scores_are_the_trained_models_to_the_last_digit(ask_source, held_out):
    model = visits.train()
    for row in held_out[:20]:
        assert ask_source(row) == float(model.predict_proba([[float(cell) for cell in row.cells]])[0, 1])


def test_a_call_names_variant_and_runtime_and_takes_the_service_time(lab, aws):
    started = time.perf_counter()
    answer = aws().invoke_endpoint(EndpointName="visits", ContentType="text/csv; charset=utf-8", Body=ROW)
    assert time.perf_counter() - started >= 0.02
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["CustomAttributes"].startswith("runtime=scikit-learn/")
    assert " numpy/" in answer["CustomAttributes"] and " python/" in answer["CustomAttributes"]
    assert answer["ContentType"].startswith("text/csv")


def test_rows_are_answered_line_by_line_in_order(lab, aws, ask_source, held_out):
    body = "".join(",".join(row.cells) + "\n" for row in held_out[:3])
    answer = aws().invoke_endpoint(EndpointName="visits", ContentType="text/csv", Body=body)["Body"].read()
    assert [float(line) for line in answer.splitlines()] == [ask_source(row) for row in held_out[:3]]


def test_thirty_two_connections_are_kept_and_answered(ask_source, held_out):
    with ThreadPoolExecutor(32) as pool:
        scores = list(pool.map(ask_source, held_out[:128]))
    assert len(scores) == 128 and all(0 < score < 1 for score in scores)


@pytest.mark.parametrize(
    ("changed", "status", "code", "words"),
    [
        ({"EndpointName": "visit"}, 400, "ValidationError", "Endpoint visit of account 111122223333 not found"),
        ({"TargetVariant": "Shadow"}, 400, "ValidationError", "Variant Shadow"),
        ({"TargetModel": "m1.tar.gz"}, 400, "ValidationError", "TargetModel is not supported"),
        ({"InferenceId": "i" * 65}, 400, "ValidationError", "less than or equal to 64"),
        ({"CustomAttributes": "a" * 1025}, 400, "ValidationError", "less than or equal to 1024"),
        ({"Body": b"0" * 6_291_457}, 400, "ValidationError", "less than or equal to 6291456"),
    ],
)
def test_the_service_refuses_what_its_model_forbids(lab, aws, changed, status, code, words):
    refused = refusal(aws(), **changed)
    assert (refused["status"], refused["Code"]) == (status, code)
    assert words in refused["Message"]


@pytest.mark.parametrize(
    ("changed", "original_status"),
    [
        ({"ContentType": "application/json"}, 415),
        ({"Accept": "application/json"}, 406),
        ({"Body": "1,2,three\n"}, 400),
        ({"Body": "1,2,3\n"}, 400),
        ({"Body": ""}, 400),
        ({"Body": ROW.replace("13.0", "nan")}, 400),
    ],
)
def test_what_the_container_refuses_is_a_model_error(lab, aws, changed, original_status):
    refused = refusal(aws(), **changed)
    assert (refused["status"], refused["Code"]) == (424, "ModelError")
    assert refused["OriginalStatusCode"] == original_status
    assert refused["OriginalMessage"] in refused["Message"] and refused["LogStreamArn"].startswith("arn:aws:logs:")


def test_unknown_keys_wrong_secrets_and_wrong_scopes_are_denied(lab, aws):
    import boto3

    own = boto3.Session(profile_name=lab_room.PROFILE).get_credentials().get_frozen_credentials()
    stranger = aws(aws_access_key_id="A" * 20, aws_secret_access_key=own.secret_key)
    forger = aws(aws_access_key_id=own.access_key, aws_secret_access_key=own.secret_key[::-1])
    elsewhere = aws(region="eu-west-1")
    assert refusal(stranger)["Code"] == "UnrecognizedClientException"
    assert refusal(forger)["Code"] == "InvalidSignatureException"
    assert "valid region, not 'eu-west-1'" in refusal(elsewhere)["Message"]
    assert {refusal(client)["status"] for client in (stranger, forger, elsewhere)} == {403}


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_clock_six_minutes_off_is_denied(lab, aws, monkeypatch, minutes):
    import botocore.auth

    off = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: off.replace(tzinfo=None))
    refused = refusal(aws())
    assert (refused["status"], refused["Code"]) == (403, "InvalidSignatureException")
    assert ("expired" if minutes < 0 else "not yet current") in refused["Message"]


def test_an_unsigned_call_is_denied(lab, http):
    answer = http.request("POST", lab.addresses["sagemaker"] + "/endpoints/visits/invocations", body=ROW)
    assert answer.status == 403
    assert answer.headers["x-amzn-ErrorType"].startswith("MissingAuthenticationTokenException")


def test_source_errors_hit_the_same_tenth_of_the_requests_every_time(lab, aws, held_out):
    lab.plant("source_errors")
    client = aws()

    def failed(row: visits.HeldOut) -> str | None:
        try:
            client.invoke_endpoint(EndpointName="visits", ContentType="text/csv", Body=",".join(row.cells))
        except ClientError as exc:
            return str(exc.response["Error"]["Code"])
        return None

    with ThreadPoolExecutor(8) as pool:
        first, second = (list(pool.map(failed, held_out[:200])) for _ in range(2))
    assert first == second
    assert {code for code in first if code} == {"InternalFailure", "ModelError"}
    assert 8 <= sum(code is not None for code in first) <= 35


def test_target_faults_can_be_planted_in_the_source_server_too(lab, aws, ask_source, held_out):
    before = ask_source(held_out[0])
    lab.plant("source:bias")
    assert ask_source(held_out[0]) == pytest.approx(before + 0.02)
    lab.plant("source:throttle_burst")
    client = aws()
    with pytest.raises(ClientError) as caught:
        for _ in range(60):
            client.invoke_endpoint(EndpointName="visits", ContentType="text/csv", Body=ROW)
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_a_noisy_source_differs_from_itself(lab, ask_source, held_out):
    before = ask_source(held_out[0])
    lab.plant("source_noisy")
    noisy = {ask_source(held_out[0]) for _ in range(4)}
    assert len(noisy) == 4 and all(math.isclose(score, before, abs_tol=0.05) for score in noisy)


def test_the_control_plane_lists_its_endpoints_page_by_page_to_whoever_signs(lab, monkeypatch):
    import boto3

    for name, value in lab.environment.items():
        monkeypatch.setenv(name, value)
    address = lab.addresses["sagemaker"]
    client = boto3.Session(profile_name="parity-lab").client("sagemaker", endpoint_url=address)
    pages = list(client.get_paginator("list_endpoints").paginate())
    assert [[one["EndpointName"] for one in page["Endpoints"]] for page in pages] == [["usage"], ["visits"]]
    stranger = boto3.Session(aws_access_key_id="NOBODY", aws_secret_access_key="no", region_name="us-east-1")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.client("sagemaker", endpoint_url=address).list_endpoints()
