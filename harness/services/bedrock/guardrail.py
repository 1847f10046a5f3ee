"""What a guardrail said, in the trace of Converse or in the members that InvokeModel adds to a body.

Converse calls the assessments `inputAssessment` and `outputAssessments`, InvokeModel `input` and `outputs`; how they
are nested differs, the assessments themselves do not. Source: wire contracts D.1, D.3, D.7; recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from harness.core.output import Chat, Filter, Output, StopReason
from harness.services._chat import NoAnswer, objects, table, text

ACTION = "amazon-bedrock-guardrailAction"
TRACE = "amazon-bedrock-trace"

# policy -> (its lists, the members that name an entry, best first, the members that grade it, best first)
_POLICIES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "contentPolicy": (("filters",), ("type",), ("confidence", "action")),
    "topicPolicy": (("topics",), ("name",), ("action",)),
    "wordPolicy": (("customWords", "managedWordLists"), ("type",), ("action",)),
    "sensitiveInformationPolicy": (("piiEntities", "regexes"), ("type", "name"), ("action",)),
    "contextualGroundingPolicy": (("filters",), ("type",), ("action",)),
}
_INPUT = ("inputAssessment", "input")
_OUTPUT = ("outputAssessments", "outputs")


def filtered(output: Output, body: dict[str, Any]) -> Chat:
    """The chat with what the guardrail did. body: the answer of Converse, or of InvokeModel."""
    if not isinstance(output, Chat):
        raise NoAnswer("it is no answer of a chat model")
    trace = body.get("trace") or body.get(TRACE)
    intervened = body.get(ACTION) == "INTERVENED" or output.stop_raw == "guardrail_intervened"
    found = _filter(table(table(trace).get("guardrail")), intervened=intervened) if trace or intervened else None
    if found is None:
        # The model's own filter shows in the stop reason alone.
        return replace(output, filter=Filter(blocked=True)) if output.stop is StopReason.FILTER else output
    return replace(output, filter=found, stop=StopReason.FILTER if found.blocked else output.stop)


def _filter(trace: dict[str, Any], *, intervened: bool) -> Filter | None:
    """None where no guardrail spoke. An intervention without a trace may have been a block, and counts as one."""
    entries = {
        where: [entry for name in names for entry in _entries(trace.get(name))]
        for where, names in (("prompt", _INPUT), ("completion", _OUTPUT))
    }
    blocked = [where for where, found in entries.items() if any(action == "BLOCKED" for _, _, action in found)]
    masked = any(action == "ANONYMIZED" for found in entries.values() for _, _, action in found)
    categories = {name: grade for found in entries.values() for name, grade, _ in found}
    if not intervened and not categories:
        return None
    return Filter(
        blocked=intervened and (bool(blocked) or not masked),
        where=blocked[0] if intervened and blocked else None,
        masked=intervened and masked and not blocked,
        categories=categories,
    )


def _entries(value: Any) -> Iterator[tuple[str, str, str]]:
    """(category, grade, action) of everything that was detected. Words and texts that matched are not kept."""
    for assessment in _assessments(value):
        for policy, (lists, names, grades) in _POLICIES.items():
            for kind in lists:
                for entry in objects(table(assessment.get(policy)).get(kind)):
                    action = text(entry.get("action"))
                    if action in ("BLOCKED", "ANONYMIZED") or entry.get("detected") is True:
                        name = next((text(entry[key]) for key in names if text(entry.get(key))), kind)
                        grade = next((text(entry[key]) for key in grades if text(entry.get(key))), action)
                        yield name, grade, action


def _assessments(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from _assessments(one)
    elif isinstance(value, dict):
        if value.keys() & _POLICIES.keys():
            yield value
        else:
            for one in value.values():
                yield from _assessments(one)
