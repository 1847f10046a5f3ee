"""The judge's part of a run: what comparators would ask a model, asked once each and kept beside the ledger.

A question is known by its content, so the same one is asked once, and a resumed run or a second judgement of it asks
nothing again. Calls are paced, and count against the profile's ceilings, as those of the sides are.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from harness.core import registry
from harness.core.call import Answer, FailureKind, Mode, Observation, Role, Side, Unreadable, Wait, Wire
from harness.core.case import Case, Lot, Request
from harness.core.output import Output
from harness.core.protocols import Asker, Codec, Judge, Service
from harness.errors import ConfigError
from harness.run.ledger import Attempt, Ledger, Reply, read
from harness.run.observe import observations
from harness.run.pacing import Failed, Pacer, Spending, patiently
from harness.run.plan import Plan


@dataclass(frozen=True, slots=True)
class Judged:
    """What judges said: the replies of each conversation by its question's key, and who reads them, by metric."""

    replies: Mapping[str, tuple[Wire, ...]]
    codecs: Mapping[str, Codec]

    @classmethod
    def of(cls, plan: Plan, folder: Path) -> Judged:
        """Of a run's folder of judgements; of none, what nobody was asked."""
        codecs = {metric: service(plan, metric, asker.judge).codec for metric, asker in askers(plan).items()}
        return cls(dict(_conversations(folder)) if codecs and folder.is_dir() else {}, codecs)

    def answers(
        self, metric: str, asker: Asker, source: Output, target: Output, case: Case
    ) -> tuple[Output | None, ...]:
        """To each question about two answers, in order; None where it was not asked or the call failed."""
        return tuple(self._answer(metric, asker.judge, one) for one in asker.ask(source, target, case=case))

    def _answer(self, metric: str, judge: Judge, request: Request) -> Output | None:
        name = key(judge, request)
        if name not in self.replies:
            return None
        reading = self.codecs[metric].decode(Lot(name, {name: request}), self.replies[name])[name]
        return None if isinstance(reading, Unreadable) else reading.output


NOBODY = Judged({}, {})


def askers(plan: Plan) -> dict[str, Asker]:
    """Comparators that ask a model, by metric."""
    return {metric: comparator for metric, comparator in plan.comparators if isinstance(comparator, Asker)}


def key(judge: Judge, request: Request) -> str:
    """A question by its content and by whom it goes to."""
    content = [judge.service, judge.endpoint, request.task, request.payload, dict(request.params)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def service(plan: Plan, metric: str, judge: Judge) -> Service:
    """The judge's service on the account of a side. Raises ConfigError where this run does not call that side."""
    where = f"{plan.suite.path}, [comparators.{metric}]"
    settings = plan.source_settings if judge.account == Side.SOURCE else plan.target_settings
    if not settings.cloud and plan.mode is not Mode.OFFLINE:
        raise ConfigError(f'{where}: account "{judge.account}" is not called in mode {plan.mode}; name the other side.')
    settings = replace(settings, endpoint=judge.endpoint)
    built: Service = registry.load(
        "services", judge.service, where=where, suite_folder=plan.suite.folder, settings=settings
    )
    return built


def check(plan: Plan) -> None:
    """Build every judge's service: what cannot run stops before the first call. Raises ConfigError."""
    for metric, asker in askers(plan).items() if plan.mode is not Mode.RECORD else ():
        service(plan, metric, asker.judge)


def ask(plan: Plan, run_ledger: Path, folder: Path, spending: Spending, *, now: Callable[[], float]) -> None:
    """Put every question that is not in the folder yet, one after another.

    A comparator's ceiling leaves the rest unasked. Raises Stopped where a ceiling of the profile is reached, Denied
    where the judge's credential is refused for good.
    """
    if not askers(plan) or plan.mode is Mode.OFFLINE:
        return
    with Ledger(folder) as book:
        asked = {entry.lot for entry in read(folder)}
        spending.made_before(Counter({Side.TARGET: len(asked)}))
        for metric, asker in askers(plan).items():
            judge = service(plan, metric, asker.judge)
            with closing(patiently(judge.open, plan.profile.limits.attempts)) as endpoint:
                side, limits = Side(asker.judge.account), plan.profile.limits
                pacer = Pacer(side, endpoint, limits, spending, threading.Event(), seed=plan.suite.seed)
                for request in _questions(plan, asker, run_ledger):
                    name = key(asker.judge, request)
                    if name not in asked and len(asked) < asker.judge.calls:
                        asked.add(name)
                        _converse(judge.codec, pacer, book, Lot(name, {name: request}), now)


def _questions(plan: Plan, asker: Asker, run_ledger: Path) -> Iterator[Request]:
    for observed in observations(plan, run_ledger):
        for source, target in _pairs(observed.observation):
            yield from asker.ask(source, target, case=observed.observation.case)


def _pairs(observation: Observation) -> Iterator[tuple[Output, Output]]:
    """What is compared: (S, T), and (S, S') for the noise floor."""
    source = observation.source
    for other in (observation.target, observation.source_again):
        if isinstance(source, Answer) and isinstance(other, Answer):
            yield source.output, other.output


def _converse(codec: Codec, pacer: Pacer, book: Ledger, lot: Lot, now: Callable[[], float]) -> None:
    replies: tuple[Wire, ...] = ()
    wire = codec.next(lot, replies)
    while wire is not None:
        if isinstance(wire, Wait):
            pacer.wait(wire.seconds)
            wire = wire.then
        step = len(replies)
        answered = pacer.call(wire, case=lot.id, on_failure=_keeper(book, lot, step, now))
        if answered is None:
            return
        replies = (*replies, answered.wire)
        wire = codec.next(lot, replies)
        book.append(
            Reply(
                lot=lot.id,
                role=Role.JUDGE,
                step=step,
                wire=answered.wire,
                latency_s=answered.latency_s,
                attempts=answered.attempts,
                throttled=answered.throttled,
                at_s=now(),
                last=wire is None,
            )
        )


def _keeper(book: Ledger, lot: Lot, step: int, now: Callable[[], float]) -> Callable[[Failed], None]:
    def keep(failed: Failed) -> None:
        book.append(
            Attempt(
                lot=lot.id,
                role=Role.JUDGE,
                step=step,
                number=failed.number,
                kind=FailureKind(failed.error.kind),
                message=str(failed.error),
                status=failed.error.status,
                latency_s=failed.latency_s,
                final=failed.final,
                throttled=failed.throttled,
                at_s=now(),
            )
        )

    return keep


def _conversations(folder: Path) -> Iterator[tuple[str, tuple[Wire, ...]]]:
    replies: dict[str, tuple[Wire, ...]] = {}
    for entry in read(folder):
        if isinstance(entry, Reply):
            replies[entry.lot] = (*replies.get(entry.lot, ()), entry.wire)
            if entry.last:
                yield entry.lot, replies.pop(entry.lot)
