"""How the answer is to be written: sampling, limits, reasoning and the rest of `Request.params`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.case import Json
from harness.core.chat import FIELDS
from harness.pairs._parts.catalog import Family
from harness.pairs._parts.fit import Losses, Target, listed, told, within

# What a target does by itself when it is told nothing: leaving these out loses nothing, and is no departure.
HARMLESS: Mapping[str, tuple[Json, ...]] = {
    "n": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "repetition_penalty": (1,),
    "min_p": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "stop": ([],),
    "parallel_tool_calls": (True,),
    "latency": ("standard",),
    "service_tier": ("default", "auto"),
    "stream": (False,),
    "encoding": ("float",),
    "metadata": ({},),
    "extra": ({},),
}
# Settings whose default the target may not share: said outright where the source's default is known.
OUTRIGHT = ("temperature", "top_p", "max_tokens")
# Texts of the application: a report says that there was one, not what it said.
PRIVATE = ("user", "cache_key", "metadata", "logit_bias", "guardrail")
# Members of the services' own that hold tools: what is left in them are tools that the service runs by itself.
TOOLS_BY_OTHER_NAMES = {"toolConfig": "tools", "web_search_options": "tools"}

# Thinking budgets and efforts have no common scale. These steps are ours: 1,024 is the least budget Claude takes, 4,096
# and 16,384 are where its documentation places simple and hard tasks.
BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 4096, "high": 16384, "xhigh": 32768, "max": 32768}
LEAST_BUDGET = 1024
ANSWER_LIMIT = 4096  # where the target needs a limit and nobody named one


def carry(params: Mapping[str, Json], source: Family | None, target: Target, losses: Losses) -> dict[str, Json]:
    """The params for the target, without `model` and `api`. `source`: whose defaults hold; None where not known."""
    given: dict[str, Json] = {
        name: value for name, value in params.items() if value is not None and name not in ("model", "api")
    }
    given = _defaults(given, source, target, losses)
    reasoning = _reasoning(given.pop("reasoning", None), given, source, target, losses)
    _prompt_form(given, losses)
    carried: dict[str, Json] = {}
    for name, value in given.items():
        kept = _one(name, value, target, losses)
        if kept is not None:
            carried[name] = kept
    if reasoning is not None:
        carried["reasoning"] = reasoning
    _together(carried, target, losses)
    _limit(carried, target, losses)
    return carried


def _defaults(given: dict[str, Json], source: Family | None, target: Target, losses: Losses) -> dict[str, Json]:
    if source is None or source.task != "chat":
        return given
    filled = dict(given)
    for name in OUTRIGHT:
        default = source.defaults.get(name)
        if name in given or default is None or default == target.family.defaults.get(name):
            continue
        if name == "top_p" and "temperature" in given:
            continue  # together they would be two settings where the source was told one
        if target.accepts(name) is False or within(target.accepts(name), float(str(default))) is None:
            reason = f"the source's default; {target.who(name)}"
            losses.drop(name, f"not given, {default} by default", reason)
            continue
        filled[name] = default
        reason = "left to the source's default, which the target does not share: said outright"
        losses.change(name, f"not given, {default} by default", default, reason)
    return filled


def _prompt_form(given: dict[str, Json], losses: Losses) -> None:
    form = given.pop("prompt_form", None)
    if form == "raw":
        reason = "a prompt whose template nobody recognises goes over as one turn of the user"
        losses.change("prompt_template", "one prompt text", "one turn", reason)
    elif form is not None:
        reason = "the target's service builds the prompt from the turns, by its own template"
        losses.change("prompt_form", told(form), "turns", reason)


def _one(name: str, value: Json, target: Target, losses: Losses) -> Json:
    accepted = target.accepts(name)
    if name == "extra":
        return _extra(value, target, losses)
    if name == "stop":
        return _stop(value, accepted, target, losses)
    if accepted is False:
        if value not in HARMLESS.get(name, ()):
            losses.drop(name, _shown(name, value), target.who(name))
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(name, value, accepted, target, losses)
    if isinstance(accepted, list) and isinstance(value, str) and value not in accepted:
        if value not in HARMLESS.get(name, ()):
            losses.drop(name, value, f"{target.who(name)}; it knows {', '.join(map(str, accepted))}")
        return None
    return value


def _number(name: str, value: float, accepted: Any, target: Target, losses: Losses) -> Json:
    if name == "max_tokens" and target.family.output_tokens is not None:
        accepted = [1, target.family.output_tokens]
    kept = within(accepted, value)
    if kept is None:
        losses.drop(name, value, f"model {target.family.name} takes its default alone")
    elif kept != value:
        losses.change(name, value, kept, f"the nearest that model {target.family.name} takes")
    return kept


def _shown(name: str, value: Json) -> str:
    return "given" if name in PRIVATE or isinstance(value, dict | list) else told(value)


def _stop(value: Json, accepted: Any, target: Target, losses: Losses) -> Json:
    stops = value if isinstance(value, list) else [value]
    if not stops:
        return None
    if accepted is False:
        losses.drop("stop", f"{len(stops)} texts", f"{target.who('stop')}; the answer runs on")
        return None
    if isinstance(accepted, int) and not isinstance(accepted, bool) and len(stops) > accepted:
        reason = f"{target.api.title} takes at most {accepted}"
        losses.change("stop", f"{len(stops)} texts", f"the first {accepted}", reason)
        return list(stops[:accepted])
    return list(stops)


def _extra(value: Json, target: Target, losses: Losses) -> Json:
    """Fields without a neutral name mean something to one vocabulary alone."""
    if not isinstance(value, dict) or not value:
        return None
    if target.same_words:
        return value
    reason = f"{target.api.title} does not know these fields of the source"
    for name in sorted({_field_of(one) for one in value}):
        losses.drop(name, listed(one for one in value if _field_of(one) == name), reason)
    return None


def _field_of(name: str) -> str:
    """One of FIELDS: what is a known field in a form without neutral words is still forbidden by that field's name."""
    return name if name in FIELDS else TOOLS_BY_OTHER_NAMES.get(name, "extra")


def _reasoning(
    asked: Json, given: dict[str, Json], source: Family | None, target: Target, losses: Losses
) -> dict[str, Json] | None:
    family = target.family
    wanted = asked if isinstance(asked, dict) else {}
    off = not wanted or wanted.get("enabled") is False or wanted.get("effort") == "none"
    if target.accepts("reasoning") is False:
        if not off:
            losses.drop("reasoning", _asked(wanted), target.who("reasoning"))
        elif family.reasons == "on":
            losses.change("reasoning", "off", "on", f"model {family.name} always reasons")
        return None
    if off:
        return _off(wanted, source, target, losses)
    for form in ("budget_tokens", "adaptive"):
        if form in wanted and target.allows("reasoning", form):
            return _with_effort(form, wanted, target, losses)
    if wanted.get("enabled") is True and not {"budget_tokens", "adaptive", "effort"} & set(wanted):
        wanted = {"effort": "medium"}
        losses.change("reasoning", "enabled", "effort medium", "the source left the amount to the model")
    effort = str(wanted.get("effort") or ("" if "adaptive" in wanted else _effort(wanted, target)))
    if target.allows("reasoning", "effort") and effort:
        return _told_effort(effort, wanted, target, losses)
    if effort and target.allows("reasoning", "budget_tokens"):
        budget = _budget(BUDGETS.get(effort, BUDGETS["medium"]), given, target)
        losses.change("reasoning", _asked(wanted), f"budget of {budget} tokens", "efforts and budgets share no scale")
        return {"budget_tokens": budget}
    if target.allows("reasoning", "adaptive"):
        losses.change("reasoning", _asked(wanted), "adaptive", f"model {family.name} settles the amount itself")
        return {"adaptive": True}
    losses.change("reasoning", _asked(wanted), "the model's own", f"{target.api.title} cannot be told so")
    return None


def _with_effort(form: str, wanted: dict[str, Json], target: Target, losses: Losses) -> dict[str, Json]:
    """Claude may be told an effort beside the form of its thinking."""
    kept: dict[str, Json] = {form: wanted[form]}
    if "effort" not in wanted:
        return kept
    if target.allows("reasoning", "effort"):
        return {**kept, "effort": wanted["effort"]}
    losses.drop("reasoning", _asked(wanted), f"model {target.family.name} takes no effort")
    return kept


def _off(wanted: dict[str, Json], source: Family | None, target: Target, losses: Losses) -> dict[str, Json] | None:
    """The source does not reason, or was not told to; a target that does by itself is told not to where it can be."""
    family = target.family
    if not wanted and source is not None and source.reasons == "on":
        if family.reasons == "off":
            losses.drop("reasoning", "on by default", f"model {family.name} does not reason unless told to")
        return None
    if family.reasons == "off":
        return None
    if "none" in family.efforts:
        return {"effort": "none"}
    if not family.efforts:
        losses.change("reasoning", "off", "on", f"model {family.name} always reasons")
        return None
    least = family.efforts[0]
    losses.change("reasoning", "off", f"effort {least}", f"model {family.name} always reasons; this is its least")
    return {"effort": least}


def _told_effort(effort: str, wanted: dict[str, Json], target: Target, losses: Losses) -> dict[str, Json]:
    known = target.family.efforts
    kept = effort if not known or effort in known else min(known, key=lambda one: abs(_rank(one) - _rank(effort)))
    if kept != effort or "effort" not in wanted:
        reason = "budgets and efforts share no scale" if kept == effort else "the nearest that the model takes"
        losses.change("reasoning", _asked(wanted), f"effort {kept}", reason)
    return {"effort": kept}


def _effort(wanted: dict[str, Json], target: Target) -> str:
    """The effort whose step a budget reaches."""
    tokens = int(str(wanted.get("budget_tokens", 0)))
    words = target.family.efforts or ("low", "medium", "high")
    reached = [word for word in words if word != "none" and BUDGETS.get(word, 0) <= tokens]
    return reached[-1] if reached else next(word for word in words if word != "none")


def _budget(budget: int, given: dict[str, Json], target: Target) -> int:
    """A budget must leave room for an answer."""
    limit = given.get("max_tokens") or target.family.output_tokens or ANSWER_LIMIT
    return max(LEAST_BUDGET, min(budget, int(str(limit)) // 2))


def _rank(effort: str) -> int:
    order = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    return order.index(effort) if effort in order else order.index("medium")


def _asked(wanted: dict[str, Json]) -> str:
    if "effort" in wanted:
        return f"effort {wanted['effort']}"
    if "budget_tokens" in wanted:
        return f"budget of {wanted['budget_tokens']} tokens"
    return "adaptive" if wanted.get("adaptive") else "enabled"


def _together(carried: dict[str, Json], target: Target, losses: Losses) -> None:
    """Settings that the target refuses beside one another."""
    for first, second in target.family.not_both:
        if first in carried and second in carried:
            losses.drop(second, carried.pop(second), f"model {target.family.name} refuses it beside {first}")
    thinks = carried.get("reasoning")
    if not isinstance(thinks, dict) or not {"budget_tokens", "adaptive"} & set(thinks):
        return
    for name in target.family.thinking_refuses:
        if name in carried and not (name == "temperature" and carried[name] == 1):
            losses.drop(name, carried.pop(name), f"model {target.family.name} refuses it while it thinks")


def _limit(carried: dict[str, Json], target: Target, losses: Losses) -> None:
    """A limit where the API insists on one, room for a budget, and what a limit means to a model that reasons."""
    limit = carried.get("max_tokens")
    if limit is None and "max_tokens" in target.api.needs:
        limit = min(ANSWER_LIMIT, target.family.output_tokens or ANSWER_LIMIT)
        carried["max_tokens"] = limit
        losses.change("max_tokens", "not given", limit, f"{target.api.title} insists on a limit")
    thinks = carried.get("reasoning")
    if isinstance(thinks, dict) and "budget_tokens" in thinks and limit is not None:
        budget = int(str(thinks["budget_tokens"]))
        if budget >= int(str(limit)):
            raised = min(budget + int(str(limit)), target.family.output_tokens or budget + int(str(limit)))
            carried["max_tokens"] = raised
            reason = "the limit must leave room for an answer beyond the thinking"
            losses.change("max_tokens", limit, raised, reason)
    elif limit is not None and target.family.reasons == "on" and "max_tokens" in carried:
        reason = f"model {target.family.name} counts its hidden reasoning too: an answer may be cut or empty"
        losses.change("max_tokens", f"{limit} of answer", f"{carried['max_tokens']} of reasoning and answer", reason)
