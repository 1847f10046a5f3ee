"""What a pair makes of recorded requests, case by case, before a call is paid for. Opens no connection."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness import config
from harness.core import registry
from harness.core.call import Side, Wait
from harness.core.case import Departure, Json, Lot, Recording
from harness.core.protocols import Codec, Pair, Service
from harness.errors import ForbiddenDeparture, HarnessError, UnencodableRequest

if TYPE_CHECKING:
    from harness.recordings.lines import StoredCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """One case. api, model, request: None where nothing could be said; error: why not, in one sentence."""

    case: str
    recording: Recording
    target: str
    api: str | None = None
    model: str | None = None
    request: Json = None
    departures: tuple[Departure, ...] = ()
    error: str | None = None

    def document(self) -> dict[str, Any]:
        """The line of `parity translate --json`."""
        recording, origin = self.recording, self.recording.provenance.origin
        told = None if origin is None else {name: getattr(origin, name) for name in ("format", "path", "index", "line")}
        return {
            "case": self.case,
            "from": {
                **(told or dict.fromkeys(("format", "path", "index", "line"))),
                "request_id": recording.request_id,
            },
            "source": {"service": recording.service, "operation": recording.operation, "model": recording.model},
            "target": {"service": self.target, "api": self.api, "model": self.model},
            "request": self.request,
            "departures": [
                {name: getattr(one, name) for name in ("field", "source_value", "target_value", "reason")}
                for one in self.departures
            ],
            "error": self.error,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """A pair between the codecs of its two services."""

    pair: Pair
    source: Codec
    where: str
    target_options: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def of(cls, pair: Pair, *, where: str, suite: config.Suite | None = None) -> Translator:
        """Raises UnknownName and ConfigError as a plan would."""
        options = {} if suite is None else suite.source_options
        source = _codec(pair.source, Side.SOURCE, "", options, where)
        translator = cls(
            pair=pair, source=source, where=where, target_options={} if suite is None else suite.target_options
        )
        translator.codec("")  # a target that does not exist stops here, not at the first case
        return translator

    def codec(self, model: str) -> Codec:
        """The target's, with this model as its endpoint: that is what some services call."""
        return _codec(self.pair.target, Side.TARGET, model, self.target_options, self.where)

    def all(self, cases: Iterable[StoredCase]) -> Iterator[Translated]:
        """A line a case, in their order."""
        return (self.one(case.id, case.recording) for case in cases)

    def one(self, case: str, recording: Recording) -> Translated:
        """Whatever stops this case stands in `error`; the next one is not held up by it."""
        blank = Translated(case=case, recording=recording, target=self.pair.target)
        if recording.service != self.pair.source:
            return replace(blank, error=f'recorded from "{recording.service}", not from "{self.pair.source}".')
        try:
            translation = self.pair.translate(self.source.read_request(recording))
        except ForbiddenDeparture as exc:
            departures = tuple(one for one in exc.departures if isinstance(one, Departure))
            return replace(blank, departures=departures, error=str(exc))
        except HarnessError as exc:
            return replace(blank, error=str(exc))
        params, departures = translation.request.params, translation.departures
        model = None if params.get("model") is None else str(params["model"])
        try:
            sent = self.codec(model or "").next(Lot(case, {case: translation.request}), ())
        except UnencodableRequest as exc:
            api = None if params.get("api") is None else str(params["api"])
            return replace(blank, api=api, model=model, departures=departures, error=str(exc))
        wire = sent.then if isinstance(sent, Wait) else sent
        if wire is None:
            return replace(blank, model=model, departures=departures, error="the target is asked nothing.")
        api = str(params.get("api") or wire.operation)
        return replace(blank, api=api, model=model, request=_body(wire.body), departures=departures)


def _codec(name: str, side: Side, endpoint: str, options: Mapping[str, Any], where: str) -> Codec:
    settings = replace(config.SideSettings.nowhere(side), endpoint=endpoint)
    service: Service = registry.load("services", name, where=where, settings=settings, **options)
    return service.codec


def _body(body: Json | bytes) -> Json:
    """A body as JSON; text that is none stays text."""
    if not isinstance(body, bytes):
        return body
    text = body.decode("utf-8", "backslashreplace")
    try:
        value: Json = json.loads(text)
    except ValueError:
        return text
    return value
