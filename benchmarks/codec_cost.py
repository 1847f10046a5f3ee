"""What a codec costs a call: from a neutral request to what is sent, and from a reply to a reading.

Each subject asks with 1 kB of text and is answered with 1 kB. Beside it stands what the vendor's SDK itself spends
on the same call without a network: checking and serialising its parameters, parsing the reply. Figures are the best of
several rounds, in microseconds a call.

    .venv/bin/python benchmarks/codec_cost.py            # all services
    .venv/bin/python benchmarks/codec_cost.py bedrock    # one
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.config import SideSettings
from harness.core.call import Event, Reading, Side, Wire
from harness.core.case import Lot, Request, Task
from harness.core.chat import Conversation, Message, Text
from harness.core.protocols import Codec
from harness.services import azure_openai, bedrock, foundry

ROUNDS = 15
CALLS = 200
WORDS = "All work and no play makes Jack a dull boy. "
ASKED = (WORDS * 25)[:1000]
SAID = (WORDS[::-1] * 25)[:1000]


@dataclass(frozen=True)
class Subject:
    """One body of one service. ours: a call through our codec. sdk: the same through the vendor's SDK, if any."""

    name: str
    ours: Callable[[], object]
    sdk: Callable[[], object] | None


def best_us(call: Callable[[], object]) -> float:
    """The best round's time a call, in microseconds."""
    call()
    return min(timeit.repeat(call, timer=time.process_time, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


# Bedrock: InvokeModel's body a family, and Converse.

ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "anthropic": (
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        {
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5-20250929",
            "content": [{"type": "text", "text": SAID}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 220, "output_tokens": 210},
        },
    ),
    "claude2": ("anthropic.claude-v2:1", {"completion": SAID, "stop_reason": "stop_sequence", "stop": "\n\nHuman:"}),
    "nova": (
        "amazon.nova-pro-v1:0",
        {
            "output": {"message": {"role": "assistant", "content": [{"text": SAID}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 220, "outputTokens": 210, "totalTokens": 430},
        },
    ),
    "titan": (
        "amazon.titan-text-express-v1",
        {
            "inputTextTokenCount": 220,
            "results": [{"tokenCount": 210, "outputText": SAID, "completionReason": "FINISH"}],
        },
    ),
    "llama3": (
        "meta.llama3-3-70b-instruct-v1:0",
        {"generation": SAID, "prompt_token_count": 220, "generation_token_count": 210, "stop_reason": "stop"},
    ),
    "mistral": ("mistral.mixtral-8x7b-instruct-v0:1", {"outputs": [{"text": SAID, "stop_reason": "stop"}]}),
    "mistral_chat": (
        "mistral.mistral-large-2407-v1:0",
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": SAID}, "stop_reason": "stop"}]},
    ),
    "cohere": ("cohere.command-r-plus-v1:0", {"text": SAID, "finish_reason": "COMPLETE", "chat_history": []}),
    "command": ("cohere.command-text-v14", {"generations": [{"text": SAID, "finish_reason": "COMPLETE"}]}),
    "jurassic": (
        "ai21.j2-ultra-v1",
        {"completions": [{"data": {"text": SAID}, "finishReason": {"reason": "endoftext"}}]},
    ),
    "deepseek": ("deepseek.r1-v1:0", {"choices": [{"text": SAID, "stop_reason": "stop"}]}),
    "gpt_oss": (
        "openai.gpt-oss-120b-1:0",
        {
            "choices": [{"index": 0, "message": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 220, "completion_tokens": 210, "total_tokens": 430},
        },
    ),
}
COUNTS = {"x-amzn-bedrock-input-token-count": "220", "x-amzn-bedrock-output-token-count": "210"}


def bedrock_subjects() -> Iterator[Subject]:
    yield bedrock_subject(
        "Converse", "amazon.nova-pro-v1:0", "converse", {**ANSWERS["nova"][1], "metrics": {"latencyMs": 9}}
    )
    for family, (model, answer) in ANSWERS.items():
        yield bedrock_subject(f"InvokeModel {family}", model, "invoke", answer)


def bedrock_subject(name: str, model: str, api: str, answer: dict[str, Any]) -> Subject:
    codec = bedrock.build(SideSettings(side=Side.SOURCE, cloud="aws", endpoint=model)).codec
    conversation = Conversation(messages=(Message("user", (Text(ASKED),)),))
    lot = Lot("l", {"c": conversation.request({"model": model, "api": api, "max_tokens": 512, "temperature": 0.5})})
    sent = codec.next(lot, ())
    assert isinstance(sent, Wire)
    body = answer if api == "converse" else json.dumps(answer).encode()
    reply = Wire(operation=sent.operation, status=200, headers=COUNTS, body=body)

    def ours() -> object:
        codec.next(lot, ())
        return codec.decode(lot, (reply,))["c"]

    assert isinstance(ours(), Reading)
    return Subject(f"Bedrock {name}", ours, boto3_call(sent, model, json.dumps(answer).encode()))


def boto3_call(sent: Wire, model: str, answer: bytes) -> Callable[[], object]:
    """What botocore does with a call but sign and send it: check parameters, serialise them, parse the reply."""
    import botocore.session
    from botocore.parsers import create_parser
    from botocore.serialize import create_serializer
    from botocore.validate import ParamValidationDecorator, ParamValidator

    operation = botocore.session.Session().get_service_model("bedrock-runtime").operation_model(sent.operation)
    serializer = ParamValidationDecorator(ParamValidator(), create_serializer("rest-json"))
    parser = create_parser("rest-json")
    asked = {**sent.body, "modelId": model} if isinstance(sent.body, dict) else {"modelId": model, "body": sent.body}
    response = {"status_code": 200, "headers": {"content-type": "application/json"}, "body": answer}

    def call() -> object:
        serializer.serialize_to_request(asked, operation)
        return parser.parse(response, operation.output_shape)

    return call


# Azure OpenAI and Foundry: the SDK's own cost is that of its method, over a transport in memory: building and checking
# the request, its HTTP client without a socket, and the parsed answer.

SAFE = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
USAGE = {"prompt_tokens": 220, "completion_tokens": 210, "total_tokens": 430}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
COMPLETION: dict[str, Any] = {
    **CHUNK,
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": SAID},
            "content_filter_results": SAFE,
        }
    ],
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": SAFE}],
    "usage": USAGE,
}
CHUNKS: list[dict[str, Any]] = [
    {**CHUNK, "choices": [{"index": 0, "delta": {"content": SAID[i : i + 25]}, "finish_reason": None}]}
    for i in range(0, len(SAID), 25)
] + [{**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE}]
RESPONSE: dict[str, Any] = {
    "id": "r",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-4o",
    "output": [
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": SAID, "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {"input_tokens": 220, "output_tokens": 210, "total_tokens": 430},
}
VECTOR: dict[str, Any] = {
    "object": "list",
    "model": "e",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.125] * 1536}],
    "usage": {"prompt_tokens": 220, "total_tokens": 220},
}


def azure_openai_subjects() -> Iterator[Subject]:
    conversation = Conversation(messages=(Message("user", (Text(ASKED),)),))
    chat, responses = conversation.request({"max_tokens": 512}), conversation.request({"api": "responses"})
    stream = conversation.request({"max_tokens": 512, "stream": True})
    embedding = Request(Task.EMBEDDING, {"texts": [ASKED]}, {"encoding": "float"})
    for name, request, answer in (
        ("chat", chat, COMPLETION),
        (f"chat, {len(CHUNKS)} chunks", stream, CHUNKS),
        ("responses", responses, RESPONSE),
        ("embedding of 1,536", embedding, VECTOR),
    ):
        codec = azure_openai.build(SideSettings(side=Side.TARGET, cloud="azure", endpoint="gpt")).codec
        yield Subject(f"Azure OpenAI {name}", *azure_calls(codec, request, answer))


def foundry_subjects() -> Iterator[Subject]:
    request = Conversation(messages=(Message("user", (Text(ASKED),)),)).request({"max_tokens": 512})
    codec = foundry.build(SideSettings(side=Side.TARGET, cloud="azure", endpoint="claude")).codec
    ours, _ = azure_calls(codec, request, ANSWERS["anthropic"][1])
    yield Subject("Foundry messages", ours, None)


def azure_calls(codec: Codec, request: Request, answer: Any) -> tuple[Callable[[], object], Callable[[], object]]:
    """One call through our codec, and through the SDK. answer: a body, or the chunks of a stream."""
    import httpx2
    import openai

    lot = Lot("l", {"c": request})
    sent = codec.next(lot, ())
    assert isinstance(sent, Wire)
    assert isinstance(sent.body, dict)
    asked: dict[str, Any] = sent.body
    streams = isinstance(answer, list)
    events = tuple(Event(0.1, "chunk", chunk) for chunk in answer) if streams else ()
    reply = Wire(operation=sent.operation, status=200, body=None if streams else answer, events=events)

    def ours() -> object:
        codec.next(lot, ())
        return codec.decode(lot, (reply,))["c"]

    assert isinstance(ours(), Reading)
    content = json.dumps(answer).encode()
    if streams:
        content = b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in answer) + b"data: [DONE]\n\n"
    headers = {"content-type": "text/event-stream" if streams else "application/json"}
    client = openai.AzureOpenAI(
        azure_endpoint="https://r.example",
        api_key="none",
        api_version="2024-10-21",
        http_client=httpx2.Client(
            transport=httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=content))
        ),
        max_retries=0,
    )
    methods: dict[str, Callable[..., Any]] = {
        "chat.completions": client.chat.completions.create,
        "responses": client.responses.create,
        "embeddings": client.embeddings.create,
    }

    def theirs() -> object:
        answered = methods[sent.operation](**asked)
        return list(answered) if streams else answered

    return ours, theirs


# A service joins with a function here that yields its subjects.
SERVICES: dict[str, Callable[[], Iterator[Subject]]] = {
    "bedrock": bedrock_subjects,
    "azure_openai": azure_openai_subjects,
    "foundry": foundry_subjects,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("services", nargs="*", help=f"of {', '.join(SERVICES)}; all without any")
    chosen = parser.parse_args().services or list(SERVICES)
    if unknown := sorted(set(chosen) - set(SERVICES)):
        sys.exit(f"unknown service {', '.join(unknown)}; known are {', '.join(SERVICES)}")
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}; microseconds a call\n")
    print(f"| {'body':31} | ours | SDK's own |\n| {'-' * 31} | ---- | --------- |")
    for service in chosen:
        for subject in SERVICES[service]():
            sdk = "-" if subject.sdk is None else f"{best_us(subject.sdk):.0f}"
            print(f"| {subject.name:31} | {best_us(subject.ours):4.0f} | {sdk:>9} |")


if __name__ == "__main__":
    main()
