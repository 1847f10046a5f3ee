"""text_similarity against people's judgements, beside what others use; and the recipe of its model.

    python benchmarks/text_similarity.py fit        # writes harness/comparators/_text/model.json
    python benchmarks/text_similarity.py agreement  # EVOUNA NQ, folds by question, beside other scorers
    python benchmarks/text_similarity.py defects    # planted in rewordings of long answers
    python benchmarks/text_similarity.py near_copies # short answers that differ by one small word, and rewordings
    python benchmarks/text_similarity.py few_labels  # a model of short answers refitted with 200 labels of long ones
    python benchmarks/text_similarity.py overlap     # rouge_l and chrf beside their reference packages
    python benchmarks/text_similarity.py speed      # pairs a second, short answers and long ones

Data: EVOUNA, its Natural Questions part (C. Wang et al., 2023, "Evaluating Open-QA Evaluation"): answers of five
systems to a question and people's judgement of each. A pair of answers to one question is labelled 1 where both were
marked correct and 0 where exactly one was; pairs of which both were wrong are dropped. Read from ../shared/data
(--data).
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rewordings
from peers.environments import Peer
from rapidfuzz import fuzz

from harness.comparators._text import fitting
from harness.comparators._text.agreement import MEASURES, agreement, auc
from harness.comparators._text.features import FEATURES, pair
from harness.comparators._text.model import Model, default
from harness.comparators._text.overlap import OVERLAPS
from harness.comparators._text.salience import SIGNS, signs
from harness.comparators._text.similarity import Same, bounds, compare_texts
from harness.comparators._text.words import Kind, read

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "answer_equivalence" / "evouna_NQ.json"
MODEL = ROOT / "harness" / "comparators" / "_text" / "model.json"
NEAR_COPIES = [Path(__file__).with_name(name) for name in ("near_copies.jsonl", "near_copies_second.jsonl")]
CACHE = Path.home() / ".cache" / "parity-harness"
SYSTEMS = ("fid", "gpt35", "chatgpt", "gpt4", "newbing")
FOLDS, SEED = 5, 0
LONG_ANSWER = 150  # characters
LABELS = (0, 100, 200, 1000)
SCORERS = (
    Peer(words="ROUGE-L", package="rouge-score", version="0.1.2", worker="text_scorers.py", items=0, draws=0),
    Peer(words="chrF", package="sacrebleu", version="2.5.1", worker="text_scorers.py", items=0, draws=0),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems' answers to one question. same: both marked correct. question: its number in the file."""

    question: int
    prompt: str
    source: str
    target: str
    same: bool


def questions(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def pairs(items: list[dict[str, Any]]) -> list[Pair]:
    found = []
    for number, item in enumerate(items):
        for one, other in itertools.combinations(SYSTEMS, 2):
            marks = (item[f"judge_{one}"], item[f"judge_{other}"])
            texts = (item[f"answer_{one}"], item[f"answer_{other}"])
            if None not in marks + texts and any(marks):
                found.append(Pair(number, item["question"], *texts, all(marks)))
    return found


def salience(items: list[dict[str, Any]]) -> dict[str, float]:
    """Which words of answers marked correct stand in the reference answer; each answer weighs the same."""
    values, hits, weights = [], [], []
    for item in items:
        gold = read((item["golden_answer"] or "").replace("/", " . ")).stems
        for system in SYSTEMS:
            if not item[f"judge_{system}"] or item["improper"] or not item[f"answer_{system}"]:
                continue
            words = signs(item["question"], item[f"answer_{system}"])
            found = [token.stem in gold for token, *_ in words]
            if not any(found):
                continue
            for (_, shows, late, long), hit in zip(words, found, strict=True):
                row = np.zeros(len(SIGNS))
                row[shows] = 1.0
                row[SIGNS.index("late_in_sentence")], row[SIGNS.index("long_answer")] = late, long
                values.append(row)
                hits.append(float(hit))
                weights.append(1 / len(words))
    weight = np.array(weights) * len(weights) / sum(weights)
    free = [0] * (len(SIGNS) - 1)
    bias, betas = fitting.logistic(np.array(values)[:, 1:], np.array(hits), signs=free, weights=weight)
    return dict(zip(SIGNS, [bias, *betas.tolist()], strict=True))


def values(of: list[Pair], salient: dict[str, float]) -> np.ndarray:
    return np.array([pair(one.prompt, one.source, one.target, salient).values for one in of])


def fitted(train_items: list[dict[str, Any]], train: list[Pair]) -> Model:
    salient = salience(train_items)
    labels = np.array([one.same for one in train], dtype=float)
    bias, features = fitting.fusion(values(train, salient), labels)
    return replace(default(), bias=bias, features=dict(features), salience=salient, labels=len(train))


def folds(items: list[dict[str, Any]]) -> np.ndarray:
    return np.random.default_rng(SEED).integers(0, FOLDS, len(items))


def held_out(items: list[dict[str, Any]], all_pairs: list[Pair]) -> tuple[np.ndarray, np.ndarray]:
    """(scores as they ship, the bare probabilities) of every pair by a model that saw none of its question."""
    fold_of = folds(items)
    shipped, bare = np.zeros(len(all_pairs)), np.zeros(len(all_pairs))
    for fold in range(FOLDS):
        train = [one for one in all_pairs if fold_of[one.question] != fold]
        places = [place for place, one in enumerate(all_pairs) if fold_of[one.question] == fold]
        test = [all_pairs[place] for place in places]
        model = fitted([item for item, of in zip(items, fold_of, strict=True) if of != fold], train)
        bare[places] = fitting.probabilities(values(test, dict(model.salience)), model.bias, model.features)
        least, most = np.array([bounds(one.prompt, one.source, one.target, model) for one in test]).T
        shipped[places] = np.clip(bare[places], least, most)
    return shipped, bare


def fit(args: argparse.Namespace) -> None:
    """The model on all pairs, its thresholds on held-out probabilities; and those scores' agreement."""
    items = questions(args.data)
    all_pairs = pairs(items)
    shipped, bare = held_out(items, all_pairs)
    same_at, different_at = fitting.thresholds(bare, np.array([one.same for one in all_pairs], dtype=float))
    model = fitted(items, all_pairs)
    rounded = replace(
        model,
        bias=round(model.bias, 4),
        features={name: round(value, 4) for name, value in model.features.items()},
        salience={name: round(value, 4) for name, value in model.salience.items()},
        same_at=round(same_at, 3),
        different_at=round(different_at, 3),
        made_by="benchmarks/text_similarity.py fit",
    )
    MODEL.write_text(rounded.to_json())
    print(rounded.to_json())
    table(args, all_pairs, shipped, bare)


def agreement_table(args: argparse.Namespace) -> None:
    items = questions(args.data)
    all_pairs = pairs(items)
    table(args, all_pairs, *held_out(items, all_pairs))


def table(args: argparse.Namespace, all_pairs: list[Pair], shipped: np.ndarray, bare: np.ndarray) -> None:
    labels = np.array([one.same for one in all_pairs], dtype=float)
    groups = [str(one.question) for one in all_pairs]
    print(f"{len(all_pairs)} pairs of {len(set(groups))} questions, {labels.mean():.3f} of them labelled 1\n")
    print("| scorer | AUC | calibration error | share decided at 5 % error |\n|---|---|---|---|")
    for name, scores in (("text_similarity, as it ships", shipped), ("its bare probability", bare)):
        found = agreement(scores, labels, groups)
        cells = [f"{one.value:.4f} [{one.low:.4f}, {one.high:.4f}]" for one in found.values()]
        print(f"| {name} ({len(FEATURES)} features) | {' | '.join(cells)} |")
    for name, scores in others(all_pairs, args.peers).items():
        print(f"| {name} | {auc(scores, labels):.4f} | | |")
    lengths = np.array([max(len(one.source), len(one.target)) for one in all_pairs])
    print("\n| longer answer, characters | pairs | AUC |\n|---|---|---|")
    for low, high in ((0, 80), (80, 150), (150, 300), (300, 600), (600, 10**6)):
        chosen = (lengths >= low) & (lengths < high)
        print(f"| {low} to {high} | {chosen.sum()} | {auc(shipped[chosen], labels[chosen]):.4f} |")


def others(all_pairs: list[Pair], peers: bool) -> dict[str, np.ndarray]:  # noqa: FBT001
    """What others use, by name; ROUGE-L and chrF by their reference packages, where asked for."""
    texts = [(one.source.lower(), one.target.lower()) for one in all_pairs]
    found = {
        "token F1": np.array([token_f1(*both) for both in texts]),
        "rapidfuzz token_set_ratio": np.array([fuzz.token_set_ratio(*both) for both in texts]),
        "residual containment": np.array([residual(one) for one in all_pairs]),
    }
    for peer in SCORERS if peers else ():
        found[f"{peer.words} ({peer.package} {peer.version})"] = np.array(scored(peer, texts)["scores"])
    return found


def token_f1(source: str, target: str) -> float:
    """Of words as bags, as SQuAD's evaluation has it (P. Rajpurkar et al., 2016)."""
    ours, theirs = Counter(re.findall(r"\w+", source)), Counter(re.findall(r"\w+", target))
    shared = sum((ours & theirs).values())
    return 2 * shared / (sum(ours.values()) + sum(theirs.values())) if shared else 0.0


def residual(one: Pair) -> float:
    """Share of the shorter answer's new words that the longer one holds."""
    asked = read(one.prompt).stems
    bags = [
        {t.stem for t in read(text).tokens if t.kind is not Kind.FUNCTION} - asked for text in (one.source, one.target)
    ]
    shorter = min(bags, key=len)
    return len(bags[0] & bags[1]) / len(shorter) if shorter else 0.5


def scored(peer: Peer, texts: list[tuple[str, str]]) -> dict[str, Any]:
    """{"scores", "seconds"} of a package in an environment of its own."""
    command = [peer.python(CACHE), "-I", Path(__file__).parent / "peers" / peer.worker, peer.package]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def defects(args: argparse.Namespace) -> None:
    texts = rewordings.long_answers(args.texts, seed=args.seed)
    model = default()
    counts: Counter[str] = Counter()
    for number, text in enumerate(texts):
        for kind, changed in rewordings.variants(text, seed=args.seed * 100_003 + number).items():
            counts[f"{kind}: all"] += 1
            counts[f"{kind}: found"] += compare_texts("", text, changed, model).score <= 0.2
    print(f"{len(texts)} generated texts, seed {args.seed}; found: a score of at most 0.2\n")
    print("| variant | found |\n|---|---|")
    for kind in rewordings.KINDS:
        print(f"| {kind} | {counts[f'{kind}: found'] / max(counts[f'{kind}: all'], 1):.3f} |")


def near_copies(args: argparse.Namespace) -> None:
    """NEAR_COPIES: pairs that say different things in nearly the same words, and pairs that say the same."""
    for path in NEAR_COPIES:
        print(f"{path.name}\n")
        _near_copies(args, [json.loads(line) for line in path.read_text().splitlines()])


def _near_copies(args: argparse.Namespace, probes: list[dict[str, Any]]) -> None:
    model = default()
    print("| complete | pairs | same | not shown | different |\n|---|---|---|---|---|")
    for complete in (True, False):
        for same in (False, True):
            of = [one for one in probes if one["same"] is same]
            verdicts = [
                compare_texts(one["prompt"], one["source"], one["target"], model, complete=complete).verdict
                for one in of
            ]
            counts = Counter(verdicts)
            said = " | ".join(str(counts[verdict]) for verdict in (Same.SAME, Same.NOT_SHOWN, Same.DIFFERENT))
            print(
                f"| {str(complete).lower()} | {len(of)} that say {'the same' if same else 'another thing'} | {said} |"
            )
            wrong = Counter(
                one["kind"]
                for one, verdict in zip(of, verdicts, strict=True)
                if verdict is (Same.DIFFERENT if same else Same.SAME)
            )
            if args.kinds and wrong:
                print(f"wrong by kind: {dict(wrong)}")


def overlap(args: argparse.Namespace) -> None:
    """The options rouge_l and chrf beside the packages that they take their values from."""
    texts = [(one.source, one.target) for one in pairs(questions(args.data))[::5]]
    draw = random.Random(args.seed)
    texts += [tuple("".join(draw.choices("abc AB1.é\n日", k=draw.randrange(30))) for _ in "st") for _ in range(3000)]  # type: ignore[misc]
    print("| measure | pairs | largest difference |\n|---|---|---|")
    for measure, peer in zip(("rouge_l", "chrf"), SCORERS, strict=True):
        theirs = scored(peer, texts)["scores"]
        apart = max(abs(OVERLAPS[measure](*both) - value) for both, value in zip(texts, theirs, strict=True))
        print(f"| {measure}, {peer.package} {peer.version} | {len(texts)} | {apart:.1e} |")


def few_labels(args: argparse.Namespace) -> None:
    """What a few labels of one's own are worth: a model fitted on short answers, refitted for long ones."""
    items = questions(args.data)
    all_pairs = pairs(items)
    fold_of = folds(items)
    long = np.array([max(len(one.source), len(one.target)) >= LONG_ANSWER for one in all_pairs])
    held = np.array([fold_of[one.question] for one in all_pairs])
    limits = np.array([bounds(one.prompt, one.source, one.target, default()) for one in all_pairs])
    found: dict[tuple[str, int], list[list[float]]] = {}
    for fold in range(FOLDS):
        train_items = [item for item, of in zip(items, fold_of, strict=True) if of != fold]
        for fitted_on, chosen in (("short answers", ~long), ("all answers", np.ones(len(long), dtype=bool))):
            model = fitted(train_items, [all_pairs[place] for place in np.flatnonzero(chosen & (held != fold))])
            test, own = np.flatnonzero(long & (held == fold)), np.flatnonzero(long & (held != fold))
            x = {
                place: row
                for part in (test, own)
                for place, row in zip(part, _values(all_pairs, part, model), strict=True)
            }
            labels = {place: float(all_pairs[place].same) for place in x}
            for count in LABELS:
                for draw in range(args.draws if count else 1):
                    few = np.random.default_rng([args.seed, fold, draw]).choice(own, max(count, 1), replace=False)
                    bias, features = model.bias, model.features
                    if count:
                        bias, features = fitting.refitted(
                            np.array([x[one] for one in few]), np.array([labels[one] for one in few]), model
                        )
                    scores = fitting.probabilities(np.array([x[one] for one in test]), bias, features)
                    scores = np.clip(scores, *limits[test].T)
                    truth = np.array([labels[one] for one in test])
                    measured = [measure(scores, truth) for measure in MEASURES.values()]
                    found.setdefault((fitted_on, count), []).append(measured)
    print(f"{int(long.sum())} pairs with an answer of at least {LONG_ANSWER} characters; {args.draws} draws a fold\n")
    print("| fitted on | labels | AUC | calibration error | share decided at 5 % error |\n|---|---|---|---|---|")
    for (fitted_on, count), rows in found.items():
        low, middle, high = np.quantile(np.array(rows), (0.025, 0.5, 0.975), axis=0)
        cells = [f"{m:.3f} [{a:.3f}, {b:.3f}]" for a, m, b in zip(low, middle, high, strict=True)]
        print(f"| {fitted_on} | {count} | {' | '.join(cells)} |")


def _values(all_pairs: list[Pair], places: np.ndarray, model: Model) -> np.ndarray:
    return values([all_pairs[place] for place in places], dict(model.salience))


def speed(args: argparse.Namespace) -> None:
    short = [(one.prompt, one.source, one.target) for one in pairs(questions(args.data))]
    short = [one for one in short if max(len(one[1]), len(one[2])) < 150][:6000]
    texts = rewordings.long_answers(300, seed=args.seed)
    long = [("", text, rewordings.variants(text, seed=number)["reworded"]) for number, text in enumerate(texts)]
    print("| scorer | short answers, pairs/s | long answers, pairs/s |\n|---|---|---|")
    model = default()
    ours = [rate(lambda q, s, t: compare_texts(q, s, t, model), of) for of in (short, long)]
    print(f"| text_similarity | {ours[0]:,.0f} | {ours[1]:,.0f} |")
    fuzzy = [rate(lambda _, s, t: fuzz.token_set_ratio(s, t), of) for of in (short, long)]
    print(f"| rapidfuzz token_set_ratio | {fuzzy[0]:,.0f} | {fuzzy[1]:,.0f} |")
    for peer in SCORERS if args.peers else ():
        rates = [len(of) / scored(peer, [(s, t) for _, s, t in of])["seconds"] for of in (short, long)]
        print(f"| {peer.words} ({peer.package} {peer.version}) | {rates[0]:,.0f} | {rates[1]:,.0f} |")


def rate(score: Any, of: list[tuple[str, str, str]]) -> float:
    """Pairs a second of processor time, each pair met once."""
    start = time.process_time()
    for question, source, target in of:
        score(question, source, target)
    return len(of) / (time.process_time() - start)


def main() -> None:
    what = {
        "fit": fit,
        "agreement": agreement_table,
        "defects": defects,
        "near_copies": near_copies,
        "few_labels": few_labels,
        "overlap": overlap,
        "speed": speed,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=tuple(what))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--peers", action="store_true", help="install rouge-score and sacrebleu and measure them too")
    parser.add_argument("--kinds", action="store_true", help="near_copies: kinds of pairs that are judged wrongly")
    parser.add_argument("--draws", type=int, default=8, help="few_labels: sets of labels drawn a fold")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--texts", type=int, default=400)
    args = parser.parse_args()
    what[args.what](args)


if __name__ == "__main__":
    main()
