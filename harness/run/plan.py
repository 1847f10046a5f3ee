"""Everything that is known before the first call, checked: a plan either runs or says why not."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import config
from harness.core import registry
from harness.core.call import Role, Side
from harness.core.case import Case, Lot, Request, Translation
from harness.core.protocols import Comparator, Labeller, Pair, Placed, Service
from harness.errors import ConfigError, UnencodableRequest, UnknownName
from harness.gate.policy import Policy, load_policy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.recordings.store import GoldenSet

LEAST_CALIBRATION = 400  # GATE_STATS section 4: with 40 calls, false GO on latency rose to 10 %
PROOF_CASES = 60  # GATE_STATS section 9: without a flip in 60 cases a source counts as deterministic


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One suite under one profile, ready to replay.

    order: indices into the golden set, shuffled by the suite's seed (and cut when a sample was asked for). Cases that
    carry the request of an earlier one are not among them: one payload is one unit of evidence.
    rank: the inverse: golden index -> place in the order; -1 where the case is not replayed.
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
    _translate: Callable[[Request], Translation]

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
            request=self.source.codec.read_request(recording),
            recording=recording,
            cluster=stored.cluster or recording.id,
            slices=stored.slices,
            expected=stored.expected,
            slices_only=stored.slices_only,
        )

    def translate(self, case: Case) -> Translation:
        """The target's request. Raises UnencodableRequest naming the case."""
        try:
            return self._translate(case.request)
        except UnencodableRequest as exc:
            raise UnencodableRequest(f"{self.suite.golden.name}, case {case.id}: {exc}") from exc

    def roles(self, index: int) -> tuple[Role, ...]:
        """The calls that the case at `index` needs: a second source call unless the source has proved deterministic."""
        if self.suite.deterministic_source and self.rank[index] >= PROOF_CASES:
            return (Role.SOURCE, Role.TARGET)
        return (Role.SOURCE, Role.SOURCE_AGAIN, Role.TARGET)

    def service(self, side: Side) -> Service:
        return self.source if side is Side.SOURCE else self.target


def lot_id(index: int, case: Case) -> str:
    """Names the conversation of one case in the ledger; begins with its index in the golden set."""
    return f"{index}:{case.id}"


def lot_index(lot: str) -> int:
    return int(lot.partition(":")[0])


def make(
    suite_path: Path, profile: config.Profile, *, lab: dict[str, str] | None = None, sample: int | None = None
) -> Plan:
    """Read suite, policy, golden set and plug-ins; opens nothing on the network.

    Raises ConfigError and its kin naming file and key.
    """
    if sample is not None and sample < 1:
        raise ConfigError(f"a sample of {sample} cases is no sample; ask for 1 or more.")
    from harness.recordings.sample import order
    from harness.recordings.store import GoldenSet

    suite = config.load_suite(suite_path)
    policy = load_policy(suite_path)
    where = str(suite_path)
    pair = pair_of(suite.pair, dict(suite.pair_options), where=where, suite_folder=suite.folder)
    settings = {side: config.side_settings(profile, suite, side, lab=lab or {}) for side in (Side.SOURCE, Side.TARGET)}
    if isinstance(pair, Placed):
        pair.checked(settings[Side.SOURCE].cloud, settings[Side.TARGET].cloud)
    golden = GoldenSet.open(suite.golden)
    primaries = golden.primaries
    sequence = primaries[order(len(primaries), suite.seed)][:sample]
    comparators = _comparators(suite, where)
    plan = Plan(
        suite=suite,
        profile=profile,
        policy=policy,
        pair=pair,
        translation=suite.request_builder or pair.name,
        source=_service(pair.source, settings[Side.SOURCE], suite.source_options, where),
        target=_service(pair.target, settings[Side.TARGET], suite.target_options, where),
        source_settings=settings[Side.SOURCE],
        target_settings=settings[Side.TARGET],
        comparators=comparators,
        labeller=_labeller(suite, comparators, where),
        golden=golden,
        order=sequence,
        rank=_rank(sequence, len(golden)),
        sample=sample if sample is not None and sample < len(primaries) else None,
        _translate=_translator(suite, pair, where),
    )
    _check_metrics(plan, where)
    _check_calibration(plan, where)
    return plan


def in_lab(plan: Plan, addresses: dict[str, str]) -> Plan:
    """The same plan, its services built for a lab at these addresses; for no addresses, the plan as it is."""
    if not addresses:
        return plan
    suite, where = plan.suite, str(plan.suite.path)
    source, target = (config.side_settings(plan.profile, suite, side, lab=addresses) for side in Side)
    return replace(
        plan,
        source=_service(plan.pair.source, source, suite.source_options, where),
        target=_service(plan.pair.target, target, suite.target_options, where),
        source_settings=source,
        target_settings=target,
    )


def preflight(plan: Plan) -> None:
    """Say every request in both services' words, without sending one.

    A comparator that has a `check` is asked of every case. Raises UnencodableRequest naming the first case that cannot
    be said, ConfigError for one that cannot be compared: better now than after the first paid call.
    """
    checks = [item.check for _, item in plan.comparators if hasattr(item, "check")]
    for index in plan.order.tolist():
        case = plan.case(index)
        for check in checks:
            check(case)
        identity = lot_id(index, case)
        for side, request in ((Side.SOURCE, case.request), (Side.TARGET, plan.translate(case).request)):
            try:
                plan.service(side).codec.next(Lot(identity, {case.id: request}), ())
            except UnencodableRequest as exc:
                raise UnencodableRequest(f"{plan.suite.golden.name}, case {case.id}, {side.value}: {exc}") from exc


def pair_of(name: str, options: dict[str, Any], *, where: str, suite_folder: Path | None = None) -> Pair:
    """A pair by its name in a suite. A file that its options name ("models") lies beside the suite."""
    if suite_folder is not None and isinstance(options.get("models"), str):
        options = {**options, "models": str(suite_folder / options["models"])}
    pair: Pair = registry.load("pairs", name, where=where, suite_folder=suite_folder, **options)
    return pair


def _service(name: str, settings: config.SideSettings, options: Any, where: str) -> Service:
    service: Service = registry.load("services", name, where=where, settings=settings, **options)
    return service


def _comparators(suite: config.Suite, where: str) -> tuple[tuple[str, Comparator], ...]:
    return tuple(
        (
            item.metric,
            registry.load(
                "comparators",
                item.use,
                where=f"{where}, [comparators.{item.metric}]",
                suite_folder=suite.folder,
                **item.options,
            ),
        )
        for item in suite.comparators
    )


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


def _translator(suite: config.Suite, pair: Pair, where: str) -> Callable[[Request], Translation]:
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
        if criterion.metric == "cost_usd" and set(plan.suite.prices) != set(Side):
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
