"""Run by a peer's own Python: [[source, target], ...] on stdin -> {"scores", "seconds"} on stdout."""

import json
import sys
import time


def scorer(package):
    if package == "rouge-score":
        from rouge_score.rouge_scorer import RougeScorer

        rouge = RougeScorer(["rougeL"])
        return lambda source, target: rouge.score(source, target)["rougeL"].fmeasure
    from sacrebleu.metrics import CHRF

    chrf = CHRF()
    return lambda source, target: chrf.sentence_score(target, [source]).score / 100


if __name__ == "__main__":
    score = scorer(sys.argv[1])
    texts = json.load(sys.stdin)
    start = time.process_time()
    scores = [score(source, target) for source, target in texts]
    json.dump({"scores": scores, "seconds": time.process_time() - start}, sys.stdout)
