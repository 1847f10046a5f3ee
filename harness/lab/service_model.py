"""What AWS says a request may contain, read from the model files that botocore ships: their data, not its code."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from harness.errors import LabError
from harness.lab import body_model
from harness.lab.body_model import Violation
from harness.lab.loopback import Request

__all__ = ["Member", "Operation", "Violation", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One input member: where it travels (uri, header, body) and what it may be."""

    name: str
    location: str
    wire_name: str
    required: bool
    shortest: int | None
    longest: int | None
    pattern: re.Pattern[str] | None


class Operation:
    """One operation of a REST service: its method, its path, its members, the shape of a JSON body."""

    def __init__(self, model: dict[str, Any], name: str) -> None:
        operation = model["operations"][name]
        self.name = name
        self.method: str = operation["http"]["method"]
        self._path = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation["http"]["requestUri"]))
        shape = model["shapes"][operation["input"]["shape"]]
        self._shapes, self._input = model["shapes"], shape
        self._blob = shape.get("payload")
        self.members = tuple(
            _member(key, member, model["shapes"][member["shape"]], required=key in shape.get("required", ()))
            for key, member in shape["members"].items()
        )

    def matches(self, request: Request) -> bool:
        return request.method == self.method and self._path.fullmatch(request.path) is not None

    def read(self, request: Request) -> dict[str, str]:
        """The members that are present, by name, except the body. Raises Violation for the first constraint broken."""
        match = self._path.fullmatch(request.path)
        if match is None:
            raise Violation(f"{request.path} is not a path of {self.name}")
        found: dict[str, str] = {}
        for member in self.members:
            if member.location == "body":
                if member.name != self._blob:
                    continue  # a part of a JSON body: `check_body`
                _check_length(member, len(request.body), "a blob")
                continue
            value = match[member.name] if member.location == "uri" else request.headers.get(member.wire_name)
            if value is None:
                if member.required:
                    raise Violation(_worded(member, "null", "Member must not be null"))
                continue
            value = unquote(value) if member.location == "uri" else value
            _check_length(member, len(value), value)
            if member.pattern is not None and not member.pattern.fullmatch(value):
                rule = f"Member must satisfy regular expression pattern: {member.pattern.pattern}"
                raise Violation(_worded(member, value, rule))
            found[member.name] = value
        return found

    def check_body(self, document: Any) -> None:
        """Hold a JSON body against the input shape. Raises Violation for the first constraint broken."""
        elsewhere = frozenset(member.name for member in self.members if member.location != "body")
        body_model.check(self._shapes, self._input, document, "", skip=elsewhere)


def load(service: str, name: str) -> Operation:
    """One operation of the newest model of a service. Raises LabError when botocore is not installed."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise LabError("lab: botocore, which ships the service models, is not installed. Install the project again.")
    versions = sorted((Path(spec.submodule_search_locations[0]) / "data" / service).glob("*/service-2.json*"))
    if not versions:
        raise LabError(f"lab: botocore ships no model of {service}.")
    raw = versions[-1].read_bytes()
    return Operation(json.loads(gzip.decompress(raw) if versions[-1].suffix == ".gz" else raw), name)


def _member(name: str, member: dict[str, Any], shape: dict[str, Any], *, required: bool) -> Member:
    return Member(
        name=name,
        location=member.get("location", "body"),
        wire_name=member.get("locationName", name).lower(),
        required=required,
        shortest=shape.get("min"),
        longest=shape.get("max"),
        pattern=_pattern(shape["pattern"]) if "pattern" in shape else None,
    )


def _pattern(java: str) -> re.Pattern[str]:
    """The models write Java's dialect."""
    for theirs, ours in (("[\\p{Print}]", "[\\x20-\\x7e]"), ("\\p{ASCII}", "[\\x00-\\x7f]"), ("\\z", "\\Z")):
        java = java.replace(theirs, ours)
    return re.compile(java)


def _check_length(member: Member, length: int, shown: str) -> None:
    if member.longest is not None and length > member.longest:
        rule = f"Member must have length less than or equal to {member.longest}"
        raise Violation(_worded(member, shown, rule))
    if member.shortest is not None and length < member.shortest:
        rule = f"Member must have length greater than or equal to {member.shortest}"
        raise Violation(_worded(member, shown, rule))


def _worded(member: Member, value: str, rule: str) -> str:
    name = member.name[0].lower() + member.name[1:]
    return f"1 validation error detected: Value '{value[:200]}' at '{name}' failed to satisfy constraint: {rule}"
