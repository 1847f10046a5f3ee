"""A suite per family of Bedrock models, through boto3 and openai, whole and streamed: every answer read, none worse.

The questions are those of `golden/chat`, written in each family's own InvokeModel body. A dozen of each settles nothing
at the gate; it shows that what was asked arrives on both sides, for the answers hold the same facts.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness import config, lab
from harness.core.case import Provenance, Recording
from harness.core.report import MetricSummary
from harness.core.verdict import Verdict
from harness.recordings.lines import StoredCase
from harness.recordings.store import write
from harness.run import plan, session
from harness.run.lab import opened
from harness.run.session import Finished
from tests.conftest import SharedLab
from tests.lab.bodies import LIMIT, families
from tests.small.project import ROOT

QUESTIONS = 12  # of each form
FORMS = {False: "InvokeModel", True: "InvokeModelWithResponseStream"}
SUITE = """
[suite]
title = "A family"
pair = "{pair}"
golden = "family"

[pair]
{options}

[endpoints.lab]
source = "us-east-1"
target = "{target}"

[comparators.answer]
{comparator}

[coverage]
allow_sampled = true

[[criterion]]
metric = "answer"
kind = "score"

[[criterion]]
name = "calls succeed"
metric = "error"
kind = "flip"
margin = 0.05
"""


def _plain_questions() -> list[tuple[str, str]]:
    """(system, question) of those that stand in one text."""
    lines = (ROOT / "golden" / "chat" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    bodies = [json.loads(line["request"]["body"]) for line in map(json.loads, lines) if _plain(line)]
    return [(body["system"][0]["text"], body["messages"][0]["content"][0]["text"]) for body in bodies]


def _plain(line: Mapping[str, Any]) -> bool:
    return line["slices"]["kind"] == "question" and "toolConfig" not in line["request"]["body"]


CLAUDE, LLAMA = "anthropic.claude-3-haiku-20240307-v1:0", "meta.llama3-1-70b-instruct-v1:0"
PLAIN = _plain_questions()[:QUESTIONS]
FAMILIES = list(families("", ""))


@dataclass(frozen=True)
class Recorded:
    """One request as it was recorded."""

    operation: str
    model: str
    body: Mapping[str, Any]


@pytest.fixture
def run(shared_lab: SharedLab, tmp_path: Path) -> Iterator[Any]:
    """Makes a project of these requests, replays and judges it."""

    def replay(
        recorded: Iterable[Recorded],
        *,
        pair: str = "bedrock_to_azure_openai",
        target: str = "gpt-4o",
        options: str = "",
        comparator: str = 'use = "text_similarity"',
        more: str = "",
    ) -> Finished:
        suite = tmp_path / "suites" / "family" / "suite.toml"
        suite.parent.mkdir(parents=True)
        shutil.copy(ROOT / "parity.toml", tmp_path / "parity.toml")
        suite.write_text(SUITE.format(pair=pair, target=target, options=options, comparator=comparator) + more)
        _golden(tmp_path / "golden" / "family", recorded)
        made = plan.make(suite, config.profile(config.load_project(tmp_path), "lab"))
        state = shared_lab.state_file
        with opened(made.profile, plant=None, start=lambda plant: lab.use(plant, state_file=state)) as addresses:
            return session.run(plan.in_lab(made, addresses), reports=tmp_path / "reports", planted=None)

    yield replay


def _golden(folder: Path, recorded: Iterable[Recorded]) -> None:
    write(
        folder,
        (_case(number, one) for number, one in enumerate(recorded)),
        name="family",
        description="questions over facts",
        service="bedrock",
        operation="InvokeModel",
        licence="Apache-2.0",
        source="golden/chat",
        split="the first",
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
        sampled=True,
    )


def _case(number: int, one: Recorded) -> StoredCase:
    recording = Recording(
        id=f"case-{number:03d}",
        service="bedrock",
        operation=one.operation,
        model=one.model,
        request_headers={"content-type": "application/json"},
        request_body=json.dumps(one.body, ensure_ascii=False).encode(),
        provenance=Provenance(captured_at=None, captured_from="made for a test"),
    )
    return StoredCase(recording=recording)


def _asked(model: str) -> Iterator[Recorded]:
    """Every question whole and streamed."""
    for operation in FORMS.values():
        for system, question in PLAIN:
            yield Recorded(operation, model, families(system, question)[model])


def _converse() -> Iterator[Recorded]:
    """Every question by Converse and by ConverseStream."""
    for operation in ("Converse", "ConverseStream"):
        for system, question in PLAIN:
            body = {
                "system": [{"text": system}],
                "messages": [{"role": "user", "content": [{"text": question}]}],
                "inferenceConfig": {"maxTokens": LIMIT},
            }
            yield Recorded(operation, CLAUDE, body)


def _embedded() -> Iterator[Recorded]:
    """Cohere takes many texts a call; an arrangement needs at least three."""
    for place in range(4):
        texts = [question for _, question in PLAIN[place : place + 8]]
        yield Recorded("InvokeModel", "cohere.embed-english-v3", {"texts": texts, "input_type": "search_document"})


def _answered(finished: Finished) -> MetricSummary:
    """Every call was answered and read, on both sides; what the comparator says."""
    assert [dict(side.failures) for side in finished.report.sides] == [{}, {}], finished.report.worst
    answer = next(metric for metric in finished.report.metrics if metric.metric == "answer")
    assert answer.rows == finished.report.cases and answer.incomparable == 0
    return answer


def _as_good_as_itself(finished: Finished) -> None:
    """The target says what the source says; a fact that got lost on the way would score below 0.5 (see the suite)."""
    answer = _answered(finished)
    assert finished.decision.verdict is not Verdict.NO_GO, finished.decision.headline
    assert answer.target_mean is not None and answer.noise_mean is not None
    assert answer.noise_mean > 0.85 and answer.target_mean > answer.noise_mean - 0.05


@pytest.mark.parametrize("model", FAMILIES)
def test_a_family_in_its_own_body_is_answered_by_chat_completions(run, model: str):
    _as_good_as_itself(run(_asked(model)))


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_converse_is_answered_by_either_api_of_azure_openai(run, api: str):
    _as_good_as_itself(run(_converse(), options=f'api = "{api}"'))


@pytest.mark.parametrize(
    ("model", "target"), [(CLAUDE, "claude-sonnet-4-5"), (LLAMA, "Llama-3.3-70B-Instruct")], ids=["claude", "llama"]
)
def test_a_model_stays_and_moves_to_foundry(run, model: str, target: str):
    api = "messages" if model == CLAUDE else "chat"
    more = f'[target]\napi = "{api}"\n'
    _as_good_as_itself(run(_asked(model), pair="bedrock_to_foundry", target=target, more=more))


def test_embeddings_of_another_length_arrange_the_texts_alike(run):
    comparator = 'use = "embedding_geometry"\nmeasure = "cka"'
    finished = run(_embedded(), target="text-embedding-3-small", comparator=comparator)
    answer = _answered(finished)
    assert answer.noise_mean == pytest.approx(1.0)
    assert answer.target_mean is not None and answer.target_mean > 0.9
