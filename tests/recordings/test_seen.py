"""A table of whole numbers that answers as Python's own does."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.recordings.seen import Seen

keys = st.integers(1, 40) | st.integers(1, 2**64 - 1) | st.integers(1, 50).map(lambda n: n << 12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(keys, st.integers(0, 2**63 - 1)), max_size=60))
def test_the_first_number_of_a_key_stands(pairs):
    seen, plain = Seen(), {}
    for key, value in pairs:
        seen.put(key, value)
        plain.setdefault(key, value)
    assert {key: seen.get(key) for key, _ in pairs} == plain
    assert seen.get(2**64 - 3) is None or 2**64 - 3 in plain


def test_it_grows_and_forgets_nothing():
    rng = random.Random(7)
    numbers = [rng.getrandbits(64) or 1 for _ in range(20_000)]
    seen = Seen()
    for value, key in enumerate(numbers):
        seen.put(key, value)
    assert [seen.get(key) for key in numbers] == list(range(20_000))
