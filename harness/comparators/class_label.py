"""The deployed decision: the label that the application takes from the scores, on both sides.

One score a row and a threshold, or the largest of several columns. A flip close to the threshold is a flip: the
customer gets the other answer. How close it was stands in the reason, for the reader and not for the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.comparators import not_of, number, pair_scores, quoted, word
from harness.core.case import Case
from harness.core.output import Output, Scores
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

UNIT = "score"


@dataclass(frozen=True, slots=True)
class Cut:
    """label = positive when score >= threshold, else negative. column: which score; None: the only one there is."""

    threshold: float
    positive: str
    negative: str
    column: str | None


@dataclass(frozen=True, slots=True)
class ClassLabel:
    """value 1 when the label of any row flips, else 0; distance is the largest score difference of a row that flips,
    or of any row where none does.

    `cut` None: the largest of several columns wins, the first of equals. `labels` names the columns; None: their own
    names do. Without either setting the default cut at 0.5 serves answers of one column, the largest column others.
    A score that is NaN, or infinite where it meets a threshold, has no label: in the target that is a mismatch, in the
    source the case is incomparable.
    """

    cut: Cut | None
    labels: tuple[str, ...] | None
    either: bool = False
    name: str = "class_label"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits: 1 is a bad event."""
        return ("flip",)

    def signature(self) -> str:
        if self.cut is None:
            return "|".join([self.name, "largest", *([f"labels:{_listed(self.labels)}"] if self.labels else [])])
        cut = self.cut
        parts = [self.name, f"threshold:{cut.threshold!r}", f"positive:{word(cut.positive)}"]
        parts.append(f"negative:{word(cut.negative)}")
        parts += [f"column:{word(cut.column)}"] if cut.column is not None else []
        return "|".join([*parts, "several:largest"] if self.either else parts)

    def label(self, output: Output, *, case: Case | None = None) -> str | None:  # noqa: ARG002
        """The deployed label; None where a row has none.

        Of several rows: the distinct labels, sorted and joined by "+", so that cases which hold a rare label stand
        in few slices rather than each in one of its own.
        """
        if not isinstance(output, Scores):
            return None
        found = self._labels(output)
        return None if isinstance(found, str) else "+".join(sorted(set(found)))

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Scores):
            return self._say(case, Status.INCOMPARABLE, not_of("scores", "source", source))
        if not isinstance(target, Scores):
            return self._say(case, Status.MISMATCH, not_of("scores", "target", target))
        source_labels = self._labels(source)
        if isinstance(source_labels, str):
            return self._say(case, Status.INCOMPARABLE, f"the source has no label: {source_labels}")
        paired = pair_scores(source, target)
        if isinstance(paired, str):
            return self._say(case, Status.MISMATCH, paired)
        # One set of names for both sides: a side that names no columns must not look like a flip of every label.
        aligned = Scores(paired.target, source.columns)
        target_labels = self._labels(aligned)
        if isinstance(target_labels, str):
            return self._say(case, Status.MISMATCH, f"the target has no label: {target_labels}")
        flipped = [row for row, label in enumerate(source_labels) if label != target_labels[row]]
        # The largest-column rule admits equal infinities, which differ by nothing.
        with np.errstate(invalid="ignore"):
            apart = np.abs(self._deciding(aligned) - self._deciding(source)).max(axis=1)
        apart = np.where(np.isfinite(apart), apart, 0.0)
        if not flipped:
            return self._say(case, Status.MATCH, "", distance=float(apart.max()))
        row = max(flipped, key=lambda index: float(apart[index]))
        reason = self._flip(source, aligned, row, source_labels[row], target_labels[row])
        if len(source_labels) > 1:
            reason += f"; {len(flipped)} of {len(source_labels)} rows flip"
        return self._say(case, Status.MISMATCH, reason, distance=float(apart[row]))

    def _by_cut(self, output: Scores) -> Cut | None:
        """The cut that applies to an answer of this many columns."""
        return None if self.either and len(output.columns) > 1 else self.cut

    def _labels(self, output: Scores) -> tuple[str, ...] | str:
        """One label a row; or why there is none."""
        if output.values.size == 0:
            return "the answer holds no score"
        cut = self._by_cut(output)
        if cut is None:
            return self._largest(output)
        if cut.column is not None and cut.column not in output.columns:
            return str(UnknownName(f"{self.name}: column", "column", cut.column, output.columns))
        if cut.column is None and len(output.columns) > 1:
            known = quoted(output.columns)
            return f'{len(output.columns)} columns ({known}) and one threshold; name the score with "column"'
        scores = self._deciding(output)[:, 0]
        if not np.isfinite(scores).all():
            row = int(np.argmin(np.isfinite(scores)))
            return f"the score of row {row} is {float(scores[row])!r}"
        return tuple(cut.positive if score >= cut.threshold else cut.negative for score in scores.tolist())

    def _largest(self, output: Scores) -> tuple[str, ...] | str:
        names = self.labels or output.columns
        if len(names) != len(output.columns):
            return f"{len(output.columns)} columns for {len(names)} labels"
        if len(names) < 2:
            return "one column has no largest; set threshold, positive and negative"
        # A NaN anywhere makes the maximum NaN. -inf below it stays: it is the logarithm of a probability of 0.
        unusable = ~np.isfinite(output.values.max(axis=1))
        if unusable.any():
            row = int(np.argmax(unusable))
            return f"the scores of row {row} are {_cells(output, row)}"
        return tuple(names[index] for index in np.argmax(output.values, axis=1).tolist())

    def _deciding(self, output: Scores) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """The columns that decide, shape (rows, columns)."""
        cut = self._by_cut(output)
        if cut is None or cut.column is None:
            return output.values
        index = output.columns.index(cut.column)
        return output.values[:, index : index + 1]

    def _flip(self, source: Scores, target: Scores, row: int, was: str, now: str) -> str:
        cut = self._by_cut(source)
        if cut is None:
            return f'row {row}: source "{was}" ({_cells(source, row)}), target "{now}" ({_cells(target, row)})'
        source_score, target_score = float(self._deciding(source)[row, 0]), float(self._deciding(target)[row, 0])
        return (
            f'row {row}: source "{was}" ({source_score!r}), target "{now}" ({target_score!r}); '
            f"the source is {abs(source_score - cut.threshold):.3g} from the threshold {cut.threshold!r}"
        )

    def _say(self, case: Case, status: Status, reason: str, *, distance: float | None = None) -> Comparison:
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=status,
            value=None if status is Status.INCOMPARABLE else float(status is Status.MISMATCH),
            distance=distance,
            unit="" if distance is None else UNIT,
            reason=reason,
        )


def build(
    *,
    threshold: float | None = None,
    positive: str | None = None,
    negative: str | None = None,
    column: str | None = None,
    labels: Sequence[str] | None = None,
) -> ClassLabel:
    """`[comparators.NAME] use = "class_label"`.

    threshold (0.5), positive ("1"), negative ("0"): a score of at least the threshold is positive. column: which of
    several columns is the score. labels: names of the columns where the largest of them decides. With no option at
    all, one column is cut at 0.5 and of several the largest decides.
    Raises ConfigError where options are of the wrong kind or contradict each other.
    """
    cuts = {"threshold": threshold, "positive": positive, "negative": negative, "column": column}
    given = [name for name, value in cuts.items() if value is not None]
    if labels is not None:
        if given:
            raise ConfigError(
                f"class_label: labels go with the largest of several columns, {', '.join(given)} with one score: "
                "give one or the other."
            )
        return ClassLabel(cut=None, labels=_names(labels))
    cut = Cut(
        threshold=number("class_label", "threshold", 0.5 if threshold is None else threshold),
        positive=_text("positive", "1" if positive is None else positive),
        negative=_text("negative", "0" if negative is None else negative),
        column=None if column is None else _text("column", column),
    )
    if cut.positive == cut.negative:
        raise ConfigError(f'class_label: positive and negative are both "{cut.positive}": no flip could ever be seen.')
    return ClassLabel(cut=cut, labels=None, either=not given)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"class_label: {name} must be a text that is not empty, not {value!r}.")
    return value


def _names(labels: object) -> tuple[str, ...]:
    if isinstance(labels, str) or not isinstance(labels, Sequence):
        raise ConfigError(f"class_label: labels must be a list of texts, not {labels!r}.")
    names = tuple(_text("a label", label) for label in labels)
    if len(names) < 2 or len(set(names)) != len(names):
        raise ConfigError(f"class_label: labels must be two or more different names, not {list(names)!r}.")
    return names


def _listed(labels: tuple[str, ...] | None) -> str:
    return ",".join(word(label) for label in labels or ())


def _cells(output: Scores, row: int) -> str:
    cells = [repr(value) for value in output.values[row, :6].tolist()]
    return ", ".join([*cells, "..."] if output.values.shape[1] > 6 else cells)
