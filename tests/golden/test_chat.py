"""The golden set `chat`: rebuilt byte for byte, and true: the lab's model, which only reads prompts, agrees with it."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.lab.chat import model
from harness.lab.chat.company import ATTRIBUTES
from harness.lab.chat.prompt import Said
from harness.lab.converse import prompt_of
from harness.recordings.store import GoldenSet

FOLDER = Path(__file__).parents[2] / "golden" / "chat"
LINES = [json.loads(line) for line in (FOLDER / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


def test_building_it_again_gives_the_same_bytes(tmp_path):
    spec = importlib.util.spec_from_file_location("golden_chat_build", FOLDER / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    manifest = module.build(tmp_path)
    assert manifest.cases == 650
    for name in ("cases.jsonl", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_it_has_five_kinds_and_no_prompt_twice():
    with GoldenSet.open(FOLDER) as golden:
        assert golden.manifest.service == "bedrock"
    assert Counter(line["slices"]["kind"] for line in LINES) == dict.fromkeys(RIGHT, 100) | {"question": 250}
    assert len({line["request"]["body"] for line in LINES}) == 650


def _tells(said: Said, expected: Any) -> bool:
    forms = [ATTRIBUTES[word].written(value) for word, value in expected["facts"].items()]
    return expected["name"] in said.text and all(any(form in said.text for form in one) for one in forms)


def _calls(said: Said, expected: Any) -> bool:
    return [(call.name, call.arguments) for call in said.calls] == [(expected["name"], expected["arguments"])]


RIGHT = {
    "question": _tells,
    "extraction": lambda said, expected: json.loads(said.text) == expected,
    "classification": lambda said, expected: said.text.lower().rstrip(".") == expected,
    "tool": _calls,
    "refusal": lambda said, _: "purchase prices" in said.text or "who placed an order" in said.text,
}


@pytest.mark.parametrize("kind", RIGHT)
def test_the_truth_of_each_prompt_can_be_read_in_it(kind):
    for line in (line for line in LINES if line["slices"]["kind"] == kind):
        said = model.answer(prompt_of(json.loads(line["request"]["body"])), Random(line["id"]))
        assert RIGHT[kind](said, line["expected"]), line["id"]
