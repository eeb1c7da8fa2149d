"""Brier scores beside a reference: the base rate, the crowd, the difficulty of the questions."""

from __future__ import annotations

import numpy as np
import pytest

from forecasts.reports import report_document as tables
from tests.reports.small_ledgers import (
    asked,
    joined,
    ledger,
    made,
    once,
    random_report,
    report,
    sharp_group,
    the_group,
)

pytestmark = pytest.mark.slow


def test_the_base_rate_of_a_question_is_that_of_the_records_other_families() -> None:
    answers = {"q0": ("yes", "f"), "q1": ("yes", "f"), "q2": ("no", ""), "q3": ("no", "")}
    questions = [asked(id_, answer, family=family) for id_, (answer, family) in answers.items()]
    options = {"type": "multiple_choice", "options": ["a", "b", "c", "d"]}
    forecasts = [made(f"q{n}", "ana", 0, 0.6) for n in range(4)]
    frames = ledger([*questions, asked("m", "a", **options)],
                    [*forecasts, made("m", "ana", 0, [0.4, 0.2, 0.2, 0.2])])  # fmt: skip
    # The others of f: never yes. Of the rest: two of three. Of four options, ½ (1 − 1/4).
    reference = np.mean([1, 1, (2 / 3) ** 2, (2 / 3) ** 2, 0.375])
    own = np.mean([0.16, 0.16, 0.36, 0.36, (0.36 + 3 * 0.04) / 2])
    assert the_group(frames).brier_skill.mean == pytest.approx(1 - own / reference)


def test_skill_against_the_crowd_covers_the_time_of_others() -> None:
    # ana is alone for five days, then bo says 0.4: 0.36 a day for the crowd, 0.04 for ana.
    frames = ledger([asked("q", "yes"), asked("p", "no")],
                    [made("q", "ana", 0, 0.1), made("q", "ana", 5, 0.8), made("q", "bo", 5, 0.4),
                     made("p", "ana", 0, 0.5), made("p", "bo", 0, 0.2)])  # fmt: skip
    ana, bo = report(frames, by="forecaster").groups
    own, crowd = 0.5 * 0.04 + 0.25, 0.5 * 0.36 + 0.04
    assert ana.crowd_brier_skill.mean == pytest.approx(1 - own / crowd)
    assert bo.crowd_brier_skill.mean == pytest.approx(1 - crowd / own)


def test_without_a_rare_event_no_one_has_more_skill_than_the_others() -> None:
    # If the truth is 3%, 2% and 4% are equally good, and with 40 questions 30% have no event.
    names = [f"q{n}" for n in range(40)]
    said = [made(name, who, 0, p) for name in names for who, p in (("ana", 0.02), ("bo", 0.04))]
    frames = ledger([asked(name, "no") for name in names], said)
    for lead in (None, 7.0):
        ana, bo = report(frames, by="forecaster", lead=lead).groups
        for skill in (ana.skill, ana.crowd_skill):
            assert skill.mean == pytest.approx(0.12)
            # √(0.03 · 0.97 · 0.04² / 40), as for the comparison of the two.
            reach = 1.96 * 100 * np.sqrt(0.0291 / 40) * 0.04
            assert skill.interval == pytest.approx((0.12 - reach, 0.12 + reach), rel=1e-3)
        assert bo.skill.mean == pytest.approx(-0.12)


def test_time_alone_makes_no_skill_certain() -> None:
    # For nine of ten days ana is alone. Between equals the truth is 2.15%, and "yes" costs her 0.6.
    names = [f"q{n}" for n in range(30)]
    said = [made(name, who, at, p) for name in names for who, at, p in
            (("ana", 0, 0.02), ("bo", 9, 0.05))]  # fmt: skip
    ana, _ = report(ledger([asked(name, "no") for name in names], said), by="forecaster").groups
    reach = 1.96 * np.sqrt(0.0215 * 0.9785 / 30) * 0.6
    assert ana.skill.interval == pytest.approx((0.021 - reach, 0.021 + reach), rel=1e-3)


def test_adjusted_scores_allow_for_hard_questions() -> None:
    easy, hard = range(20), range(20, 40)
    said = [made(f"q{n}", who, 0, 0.9) for n in easy for who in ("ana", "eva")]
    said += [made(f"q{n}", who, 0, 0.6) for n in hard for who in ("ben", "eva")]
    frames = ledger([asked(f"q{n}", "yes") for n in range(40)], said)
    whole = report(frames, by="forecaster")
    found = {group.name: group for group in whole.groups}
    assert found["ben"].brier.mean > 10 * found["ana"].brier.mean
    means = [group.adjusted.mean for group in found.values()]
    assert means == pytest.approx([(0.01 + 0.16) / 2] * 3)
    assert (found["eva"].adjusted.questions, found["eva"].adjusted.component) == (40, 0)
    assert "Adjusted" in tables.overview(whole).head
    assert the_group(frames).adjusted is None


def test_teams_are_adjusted_too_and_one_alone_is_not() -> None:
    said = [made("q", "ana", 0, 0.9), made("q", "bo", 0, 0.5), made("p", "bo", 0, 0.4)]
    said += [made("p", "ana", 0, 0.8), made("only", "cy", 0, 0.1)]
    teams = [joined("red", "ana"), joined("blue", "bo"), joined("green", "cy")]
    frames = ledger([asked("q", "yes"), asked("p", "yes"), asked("only", "no")], said, teams)
    found = {group.name: group.adjusted for group in report(frames, by="team").groups}
    assert found["green"] is None
    assert found["blue"].mean - found["red"].mean == pytest.approx((0.24 + 0.32) / 2)
    alone = report(once(["yes"], [0.9]), by="forecaster")
    assert "Adjusted" not in tables.overview(alone).head


def test_groups_that_share_no_question_are_in_different_sets() -> None:
    said = [made(f"q{n}", who, 0, p) for n in (0, 1) for who, p in (("ana", 0.9), ("ben", 0.7))]
    said += [made("q2", "cy", 0, 0.8), made("q2", "dee", 0, 0.6)]
    frames = ledger([asked(f"q{n}", "yes") for n in range(3)], said)
    table = tables.overview(report(frames, by="forecaster"))
    shown = [row[table.head.index("Adjusted")] for row in table.rows]
    assert shown == ["0.0100", "0.0900", "0.0400 (set 2)", "0.160 (set 2)"]
    assert "different sets share no question" in table.note


def test_the_interval_of_the_auc_is_over_families_and_its_curve_has_its_area() -> None:
    [group] = random_report(4, questions=40).groups
    assert group.auc_interval[0] < group.auc < group.auc_interval[1]
    area = np.trapezoid(
        [point.hit_rate for point in group.roc], [point.false_alarm_rate for point in group.roc]
    )
    assert area == pytest.approx(group.auc, abs=0.01)
    assert group.roc[0].threshold is None
    assert len(group.roc) <= 202


def test_errors_are_shown_beside_those_of_luck() -> None:
    groups = [sharp_group(sharpness) for sharpness in (1.0, 2.5)]
    fair, bold = (group.errors for group in groups)
    assert fair.average < 1.5 * fair.expected_average
    assert bold.average > 1.5 * bold.expected_average
    assert bold.average <= bold.p90 <= bold.largest
    names = [row[0] for row in tables.errors(groups[0]).rows]
    assert names[:2] == ["Average error (Eavg)", "90th percentile (E90)"]


def test_a_forecast_that_failed_is_left_out_of_the_parts_of_the_log_score() -> None:
    group = the_group(once(["no", "yes"], [1.0, 0.5]))
    parts = group.log_decomposition
    assert (parts.infinite, parts.score) == (1, pytest.approx(np.log(2)))
    assert "1 infinite log score left out" in tables.parts(group).note


def test_an_option_called_impossible_is_a_claim_like_any_other() -> None:
    options = {"type": "multiple_choice", "options": ["a", "b", "c"]}
    said = [made("q", "ana", 0, [0.6, 0.4, 0.0]), made("p", "ana", 0, 0.7)]
    group = the_group(ledger([asked("q", "a", **options), asked("p", "yes")], said))
    assert group.bins[0].weight == pytest.approx(0.5)
    assert sum(one.weight for one in group.bins) == pytest.approx(2.5)
    assert (group.certainty.questions, group.certainty.wrong) == (1, 0)
    # The yes and the 60% option are above the 40% and the 0% option.
    assert group.auc == 1


def test_a_team_of_everyone_has_nobody_to_be_compared_with() -> None:
    both = [asked("q", "yes"), asked("p", "no")]
    said = [made(q, who, 0, 0.4) for q in ("q", "p") for who in ("ana", "bo")]
    teams = [joined("north", "ana"), joined("north", "bo")]
    north = the_group(ledger(both, said, teams), "north", by="team")
    for skill in (north.skill, north.crowd_skill):
        assert (skill.mean, skill.interval, skill.questions) == (None, None, 0)
    assert north.crowd_brier_skill.mean is None
    # A question that someone outside forecast too is compared, and it alone.
    said.append(made("q", "cy", 0, 0.5))
    assert the_group(ledger(both, said, teams), "north", by="team").skill.questions == 1
