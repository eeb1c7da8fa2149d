"""What a report says beside scores and calibration: skill, luck, movement, leads, evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import scoring
from benchmarks.worlds import with_dummies
from forecasts.common.errors import BadInput
from forecasts.common.times import iso
from forecasts.folder.frames import Frames
from forecasts.reports.groups import chosen
from forecasts.reports.movement import movement
from forecasts.reports.report import Sample
from forecasts.reports.report_document import credits
from forecasts.reports.verdict import often
from forecasts.scores.attribution import attribute
from scoring.inference import Test
from scoring.movement import Reaction
from tests.reports.small_ledgers import (
    asked,
    cited,
    day,
    joined,
    ledger,
    made,
    once,
    path,
    random_ledger,
    random_report,
    report,
    sharp_group,
    the_group,
)

pytestmark = pytest.mark.slow


def test_the_skill_of_a_forecaster_is_the_mean_of_the_protocols_scores() -> None:
    frames = random_ledger(1)
    for name in ("skill", "crowd_skill"):
        table = scoring.score(frames.questions, frames.forecasts, name)
        for group in random_report(1, "forecaster").groups:
            many = table.groupby("question_id")["forecaster"].transform("size")
            own = table[(table["forecaster"] == group.name) & (many > 1)]["score"]
            found = getattr(group, name)
            assert found.questions == len(own)
            if len(own):
                assert found.mean == pytest.approx(own.mean(), abs=1e-9)


def test_without_others_skill_is_missing() -> None:
    for group in (*random_report(1).groups, *random_report(1, "lead").groups):
        assert (group.skill, group.crowd_skill) == (None, None)
    tags = once(["yes"], [0.7], tags=["t"])
    assert the_group(tags, "t", by="tag").skill is None
    alone = the_group(tags, "ana", by="forecaster")
    assert (alone.skill.mean, alone.skill.questions) == (None, 0)


def test_a_team_has_the_skill_of_its_members_time_in_it() -> None:
    # bo says 0.4 for five days outside of any team, then 0.9 for five in red; ana says 0.5.
    rows = [made("q", "ana", 0, 0.5), *path("q", "bo", (0, 0.4), (5, 0.9))]
    stays = [joined("red", "bo", since=4), joined("blue", "ana")]
    frames = ledger([asked("q", "yes")], rows, stays)
    blue, red = (group.skill for group in report(frames, by="team").groups)
    assert red.mean == pytest.approx(100 * 0.5 * (0.25 - 0.01))
    assert blue.mean == pytest.approx(100 * (0.5 * (0.36 - 0.25) + 0.5 * (0.01 - 0.25)))


def test_a_member_of_two_teams_is_not_compared_with_themself() -> None:
    rows = [*path("q", "bo", (0, 0.4), (5, 0.9)), made("q", "ana", 0, 0.5)]
    stays = [joined("red", "bo", until=4), joined("blue", "bo", since=4)]
    frames = ledger([asked("q", "yes")], rows, stays)
    blue, red = (group.skill for group in report(frames, by="team").groups)
    whole = the_group(frames, "bo", by="forecaster", names=["bo"]).skill
    assert red.mean + blue.mean == pytest.approx(whole.mean)
    assert red.mean == pytest.approx(100 * 0.5 * (0.25 - 0.36))


def test_luck_is_the_realised_score_less_the_expected_one() -> None:
    for group in random_report(1, "forecaster").groups:
        luck = group.luck
        assert luck.difference.mean == pytest.approx(luck.realised - luck.expected, abs=1e-12)
        assert luck.p_value == group.spiegelhalter.p_value
        lower, upper = luck.difference.interval
        assert (lower <= 0 <= upper) == (luck.p_value >= 0.05)


def test_without_updates_the_realised_score_is_the_brier_score() -> None:
    frames = random_ledger(1)
    every = frames.forecasts.dropna(subset=["made_at"]).sort_values("made_at", kind="stable")
    said = every[every["probability"].notna() | every["probabilities"].notna()]
    first = said.drop_duplicates(["question_id", "forecaster"]).reset_index(drop=True)
    for group in report(replace(frames, forecasts=first), by="forecaster").groups:
        assert group.luck.realised == pytest.approx(group.brier.mean, abs=1e-12)
        assert group.luck.expected == pytest.approx(group.sharpness, abs=1e-12)


def test_realised_and_expected_scores_weigh_forecasts_by_their_number() -> None:
    rows = path("q", "ana", (0, 0.5), (1, 0.7), (9, 0.9))
    luck = the_group(ledger([asked("q", "yes")], rows)).luck
    assert luck.realised == pytest.approx((0.25 + 0.09 / 2 + 0.01 / 3) / (1 + 1 / 2 + 1 / 3))
    assert luck.expected == pytest.approx((0.25 + 0.21 / 2 + 0.09 / 3) / (1 + 1 / 2 + 1 / 3))
    asked_ = [asked("q1", "yes"), asked("q2", "a", type="multiple_choice", options=["a", "b", "c"])]
    rows = [made("q1", "ana", 0, 0.9), made("q2", "ana", 0, [0.5, 0.3, 0.2])]
    expected = (0.09 + (0.25 + 0.21 + 0.16) / 2) / 2
    assert the_group(ledger(asked_, rows)).luck.expected == pytest.approx(expected)


def events(questions: int) -> Frames:
    """A calibrated team whose questions a "yes" closes when it happens.

    An event comes with the same chance in each tenth of the time; both members know that, and one
    of them comes when a third of it is over.
    """
    asked_, forecasts = [], []
    for n, comes in enumerate(np.random.default_rng(0).uniform(0, 20, questions)):
        happens = {"actual_close_time": day(comes)} if comes < 10 else {}
        asked_.append(asked(f"q{n}", "yes" if comes < 10 else "no", **happens))
        for who, start in (("ana", 0.0), ("bo", 3.3)):
            for at in np.arange(start, min(comes, 10), 0.5):
                forecasts.append(made(f"q{n}", who, at, (10 - at) / (20 - at)))
    return ledger(asked_, forecasts, [joined("red", "ana"), joined("red", "bo")])


def test_an_early_yes_is_not_a_fault_of_a_calibrated_team() -> None:
    found = the_group(events(100), "red", by="team")
    for tested in (found.miscalibration, found.luck, found.calibration_in_the_large):
        assert tested.p_value > 0.05
    assert found.verdict.kind == "calibrated"
    for point in found.curve:
        assert point.lower - 1e-9 <= point.recalibrated <= point.upper + 1e-9


def test_miscalibration_has_an_expectation_from_luck() -> None:
    fair, bold = map(sharp_group, (1.0, 2.5))
    assert fair.miscalibration.expected == pytest.approx(0.022, abs=0.008)
    assert fair.miscalibration.p_value > 0.05
    assert bold.miscalibration.p_value < 0.02
    assert bold.miscalibration.when_made > bold.miscalibration.expected


def test_movement_is_that_of_the_paths_with_each_question_once() -> None:
    frames = random_ledger(1)
    found = random_report(1).groups[0].movement
    paths = scoring.excess_movement(frames.questions, frames.forecasts, day(200))
    each = paths[paths["steps"] > 0].groupby("question_id")["excess"].mean()
    assert found.questions == len(each)
    assert found.excess.mean == pytest.approx(each.mean())


def test_open_questions_move_too() -> None:
    rows = [*path("q1", "ana", (0, 0.5), (2, 0.9), (4, 0.5)), made("q2", "ana", 0, 0.6)]
    found = the_group(ledger([asked("q1", closes=300), asked("q2", "yes")], rows))
    moved = found.movement
    assert (found.questions, moved.questions, moved.kind) == (1, 2, "too_few")
    assert moved.excess.mean == pytest.approx((0.8 * 0.4 + 0.2 * -0.4) / 2)
    assert moved.sentence == (
        "Too few changes to tell whether updates were too large or too small: forecasts changed in "
        "0 of 1 family of resolved questions; a finding needs 30."
    )


def test_forecasts_for_another_team_are_not_steps_of_this_one() -> None:
    stays = [joined("red", "bo", until=4), joined("blue", "bo", since=4)]
    frames = ledger([asked("q", "yes")], path("q", "bo", (0, 0.1), (5, 0.9)), stays)
    blue, red = (group.movement for group in report(frames, by="team").groups)
    assert red.excess.mean == pytest.approx(-0.8 * -0.9)
    assert blue.excess.mean == pytest.approx(0.8 * -0.1)


def creeping(gain: float) -> Frames:
    """Forecasts that go on from 50% in steps, and end where the answer is as often as they say."""
    rng = np.random.default_rng(5)
    questions, forecasts = [], []
    for n in range(150):
        side = rng.choice([-1, 1])
        steps = [0.5 + side * gain * k for k in range(4)]
        questions.append(asked(f"q{n}", "yes" if rng.random() < steps[-1] else "no"))
        forecasts += path(f"q{n}", "ana", *((2 * k, p) for k, p in enumerate(steps)))
    return ledger(questions, forecasts)


def test_the_sentence_on_movement_has_the_direction_and_odds_of_its_test() -> None:
    rng = np.random.default_rng(6)
    moves = pd.DataFrame({"question": np.arange(60), "excess": rng.normal(0, 0.1, 60)})
    kinds = set()
    for _ in range(200):
        z, p_value = rng.normal(0, 2), 10 ** -rng.uniform(0, 6)
        test = Reaction(Test(z, p_value), Test(z, p_value), p_value)
        own = moves.assign(revised=True, counts=True, excess=moves["excess"].abs() * np.sign(z))
        found = movement(own, np.arange(60), test)
        other = movement(own.assign(excess=-own["excess"]), np.arange(60), test)
        assert other.kind == "neither", "no claim beside a mean on the other side"
        kinds.add(found.kind)
        assert found.p_value == p_value
        assert f" {often(p_value)} such records (60 families of questions)" in found.sentence
        assert (found.kind == "neither") == (p_value >= 0.05)
        if p_value < 0.05:
            assert (found.kind == "over_reacting") == (z > 0)
            assert found.sentence.startswith("Over-reacts" if z > 0 else "Under-reacts")
    assert kinds == {"neither", "over_reacting", "under_reacting"}


def test_swings_within_the_slack_are_told_with_their_size_and_are_no_fault() -> None:
    moves = pd.DataFrame(
        {"question": np.arange(60), "excess": 0.01, "revised": True, "counts": True}
    )
    for p_value, kind in ((0.01, "swings"), (0.2, "neither")):
        test = Reaction(Test(1.0, 0.3), Test(1.0, 0.3), 0.3, swing=0.018, swing_p_value=p_value)
        found = movement(moves, np.arange(60), test)
        assert found.kind == kind
        assert ("swing by about 1.8 points" in found.sentence) == (kind == "swings")


def swinging(resolved: int) -> Frames:
    """Forecasts on 60 questions that go up and come back; the later questions are open."""
    questions, forecasts = [], []
    for n in range(60):
        outcome = "yes" if n % 2 else "no"
        questions.append(asked(f"q{n}", outcome) if n < resolved else asked(f"q{n}", closes=300))
        forecasts += path(f"q{n}", "ana", (0, 0.5), (3, 0.85 - n / 500), (6, 0.45 + n / 900))
    return ledger(questions, forecasts)


@pytest.mark.parametrize(
    ("frames", "kind", "said"),
    [
        (creeping(0.13), "under_reacting", "Under-reacts: forecasts drift in one direction"),
        (swinging(60), "over_reacting", "move more than the news justifies, and swing back"),
    ],
)
def test_a_reaction_is_named_beside_the_verdict(frames: Frames, kind: str, said: str) -> None:
    found = the_group(frames).movement
    assert found.kind == kind
    assert said in found.sentence
    assert "such records (" in found.sentence


@pytest.mark.parametrize(("changed", "kind"), [(49, "too_few"), (50, "neither")])
def test_too_few_updates_make_no_reaction(changed: int, kind: str) -> None:
    """All forecasts are far too sure, so that the steps to the outcomes alone make an excess.

    With enough changes to tell, this is still no over-reaction: recalibrated, nothing is left.
    """
    questions = [asked(f"q{n}", "yes" if n % 2 else "no") for n in range(100)]
    forecasts = path("q0", "ana", (0, 0.9), (3, 0.95))
    for n in range(1, 100):
        sure = 0.9 + n / 2000
        forecasts += path(f"q{n}", "ana", (0, sure), (3, 0.9 if n < changed else sure))
    found = the_group(ledger(questions, forecasts)).movement
    assert (found.revised, found.kind) == (changed, kind)
    assert found.excess.mean > 0.2


def test_changes_on_open_questions_do_not_make_up_for_few_resolved_ones() -> None:
    found = the_group(swinging(20)).movement
    assert found.p_value < 0.05
    assert (found.questions, found.revised, found.kind) == (60, 20, "too_few")
    assert found.sentence.endswith(
        "changed in 20 of 20 families of resolved questions; a finding needs 30."
    )


def test_certain_and_wrong_forecasts_are_counted_by_question() -> None:
    choice = {"type": "multiple_choice", "options": ["a", "b", "c"]}
    asked_ = [asked("q1", "yes"), asked("q2", "no"), asked("q3", "b", **choice), asked("q4", "yes")]
    values = [("q1", 1.0), ("q2", 1.0), ("q3", [0.4, 0.6, 0.0]), ("q4", 0.999)]
    rows = [made(id_, "ana", 0, value) for id_, value in values]
    found = the_group(ledger(asked_, [*rows, made("q1", "bo", 0, 1.0)])).certainty
    assert (found.questions, found.wrong) == (3, 1)


def test_the_profile_takes_the_forecasts_current_at_each_lead() -> None:
    known = asked("q2", "no", closes=40, actual_close_time=day(36))
    asked_ = [asked("q1", "yes", closes=40), known, asked("q3", "no", closes=5)]
    rows = path("q1", "ana", (0, 0.4), (20, 0.6), (39, 0.8))
    rows += [made("q1", "bo", 30, 0.9), made("q2", "ana", 1, 0.3), made("q3", "ana", 0, 0.1)]
    at = {lead.days: lead for lead in the_group(ledger(asked_, rows)).leads}
    # A day before: q1 with the mean of both, q3; q2 had closed.
    assert at[1].questions == 2
    assert at[1].brier.mean == pytest.approx(((0.04 + 0.01) / 2 + 0.01) / 2)
    assert at[1].expected == pytest.approx(((0.16 + 0.09) / 2 + 0.09) / 2)
    # A week before: q1 and q2, and q3 was not open yet.
    assert at[7].brier.mean == pytest.approx(((0.16 + 0.01) / 2 + 0.09) / 2)
    assert at[30].brier.mean == pytest.approx((0.36 + 0.09) / 2)
    assert 90 not in at


def test_a_report_at_a_lead_is_a_row_of_the_profile() -> None:
    frames = random_ledger(1)
    by_lead = {group.name: group for group in random_report(1, "lead").groups}
    for lead in random_report(1).groups[0].leads:
        name = f"{lead.days:g} day{'' if lead.days == 1 else 's'}"
        table = scoring.score(frames.questions, frames.forecasts, f"brier_lead({lead.days:g})")
        expected = table.groupby("question_id")["score"].mean().mean()
        at = the_group(frames, lead=lead.days)
        for found in (lead.brier.mean, at.brier.mean, by_lead[name].brier.mean):
            assert found == pytest.approx(expected)
        parts = at.decomposition
        total = parts.miscalibration - parts.discrimination + parts.uncertainty
        assert total == pytest.approx(parts.score)
        assert at.bins == by_lead[name].bins
        assert (at.movement, at.leads) == (None, ())


def test_the_verdict_at_a_lead_is_of_forecasts_made_in_its_window_as_the_close_stood_then() -> None:
    # Forecasts of 10% are made 20 days before the close, and some of 90% after it is moved to
    # day 60: 55 days before. A yes closes the question on day 2, before any lead.
    moved = {"earlier_closes": {iso(day(5)): iso(day(20))}}
    asked_, rows = [], []
    for n in range(40):
        early = {"resolution": "yes", "actual_close_time": day(2)} if n < 4 else moved
        asked_.append(asked(f"q{n:02}", "no", closes=20 if n < 4 else 60) | early)
        rows += path(f"q{n:02}", "ana", (0, 0.1), (5, 0.9))
    frames = ledger(asked_, rows)
    early, late = (the_group(frames, f"{days} days", by="lead") for days in (7, 30))
    assert (early.tested, late.tested) == (Sample(40, 40, 40), Sample(36, 36, 36))
    assert (early.verdict.kind, late.verdict.kind) == ("calibrated", "too_high")
    assert early.questions == 36  # current a week before the close, which the early ones never saw
    assert the_group(frames, lead=7.0).verdict == early.verdict


def test_forecasts_replaced_or_withdrawn_within_the_hour_do_not_count_unless_it_closes() -> None:
    hour = 1 / 24
    steps = {
        "replaced": [(1, 0.2), (1 + hour / 2, 0.9)],
        "withdrawn": [(1, 0.2), (1 + hour / 2, None)],
        "an hour": [(1, 0.2), (1 + hour, 0.9)],
        "closes": [(1, 0.9), (10 - hour / 2, 0.2)],
        "known": [(3 - hour / 2, 0.2)],
        # Someone who updates so often would have replaced the last one, too.
        "always so": [(10 - hour * left, 0.2) for left in (2, 1.5, 1, 0.4)],
        "half so": [(1, 0.2), (10 - hour, 0.3), (10 - 0.4 * hour, 0.2)],
    }
    more = {"known": {"actual_close_time": day(3)}}
    for id_, own in steps.items():
        frames = ledger([asked("q", "yes", **more.get(id_, {}))], path("q", "ana", *own))
        counted = {"replaced": 1, "withdrawn": 0, "known": 1, "always so": 0}.get(id_, 2)
        assert the_group(frames).tested == Sample(min(counted, 1), min(counted, 1), counted), id_


def test_forecasts_a_second_before_another_change_no_verdict() -> None:
    frames = random_ledger(2, questions=40, choices=False)
    given = frames.forecasts[frames.forecasts["probability"].notna()].reset_index(drop=True)
    plain, tricky = (
        the_group(replace(frames, forecasts=each)) for each in (given, with_dummies(given))
    )
    assert tricky.updates > 10 * plain.updates
    assert (tricky.verdict, tricky.tested) == (plain.verdict, plain.tested)


def test_two_accounts_of_a_member_are_two_paths_as_in_a_team() -> None:
    frames = random_ledger(3, questions=60, choices=False)
    both = frames.forecasts[frames.forecasts["forecaster"].isin(["ana", "bo"])]
    both = both.reset_index(drop=True)
    teams = ledger([], [], [joined("both", "ana"), joined("both", "bo")]).teams
    team = the_group(replace(frames, forecasts=both, teams=teams), "both", by="team")
    account = both["forecaster"].where(both["forecaster"] == "bo", "")
    one = replace(frames, forecasts=both.assign(forecaster="ana", account=account))
    member = the_group(one, "ana", by="forecaster")
    for part in ("tested", "verdict", "recalibration", "luck", "bins"):
        assert getattr(member, part) == getattr(team, part), part
    assert (
        member.verdict != the_group(replace(one, forecasts=both.assign(forecaster="ana"))).verdict
    )


def test_forecasts_without_the_time_of_their_making_are_scored_and_not_tested() -> None:
    frames = once(["yes"] * 40, [0.1] * 40)
    late = np.arange(40) >= 5
    found = the_group(replace(frames, forecasts=frames.forecasts.assign(undated=late)))
    assert (found.questions, found.tested) == (40, Sample(5, 5, 5, undated=35))
    assert found.brier.mean == pytest.approx(0.81)
    assert found.verdict.kind == "too_few"
    assert found.verdict.sentence.endswith(
        " Not tested, on 35 questions: forecasts without the time at which they were made."
    )
    assert the_group(frames).verdict.kind == "too_low"


def test_a_lead_can_be_asked_for_by_name() -> None:
    frames = ledger([asked("q")])
    wanted = chosen(frames, by="lead", names=["2.5", "7 days", "1", "7"])
    assert wanted == ["2.5 days", "7 days", "1 day"]
    for name in ("soon", "-1", "0"):
        with pytest.raises(BadInput, match="is not a lead time"):
            report(frames, by="lead", names=[name])


def test_a_question_without_a_forecast_at_the_lead_is_left_out_for_that_reason() -> None:
    rows = [made(id_, "ana", 0, 0.4) for id_ in ("q1", "q2")]
    frames = ledger([asked("q1", "yes"), asked("q2", "no", closes=3)], rows)
    found = report(frames, lead=7.0)
    assert [(out.reason, out.questions) for out in found.left_out] == [("none_at_lead", 1)]
    assert found.metadata.protocol == "brier_lead(7)"
    with pytest.raises(BadInput, match="already has one lead"):
        report(frames, by="lead", lead=7.0)


def test_questions_are_chosen_by_tag_and_by_scheduled_close_and_the_rest_is_counted() -> None:
    tags = (["a"], ["b"], ["b", "c"], None)
    asked_ = [asked(f"q{n}", "yes", tags=own, closes=10 * n) for n, own in enumerate(tags, 1)]
    frames = ledger(asked_, [made(f"q{n}", "ana", 0, 0.6) for n in range(1, 5)])
    period = {"since": day(20), "until": day(30)}
    for chosen_, many in (({"tags": ("a", "c")}, 2), ({"since": day(20)}, 3), (period, 2)):
        assert the_group(frames, **chosen_).questions == many
    found = report(frames, tags=("b",), until=day(25))
    assert (found.groups[0].questions, found.questions) == (1, 4)
    assert [(out.reason, out.questions) for out in found.left_out] == [("not_selected", 3)]
    about = found.metadata
    assert (about.tags, about.since, about.until) == (("b",), None, day(25))


def test_a_choice_of_nothing_is_refused_in_words() -> None:
    frames = once(["yes"], [0.6], tags=["a"])
    with pytest.raises(BadInput, match="No question has the tag 'z'") as refused:
        report(frames, tags=("z",))
    assert refused.value.remedy == "Tags: a."
    with pytest.raises(BadInput, match="end of the period is before the start"):
        report(frames, since=day(5), until=day(4))


def test_points_by_evidence_are_those_of_the_attribution() -> None:
    frames = cited(random_ledger(8))
    own = frames.forecasts[frames.forecasts["forecaster"] == "ana"].reset_index(drop=True)
    earned = the_group(frames, "ana", by="forecaster", names=["ana"]).earned
    for by in ("publisher", "kind"):
        expected = attribute(replace(frames, forecasts=own), by).set_index(by)
        if by == "publisher":
            expected = expected.drop(index="")  # updates that cite nothing are listed by kind
        found = [row for row in earned if row.by == by]
        assert {row.name for row in found} == set(expected.index)
        for row in found:
            of_name = expected.loc[row.name]
            assert row.points == pytest.approx(of_name["points"])
            assert (row.citations, row.questions) == (of_name["citations"], of_name["questions"])
            assert row.per_question.mean == pytest.approx(row.points / row.questions)
        assert [row.points for row in found] == sorted((row.points for row in found), reverse=True)


def test_a_question_counts_once_in_a_teams_points() -> None:
    evidence = {"evidence": [{"evidence_id": "e1"}]}
    rows = [made("q", who, at, p) for who in ("ana", "bo") for at, p in ((0, 0.5), (5, 0.8))]
    rows = [row | (evidence if row["probability"] == 0.8 else {}) for row in rows]
    frames = ledger([asked("q", "yes")], rows, [joined("red", "ana"), joined("red", "bo")])
    known = frames.evidence.reindex([0]).assign(evidence_id="e1", publisher="The Mail", kind="news")
    group = the_group(replace(frames, evidence=known), "red", by="team")
    [publisher, kind, piece] = group.earned
    assert (publisher.name, publisher.by) == ("The Mail", "publisher")
    assert (kind.name, kind.citations, kind.questions) == ("news", 2, 1)
    assert publisher.points == pytest.approx((0.25 - 0.04) * 0.5)
    assert (piece.by, piece.name, piece.points) == ("evidence", "e1", publisher.points)


def test_a_record_without_citations_has_no_table_of_evidence() -> None:
    group = random_report(1).groups[0]
    assert (group.earned, group.evidence) == ((), 0)
    assert group.moved.updates > 0


def test_points_are_a_mean_over_all_members() -> None:
    """Divided by those with a score, updates that were right early would weigh more than others."""
    rows = [row for id_ in ("early", "late") for row in path(id_, "ana", (0, 0.5), (2, 0.8))]
    asked_ = [asked("early", "yes", actual_close_time=day(4)), asked("late", "no")]
    moved = the_group(ledger(asked_, [*rows, made("late", "bo", 6, 0.5)])).moved
    assert (moved.updates, moved.helped, moved.cost, moved.questions) == (2, 1, 1, 2)
    assert moved.points == pytest.approx(((0.25 - 0.04) * 0.2 + (0.25 - 0.64) * 0.8) / 2)
    assert moved.points == pytest.approx(moved.promised + moved.surprise)


def test_the_interval_of_points_allows_for_a_rare_event() -> None:
    """Each update lowers 4% to 3%, and no event came: the points hardly vary, but one would cost
    as much as 30 updates earned."""
    rows = [made(f"q{n}", "ana", at, 0.04 - at / 400 + n / 1e6) for n in range(50) for at in (0, 4)]
    earned = the_group(ledger([asked(f"q{n}", "no") for n in range(50)], rows)).moved.per_question
    lower, upper = earned.interval
    a_yes_costs = (0.97**2 - 0.96**2 + 0.04**2 - 0.03**2) * 0.6
    least = 1.96 * a_yes_costs * (0.03 * 0.97 / 50) ** 0.5
    assert upper - earned.mean == pytest.approx(least, rel=0.01)
    assert lower < 0 < earned.mean < upper


def test_the_updates_that_earned_and_lost_most_are_those_of_the_attribution() -> None:
    frames = random_ledger(8, questions=40)
    every = attribute(frames)
    every = every[every["points"].notna()]
    points = every["points"].tolist()
    moved = the_group(frames).moved
    assert (moved.updates, moved.helped) == (len(every), sum(point > 0 for point in points))
    assert moved.points == pytest.approx(sum(points) / 5)
    assert [row.points for row in moved.most] == pytest.approx(points[:5])
    assert [row.points for row in moved.least] == pytest.approx(points[:-6:-1])
    first, best = moved.most[0], every.iloc[0]
    assert (first.question, first.forecaster) == (best["question_id"], best["forecaster"])
    assert first.made_at == best["made_at"]
    assert first.points == pytest.approx((first.score_before - first.score) * first.remaining)


def test_the_evidence_that_earned_and_lost_most_is_listed() -> None:
    frames = cited(random_ledger(8, questions=20))
    ids = [f"x{n}" for n in range(len(frames.forecasts))]
    known = frames.evidence.iloc[[0] * len(ids)].assign(evidence_id=ids, title="", url="")
    many = pd.Series([[{"evidence_id": id_}] for id_ in ids], dtype=object)
    made_ = frames.forecasts.assign(evidence=many)
    frames = replace(frames, forecasts=made_, evidence=known.reset_index(drop=True))
    group = the_group(frames)
    found = [row for row in group.earned if row.by == "evidence"]
    expected = attribute(frames, "evidence")["evidence_id"]
    assert group.evidence == len(expected)
    assert [row.name for row in found] == [*expected.head(5), *expected.tail(5)]
    assert [row.title for row in found] == [row.name for row in found]
    assert f"{group.evidence - 10:,} more" in credits(group)[1].note


def test_the_area_under_the_murphy_curve_is_the_score_when_made() -> None:
    for group in random_report(1, "forecaster").groups:
        at = [point.threshold for point in group.murphy]
        area = np.trapezoid([point.score for point in group.murphy], at)
        assert area == pytest.approx(group.decomposition.score, abs=0.01)
        base = np.trapezoid([point.base_rate for point in group.murphy], at)
        assert base == pytest.approx(group.decomposition.uncertainty, abs=0.01)
