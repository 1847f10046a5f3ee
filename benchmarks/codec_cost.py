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
from harness.core.call import Reading, Side, Wire
from harness.core.case import Lot
from harness.core.chat import Conversation, Message, Text
from harness.services import bedrock

ROUNDS = 15
CALLS = 200
WORDS = "All work and no play makes Jack a dull boy. "
ASKED = (WORDS * 25)[:1000]
SAID = (WORDS[::-1] * 25)[:1000]


@dataclass(frozen=True)
class Subject:
    """One body of one service. ours: one call through our codec. sdk: the same through the vendor's SDK."""

    name: str
    ours: Callable[[], object]
    sdk: Callable[[], object]


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


# A service joins with a function here that yields its subjects.
SERVICES: dict[str, Callable[[], Iterator[Subject]]] = {"bedrock": bedrock_subjects}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("services", nargs="*", help=f"of {', '.join(SERVICES)}; all without any")
    chosen = parser.parse_args().services or list(SERVICES)
    if unknown := sorted(set(chosen) - set(SERVICES)):
        sys.exit(f"unknown service {', '.join(unknown)}; known are {', '.join(SERVICES)}")
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}; microseconds a call\n")
    print(f"| {'body':26} | ours | SDK's own |\n| {'-' * 26} | ---- | --------- |")
    for service in chosen:
        for subject in SERVICES[service]():
            print(f"| {subject.name:26} | {best_us(subject.ours):4.0f} | {best_us(subject.sdk):9.0f} |")


if __name__ == "__main__":
    main()
