"""What a comparison says, on ledgers that can be worked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import scoring
from forecasts.common.errors import BadInput
from forecasts.folder.frames import Frames, complete
from forecasts.reports import build as report
from forecasts.reports import formats
from forecasts.reports.comparison import Comparison, Pair, build, wording
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.report import LeftOut
from forecasts.reports.selection import Choice
from tests.reports.small_ledgers import NOW, asked, day, joined, ledger, made, picked, random_ledger


def compared(frames: Frames, *names: str, **wanted: Any) -> Comparison:
    return build(frames, between=names, **({"as_of": NOW} | picked(wanted)))


def two_teams(
    questions: int, ours: float, theirs: float, *, family: str = "", **more: Any
) -> Frames:
    """Return a ledger in which "ours" say one number and "theirs" another, on the same questions.

    Every other question ends in "yes".
    """
    asked_ = [
        asked(f"q{n:03}", "yes" if n % 2 else "no", family=family, **more) for n in range(questions)
    ]
    rows = []
    for n in range(questions):
        rows += [
            made(f"q{n:03}", "ann", 0, ours if n % 2 else 1 - ours),
            made(f"q{n:03}", "bob", 0, theirs if n % 2 else 1 - theirs),
        ]
    return ledger(asked_, rows, [joined("ours", "ann"), joined("theirs", "bob")])


def only(comparison: Comparison) -> Pair:
    [pair] = comparison.pairs
    return pair


def test_the_difference_is_the_first_ones_brier_score_less_the_seconds() -> None:
    pair = only(compared(two_teams(40, 0.9, 0.7), "ours", "theirs"))
    assert pair.shared_questions == 40
    assert pair.difference == pytest.approx(0.1**2 - 0.3**2)
    assert pair.comparable
    assert pair.better == "ours"
    assert "ours did better than theirs" in pair.sentence


@pytest.mark.slow
def test_a_small_difference_has_three_significant_digits_and_its_low_coverage_is_told() -> None:
    early = {"closes": 4_000, "actual_close_time": day(10)}
    comparison = compared(two_teams(40, 0.9, 0.7, **early), "ours", "theirs", cohort="resolved")
    pair = only(comparison)
    # (0.1² − 0.3²) over 10 of 4,000 days.
    assert pair.difference == pytest.approx(-0.0002)
    assert "is −0.000200 (95% interval −0.000328 to −0.000072)" in pair.sentence
    [note] = [note for note in comparison.notes if "Coverage is low" in note]
    assert "down to 0.2%: a difference is spread over" in note
    text = str(formats.rendered(comparison, "md"))
    assert "−0.000200" in text
    assert "−0.000 " not in text
    whole = compared(two_teams(40, 0.9, 0.7), "ours", "theirs")
    assert "is −0.080 (95%" in only(whole).sentence
    assert not any("Coverage" in note for note in whole.notes)


def test_swapping_the_sides_changes_only_the_sign() -> None:
    frames = random_ledger(3, questions=120)
    one = only(compared(frames, "north", "south"))
    other = only(compared(frames, "south", "north"))
    assert one.difference is not None
    assert other.difference == -one.difference
    assert other.interval == (-one.interval[1], -one.interval[0])
    assert (other.p_value, other.detectable) == (one.p_value, one.detectable)
    assert other.watched.e_value == pytest.approx(one.watched.e_value, rel=1e-12)


def test_only_the_time_at_which_both_had_a_forecast_counts() -> None:
    questions = [asked("q", "yes")]
    rows = [made("q", "ann", 0, 0.5), made("q", "ann", 5, 0.9), made("q", "bob", 5, 0.6)]
    frames = ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    # From the fifth day of ten on: (0.1² − 0.4²) for half of the time.
    assert only(compared(frames, "ours", "theirs")).difference == pytest.approx(-0.15 / 2)


def test_below_thirty_shared_questions_the_numbers_are_shown_and_nothing_is_claimed() -> None:
    comparison = compared(two_teams(29, 0.9, 0.7), "ours", "theirs")
    pair = only(comparison)
    assert pair.difference is not None
    assert not pair.comparable
    assert (pair.better, pair.watched) == (None, None)
    assert "29" in pair.reason
    assert [(side.rank_low, side.rank_high) for side in comparison.groups] == [(1, 2), (1, 2)]


@pytest.mark.slow
def test_questions_of_one_family_are_one_piece_of_evidence() -> None:
    pair = only(compared(two_teams(40, 0.9, 0.7, family="one"), "ours", "theirs"))
    assert pair.families == 1
    assert not pair.comparable
    assert "famil" in pair.reason


@pytest.mark.parametrize("theirs", [[], [made("q2", "bob", 0, 0.5)]])
def test_teams_without_a_shared_question_are_not_compared(theirs: list[Any]) -> None:
    questions = [asked("q1", "yes"), asked("q2", "no")]
    rows = [made("q1", "ann", 0, 0.5), *theirs]
    frames = ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    pair = only(compared(frames, "ours", "theirs"))
    assert (pair.shared_questions, pair.difference, pair.watched) == (0, None, None)
    assert "never" in pair.reason


def shared(*questions: dict[str, Any], at: float = 0) -> Frames:
    """Return a ledger in which "ours" forecast from the start, "theirs" from ``at`` on."""
    rows = [
        made(one["question_id"], who, when, 0.5)
        for one in questions
        for who, when in (("ann", 0), ("bob", at))
    ]
    return ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])


EARLY = {"closes": 400, "actual_close_time": day(5)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("questions", "said"),
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
def test_a_pair_whose_shared_questions_do_not_count_is_told_why(
    questions: list[dict[str, Any]], said: str
) -> None:
    comparison = compared(shared(*questions), "ours", "theirs")
    assert only(comparison).reason == said
    assert comparison.sentence == f"No conclusion: ours and theirs: {said}."
    assert only(compared(shared(*questions), "ours", "theirs", lead=2)).reason == said


def test_a_shared_question_never_live_for_both_has_its_own_reason() -> None:
    counts, early = asked("a", "yes"), asked("b", "yes", **EARLY)
    frames = shared(counts, early)
    late = frames.forecasts["forecaster"].eq("bob") & frames.forecasts["question_id"].eq("a")
    frames.forecasts.loc[late, "made_at"] = day(11)
    pair = only(compared(frames, "ours", "theirs"))
    assert "never" in pair.reason
    early_too = only(compared(frames, "ours", "theirs", cohort="resolved"))
    assert early_too.shared_questions == 1
    assert "never" in only(compared(shared(counts, at=11), "ours", "theirs")).reason


def test_a_member_who_changed_teams_counts_in_each_in_turn() -> None:
    questions = [asked(f"q{n:03}", "yes") for n in range(40)]
    rows = []
    for n in range(40):
        rows += [made(f"q{n:03}", "ann", 1, 0.9), made(f"q{n:03}", "bob", 1, 0.7)]
    frames = ledger(
        questions,
        rows,
        [
            joined("ours", "ann", until=5),
            joined("theirs", "bob"),
            joined("theirs", "ann", since=5),
        ],
    )
    pair = only(compared(frames, "ours", "theirs"))
    assert pair.comparable
    assert pair.difference == pytest.approx((0.1**2 - 0.3**2) * 0.9)


def test_equals_show_no_difference_and_the_detectable_one_is_named() -> None:
    rng = np.random.default_rng(1)
    rows, questions = [], []
    for n in range(80):
        questions.append(asked(f"q{n:03}", "yes" if rng.random() < 0.5 else "no"))
        rows += [made(f"q{n:03}", who, 0, float(rng.uniform(0.3, 0.7))) for who in ("ann", "bob")]
    frames = ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    comparison = compared(frames, "ours", "theirs")
    pair = only(comparison)
    assert pair.better is None
    assert pair.detectable is not None
    assert "show no clear difference" in pair.sentence
    assert comparison.sentence == "No difference is clearer than chance."


def test_evidence_over_time_leaves_out_families_with_open_questions() -> None:
    questions = [asked(f"q{n:03}", "yes", family=f"f{n}") for n in range(40)]
    questions.append(asked("later", "", closes=900, family="f0"))
    rows = [
        made(f"q{n:03}", who, 0, p) for n in range(40) for who, p in (("ann", 0.9), ("bob", 0.7))
    ]
    frames = ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    pair = only(compared(frames, "ours", "theirs"))
    # All questions are open together, so there is one block.
    assert (pair.families, pair.watched.families, pair.watched.blocks) == (40, 39, 1)
    assert (pair.watched_by_family.families, pair.watched_by_family.blocks) == (39, None)


def test_forecasters_have_raw_and_shrunk_skill() -> None:
    comparison = compared(random_ledger(5, questions=60), "ana", "bo", of="forecasters")
    for side in comparison.groups:
        assert abs(side.skill.shrunk) <= abs(side.skill.mean) + 5
        assert side.skill.interval[0] <= side.skill.mean <= side.skill.interval[1]


def test_a_question_without_others_does_not_change_skill() -> None:
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


def test_only_the_chosen_questions_are_compared() -> None:
    frames = two_teams(40, 0.9, 0.7, tags=["a"])
    assert only(compared(frames, "ours", "theirs", tags=("a",))).shared_questions == 40
    later = compared(frames, "ours", "theirs", since=NOW)
    assert only(later).shared_questions == 0
    assert later.left_out == (LeftOut("not_selected", 40),)
    assert "Only those scheduled to close from 2026-06-01" in comparison_document(later).scope
    with pytest.raises(BadInput, match="'b'"):
        compared(frames, "ours", "theirs", tags=("b",))


def test_at_a_lead_the_forecasts_current_then_are_compared() -> None:
    questions = [asked(f"q{n:02}", "yes") for n in range(40)]
    questions += [asked("early", "yes", actual_close_time=day(2))]
    rows = [made(q["question_id"], "ann", 0, 0.9) for q in questions]
    for q in questions:
        rows += [made(q["question_id"], "bob", 0, 0.8), made(q["question_id"], "bob", 7, 0.99)]
    frames = ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    # Three days after they opened; the one that a "yes" had closed by then is not shared.
    comparison = compared(frames, "ours", "theirs", lead=7)
    pair = only(comparison)
    assert pair.shared_questions == 40
    assert pair.difference == pytest.approx(0.1**2 - 0.2**2)
    assert pair.better == "ours"
    assert "by 7 days before the scheduled close" in pair.sentence
    assert comparison.metadata.lead == 7
    assert comparison.metadata.protocol == "brier, paired at a lead of 7 days"
    scope = comparison_document(comparison).scope
    assert "the forecasts current 7 days before the scheduled close" in scope
    assert any("was not open" in note for note in comparison.notes)
    assert {side.questions for side in comparison.groups} == {40}
    throughout = only(compared(frames, "ours", "theirs")).difference
    assert throughout > pair.difference


def test_a_lead_without_forecasts_is_given_as_the_reason() -> None:
    pair = only(compared(two_teams(40, 0.9, 0.7), "ours", "theirs", lead=11))
    assert (pair.shared_questions, pair.difference) == (0, None)
    assert pair.reason == wording.NEVER_AT_LEAD


def test_at_a_lead_skill_is_of_that_lead() -> None:
    frames = random_ledger(3, questions=120)
    found = compared(frames, "ana", "bo", of="forecasters", lead=2)
    stood = scoring.score(frames.questions, frames.forecasts, "brier_lead(2)")
    for side in found.groups:
        assert side.questions == (stood["forecaster"] == side.name).sum()
        assert side.skill.questions <= side.questions


def test_wider_claims_are_labelled_and_have_wider_intervals() -> None:
    frames = random_ledger(7, questions=80)
    these = compared(frames, "north", "south")
    alike = compared(frames, "north", "south", alike=True)
    assert (these.metadata.claims, alike.metadata.claims) == ("these members", "people like them")
    narrow, wide = only(these).interval, only(alike).interval
    assert wide is None or wide[1] - wide[0] >= narrow[1] - narrow[0]


@pytest.mark.parametrize("names", [(), ("north",), ("north", "north")])
def test_fewer_than_two_names_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="two or more"):
        compared(random_ledger(1), *names)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="'west'") as refused:
        compared(random_ledger(1), "north", "west")
    assert "north, south" in str(refused.value.remedy)


def test_a_pair_is_compared_without_regard_to_a_third() -> None:
    frames = random_ledger(13, questions=60)
    for pair in (("ana", "bo"), ("bo", "eli"), ("ana", "eli")):
        alone = only(compared(frames, *pair, of="forecasters"))
        [among] = [
            one
            for one in compared(frames, "ana", "bo", "eli", of="forecasters").pairs
            if (one.a, one.b) == pair
        ]
        assert alone.difference == pytest.approx(among.difference, abs=1e-12)
        assert alone.interval == pytest.approx(among.interval, abs=1e-12)
        sides = {side.name: side for side in compared(frames, *pair, of="forecasters").groups}
        everyone = {
            side.name: side
            for side in compared(frames, "ana", "bo", "eli", of="forecasters").groups
        }
        for name in pair:
            assert sides[name].brier.mean == pytest.approx(everyone[name].brier.mean, abs=1e-12)


def test_evidence_over_time_ends_before_the_first_awaited_outcome() -> None:
    # "No" is written down late: to pass over those that wait would leave the "yes" alone.
    questions = [
        asked(f"q{n:03}", "" if n == 20 else "yes", closes=10 + n, family=f"f{n}")
        for n in range(40)
    ]
    rows = [
        made(f"q{n:03}", who, 0, p) for n in range(40) for who, p in (("ann", 0.6), ("bob", 0.4))
    ]
    comparison = compared(
        ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")]), "ours", "theirs"
    )
    pair = only(comparison)
    assert (pair.shared_questions, pair.watched_by_family.families) == (39, 20)
    assert any("1 question closed and awaiting" in note for note in comparison.notes)


def test_a_member_of_both_teams_is_named() -> None:
    frames = ledger(
        [asked("q", "yes")],
        [made("q", "ann", 0, 0.9), made("q", "bob", 0, 0.7)],
        [joined("ours", "ann"), joined("theirs", "bob"), joined("theirs", "ann")],
    )
    sentence = only(compared(frames, "ours", "theirs")).sentence
    assert sentence == "ours and theirs are not comparable: ann counts in both."


def test_the_evidence_favours_the_better_side_in_either_order() -> None:
    frames = two_teams(200, 0.95, 0.55)
    for names in (("ours", "theirs"), ("theirs", "ours")):
        watched = only(compared(frames, *names)).watched_by_family
        assert watched.better == "ours"
        assert watched.highest >= watched.enough


@pytest.mark.slow
def test_a_claim_among_several_says_that_it_allows_for_their_number() -> None:
    rows, questions = [], []
    for n in range(60):
        questions.append(asked(f"q{n:03}", "yes" if n % 2 else "no"))
        for who, p in (("ann", 0.95), ("bob", 0.6), ("cid", 0.55)):
            rows.append(made(f"q{n:03}", who, 0, p if n % 2 else 1 - p))
    several = compared(ledger(questions, rows), "ann", "bob", "cid", of="forecasters")
    assert "allowing for the 3 pairs compared" in several.pairs[0].sentence
    alone = only(compared(ledger(questions, rows), "ann", "bob", of="forecasters"))
    assert "allowing for" not in alone.sentence


@pytest.mark.slow
def test_a_family_that_holds_half_is_named_and_the_result_without_it_is_in_words() -> None:
    questions = [
        asked(f"q{n:03}", "yes", family="election" if n < 40 else f"f{n}") for n in range(80)
    ]
    rows = [
        made(f"q{n:03}", who, 0, p + (n % 7) / 100)
        for n in range(80)
        for who, p in (("ann", 0.9), ("bob", 0.7))
    ]
    frames = ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    pair = only(compared(frames, "ours", "theirs"))
    assert pair.dominant.family == "election"
    assert "The family election holds 50% of these questions; without it" in pair.sentence
    assert pair.effective_families < 4


def shifting(questions: int, **more: Any) -> Frames:
    """Return a ledger in which "ours" do better, by more on some questions than on others."""
    rows = []
    for n in range(questions):
        rows += [
            made(f"q{n:03}", "ann", 0, 0.8 + (n % 10) / 100),
            made(f"q{n:03}", "bob", 0, 0.75 - (n % 7) / 50),
        ]
    asked_ = [asked(f"q{n:03}", "yes" if n % 9 else "no", **more) for n in range(questions)]
    return ledger(asked_, rows, [joined("ours", "ann"), joined("theirs", "bob")])


@pytest.mark.slow
def test_a_claim_says_with_which_correlation_it_would_fail() -> None:
    comparison = compared(shifting(60), "ours", "theirs")
    pair = only(comparison)
    assert pair.tipping is not None
    words = "This claim would fail if outcomes of questions open together had a correlation over "
    assert f"{words}{pair.tipping:.2g}." in pair.sentence
    assert comparison.sentence.endswith(f"{words}{pair.tipping:.2g}.")
    assert any("are taken as independent" in note for note in comparison.notes)


def test_the_evidence_names_its_blocks_and_how_many_more_it_needs() -> None:
    pair = only(compared(shifting(60), "ours", "theirs"))
    said = wording.evidence(pair)
    assert pair.watched.needed == 184
    assert "over 1 block of time that do not overlap." in said
    assert "it would take about 180 more blocks" in said
    many = replace(pair, watched=replace(pair.watched, needed=5_739))
    assert "it would take about 5,700 more blocks" in wording.evidence(many)
    endless = replace(pair, watched=replace(pair.watched, needed=10**9))
    assert "it would take over 100,000 more blocks" in wording.evidence(endless)
    assert ", taken as independent." in said


def silent_when_unsure(crowd: bool) -> Frames:
    """Return a ledger in which "ours" forecast half of the questions that "theirs" do."""
    rows, questions = [], []
    for n in range(80):
        questions.append(asked(f"q{n:03}", "yes" if n % 2 else "no"))
        rows.append(made(f"q{n:03}", "bob", 0, 0.6))
        rows += [made(f"q{n:03}", "ann", 0, 0.5 + n / 400)] if n < 40 else []
        rows += [made(f"q{n:03}", "cid", 0, 0.4)] if crowd else []
    return ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])


@pytest.mark.slow
def test_abstention_is_beside_each_side() -> None:
    sides = {
        side.name: side for side in compared(silent_when_unsure(True), "ours", "theirs").groups
    }
    assert (sides["ours"].unanswered, sides["ours"].silent) == (0.5, pytest.approx(0.5))
    assert (sides["theirs"].unanswered, sides["theirs"].silent) == (0.0, 0.0)
    at_lead = compared(silent_when_unsure(True), "ours", "theirs", lead=5).groups
    assert {side.name: (side.unanswered, side.silent) for side in at_lead} == {
        "ours": (0.5, None), "theirs": (0.0, None)
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("crowd", [True, False])
def test_where_one_was_silent_the_crowd_forecasts_for_it(crowd: bool) -> None:
    frames = silent_when_unsure(crowd)
    pair = only(compared(frames, "ours", "theirs"))
    assert (pair.shared_questions, pair.imputed.questions) == (40, 80)
    # The mean of 0.6 and 0.4, or the 0.6 of the other side alone.
    instead = 0.5 if crowd else 0.6
    expected = []
    for n in range(80):
        y, ours = n % 2, 0.5 + n / 400 if n < 40 else instead
        expected.append((ours - y) ** 2 - (0.6 - y) ** 2)
    assert pair.imputed.difference == pytest.approx(np.mean(expected))
    assert "One side was silent for longer" in pair.sentence


@pytest.mark.slow
def test_the_crowd_forecasts_only_while_a_side_is_silent() -> None:
    rows, questions = [], []
    for n in range(40):
        questions.append(asked(f"q{n:03}", "yes"))
        rows += [
            made(f"q{n:03}", "ann", 0, 0.9), made(f"q{n:03}", "ann", 4, None),
            made(f"q{n:03}", "bob", 0, 0.6), made(f"q{n:03}", "cid", 6, 0.8),
        ]  # fmt: skip
    frames = ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    pair = only(compared(frames, "ours", "theirs"))
    assert pair.difference == pytest.approx(0.4 * (0.1**2 - 0.4**2))
    # Four days of their own, two of "theirs" alone as the crowd, four of the mean of 0.6 and 0.8.
    assert pair.imputed.difference == pytest.approx(
        0.4 * (0.1**2 - 0.4**2) + 0.4 * (0.3**2 - 0.4**2)
    )


@pytest.mark.slow
def test_with_options_the_crowd_forecasts_each_of_them() -> None:
    rows, questions = [], []
    for n in range(40):
        questions.append(asked(f"q{n:03}", "b", type="multiple_choice", options=["a", "b", "c"]))
        rows.append(made(f"q{n:03}", "bob", 0, [0.2, 0.6, 0.2]))
        rows += [made(f"q{n:03}", "ann", 0, [0.1, 0.8, 0.1])] if n < 35 else []
        rows.append(made(f"q{n:03}", "cid", 0, [0.4, 0.4, 0.2]))
    frames = ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    pair = only(compared(frames, "ours", "theirs"))

    def brier(*p: float) -> float:
        return sum((each - y) ** 2 for each, y in zip(p, (0, 1, 0), strict=True)) / 2

    ours, crowd, theirs = brier(0.1, 0.8, 0.1), brier(0.3, 0.5, 0.2), brier(0.2, 0.6, 0.2)
    assert pair.imputed.difference == pytest.approx((35 * ours + 5 * crowd) / 40 - theirs)


@pytest.mark.slow
def test_questions_that_neither_of_two_forecast_are_not_imputed() -> None:
    frames = silent_when_unsure(True)
    rows = [made(f"q{n:03}", "dee", 0, 0.3) for n in range(40)]
    questions, forecasts = (getattr(frames, name) for name in ("questions", "forecasts"))
    more = ledger([], rows).forecasts
    teams = ledger([], [], [joined("others", "dee")]).teams
    frames = replace(
        frames,
        questions=questions,
        forecasts=pd.concat([forecasts, more], ignore_index=True),
        teams=pd.concat([frames.teams, teams], ignore_index=True),
    )
    pairs = {(pair.a, pair.b): pair for pair in compared(frames, "ours", "theirs", "others").pairs}
    imputed = pairs["ours", "theirs"].imputed
    assert imputed.questions == 80
    assert pairs["ours", "others"].imputed is None


def test_abstention_that_changes_a_claim_is_named() -> None:
    questions, rows = [], []
    for n in range(60):
        sure, unsure = f"sure{n:02}", f"unsure{n:02}"
        questions += [asked(sure, "yes" if n % 20 else "no"), asked(unsure, ("no", "yes")[n % 2])]
        # "ours" never says 50%: it withdraws there.
        rows += [made(sure, "ann", 0, 0.9), made(sure, "bob", 0, 0.8), made(sure, "cid", 0, 0.85)]
        rows += [made(unsure, "bob", 0, 0.5), made(unsure, "cid", 0, 0.2)]
    found = compared(
        ledger(questions, rows, [joined("ours", "ann"), joined("theirs", "bob")]), "ours", "theirs"
    )
    pair = only(found)
    assert pair.better == "ours"
    assert pair.imputed.better is None
    assert "One side was silent for longer" in pair.sentence
    assert pair.sentence.endswith("Abstention changes the claim.")
    assert "abstention changes the claim" in found.sentence.lower()
    assert any("forecasting only when sure can look like skill" in note for note in found.notes)


@pytest.mark.slow
def test_two_who_are_silent_alike_are_compared_once() -> None:
    assert only(compared(two_teams(40, 0.9, 0.7), "ours", "theirs")).imputed is None


@pytest.mark.slow
def test_everyone_may_be_best_while_there_is_one_block() -> None:
    assert all(side.may_be_best for side in compared(shifting(60), "ours", "theirs").groups)


@pytest.mark.slow
def test_the_conclusion_of_forty_has_at_most_three_sentences() -> None:
    names = [f"f{number:02}" for number in range(40)]
    rows, questions = [], []
    rng = np.random.default_rng(1)
    for n in range(40):
        questions.append(asked(f"q{n:03}", "yes"))
        for number, name in enumerate(names):
            p = 0.5 + number / 100 + float(rng.uniform(-0.05, 0.05))
            rows.append(made(f"q{n:03}", name, 0, p))
    comparison = compared(ledger(questions, rows), *names, of="forecasters")
    assert len(comparison.pairs) == 780
    assert 1 <= comparison.sentence.count(".  ") + comparison.sentence.count(". ") + 1 <= 3
    differ = [pair for pair in comparison.pairs if pair.better is not None]
    assert list(wording.shown(comparison)) == differ
    assert f"In {len(differ)} of 780 pairs one did better" in comparison.sentence
    text = str(formats.rendered(comparison, "text"))
    assert text.count("show no clear difference") == 0


@pytest.mark.slow
def test_a_conclusion_without_a_comparable_pair_is_short() -> None:
    names = [f"f{number}" for number in range(6)]
    rows = [made("q", name, 0, 0.5) for name in names]
    comparison = compared(ledger([asked("q", "yes")], rows), *names, of="forecasters")
    assert comparison.sentence == "No conclusion: none of the 15 pairs is comparable."


@pytest.mark.slow
@pytest.mark.parametrize("lead", [None, 7.0])
def test_a_side_has_the_score_and_the_interval_of_its_report(lead: float | None) -> None:
    asked_ = [asked(f"q{n:03}", "yes" if n == 7 else "no") for n in range(54)]
    rows = [
        made(f"q{n:03}", who, 0, p) for n in range(54) for who, p in (("ann", 0.02), ("bob", 0.04))
    ]
    frames = ledger(asked_, rows, [joined("ours", "ann"), joined("theirs", "bob")])
    choice = Choice(lead=lead)
    groups = {one.name: one for one in report(frames, by="team", as_of=NOW, choice=choice).groups}
    for side in build(frames, between=["ours", "theirs"], as_of=NOW, choice=choice).groups:
        own = groups[side.name]
        assert (side.brier, side.brier_original) == (own.brier, own.brier_original)
        assert own.brier.interval[1] > 0.05  # wider than that of one event in 54
