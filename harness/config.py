"""Profiles and suite files: what is promised, where it runs, and the *names* of credentials.

A project has one `parity.toml` (profiles) above its `suites/` folder, and one `suite.toml` a suite. Unknown keys are
errors that name the nearest known one. No value here is a secret.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.call import Mode, Side
from harness.core.case import Json
from harness.core.report import Payloads
from harness.core.secrets import refuse_secrets
from harness.core.shape import Shape, check, nested
from harness.errors import ConfigError, UnknownName
from harness.prices import Price as Price
from harness.prices import prices
from harness.shapes import AWS_CLOUDS, AWS_SIDE, AZURE_CLOUDS, AZURE_SIDE, PROJECT, SUITE

PROJECT_FILE = "parity.toml"
SUITE_FILE = "suite.toml"
REPORTS = "reports"
STORE = r"(s3|abfss?|az)://"  # how the URL of a store begins
GATE_TABLES = ("gate", "epoch", "criterion", "signoff", "waiver", "coverage")  # read from the same file by gate.policy
_ALONE = {
    Side.SOURCE: "--mode golden takes the source's answers from the golden set.",
    Side.TARGET: "parity record keeps the source's answers for a machine that reaches the target.",
}
_OPTIONAL = (
    "request_builder",
    "strict",
    "deterministic_source",
    "slices_by",
    "seed",
    "calibration",
)  # fields of Suite by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How calls leave the building. Verification of certificates cannot be switched off."""

    proxy: str | None = None
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSettings:
    """One side of one profile, for one suite: all that a service is built from.

    cloud: aws | aws-fips | aws-us-gov | aws-us-gov-fips | azure | azure-us-gov; sets every host, scope and authority.
    credential: AWS: None (boto3's chain). Azure: default | managed_identity | workload_identity | cli.
    resource: Azure OpenAI or Foundry resource. api_key_env: environment variable that holds its key; None: Entra.
    private: whether its hosts should have private addresses; None: not said.
    lab: addresses of the embedded lab, by service name and "resource_manager"; empty outside the lab. It may carry the
    lab's throw-away credentials too, so it is not printed.
    timeout_s: what a call will be given; clients are prepared for it before the first one.
    """

    side: Side
    cloud: str
    endpoint: str
    region: str | None = None
    aws_profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    credential: str | None = None
    client_id: str | None = None
    tenant_id: str | None = None
    subscription_id: str | None = None
    resource_group: str | None = None
    workspace: str | None = None
    resource: str | None = None
    api_key_env: str | None = None
    private: bool | None = None
    network: Network = field(default_factory=Network)
    lab: Mapping[str, str] = field(default_factory=dict, repr=False)
    connections: int = 8
    timeout_s: float = 70.0

    @classmethod
    def nowhere(cls, side: Side) -> SideSettings:
        """A side that is not called, whose codec is needed all the same: it names no cloud and no endpoint."""
        return cls(side=side, cloud="", endpoint="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may spend. None: no ceiling. requests_per_second holds for each side.

    in_flight: calls at once, both sides together, where cases arrive as they were recorded; `concurrency` elsewhere.
    """

    concurrency: int = 8
    in_flight: int = 64
    timeout_s: float = 70.0
    attempts: int = 4
    requests_per_second: float | None = None
    calls: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Where a suite runs. lab: start the embedded lab and take addresses and credentials from it.

    source, target: None for a side that this machine does not reach; modes that call it are refused. mode: dual or
    golden, where a door does not say.
    """

    name: str
    source: Mapping[str, Json] | None = None
    target: Mapping[str, Json] | None = None
    mode: Mode = Mode.DUAL
    lab: bool = False
    payloads: Payloads = Payloads.HASH
    network: Network = field(default_factory=Network)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """`[publish.webhook]`: who is told of a decision. url_env, secret_env: names of environment variables."""

    url_env: str
    secret_env: str | None = None
    body: str = "decision"
    timeout_s: float = 10.0
    attempts: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mlflow:
    """`[publish.mlflow]`. tracking_uri: None: what MLFLOW_TRACKING_URI says."""

    tracking_uri: str | None = None
    experiment: str = "parity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly:
    """`[nightly]`. suites: names; empty: all of suites/. units: new ones a night. publish: None for what is found."""

    suites: tuple[str, ...] = ()
    units: int = 50  # docs/statistics.md: what a night adds
    publish: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`parity.toml`: the folder it stands in, its profiles, where runs are written, and where decisions are told.

    reports: a folder of this machine. store: the URL behind it, where nights are kept for machines that forget.
    """

    folder: Path
    default_profile: str
    profiles: Mapping[str, Profile]
    reports: Path
    store: str | None = None
    nightly: Nightly = field(default_factory=Nightly)
    webhook: Webhook | None = None
    mlflow: Mlflow = field(default_factory=Mlflow)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparatorSettings:
    """`[comparators.NAME]`: the metric's name, the comparator's module and its options."""

    metric: str
    use: str
    options: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """`suite.toml` without its gate tables, which `gate.policy` reads from the same file.

    endpoints: profile name -> {"source": name, "target": name}.
    reverse: the pair of the way back, as `pair`, and its options; empty: the module of the swapped name, with the
    options of the pair.
    request_builder: "checks:build", the application's own request builder in place of the pair's translation.
    deterministic_source: prove it with the first 60 cases, then make no second source call.
    strict: under pytest each case is a test of its own, besides the criteria.
    seed: orders the cases. calibration: source calls, spread over the run, that set the latency thresholds; their
    cases are not judged on latency.
    """

    name: str
    title: str
    path: Path
    pair: str
    pair_options: Mapping[str, Json]
    golden: Path
    endpoints: Mapping[str, Mapping[str, str]]
    comparators: tuple[ComparatorSettings, ...]
    prices: Mapping[Side, Price]
    source_options: Mapping[str, Json] = field(default_factory=dict)
    target_options: Mapping[str, Json] = field(default_factory=dict)
    reverse: Mapping[str, Json] = field(default_factory=dict)
    request_builder: str | None = None
    deterministic_source: bool = False
    strict: bool = False
    slices_by: str | None = None
    seed: int = 7
    calibration: int = 400

    @property
    def folder(self) -> Path:
        return self.path.parent


def load_project(start: Path) -> Project:
    """The project that `start` lies in: the nearest `parity.toml` in it or above it.

    Raises ConfigError where there is none, or where it is not as it should be.
    """
    path = _find_project(start)
    if path is None:
        raise ConfigError(f"{start}: no {PROJECT_FILE} here or in any folder above; a project keeps one at its root.")
    content = _read(path, PROJECT)
    profiles = {name: _profile(path, name, table) for name, table in content["profiles"].items()}
    default = content.get("default_profile", next(iter(profiles)))
    if default not in profiles:
        raise UnknownName(f"{path}: default_profile", "profile", default, profiles)
    folder, told = path.parent, content.get("publish", {})
    reports = content.get("reports", REPORTS)
    store = reports if re.match(STORE, reports) else None
    return Project(
        folder=folder,
        default_profile=default,
        profiles=profiles,
        reports=folder / (REPORTS if store else reports),
        store=store,
        nightly=_nightly(content.get("nightly", {})),
        webhook=Webhook(**told["webhook"]) if "webhook" in told else None,
        mlflow=Mlflow(**told.get("mlflow", {})),
    )


def _nightly(table: Mapping[str, Any]) -> Nightly:
    found: dict[str, Any] = dict(table)
    for name in ("suites", "publish"):
        if name in found:
            found[name] = tuple(found[name])
    return Nightly(**found)


def profile(project: Project, name: str | None) -> Profile:
    """The profile of that name, or the project's default. Raises UnknownName naming those that exist."""
    wanted = name or project.default_profile
    if wanted not in project.profiles:
        raise UnknownName(str(project.folder / "parity.toml"), "profile", wanted, project.profiles)
    return project.profiles[wanted]


def load_suite(path: Path) -> Suite:
    """The suite of one `suite.toml` (or of the folder that holds it), without its gate tables.

    `golden` without a slash is a folder of `golden/` beside `suites/`; with one, a path from the project's root.
    Raises ConfigError, and UnknownName for keys, profiles and metrics that do not exist.
    """
    path = path / SUITE_FILE if path.is_dir() else path
    content = _read(path, SUITE, opaque=GATE_TABLES)
    head = content["suite"]
    comparators = tuple(
        ComparatorSettings(metric=name, use=table["use"], options={k: v for k, v in table.items() if k != "use"})
        for name, table in content["comparators"].items()
    )
    project = _find_project(path)
    endpoints = content.get("endpoints", {})
    if project is not None:
        known = load_project(project).profiles
        for name in endpoints:
            if name not in known:
                raise UnknownName(f"{path}, [endpoints]", "profile", name, known)
    metrics = [settings.metric for settings in comparators]
    if head.get("slices_by", metrics[0]) not in metrics:
        raise UnknownName(f"{path}, [suite]: slices_by", "comparator", head["slices_by"], metrics)
    root = project.parent if project is not None else path.absolute().parent.parent.parent
    golden = head.get("golden", path.absolute().parent.name)
    return Suite(
        name=path.absolute().parent.name,
        title=head["title"],
        path=path,
        pair=head["pair"],
        pair_options=content.get("pair", {}),
        golden=root / golden if "/" in golden else root / "golden" / golden,
        endpoints=endpoints,
        comparators=comparators,
        prices=prices(content.get("prices", {}), path.absolute().parent),
        source_options=content.get("source", {}),
        target_options=content.get("target", {}),
        reverse=content.get("reverse", {}),
        **{key: head[key] for key in _OPTIONAL if key in head},
    )


def side_settings(profile: Profile, suite: Suite, side: Side, *, lab: Mapping[str, str] | None = None) -> SideSettings:
    """What the service of one side is built from.

    The suite's endpoint name for this profile, or else the profile's own. `lab`: see SideSettings.
    Raises ConfigError where the profile lacks the side, no endpoint is named, or a file that the profile's network
    names does not exist.
    """
    said = profile.source if side is Side.SOURCE else profile.target
    if said is None:
        raise ConfigError(
            f'{PROJECT_FILE}: profile "{profile.name}" names no {side.value}, and this run calls it. Add '
            f"[profiles.{profile.name}.{side.value}], or call the other side alone: {_ALONE[side]}"
        )
    endpoint = suite.endpoints.get(profile.name, {}).get(side.value, said.get("endpoint"))
    if endpoint is None:
        raise ConfigError(
            f'{suite.path}: no {side.value} endpoint for profile "{profile.name}"; name it under '
            f"[endpoints.{profile.name}]. Profiles named there: {', '.join(sorted(suite.endpoints)) or 'none'}."
        )
    return _settings(profile, side, str(endpoint), said, lab)


def account_settings(profile: Profile, side: Side, *, lab: Mapping[str, str] | None = None) -> SideSettings | None:
    """The side without an endpoint, to ask its account what it has; None where the profile does not name the side.

    Raises ConfigError where a file that the profile's network names does not exist.
    """
    said = profile.source if side is Side.SOURCE else profile.target
    return None if said is None else _settings(profile, side, "", said, lab)


def _settings(
    profile: Profile, side: Side, endpoint: str, said: Mapping[str, Json], lab: Mapping[str, str] | None
) -> SideSettings:
    table: dict[str, Any] = {key: value for key, value in said.items() if key != "endpoint"}
    for key in ("ca_bundle", "client_certificate", "client_key"):
        file = getattr(profile.network, key)
        if file is not None and not file.is_file():
            raise ConfigError(f"{PROJECT_FILE}, [profiles.{profile.name}.network]: {key} {file} does not exist.")
    return SideSettings(
        side=side,
        endpoint=endpoint,
        aws_profile=table.pop("profile", None),
        network=profile.network,
        lab=dict(lab or {}),
        connections=profile.limits.concurrency,
        timeout_s=profile.limits.timeout_s,
        **table,
    )


def schema() -> dict[str, Any]:
    """JSON Schemas (draft 2020-12) of both files: {"suite": ..., "project": ...}.

    "suite" lacks the gate tables: the door that prints it merges them in from gate.policy.
    """
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {"suite": {**dialect, **SUITE}, "project": {**dialect, **PROJECT}}


def _find_project(start: Path) -> Path | None:
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder / PROJECT_FILE
    return None


def _read(path: Path, shape: Shape, *, opaque: tuple[str, ...] = ()) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror}).") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {exc.start}).") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path}: is not TOML: {exc}.") from exc
    refuse_secrets(content, place=str(path), names_only=shape is PROJECT)
    known = {**shape["properties"], **{key: {} for key in opaque}}
    check(content, {**shape, "properties": known}, place=str(path))
    return content


def _profile(path: Path, name: str, table: Mapping[str, Any]) -> Profile:
    place = f"{path}, [profiles.{name}]"
    if not any(side.value in table for side in Side):
        raise ConfigError(f"{place}: names neither a source nor a target; a profile needs one of them, or both.")
    for side in Side:
        if side.value in table:
            _check_side(table[side.value], place=nested(place, side.value))
    network = table.get("network", {})
    if "client_key" in network and "client_certificate" not in network:
        raise ConfigError(f'{nested(place, "network")}: "client_key" needs "client_certificate" beside it.')
    files = {key: path.parent / Path(value).expanduser() for key, value in network.items() if key != "proxy"}
    return Profile(
        name=name,
        source=table.get("source"),
        target=table.get("target"),
        mode=Mode(table.get("mode", Mode.DUAL)),
        lab=table.get("lab", False),
        payloads=Payloads(table.get("payloads", Payloads.HASH)),
        network=Network(proxy=network.get("proxy"), **files),
        limits=Limits(**table.get("limits", {})),
    )


def _check_side(table: Mapping[str, Any], *, place: str) -> None:
    """A side of AWS has other keys than one of Azure: a role on the wrong side would be ignored in silence."""
    cloud = table.get("cloud")
    if cloud is not None and cloud not in (*AWS_CLOUDS, *AZURE_CLOUDS):
        raise UnknownName(place, "cloud", str(cloud), (*AWS_CLOUDS, *AZURE_CLOUDS))
    check(table, AZURE_SIDE if cloud in AZURE_CLOUDS else AWS_SIDE, place=place)
    if "external_id" in table and "role_arn" not in table:
        raise ConfigError(f'{place}: "external_id" needs "role_arn" beside it.')
