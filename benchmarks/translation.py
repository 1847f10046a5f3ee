"""Our translated bodies beside litellm's, for generated requests: every difference, counted and explained.

    .venv/bin/python benchmarks/translation.py             # 360 requests, installs litellm into a cache folder once
    .venv/bin/python benchmarks/translation.py --write     # and the table into benchmarks/README.md

OpenAI chat completions to Bedrock Converse (Claude Sonnet 4.5 and Nova Pro), and Anthropic Messages to OpenAI chat
completions (gpt-4o). Both write for the same model, so that both bodies could be the same; where they are not,
EXPLAINED says whose doing it is. A difference without an explanation is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.core import registry
from harness.core.case import Provenance, Recording
from harness.run.translation import Translator

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from peers.environments import Peer  # noqa: E402

LITELLM = Peer(
    words="litellm",
    package="litellm",
    version="1.106.12",
    worker="litellm_bodies.py",
    items=0,
    draws=0,
    beside=("openai<3", "boto3", "mcp"),
)
CACHE = Path.home() / ".cache" / "parity-harness"
README = HERE / "README.md"
START, END = "<!-- translation -->", "<!-- end of translation -->"
CLAUDE, NOVA = "anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0"
THEIRS, CHOICE = "theirs", "a choice"

# (way, pattern of the difference, whose doing it is, why). The first that fits explains a difference.
CONVERSE, CHAT = "openai_to_converse", "anthropic_to_openai"
EXPLAINED = (
    (
        CHAT,
        r"^max_(completion_)?tokens: ",
        CHOICE,
        "`max_completion_tokens` is the name that every current model takes; `max_tokens` is deprecated",
    ),
    (
        CHAT,
        r"^reasoning_effort: - ",
        THEIRS,
        "gpt-4o does not reason and refuses the member; ours is the departure `reasoning`",
    ),
    (CHAT, r"^top_k: - ", THEIRS, "chat completions have no `top_k`; ours is a departure"),
    (CHAT, r"^stop: ", THEIRS, "the API takes at most 4 stop sequences; ours keeps four, with a departure"),
    (
        CHAT,
        r"tool error",
        THEIRS,
        "a tool's failure is not told; ours says it in the text, with the departure `tool_result`",
    ),
    (
        CONVERSE,
        r"^inferenceConfig\.(temperature|topP): 1(\.0)? \| -",
        CHOICE,
        "gpt-4o's default, which Nova does not share, is said outright, with a departure",
    ),
    (
        CONVERSE,
        r"^inferenceConfig\.temperature: 1e-05 \| 0",
        CHOICE,
        "Nova's documented range begins at 0.00001; ours is a departure",
    ),
    (
        CONVERSE,
        r"^inferenceConfig\.topP: - ",
        THEIRS,
        "Claude Sonnet 4.5 refuses `top_p` beside `temperature`; ours drops it, with a departure",
    ),
    (
        CONVERSE,
        r"json_tool_call|^toolConfig\.tools: |^toolConfig\.toolChoice: ",
        CHOICE,
        "JSON is asked for by a tool that must be called, which turns the answer's text into a call; ours is the "
        "departure `response_format`",
    ),
    (
        CONVERSE,
        r"^toolConfig: - ",
        THEIRS,
        "the choice `none` is not said, so that the model may call a tool; ours leaves the tools out, with a departure",
    ),
    (
        CONVERSE,
        r"jsonSchema\.schema\.additionalProperties: - ",
        "ours, mended",
        "Claude wants closed objects; the application's schema is not changed, and the departure `response_format` "
        "tells that it may be refused",
    ),
    (
        CONVERSE,
        r"^additionalModelRequestFields: - .*disable_paral|^additionalModelRequestFields: - .*tool_choice",
        CHOICE,
        "one call at a time is told to Claude in a field that no page on Converse describes; ours is the departure "
        "`parallel_tool_calls`",
    ),
)

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PIXEL = "iVBORw0KGgo="


def openai_request(rng: random.Random) -> dict[str, Any]:
    """A chat completion as applications send it: some settings, some tools, a few turns."""
    messages: list[dict[str, Any]] = []
    if rng.random() < 0.6:
        messages.append({"role": "system", "content": "Be brief."})
    tools = rng.random() < 0.5
    for turn in range(rng.randint(1, 3)):
        said: Any = f"Question {turn}?"
        if rng.random() < 0.3:
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
            said = [{"type": "text", "text": said}, image]
        messages.append({"role": "user", "content": said})
        if rng.random() < 0.5:
            continue
        if tools and rng.random() < 0.6:
            call = {
                "id": f"call_{turn}",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
            }
            messages.append({"role": "assistant", "content": rng.choice([None, "Let me look."]), "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": '{"celsius": 4}'})
        else:
            messages.append({"role": "assistant", "content": "Answer."})
    if messages[-1]["role"] == "assistant":
        messages.append({"role": "user", "content": "Go on."})
    body: dict[str, Any] = {"messages": messages, "max_completion_tokens": 256}
    options: dict[str, Any] = {
        "temperature": rng.choice([0, 0.3, 1]),
        "top_p": 0.9,
        "stop": rng.choice(["END", ["a", "b"], ["a", "b", "c", "d"]]),
        "seed": 7,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.5,
        "user": "u-1",
        "n": 1,
        "response_format": rng.choice(
            [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "r", "schema": SCHEMA}}]
        ),
    }
    body |= {name: value for name, value in options.items() if rng.random() < 0.25}
    if tools:
        function = {"name": "weather", "description": "Current weather", "parameters": SCHEMA}
        body["tools"] = [{"type": "function", "function": function}]
        choice = rng.choice(["auto", "required", "none", {"type": "function", "function": {"name": "weather"}}, None])
        if choice is not None:
            body["tool_choice"] = choice
        if rng.random() < 0.3:
            body["parallel_tool_calls"] = rng.choice([True, False])
    return body


def anthropic_request(rng: random.Random) -> dict[str, Any]:
    """A Messages body as InvokeModel takes it."""
    messages: list[dict[str, Any]] = []
    tools = rng.random() < 0.5
    turns = rng.randint(1, 3)
    for turn in range(turns):
        content: list[dict[str, Any]] = [{"type": "text", "text": f"Question {turn}?"}]
        if rng.random() < 0.3:
            source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
            content.append({"type": "image", "source": source})
        if rng.random() < 0.2:
            content[-1]["cache_control"] = {"type": "ephemeral"}
        messages.append({"role": "user", "content": content})
        if turn == turns - 1:
            break
        if tools and rng.random() < 0.6:
            use = {"type": "tool_use", "id": f"toolu_{turn}", "name": "weather", "input": {"city": "Oslo"}}
            said = [{"type": "text", "text": "Let me look."}, use] if rng.random() < 0.5 else [use]
            messages.append({"role": "assistant", "content": said})
            result = {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": '{"celsius": 4}'}
            messages.append(
                {"role": "user", "content": [{**result, "is_error": True} if rng.random() < 0.2 else result]}
            )
            messages.append({"role": "assistant", "content": [{"type": "text", "text": "Four degrees."}]})
        else:
            messages.append({"role": "assistant", "content": [{"type": "text", "text": "Answer."}]})
    body: dict[str, Any] = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 4096, "messages": messages}
    options: dict[str, Any] = {
        "system": "Be brief.",
        "temperature": 0.3,
        "top_k": 40,
        "stop_sequences": rng.choice([["END"], ["a", "b", "c", "d", "e"]]),
        "metadata": {"user_id": "u-1"},
        "thinking": {"type": "enabled", "budget_tokens": 2048},
    }
    body |= {name: value for name, value in options.items() if rng.random() < 0.3}
    if "thinking" in body:
        body.pop("temperature", None)
        body.pop("top_k", None)
    if tools:
        body["tools"] = [{"name": "weather", "description": "Current weather", "input_schema": SCHEMA}]
        choice = rng.choice(
            [None, {"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "weather"}, {"type": "none"}]
        )
        if choice is not None and "thinking" not in body:
            body["tool_choice"] = choice
    return body


def generated(count: int) -> list[dict[str, Any]]:
    """Requests of each way, the same on every run."""
    rng = random.Random(7)
    converse = [
        {"way": "openai_to_converse", "model": (CLAUDE, NOVA)[number % 2], "body": openai_request(rng)}
        for number in range(2 * count // 3)
    ]
    openai = [
        {"way": "anthropic_to_openai", "model": "gpt-4o", "body": anthropic_request(rng)}
        for _ in range(count - len(converse))
    ]
    return converse + openai


def ours(requests: list[dict[str, Any]]) -> Iterator[Any]:
    """Our bodies, or the error."""
    translators: dict[tuple[str, str], Translator] = {}
    for one in requests:
        way, model = one["way"], one["model"]
        if (way, model) not in translators:
            pair, source = ("azure_openai_to_bedrock", "gpt-4o"), ("bedrock_to_azure_openai", "claude-sonnet-4-5")
            name, behind = pair if way == "openai_to_converse" else source
            built = registry.load("pairs", name, target_model=model, source_model=behind)
            translators[way, model] = Translator.of(built, where="benchmark")
        service, operation = (
            ("azure_openai", "chat.completions") if way == "openai_to_converse" else ("bedrock", "InvokeModel")
        )
        recording = Recording(
            id="generated",
            service=service,
            operation=operation,
            model="gpt-4o" if service == "azure_openai" else CLAUDE,
            request_headers={"content-type": "application/json"},
            request_body=json.dumps(one["body"]).encode(),
            provenance=Provenance(captured_at=None, captured_from="generated"),
        )
        translated = translators[way, model].one("generated", recording)
        yield {"error": translated.error} if translated.error else {"body": translated.request}


def theirs(requests: list[dict[str, Any]], cache: Path) -> list[Any]:
    lines = "".join(json.dumps(one) + "\n" for one in requests)
    done = subprocess.run(
        [LITELLM.python(cache), "-I", HERE / "peers" / LITELLM.worker],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Places that differ, with what each says; a content of one text and the text alone are the same."""
    one, other = _content(one), _content(other)
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from differences(one.get(name), other.get(name), f"{place}.{name}" if place else name)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for left, right in zip(one, other, strict=True):
            yield from differences(left, right, f"{place}[]")
    elif one != other:
        yield f"{place}: {_short(one)} | {_short(other)}"


def _content(value: Any) -> Any:
    if isinstance(value, dict):
        said = {name: inner for name, inner in value.items() if inner is not None}
        if isinstance(said.get("content"), str):
            said["content"] = [{"type": "text", "text": said["content"]}]
        for name in ("arguments", "schema"):  # JSON in a text is compared as what it says
            if isinstance(said.get(name), str):
                said[name] = json.loads(said[name])
        return said
    return value


def _short(value: Any) -> str:
    if value is None:
        return "-"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def explanation(way: str, difference: str) -> tuple[str, str] | None:
    for of, pattern, whose, why in EXPLAINED:
        if of == way and re.search(pattern, difference):
            return whose, why
    return None


def compared(requests: list[dict[str, Any]], cache: Path) -> tuple[Counter[tuple[str, str]], int]:
    """How many requests have each difference, and how many have none."""
    found: Counter[tuple[str, str]] = Counter()
    same = 0
    for request, our, their in zip(requests, ours(requests), theirs(requests, cache), strict=True):
        if "error" in our or "error" in their:
            told = {f"error: {our.get('error', '-')} | {their.get('error', '-')}"}
        else:
            told = set(differences(our["body"], their["body"]))
        same += not told
        found.update((request["way"], one) for one in told)
    return found, same


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=360)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    requests = generated(args.requests)
    found, same = compared(requests, args.cache)
    table, unexplained = tabled(found, len(requests), same)
    print(table)
    for (way, difference), count in unexplained:
        print(f"NOT EXPLAINED {count:4d} {way}: {difference}")
    if args.write and not unexplained:
        text = README.read_text(encoding="utf-8")
        before, after = text.split(START)[0], text.split(END)[1]
        README.write_text(f"{before}{START}\n\n{table}\n\n{END}{after}", encoding="utf-8")
    return 1 if unexplained else 0


def tabled(found: Counter[tuple[str, str]], requests: int, same: int) -> tuple[str, list[tuple[tuple[str, str], int]]]:
    """The table of explained differences, and what is left."""
    explained: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    unexplained = []
    for (way, difference), count in found.most_common():
        told = explanation(way, difference)
        if told is None:
            unexplained.append(((way, difference), count))
            continue
        explained[way, *told] += count
        examples.setdefault((way, *told), difference)
    heads = (
        f"{requests} requests, {same} with the same body from both.\n\n"
        "| way | requests | ours \\| litellm's, such as | whose | why |\n|---|---|---|---|---|"
    )
    rows = [
        f"| {way} | {count} | `{examples[way, whose, why].replace('|', chr(92) + '|')}` | {whose} | {why} |"
        for (way, whose, why), count in explained.most_common()
    ]
    return "\n".join([heads, *rows]), unexplained


if __name__ == "__main__":
    sys.exit(main())
