"""The Azure OpenAI stand-in, asked by the real openai client in both forms of URL and of authentication."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import httpx2
import openai
import pytest

from harness import lab as lab_room
from tests.lab.asking import present_key
from tests.lab.chatting import ARGUMENTS, LOOK_UP, QUESTION, SYSTEM, TOOL, completion

VERSION = "2024-10-21"
LATER = "2025-03-01-preview"  # with the responses API
STRICT = {
    "type": "object",
    "properties": {"order_number": {"type": "string"}, "city": {"type": ["string", "null"]}},
    "required": ["order_number", "city"],
    "additionalProperties": False,
}


@pytest.fixture
def clients(lab: lab_room.Lab) -> Any:
    """form and authentication -> a client that neither retries nor asks the environment, with the present key."""
    return _clients(lab.addresses["azure_openai"], present_key(lab))


@lru_cache(maxsize=4)
def _clients(address: str, key: str) -> dict[str, Any]:
    from azure.identity import ManagedIdentityCredential, get_bearer_token_provider

    credential = ManagedIdentityCredential(client_id=lab_room.CLIENT)
    token = get_bearer_token_provider(credential, "https://cognitiveservices.azure.com/.default")
    dated: dict[str, Any] = {"azure_endpoint": address, "api_version": VERSION, "max_retries": 0}
    return {
        "dated, key": openai.AzureOpenAI(**dated, api_key=key),
        "dated, token": openai.AzureOpenAI(**dated, azure_ad_token_provider=token),
        "v1, key": openai.OpenAI(base_url=f"{address}/openai/v1/", api_key=key, max_retries=0),
        "v1, token": openai.OpenAI(base_url=f"{address}/openai/v1/", api_key=token, max_retries=0),
    }


@pytest.fixture
def azure(lab: lab_room.Lab, clients: Any) -> Any:
    return clients["dated, key"]


def ask(client: Any, **changed: Any) -> Any:
    return client.chat.completions.create(**(completion() | changed))


@pytest.mark.parametrize("form", ["dated, key", "dated, token", "v1, key", "v1, token"])
def test_both_forms_of_url_take_a_key_and_a_token(lab, clients, form):
    answer = ask(clients[form])
    assert "49.90" in answer.choices[0].message.content and answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-4o-2024-11-20" and answer.usage.total_tokens > 90
    assert answer.model_extra["prompt_filter_results"][0]["content_filter_results"]["hate"]["severity"] == "safe"


def test_wrong_keys_and_foreign_tokens_are_refused(lab, clients):
    address = lab.addresses["azure_openai"]
    wrong = openai.AzureOpenAI(azure_endpoint=address, api_version=VERSION, api_key="k" * 64, max_retries=0)
    with pytest.raises(openai.AuthenticationError, match="invalid subscription key"):
        ask(wrong)
    header = {"X-IDENTITY-HEADER": lab.environment["IDENTITY_HEADER"]}
    where = {"api-version": "2019-08-01", "resource": "https://ml.azure.com"}
    other = httpx2.get(lab.environment["IDENTITY_ENDPOINT"], params=where, headers=header).json()["access_token"]
    foreign = openai.AzureOpenAI(azure_endpoint=address, api_version=VERSION, azure_ad_token=other, max_retries=0)
    with pytest.raises(openai.AuthenticationError, match="audience is incorrect"):
        ask(foreign)


def test_a_tool_is_called_and_its_result_is_told(azure):
    asked = completion(LOOK_UP, tool=True)
    choice = azure.chat.completions.create(**asked).choices[0]
    call = choice.message.tool_calls[0]
    assert choice.finish_reason == "tool_calls" and call.function.name == "get_stock"
    assert json.loads(call.function.arguments) == ARGUMENTS
    asked["messages"] += [
        choice.message.model_dump(include={"role", "content", "tool_calls"}),
        {"role": "tool", "tool_call_id": call.id, "content": '{"product": "Alder desk lamp", "stock": "132 units"}'},
    ]
    assert "132" in azure.chat.completions.create(**asked).choices[0].message.content


def test_a_schema_decides_which_facts_are_extracted(azure):
    form = {"type": "json_schema", "json_schema": {"name": "order", "strict": True, "schema": STRICT}}
    asked = completion("We order under Q-1042.", response_format=form)
    content = azure.chat.completions.create(**asked).choices[0].message.content
    assert json.loads(content) == {"order_number": "Q-1042", "city": None}


@pytest.mark.parametrize("tool", [False, True])
def test_a_stream_opens_with_the_filter_and_ends_with_token_counts(azure, tool):
    asked = completion(LOOK_UP if tool else QUESTION, tool=tool)
    chunks = list(azure.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert not chunks[0].choices and chunks[0].model_extra["prompt_filter_results"]
    assert not chunks[-1].choices and chunks[-1].usage.completion_tokens > 3
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    if tool:
        pieces = [call.function.arguments for delta in deltas for call in delta.tool_calls or ()]
        assert json.loads("".join(pieces)) == ARGUMENTS
    else:
        assert "49.90" in "".join(delta.content or "" for delta in deltas)
    silent = list(azure.chat.completions.create(**asked, stream=True))
    assert all(chunk.usage is None for chunk in silent)


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"extra_body": {"top_k": 3}}, None, "Unrecognized request argument supplied: top_k"),
        ({"temperature": "hot"}, "invalid_type", "Invalid type for 'temperature': expected a decimal"),
        ({"temperature": 2.5}, "decimal_above_max_value", "<= 2"),
        ({"stop": list("abcde")}, "array_above_max_length", "maximum length 4"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "invalid_value", "'developer'"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": "1"}]}, None, "a preceding message"),
        ({"tool_choice": "auto"}, None, "only allowed when 'tools'"),
        ({"response_format": {"type": "json_object"}}, None, "contain the word 'json'"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "o", "strict": True, "schema": STRICT | {"required": []}},
                }
            },
            None,
            "Missing 'city'",
        ),
    ],
)
def test_bodies_that_the_service_does_not_take_are_bad_requests(azure, changed, code, words):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(azure, **changed)
    assert caught.value.code == code and words in str(caught.value)


def test_a_reasoning_model_takes_no_sampling_and_another_limit(azure):
    for refused in ({"temperature": 0}, {}):
        with pytest.raises(openai.BadRequestError, match="not supported with this model") as caught:
            ask(azure, model="o4-mini", **refused)
        assert caught.value.code == "unsupported_parameter"
    asked = completion(model="o4-mini", max_completion_tokens=200)
    del asked["max_tokens"]
    assert "49.90" in azure.chat.completions.create(**asked).choices[0].message.content


def test_unknown_deployments_versions_and_paths_are_not_found(lab, azure, clients):
    with pytest.raises(openai.NotFoundError, match="deployment for this resource does not exist") as caught:
        ask(azure, model="gpt-9")
    assert caught.value.code == "DeploymentNotFound"
    with pytest.raises(openai.NotFoundError, match="deployment for this resource"):
        ask(clients["v1, key"], model="gpt-9")
    with pytest.raises(openai.NotFoundError, match="Resource not found"):
        ask(azure.copy(api_version="1999-01-01"))


def test_an_overeager_filter_blocks_some_prompts_and_some_answers(azure, lab):
    lab.plant("overeager_filter")
    blocked, cut, spared = 0, 0, 0
    for number in range(80):
        try:
            choice = ask(azure, user=str(number)).choices[0]
        except openai.BadRequestError as exc:
            assert exc.code == "content_filter"
            assert exc.body["innererror"]["content_filter_result"]["violence"]["filtered"]
            blocked += 1
            continue
        cut, spared = cut + (choice.finish_reason == "content_filter"), spared + (choice.finish_reason == "stop")
    assert min(blocked, cut) >= 1 and spared > 60


def test_a_throttled_call_says_when_to_come_back_and_a_stream_may_break_after_200(azure, lab):
    lab.plant("throttle_burst")
    with pytest.raises(openai.RateLimitError) as caught:
        for _ in range(80):
            ask(azure)
    assert caught.value.response.headers["retry-after-ms"] == "1000"
    ends = set()
    for number in range(12):
        try:
            list(ask(azure, user=str(number), stream=True))
        except openai.RateLimitError:
            ends.add("before")
        except openai.APIError as exc:
            ends.add("within")
            assert exc.code == "429"
    assert ends == {"before", "within"}


def test_a_cut_stream_is_no_whole_answer(azure, lab):
    lab.plant("malformed_json")
    cut = 0
    for number in range(120):
        try:
            list(ask(azure, user=str(number), stream=True))
        except (openai.APIError, httpx2.HTTPError, ValueError):
            cut += 1
    assert 1 <= cut <= 12


def test_hidden_reasoning_can_leave_nothing_to_read(azure, lab):
    lab.plant("empty_text")
    answers = [ask(azure, user=str(number)) for number in range(60)]
    empty = [answer for answer in answers if answer.choices[0].finish_reason == "length"]
    assert empty and all(answer.choices[0].message.content == "" for answer in empty)
    assert empty[0].usage.completion_tokens_details.reasoning_tokens == empty[0].usage.completion_tokens == 256


def test_a_key_that_was_rotated_is_refused(lab, clients):
    lab.rotate_key()
    with pytest.raises(openai.AuthenticationError):
        ask(clients["dated, key"])
    assert "Alder" in ask(clients["dated, token"]).choices[0].message.content


def test_embeddings_are_unit_vectors_as_floats_or_base64_near_where_words_are_shared(azure):
    texts = ["a desk lamp of alder", "the desk lamp of alder", "an office chair"]
    floats = azure.embeddings.create(model="text-embedding-3-small", input=texts, encoding_format="float").data
    packed = azure.embeddings.create(model="text-embedding-3-small", input=texts).data  # the client asks for base64
    assert [len(one.embedding) for one in floats] == [1536] * 3
    assert all(
        one.embedding == pytest.approx(other.embedding, abs=1e-6) for one, other in zip(floats, packed, strict=True)
    )
    first, second, third = (one.embedding for one in floats)
    assert sum(value * value for value in first) == pytest.approx(1)
    near, far = (sum(map(float.__mul__, first, other)) for other in (second, third))
    assert near > 0.7 > 0.3 > far
    short = azure.embeddings.create(model="text-embedding-3-large", input="a", dimensions=256).data[0].embedding
    assert len(short) == 256
    with pytest.raises(openai.BadRequestError, match="Must be less than or equal to 1536"):
        azure.embeddings.create(model="text-embedding-3-small", input="a", dimensions=2000)
    with pytest.raises(openai.BadRequestError, match="does not work with the specified model"):
        ask(azure, model="text-embedding-3-small")


@pytest.mark.parametrize("form", ["dated, key", "v1, token"])
def test_the_responses_api_answers_calls_tools_and_streams(lab, clients, form):
    create = (
        clients[form].responses.create
        if form == "v1, token"
        else clients[form].copy(api_version=LATER).responses.create
    )
    asked: dict[str, Any] = {"model": "gpt-4o", "instructions": SYSTEM, "input": QUESTION}
    answer = create(**asked)
    assert "49.90" in answer.output_text and answer.status == "completed" and answer.usage.output_tokens > 5
    events = list(create(**asked, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    assert "49.90" in "".join(event.delta for event in events if event.type == "response.output_text.delta")
    tool = {"type": "function", "name": TOOL["name"], "description": TOOL["description"], "parameters": TOOL["schema"]}
    called = create(model="gpt-4o", input=LOOK_UP, tools=[tool])
    call = next(item for item in called.output if item.type == "function_call")
    assert json.loads(call.arguments) == ARGUMENTS
    result = {
        "type": "function_call_output",
        "call_id": call.call_id,
        "output": '{"product": "Elm", "stock": "9 units"}',
    }
    told = create(model="gpt-4o", input=[{"role": "user", "content": LOOK_UP}, call.model_dump(), result], tools=[tool])
    assert "9 units" in told.output_text
    short = create(**asked, max_output_tokens=3)
    assert (short.status, short.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    with pytest.raises(openai.BadRequestError, match="Unrecognized request argument supplied: stop"):
        create(**asked, extra_body={"stop": ["x"]})


def test_claude_answers_in_anthropics_own_form_whole_and_streamed(lab):
    address, key = lab.addresses["foundry"], present_key(lab)
    body = {"model": "claude-sonnet-4-5", "max_tokens": 99, "system": SYSTEM}
    body["messages"] = [{"role": "user", "content": QUESTION}]
    with httpx2.Client(base_url=address, headers={"x-api-key": key}) as http:
        answer = http.post("/anthropic/v1/messages", json=body).json()
        assert "49.90" in answer["content"][0]["text"] and answer["model"] == "claude-sonnet-4-5-20250929"
        lines = http.post("/anthropic/v1/messages", json=body | {"stream": True}).text.splitlines()
        assert lines[0] == "event: message_start" and "event: message_stop" in lines
        wrong = http.post("/anthropic/v1/messages", json=body | {"anthropic_version": "bedrock-2023-05-31"})
        assert wrong.status_code == 400 and wrong.json()["error"]["type"] == "invalid_request_error"
