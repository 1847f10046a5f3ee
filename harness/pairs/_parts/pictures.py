"""Requests for pictures: what is drawn, and in which form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.case import Json, Request, Task
from harness.errors import UnencodableRequest
from harness.pairs._parts.catalog import Family
from harness.pairs._parts.fit import Losses, Target, listed, told, within
from harness.pairs._parts.params import HARMLESS


def carry(request: Request, source: Family | None, target: Target, losses: Losses) -> Request:
    """The request for the target, without model and api."""
    payload = request.payload
    if not isinstance(payload, dict) or not isinstance(payload.get("prompt"), str):
        raise UnencodableRequest("the payload of this image request has no prompt.")
    body: dict[str, Json] = {"prompt": payload["prompt"]}
    for name in ("negative_prompt", "image"):
        value = payload.get(name)
        if value is None:
            continue
        if target.accepts(name) is False:
            losses.drop(name, "given", target.who(name))
        else:
            body[name] = value
    asked: dict[str, Json] = {
        name: value for name, value in request.params.items() if value is not None and name not in ("model", "api")
    }
    shape = _shape(asked, source, target, losses)
    params = dict(_params(asked, target, losses)) | shape
    return Request(Task.IMAGE, body, params)


def _shape(asked: dict[str, Json], source: Family | None, target: Target, losses: Losses) -> dict[str, Json]:
    """Size or aspect ratio, whichever the target is told; the nearest shape where it has no such one."""
    size, aspect = asked.pop("size", None), asked.pop("aspect_ratio", None)
    given = size or aspect
    if given is None:
        before = source.defaults.get("size") if source is not None else None
        after = target.family.defaults.get("size")
        if before != after and before is not None:
            losses.change("size", f"{before} by default", f"{after} by default", "left to the default of each model")
        return {}
    wanted = _ratio(str(given))
    name = "size" if target.accepts("size") is not False else "aspect_ratio"
    accepted = target.accepts(name)
    said = "size" if size is not None else "aspect_ratio"
    if name == said and (accepted is True or given in accepted):
        return {name: given}
    if accepted is True or not isinstance(accepted, list) or wanted is None:
        losses.drop(said, str(given), target.who(said))
        return {}
    nearest = min(accepted, key=lambda one: abs((_ratio(one) or 1.0) - wanted))
    losses.change(said, str(given), nearest, f"the nearest shape that model {target.family.name} draws")
    return {name: nearest}


def _ratio(text: str) -> float | None:
    """Width over height of "1024x768" or "4:3"."""
    for mark in ("x", ":"):
        width, found, height = text.partition(mark)
        if found and width.isdecimal() and height.isdecimal() and int(height):
            return int(width) / int(height)
    return None


def _params(asked: Mapping[str, Json], target: Target, losses: Losses) -> Mapping[str, Json]:
    kept: dict[str, Json] = {}
    for name, value in asked.items():
        accepted: Any = target.accepts(name)
        if accepted is False or (isinstance(accepted, list) and isinstance(value, str) and value not in accepted):
            if value not in HARMLESS.get(name, ()):
                losses.drop(name, _shown(name, value), target.who(name))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            near = within(accepted, value)
            if near is None:
                losses.drop(name, value, target.who(name))
                continue
            if near != value:
                losses.change(name, value, near, f"the nearest that model {target.family.name} takes")
            kept[name] = near
        else:
            kept[name] = value
    return kept


def _shown(name: str, value: Json) -> str:
    if name == "extra" and isinstance(value, dict):
        return listed(value)
    return "given" if name == "user" or isinstance(value, dict | list) else told(value)
