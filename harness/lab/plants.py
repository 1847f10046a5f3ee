"""Faults that can be planted in a running lab, by name and seed.

A plant acts in a server, on one side: what the harness says about it is found out, never told. Which requests it hits
follows from the seed and a hash of the request's body, so a retry meets it again and a second run meets the same ones;
only `throttle_burst` and `source_noisy` follow the order of calls.

"source" is the SageMaker and the Bedrock server, "target" the Azure ML and the Azure OpenAI server. A fault acts where
the table says; "source:bias" or "target:source_noisy" plants it on the other side, for rehearsals in the other
direction.

To add one: a line in PLANTS, and a branch in the method of Fault that acts at the right moment. Names are refused, with
the nearest known one, by `named`.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.errors import UnknownName
from harness.lab.usage import NUMBERS, UNSEEN
from harness.lab.visits import COLUMNS, THRESHOLD

SOURCE, TARGET = "source", "target"
SILENT_S = 30.0
BURST_S = 8.0
BURST_FIRST = 50  # answers before the first burst
BURST_EVERY = 500  # answers between two bursts
RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One fault: where it acts, what it does in a sentence, what the shipped suite must decide.

    share: of the requests, for faults that hit some of them. expected: holds for the side that the table gives, in the
    shipped suite named by `suite`.
    """

    name: str
    side: str
    does: str
    expected: str
    share: float = 0.0
    suite: str = "visits"


def _table(*plants: Plant) -> dict[str, Plant]:
    return {plant.name: plant for plant in plants}


PLANTS = _table(
    Plant(
        name="label_flips",
        side=TARGET,
        share=0.03,
        does="3 % of requests get a score on the other side of the threshold",
        expected="NO-GO",
    ),
    Plant(name="bias", side=TARGET, does="every score is 0.02 too high", expected="NO-GO"),
    Plant(
        name="rare_label_lost",
        side=TARGET,
        does='the label "frequent" is never predicted: scores stop short of the threshold',
        expected="NO-GO",
    ),
    Plant(
        name="broken_subgroup",
        side=TARGET,
        does="people in poor health without an individual deductible (2.4 % of the rows) get a random score",
        expected="NO-GO",
    ),
    Plant(
        name="slow_tail",
        side=TARGET,
        share=0.20,
        does="20 % of requests take ten times the service time",
        expected="NO-GO",
    ),
    Plant(
        name="throttle_burst",
        side=TARGET,
        does=f"bursts of {BURST_S:g} s in which every call is answered 429 too_many_pending_request",
        expected="NO-GO",
    ),
    Plant(
        name="server_errors",
        side=TARGET,
        share=0.04,
        does="4 % of requests always fail: half in the platform (500), half in the container (424 with 500)",
        expected="NO-GO",
    ),
    Plant(
        name="timeouts",
        side=TARGET,
        share=0.03,
        does=f"3 % of requests are not answered for {SILENT_S:g} s, and then with 408",
        expected="NO-GO",
    ),
    Plant(
        name="malformed_json",
        side=TARGET,
        share=0.03,
        does="3 % of answers are JSON that breaks off",
        expected="NO-GO",
    ),
    Plant(name="nan_scores", side=TARGET, share=0.03, does="3 % of answers hold NaN for every score", expected="NO-GO"),
    Plant(
        name="source_errors",
        side=SOURCE,
        share=0.10,
        does="10 % of the source's requests always fail: half in the platform (500), half in the container (424)",
        expected="INCONCLUSIVE",
    ),
    Plant(
        name="source_noisy",
        side=SOURCE,
        does="the source moves each score by up to 0.05, another way at every call",
        expected="INCONCLUSIVE",
    ),
    *(
        Plant(name=name, side=TARGET, does=does, expected="NO-GO", suite="usage")
        for name, does in (
            ("nulls_as_zero", "a missing number is read as 0 instead of the training median"),
            ("unseen_as_known", "a category that training never saw is taken for the first one it knew"),
            ("outputs_swapped", "the median and the 90 % quantile change places"),
            ("tail_in_other_units", "the 90 % quantile is for a month and not for a year"),
        )
    ),
    *(
        Plant(name=name, side=TARGET, share=share, does=does, expected="NO-GO", suite="chat")
        for name, share, does in (
            ("wrong_number", 0.7, "70 % of the answers in words that hold a number hold a wrong one"),
            ("dropped_fact", 0.7, "70 % of the answers from facts leave one out"),
            ("invented_fact", 0.7, "70 % of the answers from facts end with one that nobody gave"),
            ("refusals", 0.1, "10 % of requests are politely declined"),
            ("truncation", 0.2, "20 % of answers in words stop at two fifths, for length"),
            ("empty_text", 0.1, "10 % of requests are reasoned about until nothing is left to answer with"),
            ("broken_json", 0.5, "half of the JSON answers break off, and the call says that it ended well"),
            ("wrong_argument", 0.5, "half of the tool calls have one wrong argument"),
            ("overeager_filter", 0.1, "10 % of requests meet the content filter: half the prompt, half the answer"),
        )
    ),
)


def named(name: str) -> Plant:
    """The plant of that name, moved to the side before a colon if there is one. Raises UnknownName."""
    side, colon, word = name.rpartition(":")
    if word not in PLANTS:
        raise UnknownName("lab", "plant", word, PLANTS)
    if colon and side not in (SOURCE, TARGET):
        raise UnknownName("lab", "side of a plant", side, (SOURCE, TARGET))
    return replace(PLANTS[word], side=side) if colon else PLANTS[word]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """A request that gets no score. kind: platform (500), container (500 of the model), throttled, silent."""

    kind: str
    after_s: float = 0.0


class Fault:
    """The planted fault as one side's server feels it; None, or a plant of the other side: no fault at all."""

    def __init__(self, name: str | None, *, side: str, seed: int) -> None:
        plant = named(name) if name is not None else None
        self._plant = plant if plant is not None and plant.side == side else None
        self.name = self._plant.name if self._plant is not None else None
        self._seed = seed
        self._noise = random.Random(seed)
        self._lock = threading.Lock()
        self._answers_left = BURST_FIRST
        self._burst_until = 0.0

    def interrupts(self, body: bytes, *, now_s: float | None = None) -> Interruption | None:
        """What befalls this request before the model sees it. `now_s`: a monotonic clock, for bursts."""
        if self.name == "throttle_burst":
            return self._burst(time.monotonic() if now_s is None else now_s)
        if self.name in ("server_errors", "source_errors") and self.hits(body):
            return Interruption(kind="platform" if self.draw(body, "kind") < 0.5 else "container")
        if self.name == "timeouts" and self.hits(body):
            return Interruption(kind="silent", after_s=SILENT_S)
        return None

    def scores(self, body: bytes, rows: Sequence[Sequence[float]], scores: Sequence[float]) -> list[float]:
        """The scores as this fault lets them out; rows as the model saw them, in COLUMNS order."""
        match self.name:
            case "label_flips" if self.hits(body):
                return [_other_side(score) for score in scores]
            case "bias":
                return [min(score + 0.02, 1.0) for score in scores]
            case "rare_label_lost":
                return [min(score, THRESHOLD - 0.001) for score in scores]
            case "broken_subgroup":
                return [
                    self.draw(repr(row).encode(), "garbage") if _in_subgroup(row) else score
                    for row, score in zip(rows, scores, strict=True)
                ]
            case "nan_scores" if self.hits(body):
                return [float("nan") for _ in scores]
            case "source_noisy":
                with self._lock:
                    return [min(max(score + self._noise.uniform(-0.05, 0.05), 0.0), 1.0) for score in scores]
        return list(scores)

    def cells(self, rows: list[list[Any]]) -> list[list[Any]]:
        """Feature rows of the regression model as this fault lets the model see them."""
        match self.name:
            case "nulls_as_zero":
                return [
                    [0.0 if cell is None and place < len(NUMBERS) else cell for place, cell in enumerate(row)]
                    for row in rows
                ]
            case "unseen_as_known":
                return [["excellent" if cell == UNSEEN else cell for cell in row] for row in rows]
        return rows

    def values(self, body: bytes, values: list[list[float]]) -> list[list[float]]:
        """The three numbers a row of the regression model as this fault lets them out."""
        match self.name:
            case "outputs_swapped":
                return [[mean, p90, p50] for mean, p50, p90 in values]
            case "tail_in_other_units":
                return [[mean, p50, p90 / 12] for mean, p50, p90 in values]
            case "bias":
                return [[value + 0.02 for value in row] for row in values]
            case "nan_scores" if self.hits(body):
                return [[float("nan")] * len(row) for row in values]
        return values

    def answer(self, body: bytes, answer: bytes) -> bytes:
        """The bytes of the answer as this fault lets them out."""
        if self.name == "malformed_json" and self.hits(body):
            return answer[: max(1, len(answer) // 2)]
        return answer

    def service_time_s(self, body: bytes, usual_s: float) -> float:
        """How long this call takes. A slow one lies well beyond the tail that a busy machine has by itself."""
        return 10 * usual_s if self.name == "slow_tail" and self.hits(body) else usual_s

    def hits(self, body: bytes) -> bool:
        """Whether a fault with a share hits this request."""
        return self._plant is not None and self.draw(body, "hit") < self._plant.share

    def draw(self, body: bytes, what: str) -> float:
        """A number in [0, 1) that follows from seed, plant and body."""
        words = f"{self._seed}:{self.name}:{what}:".encode()
        return int.from_bytes(hashlib.sha256(words + body).digest()[:8]) / 2.0**64

    def _burst(self, now_s: float) -> Interruption | None:
        with self._lock:
            if now_s < self._burst_until:
                return Interruption(kind="throttled", after_s=RETRY_AFTER_S)
            self._answers_left -= 1
            if self._answers_left < 0:
                self._answers_left = BURST_EVERY
                self._burst_until = now_s + BURST_S
                return Interruption(kind="throttled", after_s=RETRY_AFTER_S)
        return None


def _other_side(score: float) -> float:
    """A score in [0, 1] across the threshold, about as far from it."""
    if score >= THRESHOLD:
        return (THRESHOLD - 0.01) * (1.0 - score) / (1.0 - THRESHOLD)
    return min(2 * THRESHOLD - score, 1.0)


def _in_subgroup(row: Sequence[float]) -> bool:
    cells = dict(zip(COLUMNS, row, strict=True))
    return cells["hlthp"] == 1.0 and cells["idp"] == 0.0
