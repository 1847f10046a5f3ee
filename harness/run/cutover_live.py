"""Rows of live traffic, and what they say of the stage that is in force.

A row is one of `parity decide` with one field more: `at`, when the request was answered (UTC, ISO 8601). Only rows
since the stage was set count, all in one look: the gate's anytime method holds whenever, and however often, one looks.
The last rows are judged by themselves too, and may refuse for all.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.core.verdict import Decision, Verdict
from harness.errors import ConfigError, HarnessError, PolicyError
from harness.gate.cutover import Judged
from harness.gate.cutover_switches import LiveSettings
from harness.gate.policy import Policy

CLOCKS = timedelta(seconds=60)  # by how much the application's clock may be ahead of this one
SINCE = "{since}"


def live_policy(settings: LiveSettings) -> Policy:
    """The criteria of live rows. Raises PolicyError, also for a fixed sample: live rows are looked at many times."""
    from harness.gate.policy import load_policy

    policy = load_policy(settings.policy)
    if policy.mode != "anytime":
        raise PolicyError(
            f'{settings.policy}, [gate]: mode "fixed" is one look planned in advance, and live rows are looked at '
            'at every step. Use mode = "anytime".'
        )
    return policy


@dataclass(frozen=True, slots=True)
class Live:
    """Judges what is measured on live traffic. GO and NO-GO are the gate's; anything amiss is INCONCLUSIVE."""

    settings: LiveSettings
    policy: Policy
    folder: Path

    def __call__(self, since: datetime, now: datetime) -> Judged:
        """since: when the stage was set; now: both UTC."""
        try:
            return self._look(since, now)
        except (HarnessError, OSError, subprocess.SubprocessError) as exc:
            return _open(f"live rows cannot be judged: {exc}")

    def _look(self, since: datetime, now: datetime) -> Judged:
        """Refuse by what can be read; pass only where all can be, and every metric is fresh."""
        read = list(self._read(since))
        rows = [row for row in read if isinstance(row, _Row) and row.at >= since]
        trouble = next((one for one in read if isinstance(one, str)), None)
        if not rows:
            return _open(trouble or f"no live row since the stage was set at {since:%H:%M:%S} UTC")
        whole = self._decide(rows, now)
        recent = [row for row in rows if row.at > now - timedelta(minutes=self.settings.recent_minutes)]
        if whole.verdict is not Verdict.NO_GO and 0 < len(recent) < len(rows):
            last = self._decide(recent, now)
            if last.verdict is Verdict.NO_GO:
                return self._judged(last, recent, f"in the last {self.settings.recent_minutes:g} minutes: ")
        if whole.verdict is Verdict.GO and (why := trouble or self._stale(rows, now)) is not None:
            return _open(why)
        return self._judged(whole, rows, "")

    def _stale(self, rows: list[_Row], now: datetime) -> str | None:
        """Why the rows are not about this moment; None where they are. Each metric must go on being measured."""
        newest: dict[str, datetime] = {}
        for row in rows:
            newest[row.metric] = max(row.at, newest.get(row.metric, row.at))
        if (ahead := max(newest.values())) > now + CLOCKS:
            return f"a live row is dated {ahead:%Y-%m-%d %H:%M:%S} UTC, which is still to come"
        for criterion in self.policy.criteria:
            at = newest.get(criterion.metric)
            if at is not None and now - at > timedelta(minutes=self.settings.max_age_minutes):
                minutes = (now - at).total_seconds() / 60
                return f'the newest live row of metric "{criterion.metric}" is {minutes:.0f} minutes old'
        return None

    def _decide(self, rows: list[_Row], now: datetime) -> Decision:
        from harness.gate.decide import decide
        from harness.gate.rows_lines import from_lines

        content = b"\n".join(row.line for row in rows)
        return decide(from_lines(Path("live rows"), content), self.policy, decided_at=now)

    def _judged(self, decision: Decision, rows: list[_Row], prefix: str) -> Judged:
        content = b"\n".join(row.line for row in rows)
        return Judged(
            verdict=decision.verdict,
            reason=f"{prefix}{decision.headline}",
            evidence={
                "verdict": decision.verdict.value,
                "headline": decision.headline,
                "rows": len(rows),
                "rows_sha256": hashlib.sha256(content).hexdigest(),
                "policy_sha256": self.policy.sha256,
                "since": min(row.at for row in rows).isoformat(),
                "until": max(row.at for row in rows).isoformat(),
                "findings": [
                    {"criterion": one.criterion, "verdict": one.verdict.value, "reason": one.reason}
                    for one in decision.findings
                ],
            },
        )

    def _read(self, since: datetime) -> Iterator[_Row | str]:
        """Rows, and in place of one that cannot be read, why."""
        if self.settings.command is not None:
            yield from _parsed(self._printed(self.settings.command, since), "live command")
            return
        from harness.run.files import Files

        place = str(self.settings.rows)
        for file in Files([place if "://" in place else str(self.folder / place)]):
            with file.open() as stream:
                yield from _parsed(stream.read(), file.path)

    def _printed(self, command: tuple[str, ...], since: datetime) -> bytes:
        arguments = [part.replace(SINCE, since.isoformat()) for part in command]
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=self.settings.timeout_s,
            cwd=self.folder,
            check=False,
        )
        if done.returncode:
            raise ConfigError(f"{arguments[0]} ended with exit code {done.returncode}.")
        return done.stdout


@dataclass(frozen=True, slots=True)
class _Row:
    at: datetime
    metric: str
    line: bytes


def _parsed(content: bytes, place: str) -> Iterator[_Row | str]:
    """Whole lines: the last one may be half written. `run` is left out, so that all rows are one look."""
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        if not line.strip():
            continue
        where = f"{place}, line {number}"
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            yield f"{where}: is not JSON. Each line is one row, a JSON object."
            continue
        if not isinstance(told, dict):
            yield f"{where}: is no JSON object."
            continue
        try:
            at = _time(told)
        except (ValueError, OverflowError):  # a time of the year 1 in the far east lies before all that can be told
            yield f'{where}: "at" must be a time in UTC such as "2027-01-31T12:00:00Z".'
            continue
        told.pop("run", None)
        yield _Row(at, str(told.get("metric")), json.dumps(told).encode())


def _time(told: Mapping[str, Any]) -> datetime:
    """When the request was answered, UTC. Raises ValueError where it is not told, or not in which zone."""
    text = told.get("at")
    at = datetime.fromisoformat(text) if isinstance(text, str) else None
    if at is None or at.tzinfo is None:
        raise ValueError(text)
    return at.astimezone(UTC)


def _open(reason: str) -> Judged:
    return Judged(verdict=Verdict.INCONCLUSIVE, reason=reason, evidence={"verdict": "INCONCLUSIVE", "reason": reason})
