"""Two simulated filters with known thresholds on labelled texts: are the known error rates and thresholds found again?

    .venv/bin/python benchmarks/safety.py FILE            # samples-1680.jsonl.gz, 20 seconds

FILE holds prompts that people labelled by eight kinds of harm (JSON Lines, gzipped). A filter is simulated as what a
filter is: a latent score a category, higher where people saw that harm, cut into grades, and a threshold that blocks.
The source grades by confidence (0 to 3), the target by severity (0 to 7) on a scale of its own, so that no level of one
is a level of the other. Nothing judges: the labels and the decisions are all there is. Since the simulation's own rates
are known in closed form, every estimate can be held against the truth:

1. unsafe-miss and overblock rates against the labels, with 95 % intervals: how often does the interval hold the truth?
2. kappa between the filters and its 95 % interval, against kappa of the exact joint distribution;
3. thresholds fitted on half of the texts so that the target decides as the source did: how near is the other half's
   agreement to that of the best thresholds there are, and to that of "level by level"?
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from pathlib import Path

import numpy as np

from harness.stats.agreement import Share, agreement, decide, fit_thresholds

CATEGORIES = ("S", "H", "V", "SH", "HR")
ROUNDS = 200
# Latent score = LIFT * label + a part that both filters see (SHARED) + the filter's own noise; all of unit variance.
LIFT, SHARED = 2.5, 0.6
SOURCE_CUTS, SOURCE_BLOCKS = (0.8, 1.5, 2.2), 2  # confidence LOW, MEDIUM, HIGH; blocks from MEDIUM
TARGET_CUTS, TARGET_BLOCKS = (0.4, 0.9, 1.3, 1.7, 2.1, 2.6, 3.2), 4  # severities 1 to 7; blocks from 4


def main() -> None:
    labels = read(Path(sys.argv[1]))
    unsafe = labels.any(axis=1)
    print(f"{len(labels)} texts, {int(unsafe.sum())} unsafe by people's labels in {len(CATEGORIES)} categories\n")
    truths = exact(labels, unsafe)
    found = {name: [] for name in truths}
    held = dict.fromkeys(truths, 0)
    fits = []
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        source, target = grades(labels, rng)
        acted = [
            decide(side, dict.fromkeys(CATEGORIES, blocks))
            for side, blocks in zip((source, target), (SOURCE_BLOCKS, TARGET_BLOCKS), strict=True)
        ]
        for name, (estimate, low, high) in estimates(unsafe, *acted).items():
            found[name].append(estimate)
            held[name] += low <= truths[name] <= high
        fits.append(fitted(target, acted[0], rng))
    print(f"{ROUNDS} rounds | known | mean estimate | 95 % interval held it")
    for name, truth in truths.items():
        print(f"{name:<34} | {truth:.4f} | {np.mean(found[name]):.4f} | {held[name] / ROUNDS:.1%}")
    print("\nagreement of the target with the source's decisions on the half that was not fitted on")
    for name, column in zip(
        ("level by level (severity >= 2 blocks)", "as deployed", "fitted", "best there are"),
        zip(*fits, strict=True),
        strict=False,
    ):
        print(f"{name:<40} {np.mean(column):.4f}")


def read(path: Path) -> np.ndarray:
    """Labels, shape (texts, categories); a label that is absent is none."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return np.array([[row.get(name, 0) for name in CATEGORIES] for row in rows], dtype=float)


def grades(labels: np.ndarray, rng: np.random.Generator) -> list[dict[str, np.ndarray]]:
    shared = rng.normal(size=labels.shape) * math.sqrt(SHARED)
    sides = []
    for cuts in (SOURCE_CUTS, TARGET_CUTS):
        latent = LIFT * labels + shared + rng.normal(size=labels.shape) * math.sqrt(1 - SHARED)
        levels = np.searchsorted(cuts, latent, side="right").astype(float)
        sides.append({name: levels[:, at] for at, name in enumerate(CATEGORIES)})
    return sides


def estimates(unsafe: np.ndarray, source: np.ndarray, target: np.ndarray) -> dict[str, tuple[float, float, float]]:
    made = {}
    for side, acted in (("source", source), ("target", target)):
        missed = Share(count=int((unsafe & ~acted).sum()), n=int(unsafe.sum()))
        over = Share(count=int((~unsafe & acted).sum()), n=int((~unsafe).sum()))
        made[f"{side}: unsafe texts missed"] = (missed.estimate, *missed.interval)
        made[f"{side}: safe texts blocked"] = (over.estimate, *over.interval)
    both = agreement(source, target)
    half = 1.959964 * both.kappa_error
    made["kappa between the filters"] = (both.kappa, both.kappa - half, both.kappa + half)
    made["of the source's blocks, target misses"] = (both.missed.estimate, *both.missed.interval)
    return made


def exact(labels: np.ndarray, unsafe: np.ndarray) -> dict[str, float]:
    """The same figures from the simulation's own probabilities, averaged over these labels; no draw is made."""
    from scipy.stats import multivariate_normal, norm

    cuts = (SOURCE_CUTS[SOURCE_BLOCKS - 1], TARGET_CUTS[TARGET_BLOCKS - 1])
    joint = multivariate_normal([0, 0], [[1, SHARED], [SHARED, 1]])
    silent = [np.prod(norm.cdf(cut - LIFT * labels), axis=1) for cut in cuts]
    both_by_label = {label: joint.cdf([cut - LIFT * label for cut in cuts]) for label in (0.0, 1.0)}
    neither = np.prod(np.vectorize(both_by_label.get)(labels), axis=1)
    truths = {}
    for side, quiet in zip(("source", "target"), silent, strict=True):
        truths[f"{side}: unsafe texts missed"] = float(quiet[unsafe].mean())
        truths[f"{side}: safe texts blocked"] = float(1 - quiet[~unsafe].mean())
    p_neither, p_source, p_target = float(neither.mean()), 1 - float(silent[0].mean()), 1 - float(silent[1].mean())
    p_both = p_source + p_target - (1 - p_neither)
    chance = p_source * p_target + (1 - p_source) * (1 - p_target)
    truths["kappa between the filters"] = (p_both + p_neither - chance) / (1 - chance)
    truths["of the source's blocks, target misses"] = 1 - p_both / p_source
    return truths


def fitted(target: dict, wanted: np.ndarray, rng: np.random.Generator) -> tuple[float, float, float, float]:
    half = rng.random(len(wanted)) < 0.5
    thresholds = fit_thresholds({name: column[half] for name, column in target.items()}, wanted[half])
    best = fit_thresholds({name: column[~half] for name, column in target.items()}, wanted[~half])
    settings = (dict.fromkeys(CATEGORIES, SOURCE_BLOCKS), dict.fromkeys(CATEGORIES, TARGET_BLOCKS), thresholds, best)
    return tuple(agreement(wanted[~half], decide(target, one)[~half]).agree.estimate for one in settings)


if __name__ == "__main__":
    main()
