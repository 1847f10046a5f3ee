"""Run by litellm's own Python: translate requests, a JSON object a line on stdin, into bodies, a line each on stdout.

{"way": "openai_to_converse", "model": ..., "body": ...} as litellm.completion would for Bedrock, `drop_params` on;
{"way": "anthropic_to_openai", ...} as its Anthropic Messages adapter does for other providers. Nothing is sent.
"""

import json
import os
import sys
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would ask the web for a price list when it is imported

from litellm import AmazonConverseConfig
from litellm.llms.anthropic.pass_through.adapters.transformation import LiteLLMAnthropicMessagesAdapter
from litellm.utils import get_optional_params


def to_converse(model: str, body: dict[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in body.items() if name not in ("messages", "model")}
    mapped = get_optional_params(model=model, custom_llm_provider="bedrock", drop_params=True, **params)
    mapped.pop("stream", None)  # which `completion` takes out before it sends
    config = AmazonConverseConfig()
    return dict(
        config._transform_request(
            model=model, messages=body["messages"], optional_params=mapped, litellm_params={}, headers={}
        )
    )


def to_openai(model: str, body: dict[str, Any]) -> dict[str, Any]:
    asked = {name: value for name, value in body.items() if name != "anthropic_version"}
    translated, _ = LiteLLMAnthropicMessagesAdapter().translate_anthropic_to_openai({**asked, "model": model})
    return dict(translated)


WAYS = {"openai_to_converse": to_converse, "anthropic_to_openai": to_openai}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        told = {"body": WAYS[asked["way"]](asked["model"], asked["body"])}
    except Exception as exc:
        told = {"error": f"{type(exc).__name__}: {str(exc)[:200]}"}
    sys.stdout.write(json.dumps(told, default=str) + "\n")
