"""A pair of model services: one rule book for every pair, since each table says what its side takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.case import Request, Task, Translation
from harness.core.chat import FIELDS, Conversation
from harness.errors import ConfigError, ForbiddenDeparture, UnencodableRequest, UnknownName
from harness.pairs._parts import params as settings
from harness.pairs._parts import pictures, tools, turns, vectors
from harness.pairs._parts.catalog import Catalog, Family, plain_id, shipped, with_file
from harness.pairs._parts.fit import Losses, Target

TASKS = (Task.CHAT, Task.EMBEDDING, Task.IMAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPair:
    """See build. deployment: what is called, where it is not the model's own name."""

    source: str
    target: str
    catalog: Catalog
    source_model: Family | None = None
    target_model: Family | None = None
    deployment: str | None = None
    api: str | None = None
    profile: str | None = None
    forbid: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.source}_to_{self.target}"

    def translate(self, request: Request) -> Translation:
        """The target's request, with params "model" and "api", and what it does not carry of the source's.

        Raises UnencodableRequest where nothing can be said, ForbiddenDeparture for a departure that the suite forbids,
        UnknownName for a model that no table knows.
        """
        if request.task not in TASKS:
            raise UnencodableRequest(f'{self.name} carries chat, embeddings and images, not "{request.task}".')
        if isinstance(request.payload, dict) and request.payload.keys() == {"body"}:
            raise UnencodableRequest(
                "the request is a body in the source's own words (token numbers, or an application's own)."
            )
        source = self._source(request)
        target = self._target(source, request)
        losses = Losses()
        carried = _carry(request, source, target, losses)
        model = self._called(target.family)
        translated = Request(carried.task, carried.payload, {"model": model, "api": target.api.name, **carried.params})
        departures = tuple(losses.found)
        forbidden = sorted({one.field for one in departures} & self.forbid)
        if forbidden:
            raise ForbiddenDeparture(
                f"the translation changes {', '.join(forbidden)}, which [pair] forbid does not allow.", departures
            )
        return Translation(translated, departures)

    def checked(self, source_cloud: str, target_cloud: str) -> None:
        """Raises ConfigError where a model that the suite names is not offered in a profile's cloud."""
        for family, cloud in ((self.source_model, source_cloud), (self.target_model, target_cloud)):
            if family is not None and cloud.removesuffix("-fips") not in family.clouds:
                raise ConfigError(
                    f'[pair] {self.name}: model "{family.name}" of {family.service} is not offered in cloud "{cloud}"; '
                    f"it is in {', '.join(family.clouds)}."
                )

    def _source(self, request: Request) -> Family | None:
        if self.source_model is not None:
            return self.source_model
        model = request.params.get("model")
        try:
            return self.catalog.family(self.source, str(model)) if model is not None else None
        except UnknownName as exc:
            if self.target_model is not None:
                return None  # what follows is settled; only the source's defaults stay unknown
            raise UnknownName(
                f"[pair] {self.name}: name the model behind it (source_model) or what follows it (target_model)",
                f"model of {self.source}",
                plain_id(str(model)),
                self.catalog.families[self.source],
            ) from exc

    def _target(self, source: Family | None, request: Request) -> Target:
        family = self.target_model
        if family is None:
            if source is None:
                raise UnencodableRequest("the recording names no model: say [pair] source_model or target_model.")
            family = self.catalog.follows(source, self.target)
        if family.task != request.task.value:
            raise UnencodableRequest(
                f'model "{family.name}" of {self.target} is for {family.task}, not {request.task}.'
            )
        api = self.catalog.api(family, self.api if self.api in family.apis else None)
        return Target(family, api, same_words=self._words(source, request) == api.words)

    def _words(self, source: Family | None, request: Request) -> str | None:
        """The vocabulary of the source's body, where it is known."""
        if source is None:
            return None
        said = str(request.params.get("api")).partition(":")[0]  # "invoke:llama3" where the body told the family
        named = said if said in source.apis else source.apis[0]
        return self.catalog.api(source, named).words

    def _called(self, family: Family) -> str:
        called = self.deployment or family.call_name
        return f"{self.profile}.{called}" if self.profile and self.deployment is None else called


def _carry(request: Request, source: Family | None, target: Target, losses: Losses) -> Request:
    if request.task is Task.EMBEDDING:
        return vectors.carry(request, source, target, losses)
    if request.task is Task.IMAGE:
        return pictures.carry(request, source, target, losses)
    conversation = tools.carry(Conversation.of(request), target, losses)
    conversation = turns.carry(conversation, target, losses)
    carried = settings.carry(request.params, source, target, losses)
    turns.check_length(conversation, target, losses)
    if "parallel_tool_calls" in carried and not conversation.tools:
        losses.drop("parallel_tool_calls", carried.pop("parallel_tool_calls"), "there are no tools")
    return conversation.request(carried)


def build(
    source: str,
    target: str,
    *,
    target_model: str | Mapping[str, str] | None = None,
    source_model: str | None = None,
    api: str | None = None,
    profile: str | None = None,
    forbid: Sequence[str] = (),
    models: str | None = None,
    suite_folder: Path | None = None,
) -> ModelPair:
    """target_model: a family or id of the target's table, or {deployment, model}. source_model: where recordings name a
    deployment, or nothing. api: the form of the target's API. profile: prefix of a cross-region inference profile for
    models that the map names. forbid: names of FIELDS. models: a file of the suite's own tables, beside the suite.

    Raises ConfigError and UnknownName naming the key.
    """
    place = f"[pair] {source}_to_{target}"
    for name in forbid:
        if name not in FIELDS:
            raise UnknownName(f"{place}, forbid", "field", name, FIELDS)
    path = None if models is None else Path(models) if suite_folder is None else suite_folder / models
    catalog = shipped() if path is None else with_file(path)
    deployment: str | None = None
    family: Family | None = None
    if isinstance(target_model, str):
        family = catalog.family(target, target_model)
        deployment = None if target_model == family.name else target_model
    elif target_model is not None:
        unknown = sorted(set(target_model) - {"deployment", "model"})
        if unknown or set(target_model) != {"deployment", "model"}:
            raise ConfigError(f'{place}: target_model is a name, or a table of "deployment" and "model".')
        family = catalog.family(target, target_model["model"])
        deployment = target_model["deployment"]
    known = {name for one in catalog.families[target].values() for name in one.apis}
    if api is not None and api not in (family.apis if family is not None else known):
        raise UnknownName(place, "api", api, family.apis if family is not None else known)
    return ModelPair(
        source=source,
        target=target,
        catalog=catalog,
        source_model=None if source_model is None else catalog.family(source, source_model),
        target_model=family,
        deployment=deployment,
        api=api,
        profile=profile,
        forbid=frozenset(forbid),
    )
