"""`cutover.toml`: what must hold before the traffic of a whole migration may move.

It names the estate, the suites whose evidence is asked for, and who signs. It is read by `parity gate --policy` and by
`parity cutover`; the tables `[switches.NAME]` are the latter's alone (`cutover_switches`). Unknown keys are errors with
the nearest known one, and whatever looks like a secret is refused.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from harness.core.secrets import refuse_secrets
from harness.core.shape import check
from harness.errors import ConfigError, PolicyError
from harness.gate.canonical import canonical_json
from harness.gate.cutover_switches import SWITCHES
from harness.gate.signers import Roles, parse_roles

SCHEMA = "cutover/1"
MAX_AGE_DAYS = 14.0
ERRORS, LATENCY, COST = "errors", "latency", "cost"
CRITERIA = (ERRORS, LATENCY, COST)  # what every suite must hold the target to, besides its answers
REHEARSAL, SELFTEST, VERSION, UPGRADES, RETIREMENT = "rehearsal", "self-test", "version", "upgrades", "retirement"
PROFILE = "profile"
# What a named person may answer for until a date. Evidence, freshness, a GO and signatures are not among them.
WAIVABLE = (*CRITERIA, PROFILE, REHEARSAL, SELFTEST, VERSION, UPGRADES, RETIREMENT)

_DAY = r"^\d{4}-\d\d-\d\d$"


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, **more}


def _list(description: str, words: Sequence[str]) -> dict[str, Any]:
    return {"type": "array", "items": {"enum": list(words)}, "description": description}


def _table(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


_CUTOVER = _table(
    ("title", "estate", "retires_after"),
    title=_text("What is migrated, in words."),
    estate=_text("The estate file that `parity inventory` writes, from this file's folder."),
    profile=_text("Profile whose evidence counts; without it, default_profile of parity.toml."),
    max_age_days={
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 3650,
        "default": MAX_AGE_DAYS,
        "description": "Oldest evidence that counts, the estate and rehearsals included.",
    },
    rehearsal={"type": "boolean", "default": True, "description": "The way back must have been rehearsed."},
    selftest={"type": "boolean", "default": True, "description": "`parity selftest` must have passed on the evidence."},
    criteria=_list("Kinds of criterion that every suite must have and meet; default: all of them.", CRITERIA),
    retires_after=_text("a day such as 2027-06-30; the target's models must retire later", pattern=_DAY),
)
_REQUIRE = _table(
    ("suite",),
    suite=_text("Folder of suites/."),
    profile=_text("Profile whose evidence counts; default: that of [cutover]."),
    reverse={"type": "boolean", "description": "The way back must have been rehearsed; default: that of [cutover]."},
    criteria=_list("In place of those of [cutover].", CRITERIA),
)
_WAIVER = _table(
    ("requirement", "owner", "reason", "expires"),
    requirement={"enum": list(WAIVABLE), "description": "What is waived."},
    suite=_text("Suite it is waived for; without it, for all."),
    owner=_text("Who answers for it."),
    reason=_text("Why it is accepted."),
    expires=_text("a day such as 2026-12-31, the last one (UTC) on which it counts", pattern=_DAY),
)
SHAPE: dict[str, Any] = {
    **_table(
        ("schema", "cutover", "require"),
        schema={"enum": [SCHEMA], "description": "Version of this file's shape."},
        cutover=_CUTOVER,
        require={"type": "array", "minItems": 1, "items": _REQUIRE, "description": "A table a suite that must hold."},
        signoff={"type": "object", "description": "Who must sign, as in a suite: required, and ROLE = [{ ... }]."},
        waiver={"type": "array", "items": _WAIVER, "description": "A requirement that someone answers for."},
        switches=SWITCHES,
    ),
    "title": "cutover.toml: what must hold before traffic moves",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """One suite whose evidence is asked for. profile: None: the project's default one."""

    suite: str
    profile: str | None
    rehearsal: bool
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementWaiver:
    """A requirement that a named person answers for until a day (UTC). suite: None: of every suite."""

    requirement: str
    owner: str
    reason: str
    expires: date
    suite: str | None = None

    def in_force(self, at: datetime) -> bool:
        """at: with a time zone."""
        return at.astimezone(UTC).date() <= self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoverPolicy:
    """A cutover.toml. path: the file. estate: where the estate file lies. switches: for `parity cutover`, unread here.

    retires_after: models of the target must retire later than this day.
    """

    path: Path
    title: str
    estate: Path
    retires_after: date
    require: tuple[Required, ...]
    max_age_days: float = MAX_AGE_DAYS
    selftest: bool = True
    signoff: Roles = field(default_factory=Roles)
    waivers: tuple[RequirementWaiver, ...] = ()
    switches: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the file is called, without its ending."""
        return self.path.stem

    @property
    def folder(self) -> Path:
        """Where sign-offs of this migration lie: a folder of the file's own name beside it."""
        return self.path.with_suffix("")

    @property
    def sha256(self) -> str:
        """Hash of what is asked, defaults filled in. Where the file lies, layout, comments and switches do not matter:
        moving traffic changes nothing of what must hold."""
        content = asdict(self)
        for key in ("path", "estate", "switches"):
            del content[key]
        content["retires_after"] = self.retires_after.isoformat()
        content["waivers"] = [{**asdict(one), "expires": one.expires.isoformat()} for one in self.waivers]
        return hashlib.sha256(canonical_json(content)).hexdigest()

    def waiver(self, requirement: str, suite: str, at: datetime) -> RequirementWaiver | None:
        """The waiver in force for this requirement of this suite."""
        for one in self.waivers:
            if one.requirement == requirement and one.suite in (None, suite) and one.in_force(at):
                return one
        return None


def load_cutover(path: Path) -> CutoverPolicy:
    """Read a cutover.toml. Raises PolicyError or UnknownName saying what is wrong, where, and what to do."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise PolicyError(f"{path}: cannot be read ({exc.strerror}). Name a cutover.toml with --policy.") from exc
    except UnicodeDecodeError as exc:
        raise PolicyError(f"{path}: is not UTF-8 text (byte {exc.start}).") from exc
    except tomllib.TOMLDecodeError as exc:
        raise PolicyError(f"{path}: is not TOML: {exc}.") from exc
    return parse_cutover(document, path)


def parse_cutover(document: Mapping[str, Any], path: Path) -> CutoverPolicy:
    """The policy from parsed TOML. Raises as `load_cutover` does."""
    where = str(path)
    plain = _plain(document)
    # Public keys are long base64 texts and no secrets; a private one has a form of its own, which is refused anywhere.
    refuse_secrets({key: value for key, value in plain.items() if key != "signoff"}, place=where)
    refuse_secrets(plain.get("signoff", {}), place=f"{where}, [signoff]", names_only=False)
    try:
        check(plain, SHAPE, place=where)
    except ConfigError as exc:
        raise PolicyError(str(exc)) from exc
    head = plain["cutover"]
    required = tuple(_required(table, head) for table in plain["require"])
    asked = [(one.suite, one.profile) for one in required]
    for at, one in enumerate(asked, start=1):
        if one in asked[: at - 1]:
            raise PolicyError(f'{where}, require {at}: suite "{one[0]}" is required twice; one table a suite.')
    signoff = parse_roles(plain["signoff"], f"{where}, [signoff]") if "signoff" in plain else Roles()
    return CutoverPolicy(
        path=path,
        title=head["title"],
        estate=path.parent / head["estate"],
        retires_after=_day(head["retires_after"], f"{where}, [cutover]", "retires_after"),
        require=required,
        max_age_days=float(head.get("max_age_days", MAX_AGE_DAYS)),
        selftest=head.get("selftest", True),
        signoff=signoff,
        waivers=tuple(_waiver(table, asked, f"{where}, waiver {at}") for at, table in _numbered(plain, "waiver")),
        switches=plain.get("switches", {}),
    )


def _required(table: Mapping[str, Any], head: Mapping[str, Any]) -> Required:
    return Required(
        suite=table["suite"],
        profile=table.get("profile", head.get("profile")),
        rehearsal=table.get("reverse", head.get("rehearsal", True)),
        criteria=tuple(dict.fromkeys(table.get("criteria", head.get("criteria", CRITERIA)))),
    )


def _waiver(table: Mapping[str, Any], asked: Sequence[tuple[str, str | None]], where: str) -> RequirementWaiver:
    suite = table.get("suite")
    if suite is not None and suite not in {name for name, _ in asked}:
        raise PolicyError(f'{where}: suite "{suite}" is not required, so there is nothing to waive.')
    for key in ("owner", "reason"):
        if not table[key].strip():
            raise PolicyError(f'{where}: "{key}" must not be empty.')
    return RequirementWaiver(**{**table, "expires": _day(table["expires"], where, "expires")})


def _numbered(document: Mapping[str, Any], name: str) -> list[tuple[int, Mapping[str, Any]]]:
    return list(enumerate(document.get(name, ()), start=1))


def _day(text: str, where: str, key: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise PolicyError(f'{where}: "{key}" {text} is no day of the calendar.') from exc


def _plain(value: Any) -> Any:
    """TOML's days as texts, as JSON Schema knows them; a day may be written with or without quotes."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value
