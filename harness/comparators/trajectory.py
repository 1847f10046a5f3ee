"""What an agent did: the state it left the world in, how the task came out, what it wrote, which tools it called.

The same agent run twice seldom makes the same calls, so calls cannot be held to equality. Judge by the first of these
that is known: `final_state`, then `outcome` (the task's own reward), then `writes` (the calls that change the world),
then `calls`; and always against the source's second run, which is what the gate does with every metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.comparators import _calls, not_of, number, word
from harness.comparators._calls import MODES
from harness.comparators._conduct import comparison, scale
from harness.comparators._json.forms import parse_forms
from harness.comparators._json.rules import parse_rules
from harness.comparators._json.walk import EXTRA, Walk, too_deep
from harness.core.case import Case
from harness.core.output import Output, Step, ToolCall, Trajectory
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

LEVELS = ("final_state", "outcome", "writes", "calls")
QUALITY = "quality"
# Differences named in one reason.
NAMED = 3


@dataclass(frozen=True, slots=True)
class _Level:
    """What one level says: share in [0, 1], 1 for equal; why it is less; "" where it is equal."""

    share: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrajectoryComparator:
    """scale `flip`: 1 where the level `by` differs. scale `score`: the share that agrees. scale `quality`, for outcomes
    alone: the reward of the second trajectory, so that the gate holds the target's success against the source's.

    writes: names of the tools that change the world; () to go by the steps' own marks, where a call that has none
    counts as a write. tolerance: rewards this close are one outcome.
    """

    walk: Walk
    scale: str
    by: str = "final_state"
    mode: str = "unordered"
    writes: tuple[str, ...] = ()
    tolerance: float = 0.0
    name: str = "trajectory"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return (self.scale,)

    def signature(self) -> str:
        parts = [self.name, f"as:{self.scale}", f"by:{self.by}"]
        parts += [f"match:{self.mode}"] if self.by in ("writes", "calls") else []
        parts += [f"writes:{','.join(map(word, self.writes))}"] if self.writes else []
        parts += [f"tolerance:{self.tolerance!r}"] if self.tolerance else []
        parts += [f"canonical:{'+'.join(self.walk.forms)}"] if self.walk.forms else []
        return "|".join([*parts, str(self.walk.rules)] if self.walk.rules.rules else parts)

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Trajectory):
            return comparison(self, self.scale, case, Status.INCOMPARABLE, not_of("trajectory", "source", source))
        if not isinstance(target, Trajectory):
            return comparison(self, self.scale, case, Status.MISMATCH, not_of("trajectory", "target", target))
        judged = self._level(self.by, source, target)
        if isinstance(judged, str):
            return comparison(self, self.scale, case, Status.INCOMPARABLE, judged)
        beside = [
            f"{level}: {found.why}"
            for level in LEVELS
            if level != self.by and isinstance(found := self._level(level, source, target), _Level) and found.why
        ]
        if self.scale == QUALITY:
            return self._quality(source, target, beside, case)
        if not judged.why:
            return comparison(self, self.scale, case, Status.MATCH)
        reason = " | ".join([f"{self.by}: {judged.why}", *beside])
        return comparison(self, self.scale, case, Status.MISMATCH, reason, score=judged.share)

    def _quality(self, source: Trajectory, target: Trajectory, beside: list[str], case: Case) -> Comparison:
        """An unknown reward of the target is the worst; the source's is known here."""
        was, now = source.reward or 0.0, target.reward or 0.0
        worse = target.reward is None or now < was - self.tolerance
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=Status.MISMATCH if worse else Status.MATCH,
            value=now,
            distance=max(was - now, 0.0),
            unit="reward",
            reason=" | ".join([_rewards(source, target), *beside]) if worse else "",
        )

    def _level(self, level: str, source: Trajectory, target: Trajectory) -> _Level | str:
        """What a level says; why it says nothing, where the source's side of it is not known."""
        match level:
            case "final_state":
                return self._state(source, target)
            case "outcome":
                return self._outcome(source, target)
        calls = [self._calls(side, writes=level == "writes") for side in (source, target)]
        found = _calls.match(calls[0], calls[1], mode=self.mode, walk=self.walk)
        return _Level(found.share, "; ".join(found.reasons[:NAMED]))

    def _state(self, source: Trajectory, target: Trajectory) -> _Level | str:
        if source.final_state is None:
            return "the source's final state is not known; judge by outcome, writes or calls"
        if target.final_state is None:
            return _Level(0.0, "the target's final state is not known")
        if too_deep(source.final_state) or too_deep(target.final_state):
            return "a final state is nested too deeply to be walked"
        found = self.walk.differences(source.final_state, target.final_state)
        fields = self.walk.fields(source.final_state) + sum(one.weight for one in found if one.kind == EXTRA)
        share = max(0.0, 1.0 - sum(one.weight for one in found) / max(fields, 1))
        more = f"; {len(found) - NAMED} more differences" if len(found) > NAMED else ""
        return _Level(share if found else 1.0, "; ".join(str(one) for one in found[:NAMED]) + more)

    def _outcome(self, source: Trajectory, target: Trajectory) -> _Level | str:
        if source.reward is None:
            return "the source's reward is not known; judge by final_state, writes or calls"
        if target.reward is None:
            return _Level(0.0, "the target's reward is not known")
        apart = abs(target.reward - source.reward)
        return _Level(1.0, "") if apart <= self.tolerance else _Level(max(0.0, 1.0 - apart), _rewards(source, target))

    def _calls(self, trajectory: Trajectory, *, writes: bool) -> list[ToolCall]:
        return [
            step.call
            for step in trajectory.steps
            if step.call is not None and (not writes or self._is_write(step, step.call.name))
        ]

    def _is_write(self, step: Step, tool: str) -> bool:
        return tool in self.writes if self.writes else step.writes is not False


def build(
    *,
    by: str = "final_state",
    match: str = "unordered",
    writes: Sequence[str] = (),
    tolerance: float = 0.0,
    rules: Mapping[str, Mapping[str, object]] | None = None,
    canonical: Sequence[str] = (),
    **options: str,
) -> TrajectoryComparator:
    """`[comparators.NAME] use = "trajectory"`.

    by: final_state (default), outcome, writes or calls. as: `flip` (default), `score`, or `quality` with
    by = "outcome". match: as in tool_calls, for writes and calls; unordered by default. writes: names of the tools that
    change the world. tolerance: rewards this close are one outcome. rules, canonical: as in json_fields, for the final
    state and for arguments ("tool.argument").
    Raises ConfigError and UnknownName for what is none of these.
    """
    where = "trajectory"
    chosen = options.pop("as", "flip")
    if options:
        raise TypeError(f"unknown option {next(iter(options))!r}")
    if by not in LEVELS:
        raise UnknownName(where, "value of by", str(by), LEVELS)
    if match not in MODES:
        raise UnknownName(where, "value of match", str(match), MODES)
    if isinstance(writes, str) or not all(isinstance(tool, str) and tool for tool in writes):
        raise ConfigError(f"{where}: writes must be a list of names of tools, not {writes!r}.")
    if chosen == QUALITY and by != "outcome":
        raise ConfigError(f'{where}: as = "{QUALITY}" is the reward of a run and needs by = "outcome".')
    apart = number(where, "tolerance", tolerance)
    if not 0 <= apart < 1:
        raise ConfigError(f"{where}: tolerance must be at least 0 and below 1, not {apart!r}.")
    walk = Walk(rules=parse_rules(where, {} if rules is None else rules), forms=parse_forms(where, canonical))
    return TrajectoryComparator(
        walk=walk,
        scale=QUALITY if chosen == QUALITY else scale(where, chosen),
        by=by,
        mode=match,
        writes=tuple(writes),
        tolerance=apart,
    )


def _rewards(source: Trajectory, target: Trajectory) -> str:
    if target.reward is None:
        return "the target's reward is not known"
    return f"source reward {source.reward:g}, target {target.reward:g}"
