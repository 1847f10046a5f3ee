"""What was promised before anyone looked: criteria, margins, risks and the versions they hold for.

A policy is read from a POLICY.toml, or from the gate tables of a suite.toml. Every key is known or an error.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.core.shape import check
from harness.errors import ConfigError, PolicyError
from harness.gate.conditions import Conditions
from harness.gate.coverage import Demands, parse_coverage
from harness.gate.signers import Roles, parse_roles
from harness.gate.tables import CRITERION, GATE, KEYS_OF_KIND, schema
from harness.gate.waivers import Waiver, parse_waivers
from harness.stats.measure import CLIP, Kind, Measure

__all__ = ["SLICE_MARGIN", "SOURCE_LABEL", "Criterion", "Policy", "load_policy", "parse_policy", "schema"]

SLICE_MARGIN = 0.10
SOURCE_LABEL = "source_label"
UNNAMED_SLICE = "slice"  # the key of a row's slice that came as one bare text
SEVERE_SHARE = 0.02
SUITE_TABLES = ("suite", "pair", "reverse", "comparators", "endpoints", "prices", "source", "target")
DEFINING_TABLES = ("suite", "pair", "reverse", "comparators", "source", "target", "endpoints")
FOR_READERS = ("title", "strict")  # keys of [suite] that change neither what is asked nor how it is judged
GATE_TABLES = ("gate", "epoch", "criterion", "signoff", "waiver", "coverage")

_MARGINS = {Kind.SCORE: 0.03, Kind.FLIP: 0.005, Kind.EXCEED: 0.0, Kind.COST: 0.0}
ERROR_METRICS = ("error", "errors")
_ERROR_MARGIN = 0.01
_NEEDS_MARGIN = {Kind.LIMIT: "the share of calls that the contract allows", Kind.QUALITY: "the loss that was agreed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One promise about one metric. margin is in D, 0 where a ratio is the slack; of kind check it is the limit.

    severe: accepted share of badly broken cases, kind score only. slices: key -> values that gate as well.
    critical: a declared slice below its minimum blocks GO. advisory: reported, never votes.
    quantile, ratio, cap_usd, limit, limit_s, lower_limit, value_range, larger_is_better: see `stats.measure.Measure`;
    limit_s is the contractual latency in seconds from which a run makes its rows of 0 and 1.
    """

    name: str
    metric: str
    kind: Kind
    margin: float
    deterministic: bool = False
    severe: float | None = None
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    critical: bool = False
    advisory: bool = False
    quantile: float | None = None
    ratio: float | None = None
    cap_usd: float | None = None
    limit: float | None = None
    limit_s: float | None = None
    lower_limit: float | None = None
    value_range: tuple[float, float] = (0.0, 1.0)
    larger_is_better: bool = True

    @property
    def measure(self) -> Measure:
        """How rows of this criterion become D."""
        return Measure(
            kind=self.kind,
            deterministic=self.deterministic,
            ratio=self.ratio or 1.0,
            cap_usd=self.cap_usd or 1.0,
            limit=self.limit,
            lower_limit=self.lower_limit,
            value_range=self.value_range,
            larger_is_better=self.larger_is_better,
        )

    @property
    def slice_margin(self) -> float:
        """The margin of a declared slice: 0.10 of the range, and never narrower than the criterion's own."""
        return max(SLICE_MARGIN * (self.measure.width if self.kind is Kind.QUALITY else 1.0), self.margin)

    @property
    def severe_name(self) -> str:
        """What the finding on badly broken cases is called."""
        return f"{self.name} severe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All criteria in the order of the file. where: the file, for messages; it is no part of the hashes.

    mode: anytime | fixed. max_cluster: cases in the largest cluster; None: every cluster weighs the same in anytime
    mode. epoch: version strings of what is compared. signoff: who must sign a decision. waivers: known differences
    that someone answers for. coverage: what must have been replayed. None of these three opens an epoch: they change
    neither what is measured nor how it is tested. definition: hash of the suite's own tables, part of the epoch only;
    empty for a bare policy. conditions: under which the rows came about, part of the epoch only.
    """

    criteria: tuple[Criterion, ...]
    mode: str = "anytime"
    alpha_go: float = 0.05
    alpha_no_go: float = 0.05
    max_cluster: int | None = None
    epoch: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    signoff: Roles = field(default_factory=Roles)
    waivers: tuple[Waiver, ...] = ()
    coverage: Demands = field(default_factory=Demands)
    definition: str = ""
    conditions: Conditions = field(default_factory=Conditions)

    def under(self, conditions: Conditions) -> Policy:
        """The same promises, for rows that came about under these conditions."""
        return replace(self, conditions=conditions)

    @property
    def sha256(self) -> str:
        """Hash of what is promised, defaults filled in: layout and comments of the file do not matter."""
        return _digest(self.canonical())

    @property
    def epoch_id(self) -> str:
        """Names the evidence epoch: criteria, risks, versions, suite. Any change of them starts from no evidence."""
        canonical = self.canonical()
        del canonical["mode"]
        for beside in ("signoff", "waivers", "coverage"):
            canonical.pop(beside, None)
        if self.definition:
            canonical["definition"] = self.definition
        if conditions := self.conditions.canonical():
            canonical["conditions"] = conditions
        return _digest(canonical)[:16]

    def canonical(self) -> dict[str, Any]:
        """Everything that is promised, as plain JSON values."""
        content = asdict(self)
        del content["where"], content["definition"], content["conditions"]
        if not self.signoff.signers:
            del content["signoff"]
        content["waivers"] = [waiver.canonical() for waiver in self.waivers]
        content["coverage"] = self.coverage.canonical()
        for name in ("waivers", "coverage"):  # a table that says nothing leaves the hash as it was before it existed
            if not content[name]:
                del content[name]
        return content


def load_policy(path: Path) -> Policy:
    """Read a POLICY.toml or a suite.toml. Raises PolicyError saying what is wrong, where, and what to do."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as exc:
        raise PolicyError(f"{path}: no such file. Name a policy, or a suite.toml, with --policy.") from exc
    except OSError as exc:
        raise PolicyError(f"{path}: cannot be read ({exc.strerror}).") from exc
    except UnicodeDecodeError as exc:
        raise PolicyError(f"{path}: is not UTF-8 text (byte {exc.start}).") from exc
    except tomllib.TOMLDecodeError as exc:
        raise PolicyError(f"{path}: is not TOML: {exc}.") from exc
    return parse_policy(document, where=str(path))


def parse_policy(document: Mapping[str, Any], where: str) -> Policy:
    """A policy from parsed TOML; `where` names the file in messages. Raises PolicyError."""
    _check_tables(document, where)
    gate = _plain(_checked(document.get("gate", {}), GATE, f"{where}, [gate]"))
    epoch = document.get("epoch", {})
    if not isinstance(epoch, Mapping):
        raise PolicyError(f"{where}: [epoch] must be a table of version strings.")
    for key, value in epoch.items():
        if not isinstance(value, str | int | float):
            raise PolicyError(
                f'{where}, [epoch]: "{key}" must be a version in words, such as "{key} = \\"churn@14\\"".'
            )
    entries = document.get("criterion", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise PolicyError(f"{where}: criteria are written as [[criterion]] tables.")
    if not entries:
        raise PolicyError(f"{where}: no criterion. A policy needs at least one [[criterion]] to judge by.")
    criteria = tuple(_criterion(entry, f"{where}, criterion {at}") for at, entry in enumerate(entries, start=1))
    _check_unique(criteria, where)
    signoff = parse_roles(document["signoff"], f"{where}, [signoff]") if "signoff" in document else Roles()
    return Policy(
        criteria=criteria,
        epoch={key: str(value) for key, value in epoch.items()},
        where=where,
        signoff=signoff,
        waivers=parse_waivers(document.get("waiver", []), criteria, where),
        coverage=parse_coverage(document.get("coverage", {}), f"{where}, [coverage]"),
        definition=_definition(document),
        **gate,
    )


def _check_tables(document: Mapping[str, Any], where: str) -> None:
    """A suite's own tables are its loader's business; here only what looks like a misspelt gate table is refused."""
    in_suite = "suite" in document
    for name in document:
        if name in GATE_TABLES or (in_suite and name in SUITE_TABLES):
            continue
        if not in_suite or difflib.get_close_matches(name, GATE_TABLES, n=1):
            raise PolicyError(f'{where}: unknown table "{name}".\n{_known("tables", name, GATE_TABLES)}')


def _definition(document: Mapping[str, Any]) -> str:
    """Hash of what a suite asks, compares and talks to; empty without a suite. What is for readers only stays out."""
    suite = document.get("suite")
    if suite is None:
        return ""
    tables = {name: document[name] for name in DEFINING_TABLES if name in document}
    if isinstance(suite, Mapping):
        tables["suite"] = {key: value for key, value in suite.items() if key not in FOR_READERS}
    return _digest(tables)


def _criterion(entry: Mapping[str, Any], where: str) -> Criterion:
    _checked(entry, CRITERION, where)
    kind = Kind(entry["kind"])
    for key in entry:
        if key not in KEYS_OF_KIND[kind]:
            owners = ", ".join(owner.value for owner, keys in KEYS_OF_KIND.items() if key in keys)
            raise PolicyError(f'{where}: "{key}" belongs to kind {owners}, and this criterion is of kind {kind.value}.')
    values = _plain(entry)
    values.update(kind=kind, name=entry.get("name", entry["metric"]), slices=_slices(entry.get("slices", {}), where))
    if kind is Kind.SCORE:
        values.setdefault("severe", SEVERE_SHARE)
    if kind is Kind.QUALITY:
        values["value_range"] = _value_range(entry.get("value_range", (0.0, 1.0)), where)
    if kind is Kind.CHECK:
        values["limit"] = _check_limit(entry, where)
        values["margin"] = values["limit"] or 0.0
    else:
        values["margin"] = float(entry.get("margin", _default_margin(kind, entry["metric"])))
    criterion = Criterion(**values)
    _check_margin(criterion, where)
    return criterion


def _plain(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with every number a float, so that 1 and 1.0 have one hash; max_cluster stays a count."""
    return {
        key: float(value) if isinstance(value, int) and not isinstance(value, bool) and key != "max_cluster" else value
        for key, value in table.items()
    }


def _checked(table: Any, shape: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """The table, if its keys are known and each value has its shape."""
    if not isinstance(table, Mapping):
        raise PolicyError(f"{where} must be a table.")
    known = shape["properties"]
    for key, value in table.items():
        if key not in known:
            raise PolicyError(f'{where}: unknown key "{key}".\n{_known("keys", key, known)}')
        if key != "slices":
            try:
                check(value, known[key], place=where, key=key)
            except ConfigError as exc:
                raise PolicyError(str(exc)) from exc
    for key in shape.get("required", ()):
        if key not in table:
            words = f" It is one of {', '.join(known[key]['enum'])}." if "enum" in known[key] else ""
            raise PolicyError(f'{where}: key "{key}" is missing.{words}')
    return table


def _known(what: str, name: str, names: Iterable[str]) -> str:
    listed = sorted(names)
    near = difflib.get_close_matches(name, listed, n=1)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    return f"Known {what}: {', '.join(listed)}.{hint}"


def _slices(value: Any, where: str) -> dict[str, tuple[str, ...]]:
    """{ key = ["value", ...] }, or a bare list for rows whose slice is one text."""
    table = value if isinstance(value, Mapping) else {UNNAMED_SLICE: value}
    slices = {}
    for key, values in table.items():
        listed = [values] if isinstance(values, str) else values
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) and one for one in listed):
            raise PolicyError(f'{where}: slices are written {{ region = ["eu", "us"] }}; "{key}" has no list of texts.')
        slices[key] = tuple(dict.fromkeys(listed))
    return slices


def _value_range(value: Sequence[float], where: str) -> tuple[float, float]:
    if len(value) != 2 or not value[0] < value[1]:
        raise PolicyError(f'{where}: "value_range" must be [least, largest], such as [0, 1].')
    return float(value[0]), float(value[1])


def _check_limit(entry: Mapping[str, Any], where: str) -> float | None:
    """The largest value that passes; a lower limit alone leaves the upper end open. `margin` means the same here."""
    if "limit" in entry and "margin" in entry:
        raise PolicyError(f'{where}: a check has one upper limit; give "limit" or "margin", not both.')
    limit = entry.get("limit", entry.get("margin"))
    if limit is None:
        return None if "lower_limit" in entry else 0.0
    if entry.get("lower_limit", limit) > limit:
        raise PolicyError(f'{where}: "lower_limit" {entry["lower_limit"]} lies above "limit" {limit}: nothing passes.')
    return float(limit)


def _default_margin(kind: Kind, metric: str) -> float:
    if kind is Kind.FLIP and metric in ERROR_METRICS:
        return _ERROR_MARGIN
    return _MARGINS.get(kind, -1.0)


def _check_margin(criterion: Criterion, where: str) -> None:
    """A margin must leave something to rule out: more than nothing, and less than all that D can lose."""
    kind, margin = criterion.kind, criterion.margin
    if kind is Kind.CHECK:
        return
    if margin < 0:
        raise PolicyError(f'{where}: kind {kind.value} needs "margin", {_NEEDS_MARGIN[kind]}.')
    if kind is Kind.COST and (criterion.ratio is None or criterion.cap_usd is None):
        raise PolicyError(f'{where}: kind cost needs "ratio" (such as 1.1) and "cap_usd".')
    if margin == 0 and kind is Kind.EXCEED and criterion.quantile is None:
        raise PolicyError(
            f'{where}: margin 0 needs "quantile", the quantile of the source\'s latency that was frozen as threshold.'
        )
    if margin == 0 and kind not in (Kind.EXCEED, Kind.COST):
        raise PolicyError(f"{where}: margin 0 can never be shown to hold; name the loss that is accepted.")
    least = criterion.measure.bounds[0]
    if margin >= -least:
        clipped = f": D of a {kind.value} is clipped to {CLIP}" if kind is Kind.SCORE else ""
        raise PolicyError(f"{where}: margin {margin:g} must be less than {-least:g}, the worst there is{clipped}.")


def _check_unique(criteria: Sequence[Criterion], where: str) -> None:
    seen: dict[str, int] = {}
    for at, criterion in enumerate(criteria, start=1):
        names = [criterion.name, *([criterion.severe_name] if criterion.severe is not None else [])]
        for name in names:
            if name in seen:
                raise PolicyError(
                    f'{where}, criterion {at}: the name "{name}" is taken by criterion {seen[name]}. '
                    'Give each criterion a "name" of its own.'
                )
            seen[name] = at


def _digest(content: Any) -> str:
    # TOML's dates and times have no JSON form; as text they are as distinct.
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
