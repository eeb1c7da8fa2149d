"""A comparison's numbers and sentences, on ledgers that can be worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import scoring
from forecasts.common.errors import BadInput
from forecasts.documents.numbers import p_value
from forecasts.folder.frames import Frames, complete
from forecasts.reports import build as report
from forecasts.reports import formats
from forecasts.reports.comparison import Comparison, Pair, build, wording
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.report import LeftOut
from forecasts.reports.verdict import often
from tests.reports.small_ledgers import NOW, asked, day, joined, ledger, made, picked, random_ledger

pytestmark = pytest.mark.slow

TEAMS = (joined("ours", "ann"), joined("theirs", "bob"))


def compared(frames: Frames, *names: str, **wanted: Any) -> Comparison:
    """Return the comparison of "ours" and "theirs", unless it is of others."""
    names = names or ("ours", "theirs")
    return build(frames, between=names, **({"as_of": NOW} | picked(wanted)))


def only(frames: Frames, *names: str, **wanted: Any) -> Pair:
    [pair] = compared(frames, *names, **wanted).pairs
    return pair


def questions(many: int, is_yes: Callable[[int], Any] = lambda n: True, **more: Any) -> list[Any]:
    return [asked(f"q{n:03}", "yes" if is_yes(n) else "no", **more) for n in range(many)]


def said(many: int, at: float = 0, **p: Any) -> list[Any]:
    """Return a forecast of each on each question: a number, or a function of the question's."""
    return [
        made(f"q{n:03}", who, at, of(n) if callable(of) else of)
        for n in range(many)
        for who, of in p.items()
    ]


def odd(n: int) -> bool:
    return n % 2 == 1


def right(p: float) -> Callable[[int], float]:
    """Return forecasts that give ``p`` to the outcome, where odd questions end in "yes"."""
    return lambda n: p if odd(n) else 1 - p


def two_teams(many: int, ours: float, theirs: float, **more: Any) -> Frames:
    """Return a ledger in which the two teams give these to the outcomes of the same questions."""
    rows = said(many, ann=right(ours), bob=right(theirs))
    return ledger(questions(many, odd, **more), rows, TEAMS)


@cache
def clear() -> Comparison:
    return compared(two_teams(40, 0.9, 0.7))


def test_the_difference_is_the_first_ones_brier_score_less_the_seconds() -> None:
    [pair] = clear().pairs
    assert (pair.shared_questions, pair.comparable, pair.better) == (40, True, "ours")
    assert pair.difference == pytest.approx(0.1**2 - 0.3**2)
    assert "ours did better than theirs" in pair.sentence


def test_a_small_difference_has_four_decimals_and_low_coverage_is_named() -> None:
    early = {"closes": 4_000, "actual_close_time": day(10)}
    comparison = compared(two_teams(40, 0.9, 0.7, **early), cohort="resolved")
    [pair] = comparison.pairs
    # (0.1² − 0.3²) over 10 of 4,000 days.
    assert pair.difference == pytest.approx(-0.0002)
    assert "is −0.0002 (95% interval −0.0003 to −0.0001)" in pair.sentence
    [note] = [note for note in comparison.notes if "Coverage is low" in note]
    assert "down to 0.2%: a difference is spread over" in note
    text = str(formats.rendered(comparison, "md"))
    assert "−0.0002" in text
    assert "−0.000 " not in text
    assert "is −0.080 (95%" in clear().pairs[0].sentence
    assert not any("Coverage" in note for note in clear().notes)


def test_only_the_time_at_which_both_had_a_forecast_counts() -> None:
    rows = [made("q", "ann", 0, 0.5), made("q", "ann", 5, 0.9), made("q", "bob", 5, 0.6)]
    frames = ledger([asked("q", "yes")], rows, TEAMS)
    # From the fifth day of ten on: (0.1² − 0.4²) for half of the time.
    assert only(frames).difference == pytest.approx(-0.15 / 2)


def test_below_thirty_questions_or_families_nothing_is_claimed() -> None:
    comparison = compared(two_teams(29, 0.9, 0.7))
    [pair] = comparison.pairs
    assert pair.difference < 0
    assert (pair.comparable, pair.better, pair.watched) == (False, None, None)
    assert "29" in pair.reason
    assert [(side.rank_low, side.rank_high) for side in comparison.groups] == [(1, 2), (1, 2)]
    linked = only(two_teams(40, 0.9, 0.7, family="one"))
    assert (linked.families, linked.comparable) == (1, False)
    assert "famil" in linked.reason


def test_teams_without_a_shared_question_are_not_compared() -> None:
    for theirs in ([], [made("q2", "bob", 0, 0.5)]):
        rows = [made("q1", "ann", 0, 0.5), *theirs]
        pair = only(ledger([asked("q1", "yes"), asked("q2", "no")], rows, TEAMS))
        assert (pair.shared_questions, pair.difference, pair.watched) == (0, None, None)
        assert "never" in pair.reason


def shared(*asked_: dict[str, Any], at: float = 0) -> Frames:
    """Return a ledger in which "ours" forecast from the start, "theirs" from ``at`` on."""
    ids = [one["question_id"] for one in asked_]
    rows = [made(id_, who, when, 0.5) for id_ in ids for who, when in (("ann", 0), ("bob", at))]
    return ledger(asked_, rows, TEAMS)


EARLY = {"closes": 400, "actual_close_time": day(5)}


@pytest.mark.parametrize(
    ("those", "said"),
    [
        (
            [asked("a", "yes", **EARLY), asked("b", "no", **EARLY), asked("c", closes=400)],
            "no shared question counts yet: 1 still open and 2 resolved before the scheduled close "
            "(counted in the cohort “resolved”)",
        ),
        ([asked("a")], "no shared question counts yet: 1 closed and awaiting resolution"),
        ([asked("a", "annulled")], "no shared question counts: 1 annulled"),
    ],
)
def test_a_pair_without_countable_questions_has_the_reason(those: list[Any], said: str) -> None:
    comparison = compared(shared(*those))
    assert comparison.pairs[0].reason == said
    assert comparison.sentence == f"No conclusion: ours and theirs: {said}."
    assert only(shared(*those), lead=2).reason == said


def test_forecasts_from_before_a_membership_are_named_with_the_way_out() -> None:
    rows = [made(q, who, 1, 0.5) for q in "ab" for who in ("ann", "bob")]
    teams = [joined("ours", "ann", since=2), joined("theirs", "bob")]
    comparison = compared(ledger([asked("a", "yes"), asked("b", "no")], rows, teams))
    said = "2 with forecasts made before someone joined or after they left"
    assert comparison.pairs[0].reason == f"no shared question counts: {said}"
    [note] = comparison.notes  # and nothing on a comparison that there is not
    assert "forecasts team add TEAM HANDLE --since DAY" in note


def test_a_shared_question_never_live_for_both_has_its_own_reason() -> None:
    counts, early = asked("a", "yes"), asked("b", "yes", **EARLY)
    frames = shared(counts, early)
    late = frames.forecasts["forecaster"].eq("bob") & frames.forecasts["question_id"].eq("a")
    frames.forecasts.loc[late, "made_at"] = day(11)
    assert "never" in only(frames).reason
    assert only(frames, cohort="resolved").shared_questions == 1
    assert "never" in only(shared(counts, at=11)).reason


def test_a_member_counts_in_each_of_their_teams_in_turn() -> None:
    stays = [joined("ours", "ann", until=5), joined("theirs", "ann", since=5), TEAMS[1]]
    pair = only(ledger(questions(40), said(40, 1, ann=0.9, bob=0.7), stays))
    assert pair.comparable
    assert pair.difference == pytest.approx((0.1**2 - 0.3**2) * 0.9)


def test_equals_show_no_difference_and_the_detectable_one_is_named() -> None:
    rng = np.random.default_rng(1)
    is_yes = rng.random(80) < 0.5
    rows = said(80, ann=lambda n: float(rng.uniform(0.3, 0.7)), bob=lambda n: 0.3 + n / 200)
    comparison = compared(ledger(questions(80, lambda n: is_yes[n]), rows, TEAMS))
    [pair] = comparison.pairs
    assert pair.better is None
    assert pair.detectable > 0
    assert "show no clear difference" in pair.sentence
    assert comparison.sentence.startswith(
        ("Too early to say who is better: about ", "ours and theirs are about equally good: ")
    )


def test_too_early_comes_with_the_number_of_questions_that_would_tell() -> None:
    pair = replace(
        only(two_teams(40, 0.9, 0.7)), better=None, p_adjusted=0.1, interval=(-0.02, 0.001),
        difference=-0.01, more_questions=58,
    )  # fmt: skip
    said = wording.conclusion((), [pair])
    assert said == (
        "Too early to say who is better: about 58 more shared questions would tell, if ours stays "
        "as far ahead as now."
    )
    far = replace(pair, difference=-0.0001, more_questions=5_000)
    assert "differ by 0.0200 at most" in wording.conclusion((), [far])
    several = wording.conclusion((), [pair, replace(far, b="others", p_adjusted=0.9)])
    assert "would tell between ours and theirs, the clearest pair" in several


def test_two_who_always_agree_scored_alike() -> None:
    comparison = compared(two_teams(40, 0.8, 0.8))
    [pair] = comparison.pairs
    assert (pair.difference, pair.interval, pair.more_questions) == (0.0, (0.0, 0.0), None)
    assert comparison.sentence == "ours and theirs scored alike."
    assert "8 of 10" not in pair.sentence


def test_an_end_that_is_not_zero_is_not_written_as_zero() -> None:
    [pair] = clear().pairs
    near = replace(pair, difference=-0.12, interval=(-0.24, -0.0004))
    assert wording.difference(near) == "−0.1200 (95% interval −0.2400 to −0.0004)"


def test_the_sentence_states_the_shared_time() -> None:
    rows = [*said(40, ann=right(0.7)), *said(40, 9.97, bob=right(0.9)), *said(40, cid=right(0.95))]
    pair = only(ledger(questions(40, odd), rows, TEAMS))
    assert pair.shared_time == pytest.approx(0.003)
    assert "at the same times (0.3% of their scheduled time)" in pair.sentence
    assert only(two_teams(40, 0.9, 0.7), lead=2).shared_time is None


def test_evidence_over_time_leaves_out_families_with_open_questions() -> None:
    asked_ = [asked(f"q{n:03}", "yes", family=f"f{n}") for n in range(40)]
    asked_.append(asked("later", "", closes=900, family="f0"))
    pair = only(ledger(asked_, said(40, ann=0.9, bob=0.7), TEAMS))
    # All questions are open together, so there is one block.
    assert (pair.families, pair.watched.families, pair.watched.blocks) == (40, 39, 1)
    assert (pair.watched_by_family.families, pair.watched_by_family.blocks) == (39, None)


def test_forecasters_have_skill_which_questions_without_others_do_not_change() -> None:
    frames = random_ledger(5, questions=60)
    alone = ledger([asked(f"alone{n}", "yes") for n in range(9)],
                   [made(f"alone{n}", "ana", 0, 0.9) for n in range(9)])  # fmt: skip
    more = complete(
        pd.concat([frames.questions, alone.questions]),
        pd.concat([frames.forecasts, alone.forecasts]),
        frames.teams,
    )
    before, after = (
        {side.name: side.skill for side in compared(each, "ana", "bo", of="forecasters").groups}
        for each in (frames, more)
    )
    assert after == before
    for skill in before.values():
        assert abs(skill.shrunk) <= abs(skill.mean) + 5
        assert skill.interval[0] <= skill.mean <= skill.interval[1]


def test_only_the_chosen_questions_are_compared() -> None:
    frames = two_teams(40, 0.9, 0.7, tags=["a"])
    assert only(frames, tags=("a",)).shared_questions == 40
    later = compared(frames, since=NOW)
    assert later.pairs[0].shared_questions == 0
    assert later.left_out == (LeftOut("not_selected", 40),)
    assert "Only those scheduled to close from 2026-06-01" in comparison_document(later).scope
    with pytest.raises(BadInput, match="'b'"):
        compared(frames, tags=("b",))


def test_at_a_lead_the_forecasts_current_then_are_compared() -> None:
    asked_ = [*questions(40), asked("q040", "yes", actual_close_time=day(2))]
    rows = [*said(41, ann=0.9, bob=0.8), *said(41, 7, bob=0.99)]
    frames = ledger(asked_, rows, TEAMS)
    # Three days after they opened; the one that a "yes" had closed by then is not shared.
    comparison = compared(frames, lead=7)
    [pair] = comparison.pairs
    assert (pair.shared_questions, pair.better) == (40, "ours")
    assert pair.difference == pytest.approx(0.1**2 - 0.2**2)
    assert "by 7 days before the scheduled close" in pair.sentence
    assert comparison.metadata.lead == 7
    assert comparison.metadata.protocol == "brier, paired at a lead of 7 days"
    scope = comparison_document(comparison).scope
    assert "the forecasts current 7 days before the scheduled close" in scope
    assert any("was not open" in note for note in comparison.notes)
    assert {side.questions for side in comparison.groups} == {40}
    assert only(frames).difference > pair.difference
    none = only(frames, lead=11)
    assert (none.shared_questions, none.difference) == (0, None)
    assert none.reason == wording.NEVER_AT_LEAD


def test_at_a_lead_skill_is_of_that_lead() -> None:
    frames = random_ledger(3, questions=40)
    stood = scoring.score(frames.questions, frames.forecasts, "brier_lead(2)")
    for side in compared(frames, "ana", "bo", of="forecasters", lead=2).groups:
        assert side.questions == (stood["forecaster"] == side.name).sum()
        assert side.skill.questions <= side.questions


def test_wider_claims_are_labelled_and_have_wider_intervals() -> None:
    frames = random_ledger(7, questions=80)
    these, alike = (compared(frames, "north", "south", alike=alike) for alike in (False, True))
    assert (these.metadata.claims, alike.metadata.claims) == ("these members", "people like them")
    narrow, wide = (found.pairs[0].interval for found in (these, alike))
    assert wide[1] - wide[0] >= narrow[1] - narrow[0]


def test_fewer_than_two_names_and_unknown_ones_are_refused() -> None:
    for names in ((), ("north",), ("north", "north")):
        with pytest.raises(BadInput, match="two or more"):
            build(random_ledger(1), between=names, as_of=NOW)
    with pytest.raises(BadInput, match="'west'") as refused:
        compared(random_ledger(1), "north", "west")
    assert "north, south" in str(refused.value.remedy)


def test_a_pair_is_compared_without_regard_to_a_third() -> None:
    frames = random_ledger(13, questions=30)
    among = compared(frames, "ana", "bo", "eli", of="forecasters")
    briers = {side.name: side.brier.mean for side in among.groups}
    one = among.pairs[0]
    alone = compared(frames, one.a, one.b, of="forecasters")
    [pair] = alone.pairs
    assert pair.difference == pytest.approx(one.difference, abs=1e-12)
    assert pair.interval == pytest.approx(one.interval, abs=1e-12)
    for side in alone.groups:
        assert side.brier.mean == pytest.approx(briers[side.name], abs=1e-12)


def test_evidence_over_time_ends_before_the_first_awaited_outcome() -> None:
    # "No" is written down late: to pass over those that wait would leave the "yes" alone.
    outcomes = ["yes"] * 20 + [""] + ["yes"] * 19
    asked_ = [asked(f"q{n:03}", outcome, closes=10 + n) for n, outcome in enumerate(outcomes)]
    comparison = compared(ledger(asked_, said(40, ann=0.6, bob=0.4), TEAMS))
    [pair] = comparison.pairs
    assert (pair.shared_questions, pair.watched_by_family.families) == (39, 20)
    assert any("1 question closed and awaiting" in note for note in comparison.notes)


def test_a_member_of_both_teams_is_named() -> None:
    rows = [made("q", "ann", 0, 0.9), made("q", "bob", 0, 0.7)]
    frames = ledger([asked("q", "yes")], rows, [*TEAMS, joined("theirs", "ann")])
    assert only(frames).sentence == "ours and theirs are not comparable: ann counts in both."
    [way] = [note for note in compared(frames).notes if "share a member" in note]
    assert (
        "leave out ann: on the page Compare under Sides and questions, or with --without HANDLE."
        in way
    )
    without = compared(frames, without=("ann",))
    assert [side.brier.mean is None for side in without.groups] == [False, True]
    assert "Without the forecasts of ann." in comparison_document(without).scope
    with pytest.raises(BadInput, match="no forecaster 'anne' to leave out"):
        compared(frames, without=("anne",))


def test_a_stay_in_a_team_without_forecasts_that_count_leaves_it_comparable() -> None:
    rows = said(40, ann=right(0.9), bob=right(0.7))
    open_, elsewhere = asked("open", "", closes=300), asked("early", "yes", closes=20)
    rows += [made("open", "boss", 1, 0.4), made("early", "boss", 0, 0.4)]
    stays = [*TEAMS, joined("ours", "boss"), joined("theirs", "boss", 2)]
    frames = ledger([*questions(40, odd), open_, elsewhere], rows, stays)
    comparison = compared(frames)
    assert comparison.pairs[0].better == "ours"
    assert not any("share a member" in note for note in comparison.notes)
    found = report(frames, by="team", as_of=NOW).notes
    assert not any("In two teams" in note for note in found)
    both = [*rows, made("q001", "boss", 2, 0.4)]
    frames = ledger([*questions(40, odd), open_, elsewhere], both, stays)
    assert only(frames).reason == "boss counts in both"
    assert any("each: boss." in note for note in report(frames, by="team", as_of=NOW).notes)


def test_the_evidence_favours_the_better_side_in_either_order() -> None:
    frames = two_teams(200, 0.95, 0.55)
    for names in (("ours", "theirs"), ("theirs", "ours")):
        watched = only(frames, *names).watched_by_family
        assert watched.better == "ours"
        assert watched.highest >= watched.enough


def test_a_claim_among_several_says_that_it_allows_for_their_number() -> None:
    rows = said(60, ann=right(0.95), bob=right(0.6), cid=right(0.55))
    several = compared(ledger(questions(60, odd), rows), "ann", "bob", "cid", of="forecasters")
    assert "allowing for the 3 pairs compared" in several.pairs[0].sentence
    assert "allowing for" not in shifting().pairs[0].sentence


def test_a_family_that_holds_half_is_named_with_the_result_without_it() -> None:
    asked_ = [asked(f"q{n:03}", "yes", family="election" if n < 40 else f"f{n}") for n in range(80)]
    rows = said(80, ann=lambda n: 0.9 + n % 7 / 100, bob=lambda n: 0.7 + n % 7 / 100)
    pair = only(ledger(asked_, rows, TEAMS))
    assert pair.dominant.family == "election"
    assert "The family election holds 50% of these questions; without it" in pair.sentence
    assert pair.effective_families < 4


@cache
def shifting() -> Comparison:
    """Return a comparison in which "ours" do better, by more on some questions than on others."""
    rows = said(60, ann=lambda n: 0.8 + n % 10 / 100, bob=lambda n: 0.75 - n % 7 / 50)
    return compared(ledger(questions(60, lambda n: n % 9 > 0), rows, TEAMS))


def test_a_claim_says_with_which_correlation_it_would_fail() -> None:
    comparison = shifting()
    [pair] = comparison.pairs
    words = "This claim is in doubt if outcomes of questions open together have a correlation over "
    clearer = replace(pair, tipping=0.031)
    assert f"{words}0.031." in wording.sentence(clearer, pairs=1, lead=None)
    assert wording.conclusion(comparison.groups, [clearer]).endswith(f"{words}0.031.")
    # With a p-value of 0.005 to 0.05 any correlation is too much.
    assert pair.tipping == 0
    assert comparison.sentence.endswith("questions open together are correlated at all.")
    assert any("counts as separate evidence" in note for note in comparison.notes)


def test_the_evidence_names_its_blocks_and_how_many_more_it_needs() -> None:
    [pair] = shifting().pairs
    text = wording.evidence(pair)
    assert "(1 separate period)" in text
    assert ", each counted as separate evidence)." in text
    for needed, more in ((184, "about 180"), (5_739, "about 5,700"), (10**9, "over 100,000")):
        other = replace(pair, watched=replace(pair.watched, needed=needed))
        assert f"{more} more periods would be enough" in wording.evidence(other)
    assert pair.watched.needed == 184
    assert all(side.may_be_best for side in shifting().groups)


def silent_when_unsure(crowd: bool) -> Frames:
    """Return a ledger in which "ours" forecast half of the questions that "theirs" do."""
    rows = [*said(80, bob=0.6), *said(40, ann=lambda n: 0.5 + n / 400)]
    return ledger(questions(80, odd), [*rows, *(said(80, cid=0.4) if crowd else [])], TEAMS)


def test_abstention_is_beside_each_side() -> None:
    for lead, silent in ((None, {"ours": 0.5, "theirs": 0.0}), (5, {"ours": None, "theirs": None})):
        sides = compared(silent_when_unsure(True), lead=lead).groups
        assert {one.name: one.unanswered for one in sides} == {"ours": 0.5, "theirs": 0.0}
        assert {one.name: one.silent for one in sides} == pytest.approx(silent)


def test_before_its_first_forecast_a_side_scores_like_the_mean_of_all() -> None:
    pair = only(silent_when_unsure(crowd=True))
    assert (pair.shared_questions, pair.imputed.questions) == (40, 80)

    def brier(p: float, n: int) -> float:
        return (p - n % 2) ** 2

    expected = [
        (brier(0.5 + n / 400, n) if n < 40 else (brier(0.6, n) + brier(0.4, n)) / 2) - brier(0.6, n)
        for n in range(80)
    ]
    assert pair.imputed.difference == pytest.approx(np.mean(expected))


def test_without_a_third_forecaster_uneven_silence_leaves_no_claim() -> None:
    comparison = compared(silent_when_unsure(crowd=False))
    [pair] = comparison.pairs
    assert (pair.comparable, pair.better, pair.imputed, pair.watched) == (False, None, None, None)
    assert "ours for 50% and theirs for 0% of the time, and without a third" in pair.reason
    assert [(one.rank_low, one.rank_high) for one in comparison.groups] == [(1, 2), (1, 2)]


def test_a_withdrawn_forecast_lasts_where_silence_is_filled() -> None:
    rows = [*said(40, ann=0.9, bob=0.6, cid=0.5), *said(40, 4, ann=None)]
    pair = only(ledger(questions(40), rows, TEAMS))
    assert pair.difference == pytest.approx(0.4 * (0.1**2 - 0.4**2))
    assert pair.imputed.difference == pytest.approx(0.1**2 - 0.4**2)
    assert pair.better == "ours"
    assert "The claim also holds with the gaps of both filled" in pair.sentence


def test_with_options_the_crowd_forecasts_each_of_them() -> None:
    options = {"type": "multiple_choice", "options": ["a", "b", "c"]}
    asked_ = [asked(f"q{n:03}", "b", **options) for n in range(40)]
    rows = [*said(40, bob=[0.2, 0.6, 0.2], cid=[0.4, 0.4, 0.2]), *said(35, ann=[0.1, 0.8, 0.1])]
    pair = only(ledger(asked_, rows, TEAMS))

    def brier(*p: float) -> float:
        return sum((each - y) ** 2 for each, y in zip(p, (0, 1, 0), strict=True)) / 2

    ours, theirs = brier(0.1, 0.8, 0.1), brier(0.2, 0.6, 0.2)
    crowd = (theirs + brier(0.4, 0.4, 0.2)) / 2
    assert pair.imputed.difference == pytest.approx((35 * ours + 5 * crowd) / 40 - theirs)


def test_questions_that_neither_of_two_forecast_are_not_imputed() -> None:
    frames = silent_when_unsure(True)
    more = ledger([], said(40, dee=0.3), [*TEAMS, joined("others", "dee")])
    both = pd.concat([frames.forecasts, more.forecasts])
    frames = replace(frames, forecasts=both, teams=more.teams)
    pairs = {(pair.a, pair.b): pair for pair in compared(frames, "ours", "theirs", "others").pairs}
    assert pairs["ours", "theirs"].imputed.questions == 80
    assert pairs["ours", "others"].imputed is None
    # Two who are silent alike are compared once.
    assert clear().pairs[0].imputed is None


def test_a_claim_that_silence_explains_is_not_made() -> None:
    asked_ = questions(120, lambda n: n % 20 > 0 if n < 60 else odd(n))
    # "ours" never says 50%: it withdraws there.
    rows = said(60, ann=0.9)
    rows += said(120, bob=lambda n: 0.8 if n < 60 else 0.5, cid=lambda n: 0.85 if n < 60 else 0.2)
    found = compared(ledger(asked_, rows, TEAMS))
    [pair] = found.pairs
    assert pair.interval[1] < 0  # clear where both forecast
    assert (pair.comparable, pair.better, pair.imputed.better) == (False, None, None)
    assert "once these gaps are filled, chance explains the difference" in pair.sentence
    assert any("Forecasting only when sure can look like skill" in note for note in found.notes)


def test_the_conclusion_of_many_has_at_most_three_sentences() -> None:
    rng = np.random.default_rng(1)
    everyone = {
        f"f{number:02}": (lambda n, p=0.5 + number / 20: p + float(rng.uniform(-0.05, 0.05)))
        for number in range(9)
    }
    frames = ledger(questions(40), said(40, **everyone))
    comparison = compared(frames, *everyone, of="forecasters")
    assert comparison.sentence.count(". ") <= 2
    differ = [pair for pair in comparison.pairs if pair.better is not None]
    assert list(wording.shown(comparison)) == differ
    assert f"In {len(differ)} of 36 pairs one did better" in comparison.sentence
    assert "show no clear difference" not in str(formats.rendered(comparison, "text"))
    none = compared(ledger(questions(1), said(1, **everyone)), *everyone, of="forecasters")
    assert none.sentence == "No conclusion: none of the 36 pairs is comparable."


def test_a_side_has_the_score_and_the_interval_of_its_report() -> None:
    rows = said(54, ann=0.02, bob=0.04)
    frames = ledger(questions(54, lambda n: n == 7), rows, TEAMS)
    own = {one.name: one for one in report(frames, by="team", as_of=NOW).groups}
    for side in compared(frames).groups:
        assert side.brier == own[side.name].brier
        assert side.brier_original == own[side.name].brier_original
        assert side.brier.interval[1] > 0.05  # wider than that of one event in 54


def test_a_claim_over_many_periods_has_a_test_by_time() -> None:
    asked_, rows = [], []
    for n in range(34):
        asked_.append(asked(f"q{n}", "yes", open_time=day(4 * n), closes=4 * n + 4))
        for who, p in (("ann", 0.9), ("bob", 0.6)):
            rows.append(made(f"q{n}", who, 4 * n + 1, p + n % 3 / 50))
    pair = only(ledger(asked_, rows, TEAMS))
    assert pair.periods == 34
    assert f"A test by time, over 34 periods, gives p {p_value(pair.p_by_time)}." in pair.sentence
    assert f"luck alone would look like this in {often(pair.p_adjusted)} such" in pair.sentence


def test_a_difference_waits_for_the_outcomes_that_could_undo_it() -> None:
    def told(missing: int) -> Comparison:
        asked_ = [one | ({"resolution": ""} if int(one["question_id"][1:]) < missing else {})
                  for one in questions(60, odd)]  # fmt: skip
        return compared(ledger(asked_, said(60, ann=right(0.9), bob=right(0.6)), TEAMS))

    [sure], [undecided] = told(2).pairs, told(40).pairs
    assert (sure.better, sure.waiting) == ("ours", 2)
    assert "2 shared questions due by now have no outcome yet; this finding holds" in sure.sentence
    assert (undecided.better, undecided.waiting, undecided.comparable) == (None, 40, False)
    [undecided] = told(25).pairs
    assert (undecided.better, undecided.waiting) == (None, 25)
    assert undecided.sentence.startswith("ours and theirs cannot be told apart yet on the 35 ")
    assert told(25).sentence == (
        "No claim yet: 25 shared questions due by now have no outcome yet, and could change a "
        "difference."
    )
