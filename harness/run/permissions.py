"""The documents that give a project's suites leave, and no more: policies of IAM, role definitions of Azure.

Statements that reach the same resources are one, and each says why. An IAM document over the limit becomes several.
Source: IAM user guide, "IAM JSON policy elements" and "IAM and AWS STS quotas" (6,144 characters a managed policy,
white space not counted); Azure RBAC documentation, "Azure custom roles" (form of `az role definition create`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.check import Grant

AWS_MOST = 6144
AZURE_NAME = "Parity harness"
_HOLDERS = {"": "parity-harness", "caller": "parity-harness-assume"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document. why: what each statement (by its Sid) or the whole is for. assign: commands, Azure's alone."""

    name: str
    content: Mapping[str, Any]
    why: Mapping[str, str]
    assign: tuple[str, ...] = ()
    builtin: str = ""


def aws_policies(grants: Iterable[tuple[str, Grant]]) -> list[Document]:
    """IAM policies: one for whoever calls, one for whoever assumes the roles that call; long ones in parts."""
    found: list[Document] = []
    for holder, name in _HOLDERS.items():
        statements = _statements(one for one in grants if one[1].cloud == "aws" and one[1].holder == holder)
        parts = _parts(list(statements))
        for number, part in enumerate(parts, 1):
            found.append(
                Document(
                    name=name if len(parts) == 1 else f"{name}-{number}",
                    content={"Version": "2012-10-17", "Statement": [statement for statement, _ in part]},
                    why={statement["Sid"]: why for statement, why in part},
                )
            )
    return found


def as_json(document: Document) -> dict[str, Any]:
    """name, document, why; for Azure the commands that assign it and the built-in role that would do too."""
    more = {"assign": list(document.assign), "builtin": document.builtin} if document.assign else {}
    return {"name": document.name, "document": dict(document.content), "why": dict(document.why), **more}


def as_text(cloud: str, document: Document) -> str:
    """The document as people read it, with what it is for above it in lines that begin with #."""
    lines = [f"# {'IAM policy' if cloud == 'aws' else 'Azure role'} {document.name}"]
    lines += [f"# {sid}: {why}" if sid else f"# {why}" for sid, why in document.why.items()]
    if document.builtin:
        lines.append(f"# instead, and wider: the built-in role {document.builtin}")
    lines.append(json.dumps(document.content, indent=2))
    if document.assign:
        lines += ["# az role definition create --role-definition FILE", *(f"# {one}" for one in document.assign)]
    return "\n".join([*lines, ""])


def size(document: Mapping[str, Any]) -> int:
    """Characters as IAM counts them."""
    return len(re.sub(r"\s", "", json.dumps(document, separators=(",", ":"))))


def _statements(grants: Iterable[tuple[str, Grant]]) -> Iterable[tuple[dict[str, Any], str]]:
    """One statement for all actions of equal resources and conditions, in order of appearance."""
    found: dict[tuple[Any, ...], tuple[list[str], dict[str, list[str]]]] = {}
    for whose, grant in grants:
        actions, whys = found.setdefault((grant.resources, grant.conditions), ([], {}))
        actions += [one for one in grant.actions if one not in actions]
        suites = whys.setdefault(grant.why, [])
        suites += [whose] if whose not in suites else []
    for number, ((resources, conditions), (actions, whys)) in enumerate(found.items(), 1):
        statement: dict[str, Any] = {
            "Sid": f"Parity{number}",
            "Effect": "Allow",
            "Action": sorted(actions),
            "Resource": list(resources),
        }
        if conditions:
            statement["Condition"] = {"StringEquals": dict(conditions)}
        yield statement, "; ".join(f"{why} ({', '.join(suites)})" for why, suites in whys.items())


def _parts(statements: list[tuple[dict[str, Any], str]]) -> list[list[tuple[dict[str, Any], str]]]:
    """In as few documents as hold them in order; a statement that fills one alone is split by its resources."""
    parts: list[list[tuple[dict[str, Any], str]]] = []
    waiting = statements[::-1]
    while waiting:
        statement, why = waiting.pop()
        if _fits([statement]):
            if parts and _fits([*(one for one, _ in parts[-1]), statement]):
                parts[-1].append((statement, why))
            else:
                parts.append([(statement, why)])
            continue
        resources = statement["Resource"]
        half = len(resources) // 2
        for letter, some in (("b", resources[half:]), ("a", resources[:half])):
            waiting.append(({**statement, "Sid": statement["Sid"] + letter, "Resource": some}, why))
    return parts


def _fits(statements: list[dict[str, Any]]) -> bool:
    return size({"Version": "2012-10-17", "Statement": statements}) <= AWS_MOST


def azure_roles(grants: Iterable[tuple[str, Grant]]) -> list[Document]:
    """Custom roles, one for all scopes that need the same actions, with the commands that assign them."""
    scopes: dict[str, tuple[list[str], list[str], list[str], list[str]]] = {}
    for whose, grant in grants:
        if grant.cloud != "azure":
            continue
        for scope in grant.resources:
            actions, data, whys, builtins = scopes.setdefault(scope, ([], [], [], []))
            _add(actions, grant.actions)
            _add(data, grant.data_actions)
            _add(whys, [f"{grant.why} ({whose})"])
            _add(builtins, [grant.builtin] if grant.builtin else [])
    roles: dict[tuple[Any, ...], list[str]] = {}
    for scope, (actions, data, _, builtins) in scopes.items():
        roles.setdefault((tuple(sorted(actions)), tuple(sorted(data)), tuple(builtins)), []).append(scope)
    found = []
    for number, ((actions, data, builtins), places) in enumerate(roles.items(), 1):
        name = AZURE_NAME if len(roles) == 1 else f"{AZURE_NAME} {number}"
        whys = list(dict.fromkeys(why for place in places for why in scopes[place][2]))
        found.append(
            Document(
                name=name,
                content={
                    "Name": name,
                    "IsCustom": True,
                    "Description": "Replays of recorded requests and the checks before them.",
                    "Actions": list(actions),
                    "NotActions": [],
                    "DataActions": list(data),
                    "NotDataActions": [],
                    "AssignableScopes": sorted({place.partition("/providers/")[0] for place in places}),
                },
                why={"": "; ".join(whys)},
                assign=tuple(
                    f'az role assignment create --assignee PRINCIPAL --role "{name}" --scope {place}'
                    for place in places
                ),
                builtin=", ".join(builtins),
            )
        )
    return found


def _add(to: list[str], new: Iterable[str]) -> None:
    to += [one for one in new if one not in to]
