"""Planted causes: is the right one named first?

    .venv/bin/python benchmarks/root_cause.py [--seeds 5] [--verbose]

Four kinds of system answer the same requests: a regression, a probability, class probabilities and class numbers, each
by a linear model and by a model of thresholds. Each cause is planted in the target, alone and with noise in the last
digits of float32, at strengths drawn by a seed. Printed: how often the right one is named first, and among three.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.stats.cause import Pairs, explain
from harness.stats.cause.pairs import Column

ROWS = 600
NAMES = ("age", "income", "tenure", "rate", "visits")
CITIES = ("Oslo", "Bergen", "Tromsø", "Bodø")


@dataclass(frozen=True)
class World:
    """Requests and a model. numbers: (rows, 5), NaN where missing; city: a category's place."""

    numbers: np.ndarray
    city: np.ndarray
    answer: Callable[[np.ndarray, np.ndarray], np.ndarray]
    rng: np.random.Generator

    def pairs(self, target: np.ndarray, *, source: np.ndarray | None = None, group: np.ndarray | None = None) -> Pairs:
        source = self.answer(self.numbers, self.city) if source is None else source
        inputs = [
            Column(
                name=name,
                numbers=column,
                texts=tuple(None if np.isnan(value) else repr(float(value)) for value in column),
            )
            for name, column in zip(NAMES, self.numbers.T, strict=True)
        ]
        city = Column(
            name="city", numbers=np.full(len(self.city), np.nan), texts=tuple(CITIES[place] for place in self.city)
        )
        columns = [tuple(f"c{at}" for at in range(side.shape[1])) for side in (source, target)]
        return Pairs(
            source=source,
            target=target,
            columns=columns[0],
            target_columns=columns[1],
            inputs=(*inputs, city),
            group=group,
        )


def world(kind: str, seed: int) -> World:
    """kind: regression, probability, classes, numbers; with "_trees" by a model of thresholds."""
    rng = np.random.default_rng([seed, sum(map(ord, kind))])
    numbers = np.column_stack(
        [
            rng.integers(18, 90, ROWS).astype(float),
            rng.lognormal(10, 0.5, ROWS),
            rng.exponential(5, ROWS),
            rng.normal(0.5, 0.15, ROWS),
            rng.poisson(3, ROWS).astype(float),
        ]
    )
    numbers[rng.random(ROWS) < 0.06, 2] = np.nan
    city = rng.integers(0, len(CITIES), ROWS)
    weights, offsets = rng.normal(size=(5, 4)), rng.normal(size=(len(CITIES), 4))
    weights += 0.4 * np.sign(weights)
    trees = kind.endswith("_trees")
    cuts, steps = rng.normal(size=(30, 5)), rng.normal(size=(30, 5, 4)) * 0.6

    def linear(asked: np.ndarray, town: np.ndarray) -> np.ndarray:
        filled = np.where(np.isnan(asked), [50, 25000, 5, 0.5, 3], asked)
        z = (filled - [50, 25000, 5, 0.5, 3]) / [20, 13000, 5, 0.15, 1.7]
        if not trees:
            return z @ weights + offsets[town]
        return np.einsum("nkf,kfc->nc", z[:, None, :] > cuts[None], steps) / 2 + offsets[town]

    def answer(asked: np.ndarray, town: np.ndarray) -> np.ndarray:
        scores = linear(asked, town)
        match kind.removesuffix("_trees"):
            case "regression":
                return 100 + 12 * scores[:, :1]
            case "probability":
                return 1 / (1 + np.exp(-scores[:, :1]))
            case "classes":
                powers = np.exp(scores - scores.max(axis=1, keepdims=True))
                return powers / powers.sum(axis=1, keepdims=True)
        return scores.argmax(axis=1)[:, None].astype(float)

    return World(numbers=numbers, city=city, answer=answer, rng=rng)


def logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


def asked(change: Callable[[np.ndarray], None]) -> Callable[[World, np.ndarray], np.ndarray]:
    """The target answers what `change` makes of the request's numbers."""

    def plant(made: World, _: np.ndarray) -> np.ndarray:
        numbers = made.numbers.copy()
        change(numbers)
        return made.answer(numbers, made.city)

    return plant


def swap(i: int, j: int) -> Callable[[np.ndarray], None]:
    def change(numbers: np.ndarray) -> None:
        numbers[:, [i, j]] = numbers[:, [j, i]]

    return change


def times(i: int, factor: float) -> Callable[[np.ndarray], None]:
    def change(numbers: np.ndarray) -> None:
        numbers[:, i] *= factor

    return change


def put(i: int, value: float, *, where_missing: bool = False) -> Callable[[np.ndarray], None]:
    def change(numbers: np.ndarray) -> None:
        numbers[np.isnan(numbers[:, i]) if where_missing else slice(None), i] = value

    return change


def recoded(made: World, _: np.ndarray) -> np.ndarray:
    one, other = made.rng.choice(len(CITIES), 2, replace=False)
    return made.answer(made.numbers, np.where(made.city == one, other, made.city))


def by_threshold(made: World, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score and label: the label's cut has moved."""
    old, new = 0.5, 0.5 + made.rng.uniform(0.05, 0.2)
    return np.hstack([source, source >= old]), np.hstack([source, source >= new])


def beside(plant: Callable[[World, np.ndarray], np.ndarray]) -> Callable[[World, np.ndarray], object]:
    """The plant in the second of two columns; the first, a number of its own, stays what it was."""

    def both(made: World, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = made.rng.normal(50, 9, size=(len(source), 1))
        return np.hstack([first, source]), np.hstack([first, plant(made, source)])

    return both


def permuted(source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    while True:
        order = rng.permutation(source.shape[1])
        apart = (order - np.arange(len(order))) % len(order)
        if (apart != 0).sum() > 2 and np.ptp(apart) > 0:  # neither two columns swapped nor all of them shifted
            return source[:, order]


# cause -> (kind of system, plant, names that are right). A plant gives the target, or both sides.
PLANTS: dict[str, tuple[str, Callable[[World, np.ndarray], object], tuple[str, ...]]] = {
    "float32": ("regression", lambda _, s: s.astype(np.float32).astype(float), ("float32",)),
    "float32 probability": ("probability", lambda _, s: s.astype(np.float32).astype(float), ("float32",)),
    "float16": ("probability", lambda _, s: s.astype(np.float16).astype(float), ("float16",)),
    "rounded to 3": ("probability", lambda _, s: s.round(3), ("rounded",)),
    "bias": ("regression", lambda w, s: s + w.rng.uniform(0.5, 5), ("bias",)),
    "bias on a probability": ("probability_trees", lambda w, s: s + w.rng.uniform(0.01, 0.05), ("bias",)),
    "percent": ("probability", lambda _, s: s * 100, ("scale",)),
    "thousands": ("regression", lambda _, s: s / 1000, ("scale",)),
    "odd scale": ("regression", lambda w, s: s * w.rng.uniform(1.02, 1.3), ("scale",)),
    "sign": ("regression", lambda _, s: -s, ("scale",)),
    "Fahrenheit": ("regression", lambda _, s: s * 1.8 + 32, ("scale_and_bias",)),
    "sigmoid left out": ("probability", lambda _, s: logit(s), ("sigmoid_left_out",)),
    "sigmoid twice": ("probability", lambda _, s: 1 / (1 + np.exp(-s)), ("sigmoid_added",)),
    "softmax left out": ("classes", lambda w, s: np.log(s) + w.rng.normal(size=(len(s), 1)), ("softmax_left_out",)),
    "log probabilities": ("classes", lambda _, s: np.log(s), ("logarithm", "softmax_left_out")),
    "log target": ("regression", lambda _, s: np.log1p(np.abs(s)), ("log1p",)),
    "other class's probability": ("probability", lambda _, s: 1 - s, ("complement",)),
    "two columns swapped": ("classes", lambda _, s: s[:, [1, 0, 2, 3]], ("columns_swapped",)),
    "class order": ("classes_trees", lambda w, s: permuted(s, w.rng), ("class_order",)),
    "classes off by one": ("classes", lambda _, s: np.roll(s, 1, axis=1), ("class_off_by_one",)),
    "class numbers off by one": ("numbers", lambda _, s: s + 1, ("off_by_one",)),
    "class numbers renamed": ("numbers", lambda _, s: np.array([2.0, 0.0, 3.0, 1.0])[s.astype(int)], ("class_order",)),
    "column missing": ("classes", lambda w, s: np.delete(s, w.rng.integers(4), axis=1), ("column_missing",)),
    "rows shuffled": ("regression", lambda w, s: s[w.rng.permutation(len(s))], ("rows_shuffled",)),
    "rows moved by one": ("probability", lambda _, s: np.roll(s, 1, axis=0), ("rows_moved",)),
    "threshold moved": ("probability", by_threshold, ("threshold_moved",)),
    "threshold moved, label alone": (
        "probability",
        lambda w, s: ((s >= 0.5) * 1.0, (s >= 0.5 + w.rng.uniform(0.05, 0.2)) * 1.0),
        ("threshold_moved",),
    ),
    "label for a probability": ("probability", lambda w, s: s >= w.rng.uniform(0.3, 0.7), ("labels_not_scores",)),
    "class number for its scores": ("classes", lambda _, s: s.argmax(axis=1)[:, None], ("labels_not_scores",)),
    "one column's sigmoid": ("probability", beside(lambda _, s: logit(s)), ("sigmoid_left_out",)),
    "inputs swapped, one column": ("probability", beside(asked(swap(0, 3))), ("input_columns_swapped",)),
    "one category": ("probability", recoded, ("category",)),
    "one category, trees": ("regression_trees", recoded, ("category",)),
    "missing as 0": ("regression", asked(put(2, 0.0, where_missing=True)), ("missing_values",)),
    "missing as -1, trees": ("probability_trees", asked(put(2, -1.0, where_missing=True)), ("missing_values",)),
    "NaN filled": ("regression", lambda _, s: s, ("missing_filled",)),
    "clipped": ("regression", lambda _, s: np.clip(s, *np.quantile(s, [0.1, 0.9])), ("clipped",)),
    "inputs swapped": ("probability", asked(swap(0, 3)), ("input_columns_swapped",)),
    "inputs swapped, trees": ("regression_trees", asked(swap(0, 4)), ("input_columns_swapped",)),
    "input in thousands": ("regression", asked(times(1, 0.001)), ("input_scaled", "input_column_missing")),
    "input in months": ("regression", asked(times(2, 12)), ("input_scaled",)),
    "input missing": ("probability", asked(put(0, 0.0)), ("input_column_missing",)),
    "input missing, trees": ("regression_trees", asked(put(0, 0.0)), ("input_column_missing",)),
}
QUIET = {"float32", "float32 probability", "float16", "rounded to 3"}  # noise in the last digits would be another cause


def planted(name: str, seed: int, *, noisy: bool) -> Pairs:
    kind, plant, _ = PLANTS[name]
    made = world(kind, seed)
    source = made.answer(made.numbers, made.city)
    if name == "NaN filled":
        source = np.where(made.rng.random(source.shape) < 0.05, np.nan, source)
        target = np.where(np.isnan(source), 0.0, source)
    else:
        target = plant(made, source)
    if isinstance(target, tuple):
        source, target = target
    if noisy:
        target = (target * (1 + made.rng.normal(size=target.shape) * 1e-7)).astype(np.float32).astype(float)
        if kind.startswith("numbers"):
            target = target.round()
    return made.pairs(np.asarray(target, dtype=float), source=np.asarray(source, dtype=float))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    first = third = runs = 0
    started = time.process_time()
    for name, (_, _, right) in PLANTS.items():
        hits = []
        for seed in range(args.seeds):
            for noisy in (False,) if name in QUIET else (False, True):
                found = explain(planted(name, seed, noisy=noisy))
                names = [cause.name for cause in found]
                hits.append((bool(names[:1]) and names[0] in right, bool(set(names[:3]) & set(right))))
                if args.verbose and not hits[-1][0]:
                    print("   ", name, seed, noisy, [(c.name, round(c.explained, 3), c.told[:60]) for c in found[:3]])
        first, third, runs = first + sum(h[0] for h in hits), third + sum(h[1] for h in hits), runs + len(hits)
        print(f"{name:<28} top-1 {sum(h[0] for h in hits)}/{len(hits)}   top-3 {sum(h[1] for h in hits)}/{len(hits)}")
    print(f"\n{len(PLANTS)} causes, {runs} runs: top-1 {first / runs:.1%}, top-3 {third / runs:.1%}")
    print(f"{(time.process_time() - started) / runs:.2f} s of CPU a run of {ROWS} rows")


if __name__ == "__main__":
    main()
