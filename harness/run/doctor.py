"""The walk over the checks of a plan: what the suite asks of each side, and what each side says before it is called.

Both sides are looked at at once, each question on a thread of its own, so that one that never ends costs its patience
and no more.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.core.call import Answer, Side
from harness.core.check import Check, Checkable, Grant, Load, Probe, problem, unchecked
from harness.errors import HarnessError
from harness.run import sides
from harness.run.plan import Plan
from harness.run.recorded import recorded

PATIENCE_S = 30.0
JSON_SCHEMA = "json_schema"


def examine(plan: Plan, *, patience_s: float = PATIENCE_S) -> Iterator[Check]:
    """Checks of both sides, named "SUITE: SIDE SERVICE: CHECK", source first. Makes no scoring call."""
    asked: list[tuple[str, _Asked]] = []
    peak = peak_of(plan) if any(isinstance(plan.service(side), Checkable) for side in plan.called) else (None, None)
    for side in plan.called:
        service = plan.service(side)
        name = f"{plan.suite.name}: {side.value} {plan.pair.source if side is Side.SOURCE else plan.pair.target}"
        if isinstance(service, Checkable):
            asked += [(name, _Asked(probe)) for probe in service.probes(load_of(plan, side, peak))]
    until_s = time.monotonic() + patience_s
    for name, one in asked:
        for check in one.answer(until_s - time.monotonic(), patience_s):
            yield Check(f"{name}: {check.name}", check.status, check.said, check.remedy)


def granted(plans: Iterable[Plan], *, logs: Sequence[str] = ()) -> list[tuple[str, Grant]]:
    """What the suites need leave for: (suite and side, grant). logs: where the source's logs lie, by URL."""
    return [
        (f"{plan.suite.name} {side.value}", grant)
        for plan in plans
        for side in plan.called
        if isinstance(service := plan.service(side), Checkable)
        for grant in service.grants(replace(load_of(plan, side), logs=tuple(logs)))
    ]


def load_of(plan: Plan, side: Side, peak: tuple[int | None, int | None] = (None, None)) -> Load:
    """What a suite asks of one side: models, tasks and features of its requests. peak: see `peak_of`.

    A request that names no model counts for the side's endpoint, where it will go.
    """
    settings = plan.source_settings if side is Side.SOURCE else plan.target_settings
    models, tasks, needs = Counter[str](), set[str](), set[str]()
    for index in plan.order.tolist():
        case = plan.case(index)
        request = case.request if side is Side.SOURCE else plan.translate(case).request
        models[str(request.params.get("model") or settings.endpoint)] += 1
        tasks.add(request.task.value)
        if _has_schema(request.payload):
            needs.add(JSON_SCHEMA)
    return Load(
        requests=peak[0],
        tokens=peak[1],
        models=tuple(name for name, _ in models.most_common()),
        tasks=frozenset(tasks),
        needs=frozenset(needs),
        logged=sides.origin(side, reverse=plan.reverse) is Side.SOURCE,
    )


def peak_of(plan: Plan) -> tuple[int | None, int | None]:
    """Calls and tokens of the fullest minute of the recorded traffic; None where no times, or no tokens, were recorded.

    Every recording counts, repeats and duplicates too: they were traffic. Where it was sampled, the true peak was
    higher. Tokens are of recorded answers; None where one of them counts none.
    """
    calls: Counter[int] = Counter()
    tokens: Counter[int] = Counter()
    counted = True
    for index in range(len(plan.golden)):
        recording = plan.golden.recording(index).recording
        if recording.provenance.captured_at is None:
            continue
        minute = int(recording.provenance.captured_at.timestamp() // 60)
        calls[minute] += 1
        outcome = recorded(recording, plan.codec)
        if isinstance(outcome, Answer):
            counted = counted and outcome.tokens_in is not None
            tokens[minute] += (outcome.tokens_in or 0) + (outcome.tokens_out or 0)
    return max(calls.values(), default=None), max(tokens.values(), default=None) if counted else None


def _has_schema(payload: Any) -> bool:
    """Whether a neutral request, or a body of OpenAI's form, asks for an answer that keeps to a schema."""
    if not isinstance(payload, dict):
        return False
    neutral, body = payload.get("format"), payload.get("body")
    own = body.get("response_format") if isinstance(body, dict) else None
    return (isinstance(neutral, dict) and neutral.get("schema") is not None) or (
        isinstance(own, dict) and own.get("type") == JSON_SCHEMA
    )


@dataclass(slots=True)
class _Asked:
    """One probe on its way."""

    probe: Probe
    _found: list[Check] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        threading.Thread(target=self._look, daemon=True, name=f"doctor {self.probe.name}").start()

    def _look(self) -> None:
        try:
            self._found = list(self.probe.look())
        except HarnessError as exc:
            self._found = [unchecked(self.probe.name, str(exc))]
        except Exception as exc:  # a mistake of ours must not look like silence
            self._found = [unchecked(self.probe.name, f"the check itself failed ({type(exc).__name__}: {exc})")]
        finally:
            self._done.set()

    def answer(self, wait_s: float, patience_s: float) -> list[Check]:
        if self._done.wait(max(0.0, wait_s)):
            return self._found
        return [
            problem(
                self.probe.name,
                f"no answer within {patience_s:.0f} s",
                "Something on the way swallows what is sent: firewall, resolver or proxy. A run would hang there too.",
            )
        ]
