"""Azure ML scoring: Microsoft's server behind our front, asked over plain urllib3."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.lab import visits
from tests.lab.asking import frame, present_key


def test_scores_are_float32_and_agree_with_the_source_to_1e_6(score, ask_source, held_out):
    answer = score(frame(held_out[:20]))
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    target = json.loads(answer.data)
    source = [ask_source(row) for row in held_out[:20]]
    assert target != source
    assert target == pytest.approx(source, abs=1e-6)


def test_columns_are_told_by_name(score, held_out):
    straight, shuffled = frame(held_out[:5]), frame(held_out[:5], columns=visits.COLUMNS[::-1])
    assert json.loads(score(straight).data) == json.loads(score(shuffled).data)


def test_an_answer_names_deployment_runtime_and_ids_and_takes_the_service_time(score, held_out):
    started = time.perf_counter()
    answer = score(frame(held_out[:1]), x_ms_client_request_id="case-1", azureml_model_deployment="blue")
    assert time.perf_counter() - started >= 0.02
    assert answer.headers["azureml-model-deployment"] == "blue"
    assert answer.headers["x-ms-client-request-id"] == "case-1" and answer.headers["x-request-id"]
    assert int(answer.headers["ms-azureml-model-time"]) < 20_000
    assert answer.headers["x-model-runtime"].startswith("onnxruntime/")
    assert " azmlinfsrv/" in answer.headers["x-model-runtime"]


def test_thirty_two_connections_are_kept_and_answered(score, http, held_out):
    body = frame(held_out[:1])
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: score(body), range(128)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"data": [[0.0] * 9]},
        {"input_data": {"columns": ["age"], "index": [0], "data": [[1.0]]}},
        {"input_data": {"columns": list(visits.COLUMNS), "index": [0], "data": [[1.0] * 8]}},
        {"input_data": {"columns": list(visits.COLUMNS), "index": [0], "data": [["1.0"] * 9]}},
        {"input_data": {"columns": list(visits.COLUMNS), "index": [0, 1], "data": [[1.0] * 9]}},
        {"input_data": {"columns": list(visits.COLUMNS), "rows": [[1.0] * 9], "data": [[1.0] * 9]}},
    ],
)
def test_a_body_that_the_model_cannot_take_is_424_around_the_containers_500(score, document):
    answer = score(json.dumps(document).encode())
    assert answer.status == 424
    assert answer.headers["ms-azureml-model-error-statuscode"] == "500"
    assert answer.headers["ms-azureml-model-error-reason"] == "model_error"


def test_broken_json_is_424_and_a_foreign_content_type_wraps_415(score, held_out):
    assert score(b'{"input_data"').headers["ms-azureml-model-error-statuscode"] == "500"
    answer = score(frame(held_out[:1]), Content_Type="text/csv")
    assert (answer.status, answer.headers["ms-azureml-model-error-statuscode"]) == (424, "415")


def test_a_missing_foreign_or_rotated_key_is_401(lab, score, held_out):
    old, body = present_key(lab), frame(held_out[:1])
    assert score(body, token=old).status == 200
    assert score(body, Authorization="").status == 401
    assert score(body, token=old[::-1]).status == 401
    lab.rotate_key()
    assert score(body, token=old).status == 401
    assert score(body).status == 200


def test_unknown_deployments_and_endpoints_are_404_and_a_huge_body_is_413(score, held_out):
    body = frame(held_out[:1])
    assert score(body, azureml_model_deployment="green").status == 404
    assert score(body, path="/api/v1/endpoint/visit/score").status == 404
    assert score(b" " * (10 * 1024 * 1024 + 1)).status == 413


def test_control_paths_are_closed_to_strangers(lab, http):
    for address in lab.addresses.values():
        assert http.request("GET", address + "/.lab/settings").status == 403
        answer = http.request("POST", address + "/.lab/change", body=b'{"plant": "bias"}')
        assert answer.status == 403
