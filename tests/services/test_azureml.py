"""Azure ML online endpoints: the codec."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import SideSettings
from harness.core.call import Reading, Side, Unreadable, Wire
from harness.core.case import Request, Task
from harness.core.protocols import Service
from harness.errors import UnencodableRequest
from harness.services.azureml import build
from tests.services.contract import CodecContract, lot, recording, replayed, table, values

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
