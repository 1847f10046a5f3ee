"""Replay the cases of a plan on a pool of threads, in an order shuffled by seed; failures are kept, never dropped."""

from __future__ import annotations

import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from harness.core.call import FailureKind, Role, Side, Unreadable, Wait, Wire
from harness.core.case import Case, Lot
from harness.run.arrival import Lateness, Watch, Work
from harness.run.ledger import Attempt, Entry, Ledger, Reply
from harness.run.pacing import Failed, Pacer, Spending, Stopped, Timetable
from harness.run.plan import Plan, lot_id, lot_place

if TYPE_CHECKING:
    from harness.core.protocols import Endpoint

Key: TypeAlias = tuple[int, int, Role]


@dataclass(slots=True)
class Done:
    """What a resumed run need not do again: finished conversations, and the replies of unfinished ones.

    Keys are (index of the case, ask, role); ask is above 0 for repeats that are recorded. calls: made before, by side.
    """

    finished: set[Key] = field(default_factory=set)
    replies: dict[Key, tuple[Wire, ...]] = field(default_factory=dict)
    calls: Counter[Side] = field(default_factory=Counter)

    @classmethod
    def of(cls, entries: Iterator[Entry]) -> Done:
        done = cls()
        for entry in entries:
            key = (*lot_place(entry.lot), entry.role)
            done.calls[entry.role.side] += 1
            if isinstance(entry, Reply) and not entry.last:
                done.replies[key] = (*done.replies.get(key, ()), entry.wire)
            elif isinstance(entry, Reply) or entry.final:
                done.finished.add(key)
                done.replies.pop(key, None)
        return done


def whole(plan: Plan) -> Iterator[Work]:
    """Everything a plan asks, case by case in its order."""
    return (Work(index, plan.roles(index)) for index in plan.order.tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How a replay ended. replayed: pieces of work that were gone through. stopped: why it ended before the last, None
    when it did not.

    lateness: how well the recorded pace was kept; None where calls waited for each other.
    """

    replayed: int
    stopped: str | None
    lateness: Lateness | None = None


class Runner:
    """One replay of one plan into one ledger."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        endpoints: Mapping[Side, Endpoint],
        *,
        done: Done,
        work: Sequence[Work] | None = None,
        now: Callable[[], float] = time.time,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self._plan = plan
        self._ledger = ledger
        self._done = done
        self._now = now
        self._progress = progress
        self._stop = threading.Event()
        limits = plan.profile.limits
        spending = Spending(limits, {side: one.ceiling for side, one in plan.prices.items()})
        spending.made_before(done.calls)
        self._spending = spending
        self._pacers = {
            side: Pacer(side, endpoint, limits, spending, self._stop, seed=plan.suite.seed)
            for side, endpoint in endpoints.items()
        }
        self._work_left = whole(plan) if work is None else iter(work)
        self._total = len(plan.order) if work is None else len(work)
        self._threads = limits.concurrency if plan.arrival is None else plan.arrival.in_flight
        self._timetable = Timetable(self._stop)
        self._watch = Watch()
        self._lock = threading.Lock()
        self._replayed = 0
        self._stopped: str | None = None
        self._error: BaseException | None = None

    @property
    def spending(self) -> Spending:
        """What the run has spent; whoever calls after the sides counts here too."""
        return self._spending

    def run(self) -> Replay:
        """Replay until every case is done or a ceiling is reached.

        Raises whatever a worker met that is not a failure of a side (a full disk, a credential that stays refused),
        and KeyboardInterrupt after the calls in flight have been recorded.
        """
        over = [threading.Event() for _ in range(min(self._threads, max(self._total, 1)))]
        workers = [
            threading.Thread(target=self._work, args=(event,), name=f"replay-{number}", daemon=True)
            for number, event in enumerate(over)
        ]
        try:
            for worker in workers:
                worker.start()
            # Not Thread.join: when Ctrl-C interrupts it, Python 3.11 takes the thread for ended while it still runs.
            for event in over:
                event.wait()
        except KeyboardInterrupt:
            self.stop("interrupted from the keyboard")
            for worker, event in zip(workers, over, strict=True):
                if worker.ident is not None:
                    event.wait()
            raise
        if self._error is not None:
            raise self._error
        lateness = self._watch.lateness(resumed=self._done.calls.total() > 0) if self._plan.arrival else None
        return Replay(replayed=self._replayed, stopped=self._stopped, lateness=lateness)

    def recount(self, entries: Iterable[Entry]) -> None:
        """Count the tokens of what was answered before the run was interrupted, where anything depends on them."""
        if not self._counts_tokens:
            return
        replies: dict[Key, tuple[Wire, ...]] = {}
        for entry in entries:
            if isinstance(entry, Reply):
                key = (*lot_place(entry.lot), entry.role)
                replies[key] = (*replies.get(key, ()), entry.wire)
                if entry.last:
                    lot = self._lot(entry.lot, self._plan.case(key[0]), entry.role)
                    self._count_tokens(lot, replies.pop(key), entry.role)

    def stop(self, reason: str) -> None:
        """End the replay after the calls in flight."""
        with self._lock:
            self._stopped = self._stopped or reason
        self._stop.set()

    def _work(self, over: threading.Event) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:
                    work = next(self._work_left, None)
                if work is None:
                    return
                if work.due_s is not None:
                    self._watch.started(self._timetable.wait(work.due_s))
                self._replay(work)
                with self._lock:
                    self._replayed += 1
                    count = self._replayed
                cases = len(self._plan.order)
                self._progress(count * cases // self._total, cases)
        except Stopped as exc:
            self.stop(str(exc))
        except BaseException as exc:
            with self._lock:
                self._error = self._error or exc
            self._stop.set()
        finally:
            over.set()

    def _replay(self, work: Work) -> None:
        roles = [role for role in work.roles if (work.index, work.ask, role) not in self._done.finished]
        if not roles:
            return
        case = self._plan.case(work.index)
        # Which side goes first is drawn for each case, so that neither profits from a warm cache or a quiet moment.
        turn = zlib.crc32(f"{self._plan.suite.seed}:{case.id}".encode()) % len(roles)
        for role in roles[turn:] + roles[:turn]:
            self._converse(self._lot(lot_id(work.index, case, work.ask), case, role), role, case.id)

    def _lot(self, lot: str, case: Case, role: Role) -> Lot:
        request = self._plan.translate(case).request if role is Role.TARGET else case.request
        return Lot(lot, {case.id: request})

    def _converse(self, lot: Lot, role: Role, case_id: str) -> None:
        codec = self._plan.service(role.side).codec
        pacer = self._pacers[role.side]
        replies = self._done.replies.get((*lot_place(lot.id), role), ())
        wire = codec.next(lot, replies)
        while wire is not None:
            if isinstance(wire, Wait):
                pacer.wait(wire.seconds)
                wire = wire.then
            step = len(replies)
            answered = pacer.call(wire, case=case_id, on_failure=self._keeper(lot.id, role, step))
            if answered is None:
                return
            replies = (*replies, answered.wire)
            wire = codec.next(lot, replies)
            self._ledger.append(
                Reply(
                    lot=lot.id,
                    role=role,
                    step=step,
                    wire=answered.wire,
                    latency_s=answered.latency_s,
                    attempts=answered.attempts,
                    throttled=answered.throttled,
                    at_s=self._now(),
                    last=wire is None,
                )
            )
        if self._counts_tokens:
            self._count_tokens(lot, replies, role)

    def _keeper(self, lot: str, role: Role, step: int) -> Callable[[Failed], None]:
        def keep(failed: Failed) -> None:
            self._ledger.append(
                Attempt(
                    lot=lot,
                    role=role,
                    step=step,
                    number=failed.number,
                    kind=FailureKind(failed.error.kind),
                    message=str(failed.error),
                    status=failed.error.status,
                    latency_s=failed.latency_s,
                    final=failed.final,
                    throttled=failed.throttled,
                    at_s=self._now(),
                    partial=failed.error.partial if isinstance(failed.error.partial, Wire) else None,
                )
            )

        return keep

    @property
    def _counts_tokens(self) -> bool:
        return self._plan.profile.limits.tokens is not None or bool(self._plan.prices)

    def _count_tokens(self, lot: Lot, replies: tuple[Wire, ...], role: Role) -> None:
        for reading in self._plan.service(role.side).codec.decode(lot, replies).values():
            if not isinstance(reading, Unreadable):
                self._spending.after_call(role.side, reading.tokens_in or 0, reading.tokens_out or 0)
