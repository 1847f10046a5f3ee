"""Observations read for their causes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np

from harness.comparators import json_fields, numeric_close
from harness.core.call import Answer, Observation, Side
from harness.core.case import Json, Request, Task
from harness.core.output import Chat, Output, Scores
from harness.run.explain import explain_run
from harness.run.observe import Observed
from tests.comparators.contract import case


def answer(side: Side, output: Output) -> Answer:
    return Answer(side=side, output=output, raw_sha256="", latency_s=None, served_model="m", attempts=1)


def observed(at: int, source: Output, target: Output, again: Output | None = None, *, cells: Json = None) -> Observed:
    request = Request(Task.TABULAR, {"columns": ["age", "city"], "rows": cells})
    return Observed(
        index=at,
        observation=Observation(
            case=case(f"c{at}", request=request),
            source=answer(Side.SOURCE, source),
            target=answer(Side.TARGET, target),
            source_again=None if again is None else answer(Side.SOURCE, again),
            departures=(),
        ),
        effort={},
    )


def plan(metric: str, comparator: object) -> SimpleNamespace:
    return SimpleNamespace(comparators=((metric, comparator),))


def numbers() -> Iterator[Observed]:
    rng = np.random.default_rng(3)
    for at in range(80):
        city = "Oslo" if at % 4 == 0 else "Bergen"
        value = float(rng.normal())
        target = value if city == "Bergen" else value * rng.uniform(0, 1)
        made = [Scores(np.array([[one]]), ("0",)) for one in (value, target)]
        yield observed(at, *made, cells=[[str(at), city]])


def test_the_requests_columns_tell_where_the_difference_lies():
    found = explain_run(plan("score", numeric_close.build()), numbers())
    assert (found.rows, found.left_out, found.paths) == (80, 0, ())
    assert found.causes[0].name == "category"
    assert "\"city\" = 'Oslo'" in found.causes[0].told


def test_answers_without_numbers_have_no_causes():
    found = explain_run(plan("score", numeric_close.build()), [observed(0, Chat(text="a"), Chat(text="b"))])
    assert (found.rows, found.causes) == (0, ())


def test_a_path_beyond_the_sources_own_noise_is_told_from_one_within_it():
    def written(total: int, note: int) -> Chat:
        return Chat(text=json.dumps({"total": total, "note": note}))

    rng = np.random.default_rng(1)
    seen = [
        observed(
            at,
            written(1, int(rng.integers(2))),
            written(2 if at % 3 == 0 else 1, int(rng.integers(2))),
            written(1, int(rng.integers(2))),
        )
        for at in range(60)
    ]
    found = explain_run(plan("order", json_fields.build()), seen)
    assert [(rate.metric, rate.path, rate.beyond_noise) for rate in found.paths] == [
        ("order", "total", True),
        ("order", "note", False),
    ]
    assert (found.paths[0].target, found.paths[0].noise, found.paths[0].cases) == (20, 0, 60)


def test_without_a_second_answer_of_the_source_no_rate_is_told():
    found = explain_run(plan("order", json_fields.build()), [observed(0, Chat(text="1"), Chat(text="2"))])
    assert found.paths == ()
