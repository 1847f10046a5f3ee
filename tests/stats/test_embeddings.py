"""Two embedding models on an application's own queries."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.geometry import unit
from harness.stats import embeddings
from harness.stats.embeddings import Query, Space

RNG = np.random.default_rng(2)
DOCUMENTS = RNG.normal(size=(60, 8))
QUERIES = DOCUMENTS[:20] + 0.1 * RNG.normal(size=(20, 8))
SOURCE = Space(documents=DOCUMENTS, queries=QUERIES)
ASKED = [Query(id=f"q{at}", relevant={at: 1.0}, cluster="c") for at in range(20)]


def rotated(scale: float = 1.0) -> Space:
    """The same arrangement in 11 dimensions."""
    turn, _ = np.linalg.qr(RNG.normal(size=(11, 11)))
    wide = [np.pad(part, ((0, 0), (0, 3))) @ turn * scale for part in (DOCUMENTS, QUERIES)]
    return Space(documents=wide[0], queries=wide[1])


def test_a_model_that_arranges_alike_finds_alike_whatever_its_dimension():
    rows = list(embeddings.rows(SOURCE, rotated(), ASKED, k=5))
    assert {row.metric for row in rows} == {"recall_at_5", "ndcg_at_5"}
    assert all(row.value_target == pytest.approx(row.value_noise) for row in rows)
    assert (rows[0].case, rows[0].cluster) == ("q0", "c")


def test_a_model_that_finds_nothing_relevant_has_the_worst_value():
    lost = Space(documents=-DOCUMENTS, queries=QUERIES)
    rows = [row for row in embeddings.rows(SOURCE, lost, ASKED, k=5) if row.metric == "recall_at_5"]
    assert sum(row.value_noise for row in rows) == 20
    assert sum(row.value_target for row in rows) == 0


def test_a_query_without_relevant_documents_has_no_row():
    assert list(embeddings.rows(SOURCE, SOURCE, [Query(id="q", relevant={})], k=5)) == []


def test_the_diagnosis_of_the_same_arrangement_is_one():
    found = embeddings.diagnose(SOURCE, rotated(3.0), k=5, cutoff=None)
    assert found.neighbours == pytest.approx(1.0)
    assert found.alignment == pytest.approx(1.0)
    assert found.cutoff is None


def test_a_cutoff_that_was_fitted_to_one_model_fails_on_another_and_is_refitted():
    """A model whose cosines are all higher or lower keeps its order and breaks the application's threshold."""
    documents, queries = unit(DOCUMENTS), unit(QUERIES)
    squeezed = Space(
        documents=np.hstack([documents, np.full((60, 1), 0.5)]), queries=np.hstack([queries, np.full((20, 1), -0.5)])
    )
    found = embeddings.replay_cutoff(SOURCE, squeezed, 0.8)
    assert (found.empty_source, found.empty_target) == (0, 20)
    assert found.refitted == pytest.approx((0.8 - 0.25) / 1.25, abs=0.05)
    assert found.empty_refitted == 0


def test_a_cutoff_that_nothing_passes_is_refitted_to_one_that_nothing_passes():
    found = embeddings.replay_cutoff(SOURCE, rotated(), 1.5)
    assert found.empty_source == found.empty_target == found.empty_refitted == 20
