"""Everything that is known before the first call, checked: a plan either runs or says why not."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import config
from harness.core import registry
from harness.core.call import Mode, Outcome, Role, Side
from harness.core.case import Case, Json, Lot, Translation
from harness.core.protocols import Codec, Comparator, Labeller, Pair, Service
from harness.errors import ConfigError, GoldenError, UnencodableRequest, UnknownName
from harness.gate.conditions import Conditions
from harness.gate.policy import Policy, load_policy
from harness.run import sides
from harness.run.arrival import Arrival
from harness.run.recorded import recorded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.recordings.store import GoldenSet
    from harness.run.folder import RunRecord
    from harness.run.portion import Portion

LEAST_CALIBRATION = 400  # GATE_STATS section 4: with 40 calls, false GO on latency rose to 10 %
PROOF_CASES = 60  # GATE_STATS section 9: without a flip in 60 cases a source counts as deterministic


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One suite under one profile, ready to replay.

    order: indices into the golden set, shuffled by the suite's seed (and cut when a sample was asked for). Cases that
    carry the request of an earlier one are not among them: one payload is one unit of evidence.
    rank: the inverse: golden index -> place in the order; -1 where the case is not replayed.
    reverse: source and target have changed places; everything here is as they stand in this run.
    arrival: calls start at their recorded moments, whatever is still in flight; None: each when another has ended.
    portion: the part that one night takes; None: the whole suite.
    """

    suite: config.Suite
    profile: config.Profile
    policy: Policy
    pair: Pair
    translation: str
    source: Service
    target: Service
    source_settings: config.SideSettings
    target_settings: config.SideSettings
    comparators: tuple[tuple[str, Comparator], ...]
    labeller: Labeller | None
    golden: GoldenSet
    order: NDArray[np.int64]
    rank: NDArray[np.int64]
    sample: int | None
    _translate: sides.Translate
    _read: sides.Translate = Translation
    mode: Mode = Mode.DUAL
    reverse: bool = False
    arrival: Arrival | None = None
    portion: Portion | None = None

    @property
    def called(self) -> tuple[Side, ...]:
        """The sides that are called; the answers of another are recordings."""
        return sides.CALLED[self.mode]

    @property
    def prices(self) -> dict[Side, config.Price]:
        """USD by side of this run; a side without is free."""
        prices = self.suite.prices
        return {side: prices[of] for side in Side if (of := sides.origin(side, reverse=self.reverse)) in prices}

    @property
    def suite_sha256(self) -> str:
        return hashlib.sha256(self.suite.path.read_bytes()).hexdigest()

    def case(self, index: int) -> Case:
        """The case at `index` of the golden set."""
        stored = self.golden.recording(index)
        recording = stored.recording
        return Case(
            id=recording.id,
            suite=self.suite.name,
            request=self._read(self.codec.read_request(recording)).request,
            recording=recording,
            cluster=stored.cluster or recording.id,
            slices=stored.row_slices,
            expected=stored.expected,
        )

    @property
    def unrepeated(self) -> int:
        """Cases with one recorded answer where a noise floor is needed; 0 where answers are fetched or one will do."""
        if self.mode is not Mode.GOLDEN or self.suite.deterministic_source:
            return 0
        return sum(not self.golden.repeats(index) for index in self.order.tolist())

    def recorded(self, index: int) -> tuple[Outcome | None, Outcome | None]:
        """What was recorded of the case at `index`, as S and S': its own answer and that of its first repeat.

        Latencies are left out: they were not measured beside the target's.
        """
        repeats = self.golden.repeats(index)
        return self._recorded(index), self._recorded(repeats[0]) if repeats else None

    def _recorded(self, index: int) -> Outcome | None:
        outcome = recorded(self.golden.recording(index).recording, self.codec)
        return None if outcome is None else replace(outcome, latency_s=None)

    @property
    def codec(self) -> Codec:
        """Of the service whose traffic was recorded."""
        return self.target.codec if self.reverse else self.source.codec

    def translate(self, case: Case) -> Translation:
        """The target's request, with what was lost on the way to either side. Raises UnencodableRequest naming the
        case."""
        try:
            translation = self._translate(case.request)
            if not self.reverse:
                return translation
            before = self._read(self.codec.read_request(case.recording)).departures
            return replace(translation, departures=tuple(dict.fromkeys((*before, *translation.departures))))
        except UnencodableRequest as exc:
            raise UnencodableRequest(f"{self.suite.golden.name}, case {case.id}: {exc}") from exc

    def roles(self, index: int) -> tuple[Role, ...]:
        """The calls that the case at `index` needs: a second source call unless the source has proved deterministic."""
        if self.mode is Mode.GOLDEN:
            return (Role.TARGET,)
        if self.suite.deterministic_source and self.rank[index] >= PROOF_CASES:
            return (Role.SOURCE, Role.TARGET)
        return (Role.SOURCE, Role.SOURCE_AGAIN, Role.TARGET)

    def service(self, side: Side) -> Service:
        return self.source if side is Side.SOURCE else self.target


def lot_id(index: int, case: Case, ask: int = 0) -> str:
    """Names the conversation of one case in the ledger; begins with its index in the golden set.

    ask: how often the same was asked before, in a run that records repeats.
    """
    return f"{index}.{ask}:{case.id}" if ask else f"{index}:{case.id}"


def lot_place(lot: str) -> tuple[int, int]:
    """(index, ask) of a conversation."""
    index, _, ask = lot.partition(":")[0].partition(".")
    return int(index), int(ask or 0)


def make(
    suite_path: Path,
    profile: config.Profile,
    *,
    lab: dict[str, str] | None = None,
    sample: int | None = None,
    mode: Mode | None = None,
    reverse: bool = False,
    speed: float | None = None,
) -> Plan:
    """Read suite, policy, golden set and plug-ins; opens nothing on the network.

    mode: None for the profile's. speed: let cases arrive as they were recorded, this many times as fast.
    Raises ConfigError and its kin naming file and key.
    """
    if sample is not None and sample < 1:
        raise ConfigError(f"a sample of {sample} cases is no sample; ask for 1 or more.")
    from harness.recordings.sample import order
    from harness.recordings.store import GoldenSet

    mode = mode or profile.mode
    if reverse and mode is Mode.GOLDEN:
        raise ConfigError("golden and reverse exclude each other: what was recorded are the answers of the old source.")
    arrival = None if speed is None else _arrival(profile, speed)
    suite = config.load_suite(suite_path)
    where = str(suite_path)
    way = sides.way(suite, reverse=reverse)
    sides.check_clouds(way.pair, profile, reverse=reverse)
    settings = _wide(sides.settings(profile, suite, mode=mode, reverse=reverse, lab=lab or {}), arrival)
    services = sides.services(suite, way.pair, settings, reverse=reverse)
    golden = GoldenSet.open(suite.golden)
    primaries = golden.primaries
    sequence = primaries[order(len(primaries), suite.seed)][:sample]
    comparators = _comparators(suite, where)
    plan = Plan(
        suite=suite,
        profile=profile,
        policy=load_policy(suite_path).under(
            Conditions(mode=mode, reverse=reverse, arrival="" if arrival is None else str(arrival))
        ),
        pair=way.pair,
        translation=way.name,
        source=services[Side.SOURCE],
        target=services[Side.TARGET],
        source_settings=settings[Side.SOURCE],
        target_settings=settings[Side.TARGET],
        comparators=comparators,
        labeller=_labeller(suite, comparators, where),
        golden=golden,
        order=sequence,
        rank=_rank(sequence, len(golden)),
        sample=sample if sample is not None and sample < len(primaries) else None,
        _translate=way.translate,
        _read=way.read,
        mode=mode,
        reverse=reverse,
        arrival=arrival,
    )
    _check_metrics(plan, where)
    if mode is not Mode.GOLDEN:
        _check_calibration(plan, where)
    return plan


def again(record: RunRecord, profile: config.Profile) -> Plan:
    """The plan of a stored run, from its suite as it is now. Raises ConfigError where that cannot run any more."""
    from harness.run.portion import Portion, cut

    made = make(
        Path(record.suite_path),
        profile,
        sample=record.sample,
        mode=Mode(record.mode),
        reverse=record.reverse,
        speed=record.arrival.get("speed"),
    )
    return cut(made, Portion.from_document(record.portion)) if record.portion else made


def in_lab(plan: Plan, addresses: dict[str, str]) -> Plan:
    """The same plan, its services built for a lab at these addresses; for no addresses, the plan as it is."""
    if not addresses:
        return plan
    suite = plan.suite
    found = sides.settings(plan.profile, suite, mode=plan.mode, reverse=plan.reverse, lab=addresses)
    settings = _wide(found, plan.arrival)
    services = sides.services(suite, plan.pair, settings, reverse=plan.reverse)
    return replace(
        plan,
        source=services[Side.SOURCE],
        target=services[Side.TARGET],
        source_settings=settings[Side.SOURCE],
        target_settings=settings[Side.TARGET],
    )


def preflight(plan: Plan) -> None:
    """Say every request in both services' words, without sending one.

    A comparator that has a `check` is asked of every case. Raises UnencodableRequest naming the first case that cannot
    be said, ConfigError for one that cannot be compared, in golden mode GoldenError where recorded answers cannot
    serve: better now than after the first paid call.
    """
    if plan.mode is Mode.GOLDEN:
        _check_recorded(plan)
    checks = [item.check for _, item in plan.comparators if hasattr(item, "check")]
    for index in plan.order.tolist():
        case = plan.case(index)
        for check in checks:
            check(case)
        identity = lot_id(index, case)
        for side in plan.called:
            request = case.request if side is Side.SOURCE else plan.translate(case).request
            try:
                plan.service(side).codec.next(Lot(identity, {case.id: request}), ())
            except UnencodableRequest as exc:
                raise UnencodableRequest(f"{plan.suite.golden.name}, case {case.id}, {side.value}: {exc}") from exc


def _wide(settings: dict[Side, config.SideSettings], arrival: Arrival | None) -> dict[Side, config.SideSettings]:
    """A client with fewer connections than calls in flight would make calls wait for each other again, unseen."""
    if arrival is None:
        return settings
    return {side: replace(one, connections=arrival.in_flight) for side, one in settings.items()}


def _arrival(profile: config.Profile, speed: float) -> Arrival:
    if not (math.isfinite(speed) and speed > 0):
        raise ConfigError(f"speed {speed:g}: cases arrive at a positive multiple of the recorded pace, such as 1 or 2.")
    if profile.limits.requests_per_second is not None:
        raise ConfigError(
            f'profile "{profile.name}": requests_per_second would hold back calls that are due. Leave it out of the '
            "profile for runs whose cases arrive as they were recorded."
        )
    return Arrival(speed=speed, in_flight=profile.limits.in_flight)


def _check_recorded(plan: Plan) -> None:
    """A golden run on a part of its cases would be a GO on the part that is easy to keep, so it is all or nothing."""
    silent, altered = [], []
    for index in plan.order.tolist():
        recording = plan.golden.recording(index).recording
        if recording.provenance.redacted:
            altered.append(recording.id)
        elif plan.recorded(index)[0] is None:
            silent.append(recording.id)
    for cases, why in (
        (altered, "redaction altered the request, so the recorded answer is not an answer to what would be sent"),
        (silent, "only the request was kept"),
    ):
        if cases:
            named = ", ".join(cases[:3]) + (", ..." if len(cases) > 3 else "")
            raise GoldenError(
                f"{plan.suite.golden}: {len(cases):,} of {len(plan.order):,} cases cannot serve in mode golden "
                f"({named}): {why}. Record the source's answers anew (parity record), or run with --mode dual."
            )


def _comparators(suite: config.Suite, where: str) -> tuple[tuple[str, Comparator], ...]:
    return tuple(
        (
            item.metric,
            registry.load(
                "comparators",
                item.use,
                where=f"{where}, [comparators.{item.metric}]",
                suite_folder=suite.folder,
                **_beside(suite.folder, item.options),
            ),
        )
        for item in suite.comparators
    )


def _beside(folder: Path, options: Mapping[str, Json]) -> dict[str, Any]:
    """Options of a comparator, and of those inside it, with a calibration that lies beside the suite named by path."""
    placed: dict[str, Any] = {}
    for name, value in options.items():
        if name == "calibration" and isinstance(value, str):
            placed[name] = str(folder / value)
        else:
            placed[name] = _beside(folder, value) if isinstance(value, dict) else value
    return placed


def _labeller(suite: config.Suite, comparators: tuple[tuple[str, Comparator], ...], where: str) -> Labeller | None:
    labellers = {metric: item for metric, item in comparators if isinstance(item, Labeller)}
    if suite.slices_by is not None:
        if suite.slices_by not in labellers:
            raise UnknownName(f"{where}, slices_by", "labelling comparator", suite.slices_by, labellers)
        return labellers[suite.slices_by]
    if len(labellers) > 1:
        raise ConfigError(
            f"{where}: several comparators know labels ({', '.join(labellers)}); say which one slices: slices_by."
        )
    return next(iter(labellers.values()), None)


def _rank(sequence: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    import numpy as np

    rank = np.full(size, -1, dtype=np.int64)
    rank[sequence] = np.arange(len(sequence))
    return rank


def _check_metrics(plan: Plan, where: str) -> None:
    from harness.run.rows import OPERATIONAL

    compared = {metric for metric, _ in plan.comparators}
    for clash in sorted(compared & OPERATIONAL):
        raise ConfigError(f'{where}, [comparators.{clash}]: "{clash}" is measured by the harness itself; rename it.')
    for criterion in plan.policy.criteria:
        known = compared | OPERATIONAL
        place = f'{where}, criterion "{criterion.name}"'
        if criterion.metric not in known and criterion.kind not in ("exceed", "limit", "cost"):
            raise UnknownName(place, "metric", criterion.metric, known)
        # A comparator whose 1 is a bad event, read as a score, would call the worst target the best.
        kinds = getattr(dict(plan.comparators).get(criterion.metric), "kinds", None)
        kinds = ("flip",) if criterion.metric == "error" else kinds
        if kinds is not None and criterion.kind not in kinds:
            raise ConfigError(
                f'{place}: metric "{criterion.metric}" is of kind {" or ".join(kinds)}, not {criterion.kind.value}.'
            )
        if criterion.metric == "cost_usd" and set(plan.prices) != set(Side):
            raise ConfigError(f"{place}: cost needs both [prices.source] and [prices.target]; a side without is free.")


def _check_calibration(plan: Plan, where: str) -> None:
    """A latency threshold set by too few source calls would wave a slow target through."""
    for criterion in plan.policy.criteria:
        if criterion.kind != "exceed" or criterion.quantile is None or criterion.advisory:
            continue
        least = max(LEAST_CALIBRATION, math.ceil(round(20 / (1 - criterion.quantile), 6)))
        if plan.suite.calibration < least:
            raise ConfigError(
                f'{where}, [suite]: calibration {plan.suite.calibration} is too little for criterion "{criterion.name}"'
                f": quantile {criterion.quantile:g} needs {least} source calls. Raise it, or make the criterion "
                "advisory."
            )
