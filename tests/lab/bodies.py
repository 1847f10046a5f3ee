"""One system text and one question as each family of Bedrock models takes them."""

from __future__ import annotations

from typing import Any

LIMIT = 200


def families(system: str, question: str) -> dict[str, dict[str, Any]]:
    """Model id -> InvokeModel body."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return {
        "anthropic.claude-3-haiku-20240307-v1:0": {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": LIMIT,
            "system": system,
            "messages": [{"role": "user", "content": [{"type": "text", "text": question}]}],
        },
        "amazon.nova-lite-v1:0": {
            "schemaVersion": "messages-v1",
            "system": [{"text": system}],
            "messages": [{"role": "user", "content": [{"text": question}]}],
            "inferenceConfig": {"maxTokens": LIMIT, "topK": 1},
        },
        "amazon.titan-text-express-v1": {
            "inputText": f"{system}\n\n{question}",
            "textGenerationConfig": {"maxTokenCount": LIMIT, "stopSequences": []},
        },
        "meta.llama3-1-70b-instruct-v1:0": {
            "prompt": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
            f"{system}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{question}<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            "max_gen_len": LIMIT,
        },
        "mistral.mistral-7b-instruct-v0:2": {
            "prompt": f"<s>[INST] {system}\n\n{question} [/INST]",
            "max_tokens": LIMIT,
        },
        "mistral.mistral-large-2407-v1:0": {"messages": messages, "max_tokens": LIMIT},
        "cohere.command-r-plus-v1:0": {"message": question, "preamble": system, "max_tokens": LIMIT},
        "ai21.jamba-1-5-large-v1:0": {"messages": messages, "max_tokens": LIMIT},
        "deepseek.r1-v1:0": {
            "prompt": f"<｜begin▁of▁sentence｜>{system}<｜User｜>{question}<｜Assistant｜><think>\n",
            "max_tokens": LIMIT,
        },
        "openai.gpt-oss-20b-1:0": {"messages": messages, "max_completion_tokens": LIMIT},
    }
