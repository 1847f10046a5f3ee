"""The judge's part of a run: what comparators would ask a model, asked once each and kept beside the ledger.

A question is known by its content, so the same one is asked once, and a resumed run or a second judgement of it asks
nothing again. Calls are paced, and count against the profile's ceilings, as those of the sides are.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
    """Put every question that is not in the folder yet, as many at once as the profile allows.

    A comparator's ceiling leaves the rest unasked. Raises Stopped where a ceiling of the profile is reached, Denied
    where the judge's credential is refused for good.
    """
    if not askers(plan) or plan.mode is Mode.OFFLINE:
        return
    with Ledger(folder) as book:
        asked = {entry.lot for entry in read(folder)}
        spending.made_before(Counter({Side.TARGET: len(asked)}))
        answered = dict(_conversations(folder))
        for metric, asker in askers(plan).items():
            judge = service(plan, metric, asker.judge)
            with closing(patiently(judge.open, plan.profile.limits.attempts)) as endpoint:
                stop = threading.Event()
                side, limits = Side(asker.judge.account), plan.profile.limits
                pacer = Pacer(side, endpoint, limits, spending, stop, seed=plan.suite.seed)
                talk = _Talk(judge.codec, pacer, book, spending, now)
                left = _left(_lots(plan, asker, run_ledger), talk, asked, answered, ceiling=asker.judge.calls)
                _all_at_once(talk.converse, left, limits.concurrency, stop)


def _left(
    lots: Iterator[Lot], talk: _Talk, asked: set[str], answered: dict[str, tuple[Wire, ...]], *, ceiling: int
) -> Iterator[Lot]:
    """Questions that nobody was asked yet. What others cost before counts against the profile's ceiling too."""
    for lot in lots:
        if (replies := answered.pop(lot.id, None)) is not None:
            talk.count_tokens(lot, replies)
        if lot.id not in asked and len(asked) < ceiling:
            asked.add(lot.id)
            yield lot


def _all_at_once(work: Callable[[Lot], None], lots: Iterator[Lot], threads: int, stop: threading.Event) -> None:
    """Do what there is on a few threads, and end them all on the first error."""
    with ThreadPoolExecutor(threads, thread_name_prefix="judge") as pool:
        running: set[Future[None]] = set()
        try:
            for lot in lots:
                running.add(pool.submit(work, lot))
                if len(running) >= 2 * threads:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    _raise_first(done)
            _raise_first(running)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _raise_first(futures: Iterable[Future[None]]) -> None:
    for future in futures:
        future.result()


def _lots(plan: Plan, asker: Asker, run_ledger: Path) -> Iterator[Lot]:
    for request in _questions(plan, asker, run_ledger):
        name = key(asker.judge, request)
        yield Lot(name, {name: request})


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


@dataclass(frozen=True, slots=True)
class _Talk:
    """One judge's conversations, kept as they come."""

    codec: Codec
    pacer: Pacer
    book: Ledger
    spending: Spending
    now: Callable[[], float]

    def converse(self, lot: Lot) -> None:
        replies: tuple[Wire, ...] = ()
        wire = self.codec.next(lot, replies)
        while wire is not None:
            if isinstance(wire, Wait):
                self.pacer.wait(wire.seconds)
                wire = wire.then
            step = len(replies)
            answered = self.pacer.call(wire, case=lot.id, on_failure=_keeper(self.book, lot, step, self.now))
            if answered is None:
                return
            replies = (*replies, answered.wire)
            wire = self.codec.next(lot, replies)
            self.book.append(
                Reply(
                    lot=lot.id,
                    role=Role.JUDGE,
                    step=step,
                    wire=answered.wire,
                    latency_s=answered.latency_s,
                    attempts=answered.attempts,
                    throttled=answered.throttled,
                    at_s=self.now(),
                    last=wire is None,
                )
            )
        self.count_tokens(lot, replies)

    def count_tokens(self, lot: Lot, replies: tuple[Wire, ...]) -> None:
        for reading in self.codec.decode(lot, replies).values():
            if not isinstance(reading, Unreadable):
                self.spending.after_call(None, reading.tokens_in or 0, reading.tokens_out or 0)


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
