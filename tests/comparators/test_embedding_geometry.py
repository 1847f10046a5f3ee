"""How alike two models arrange the texts of a case."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.comparators import embedding_geometry
from harness.core.output import Embedding
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import case, check_kinds, check_said

RNG = np.random.default_rng(5)
TEXTS = RNG.normal(size=(12, 6))
MATRICES = arrays.arrays(
    np.float64, st.tuples(st.integers(0, 5), st.integers(0, 3)), elements=st.floats(allow_nan=True, width=32)
)


def compare(source: np.ndarray, target: np.ndarray, **options: object) -> Comparison:
    return embedding_geometry.build(**options).compare(Embedding(source), Embedding(target), case=case())


def test_it_is_a_comparator_with_its_settings_in_its_signature():
    assert isinstance(embedding_geometry.build(), Comparator)
    assert embedding_geometry.build().signature() == "embedding_geometry|measure:neighbours|k:10"
    assert embedding_geometry.build(measure="cka").signature() == "embedding_geometry|measure:cka"


@pytest.mark.parametrize("measure", ["neighbours", "cka"])
def test_another_dimension_is_no_difference_and_another_arrangement_is(measure):
    rotation, _ = np.linalg.qr(RNG.normal(size=(9, 9)))
    wider = np.pad(TEXTS, ((0, 0), (0, 3))) @ rotation
    assert compare(TEXTS, wider, measure=measure, k=3).value == pytest.approx(1.0)
    shuffled = compare(TEXTS, TEXTS[::-1], measure=measure, k=3)
    assert shuffled.status is Status.MISMATCH
    assert shuffled.value < 0.8
    assert shuffled.reason


def test_what_cannot_be_an_answer_is_a_mismatch():
    broken = TEXTS.copy()
    broken[2, 1] = np.nan
    assert "the target answered a vector with" in compare(TEXTS, broken).reason
    assert compare(broken, TEXTS).status is Status.INCOMPARABLE
    assert compare(TEXTS, TEXTS[:5]).reason == "the source answered 12 vectors, the target 5"
    assert compare(TEXTS, np.ones((12, 3))).reason == "the target put all texts in one place"


def test_two_texts_have_no_arrangement():
    found = compare(TEXTS[:2], TEXTS[:2])
    assert (found.status, found.value) == (Status.INCOMPARABLE, None)
    assert "parity score embeddings" in found.reason


def test_wrong_kinds_are_told():
    check_kinds(embedding_geometry.build(), [Embedding(TEXTS)])


@pytest.mark.parametrize("measure", ["neighbours", "cka"])
@given(source=MATRICES, target=MATRICES)
def test_identity_bounds_and_no_crash(measure, source, target):
    built = embedding_geometry.build(measure=measure, k=2)
    assert built.compare(Embedding(source), Embedding(source), case=case()).status is not Status.MISMATCH
    check_said(built, built.compare(Embedding(source), Embedding(target), case=case()))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [({"measure": "neighbors"}, UnknownName, "neighbours"), ({"k": True}, ConfigError, "whole number")],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        embedding_geometry.build(**options)
