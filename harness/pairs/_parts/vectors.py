"""Embedding requests: texts, and how their vectors are to be made. Vectors of two models share no space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.case import Json, Request, Task
from harness.errors import UnencodableRequest
from harness.pairs._parts.catalog import Family
from harness.pairs._parts.fit import Losses, Target, listed, within
from harness.pairs._parts.params import HARMLESS
from harness.pairs._parts.turns import BYTES_PER_TOKEN

PURPOSE = "search_document"  # where the target insists on one: what an index is built from


def carry(request: Request, source: Family | None, target: Target, losses: Losses) -> Request:
    """The request for the target, without model and api."""
    payload = request.payload
    if not isinstance(payload, dict):
        raise UnencodableRequest("the payload of this embedding request is no object.")
    texts, images = payload.get("texts") or [], payload.get("images") or []
    if not isinstance(texts, list) or not isinstance(images, list):
        raise UnencodableRequest("the texts and images of this embedding request are no lists.")
    if images and not target.allows("image", "data"):
        losses.drop("image", "given", target.who("image"))
        images = []
    if not texts and not images:
        raise UnencodableRequest("nothing is left to embed: the target takes text alone.")
    most = target.api.texts_per_call
    if most is not None and len(texts) > most:
        raise UnencodableRequest(f"{target.api.title} takes {most} texts a call, and the request has {len(texts)}.")
    _check_length(texts, target, losses)
    asked = {
        name: value for name, value in request.params.items() if value is not None and name not in ("model", "api")
    }
    if "dimensions" not in asked:
        _unsaid_dimensions(source, target, losses)
    params = dict(_params(asked, target, losses))
    if "input_type" in target.api.needs and "input_type" not in params:
        params["input_type"] = PURPOSE
        losses.change("input_type", "not given", PURPOSE, f"{target.api.title} insists on one; it changes the vector")
    body: dict[str, Json] = {"texts": texts, **({"images": images} if images else {})}
    return Request(Task.EMBEDDING, body, params)


def _params(asked: Mapping[str, Json], target: Target, losses: Losses) -> Mapping[str, Json]:
    kept: dict[str, Json] = {}
    for name, value in asked.items():
        accepted = target.accepts(name)
        default = target.family.defaults.get(name)
        if name == "encoding":
            kept[name] = _encoding(value, accepted, target, losses)
        elif accepted is False:
            if value != default and value not in HARMLESS.get(name, ()):
                losses.drop(name, _told(name, value), target.who(name))
        elif name == "dimensions":
            kept[name] = _dimensions(value, accepted, target, losses)
        elif isinstance(accepted, list) and isinstance(value, str) and value not in accepted:
            losses.drop(name, value, f"{target.who(name)}; it knows {', '.join(accepted)}")
        else:
            kept[name] = value
    return {name: value for name, value in kept.items() if value is not None}


def _encoding(value: Json, accepted: Any, target: Target, losses: Losses) -> Json:
    """Forms of the vectors: one word to OpenAI, a list to others. Left out, every service gives floats."""
    asked = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    known = asked if accepted is True else [one for one in asked if isinstance(accepted, list) and one in accepted]
    lost = [one for one in asked if one not in known and one != "float"]
    if lost:
        losses.change("encoding", listed(lost), listed(known) or "float", target.who("encoding"))
    if not known:
        return None
    return known[0] if target.api.words == "openai" else list[Json](known)


def _told(name: str, value: Json) -> str:
    return str(value) if name in ("dimensions", "input_type", "normalize", "truncate") else "given"


def _dimensions(value: Json, accepted: Any, target: Target, losses: Losses) -> Json:
    if not isinstance(value, int):
        raise UnencodableRequest("the dimensions of this embedding request are no whole number.")
    kept = within(accepted, value)
    if kept != value:
        losses.change("dimensions", value, kept, f"the nearest that model {target.family.name} takes")
    return kept


def _unsaid_dimensions(source: Family | None, target: Target, losses: Losses) -> None:
    before = source.defaults.get("dimensions") if source is not None else None
    after = target.family.defaults.get("dimensions")
    if before is not None and before != after:
        reason = "left to the default of each model; the index is of another length"
        losses.change("dimensions", f"{before} by default", f"{after} by default", reason)


def _check_length(texts: list[Json], target: Target, losses: Losses) -> None:
    most = target.family.input_tokens
    if most is not None and any(len(str(text).encode()) > most * BYTES_PER_TOKEN for text in texts):
        reason = f"about {BYTES_PER_TOKEN} bytes a token: model {target.family.name} may refuse or cut a text"
        losses.change("context_length", f"a text of more than {most} tokens", f"{most} tokens", reason)
