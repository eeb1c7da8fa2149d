"""The numbers of a report, against values worked by hand, slow references and laws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

import scoring
from forecasts.common.errors import BadInput
from forecasts.folder.frames import complete
from forecasts.reports import formats
from forecasts.reports.digest import sha256
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.report import LeftOut
from forecasts.reports.selection import Choice
from scoring.means import clustered_mean
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
    the_group,
)

pytestmark = pytest.mark.slow


def wilson(rate: float, n: float) -> tuple[float, float]:
    """Return the 95% interval: the rates r with |rate − r| = z √(r (1 − r) / n)."""
    z2 = 1.959963984540054**2
    a, b, c = 1 + z2 / n, -(2 * rate + z2 / n), rate**2
    reach = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - reach) / (2 * a), (-b + reach) / (2 * a)


def estimates(part: object) -> Iterator[tuple[float, tuple[float, float]]]:
    """Yield each number of a report that has an interval, with it."""
    if isinstance(part, list | tuple):
        for one in part:
            yield from estimates(one)
    elif is_dataclass(part):
        own = {field.name: getattr(part, field.name) for field in fields(part)}
        number = own.get("mean", own.get("observed"))
        if own.get("interval") is not None and number is not None:
            yield number, own["interval"]
        for one in own.values():
            yield from estimates(one)


@pytest.mark.parametrize("by", ["forecaster", "lead"])
def test_every_interval_contains_its_estimate(by: str) -> None:
    found = list(estimates(random_report(1, by).groups))
    assert len(found) > 10
    for estimate, (lower, upper) in found:
        assert lower <= estimate <= upper


def test_a_small_record_comes_out_as_worked_by_hand() -> None:
    # ana on q1: 0.5 for 5 days, 0.9 for 5, yes: (0.25 + 0.01) / 2 = 0.13. bo: 0.7 from day 6 on,
    # 0.09, and 4 of 10 days covered. q1 is their mean, 0.11. ana on q2: 0.2, no: 0.04.
    rows = [*path("q1", "ana", (0, 0.5), (5, 0.9)), made("q1", "bo", 6, 0.7)]
    rows.append(made("q2", "ana", 0, 0.2))
    group = the_group(ledger([asked("q1", "yes"), asked("q2", "no")], rows))
    assert (group.questions, group.updates, group.forecasters, group.families) == (2, 4, 2, 2)
    assert group.coverage == pytest.approx((0.7 + 1) / 2)
    assert group.brier.mean == pytest.approx((0.11 + 0.04) / 2)
    assert group.brier_original.mean == pytest.approx(0.15)
    log_q1 = (-(math.log(0.5) + math.log(0.9)) / 2 - math.log(0.7)) / 2
    assert group.log.mean == pytest.approx((log_q1 - math.log(0.8)) / 2)
    assert group.log.infinite == 0
    # Two families: mean 0.075, deviations ±0.035, standard error √(2 · 2 · 0.035²) / 2 = 0.035.
    assert group.brier.interval == pytest.approx((0, 0.075 + 12.706204736 * 0.035))
    filled = {round(bin_.lower, 1): bin_.weight for bin_ in group.bins if bin_.questions}
    # The second forecast of ana counts half.
    assert filled == pytest.approx({0.2: 1.0, 0.5: 1.0, 0.7: 1.0, 0.9: 0.5})
    assert len(group.bins) == 10


def test_the_parts_add_up_to_the_score_when_made() -> None:
    for group in random_report(1, "forecaster").groups:
        brier, log = group.decomposition, group.log_decomposition
        for parts in (brier, log):
            total = parts.miscalibration - parts.discrimination + parts.uncertainty
            assert total == pytest.approx(parts.score, abs=1e-12)
        assert brier.score == pytest.approx(group.luck.realised, abs=1e-12)


def test_a_brier_score_is_the_mean_over_questions() -> None:
    frames = random_ledger(1)
    table = scoring.score(frames.questions, frames.forecasts, "brier")
    for group in random_report(1, "forecaster").groups:
        own = table[table["forecaster"] == group.name]
        assert group.questions == len(own)
        assert group.updates == own["updates"].sum()
        assert group.brier.mean == pytest.approx(own["score"].mean(), abs=1e-12)
        assert group.coverage == pytest.approx(own["coverage"].mean(), abs=1e-12)


def test_the_interval_is_over_families_and_ends_where_the_scale_does() -> None:
    score, family = np.random.default_rng(2).random(40), np.arange(40) % 15
    for lopsided in (False, True):
        found = mean_over_questions(score, family, lopsided=lopsided)
        assert found.interval == clustered_mean(score, family, lopsided=lopsided)[1:3]
    assert mean_over_questions(np.array([0.0, 0.9]), np.arange(2), (0.0, 1.0)).interval == (0, 1)
    assert mean_over_questions(np.array([0.2, 0.9]), np.zeros(2, int)).interval is None


def test_questions_of_one_family_are_one_piece_of_evidence() -> None:
    for family, families in (("", 6), ("f", 1)):
        group = the_group(once(["yes"] * 6, [0.6 + n / 50 for n in range(6)], family=family))
        assert (group.families, group.brier.interval is not None) == (families, families > 1)


def test_repeating_a_forecast_does_not_change_the_score() -> None:
    questions = [asked("q1", "yes"), asked("q2", "no")]
    once = [made(q, "ana", 0, 0.7) for q in ("q1", "q2")]
    often = once + [made("q1", "ana", at, 0.7) for at in range(1, 9)]
    a, b = (the_group(ledger(questions, forecasts)) for forecasts in (once, often))
    assert (a.updates, b.updates) == (2, 10)
    assert a.brier == b.brier
    # The k-th forecast on a question counts 1/k, and they all agree.
    weights = [sum(bin_.weight for bin_ in group.bins) for group in (a, b)]
    assert weights == pytest.approx([2, 1 + sum(1 / k for k in range(1, 10))])
    assert [bin_.forecast for bin_ in a.bins] == pytest.approx([bin_.forecast for bin_ in b.bins])


def test_a_question_of_two_options_counts_like_a_binary_one() -> None:
    binary = the_group(once(["yes", "no"], [0.7, 0.4]))
    options = {"type": "multiple_choice", "options": ["yes, it will", "no"]}
    chosen = the_group(once(["yes, it will", "no"], [[0.7, 0.3], [0.4, 0.6]], **options))
    assert binary.brier == chosen.brier
    assert sum(bin_.weight for bin_ in chosen.bins) == pytest.approx(2)


def test_the_options_of_a_question_are_one_observation() -> None:
    names = [f"option {k}" for k in range(20)]
    options = asked("q", names[3], type="multiple_choice", options=names)
    low = the_group(ledger([options], [made("q", "ana", 0, [0.05] * 20)])).bins[0]
    assert (low.questions, low.weight) == (1, pytest.approx(10))
    assert low.observed == pytest.approx(1 / 20)
    assert low.interval == pytest.approx(wilson(1 / 20, 1))


def test_the_interval_of_a_bin_allows_for_weight_questions_and_families() -> None:
    frames = random_ledger(1)
    apart = replace(frames, questions=frames.questions.assign(family=""))
    for bin_, alone in zip(the_group(frames).bins, the_group(apart).bins, strict=True):
        if bin_.observed is None:
            assert bin_.interval is None
            continue
        most = wilson(bin_.observed, min(bin_.weight, bin_.questions))
        widths = [high - low for low, high in (bin_.interval, alone.interval, most)]
        assert (np.diff(widths) < 1e-12).all()


def test_earlier_forecasts_count_a_later_option_as_the_last_one() -> None:
    asked_ = asked("q", "new", type="multiple_choice", options=["a", "b", "new", "other"])
    rows = path("q", "ana", (0, [0.5, 0.3, None, 0.2]), (5, [0.2, 0.1, 0.6, 0.1]))
    group = the_group(ledger([asked_], rows))
    first = (0.5**2 + 0.3**2 + 0.8**2) / 2
    second = (0.2**2 + 0.1**2 + 0.4**2 + 0.1**2) / 2
    assert group.decomposition.score == pytest.approx((first + second / 2) / 1.5)
    assert group.brier.mean == pytest.approx((first + second) / 2)


def test_a_team_has_its_members_forecasts_while_they_are_current() -> None:
    # bo joins on day 4: the forecast of day 0 is not the team's, that of day 6 is, and it is
    # current though he leaves on day 8. His forecast of day 9 ends it, and is not the team's.
    rows = path("q", "bo", (0, 0.1), (6, 0.8), (9, 0.2))
    frames = ledger([asked("q", "yes")], rows, [joined("red", "bo", 4, 8)])
    team = the_group(frames, "red", by="team")
    assert (team.questions, team.updates) == (1, 1)
    assert team.brier.mean == pytest.approx(0.04)
    assert team.coverage == pytest.approx(0.3)


def test_two_stays_in_a_team_count_each_forecast_once() -> None:
    stays = [joined("red", "bo", until=2), *(joined("red", "bo", since=at) for at in (7, 7.5))]
    frames = ledger([asked("q", "yes")], path("q", "bo", (0, 0.5), (4, 0.6), (8, 0.9)), stays)
    team = the_group(frames, "red", by="team")
    assert (team.updates, team.forecasters) == (2, 1)
    assert team.brier.mean == pytest.approx((4 * 0.25 + 2 * 0.01) / 6)


def test_someone_in_two_teams_counts_in_each_and_is_named() -> None:
    stays = [joined("red", "bo"), joined("blue", "bo"), joined("red", "cy", until=3)]
    stays.append(joined("blue", "cy", since=3))
    rows = [made("q", "bo", 0, 0.5), made("q", "cy", 0, 0.5)]
    found = report(ledger([asked("q", "yes")], rows, stays), by="team")
    assert [(group.name, group.questions) for group in found.groups] == [("blue", 1), ("red", 1)]
    assert any("same time, and counted in each: bo." in note for note in found.notes)


def test_a_question_counts_under_each_of_its_tags() -> None:
    tags = (["a", "b"], ["b"], None)
    asked_ = [asked(f"q{n}", "yes", tags=own) for n, own in enumerate(tags)]
    frames = ledger(asked_, [made(f"q{n}", "ana", 0, 0.3) for n in range(3)])
    found = report(frames, by="tag")
    assert [(group.name, group.questions) for group in found.groups] == [("a", 1), ("b", 2)]


def test_every_question_that_is_left_out_is_counted_with_its_reason() -> None:
    early = {"closes": 300, "actual_close_time": day(3)}
    frames = ledger(
        [
            asked("scored", "yes"),
            asked("open", closes=300),
            asked("awaiting"),
            asked("awaiting-early", **early),
            asked("annulled", "annulled"),
            asked("ambiguous", "ambiguous"),
            asked("early", "yes", **early),
            asked("numeric", "7", type="numeric", lower_bound="0", upper_bound="9"),
            asked("too-late", "yes"),
            asked("nobody", "yes"),
        ],
        [made(q, "ana", 0, 0.3) for q in ("scored", "open", "awaiting", "annulled", "early")]
        + [made("too-late", "ana", 11, 0.3), made("scored", "bo", 11, 0.2)],
    )
    found = report(frames)
    counted = {entry.reason: entry.questions for entry in found.left_out}
    once = ("open", "annulled", "ambiguous", "not_in_cohort", "numeric_or_date")
    assert counted == dict.fromkeys(once, 1) | {"awaiting_resolution": 2, "never_live": 2}
    assert found.questions == 10 == found.groups[0].questions + sum(counted.values())
    own = {one.name: one.left_out for one in report(frames, by="forecaster").groups}
    assert own["bo"] == (LeftOut("never_live", 1),)
    assert {entry.reason for entry in own["ana"]} == {
        "open", "awaiting_resolution", "annulled", "not_in_cohort", "never_live",
    }  # fmt: skip


def test_a_question_outside_all_groups_has_a_reason_of_its_own() -> None:
    frames = ledger(
        [asked("in", "yes", tags=["a"]), asked("out", "no"), asked("nobody", "no")],
        [made("in", "ana", 0, 0.3), made("out", "bo", 0, 0.3)],
        [joined("north", "ana")],
    )
    for by in ("team", "tag"):
        left_out = {entry.reason: entry.questions for entry in report(frames, by=by).left_out}
        assert left_out == {"in_no_group": 1, "never_live": 1}
    assert report(frames).left_out == (LeftOut("never_live", 1),)


def test_a_question_that_closed_after_the_reports_time_counts_as_open() -> None:
    frames = ledger([asked("q", "yes")], [made("q", "ana", 0, 0.3)])
    found = report(frames, cohort="resolved", as_of=day(9))
    assert (found.groups[0].questions, found.left_out) == (0, (LeftOut("open", 1),))


def test_an_impossible_lead_is_refused() -> None:
    for lead in (0.0, -1.0, 1e-9, 1e6, float("nan")):
        with pytest.raises(BadInput, match="must be above 0"):
            Choice(lead=lead)


def test_the_cohort_of_all_resolved_questions_comes_with_a_warning() -> None:
    frames = ledger(
        [asked("q1", "yes"), asked("q2", "yes", closes=300, actual_close_time=day(3))],
        [made("q1", "ana", 0, 0.6), made("q2", "ana", 0, 0.6)],
    )
    assert report(frames).groups[0].questions == 1
    resolved = report(frames, cohort="resolved")
    assert resolved.groups[0].questions == 2
    assert any("tend to resolve “yes”" in note for note in resolved.notes)


def test_names_pick_groups_in_the_order_asked_for() -> None:
    found = report(random_ledger(1), by="forecaster", names=["dee", "ana", "dee"])
    assert [group.name for group in found.groups] == ["dee", "ana"]
    everyone = {group.name: group for group in random_report(1, "forecaster").groups}
    assert found.groups[1] == everyone["ana"]


def test_an_unknown_group_is_refused_with_the_known_ones() -> None:
    there = {"forecaster": "ana, bo, cy, dee, eli", "team": "north, south", "tag": "t0, t1, t2"}
    for by, names in there.items():
        with pytest.raises(BadInput, match="zoe") as refused:
            report(random_ledger(1), by=by, names=["zoe"])
        assert refused.value.remedy == f"Use one of: {names}."


def test_an_empty_ledger_has_a_report() -> None:
    [group] = report(ledger([])).groups
    assert (group.questions, group.brier.mean, group.verdict.kind) == (0, None, "too_few")
    assert "no question scored" in group.verdict.sentence
    for by in ("forecaster", "team", "tag"):
        assert report(ledger([]), by=by).groups == ()


def test_certainty_that_fails_has_an_infinite_log_score_and_is_counted_apart() -> None:
    found = report(once(["no", "yes", "no"], [1.0, 1.0, 0.0]))
    [group] = found.groups
    assert (group.log.infinite, group.log.mean) == (1, 0.0)
    assert group.log.interval == (0.0, 0.0)  # of the two that are finite
    assert group.brier.mean == pytest.approx(1 / 3)
    assert not group.recalibration.estimable
    assert any("infinite" in note for note in found.notes)


def test_a_single_question_has_a_report() -> None:
    one = the_group(once(["yes"], [0.7]))
    assert one.brier.mean == pytest.approx(0.09)
    assert one.brier.interval is None
    assert one.auc is None
    assert one.decomposition.uncertainty == 0
    group = the_group(once(["yes"] * 40, [0.7] * 40))
    assert group.verdict.kind == "too_low"
    assert "they say 70%, and it happens 100% of the time" in group.verdict.sentence
    assert not group.recalibration.estimable
    assert "only one outcome" in group.recalibration.reason
    assert group.recalibration.p_value < 0.001


def test_the_digest_does_not_depend_on_the_order_of_rows() -> None:
    frames = random_ledger(4)
    tables = {name: getattr(frames, name) for name in ("questions", "forecasts", "teams")}
    mixed = {name: table.sample(frac=1, random_state=1) for name, table in tables.items()}
    shuffled = complete(**{name: table.reset_index(drop=True) for name, table in mixed.items()})
    assert random_report(4, "team") == report(shuffled, by="team")
    changed = frames.forecasts.copy()
    changed.loc[0, "made_at"] += np.timedelta64(1, "us")
    other = replace(frames, forecasts=changed)
    digests = {sha256(one) for one in (frames, other, cited(frames))}
    assert len(digests) == 3


def test_the_band_of_a_forecaster_does_not_depend_on_the_questions_of_others() -> None:
    """So a member's report and the published record of the same forecasts say the same."""
    rng = np.random.default_rng(7)
    own = [asked(f"own{n}", "yes" if rng.random() < 0.5 else "no") for n in range(40)]
    of_ana = [made(f"own{n}", "ana", 0, float(p)) for n, p in enumerate(rng.random(40))]
    others = [asked(f"a{n}", "no") for n in range(9)]
    of_ben = [made(f"a{n}", "ben", 0, 0.3) for n in range(9)]
    alone, among = (
        the_group(frames, "ana", by="forecaster", names=["ana"])
        for frames in (ledger(own, of_ana), ledger([*others, *own], [*of_ben, *of_ana]))
    )
    assert (among.curve, among.miscalibration) == (alone.curve, alone.miscalibration)


def test_the_curve_is_thinned_only_between_its_corners() -> None:
    rng = np.random.default_rng(3)
    ps = rng.uniform(0.001, 0.999, 1500)
    curve = the_group(once(np.where(rng.random(1500) < ps, "yes", "no"), ps)).curve
    assert 190 < len(curve) <= 202
    assert sum(point.weight for point in curve) == pytest.approx(1500)
    forecasts = [point.forecast for point in curve]
    assert forecasts == sorted(forecasts)
    assert all(0 <= point.lower <= point.upper <= 1 for point in curve)


def test_a_short_period_hides_no_verdict() -> None:
    """Fifty questions of 95%, of which half came true, close on fifty days."""
    questions = [asked(f"q{n}", "yes" if n % 2 else "no", closes=10 + n) for n in range(50)]
    frames = ledger(questions, [made(f"q{n}", "ana", 0, 0.95) for n in range(50)])
    for by, names in (("all", ()), ("forecaster", ["ana"])):
        always = report(frames, by=by, names=names).groups[0]
        assert (always.verdict.kind, always.all_time) == ("too_high", None)
        short = report(frames, by=by, names=names, since=day(20))
        [some] = report(frames, by=by, names=names, since=day(10), until=day(38)).groups
        assert (some.questions, some.verdict.kind) == (29, "too_few")
        assert some.all_time == always.verdict
        assert short.groups[0].all_time is None  # enough for a verdict of its own
    said = str(formats.rendered(report(frames, since=day(50)), "text"))
    assert "Too few to tell: 10 questions scored" in said
    assert "Over all time: " in said
    assert " are too high. On average they say 95%" in said
    few = ledger(questions[:20], [made(f"q{n}", "ana", 0, 0.95) for n in range(20)])
    assert report(few, until=day(20)).groups[0].all_time is None
