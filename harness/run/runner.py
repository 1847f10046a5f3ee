"""Replay the cases of a plan on a pool of threads, in an order shuffled by seed; failures are kept, never dropped."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.core.call import FailureKind, Role, Side, Unreadable, Wait, Wire
from harness.core.case import Lot
from harness.run.ledger import Attempt, Entry, Ledger, Reply
from harness.run.pacing import Failed, Pacer, Spending, Stopped
from harness.run.plan import Plan, lot_id, lot_index

if TYPE_CHECKING:
    from harness.core.protocols import Endpoint


@dataclass(slots=True)
class Done:
    """What a resumed run need not do again: finished conversations, and the replies of unfinished ones."""

    finished: set[tuple[int, Role]] = field(default_factory=set)
    replies: dict[tuple[int, Role], tuple[Wire, ...]] = field(default_factory=dict)
    calls: int = 0

    @classmethod
    def of(cls, entries: Iterator[Entry]) -> Done:
        done = cls()
        for entry in entries:
            key = (lot_index(entry.lot), entry.role)
            done.calls += 1
            if isinstance(entry, Reply) and not entry.last:
                done.replies[key] = (*done.replies.get(key, ()), entry.wire)
            elif isinstance(entry, Reply) or entry.final:
                done.finished.add(key)
                done.replies.pop(key, None)
        return done


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How a replay ended. `stopped`: why it ended before the last case, None when it did not."""

    replayed: int
    stopped: str | None


class Runner:
    """One replay of one plan into one ledger."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        endpoints: Mapping[Side, Endpoint],
        *,
        done: Done,
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
        spending = Spending(limits, {side: one.ceiling for side, one in plan.suite.prices.items()}, calls=done.calls)
        self._spending = spending
        self._pacers = {
            side: Pacer(side, endpoint, limits, spending, self._stop, seed=plan.suite.seed)
            for side, endpoint in endpoints.items()
        }
        self._cases = iter(plan.order.tolist())
        self._lock = threading.Lock()
        self._replayed = 0
        self._stopped: str | None = None
        self._error: BaseException | None = None

    def run(self) -> Replay:
        """Replay until every case is done or a ceiling is reached.

        Raises whatever a worker met that is not a failure of a side (a full disk, a credential that stays refused),
        and KeyboardInterrupt after the calls in flight have been recorded.
        """
        over = [threading.Event() for _ in range(self._plan.profile.limits.concurrency)]
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
        return Replay(replayed=self._replayed, stopped=self._stopped)

    def stop(self, reason: str) -> None:
        """End the replay after the calls in flight."""
        with self._lock:
            self._stopped = self._stopped or reason
        self._stop.set()

    def _work(self, over: threading.Event) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:
                    index = next(self._cases, None)
                if index is None:
                    return
                self._replay(index)
                with self._lock:
                    self._replayed += 1
                    count = self._replayed
                self._progress(count, len(self._plan.order))
        except Stopped as exc:
            self.stop(str(exc))
        except BaseException as exc:
            with self._lock:
                self._error = self._error or exc
            self._stop.set()
        finally:
            over.set()

    def _replay(self, index: int) -> None:
        roles = [role for role in self._plan.roles(index) if (index, role) not in self._done.finished]
        if not roles:
            return
        case = self._plan.case(index)
        # Which side goes first is drawn for each case, so that neither profits from a warm cache or a quiet moment.
        turn = zlib.crc32(f"{self._plan.suite.seed}:{case.id}".encode()) % len(roles)
        roles = roles[turn:] + roles[:turn]
        identity = lot_id(index, case)
        for role in roles:
            request = self._plan.translate(case).request if role is Role.TARGET else case.request
            self._converse(Lot(identity, {case.id: request}), role, case.id)

    def _converse(self, lot: Lot, role: Role, case_id: str) -> None:
        codec = self._plan.service(role.side).codec
        pacer = self._pacers[role.side]
        replies = self._done.replies.get((lot_index(lot.id), role), ())
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
        if self._plan.profile.limits.tokens is not None or self._plan.suite.prices:
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

    def _count_tokens(self, lot: Lot, replies: tuple[Wire, ...], role: Role) -> None:
        for reading in self._plan.service(role.side).codec.decode(lot, replies).values():
            if not isinstance(reading, Unreadable):
                self._spending.after_call(role.side, reading.tokens_in or 0, reading.tokens_out or 0)
