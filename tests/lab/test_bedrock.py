"""The Bedrock runtime stand-in, asked by real boto3."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from harness import lab as lab_room
from harness.lab import service_model
from harness.lab.body_model import Violation
from harness.lab.plants import SOURCE, Fault
from tests.lab.chatting import ARGUMENTS, LOOK_UP, MODEL, QUESTION, SECRET, SYSTEM, converse


@pytest.fixture(scope="session")
def _bedrock(running: lab_room.Lab) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.Session(profile_name=lab_room.PROFILE).client(
        "bedrock-runtime",
        region_name=lab_room.REGION,
        endpoint_url=running.addresses["bedrock"],
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )


@pytest.fixture
def bedrock(lab: lab_room.Lab, _bedrock: Any) -> Any:
    """A real client that checks nothing itself: what is refused, the stand-in refuses."""
    return _bedrock


def text_of(answer: dict[str, Any]) -> str:
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def refusal(call: Any, **request: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_a_question_is_answered_from_the_facts_another_way_at_every_call(bedrock):
    texts = {text_of(bedrock.converse(**converse())) for _ in range(6)}
    assert len(texts) > 2
    assert all("49.90" in text and "2.4" in text and "59.90" not in text for text in texts)


def test_converse_counts_tokens_and_takes_the_service_time(bedrock):
    started = time.perf_counter()
    answer = bedrock.converse(**converse())
    assert time.perf_counter() - started >= 0.04
    usage = answer["usage"]
    assert answer["stopReason"] == "end_turn" and answer["metrics"]["latencyMs"] == 40
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] and usage["inputTokens"] > 80


def test_a_request_that_lost_its_system_text_or_its_facts_gets_another_answer(bedrock):
    without_system = text_of(bedrock.converse(**converse(system="You are kind.")))
    without_facts = text_of(bedrock.converse(**converse(QUESTION.rpartition("\n")[2])))
    assert "49.90" not in without_system and "49.90" not in without_facts
    assert "cannot" not in text_of(bedrock.converse(**converse(SECRET, system=SYSTEM.partition(" Never")[0])))
    assert "20.10" not in text_of(bedrock.converse(**converse(SECRET)))


def test_a_tool_is_called_with_what_the_user_said_and_its_result_is_told(bedrock):
    asked = converse(LOOK_UP, tool=True)
    answer = bedrock.converse(**asked)
    call = next(block["toolUse"] for block in answer["output"]["message"]["content"] if "toolUse" in block)
    assert answer["stopReason"] == "tool_use" and (call["name"], call["input"]) == ("get_stock", ARGUMENTS)
    found = {"product": "Alder desk lamp", "stock": "132 units"}
    result = {"toolResult": {"toolUseId": call["toolUseId"], "content": [{"json": found}]}}
    asked["messages"] += [answer["output"]["message"], {"role": "user", "content": [result]}]
    assert "132" in text_of(bedrock.converse(**asked))


@pytest.mark.parametrize("tool", [False, True])
def test_a_stream_brings_what_converse_says_in_pieces(bedrock, tool):
    events = list(bedrock.converse_stream(**converse(LOOK_UP if tool else QUESTION, tool=tool))["stream"])
    assert [next(iter(event)) for event in events][:: len(events) - 1] == ["messageStart", "metadata"]
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert len(deltas) > 2 and events[-1]["metadata"]["usage"]["outputTokens"] > 5
    if tool:
        pieces = [delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta]
        assert json.loads("".join(pieces)) == ARGUMENTS
        assert {"messageStop": {"stopReason": "tool_use"}} in events
    else:
        assert "49.90" in "".join(delta["text"] for delta in deltas)


def anthropic(**more: Any) -> dict[str, Any]:
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 200,
        "system": SYSTEM,
        "messages": [{"role": "user", "content": QUESTION}],
    }
    return {"modelId": f"us.{MODEL}", "body": json.dumps(body | more)}


def test_invoke_model_answers_in_the_familys_form_with_counts_in_the_headers(bedrock):
    answer = bedrock.invoke_model(**anthropic())
    body, headers = json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]
    assert "49.90" in body["content"][0]["text"] and body["stop_reason"] == "end_turn"
    assert headers["x-amzn-bedrock-output-token-count"] == str(body["usage"]["output_tokens"])


def test_an_invoke_model_stream_ends_in_the_metrics(bedrock):
    events = bedrock.invoke_model_with_response_stream(**anthropic())["body"]
    chunks = [json.loads(event["chunk"]["bytes"]) for event in events]
    assert [chunks[0]["type"], chunks[-1]["type"]] == ["message_start", "message_stop"]
    text = "".join(chunk["delta"]["text"] for chunk in chunks if chunk["type"] == "content_block_delta")
    assert "49.90" in text and chunks[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 5


def test_the_limit_on_output_and_stop_sequences_end_an_answer(bedrock):
    short = bedrock.converse(**converse(inferenceConfig={"maxTokens": 3}))
    assert short["stopReason"] == "max_tokens" and short["usage"]["outputTokens"] == 3
    stopped = bedrock.converse(**converse(inferenceConfig={"stopSequences": ["lamp"]}))
    assert stopped["stopReason"] == "stop_sequence" and text_of(stopped).endswith("Alder desk ")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"modelId": "acme.chat-v1"}, "model identifier is invalid"),
        ({"inferenceConfig": {"temperature": 1.5}}, "less than or equal to 1"),
        ({"inferenceConfig": {"maxTokens": "9"}}, "can not be converted to Integer"),
        ({"messages": [{"role": "robot", "content": []}]}, "enum value set: [user, assistant"),
        ({"messages": [{"role": "assistant", "content": [{"text": "hi"}]}]}, "must start with a user message"),
        ({"messages": [{"role": "user", "content": [{"text": "a"}]}] * 2}, "must alternate"),
        ({"messages": [{"role": "user", "content": [{"text": "a", "cachePoint": {"type": "default"}}]}]}, "a union"),
    ],
)
def test_what_the_service_model_forbids_is_a_validation_exception(bedrock, changed, words):
    status, code, message = refusal(bedrock.converse, **(converse() | changed))
    assert (status, code) == (400, "ValidationException")
    assert words in message


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"max_tokens": None}, "TypeError"),
        ({"prompt": "Hi"}, "extraneous key [prompt]"),
        ({"messages": "Hi"}, "string"),
    ],
)
def test_a_body_of_another_family_is_malformed(bedrock, changed, words):
    status, code, message = refusal(bedrock.invoke_model, **anthropic(**changed))
    assert (status, code) == (400, "ValidationException")
    assert message.startswith("Malformed input request") and words in message


def test_a_member_that_the_service_model_does_not_know_is_refused():
    """boto3 cannot be brought to send one."""
    with pytest.raises(Violation, match=r"extraneous key \[topK\]"):
        service_model.load("bedrock-runtime", "Converse").check_body({"topK": 3})


def test_unsigned_and_wrongly_scoped_calls_are_denied(lab, http):
    path = f"{lab.addresses['bedrock']}/model/{MODEL}/converse"
    answer = http.request("POST", path, body=b"{}")
    assert (answer.status, answer.headers["x-amzn-ErrorType"].partition(":")[0]) == (
        403,
        "MissingAuthenticationTokenException",
    )


def test_faults_act_before_an_answer_and_in_the_middle_of_a_stream(bedrock, lab):
    lab.plant("source:server_errors")
    fault = Fault("source:server_errors", side=SOURCE, seed=7)
    found: set[str] = set()
    for number in range(300):
        request = converse(requestMetadata={"n": str(number)})
        body = json.dumps({name: value for name, value in request.items() if name != "modelId"}).encode()
        if fault.interrupts(body) is None:
            continue
        events: list[dict[str, Any]] = []
        try:
            with closing(bedrock.converse_stream(**request)["stream"]) as stream:
                events.extend(stream)
        except EventStreamError as exc:
            assert any("contentBlockDelta" in event for event in events)
            found.add(exc.response["Error"]["Code"])
        except ClientError as exc:
            found.add(exc.response["Error"]["Code"])
    assert found == {"modelStreamErrorException", "internalServerException", "InternalServerException"}


def test_embedding_models_answer_in_their_own_form(bedrock):
    def embed(model: str, **body: Any) -> Any:
        return json.loads(bedrock.invoke_model(modelId=model, body=json.dumps(body))["body"].read())

    titan = embed("amazon.titan-embed-text-v2:0", inputText="a desk lamp", dimensions=256)
    assert len(titan["embedding"]) == 256 and titan["inputTextTokenCount"] == 3
    assert len(embed("amazon.titan-embed-text-v1", inputText="a desk lamp")["embedding"]) == 1536
    cohere = embed("cohere.embed-english-v3", texts=["a", "b"], input_type="search_query")
    assert [len(one) for one in cohere["embeddings"]] == [1024, 1024]
    with pytest.raises(ClientError, match="dimensions: 300 is not a valid enum value"):
        embed("amazon.titan-embed-text-v2:0", inputText="a", dimensions=300)
