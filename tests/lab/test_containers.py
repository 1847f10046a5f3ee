"""The regression model behind both stand-ins, asked by real boto3 and by HTTP."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from harness.lab import usage

ROW = [3.258096, None, 8.0, 0.0, 10.5, "good", "family"]


def body(*rows: list[Any]) -> bytes:
    return json.dumps({"instances": [{"features": row} for row in rows]}).encode()


def asked(client: Any, content: bytes, accept: str = "application/json") -> tuple[str, bytes]:
    answer = client.invoke_endpoint(EndpointName="usage", ContentType="application/json", Accept=accept, Body=content)
    return answer["ContentType"], answer["Body"].read()


def test_json_holds_every_digit_and_csv_nine(lab, aws):
    expected = usage.predict(usage.train(), [ROW])
    kind, answer = asked(aws(), body(ROW))
    assert kind == "application/json"
    assert json.loads(answer) == {"predictions": [dict(zip(usage.OUTPUTS, expected[0], strict=True))]}
    kind, lines = asked(aws(), body(ROW), accept="text/csv")
    cells = [float(cell) for cell in lines.decode().split(",")]
    assert kind == "text/csv"
    assert cells != expected[0]
    assert cells == pytest.approx(expected[0], rel=1e-8)


def test_a_missing_number_is_the_training_median_and_an_unseen_category_is_nobody(lab, aws):
    pipelines = usage.train()
    median = pipelines["visits_mean"].named_steps["reader"].named_transformers_["numbers"].statistics_[1]
    filled = [float(median) if cell is None else cell for cell in ROW]
    assert asked(aws(), body(ROW)) == asked(aws(), body(filled))
    unrated, nobody = [*ROW[:5], usage.UNSEEN, ROW[6]], [*ROW[:5], None, ROW[6]]
    assert asked(aws(), body(unrated)) == asked(aws(), body(nobody))
    assert asked(aws(), body(unrated)) != asked(aws(), body([*ROW[:5], "poor", ROW[6]]))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b'{"instances": []}', 400),
        (body(ROW[:6]), 400),
        (body(["text", *ROW[1:]]), 400),
        (body([*ROW[:6], 7]), 400),
        (body([True, *ROW[1:]]), 400),
    ],
)
def test_what_the_model_cannot_read_is_a_model_error(lab, aws, content: bytes, status: int):
    with pytest.raises(ClientError) as caught:
        asked(aws(), content)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert caught.value.response["OriginalStatusCode"] == status


def test_csv_is_no_form_of_its_requests(lab, aws):
    with pytest.raises(ClientError) as caught:
        aws().invoke_endpoint(EndpointName="usage", ContentType="text/csv", Body="1,2,3,4,5,good,family")
    assert caught.value.response["OriginalStatusCode"] == 415


def test_the_converted_pipelines_agree_to_float32():
    """Every held-out kind of row, nulls and unseen categories among them."""
    import onnxruntime

    rows = [ROW, [*ROW[:5], usage.UNSEEN, None], [None, 1.0, 2.0, 0.5, None, "poor", "individual"]]
    pipelines = usage.train()
    columns = {
        name: np.array([[row[place]] for row in rows], dtype=np.float32)
        if name in usage.NUMBERS
        else np.array([[row[place] or ""] for row in rows], dtype=object)
        for place, name in enumerate(usage.COLUMNS)
    }
    for place, (output, graph) in enumerate(usage.to_onnx(pipelines).items()):
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        answers = session.run(None, columns)[0][:, 0]
        expected = [row[place] for row in usage.predict(pipelines, rows)]
        assert output == usage.OUTPUTS[place]
        assert answers.tolist() == pytest.approx(expected, rel=1e-5)
