"""Which service plays which side of a run, and how a recorded request comes to each of them.

Forward, the source gets what was recorded and the target its translation. In reverse the old target plays the source:
it gets the translation, and the new target gets that translated back, so that both are asked what they would be asked
if traffic were moved back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from harness import config
from harness.core import registry
from harness.core.call import Mode, Side
from harness.core.case import Request, Translation
from harness.core.protocols import Pair, Placed, Service
from harness.errors import ConfigError, UnencodableRequest

CALLED: Mapping[Mode, tuple[Side, ...]] = {
    Mode.DUAL: (Side.SOURCE, Side.TARGET),
    Mode.GOLDEN: (Side.TARGET,),
    Mode.RECORD: (Side.SOURCE,),
    Mode.OFFLINE: (),
}
Translate: TypeAlias = Callable[[Request], Translation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How requests go over. read: a recorded request -> the source's, with what that loses. translate: that -> the
    target's. name: of what translated: the pair, or the application's own request builder.
    """

    pair: Pair
    name: str
    read: Translate
    translate: Translate


def way(suite: config.Suite, *, reverse: bool) -> Way:
    """Raises UnknownName and ConfigError where a pair or a request builder is missing."""
    where = str(suite.path)
    forward = pair_of(suite.pair, suite.pair_options, where=where, suite_folder=suite.folder)
    over = _translator(suite, forward, where)
    name = suite.request_builder or forward.name
    if not reverse:
        return Way(pair=forward, name=name, read=Translation, translate=over)
    back = _back(suite, where)
    if (back.source, back.target) != (forward.target, forward.source):
        raise ConfigError(
            f"{where}, [reverse]: pair {back.name} leads from {back.source} to {back.target}, and the way back leads "
            f"from {forward.target} to {forward.source}."
        )
    return Way(pair=back, name=f"{name}, back by {back.name}", read=over, translate=back.translate)


def pair_of(name: str, options: Mapping[str, Any], *, where: str, suite_folder: Path | None = None) -> Pair:
    """A pair by its name in a suite. A file that its options name ("models") lies beside the suite."""
    if suite_folder is not None and isinstance(options.get("models"), str):
        options = {**options, "models": str(suite_folder / options["models"])}
    pair: Pair = registry.load("pairs", name, where=where, suite_folder=suite_folder, **options)
    return pair


def check_clouds(pair: Pair, profile: config.Profile, *, reverse: bool) -> None:
    """Raises ConfigError where a pair knows that a model is not offered in a cloud of the profile."""
    tables = {Side.SOURCE: profile.source, Side.TARGET: profile.target}
    source, target = (tables[origin(side, reverse=reverse)] for side in Side)
    if isinstance(pair, Placed) and source is not None and target is not None:
        pair.checked(str(source["cloud"]), str(target["cloud"]))


def settings(
    profile: config.Profile, suite: config.Suite, *, mode: Mode, reverse: bool, lab: Mapping[str, str]
) -> dict[Side, config.SideSettings]:
    """What each side is built from; a side that the mode does not call names nothing.

    Raises ConfigError where the profile lacks a side that is called.
    """
    found = {}
    for side in Side:
        if side in CALLED[mode]:
            found[side] = replace(
                config.side_settings(profile, suite, origin(side, reverse=reverse), lab=lab), side=side
            )
        else:
            found[side] = config.SideSettings.nowhere(side)
    return found


def services(
    suite: config.Suite, pair: Pair, settings: Mapping[Side, config.SideSettings], *, reverse: bool
) -> dict[Side, Service]:
    names = {Side.SOURCE: pair.source, Side.TARGET: pair.target}
    options: dict[Side, Mapping[str, Any]] = {Side.SOURCE: suite.source_options, Side.TARGET: suite.target_options}
    return {
        side: registry.load(
            "services",
            names[side],
            where=str(suite.path),
            settings=settings[side],
            **options[origin(side, reverse=reverse)],
        )
        for side in Side
    }


def origin(side: Side, *, reverse: bool) -> Side:
    """The side of suite and profile that plays `side` in this run."""
    if not reverse:
        return side
    return Side.TARGET if side is Side.SOURCE else Side.SOURCE


def _back(suite: config.Suite, where: str) -> Pair:
    options: dict[str, Any] = {key: value for key, value in suite.reverse.items() if key != "pair"}
    first, middle, second = suite.pair.partition("_to_")
    name = suite.reverse.get("pair") or (f"{second}_to_{first}" if middle and ":" not in suite.pair else None)
    if name is None:
        raise ConfigError(
            f'{where}: no pair is known that leads back from "{suite.pair}"; name it: [reverse] pair = "file:Class".'
        )
    if options or "pair" in suite.reverse:
        return pair_of(str(name), options, where=f"{where}, [reverse]", suite_folder=suite.folder)
    try:
        return pair_of(str(name), suite.pair_options, where=where, suite_folder=suite.folder)
    except ConfigError as exc:
        raise ConfigError(
            f"{where}: {name} does not take the options of [pair]. Give it options of its own under [reverse]. {exc}"
        ) from exc


def _translator(suite: config.Suite, pair: Pair, where: str) -> Translate:
    if suite.request_builder is None:
        return pair.translate
    builder = registry.attribute(suite.request_builder, suite_folder=suite.folder, where=where)

    def build(request: Request) -> Translation:
        try:
            body = builder(request)
        except Exception as exc:
            raise UnencodableRequest(f"{suite.request_builder} failed: {type(exc).__name__}: {exc}") from exc
        return Translation(Request(request.task, {"body": body}, request.params))

    return build
