"""Bedrock's bodies: what is said in neutral words comes back from each family's body, or is refused by name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.core.case import Json, Request, Task
from harness.core.chat import (
    CachePoint,
    Call,
    Conversation,
    File,
    Foreign,
    Format,
    Image,
    Message,
    Reasoning,
    Result,
    Text,
    Tool,
    ToolChoice,
    Value,
)
from harness.errors import CodecError, UnencodableRequest
from harness.services.bedrock.completion import FAMILIES as PROMPT_FAMILIES
from harness.services.bedrock.families import CHAT, family_of
from harness.services.bedrock.prompts import FORMS
from tests.services.test_bedrock import codec, lot, recorded

MODELS = {
    "anthropic": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "claude2": "anthropic.claude-v2:1",
    "nova": "amazon.nova-pro-v1:0",
    "titan": "amazon.titan-text-express-v1",
    "llama2": "meta.llama2-13b-chat-v1",
    "llama3": "us.meta.llama3-3-70b-instruct-v1:0",
    "mistral": "mistral.mixtral-8x7b-instruct-v0:1",
    "mistral_chat": "mistral.mistral-large-2407-v1:0",
    "command": "cohere.command-text-v14",
    "cohere": "cohere.command-r-plus-v1:0",
    "jurassic": "ai21.j2-ultra-v1",
    "openai": "ai21.jamba-1-5-large-v1:0",
    "gpt_oss": "openai.gpt-oss-120b-1:0",
    "deepseek": "us.deepseek.r1-v1:0",
    "titan_embed": "amazon.titan-embed-text-v2:0",
    "cohere_embed": "cohere.embed-english-v3",
    "nova_embed": "amazon.nova-2-multimodal-embeddings-v1:0",
    "sdxl": "stability.stable-diffusion-xl-v1",
    "stability": "stability.sd3-5-large-v1:0",
    "titan_image": "amazon.nova-canvas-v1:0",
}
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"


@pytest.mark.parametrize("family", MODELS)
def test_the_family_comes_from_ids_profiles_and_arns(family):
    model = MODELS[family]
    bare = model.removeprefix("us.")
    for name in (
        model,
        bare,
        f"eu.{bare}",
        f"global.{bare}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{bare}",
        f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{bare}",
    ):
        assert family_of(name) == family


@pytest.mark.parametrize("model", [None, PROFILE, "arn:aws:bedrock:us-east-1:1:imported-model/x1", "my-anthropic"])
def test_other_ids_tell_no_family(model):
    assert family_of(model) == "unknown"


# Recorded bodies that must go out as they came: documentation's examples, and what applications were seen to send.
EXAMPLES = int(os.environ.get("PARITY_EXAMPLES", "25"))  # a family; more where there is time
BODIES: list[tuple[str, dict[str, Any]]] = [
    (
        "anthropic",
        {
            "anthropic_version": "bedrock-2023-05-31",
            "anthropic_beta": ["x"],
            "service_tier": "auto",
            "max_tokens": 256,
            "system": "Be brief.",
            "temperature": 0,
            "top_p": 1,
            "top_k": 1,
            "stop_sequences": ["END"],
            "metadata": {"user_id": "u"},
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "tools": [
                {"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}},
                {"name": "g", "input_schema": {}, "cache_control": {"type": "ephemeral"}},
                {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
            ],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Describe", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
                        },
                        {
                            "type": "document",
                            "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                            "title": "t",
                        },
                        {"type": "search_result", "title": "t", "source": "s", "content": []},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "s"},
                        {"type": "redacted_thinking", "data": "zz"},
                        {"type": "text", "text": "cited", "citations": [{"type": "char_location"}]},
                        {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
                        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
                        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t1",
                            "content": [{"type": "text", "text": "4"}],
                            "is_error": True,
                        }
                    ],
                },
            ],
        },
    ),
    (
        "nova",
        {
            "schemaVersion": "messages-v1",
            "system": [{"text": "Be brief."}],
            "messages": [{"role": "user", "content": [{"text": "Hi"}, {"cachePoint": {"type": "default"}}]}],
            "inferenceConfig": {"maxTokens": 64, "temperature": 0.00001, "topP": 0.9, "topK": 1, "stopSequences": []},
            "toolConfig": {
                "tools": [
                    {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
                    {"systemTool": {"name": "nova_grounding"}},
                ],
                "toolChoice": {"tool": {"name": "f"}},
            },
            "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"},
        },
    ),
    (
        "claude2",
        {"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 200, "stop_sequences": ["\n\nHuman:"]},
    ),
    (
        "titan",
        {
            "inputText": "User: Hi\nBot:",
            "textGenerationConfig": {"temperature": 0, "topP": 1, "maxTokenCount": 64, "stopSequences": []},
            "amazon-bedrock-guardrailConfig": {"tagSuffix": "xyz"},
        },
    ),
    (
        "llama3",
        {
            "prompt": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            "max_gen_len": 64,
            "temperature": 0,
            "top_p": 1,
            "images": ["aGk="],
        },
    ),
    ("llama2", {"prompt": "Explain llamas.", "max_gen_len": 128, "temperature": 0.1, "top_p": 0.9}),
    ("mistral", {"prompt": "<s>[INST] Hi [/INST]", "max_tokens": 64, "temperature": 0, "top_k": 1, "stop": []}),
    (
        "mistral_chat",
        {
            "messages": [{"role": "user", "content": "Hi"}],
            "max_tokens": 64,
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
            "tool_choice": "any",
            "top_k": 5,
        },
    ),
    (
        "cohere",
        {
            "message": "Hi",
            "chat_history": [
                {"role": "USER", "message": "a"},
                {"role": "CHATBOT", "message": "b"},
                {"role": "CHATBOT", "message": "", "tool_calls": [{"name": "f", "parameters": {"city": "Oslo"}}]},
                {
                    "role": "TOOL",
                    "tool_results": [{"call": {"name": "f", "parameters": {"city": "Oslo"}}, "outputs": [{"c": 4}]}],
                },
                {"role": "SYSTEM", "message": "c"},
            ],
            "preamble": "Be brief.",
            "documents": [{"title": "t", "snippet": "s"}],
            "max_tokens": 64,
            "temperature": 0,
            "p": 0.99,
            "k": 0,
            "seed": 1,
            "stop_sequences": [],
            "tools": [
                {
                    "name": "f",
                    "description": "d",
                    "parameter_definitions": {"city": {"description": "c", "type": "str", "required": True}},
                },
                {"name": "g", "description": "d", "parameter_definitions": {"x": {"type": "List[str]"}}},
            ],
            "tool_results": [{"call": {"name": "f", "parameters": {}}, "outputs": [{"text": "x"}]}],
        },
    ),
    (
        "command",
        {"prompt": "Hi", "p": 0.5, "k": 3, "max_tokens": 9, "num_generations": 2, "return_likelihoods": "NONE"},
    ),
    ("jurassic", {"prompt": "Hi", "maxTokens": 9, "topP": 0.5, "stopSequences": ["x"], "countPenalty": {"scale": 0}}),
    ("openai", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 64, "stop": ["x"], "n": 1}),
    (
        "gpt_oss",
        {
            "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Hi"}],
            "max_completion_tokens": 64,
            "reasoning_effort": "low",
        },
    ),
    (
        "deepseek",
        {"prompt": "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\n", "max_tokens": 64, "top_p": 1},
    ),
    ("titan_embed", {"inputText": "a", "dimensions": 256, "normalize": True, "embeddingTypes": ["float", "binary"]}),
    ("titan_embed", {"inputText": "a", "inputImage": "aGk=", "embeddingConfig": {"outputEmbeddingLength": 256}}),
    (
        "cohere_embed",
        {
            "texts": ["a", "b"],
            "input_type": "search_query",
            "truncate": "NONE",
            "embedding_types": ["float", "int8"],
            "output_dimension": 256,
            "max_tokens": 9,
        },
    ),
    ("cohere_embed", {"inputs": [{"content": [{"type": "text", "text": "a"}]}], "input_type": "classification"}),
    (
        "nova_embed",
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "GENERIC_INDEX",
                "embeddingDimension": 256,
                "text": {"value": "a", "truncationMode": "END"},
            },
        },
    ),
    (
        "sdxl",
        {
            "text_prompts": [{"text": "a cat"}, {"text": "dogs", "weight": -1}],
            "cfg_scale": 7,
            "steps": 30,
            "seed": 1,
            "width": 1024,
            "height": 512,
            "sampler": "K_DPM_2",
        },
    ),
    ("sdxl", {"text_prompts": [{"text": "a", "weight": 0.5}, {"text": "b", "weight": 0.2}, {"text": "c"}]}),
    (
        "stability",
        {"prompt": "a cat", "mode": "text-to-image", "aspect_ratio": "1:1", "seed": 1, "output_format": "PNG"},
    ),
    ("stability", {"prompt": "a", "mode": "image-to-image", "image": "aGk=", "strength": 0.5, "negative_prompt": "b"}),
    (
        "titan_image",
        {
            "taskType": "TEXT_IMAGE",
            "textToImageParams": {"text": "a cat", "negativeText": "dogs", "controlMode": "CANNY_EDGE"},
            "imageGenerationConfig": {"width": 512, "height": 512, "numberOfImages": 2, "cfgScale": 6.5, "seed": 1},
        },
    ),
    ("titan_image", {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": "aGk="}}),
]
# Members that tell a family apart are missing in these; the ids of their models tell it.
SHAPELESS = {"llama2", "command", "deepseek", "mistral", "jurassic", "stability", "openai", "gpt_oss", "mistral_chat"}


def read(body: dict[str, Any], model: str | None, operation: str = "InvokeModel") -> Request:
    return codec().read_request(recorded(operation, body=json.dumps(body).encode(), model=model))


def sent(request: Request) -> Any:
    wire = codec().next(lot(request), ())
    return json.loads(wire.body) if isinstance(wire.body, bytes) else wire.body


@pytest.mark.parametrize(("family", "body"), BODIES)
def test_a_recorded_body_goes_out_as_it_came(family, body):
    request = read(body, MODELS[family])
    assert request.params["api"] == "invoke"
    assert sent(request) == body


@pytest.mark.parametrize(("family", "body"), [one for one in BODIES if one[0] not in SHAPELESS])
def test_the_shape_tells_the_family_where_the_id_does_not(family, body):
    request = read(body, PROFILE)
    assert request.params["api"] == f"invoke:{family}"
    assert sent(request) == body


def test_a_block_of_another_service_is_no_turn_of_coheres():
    turns = [Message("user", (Foreign(field="extra", value={"type": "new"}),)), Message("assistant", (Text("b"),))]
    request = Conversation(messages=(*turns, Message("user", (Text("c"),)))).request({"api": "invoke:cohere"})
    with pytest.raises(UnencodableRequest, match="Cohere Command R"):
        sent(request)


def test_novas_older_names_are_the_same_settings_and_go_out_under_the_newer():
    older = {"max_new_tokens": 30, "temperature": 0.1, "top_p": 0.9, "top_k": 20}
    body = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "inferenceConfig": older}
    request = read(body, "amazon.nova-lite-v1:0")
    assert {name: request.params[name] for name in ("max_tokens", "top_p", "top_k")} == {
        "max_tokens": 30,
        "top_p": 0.9,
        "top_k": 20,
    }
    assert "extra" not in request.params
    assert sent(request)["inferenceConfig"] == {"maxTokens": 30, "temperature": 0.1, "topP": 0.9, "topK": 20}


def test_one_family_may_have_two_forms():
    assert read({"messages": [], "anthropic_version": "x"}, MODELS["claude2"]).params["api"] == "invoke:anthropic"
    assert read({"prompt": "Hi"}, MODELS["mistral_chat"]).params["api"] == "invoke:mistral"
    assert read({"messages": []}, MODELS["mistral"]).params["api"] == "invoke:mistral_chat"
    assert read({"messages": [], "max_tokens": 3}, MODELS["gpt_oss"]).params["api"] == "invoke:openai"


CONVERSE: dict[str, Any] = {
    "system": [
        {"text": "Answer."},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
        {"guardContent": {"text": {"text": "x"}}},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "Weather?"},
                {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
                {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k"}}}},
                {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k", "bucketOwner": "1"}}}},
                {
                    "document": {
                        "name": "n",
                        "format": "pdf",
                        "source": {"bytes": "aGk="},
                        "citations": {"enabled": True},
                    }
                },
                {"document": {"name": "n", "format": "txt", "source": {"text": "hi"}, "context": "c"}},
                {"document": {"name": "n", "format": "txt", "source": {"content": [{"text": "hi"}]}}},
                {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/k"}}}},
                {"audio": {"format": "wav", "source": {"bytes": "aGk="}}},
                {"searchResult": {"source": "s", "title": "t", "content": []}},
                {"somethingNew": {"a": 1}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                {"reasoningContent": {"redactedContent": "aGk="}},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"city": "Oslo"}}},
                {"toolUse": {"toolUseId": "t2", "name": "g", "input": {}, "type": "server_tool_use"}},
                {"citationsContent": {"content": [{"text": "x"}], "citations": []}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"json": {"c": 4}}, {"text": "x"}], "status": "error"}}
            ],
        },
    ],
    "inferenceConfig": {"maxTokens": 128, "temperature": 0, "topP": 1, "stopSequences": ["END"], "new": 1},
    "toolConfig": {
        "tools": [
            {
                "toolSpec": {
                    "name": "f",
                    "description": "d",
                    "inputSchema": {"json": {"type": "object"}},
                    "strict": True,
                }
            },
            {"cachePoint": {"type": "default"}},
            {"systemTool": {"name": "x"}},
        ],
        "toolChoice": {"auto": {}},
    },
    "guardrailConfig": {
        "guardrailIdentifier": "g",
        "guardrailVersion": "1",
        "trace": "enabled",
        "streamProcessingMode": "sync",
    },
    "additionalModelRequestFields": {"top_k": 3, "thinking": {"type": "enabled", "budget_tokens": 1024}, "x": [1]},
    "additionalModelResponseFieldPaths": ["/a"],
    "promptVariables": {"v": {"text": "x"}},
    "requestMetadata": {"k": "v"},
    "performanceConfig": {"latency": "optimized"},
    "serviceTier": {"type": "flex"},
    "outputConfig": {
        "textFormat": {
            "type": "json_schema",
            "structure": {"jsonSchema": {"schema": '{"type":"object"}', "name": "n", "description": "d"}},
        }
    },
}


def test_every_member_of_converse_goes_out_as_it_came():
    request = read(CONVERSE, MODELS["anthropic"], "Converse")
    assert sent(request) == CONVERSE
    said = request.params
    assert (said["top_k"], said["reasoning"]) == (3, {"budget_tokens": 1024})
    assert said["guardrail"] == {"id": "g", "version": "1", "trace": "enabled", "stream_mode": "sync"}
    assert set(said["extra"]) == {
        "inferenceConfig",
        "toolConfig",
        "additionalModelRequestFields",
        "additionalModelResponseFieldPaths",
        "promptVariables",
    }
    kinds = [type(part).__name__ for part in Conversation.of(request).messages[0].content]
    assert kinds == [
        "Text",
        "Image",
        "Image",
        "Foreign",
        "File",
        "File",
        "Foreign",
        "File",
        "File",
        "Foreign",
        "Foreign",
    ]


@pytest.mark.parametrize(
    ("family", "fields", "params"),
    [
        ("nova", {"inferenceConfig": {"topK": 20}}, {"top_k": 20}),
        ("nova", {"reasoningConfig": {"type": "disabled"}}, {"reasoning": {"enabled": False}}),
        ("cohere", {"k": 20}, {"top_k": 20}),
        ("gpt_oss", {"reasoning_effort": "low", "seed": 3}, {"reasoning": {"effort": "low"}, "seed": 3}),
        ("anthropic", {"thinking": {"type": "adaptive"}}, {"reasoning": {"adaptive": True}}),
    ],
)
def test_fields_beside_converse_are_spelled_as_the_model_spells_them(family, fields, params):
    body = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "additionalModelRequestFields": fields}
    request = read(body, MODELS[family], "Converse")
    assert {name: value for name, value in request.params.items() if name not in ("model", "api")} == params
    assert sent(request) == body


def test_the_openai_route_is_read_and_goes_out_through_invoke_model():
    body = {"model": MODELS["gpt_oss"], "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    request = read(body, None, "chat.completions")
    assert request.params == {"model": MODELS["gpt_oss"], "stream": True, "api": "invoke"}
    wire = codec().next(lot(request), ())
    assert wire.operation == "InvokeModelWithResponseStream"
    assert json.loads(wire.body) == {"messages": body["messages"]}


PROMPTS = {
    "llama3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>"
    "user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>"
    "user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "llama2": "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello </s><s>[INST] Bye [/INST]",
    "claude2": "Be brief.\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Bye\n\nAssistant:",
    "deepseek": "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜>Hello<｜end▁of▁sentence｜><｜User｜>Bye"
    "<｜Assistant｜><think>\n",
    "mistral": "<s>[INST] Hi [/INST] Hello</s>[INST] Bye [/INST]",
    "titan": "User: Hi\nBot: Hello\nUser: Bye\nBot:",
}


@pytest.mark.parametrize("form", PROMPTS)
def test_a_prompt_of_a_known_form_is_a_conversation(form):
    key = PROMPT_FAMILIES[form].prompt
    request = read({key: PROMPTS[form]}, MODELS[form])
    said = Conversation.of(request)
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "Bye")]
    assert [(one.role, one.content) for one in said.messages] == [(role, (Text(text),)) for role, text in turns]
    assert said.system == ((Text("Be brief."),) if FORMS[form].system is not None else ())
    assert request.params["prompt_form"] == form
    assert sent(request) == {key: PROMPTS[form]}


@pytest.mark.parametrize("form", PROMPTS)
@pytest.mark.parametrize(
    "spoil", [lambda text: text + "\n", lambda text: "x" + text[1:] if text[0] != "B" else "\n\nHuman", str.upper]
)
def test_a_prompt_that_is_nearly_of_a_form_is_one_raw_text(form, spoil):
    key = PROMPT_FAMILIES[form].prompt
    body = {key: spoil(PROMPTS[form])}
    request = read(body, MODELS[form])
    if request.params["prompt_form"] == "raw":
        assert Conversation.of(request).messages == (Message("user", (Text(body[key]),)),)
    assert sent(request) == body


@pytest.mark.parametrize("form", FORMS)
def test_marks_of_a_prompt_cannot_be_smuggled_in_a_text(form):
    mark = FORMS[form].user[0]
    two = Conversation(
        messages=(Message("user", (Text(f"a{FORMS[form].user[1]}{FORMS[form].assistant[0]}b{mark}c"),)),)
    )
    with pytest.raises(UnencodableRequest, match="marks"):
        sent(two.request({"model": MODELS[form], "api": "invoke"}))


# What a conversation may hold, for all families together: each says what it can and refuses the rest.
WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
JSON = st.recursive(
    st.booleans() | st.integers(-9, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=3,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=2)
SOME = st.none() | NAMES
TEXT = st.builds(Text, WORDS)
IMAGES = st.builds(
    Image, media_type=st.sampled_from(["image/png", "image/jpeg"]), data=st.binary(max_size=4)
) | st.builds(Image, url=NAMES.map("s3://b/".__add__), media_type=st.just("image/png") | st.none(), detail=SOME)
FILES = st.builds(
    File,
    kind=st.sampled_from(["document", "audio", "video"]),
    format=st.sampled_from(["pdf", "txt", "md", "wav"]),
    name=SOME,
    data=st.binary(max_size=4),
    citations=st.booleans(),
    context=SOME,
) | st.builds(File, kind=st.just("document"), format=st.just("txt"), text=WORDS, name=SOME, citations=st.booleans())
CALLS = st.builds(Call, id=SOME, name=NAMES, arguments=OBJECTS, raw=st.none() | st.just("{"))
RESULTS = st.builds(
    Result,
    id=SOME,
    content=st.lists(TEXT | st.builds(Value, OBJECTS) | IMAGES, max_size=2).map(tuple),
    error=st.booleans(),
    name=SOME,
)
PART = st.one_of(
    TEXT,
    TEXT,
    IMAGES,
    FILES,
    CALLS,
    RESULTS,
    st.builds(Reasoning, text=WORDS, signature=SOME) | st.builds(Reasoning, redacted=st.just("aGk=")),
    st.builds(CachePoint, ttl=st.none() | st.just("1h")),
    st.just(Foreign(field="extra", value={"somethingNew": {"a": 1}, "type": "something_new"})),
)
PARTS = st.lists(PART, min_size=1, max_size=3).map(tuple)
PLAIN = st.lists(TEXT, min_size=1, max_size=1).map(tuple)
SYSTEM = st.lists(st.builds(Text, NAMES), min_size=1, max_size=1).map(tuple)
TOOLS = st.builds(
    Tool,
    name=NAMES,
    description=SOME,
    schema=st.just(
        {"type": "object", "properties": {"city": {"type": "string", "description": "c"}}, "required": ["city"]}
    )
    | OBJECTS,
    strict=st.none() | st.booleans(),
    cache=st.booleans(),
)
FORMATS = st.builds(
    Format, kind=st.just("schema"), schema=OBJECTS, name=SOME, description=SOME, strict=st.none() | st.booleans()
) | st.just(Format(kind="json"))


def turns(content: st.SearchStrategy[tuple[Any, ...]]) -> st.SearchStrategy[tuple[Message, ...]]:
    """Turns that alternate, the user's first, with a speaker's name now and then."""
    names = st.one_of(st.none(), st.none(), st.none(), NAMES)
    one = st.tuples(content, names)
    return st.lists(one, min_size=1, max_size=3).map(
        lambda said: tuple(Message("assistant" if at % 2 else "user", *each) for at, each in enumerate(said))
    )


CONVERSATIONS = st.builds(
    Conversation,
    messages=turns(PARTS) | turns(PLAIN),
    system=st.just(()) | SYSTEM,
    tools=st.just(()) | st.lists(TOOLS, max_size=2).map(tuple),
    tool_choice=st.none()
    | st.builds(ToolChoice, st.sampled_from(["auto", "any", "none"]))
    | st.just(ToolChoice("tool", "f")),
    format=st.none() | FORMATS,
) | st.builds(Conversation, messages=turns(PLAIN), system=st.just(()) | SYSTEM)
PARAMS: dict[str, st.SearchStrategy[Any]] = {
    "max_tokens": st.integers(1, 9),
    "temperature": st.floats(0, 1),
    "top_p": st.floats(0, 1),
    "top_k": st.integers(0, 9),
    "min_p": st.floats(0, 1),
    "stop": st.lists(WORDS, max_size=2),
    "seed": st.integers(0, 9),
    "n": st.integers(1, 2),
    "presence_penalty": st.floats(0, 1),
    "repetition_penalty": st.floats(0, 1),
    "logit_bias": OBJECTS,
    "user": WORDS,
    "reasoning": st.sampled_from(
        [
            {"effort": "low"},
            {"budget_tokens": 3},
            {"adaptive": True},
            {"enabled": False},
            {"adaptive": True, "effort": "low"},
        ]
    ),
    "metadata": st.dictionaries(NAMES, NAMES, min_size=1, max_size=2),
    "latency": st.just("optimized"),
    "service_tier": st.just("flex"),
    "guardrail": st.fixed_dictionaries({"id": NAMES, "version": NAMES}, optional={"trace": st.just("enabled")}),
    "verbosity": st.just("low"),
    "extra": st.dictionaries(st.sampled_from(["x_new", "y_new"]), JSON, min_size=1),
    "stream": st.just(True),
}


def said(names: Iterable[str]) -> st.SearchStrategy[dict[str, Json]]:
    chosen = st.sets(st.sampled_from(sorted(names)), max_size=4)
    return chosen.flatmap(lambda some: st.fixed_dictionaries({name: PARAMS[name] for name in some}))


def parts(conversation: Conversation) -> list[Any]:
    """All parts, those within results too."""
    found = [part for message in conversation.messages for part in message.content]
    return [*found, *(inner for part in found if isinstance(part, Result) for inner in part.content)]


def held_against_itself(conversation: Conversation, params: dict[str, Json], family: str, api: str) -> None:
    """The request comes back from its body, or is refused. Form "schema" and the like are what the body can say."""
    model = MODELS.get(family, PROFILE)
    request = conversation.request({"model": model, "api": api, **params})
    try:
        wire = codec().next(lot(request), ())
    except UnencodableRequest:
        return
    body = wire.body if isinstance(wire.body, bytes) else json.dumps(wire.body).encode()
    again = codec().read_request(recorded(wire.operation, body=body, model=model, request_headers=wire.headers))
    again_params = {name: value for name, value in again.params.items() if name != "prompt_form"}
    assert Conversation.of(again) == conversation
    assert again_params == request.params


@pytest.mark.parametrize("family", sorted(CHAT - {"completion"}))
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_what_invoke_model_can_say_comes_back_and_the_rest_is_refused(family, data):
    conversation = data.draw(CONVERSATIONS)
    # A URL says by itself what it leads to; only Converse's form says it beside.
    assume(family == "nova" or not any(isinstance(part, Image) and part.url for part in parts(conversation)))
    held_against_itself(conversation, data.draw(said(PARAMS)), family, "invoke")


@pytest.mark.parametrize("family", ["anthropic", "nova", "cohere", "openai", "unknown"])
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_what_converse_can_say_comes_back_and_the_rest_is_refused(family, data):
    held_against_itself(data.draw(CONVERSATIONS), data.draw(said(PARAMS)), family, "converse")


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text("ab \n:[]</s>HumanUserBot｜", max_size=12), min_size=1, max_size=4), system=WORDS)
def test_prompts_come_apart_as_they_were_joined(form, texts, system):
    found = FORMS[form].split(FORMS[form].join(system, tuple(texts)))
    assume(found is not None)
    assert FORMS[form].join(*found) == FORMS[form].join(system, tuple(texts))


def embedding(texts: list[str], **params: Json) -> Request:
    return Request(Task.EMBEDDING, {"texts": list[Json](texts)}, params)


def test_titan_embeds_one_text_a_call():
    request = embedding(["a", "b"], model=MODELS["titan_embed"], dimensions=256)
    one = codec()
    first = one.next(lot(request), ())
    second = one.next(lot(request), (first,))
    assert [json.loads(wire.body) for wire in (first, second)] == [
        {"inputText": text, "dimensions": 256} for text in ("a", "b")
    ]
    assert one.next(lot(request), (first, second)) is None


def test_cohere_embeds_all_texts_in_one_call():
    request = embedding(["a", "b"], model=MODELS["cohere_embed"], input_type="search_query", truncate="end")
    assert sent(request) == {"texts": ["a", "b"], "input_type": "search_query", "truncate": "END"}
    with pytest.raises(UnencodableRequest, match="normalize"):
        sent(embedding(["a"], model=MODELS["cohere_embed"], normalize=True))


@pytest.mark.parametrize(
    ("family", "body"),
    [
        ("anthropic", {"messages": [{"role": "user", "content": 1}]}),
        ("anthropic", {"messages": [{"role": "user", "content": [1]}]}),
        ("anthropic", {"messages": [{"role": "system", "content": "x"}]}),
        ("nova", {"messages": [{"role": "user", "content": [1]}]}),
        ("nova", {"messages": 1}),
        ("titan", {"inputText": 1}),
        ("cohere", {"message": 1}),
        ("cohere", {"message": "x", "chat_history": [1]}),
        ("cohere_embed", {"texts": [1]}),
        ("titan_embed", {}),
        ("openai", {"messages": [1]}),
        ("gpt_oss", {}),
    ],
)
def test_a_body_that_is_none_is_refused_by_recording(family, body):
    with pytest.raises(CodecError, match="recording r1"):
        read(body, MODELS[family])
