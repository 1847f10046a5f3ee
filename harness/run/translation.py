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


ONE_FORM = ("foundry",)  # services that speak the form of the API that they were built for


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """One case. api, model, request: None where nothing could be said; error: why not, in one sentence.

    operation, headers: what the call says beside its body.
    """

    case: str
    recording: Recording
    target: str
    api: str | None = None
    model: str | None = None
    request: Json = None
    departures: tuple[Departure, ...] = ()
    error: str | None = None
    operation: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

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
    """A pair between the codecs of its two services; options: those of each, as a suite's [source] and [target]."""

    pair: Pair
    where: str
    options: Mapping[Side, Mapping[str, Json]] = field(default_factory=dict)

    @classmethod
    def of(cls, pair: Pair, *, where: str, suite: config.Suite | None = None) -> Translator:
        """Raises UnknownName and ConfigError as a plan would."""
        options = {} if suite is None else {Side.SOURCE: suite.source_options, Side.TARGET: suite.target_options}
        translator = cls(pair=pair, where=where, options=options)
        for side in Side:  # a service that does not exist stops here, not at the first case
            translator.codec(side)
        return translator

    def codec(self, side: Side, *, endpoint: str = "", form: str | None = None) -> Codec:
        """endpoint: the model, which some services call. form: of the API, for a service that speaks one only."""
        name = self.pair.source if side is Side.SOURCE else self.pair.target
        options: dict[str, Any] = dict(self.options.get(side, {}))
        if name in ONE_FORM and form is not None:
            options.setdefault("api", "messages" if form == "messages" else "chat")
        settings = replace(config.SideSettings.nowhere(side), endpoint=endpoint)
        service: Service = registry.load("services", name, where=self.where, settings=settings, **options)
        return service.codec

    def all(self, cases: Iterable[StoredCase]) -> Iterator[Translated]:
        """A line a case, in their order."""
        return (self.one(case.id, case.recording) for case in cases)

    def one(self, case: str, recording: Recording) -> Translated:
        """Whatever stops this case stands in `error`; the next one is not held up by it."""
        blank = Translated(case=case, recording=recording, target=self.pair.target)
        if recording.service != self.pair.source:
            return replace(blank, error=f'recorded from "{recording.service}", not from "{self.pair.source}".')
        try:
            source = self.codec(Side.SOURCE, form=recording.operation)
            translation = self.pair.translate(source.read_request(recording))
        except ForbiddenDeparture as exc:
            departures = tuple(one for one in exc.departures if isinstance(one, Departure))
            return replace(blank, departures=departures, error=str(exc))
        except HarnessError as exc:
            return replace(blank, error=str(exc))
        params, departures = translation.request.params, translation.departures
        model = None if params.get("model") is None else str(params["model"])
        api = None if params.get("api") is None else str(params["api"])
        target = self.codec(Side.TARGET, endpoint=model or "", form=api)
        try:
            sent = target.next(Lot(case, {case: translation.request}), ())
        except UnencodableRequest as exc:
            return replace(blank, api=api, model=model, departures=departures, error=str(exc))
        wire = sent.then if isinstance(sent, Wait) else sent
        if wire is None:
            return replace(blank, model=model, departures=departures, error="the target is asked nothing.")
        return replace(
            blank,
            api=api or wire.operation,
            model=model,
            request=_body(wire.body),
            departures=departures,
            operation=wire.operation,
            headers=wire.headers,
        )


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
