"""How two texts are held against each other: words, quantities, alignment, features, a small fitted model. No plug-in.

From the ground up: `vocabulary` (closed lists), `meanings` (synonyms, opposites, degrees), `spelling` (stems), `words`
(a text as tokens and sentences), `matching` (which words of two texts are the same), `salience` (which words are the
answer), `alignment` (sentence by sentence, and what changed between them), `features` (a dozen numbers a pair), `model`
(a probability from them), `similarity` (score, verdict and reasons), `fitting` (the model refitted on somebody's
labels).

Beside them, for what one small word decides: `quantities` (numbers with their units), `items` (a text as what must not
change), `near_copies` (the few items that differ between texts that are nearly the same), `structures` (JSON, tables,
lists, citations), `code` (programs).
"""
