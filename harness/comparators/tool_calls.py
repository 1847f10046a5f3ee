"""The tools that a chat answer calls: which, with which arguments, in which order.

Arguments are compared by type and value: 4 and 4.0 are one number, the order of keys never matters, and `canonical`
names what else counts as the same writing. The ids that a service gives its calls are never read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.comparators import _calls, not_of, word
from harness.comparators._calls import MODES
from harness.comparators._conduct import comparison, scale, unanswered
from harness.comparators._json.forms import parse_forms
from harness.comparators._json.rules import parse_rules
from harness.comparators._json.walk import Walk
from harness.core.case import Case
from harness.core.output import Chat, Output
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

# Reasons given; the rest are counted.
NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalls:
    """scale `flip`: 1 where the calls do not match in `mode`. scale `score`: the share of calls that do.

    tools: only calls of these are compared; () for all. Two answers without a call match.
    """

    walk: Walk
    scale: str
    mode: str = "exact"
    tools: tuple[str, ...] = ()
    name: str = "tool_calls"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return (self.scale,)

    def signature(self) -> str:
        parts = [self.name, f"as:{self.scale}", f"match:{self.mode}"]
        parts += [f"tools:{','.join(map(word, self.tools))}"] if self.tools else []
        parts += [f"canonical:{'+'.join(self.walk.forms)}"] if self.walk.forms else []
        return "|".join([*parts, str(self.walk.rules)] if self.walk.rules.rules else parts)

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Chat):
            return comparison(self, self.scale, case, Status.INCOMPARABLE, not_of("chat", "source", source))
        if not isinstance(target, Chat):
            return comparison(self, self.scale, case, Status.MISMATCH, not_of("chat", "target", target))
        if settled := unanswered(source, target):
            return comparison(self, self.scale, case, *settled)
        calls = (
            [call for call in side.tool_calls if not self.tools or call.name in self.tools] for side in (source, target)
        )
        found = _calls.match(*calls, mode=self.mode, walk=self.walk)
        if not found.reasons:
            return comparison(self, self.scale, case, Status.MATCH)
        more = f"; {len(found.reasons) - NAMED} more" if len(found.reasons) > NAMED else ""
        reason = "; ".join(found.reasons[:NAMED]) + more
        return comparison(self, self.scale, case, Status.MISMATCH, reason, score=found.share)


def build(
    *,
    match: str = "exact",
    tools: Sequence[str] = (),
    rules: Mapping[str, Mapping[str, object]] | None = None,
    canonical: Sequence[str] = (),
    **options: str,
) -> ToolCalls:
    """`[comparators.NAME] use = "tool_calls"`.

    as: `flip` (default) or `score`. match: exact (default), unordered, in_order, any_order, subset. tools: names of the
    tools that count. rules: {"tool.argument": {...}}, as in json_fields. canonical: number, date, whitespace, case.
    Raises ConfigError and UnknownName for what is none of these.
    """
    where = "tool_calls"
    chosen = options.pop("as", "flip")
    if options:
        raise TypeError(f"unknown option {next(iter(options))!r}")
    if match not in MODES:
        raise UnknownName(where, "value of match", str(match), MODES)
    if isinstance(tools, str) or not all(isinstance(tool, str) and tool for tool in tools):
        raise ConfigError(f"{where}: tools must be a list of names, not {tools!r}.")
    walk = Walk(rules=parse_rules(where, {} if rules is None else rules), forms=parse_forms(where, canonical))
    return ToolCalls(walk=walk, scale=scale(where, chosen), mode=match, tools=tuple(tools))
