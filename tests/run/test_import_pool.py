"""Children make of a log what is made of it without them, byte for byte, also where they fail."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from harness.core import registry
from harness.recordings.formats import _streams
from harness.recordings.privacy import redactor
from harness.run import import_pool, importing, making
from harness.run.making import Maker, Options
from tests.run.test_quick import MODELS, NOW
from tests.small.logs import MemoryLog

EMAIL = "ann" + "@" + "example" + ".com"


def captures(count: int, seed: int = 1) -> bytes:
    rng = random.Random(seed)
    lines = []
    for number in range(count):
        half = {"encoding": "CSV", "observedContentType": rng.choice(["text/csv", "application/json"])}
        data = {"endpointInput": {**half, "data": f"{rng.randrange(count)},2"}}
        if rng.random() < 0.9:
            data["endpointOutput"] = {**half, "data": f"0.{rng.randrange(3)}"}
        meta = {"eventId": f"e{number}", "inferenceTime": f"2026-11-01T09:{rng.randrange(60):02}:33Z"}
        lines.append(json.dumps({"captureData": data, "eventMetadata": meta}))
        lines += rng.choice([[], [], [""], ["{"], ["  "]])
    return "\n".join(lines).encode()


def calls(count: int, seed: int = 1) -> bytes:
    rng = random.Random(seed)
    lines = []
    for number in range(count):
        text = rng.choice(["2+2?", f"n {number}", f"write to {EMAIL}", "é \n"])
        one: dict[str, Any] = {
            "operation": "Converse",
            "modelId": MODELS[0],
            "timestamp": "2026-11-01T09:12:33Z",
            "requestId": f"r{number}",
            "input": {"inputBodyJson": {"messages": [{"role": "user", "content": [{"text": text}]}]}},
            "output": {"outputBodyJson": {"stopReason": "end_turn", "n": rng.randrange(3)}},
        }
        if rng.random() < 0.7:
            one["input"]["inputTokenCount"] = one["output"]["outputTokenCount"] = rng.randrange(9)
        lines.append(json.dumps(one))
    return "\n".join(lines).encode()


def imported(into: Path, form: str, content: bytes, options: Options) -> dict[str, bytes]:
    built = registry.load("recordings.formats", form)
    log = MemoryLog({"a.jsonl": content, "e/v/2026/11/01/09/b.jsonl": content})
    importing.run(built, log, into / "golden", options, now=lambda: NOW)
    return {path.name: path.read_bytes() for path in sorted((into / "golden").iterdir())}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of few lines, and children from the second one on."""
    monkeypatch.setattr(_streams, "BLOCK", 2000)
    monkeypatch.setattr(import_pool, "FROM", 2)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("form", ["sagemaker_capture", "bedrock_log"])
@pytest.mark.parametrize("asked", ["nothing", "slices"])
def test_children_write_the_same_bytes(tmp_path: Path, form: str, asked: str, monkeypatch: pytest.MonkeyPatch):
    content = captures(400) if form == "sagemaker_capture" else calls(400)
    asks = {"nothing": {}, "slices": {"slices": {"id": importing.asking("requestId", option="--slice")}}}
    sets = []
    for children in (0, 2):
        monkeypatch.setattr(import_pool, "useful", lambda children=children: children)
        sets.append(imported(tmp_path / str(children), form, content, Options(**asks[asked])))
    assert sets[0] == sets[1]
    assert len(sets[0]["cases.jsonl"].splitlines()) == 800


@pytest.mark.usefixtures("small")
def test_children_redact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_pool, "useful", lambda: 2)
    made = imported(tmp_path, "bedrock_log", calls(400), Options(redactor=redactor("default")))
    assert EMAIL.encode() not in made["cases.jsonl"]
    pseudonyms = {word for word in made["cases.jsonl"].decode().split() if "@example.invalid" in word}
    assert len({word.partition("@")[0] for word in pseudonyms}) == 1  # one key in all of them


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("way", ["raises", "dies", "killed"])
def test_a_child_that_fails_loses_nothing(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch):
    content, parent, block = captures(400), os.getpid(), Maker.block

    def failing(maker: Maker, *words: Any) -> None:
        if os.getpid() != parent and words[1].index % 3 == 0:
            if way == "raises":
                raise MemoryError
            if way == "dies":
                os._exit(3)
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        block(maker, *words)

    monkeypatch.setattr(import_pool, "useful", lambda: 0)
    alone = imported(tmp_path / "alone", "sagemaker_capture", content, Options())
    monkeypatch.setattr(import_pool, "useful", lambda: 2)
    monkeypatch.setattr(making.Maker, "block", failing)
    assert imported(tmp_path / "two", "sagemaker_capture", content, Options()) == alone


@pytest.mark.usefixtures("small")
def test_an_import_that_is_stopped_ends_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(import_pool, "useful", lambda: 2)
    pids: list[int] = []
    start = import_pool._Hand.__init__

    def noted(hand: import_pool._Hand, *words: Any, **more: Any) -> None:
        start(hand, *words, **more)
        pids.append(hand.pid)

    def stop(records: int) -> None:
        if records > 300:
            raise KeyboardInterrupt

    monkeypatch.setattr(import_pool._Hand, "__init__", noted)
    built = registry.load("recordings.formats", "sagemaker_capture")
    with pytest.raises(KeyboardInterrupt):
        importing.run(built, MemoryLog({"a": captures(900)}), tmp_path / "g", Options(), progress=stop)
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert list((tmp_path / "g").iterdir()) == []
