"""Recorded requests of others, translated: each known model's goes over whole, and what it loses is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.core import registry
from harness.core.case import Provenance, Recording
from harness.run.translation import Translated, Translator
from tests.peers import test_bedrock_recordings as bedrock

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="recordings of others are not here")


def translated(pair: str, recordings: list[Recording], **options: Any) -> list[Translated]:
    translator = Translator.of(registry.load("pairs", pair, **options), where="recordings")
    return [translator.one(one.id, one) for one in recordings]


def azure() -> list[Recording]:
    found = []
    for path in sorted((DATA / "azure_openai_http").glob("*.yaml")):
        for number, one in enumerate(yaml.safe_load(path.read_text())["interactions"]):
            found.append(
                Recording(
                    id=f"{path.stem}-{number}",
                    service="azure_openai",
                    operation="chat.completions",
                    url=one["request"]["uri"],
                    request_body=one["request"]["body"].encode(),
                    provenance=Provenance(captured_at=None, captured_from=path.name),
                )
            )
    return found


@pytest.mark.parametrize("pair", ["bedrock_to_azure_openai", "bedrock_to_foundry"])
def test_every_recorded_bedrock_request_goes_over_but_that_of_an_unnamed_model(pair: str):
    lines = translated(pair, list(bedrock.exchanges()))
    failed = [one for one in lines if one.error is not None]
    assert len(lines) == 37
    assert [one.recording.model for one in failed if "unknown model" in str(one.error)] == [
        one.recording.model for one in failed
    ]
    assert len(failed) == 1
    assert all(one.request for one in lines if one.error is None)


def test_a_named_target_takes_every_recorded_request():
    lines = translated("bedrock_to_azure_openai", list(bedrock.exchanges()), target_model="gpt-4o")
    assert [one.error for one in lines] == [None] * 37


def test_every_recorded_azure_request_goes_back():
    recordings = azure()
    chats = [one for one in recordings if "embeddings" not in str(one.url)]
    lines = translated("azure_openai_to_bedrock", chats, source_model="gpt-4o")
    assert [one.error for one in lines] == [None] * len(chats)
    assert len(chats) >= 20
