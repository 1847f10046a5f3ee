"""Embeddings: each word adds to a few places that its hash chooses, and the sum is scaled to unit length.

Texts with words in common lie near each other, on either side and at any dimension; the vectors of two models have
nothing to do with each other, as between two clouds.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct


def vector(text: str, *, model: str, dimensions: int) -> list[float]:
    """The unit vector of a text; a text without a word is the first axis."""
    sums = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.sha256(f"{model}:{word}".encode()).digest()
        for (number,) in struct.iter_unpack("<I", digest):
            sums[(number >> 1) % dimensions] += 1.0 if number & 1 else -1.0
    length = math.sqrt(sum(value * value for value in sums))
    if not length:
        return [1.0, *[0.0] * (dimensions - 1)]
    return [value / length for value in sums]
