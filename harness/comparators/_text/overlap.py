"""ROUGE-L and chrF, as their reference packages count them: for suites that are held to such a figure.

Both count shared words or letters and know no meaning; beside people's judgement they do far worse than the model (see
benchmarks). Checked against rouge-score 0.1.2 and sacrebleu 2.5.1 by `benchmarks/text_similarity.py overlap`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

from rapidfuzz.distance import LCSseq

ORDER = 6  # letters of the longest n-gram of chrF
BETA = 2  # how much more recall weighs than precision in chrF
_NO_WORD = re.compile(r"[^a-z0-9]+")


def rouge_l(source: str, target: str) -> float:
    """F1 of the longest common subsequence of words, in [0, 1]; 0 where a text has no word of ASCII letters or digits.

    rouge-score's default: lower case, no stemmer. Symmetric.
    Source: C.-Y. Lin (2004), "ROUGE: a package for automatic evaluation of summaries".
    """
    ours, theirs = (_NO_WORD.sub(" ", text.lower()).split() for text in (source, target))
    shared = LCSseq.similarity(ours, theirs)
    return 2.0 * shared / (len(ours) + len(theirs)) if shared else 0.0


def chrf(source: str, target: str) -> float:
    """F-score of shared character n-grams of 1 to 6 letters, in [0, 1] (sacrebleu has it times 100). The source is the
    reference: recall, of its n-grams, weighs twice as much as precision.

    sacrebleu's default: case counts, white space does not. Orders longer than either text are left out of the means.
    Source: M. Popović (2015), "chrF: character n-gram F-score for automatic MT evaluation".
    """
    ours, theirs = ("".join(text.split()) for text in (source, target))
    orders = min(ORDER, len(ours), len(theirs))
    if not orders:
        return 0.0
    precision = recall = 0.0
    for order in range(1, orders + 1):
        mine, yours = _grams(ours, order), _grams(theirs, order)
        shared = (mine & yours).total()
        precision += shared / yours.total() / orders
        recall += shared / mine.total() / orders
    weighed = BETA**2 * precision + recall
    return (1 + BETA**2) * precision * recall / weighed if weighed else 0.0


def _grams(text: str, order: int) -> Counter[str]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))


OVERLAPS: Mapping[str, Callable[[str, str], float]] = MappingProxyType({"rouge_l": rouge_l, "chrf": chrf})
