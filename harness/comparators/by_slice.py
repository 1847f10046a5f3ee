"""The comparator that a slice of the case names: one metric for a suite of questions of several kinds.

Each value of the slice has a comparator with its options. All of them must fit one kind of criterion, since their
values become rows of one metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.comparators import word
from harness.core import registry
from harness.core.case import Case, Request
from harness.core.output import Output
from harness.core.protocols import Asker, Comparator, Judge, Labeller
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName


@dataclass(frozen=True, slots=True, kw_only=True)
class BySlice:
    """What the comparator of the case's value says, its signature in place of this one's.

    default: for values without a comparator of their own and for cases without the slice; None: such a case stops
    the run before its first call.
    """

    slice: str
    values: Mapping[str, Comparator]
    default: Comparator | None = None
    kinds: tuple[str, ...] | None = None
    name: str = "by_slice"

    def signature(self) -> str:
        inner = [f"{word(value)}({comparator.signature()})" for value, comparator in sorted(self.values.items())]
        inner += [f"otherwise({self.default.signature()})"] if self.default is not None else []
        return "|".join([self.name, f"slice:{word(self.slice)}", *inner])

    def check(self, case: Case) -> None:
        """Before the first call: raises ConfigError where no comparator holds for the case, or its own objects."""
        check = getattr(self._chosen(case), "check", None)
        if check is not None:
            check(case)

    def compare(
        self, source: Output, target: Output, *, case: Case, answers: Sequence[Output | None] = ()
    ) -> Comparison:
        """answers: of the judge, where the case's comparator asks one."""
        try:
            chosen = self._chosen(case)
        except ConfigError as exc:
            status, reason = Status.INCOMPARABLE, str(exc)
            return Comparison(case_id=case.id, comparator=self.signature(), status=status, value=None, reason=reason)
        if isinstance(chosen, Asker):
            said = chosen.compare(source, target, case=case, answers=answers)
        else:
            said = chosen.compare(source, target, case=case)
        return replace(said, comparator=self.signature())

    def _chosen(self, case: Case) -> Comparator:
        """Raises ConfigError naming the case and the values that have a comparator."""
        value = case.slices.get(self.slice)
        if value is not None and value in self.values:
            return self.values[value]
        if self.default is not None:
            return self.default
        where = f"{self.name}: case {case.id}"
        if value is None:
            raise ConfigError(f'{where} has no slice "{self.slice}"; give it one in the golden set, or set a default.')
        raise UnknownName(where, f'value of slice "{self.slice}"', value, self.values)


class Asking(BySlice):
    """One of its comparators asks a judge, and is asked what to ask."""

    __slots__ = ()

    @property
    def judge(self) -> Judge:
        return _judges((*self.values.values(), self.default))[0]

    def ask(self, source: Output, target: Output, *, case: Case) -> tuple[Request, ...]:
        """What the case's comparator would ask; () where it asks nobody, or none holds for the case."""
        try:
            chosen = self._chosen(case)
        except ConfigError:
            return ()
        return chosen.ask(source, target, case=case) if isinstance(chosen, Asker) else ()


class Labelling(BySlice):
    """One of its comparators knows labels."""

    __slots__ = ()

    def label(self, output: Output, *, case: Case) -> str | None:
        """As the case's comparator says; None where that knows none, or none holds for the case."""
        try:
            chosen = self._chosen(case)
        except ConfigError:
            return None
        return chosen.label(output, case=case) if isinstance(chosen, Labeller) else None


class AskingAndLabelling(Asking, Labelling):
    __slots__ = ()


def build(
    *,
    slice: str,  # noqa: A002 - the key in the suite file
    values: Mapping[str, Mapping[str, Any]],
    default: Mapping[str, Any] | None = None,
) -> BySlice:
    """`[comparators.NAME] use = "by_slice"`.

    slice: the key of the cases' slices. values: {value: {use = "COMPARATOR", ...options}}. default: the same for
    every other case.
    It asks a judge where one of them does, and slices by label where one of them can.
    Raises ConfigError where a table is none, where the comparators fit no one kind of criterion, or where they would
    ask different judges.
    """
    if not isinstance(slice, str) or not slice:
        raise ConfigError(f"by_slice: slice must be the key of a slice, not {slice!r}.")
    if not isinstance(values, Mapping) or not values:
        raise ConfigError('by_slice: values must name a comparator for each value, as in values.price.use = "...".')
    inner = {value: _inner(f'by_slice: values."{value}"', table) for value, table in values.items()}
    otherwise = None if default is None else _inner("by_slice: default", default)
    judges = _judges((*inner.values(), otherwise))
    if any(judge != judges[0] for judge in judges):
        named = ", ".join(dict.fromkeys(f"{one.service}/{one.endpoint} ({one.calls} calls)" for one in judges))
        raise ConfigError(
            f"by_slice: one metric asks one judge, with one ceiling and account, and these differ: {named}."
        )
    labels = any(isinstance(one, Labeller) for one in (*inner.values(), otherwise))
    made = {(False, False): BySlice, (True, False): Asking, (False, True): Labelling, (True, True): AskingAndLabelling}
    return made[bool(judges), labels](slice=slice, values=inner, default=otherwise, kinds=_kinds(inner, otherwise))


def _judges(comparators: Iterable[object]) -> list[Judge]:
    return [one.judge for one in comparators if isinstance(one, Asker)]


def _inner(where: str, table: object) -> Comparator:
    if not isinstance(table, Mapping) or not isinstance(table.get("use"), str):
        raise ConfigError(f'{where}: must be a table with use = "COMPARATOR" and its options, not {table!r}.')
    use = table["use"]
    if use == "by_slice":
        raise ConfigError(f"{where}: by_slice inside by_slice; name every value once, in one table.")
    if ":" in use:
        raise ConfigError(f'{where}: "{use}" lies beside the suite, where only use = of the metric itself reaches.')
    options = {key: value for key, value in table.items() if key != "use"}
    comparator: Comparator = registry.load("comparators", use, where=where, **options)
    return comparator


def _kinds(values: Mapping[str, Comparator], default: Comparator | None) -> tuple[str, ...] | None:
    """The kinds that fit every comparator; None where none of them says any."""
    said = {f'values."{value}"': getattr(comparator, "kinds", None) for value, comparator in values.items()}
    said["default"] = getattr(default, "kinds", None)
    told = {place: kinds for place, kinds in said.items() if kinds is not None}
    if not told:
        return None
    first = next(iter(told.values()))
    common = tuple(kind for kind in first if all(kind in kinds for kinds in told.values()))
    if not common:
        listed = ", ".join(f"{place} is of kind {' or '.join(kinds)}" for place, kinds in told.items())
        raise ConfigError(
            f'by_slice: one metric has values of one kind, and {listed}. Many comparators take as = "score".'
        )
    return common
