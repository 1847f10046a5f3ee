"""Reads the estate of a profile: what both sides list, what recorded traffic shows in use, which suites cover it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from harness import config
from harness.core import registry
from harness.core.call import Side
from harness.core.inventory import EVERYTHING, SERVING, Found, Inventory, Unlisted
from harness.core.protocols import Lister
from harness.errors import HarnessError, ServiceError, Unavailable
from harness.gate.estate import Called, Entry, Estate, called
from harness.run.pacing import patiently
from harness.run.session import utc_now
from harness.run.sides import pair_of

IN_USE_DAYS = 90  # batch jobs older than this are taken for gone
MODELS = "bedrock"  # whose foundation models are a catalogue: recorded traffic tells which are in use
# What an ARN of a model says of its kind; Source: Amazon Bedrock API reference, InvokeModel, modelId.
_KINDS = (
    (re.compile(r":(application-)?inference-profile/"), "inference profile"),
    (re.compile(r":provisioned-model/"), "provisioned model"),
    (re.compile(r":custom-model(-deployment)?/"), "custom model"),
    (re.compile(r":imported-model/"), "imported model"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covering:
    """A suite under the profile: what it calls on both sides."""

    suite: str
    source: Called
    target: Called


def read(
    project: config.Project,
    profile: config.Profile,
    *,
    lab: Mapping[str, str],
    since_days: float = IN_USE_DAYS,
    now: Callable[[], datetime] = utc_now,
) -> Estate:
    """The estate as it is now. A service that cannot be asked is told as unlisted, never left out.

    Raises ConfigError where a suite or the profile cannot be read.
    """
    at = now()
    since = at - timedelta(days=since_days)
    suites = covering(project, profile)
    source, target = (_side(profile, side, lab, since) for side in Side)
    in_use = [*recorded_models(project.folder / "golden"), *_called(suites)]
    found = _with_models(source.found, in_use)
    return Estate(
        read_at=at.replace(microsecond=0),
        profile=profile.name,
        entries=tuple(_entry(one, suites, target.found) for one in found),
        targets=target.found,
        unlisted=(*source.unlisted, *target.unlisted),
    )


def covering(project: config.Project, profile: config.Profile) -> tuple[Covering, ...]:
    """Every suite of the project that names endpoints for the profile, or takes the profile's own."""
    found = []
    for path in sorted((project.folder / "suites").glob(f"*/{config.SUITE_FILE}")):
        suite = config.load_suite(path)
        names = suite.endpoints.get(profile.name, {})
        own = [side or {} for side in (profile.source, profile.target)]
        source, target = (names.get(side.value, one.get("endpoint")) for side, one in zip(Side, own, strict=True))
        if isinstance(source, str) and isinstance(target, str):
            pair = pair_of(suite.pair, suite.pair_options, where=str(path), suite_folder=suite.folder)
            calls = (Called(pair.source, source), Called(pair.target, target))
            found.append(Covering(suite=suite.name, source=calls[0], target=calls[1]))
    return tuple(found)


def recorded_models(golden: Path) -> list[str]:
    """Models that recorded traffic was sent to, by name or ARN."""
    from harness.recordings import manifest
    from harness.recordings.store import GoldenSet

    found: dict[str, None] = {}
    for path in sorted(golden.glob("*/manifest.json")):
        if manifest.read(path).service != MODELS:
            continue
        with GoldenSet.open(path.parent) as cases:
            found |= dict.fromkeys(case.recording.model for case in cases if case.recording.model)
    return list(found)


def _called(suites: Iterable[Covering]) -> list[str]:
    """Models that suites call: what is measured is in use, though no traffic of it was imported."""
    return [one.source.name for one in suites if one.source.service == MODELS]


def _side(profile: config.Profile, side: Side, lab: Mapping[str, str], since: datetime) -> Inventory:
    """What every service of the side's cloud lists; nothing for a side that the profile does not name."""
    settings = config.account_settings(profile, side, lab=lab)
    whole = Inventory()
    if settings is None:
        return whole
    for name in registry.names("services"):
        service = registry.load("services", name, settings=settings)
        if isinstance(service, Lister):
            whole += _asked(name, service, since, profile.limits.attempts)
    return whole


def _asked(name: str, service: Lister, since: datetime, attempts: int) -> Inventory:
    """What a service tells, asked again where another attempt may help; what came of the last one stays."""
    last = Inventory()

    def ask() -> None:
        nonlocal last
        last = service.inventory(since) or Inventory()
        if any(one.again for one in last.unlisted):
            raise Unavailable("a listing failed", service=name)

    try:
        patiently(ask, attempts)
    except HarnessError as exc:
        if not last.unlisted:
            reason = exc.kind if isinstance(exc, ServiceError) else "not asked"
            return Inventory(unlisted=(Unlisted(service=name, kind=EVERYTHING, reason=reason, needs=str(exc)),))
    return last


def _with_models(listed: Sequence[Found], models: Iterable[str]) -> tuple[Found, ...]:
    """The listing, and the models in use that it does not hold."""
    found = list(listed)
    for model in models:
        if not any(called(one, Called(MODELS, model)) for one in found):
            found.append(_model(model))
    return tuple(found)


def _model(name: str) -> Found:
    kind = next((kind for pattern, kind in _KINDS if pattern.search(name)), "foundation model")
    parts = name.split(":") if name.startswith("arn:") else []
    return Found(
        service=MODELS,
        kind=kind,
        name=name.rpartition("/")[2] if parts else name,
        region=(parts[3] or None) if parts else None,
        account=(parts[4] or None) if parts else None,
    )


def _entry(found: Found, suites: Sequence[Covering], targets: Sequence[Found]) -> Entry:
    """One thing at the source, with the suites that call it and what the first of them compares it with."""
    mine = [one for one in suites if found.kind in SERVING and called(found, one.source)]
    answering = [one for one in targets if one.kind in SERVING]
    behind = [one for suite in mine for one in answering if called(one, suite.target)]
    return Entry(
        found=found,
        suites=tuple(one.suite for one in mine),
        counterpart=replace(behind[0], share=None, changed_at=None, account=None) if behind else None,
    )
