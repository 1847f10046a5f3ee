"""Planted faults: what each does, first as arithmetic, then in the running servers."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from harness import lab as lab_room
from harness.errors import UnknownName
from harness.lab import plants, visits
from harness.lab.plants import SOURCE, TARGET, Fault
from tests.lab.asking import frame

BODIES = [f"body {number}".encode() for number in range(4000)]


def hits(name: str, *, seed: int = 7) -> set[bytes]:
    """The bodies whose handling a fault changes at all."""
    fault = Fault(name, side=plants.named(name).side, seed=seed)
    return {
        body
        for body in BODIES
        if fault.interrupts(body) is not None
        or fault.scores(body, [(0.0,) * 9], [0.5]) != [0.5]
        or fault.answer(body, b"[0.5]") != b"[0.5]"
        or fault.service_time_s(body, 1.0) != 1.0
    }


@pytest.mark.parametrize(
    "name", [name for name, plant in plants.PLANTS.items() if plant.share and plant.suite == "visits"]
)
def test_shares_are_kept_and_the_seed_decides_who_is_hit(name):
    share, found = plants.PLANTS[name].share, hits(name)
    assert abs(len(found) / len(BODIES) - share) < 0.25 * share
    assert found == hits(name)
    assert found != hits(name, seed=8)


@pytest.mark.parametrize("name", plants.PLANTS)
def test_a_plant_leaves_the_other_side_alone(name):
    other = SOURCE if plants.named(name).side == TARGET else TARGET
    fault = Fault(name, side=other, seed=7)
    rows = [(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)]
    assert all(fault.interrupts(body) is None for body in BODIES[:200])
    assert all(fault.scores(body, rows, [0.5]) == [0.5] for body in BODIES[:200])


@pytest.mark.parametrize("score", [0.0, 0.1, 0.3499, 0.35, 0.5, 1.0])
def test_a_flipped_score_has_the_other_label_and_stays_a_probability(score):
    fault = Fault("label_flips", side=TARGET, seed=7)
    body = min(hits("label_flips"))
    flipped = fault.scores(body, [(0.0,) * 9], [score])[0]
    assert 0.0 <= flipped <= 1.0
    assert visits.label_of(flipped) != visits.label_of(score)


def test_the_rare_label_is_lost_and_nothing_else_moves():
    fault = Fault("rare_label_lost", side=TARGET, seed=7)
    kept, capped = fault.scores(b"", [(0.0,) * 9] * 2, [0.2, 0.9])
    assert kept == 0.2 and visits.label_of(capped) == visits.OTHER


def test_the_broken_subgroup_is_small_and_only_it_is_broken(held_out):
    fault = Fault("broken_subgroup", side=TARGET, seed=7)
    rows = [[float(cell) for cell in row.cells] for row in held_out]
    broken = [row for row in rows if fault.scores(b"", [row], [0.5]) != [0.5]]
    assert 0.015 < len(broken) / len(rows) < 0.03
    assert {(row[8], row[1]) for row in broken} == {(1.0, 0.0)}


def test_bursts_begin_after_some_answers_last_their_time_and_end():
    fault = Fault("throttle_burst", side=TARGET, seed=7)
    calm = [fault.interrupts(b"", now_s=0.0) for _ in range(plants.BURST_FIRST)]
    assert set(calm) == {None}
    for now_s in (0.0, 4.0, 7.9):
        refused = fault.interrupts(b"", now_s=now_s)
        assert refused is not None and refused.kind == "throttled" and refused.after_s == 1
    assert fault.interrupts(b"", now_s=8.1) is None


def test_a_side_before_a_colon_moves_a_plant_to_the_other_server():
    assert plants.named("source:bias").side == SOURCE
    assert Fault("source:bias", side=SOURCE, seed=7).scores(b"", [(0.0,) * 9], [0.5]) == [0.52]
    assert Fault("source:bias", side=TARGET, seed=7).scores(b"", [(0.0,) * 9], [0.5]) == [0.5]
    with pytest.raises(UnknownName, match='Did you mean "source"'):
        plants.named("sourc:bias")


def test_an_unknown_plant_names_the_nearest_and_starts_nothing():
    with pytest.raises(UnknownName, match='Did you mean "label_flips"'):
        lab_room.start(plant="label_flip")


def hit(name: str, rows: tuple[visits.HeldOut, ...], *, wanted: bool = True) -> bytes:
    """The body of the first single row that a fault hits, or spares."""
    fault = Fault(name, side=TARGET, seed=7)
    return next(frame([row]) for row in rows if fault.hits(frame([row])) is wanted)


def test_label_flips_change_a_few_labels_and_spare_the_rest(lab, score, held_out):
    bodies = [frame([row]) for row in held_out[:300]]

    def labels() -> list[str]:
        with ThreadPoolExecutor(8) as pool:
            return [visits.label_of(json.loads(answer.data)[0]) for answer in pool.map(score, bodies)]

    before = labels()
    lab.plant("label_flips")
    after = labels()
    assert after == labels()
    assert 3 <= sum(one != other for one, other in zip(before, after, strict=True)) <= 20


def test_bias_moves_every_score_by_two_hundredths(lab, score, held_out):
    body = frame(held_out[:20])
    before = json.loads(score(body).data)
    lab.plant("bias")
    assert json.loads(score(body).data) == pytest.approx([value + 0.02 for value in before])


def test_rare_label_and_subgroup_plants_act_in_the_server(lab, score, held_out):
    body = frame(held_out)
    before = json.loads(score(body).data)
    lab.plant("rare_label_lost")
    assert max(json.loads(score(body).data)) < visits.THRESHOLD < max(before)
    lab.plant("broken_subgroup")
    changed = sum(one != other for one, other in zip(before, json.loads(score(body).data), strict=True))
    assert changed == 39
    lab.plant(None)
    assert json.loads(score(body).data) == before


def test_a_slow_tail_takes_ten_times_the_service_time(lab, score, held_out):
    slow, usual = hit("slow_tail", held_out), hit("slow_tail", held_out, wanted=False)
    lab.plant("slow_tail")

    def latency_s(body: bytes) -> float:
        started = time.perf_counter()
        score(body)
        return time.perf_counter() - started

    # A busy machine may delay one answer, not the fastest of ten.
    assert min(latency_s(usual) for _ in range(10)) < 0.19 <= latency_s(slow)


def test_a_burst_is_429_with_retry_after_and_its_reason(lab, score, held_out):
    lab.plant("throttle_burst")
    body = frame(held_out[:1])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: score(body), range(plants.BURST_FIRST + 20)))
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) == 20
    assert refused[0].headers["Retry-After"] == "1"
    assert refused[0].headers["ms-azureml-model-error-reason"] == "too_many_pending_request"


def test_server_errors_are_500_or_424_and_always_for_the_same_requests(lab, score, held_out):
    lab.plant("server_errors")
    bodies = [frame([row]) for row in held_out[:250]]
    with ThreadPoolExecutor(8) as pool:
        first, second = ([answer.status for answer in pool.map(score, bodies)] for _ in range(2))
    assert first == second
    assert set(first) == {200, 424, 500}
    assert score(bodies[first.index(424)]).headers["ms-azureml-model-error-statuscode"] == "500"


def test_a_timeout_gives_no_answer_and_others_are_served_meanwhile(lab, score, held_out):
    """More silent calls than the server has threads: those whose client has gone must not hold one."""
    silent, usual = hit("timeouts", held_out), hit("timeouts", held_out, wanted=False)
    lab.plant("timeouts")

    def gives_up(_: int) -> bool:
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            score(silent, timeout=0.1)
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(gives_up, range(96)))
    assert score(usual, timeout=2.0).status == 200


def test_malformed_json_breaks_off_and_nan_scores_are_not_numbers(lab, score, held_out):
    lab.plant("malformed_json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(score(hit("malformed_json", held_out)).data)
    lab.plant("nan_scores")
    assert score(hit("nan_scores", held_out)).data.strip() == b"[NaN]"
    assert json.loads(score(hit("nan_scores", held_out, wanted=False)).data)[0] > 0
