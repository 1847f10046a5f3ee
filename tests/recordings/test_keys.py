"""Equal keys are found whatever lies in memory and whatever on disk."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recordings import keys
from harness.recordings.keys import Keys
from tests.small.logs import PATIENT

numbers = st.integers(0, 5) | st.sampled_from([2**63, 2**64 - 1, 2**32, 2**32 + 1]) | st.integers(0, 2**64 - 1)
pieces = st.lists(st.lists(numbers, max_size=40), max_size=12)


@PATIENT
@given(pieces, st.sampled_from([2, 7, 64, 1000]))
def test_as_a_sort_in_memory_says(tmp_path_factory: pytest.TempPathFactory, drawn, run):
    folder = tmp_path_factory.mktemp("keys")
    rows = [(key, place) for place, key in enumerate(key for piece in drawn for key in piece)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "RUN", run)
        table, place = Keys(folder), 0
        for piece in drawn:
            table.add(np.array(piece, dtype=np.uint64), np.arange(place, place + len(piece), dtype=np.uint64))
            place += len(piece)
        found = [(int(k), int(v)) for span in table.spans() for k, v in zip(*span, strict=True)]
        shared = [int(value) for span in table.shared() for value in span]
        later = [(int(v), int(f)) for span in table.later() for v, f in zip(*span, strict=True)]
        table.close()
    groups = [[value for _, value in group] for _, group in groupby(sorted(rows), key=lambda row: row[0])]
    assert found == sorted(rows)
    assert shared == [value for group in groups if len(group) > 1 for value in group]
    assert later == [(value, group[0]) for group in groups for value in group[1:]]
    assert list(folder.iterdir()) == []


def test_signed_hashes_are_keys(tmp_path: Path):
    table = Keys(tmp_path)
    table.add([-1, 5, -1], [0, 1, 2])
    assert [value for span in table.shared() for value in span.tolist()] == [0, 2]
