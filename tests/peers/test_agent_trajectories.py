"""The same agent against itself is parity, and one write call changed in a tenth of its runs is not.

200 recorded runs of one agent (tau-bench, GPT-4o, airline): 50 tasks, four runs each. A task is one unit, however often
it was run. What an agent's own repeat is differs between the two questions, and is measured in both:

* a live agent never repeats itself: 39 % of two runs of a task write the same. Run t is the source, t + 1 its repeat,
  t + 2 the target;
* a copy does: the same recorded runs are the source and its repeat, and the target is a copy with calls changed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.comparators import trajectory
from harness.core.output import Step, ToolCall, Trajectory
from harness.core.rows import Rows
from harness.core.verdict import Decision, Row, Verdict
from harness.gate.decide import decide
from harness.gate.policy import parse_policy
from tests.comparators.contract import case

DATA = Path(__file__).parents[3] / "shared" / "data" / "agent_trajectories" / "taubench_gpt4o_airline.json"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="recorded trajectories are not beside this checkout")

NIGHT = datetime(2026, 1, 1, tzinfo=UTC)
TASKS, RUNS = 50, 4
WRITES = (
    "book_reservation",
    "cancel_reservation",
    "send_certificate",
    "update_reservation_baggages",
    "update_reservation_flights",
    "update_reservation_passengers",
)
METRICS = {
    "writes": trajectory.build(by="writes", writes=WRITES),
    "outcome": trajectory.build(by="outcome", **{"as": "quality"}),
}
Pick = Callable[[int, int], Trajectory]


@cache
def recorded() -> dict[tuple[int, int], Trajectory]:
    """(task, run) -> what the agent did."""
    return {(one["task_id"], one["trial"]): read(one) for one in json.loads(DATA.read_text())}


def read(run: dict[str, Any]) -> Trajectory:
    """One run as tau-bench writes it: OpenAI's messages, and the reward of the task."""
    steps: list[Step] = []
    for message in run["traj"]:
        if message["role"] == "tool":
            steps.append(Step(kind="result", text=message["content"] or ""))
        elif message["role"] == "assistant":
            steps += [Step(kind="say", text=message["content"])] if message["content"] else []
            for call in message.get("tool_calls") or []:
                name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
                steps.append(Step(kind="call", call=ToolCall(name=name, arguments=arguments)))
    return Trajectory(steps=tuple(steps), reward=run["reward"])


def run(shift: int) -> Pick:
    return lambda task, number: recorded()[task, (number + shift) % RUNS]


def changed(share: float, seed: int) -> Pick:
    """Copies; in `share` of all runs one write call has another argument."""
    rng = random.Random(seed)
    writing = sorted(key for key, done in recorded().items() if places(done))
    chosen = {key: change(recorded()[key], rng) for key in rng.sample(writing, round(share * TASKS * RUNS))}
    return lambda task, number: chosen.get((task, number), recorded()[task, number])


def places(done: Trajectory) -> list[int]:
    return [at for at, step in enumerate(done.steps) if step.call is not None and step.call.name in WRITES]


def change(done: Trajectory, rng: random.Random) -> Trajectory:
    at = rng.choice(places(done))
    call = done.steps[at].call
    assert call is not None
    arguments = dict(call.arguments)
    arguments[rng.choice(sorted(arguments))] = "another"
    steps = list(done.steps)
    steps[at] = replace(steps[at], call=replace(call, arguments=arguments))
    return replace(done, steps=tuple(steps))


def judged(source: Pick, again: Pick, target: Pick, *, margins: dict[str, float], mode: str) -> Decision:
    kinds = {name: comparator.kinds[0] for name, comparator in METRICS.items()}
    criteria = [{"metric": name, "kind": kinds[name], "margin": margin} for name, margin in margins.items()]
    rows = []
    for task in range(TASKS):
        for number in range(RUNS):
            at = case(f"{task}-{number}")
            s, again_s, t = source(task, number), again(task, number), target(task, number)
            rows += [
                Row(
                    case=at.id,
                    metric=name,
                    cluster=str(task),
                    value_target=METRICS[name].compare(s, t, case=at).value,
                    value_noise=METRICS[name].compare(s, again_s, case=at).value,
                )
                for name in margins
            ]
    policy = parse_policy({"gate": {"mode": mode}, "criterion": criteria}, "policy")
    return decide(Rows.from_rows(rows), policy, decided_at=NIGHT)


DEFAULT = {"writes": 0.005}
BOTH = {**DEFAULT, "outcome": 0.05}
MODES = pytest.mark.parametrize("mode", ["anytime", "fixed"])


@MODES
def test_the_same_agent_against_itself_is_never_refused_and_fifty_tasks_are_too_few_for_a_narrow_margin(mode):
    decision = judged(run(0), run(1), run(2), margins=BOTH, mode=mode)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert all(abs(finding.evidence.estimate) < 0.03 for finding in decision.findings if finding.evidence)


@MODES
def test_with_margins_that_fifty_tasks_can_settle_it_is_go(mode):
    decision = judged(run(0), run(1), run(2), margins={"writes": 0.15, "outcome": 0.10}, mode=mode)
    assert decision.verdict is Verdict.GO


@MODES
@pytest.mark.parametrize("seed", range(3))
def test_a_copy_with_one_write_changed_in_a_tenth_of_the_runs_is_refused(seed, mode):
    decision = judged(run(0), run(0), changed(0.10, seed), margins=DEFAULT, mode=mode)
    assert decision.verdict is Verdict.NO_GO


def test_beside_a_second_criterion_it_takes_the_one_planned_look_to_refuse_it():
    """Two criteria share the risk of a wrong NO-GO; with 50 units the price of many looks is then too high."""
    decision = judged(run(0), run(0), changed(0.10, 0), margins=BOTH, mode="fixed")
    assert [finding.verdict for finding in decision.findings] == [Verdict.NO_GO, Verdict.INCONCLUSIVE]
    decision = judged(run(0), run(0), changed(0.10, 0), margins=BOTH, mode="anytime")
    assert decision.verdict is Verdict.INCONCLUSIVE


@MODES
def test_a_copy_that_was_not_changed_is_not_refused(mode):
    assert judged(run(0), run(0), run(0), margins=BOTH, mode=mode).verdict is Verdict.INCONCLUSIVE
    assert judged(run(0), run(0), run(0), margins={"writes": 0.10, "outcome": 0.10}, mode=mode).verdict is Verdict.GO


def test_the_same_change_is_not_seen_through_the_noise_of_a_live_agent():
    """What equality of calls cannot do: two live runs differ in 61 % of tasks as it is."""
    t = changed(0.10, 0)
    decision = judged(run(0), run(1), lambda task, number: t(task, (number + 2) % RUNS), margins=DEFAULT, mode="fixed")
    assert decision.verdict is Verdict.INCONCLUSIVE


def test_the_reason_names_the_call_and_the_argument():
    source, target = recorded(), changed(0.10, 0)
    task, number = next(key for key in sorted(source) if target(*key) is not source[key])
    found = METRICS["writes"].compare(source[task, number], target(task, number), case=case())
    assert "argument " in found.reason
    assert '"another"' in found.reason
