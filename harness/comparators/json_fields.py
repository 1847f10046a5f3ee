"""Structured answers field by field: what is missing, extra, of another type, value or order.

Reads the JSON of a chat answer (its parsed value, else its text) or a document. Rules by path say what may differ; see
`_json/rules`. The validity of each side is told: a target that is no JSON, or breaks the schema that the source keeps,
is a mismatch whatever its fields say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.comparators import not_of, word
from harness.comparators._conduct import comparison, scale, unanswered
from harness.comparators._json.forms import parse_forms
from harness.comparators._json.read import Broken, read
from harness.comparators._json.rules import parse_paths, parse_rules, told, written
from harness.comparators._json.walk import EXTRA, Walk, short
from harness.core.case import Case, Json, Task
from harness.core.chat import Conversation
from harness.core.output import Chat, Document, Output
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError

# Differences named in one reason; the rest are counted.
NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonFields:
    """scale `flip`: 1 where any field differs. scale `score`: the share of fields equal, of those that either side has;
    0 where the target is no JSON or breaks a schema that the source keeps.

    schema: a JSON Schema; "request": the one that the case's own request asks the answer to keep; None: not checked.
    """

    walk: Walk
    scale: str
    fenced: bool = False
    schema: Mapping[str, Any] | Literal["request"] | None = None
    name: str = field(default="json_fields")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return (self.scale,)

    def signature(self) -> str:
        parts = [self.name, f"as:{self.scale}"]
        parts += [f"canonical:{'+'.join(self.walk.forms)}"] if self.walk.forms else []
        parts += [f"only:{','.join(word(written(path)) for path in self.walk.only)}"] if self.walk.only else []
        parts += [str(self.walk.rules)] if self.walk.rules.rules else []
        parts += ["fenced"] if self.fenced else []
        if self.schema is not None:
            parts.append(
                f"schema:{self.schema if isinstance(self.schema, str) else word(short(dict(self.schema), 400))}"
            )
        return "|".join(parts)

    def check(self, case: Case) -> None:
        """Before the first call: a case without the schema that its answer is to be held against raises ConfigError."""
        if self.schema == "request" and _requested(case) is None:
            raise ConfigError(
                f'{self.name}: schema is "request", and the request of case {case.id} asks for no schema: give one, or '
                "choose comparators by_slice."
            )

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        settled = self._sides(source, target)
        if isinstance(settled[0], Status):
            return comparison(self, self.scale, case, *settled)
        was, now = settled
        if broken := self._schema_broken(was, now, case):
            return comparison(self, self.scale, case, *broken)
        return self._judge(was, now, case)

    def _judge(self, was: Json, now: Json, case: Case) -> Comparison:
        found = self.walk.differences(was, now)
        fields = self.walk.fields(was) + sum(one.weight for one in found if one.kind == EXTRA)
        if self.walk.only and not fields:
            paths = ", ".join(written(path) for path in self.walk.only)
            return comparison(self, self.scale, case, Status.INCOMPARABLE, f"neither side has any of {paths}")
        if not found:
            return comparison(self, self.scale, case, Status.MATCH)
        more = f"; {len(found) - NAMED} more differences" if len(found) > NAMED else ""
        reason = "; ".join(str(one) for one in found[:NAMED]) + more
        # A field of the source that turned into a larger object weighs more than one: never below 0.
        equal = max(0.0, 1.0 - sum(one.weight for one in found) / max(fields, 1))
        return comparison(self, self.scale, case, Status.MISMATCH, reason, score=equal)

    def _schema_broken(self, was: Json, now: Json, case: Case) -> tuple[Status, str] | None:
        """Mismatch where the target alone breaks the schema; incomparable where there is none to hold it against."""
        schema = _requested(case) if self.schema == "request" else self.schema
        if schema is None:
            return None if self.schema is None else (Status.INCOMPARABLE, "the request asks for no schema")
        try:
            broken = _broken(schema, now)
            if broken and not _broken(schema, was):
                return Status.MISMATCH, f"the target breaks the schema, the source keeps it: {broken}"
        except ValueError as exc:
            return Status.INCOMPARABLE, f"the schema cannot be applied: {exc}"
        return None

    def places(self, source: Output, target: Output) -> frozenset[str] | None:
        """The paths that differ, elements folded to `[]`, for rates over many cases; None where a side has no JSON."""
        settled = self._sides(source, target)
        if isinstance(settled[0], Status):
            return None
        return frozenset(told(one.path, folded=True) for one in self.walk.differences(*settled))

    def _sides(self, source: Output, target: Output) -> tuple[Any, Any]:
        """Both values; or a status and its reason, where there are no two values."""
        wanted = "chat or document"
        if not isinstance(source, Chat | Document):
            return Status.INCOMPARABLE, not_of(wanted, "source", source)
        if not isinstance(target, Chat | Document):
            return Status.MISMATCH, not_of(wanted, "target", target)
        if isinstance(source, Chat) and isinstance(target, Chat) and (settled := unanswered(source, target)):
            return settled
        was, now = read(source, fenced=self.fenced), read(target, fenced=self.fenced)
        if isinstance(was, Broken):
            return Status.INCOMPARABLE, f"the source's answer is not JSON: {was.why}"
        if isinstance(now, Broken):
            return Status.MISMATCH, f"the target's answer is not JSON: {now.why}"
        return was, now


def build(
    *,
    rules: Mapping[str, Mapping[str, object]] | None = None,
    canonical: Sequence[str] = (),
    only: Sequence[str] = (),
    schema: Mapping[str, Any] | str | None = None,
    fenced: bool = False,
    **options: str,
) -> JsonFields:
    """`[comparators.NAME] use = "json_fields"`.

    as: `flip` (default) or `score`. rules: {path: {ignore, optional, rtol, atol, array, key, pattern, canonical}}.
    canonical: forms that count as equal everywhere (number, date, whitespace, case). only: paths that are compared.
    schema: a JSON Schema, or "request". fenced: JSON inside one Markdown fence is read.
    Raises ConfigError and UnknownName for what is none of these.
    """
    where = "json_fields"
    if not isinstance(fenced, bool):
        raise ConfigError(f"{where}: fenced must be true or false, not {fenced!r}.")
    chosen = options.pop("as", "flip")
    if options:
        raise TypeError(f"unknown option {next(iter(options))!r}")
    walk = Walk(
        rules=parse_rules(where, {} if rules is None else rules),
        forms=parse_forms(where, canonical),
        only=parse_paths(where, "only", only),
    )
    return JsonFields(walk=walk, scale=scale(where, chosen), fenced=fenced, schema=_schema(where, schema))


def _schema(where: str, schema: object) -> Mapping[str, Any] | Literal["request"] | None:
    if schema is None or schema == "request":
        return schema
    if not isinstance(schema, Mapping):
        raise ConfigError(f'{where}: schema must be a JSON Schema or "request", not {schema!r}.')
    from jsonschema import SchemaError, validators

    try:
        validators.validator_for(schema, default=validators.Draft202012Validator).check_schema(dict(schema))
    except SchemaError as exc:
        raise ConfigError(f"{where}: schema is no JSON Schema: {exc.message}.") from exc
    return schema


def _requested(case: Case) -> Mapping[str, Any] | None:
    """The schema that a request asks its answer to keep."""
    payload = case.request.payload
    if case.request.task is not Task.CHAT or not isinstance(payload, dict) or "messages" not in payload:
        return None
    wanted = Conversation.of(case.request).format
    return None if wanted is None else wanted.schema


def _broken(schema: Mapping[str, Any], value: Json) -> str:
    """The first violation in words, "" where there is none. References are looked up in the schema alone.

    Raises ValueError where the schema is none.
    """
    from jsonschema import validators
    from jsonschema.exceptions import SchemaError, UnknownType, best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = validators.validator_for(schema, default=validators.Draft202012Validator)
    try:
        error = best_match(kind(schema, registry=Registry()).iter_errors(value))
    except (SchemaError, Unresolvable, RecursionError, UnknownType) as exc:
        raise ValueError(f"{type(exc).__name__}: {str(exc)[:160]}") from exc
    return "" if error is None else f"{error.json_path}: {error.message[:160]}"
