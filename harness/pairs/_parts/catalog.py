"""The tables of `_models/`: what each form of an API has a place for, what each model refuses, which follows which.

The tables are data with a source and a date; a suite adds to them and overrides them by a file of its own.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from harness.core.case import Json
from harness.core.chat import FIELDS
from harness.errors import ConfigError, UnknownName

SERVICES = ("bedrock", "azure_openai", "foundry")

# What a table of a family may say; the words are explained at the head of _models/bedrock.toml.
_KEYS = {
    *("like", "abstract", "task", "provider", "ids", "apis", "body", "clouds", "input_tokens", "output_tokens"),
    *("defaults", "not_both", "thinking_refuses", "efforts", "reasons", "retires", "unverified", "accepts"),
    *("source", "read"),
}
_OWN = {"like", "abstract", "ids"}  # not taken over from the family that another is like

_ARN = re.compile(r"^arn:aws[a-z-]*:[a-z]+:[a-z0-9-]*:\d*:[a-z-]+/(?P<name>.+)$")
# Cross-region inference profiles: Bedrock user guide, "Supported Regions and models for inference profiles".
_PROFILE = re.compile(r"^(?:us-gov|us|eu|apac|global|jp|au|ca|in|sa|me)\.(?=[a-z0-9-]+\.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One form of a service's API. name: its word in [pair] api; body: which of InvokeModel's bodies, else None.

    The other fields are explained at the head of _models/apis.toml.
    """

    service: str
    name: str
    body: str | None
    accepts: Mapping[str, Any]
    words: str
    needs: tuple[str, ...] = ()
    alternate: bool = False
    prompt: bool = False
    texts_per_call: int | None = None
    strict_by_default: bool = False
    source: str = ""

    @property
    def title(self) -> str:
        """As reasons name it."""
        return f"{self.service} {self.name}" + (f" ({self.body})" if self.body else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models that take the same requests; the fields are explained at the head of _models/bedrock.toml.

    retires: None where no date is known. unverified: what needs a live account to be sure of.
    """

    service: str
    name: str
    task: str
    provider: str
    ids: tuple[str, ...]
    apis: tuple[str, ...]
    clouds: tuple[str, ...]
    body: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    accepts: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Json] = field(default_factory=dict)
    not_both: tuple[tuple[str, str], ...] = ()
    thinking_refuses: tuple[str, ...] = ()
    efforts: tuple[str, ...] = ()
    reasons: str = "off"
    retires: date | None = None
    unverified: tuple[str, ...] = ()
    source: str = ""

    @property
    def call_name(self) -> str:
        """What is called where a suite names no deployment: the first id."""
        return self.ids[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Which family takes over, by target service, and what to know about it."""

    targets: Mapping[str, str]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that is known about models. where: what messages call it."""

    families: Mapping[str, Mapping[str, Family]]
    moves: Mapping[str, Mapping[str, Move]]
    apis: tuple[Api, ...]
    where: str = "the table of models"

    def family(self, service: str, model: str) -> Family:
        """The family of a model by its name in the tables, its id, ARN, inference profile or version.

        Raises UnknownName naming the nearest.
        """
        families = self.families[service]
        if model in families:
            return families[model]
        plain = plain_id(model).lower()
        found = max(
            ((len(one), family) for family in families.values() for one in family.ids if plain.startswith(one.lower())),
            key=lambda pair: pair[0],
            default=None,
        )
        if found is None:
            known = [*families, *(one for family in families.values() for one in family.ids)]
            raise UnknownName(self.where, f"model of {service}", model, known)
        return found[1]

    def follows(self, family: Family, target: str) -> Family:
        """Which family of the target service takes over. Raises ConfigError where the map has none."""
        move = self.moves.get(family.service, {}).get(family.name)
        name = move.targets.get(target) if move is not None else None
        if name is None:
            raise ConfigError(
                f'{self.where}: no model of {target} is set to follow "{family.name}"; name one: [pair] target_model.'
            )
        return self.families[target][name]

    def api(self, family: Family, name: str | None) -> Api:
        """The form of the API that serves a family: the one asked for, or the family's first.

        Raises UnknownName for one that does not serve it.
        """
        if name is not None and name not in family.apis:
            raise UnknownName(f'{self.where}: model "{family.name}"', "api", name, family.apis)
        wanted = name or family.apis[0]
        body = family.body if wanted == "invoke" else None
        return next(one for one in self.apis if (one.service, one.name, one.body) == (family.service, wanted, body))


def plain_id(model: str) -> str:
    """A model's id without ARN and without the prefix of a cross-region profile."""
    matched = _ARN.match(model)
    return _PROFILE.sub("", matched["name"] if matched else model)


@functools.cache
def shipped() -> Catalog:
    """The tables of the package."""
    folder = resources.files("harness.pairs") / "_models"
    tables = {
        name: tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in (*SERVICES, "moves", "apis")
    }
    families = {service: dict(_families(tables[service], service, {}, f"{service}.toml")) for service in SERVICES}
    return Catalog(families=families, moves=_moves(tables["moves"], families, "moves.toml"), apis=_apis(tables["apis"]))


def with_file(path: Path) -> Catalog:
    """The shipped tables, and a suite's own on top: tables [SERVICE.NAME] with the keys of a family or of a move.

    Raises ConfigError and UnknownName naming the file and what is wrong in it.
    """
    base = shipped()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror}); [pair] models names it.") from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"{path}: is not TOML: {exc}.") from exc
    families = {service: dict(known) for service, known in base.families.items()}
    moves: dict[str, dict[str, Any]] = {}
    for service, tables in content.items():
        if service not in SERVICES:
            raise UnknownName(str(path), "service", service, SERVICES)
        own: dict[str, Any] = {}
        for name, table in tables.items():
            move = {key: value for key, value in table.items() if key in SERVICES or key == "note"}
            rest = {key: value for key, value in table.items() if key not in move}
            if move:
                moves.setdefault(service, {})[name] = move
            if rest:
                own[name] = rest if "like" in rest else {"like": name, **rest}
        families[service].update(_families(own, service, base.families[service], str(path)))
    merged = {service: dict(base.moves.get(service, {})) for service in SERVICES}
    for service, known in _moves(moves, families, str(path)).items():
        for name, move in known.items():
            before = merged[service].get(name, Move(targets={}))
            merged[service][name] = Move(targets={**before.targets, **move.targets}, note=move.note or before.note)
    return Catalog(families=families, moves=merged, apis=base.apis, where=str(path))


def _families(
    tables: Mapping[str, Any], service: str, base: Mapping[str, Family], where: str
) -> Iterator[tuple[str, Family]]:
    head = {"source": tables.get("source", where), "read": tables.get("read", "with the suite")}
    raw = {name: table for name, table in tables.items() if isinstance(table, dict)}
    for name, table in raw.items():
        for key in table:
            if key not in _KEYS:
                raise UnknownName(f"{where}, [{name}]", "key", key, _KEYS)
        for key in table.get("accepts", {}):
            if key not in FIELDS:
                raise UnknownName(f"{where}, [{name}.accepts]", "field", key, FIELDS)
    for name in raw:
        whole = _whole(name, raw, base, where, service)
        if whole.get("abstract"):
            continue
        retires = whole.get("retires")
        try:
            yield (
                name,
                Family(
                    service=service,
                    name=name,
                    task=whole["task"],
                    provider=whole.get("provider", "unknown"),
                    ids=tuple(whole.get("ids", (name,))),
                    apis=tuple(whole["apis"]),
                    clouds=tuple(whole["clouds"]),
                    body=whole.get("body"),
                    input_tokens=whole.get("input_tokens"),
                    output_tokens=whole.get("output_tokens"),
                    accepts=whole.get("accepts", {}),
                    defaults=whole.get("defaults", {}),
                    not_both=tuple((first, second) for first, second in whole.get("not_both", ())),
                    thinking_refuses=tuple(whole.get("thinking_refuses", ())),
                    efforts=tuple(whole.get("efforts", ())),
                    reasons=whole.get("reasons", "off"),
                    retires=retires if isinstance(retires, date) else None,
                    unverified=tuple(whole.get("unverified", ())),
                    source=whole.get("source") or f"{head['source']}; read {head['read']}",
                ),
            )
        except KeyError as exc:
            raise ConfigError(f"{where}, [{name}]: key {exc} is missing, here and in what it is like.") from exc


def _whole(
    name: str,
    raw: Mapping[str, Any],
    base: Mapping[str, Family],
    where: str,
    service: str,
    inside: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A family's table with what it takes over from the one it is like."""
    if name not in raw or name in inside:
        if name in base:
            return {key: getattr(base[name], key) for key in _KEYS & set(Family.__dataclass_fields__)}
        raise UnknownName(where, f"model of {service} to be like", name, [*raw, *base])
    own = raw[name]
    if "like" not in own:
        return dict(own)
    above = _whole(own["like"], raw, base, where, service, (*inside, name))
    accepts = {**above.get("accepts", {}), **own.get("accepts", {})}
    taken = {key: value for key, value in above.items() if key not in _OWN or (key == "ids" and own["like"] == name)}
    return {**taken, **own, "accepts": accepts}


def _moves(tables: Mapping[str, Any], families: Mapping[str, Mapping[str, Family]], where: str) -> dict[str, Any]:
    moves: dict[str, dict[str, Move]] = {}
    for service, own in tables.items():
        for name, table in own.items():
            if name not in families[service]:
                raise UnknownName(where, f"model of {service}", name, families[service])
            targets = {target: follower for target, follower in table.items() if target != "note"}
            for target, follower in targets.items():
                if target not in SERVICES:
                    raise UnknownName(f"{where}, [{service}.{name}]", "service", target, SERVICES)
                if follower not in families[target]:
                    raise UnknownName(f"{where}, [{service}.{name}]", f"model of {target}", follower, families[target])
            moves.setdefault(service, {})[name] = Move(targets=targets, note=table.get("note"))
    return moves


def _apis(tables: Mapping[str, Any]) -> tuple[Api, ...]:
    found = []
    for service, forms in tables.items():
        for name, form in forms.items():
            bodies = form.items() if name == "invoke" else ((None, form),)
            for body, table in bodies:
                for key in table["accepts"]:
                    if key not in FIELDS:
                        raise UnknownName(f"apis.toml, [{service}.{name}]", "field", key, FIELDS)
                found.append(
                    Api(
                        service=service,
                        name=name,
                        body=body,
                        accepts=table["accepts"],
                        words=table["words"],
                        needs=tuple(table.get("needs", ())),
                        alternate=table.get("roles") == "alternate" or table.get("prompt", False),
                        prompt=table.get("prompt", False),
                        texts_per_call=table.get("texts_per_call"),
                        strict_by_default=table.get("strict_by_default", False),
                        source=table["source"],
                    )
                )
    return tuple(found)
