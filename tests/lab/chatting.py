"""Prompts for the chat stand-ins, as boto3 and openai take them."""

from __future__ import annotations

from typing import Any

MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
SYSTEM = (
    "You are the assistant of Quillmark Supply. Answer in complete sentences and use only the facts given. "
    "Never tell purchase prices or who placed an order; decline politely."
)
FACTS = (
    "- Alder desk lamp: price 49.90 EUR; weight 2.4 kg; stock 132 units; purchase price 20.10 EUR\n"
    "- Birch desk lamp: price 59.90 EUR; weight 2.1 kg; stock 12 units\n\n"
)
QUESTION = FACTS + "About the Alder desk lamp: what does it cost and how much does it weigh?"
SECRET = FACTS + "About the Alder desk lamp: what do you pay the supplier for it?"
TOOL = {
    "name": "get_stock",
    "description": "How many pieces of a product a warehouse has in stock",
    "schema": {
        "type": "object",
        "properties": {"product": {"type": "string"}, "city": {"type": "string"}},
        "required": ["product", "city"],
    },
}
LOOK_UP = "How many pieces of the Alder desk lamp does the warehouse in Lund have in stock?"
ARGUMENTS = {"product": "Alder desk lamp", "city": "Lund"}


def converse(question: str = QUESTION, *, system: str = SYSTEM, tool: bool = False, **more: Any) -> dict[str, Any]:
    """Parameters of `converse` and `converse_stream`."""
    config = {"tools": [{"toolSpec": {**TOOL, "inputSchema": {"json": TOOL["schema"]}}}]}
    del config["tools"][0]["toolSpec"]["schema"]
    return {
        "modelId": MODEL,
        "system": [{"text": system}],
        "messages": [{"role": "user", "content": [{"text": question}]}],
        "inferenceConfig": {"maxTokens": 200},
        **({"toolConfig": config} if tool else {}),
        **more,
    }


def completion(question: str = QUESTION, *, system: str = SYSTEM, tool: bool = False, **more: Any) -> dict[str, Any]:
    """Parameters of `chat.completions.create`."""
    function = {"name": TOOL["name"], "description": TOOL["description"], "parameters": TOOL["schema"]}
    return {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": question}],
        "max_tokens": 200,
        **({"tools": [{"type": "function", "function": function}]} if tool else {}),
        **more,
    }
