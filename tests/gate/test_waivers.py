"""A waiver names an owner, a reason, a day, a criterion and a class of difference, and turns nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.core.rows import Rows
from harness.core.verdict import Decision, Finding, Row, RowStatus, Verdict
from harness.errors import PolicyError
from harness.gate.decide import decide
from harness.gate.document import document
from harness.gate.policy import Policy, load_policy, parse_policy, schema

TODAY = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
EU: Mapping[str, Any] = {
    "criterion": "label",
    "owner": "Maria Ruiz, claims",
    "reason": "the eu model is retrained in January.",
    "expires": date(2026, 12, 31),
    "slice": "region=eu",
}
FLIP: Mapping[str, Any] = {"metric": "label", "kind": "flip", "margin": 0.01, "deterministic": True}
ERROR: Mapping[str, Any] = {"metric": "error", "kind": "flip"}
SIM: Mapping[str, Any] = {"metric": "sim", "kind": "score"}
MODES = ("fixed", "anytime")


def policy(*criteria: Mapping[str, Any], waivers: Sequence[Mapping[str, Any]] = (), mode: str = "fixed") -> Policy:
    return parse_policy({"gate": {"mode": mode}, "criterion": list(criteria), "waiver": list(waivers)}, "POLICY.toml")


def judged(rows: Iterable[Row], made: Policy, *, at: datetime = TODAY) -> Decision:
    return decide(Rows.from_rows(rows), made, decided_at=at)


def regions(*, eu_bad: int, us_bad: int, n: int = 1000, metric: str = "label") -> list[Row]:
    """n cases, every fifth from eu; the first so many of each region flip."""
    left = {"eu": eu_bad, "us": us_bad}
    rows = []
    for at in range(n):
        region = "us" if at % 5 else "eu"
        bad, left[region] = left[region] > 0, left[region] - 1
        rows.append(Row(case=f"c{at}", metric=metric, slices={"region": region}, value_target=float(bad)))
    return rows


def clean(metric: str, n: int = 1000) -> list[Row]:
    return [Row(case=f"c{at}", metric=metric, value_target=0.0, value_noise=0.0) for at in range(n)]


def one(decision: Decision, criterion: str, where: str | None = None) -> Finding:
    (found,) = [one for one in decision.findings if (one.criterion, one.slice) == (criterion, where)]
    return found


@pytest.mark.parametrize("mode", MODES)
def test_a_waiver_takes_the_vote_of_its_class_of_difference(mode: str) -> None:
    """40 flips, all in eu: refused without the waiver, shown with its owner and GO by the other criterion with it."""
    rows = [*regions(eu_bad=40, us_bad=0), *clean("error")]
    without = judged(rows, policy(FLIP, ERROR, mode=mode))
    assert without.verdict is Verdict.NO_GO
    decision = judged(rows, policy(FLIP, ERROR, waivers=[EU], mode=mode))
    assert decision.verdict is Verdict.GO
    finding = one(decision, "label")
    assert (finding.verdict, finding.gating, finding.waived_by) == (Verdict.NO_GO, False, "Maria Ruiz, claims")
    assert finding.evidence == one(without, "label").evidence
    assert "Waived by Maria Ruiz, claims until 2026-12-31 for region=eu: the eu model is retrained" in finding.reason
    assert "200 of 1,000 rows; without these: 0 of 800 cases flipped" in finding.reason


@pytest.mark.parametrize("mode", MODES)
def test_a_waiver_for_one_slice_does_not_hide_a_loss_in_another(mode: str) -> None:
    rows = [*regions(eu_bad=40, us_bad=40), *clean("error")]
    decision = judged(rows, policy(FLIP, ERROR, waivers=[EU], mode=mode))
    finding = one(decision, "label")
    assert (decision.verdict, finding.gating, finding.waived_by) == (Verdict.NO_GO, True, None)
    assert finding.evidence is not None
    assert finding.evidence.units == 800
    assert "the rest does not pass either" in finding.reason


def test_what_is_left_open_without_the_waived_rows_withholds_go() -> None:
    """One flip of 800 at 1 %: p_go is 0.003; 12 flips: neither side is shown."""
    rows = [*regions(eu_bad=40, us_bad=12), *clean("error")]
    decision = judged(rows, policy(FLIP, ERROR, waivers=[EU]))
    assert (decision.verdict, one(decision, "label").verdict) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)


def test_a_declared_slice_that_is_waived_does_not_vote_and_others_still_do() -> None:
    sliced = {**FLIP, "slices": {"region": ["eu", "us"]}}
    rows = [*regions(eu_bad=150, us_bad=0), *clean("error")]
    decision = judged(rows, policy(sliced, ERROR, waivers=[EU]))
    assert one(decision, "label", "region=eu").waived_by == "Maria Ruiz, claims"
    assert one(decision, "label", "region=us").gating
    assert decision.verdict is Verdict.GO


def test_a_slice_without_a_row_cannot_be_waived() -> None:
    """Never replayed is no difference that somebody could answer for."""
    sliced = {**FLIP, "slices": {"region": ["asia"]}}
    asia = {**EU, "slice": "region=asia"}
    decision = judged([*regions(eu_bad=0, us_bad=0), *clean("error")], policy(sliced, ERROR, waivers=[asia]))
    finding = one(decision, "label", "region=asia")
    assert (decision.verdict, finding.gating) == (Verdict.INCONCLUSIVE, True)


def test_a_waiver_never_turns_another_criterion() -> None:
    """Holm holds the second p-value, 0.03, against 5 %, because the first is so small; a waiver must not undo that."""
    failing = [
        Row(case=f"c{at}", metric="error", value_target=float(at < 17), value_noise=0.0, slices={"region": "us"})
        for at in range(1000)
    ]
    exact = {"metric": "error", "kind": "limit", "margin": 0.01}
    rows = [*regions(eu_bad=40, us_bad=0), *failing]
    without, waived = (judged(rows, policy(FLIP, exact, waivers=some)) for some in ([], [EU]))
    evidence = one(without, "error").evidence
    assert evidence is not None
    assert 0.025 < evidence.p_no_go < 0.05
    assert one(without, "error") == one(waived, "error")
    assert waived.verdict is Verdict.NO_GO


def test_waiving_every_criterion_never_gives_go() -> None:
    decision = judged(regions(eu_bad=40, us_bad=0), policy(FLIP, waivers=[EU]))
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.headline.startswith("Every criterion is waived or advisory: nothing votes")


def test_a_waiver_over_all_rows_leaves_nothing_to_judge() -> None:
    rows = [*(row for row in regions(eu_bad=40, us_bad=0) if row.slices["region"] == "eu"), *clean("error")]
    decision = judged(rows, policy(FLIP, ERROR, waivers=[EU]))
    assert (decision.verdict, one(decision, "label").gating) == (Verdict.INCONCLUSIVE, True)


def test_a_waiver_counts_through_its_last_day_and_not_after() -> None:
    rows = [*regions(eu_bad=40, us_bad=0), *clean("error")]
    made = policy(FLIP, ERROR, waivers=[EU])
    assert judged(rows, made, at=datetime(2026, 12, 31, 23, 59, tzinfo=UTC)).verdict is Verdict.GO
    after = judged(rows, made, at=datetime(2027, 1, 1, tzinfo=UTC))
    assert after.verdict is Verdict.NO_GO
    assert any("expired after 2026-12-31 and no longer counts" in note for note in after.notes)
    assert all(finding.waived_by is None for finding in after.findings)


def test_a_waiver_is_told_in_notes_headline_and_document() -> None:
    decision = judged([*regions(eu_bad=40, us_bad=0), *clean("error")], policy(FLIP, ERROR, waivers=[EU]))
    assert decision.notes[0] == (
        'Waiver by Maria Ruiz, claims, "label", region=eu: until 2026-12-31, covers 200 of 1,000 rows and takes the '
        "vote of label. the eu model is retrained in January."
    )
    assert decision.headline.endswith("Waived, and no part of this answer: label (Maria Ruiz, claims).")
    told = document(decision)["findings"][0]
    assert (told["verdict"], told["gating"], told["waived_by"]) == ("NO-GO", False, "Maria Ruiz, claims")


def test_a_waiver_that_is_not_needed_changes_nothing() -> None:
    rows = [*regions(eu_bad=0, us_bad=0), *clean("error")]
    decision = judged(rows, policy(FLIP, ERROR, waivers=[EU]))
    assert decision.findings == judged(rows, policy(FLIP, ERROR)).findings
    assert "takes no vote" in decision.notes[0]


def calls(status: RowStatus, hit: int, n: int = 1000) -> list[Row]:
    """The target failed so many cases: the label's rows say how, the error metric's rows say 1."""
    rows = []
    for at in range(n):
        bad = at < hit
        said = status if bad else RowStatus.OK
        rows.append(Row(case=f"c{at}", metric="label", value_target=None if bad else 0.0, status_target=said))
        rows.append(Row(case=f"c{at}", metric="error", value_target=float(bad), value_noise=0.0))
        rows.append(Row(case=f"c{at}", metric="spare", value_target=0.0))
    return rows


SPARE: Mapping[str, Any] = {**FLIP, "metric": "spare"}


@pytest.mark.parametrize(("status", "word"), [(RowStatus.TIMEOUT, "timeout"), (RowStatus.ERROR, "error")])
def test_failures_are_waived_by_their_kind_in_every_metric_that_is_named(status: RowStatus, word: str) -> None:
    """The error metric's own rows say ok and 1; which call timed out is told by the case's other rows."""
    kinds = [{**EU, "criterion": name, "difference": word} for name in ("label", "error")]
    waivers = [{key: value for key, value in one.items() if key != "slice"} for one in kinds]
    rows = calls(status, 60)
    decision = judged(rows, policy(FLIP, ERROR, SPARE, waivers=waivers))
    assert decision.verdict is Verdict.GO
    assert [one.criterion for one in decision.findings if one.waived_by] == ["label", "error"]
    other = RowStatus.ERROR if status is RowStatus.TIMEOUT else RowStatus.TIMEOUT
    assert judged(calls(other, 60), policy(FLIP, ERROR, SPARE, waivers=waivers)).verdict is Verdict.NO_GO


def test_a_waiver_stops_counting_past_the_share_it_was_given_for() -> None:
    waiver = {key: value for key, value in EU.items() if key != "slice"} | {"difference": "timeout", "at_most": 0.05}
    rows = {hit: calls(RowStatus.TIMEOUT, hit) for hit in (50, 51)}
    made = policy(FLIP, SPARE, waivers=[waiver])
    assert judged(rows[50], made).verdict is Verdict.GO
    beyond = judged(rows[51], made)
    assert beyond.verdict is Verdict.NO_GO
    assert "covers 51 of 1,000 rows, more than the 0.05 it may" in beyond.notes[0]


def similar(broken: int, unscored: int = 0, n: int = 400) -> list[Row]:
    return [
        Row(
            case=f"c{at}",
            metric="sim",
            value_target=0.2 if at < broken else 0.9,
            value_noise=0.9,
            status_target=RowStatus.UNSCORED if n - at <= unscored else RowStatus.OK,
        )
        for at in range(n)
    ]


def test_badly_broken_and_unscored_answers_are_classes_of_their_own() -> None:
    named = {key: value for key, value in EU.items() if key != "slice"}
    severe = {**named, "criterion": "sim severe", "difference": "severe"}
    lenient = {**SIM, "margin": 0.05}
    rows = [*similar(broken=16), *clean("error")]
    assert judged(rows, policy(lenient, ERROR)).verdict is not Verdict.GO
    decision = judged(rows, policy(lenient, ERROR, waivers=[severe]))
    assert (decision.verdict, one(decision, "sim severe").waived_by) == (Verdict.GO, "Maria Ruiz, claims")
    unscored = [{**named, "criterion": name, "difference": "unscored"} for name in ("sim", "sim severe")]
    rows = [*similar(broken=0, unscored=5), *clean("error")]
    assert judged(rows, policy(SIM, ERROR)).verdict is Verdict.INCONCLUSIVE
    assert judged(rows, policy(SIM, ERROR, waivers=unscored)).verdict is Verdict.GO


def test_a_waiver_never_makes_an_answer_worse() -> None:
    """Eu is so good that all rows together are open, and the rest alone would be refused: the answer stays open."""
    noisy = {"metric": "label", "kind": "flip", "margin": 0.01}
    rows = [
        Row(
            case=f"c{at}",
            metric="label",
            slices={"region": "us" if at % 2 else "eu"},
            value_target=float(at % 20 == 1),
            value_noise=float(at % 20 == 2),
        )
        for at in range(1000)
    ]
    assert judged([row for row in rows if row.slices["region"] == "us"], policy(noisy)).verdict is Verdict.NO_GO
    finding = one(judged(rows, policy(noisy, waivers=[EU])), "label")
    assert (finding.verdict, finding.gating) == (Verdict.INCONCLUSIVE, True)
    assert "the rest does not pass" in finding.reason


def test_a_slice_that_a_waiver_leaves_too_small_still_withholds_go() -> None:
    """120 cases of product a, all but 5 of them in eu: 5 good ones do not show that it works elsewhere."""
    sliced = {**FLIP, "slices": {"product": ["a"]}}
    rows = [
        Row(
            case=f"c{at}",
            metric="label",
            slices={"region": "eu" if at < 200 else "us", "product": "a" if 85 <= at < 205 else "b"},
            value_target=float(85 <= at < 125),
        )
        for at in range(1000)
    ]
    decision = judged([*rows, *clean("error")], policy(sliced, ERROR, waivers=[EU]))
    finding = one(decision, "label", "product=a")
    assert (decision.verdict, finding.verdict, finding.gating) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, True)


def test_a_waiver_of_broken_answers_says_nothing_of_the_mean() -> None:
    """A tenth of the answers is lost: the severe drops are waived by name, the mean of the same criterion is not."""
    named = {key: value for key, value in EU.items() if key != "slice"}
    severe = {**named, "criterion": "sim severe", "difference": "severe"}
    tight = {**SIM, "margin": 0.01}
    decision = judged([*similar(broken=40), *clean("error")], policy(tight, ERROR, waivers=[severe]))
    assert one(decision, "sim severe").waived_by is not None
    assert (decision.verdict, one(decision, "sim").verdict) == (Verdict.NO_GO, Verdict.NO_GO)


def test_only_the_repeat_that_timed_out_is_waived() -> None:
    """Every case is called twice; the first call times out, and what is wrong with the second is not waived."""
    named = {key: value for key, value in EU.items() if key != "slice"}
    rows = []
    for at in range(1000):
        for repeat in (0, 1):
            bad = at < 60
            said = RowStatus.TIMEOUT if bad and repeat == 0 else RowStatus.OK
            rows.append(Row(case=f"c{at}", metric="label", repeat=repeat, value_target=float(bad), status_target=said))
    made = policy(FLIP, ERROR, waivers=[{**named, "difference": "timeout"}])
    decision = judged([*rows, *clean("error")], made)
    assert decision.verdict is Verdict.NO_GO
    assert "covers 60 of 2,000 rows" in decision.notes[0]


def test_a_check_is_counted_again_without_the_waived_rows() -> None:
    check = {"metric": "size_mb", "kind": "check", "limit": 100}
    rows = [
        Row(case=name, metric="size_mb", value_target=value, slices={"region": name})
        for name, value in (("eu", 140.0), ("us", 90.0))
    ]
    waiver = {**EU, "criterion": "size_mb"}
    rows += clean("error")
    assert judged(rows, policy(check, ERROR)).verdict is Verdict.NO_GO
    assert judged(rows, policy(check, ERROR, waivers=[waiver])).verdict is Verdict.GO


def test_a_waiver_is_in_the_policys_hash_and_opens_no_epoch() -> None:
    """What is measured and how it is tested stay the same; only who answers for a part of it changes."""
    plain, waived = policy(FLIP), policy(FLIP, waivers=[EU])
    later = policy(FLIP, waivers=[{**EU, "expires": date(2027, 1, 31)}])
    assert len({plain.sha256, waived.sha256, later.sha256}) == 3
    assert plain.epoch_id == waived.epoch_id == later.epoch_id


def test_a_policy_without_waivers_has_the_hash_it_had_before_there_were_any() -> None:
    assert {"waivers", "coverage"}.isdisjoint(policy(FLIP).canonical())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"criterion": "lable"}, 'unknown criterion "lable". Known criteria: label. Did you mean "label"?'),
        ({"owner": " "}, '"owner" must not be empty'),
        ({"expires": "2026-02-30"}, '"expires" 2026-02-30 is no day of the calendar'),
        ({"expires": datetime(2026, 1, 1, tzinfo=UTC)}, 'key "expires" must be text'),
        ({"difference": "timeout"}, "one of them"),
        ({"slice": "eu"}, 'key "slice" must be a slice such as "region=eu"'),
        ({"reson": "x"}, 'unknown key "reson"'),
        ({"at_most": 0}, 'key "at_most" must be more than 0'),
        ({"reason": None}, 'key "reason" must be text'),
    ],
)
def test_a_mistake_in_a_waiver_is_told_with_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=r"^POLICY.toml, waiver 1") as caught:
        policy(FLIP, waivers=[{**EU, **change}])
    assert said in str(caught.value)


def test_only_scores_break_badly() -> None:
    waiver = {key: value for key, value in EU.items() if key != "slice"} | {"difference": "severe"}
    with pytest.raises(PolicyError, match='only a criterion of kind score breaks "severe"'):
        policy(FLIP, waivers=[waiver])


def test_a_waiver_is_read_from_toml_and_fits_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "POLICY.toml"
    file.write_text(
        '[[criterion]]\nmetric = "label"\nkind = "flip"\n[[waiver]]\ncriterion = "label"\nowner = "M. Ruiz"\n'
        'reason = "known"\nexpires = 2026-12-31\nslice = "region=eu"\n'
    )
    (waiver,) = load_policy(file).waivers
    assert (waiver.expires, waiver.what) == (date(2026, 12, 31), "region=eu")
    jsonschema.validate([{**EU, "expires": "2026-12-31"}], schema()["properties"]["waiver"])
