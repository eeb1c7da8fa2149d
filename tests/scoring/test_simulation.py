"""The guarantees depend on the simulator, so its properties are tested one by one."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import scoring
from scoring.errors import InputError
from scoring.simulation import LABEL, Simulated, Team, Tournament, simulate
from tests.examples import examples

# Many questions, each a family of its own, so that one draw determines a mean to about 0.005.
LARGE = Tournament(
    teams=(
        Team("Wren", members=1),
        Team("Kestrel", members=1, extremity=2.0),
        Team("Heron", members=1, responsiveness=0.33),
        Team("Gull", members=1, shift=0.5),
    ),
    seed=7,
    questions=8000,
    families=8000,
)
# A "yes" closes its question.
EVENTS = replace(LARGE, early_share=0.0, event_share=1.0, teams=LARGE.teams[:1])
# A mean more than four standard errors off is significant: 1 in 16,000.
NO_ACCIDENT = 4.0


@pytest.fixture(scope="module")
def tournament() -> Simulated:
    return simulate(LARGE)


@pytest.fixture(scope="module")
def large(tournament: Simulated) -> pd.DataFrame:
    return joined(tournament)


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    return joined(simulate(EVENTS))


def joined(simulated: Simulated) -> pd.DataFrame:
    """Return one row per forecast: its start and end as shares of the question, and y."""
    questions = simulated.questions.set_index("question_id")
    of = questions.loc[simulated.forecasts["question_id"]].reset_index(drop=True)
    frame = simulated.forecasts.copy()
    length = of["scheduled_close_time"] - of["open_time"]
    frame["team"] = frame["forecaster"].str.split().str[0]
    frame["y"] = (of["resolution"] == "yes").astype(float)
    frame["u"] = (frame["made_at"] - of["open_time"]) / length
    frame["close"] = (of["known_at"] - of["open_time"]) / length
    following = frame.groupby(["question_id", "forecaster"])["u"].shift(-1)
    frame["end"] = following.fillna(frame["close"])
    return frame


def z(values: pd.Series, questions: pd.Series) -> float:
    """Return the mean's distance from 0 in standard errors, clustered by question."""
    sums = values.groupby(questions).sum().to_numpy()
    return float(sums.sum() / math.sqrt((sums**2).sum()))


def off(rows: pd.DataFrame) -> float:
    """Return how far forecasts are too high, in standard errors."""
    return z(rows["probability"] - rows["y"], rows["question_id"])


def at_lead(frame: pd.DataFrame, lead: float) -> pd.DataFrame:
    """Return the forecasts live with that share of the question's time remaining."""
    return frame[(frame["u"] <= 1 - lead) & (1 - lead < frame["end"])]


def movement(frame: pd.DataFrame) -> pd.Series:
    """Return Σ(2p_t − 1)(p_t − p_{t+1}) row by row; the last step of a path goes to the outcome."""
    following = frame.groupby(["question_id", "forecaster"])["probability"].shift(-1)
    p = frame["probability"]
    return (2 * p - 1) * (p - following.fillna(frame["y"]))


def check_frames(simulated: Simulated, settings: Tournament) -> None:
    questions, forecasts, teams = simulated.questions, simulated.forecasts, simulated.teams
    assert len(questions) == settings.questions
    assert questions["question_id"].is_unique
    assert questions["title"].is_unique
    assert questions["family"].nunique() == settings.families
    yes_no = (questions["type"] == "binary").to_numpy()
    assert questions["resolution"][yes_no].isin(["yes", "no"]).all()
    assert questions["resolution"][~yes_no].str.startswith("outcome ").all()
    assert (questions["open_time"] >= settings.first_open).all()
    assert (questions["scheduled_close_time"] <= settings.last_close).all()
    early = questions["actual_close_time"].notna()
    closes = questions["actual_close_time"].fillna(questions["scheduled_close_time"])
    assert (closes == questions["known_at"]).all()
    assert (questions["open_time"] < closes).all()
    assert (closes[early] <= questions["scheduled_close_time"][early]).all()
    assert (questions["resolved_at"] > closes).all()

    at = questions.set_index("question_id").loc[forecasts["question_id"]].reset_index()
    said = forecasts["probability"].dropna()
    assert said.between(0, 1).all()
    if not settings.choice_share and not any(team.withdrawal for team in settings.teams):
        assert len(said) == len(forecasts)
    assert (forecasts["made_at"] >= at["open_time"]).all()
    assert (forecasts["made_at"] < at["known_at"]).all()
    keys = ["question_id", "forecaster", "made_at"]
    assert not forecasts.duplicated(keys).any()
    assert set(forecasts["forecaster"]) <= set(teams["forecaster"])
    assert teams["forecaster"].is_unique


SHARES = ("share", "early", "event", "participation", "choice", "withdrawal")
TOURNAMENTS = st.fixed_dictionaries(
    dict.fromkeys(SHARES, st.floats(0, 0.5))
    | {
        "seed": st.integers(0, 2**31),
        "questions": st.integers(1, 40),
        "late": st.floats(0, 3),
        "updates": st.floats(1, 20),
        "skill": st.floats(0.01, 1),
        "extremity": st.floats(0.1, 10),
        "responsiveness": st.floats(0.01, 1),
    }
)


@given(TOURNAMENTS)
@hypothesis_settings(deadline=None, max_examples=examples(30))
def test_any_tournament_satisfies_the_rules_of_a_ledger_folder_and_can_be_scored(
    of: dict[str, Any],
) -> None:
    share, questions = 2 * of["share"], of["questions"]
    team = Team("One", 2, of["skill"], of["extremity"], withdrawal=2 * of["withdrawal"])
    settings = Tournament(
        teams=(team, Team("Two", members=1, responsiveness=of["responsiveness"])),
        seed=of["seed"],
        questions=questions,
        families=1 + int(share * (questions - 1)),
        early_share=of["early"],
        event_share=of["event"],
        family_correlation=share,
        participation=2 * of["participation"],
        late=of["late"],
        updates=of["updates"],
        choice_share=2 * of["choice"],
        options=2 + of["seed"] % 3,
        shared_noise=share,
    )
    simulated = simulate(settings)
    check_frames(simulated, settings)
    scores = scoring.score(simulated.questions, simulated.forecasts, "brier")
    pairs = simulated.forecasts[["question_id", "forecaster"]].drop_duplicates()
    assert len(scores) == len(pairs)
    assert scores["score"].between(0, 1).all()


def test_the_same_settings_give_the_same_frames_and_another_seed_gives_others() -> None:
    settings = replace(LARGE, questions=50, families=30)
    first, second = simulate(settings), simulate(settings)
    for name in ("questions", "forecasts", "teams"):
        assert_frame_equal(getattr(first, name), getattr(second, name))
    other = simulate(replace(settings, seed=8))
    assert not first.forecasts["probability"].equals(other.forecasts["probability"])


def test_everything_that_has_a_name_says_that_it_is_simulated() -> None:
    simulated = simulate(replace(LARGE, questions=20, families=20))
    assert simulated.questions["title"].str.startswith("Simulated question ").all()
    assert simulated.forecasts["forecaster"].str.endswith(LABEL).all()
    assert simulated.teams["team"].str.endswith(LABEL).all()
    handles = Team("Wren (simulated)", members=2).handles
    assert handles == ("Wren 1 (simulated)", "Wren 2 (simulated)")


@pytest.mark.slow
def test_a_calibrated_path_is_right_on_average_and_does_not_drift(large: pd.DataFrame) -> None:
    wren = large[large["team"] == "Wren"]
    assert abs(z(movement(wren), wren["question_id"])) < NO_ACCIDENT
    for lead in (0.9, 0.5, 0.02):
        then = at_lead(wren, lead)
        assert len(then) > 400
        assert abs(off(then)) < NO_ACCIDENT


@pytest.mark.slow
@pytest.mark.parametrize("skill", [0.1, 1.0])
def test_calibration_holds_at_any_skill_and_skill_sharpens(skill: float) -> None:
    teams = (Team("Dull", members=1, skill=0.02), Team("Wren", members=1, skill=skill))
    # Everyone answers every question: scores on self-chosen questions do not measure skill.
    frame = joined(simulate(replace(LARGE, teams=teams, participation=1.0)))
    wren, dull = (frame[frame["team"] == name] for name in ("Wren", "Dull"))
    tenth = (wren["probability"] * 10).clip(upper=9.999).astype(int)
    for _, rows in wren.groupby(tenth):
        assert abs(off(rows)) < NO_ACCIDENT
    sharp, blunt = (((own["probability"] - own["y"]) ** 2).mean() for own in (wren, dull))
    assert sharp < blunt


@pytest.mark.slow
def test_on_event_questions_a_belief_is_calibrated_when_made(events: pd.DataFrame) -> None:
    for column in ("u", "probability"):
        for _, rows in events.groupby((events[column] * 5).astype(int)):
            assert abs(off(rows)) < NO_ACCIDENT
    assert abs(z(movement(events), events["question_id"])) < NO_ACCIDENT


def test_on_event_questions_an_old_forecast_grows_too_high(events: pd.DataFrame) -> None:
    assert off(at_lead(events, 0.1)) > NO_ACCIDENT


def test_on_event_questions_only_a_yes_closes_early_and_every_yes_does() -> None:
    questions = simulate(replace(EVENTS, questions=400, families=400)).questions
    early = questions["actual_close_time"].notna()
    assert (early == (questions["resolution"] == "yes")).all()


def test_otherwise_early_closing_says_nothing_of_the_outcome(tournament: Simulated) -> None:
    questions = tournament.questions
    early = questions["actual_close_time"].notna().to_numpy()
    yes = (questions["resolution"] == "yes").to_numpy()
    assert early.mean() == pytest.approx(LARGE.early_share, abs=0.03)
    error = math.sqrt(0.25 / early.sum() + 0.25 / (~early).sum())
    assert abs(yes[early].mean() - yes[~early].mean()) < NO_ACCIDENT * error


def test_an_overconfident_forecaster_needs_a_slope_below_one(large: pd.DataFrame) -> None:
    slopes = {
        team: scoring.recalibration(p=rows["probability"], y=rows["y"]).slope
        for team, rows in large.groupby("team")
    }
    # Log odds stretched by 2 are halved.
    assert slopes["Kestrel"] == pytest.approx(0.5, abs=0.08)
    assert slopes["Wren"] == pytest.approx(1.0, abs=0.12)


def test_an_under_updater_moves_by_its_share_of_the_way() -> None:
    team = Team("Heron", members=1)
    settings = replace(LARGE, teams=(team,), questions=200, families=200)
    wanted = simulate(settings).forecasts
    slow = replace(settings, teams=(replace(team, responsiveness=0.33),))
    said = simulate(slow).forecasts["probability"].to_numpy()
    # The same seed gives the same beliefs, so the rule can be checked case by case.
    previous: dict[tuple[str, str], float] = {}
    for row, (question, forecaster, target) in enumerate(
        zip(wanted["question_id"], wanted["forecaster"], wanted["probability"], strict=True)
    ):
        key = (question, forecaster)
        before = previous.get(key)
        expected = target if before is None else before + 0.33 * (target - before)
        assert said[row] == pytest.approx(expected, abs=1e-12)
        previous[key] = said[row]


def test_no_report_is_nearer_to_certainty_than_the_bound(large: pd.DataFrame) -> None:
    assert large["probability"].between(LARGE.least, 1 - LARGE.least).all()
    assert (large["probability"] == LARGE.least).any()


def test_a_shift_of_the_log_odds_makes_forecasts_too_high(large: pd.DataFrame) -> None:
    assert off(large[large["team"] == "Gull"]) > NO_ACCIDENT


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_outcomes_of_one_family_agree_as_often_as_their_correlation_implies(rho: float) -> None:
    linked = {"family_correlation": rho, "prior_spread": 0.0, "teams": LARGE.teams[:1]}
    questions = simulate(replace(LARGE, questions=9000, families=3000, **linked)).questions
    yes = (questions["resolution"] == "yes").astype(float)
    family = yes.groupby(questions["family"])
    n, k = family.size(), family.sum()
    agreeing = (k * (k - 1) + (n - k) * (n - k - 1)).sum() / (n * (n - 1)).sum()
    # Two standard normals of correlation ρ have the same sign this often (Sheppard 1899).
    assert agreeing == pytest.approx(0.5 + math.asin(rho) / math.pi, abs=0.03)


def test_questions_of_one_family_open_and_close_together() -> None:
    questions = simulate(replace(LARGE, questions=300, families=100)).questions
    times = questions.groupby("family")[["open_time", "scheduled_close_time"]].nunique()
    assert (times == 1).all(axis=None)


def test_each_of_several_options_comes_true_as_often_as_it_says_and_one_of_them_does() -> None:
    settings = replace(LARGE, teams=LARGE.teams[:1], questions=4000, families=4000)
    simulated = simulate(replace(settings, choice_share=1.0, options=4))
    questions = simulated.questions.set_index("question_id")
    assert (questions["type"] == "multiple_choice").all()
    of = questions.loc[simulated.forecasts["question_id"]]
    vectors = np.array(simulated.forecasts["probabilities"].to_list())
    np.testing.assert_allclose(vectors.sum(axis=1), 1, atol=1e-12)
    came = of["resolution"].map(lambda name: int(name[-1]) - 1).to_numpy()
    question = simulated.forecasts["question_id"]
    for option in range(4):
        p, y = pd.Series(vectors[:, option]), pd.Series(came == option).astype(float)
        for _, rows in (p - y).groupby((p * 4).astype(int)):
            assert abs(z(rows, question[rows.index])) < NO_ACCIDENT


@pytest.mark.slow
def test_questions_with_options_leave_the_others_as_they_are(tournament: Simulated) -> None:
    plain, mixed = tournament, simulate(replace(LARGE, choice_share=0.3))
    binary = (mixed.questions["type"] == "binary").to_numpy()
    assert 0.65 < binary.mean() < 0.75
    assert (mixed.questions["resolution"] == plain.questions["resolution"])[binary].all()
    rows = mixed.forecasts["question_id"].isin(mixed.questions["question_id"][binary])
    assert (mixed.forecasts["probability"] == plain.forecasts["probability"])[rows].all()


@pytest.mark.slow
def test_simulated_withdrawals_come_near_even_and_never_first(tournament: Simulated) -> None:
    teams = tuple(replace(team, withdrawal=1.0) for team in LARGE.teams)
    simulated = simulate(replace(LARGE, teams=teams))
    plain = tournament.forecasts
    withdrawn = simulated.forecasts["probability"].isna()
    assert 0.2 < withdrawn.mean() < 0.8
    path = simulated.forecasts.groupby(["question_id", "forecaster"]).cumcount()
    assert not withdrawn[path == 0].any()
    assert (simulated.forecasts["probability"] == plain["probability"])[~withdrawn].all()
    even = (plain["probability"] - 0.5).abs()
    assert even[withdrawn].mean() < even[~withdrawn].mean() - 0.1
    again = simulated.forecasts.groupby(["question_id", "forecaster"])["probability"].shift(1)
    assert (again.isna() & ~withdrawn & (path > 0)).any()


def test_families_have_the_sizes_that_are_given() -> None:
    settings = replace(LARGE, questions=9, families=3, sizes=(5, 3, 1))
    family = simulate(settings).questions["family"]
    assert list(family.value_counts().sort_index()) == [5, 3, 1]


def test_prior_means_set_the_base_rate() -> None:
    settings = replace(LARGE, prior_means=(-2.0, 2.0), prior_spread=0.0)
    frame = joined(simulate(replace(settings, teams=LARGE.teams[:1])))
    first = frame.groupby("question_id").first()
    # Φ(±2), forecast at a time when little is known.
    assert set((first["probability"] > 0.5).unique()) == {False, True}
    rare = first[first["probability"] < 0.1]
    assert rare["y"].mean() == pytest.approx(rare["probability"].mean(), abs=0.01)


def test_a_fractional_outcome_equals_the_calibrated_forecast_on_average() -> None:
    settings = replace(LARGE, unknown=0.6, teams=LARGE.teams[:1])
    simulated = simulate(settings)
    outcome = simulated.questions.set_index("question_id")["resolution"].astype(float)
    assert outcome.between(0, 1).all()
    assert 0.3 < ((outcome > 0.1) & (outcome < 0.9)).mean() < 0.9
    question = simulated.forecasts["question_id"]
    left = question.map(outcome) - simulated.forecasts["probability"]
    assert abs(z(left, question)) < NO_ACCIDENT
    high = simulated.forecasts["probability"] > 0.7
    assert abs(z(left[high], question[high])) < NO_ACCIDENT


def test_settings_can_be_read_from_a_parsed_file() -> None:
    mapping = {"seed": 3, "questions": 12, "families": 12, "teams": [{"name": "Wren", "skill": 1}]}
    expected = Tournament(teams=(Team("Wren", skill=1),), seed=3, questions=12, families=12)
    assert Tournament.from_mapping(mapping) == expected


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"families": 0}, "families"),
        ({"families": 301}, "families"),
        ({"early_share": 1.5}, "early_share"),
        ({"early_share": 0.6, "event_share": 0.6}, "event_share"),
        ({"updates": 0.5}, "updates"),
        ({"choice_share": 1.1}, "choice_share"),
        ({"options": 1}, "options"),
        ({"sizes": [2, 3]}, "sizes"),
        ({"prior_means": []}, "prior_means"),
        ({"unknown": -0.1}, "unknown"),
        ({"unknown": 0.5, "event_share": 0.1}, "unknown"),
        ({"late": -0.1}, "late"),
        ({"least": 0.5}, "least"),
        ({"longest_days": 3}, "longest_days"),
        ({"last_close": datetime(2025, 7, 2, tzinfo=UTC)}, "last_close"),
        ({"first_open": datetime(2025, 7, 1)}, "first_open"),  # noqa: DTZ001
        ({"teams": []}, "teams"),
        ({"teams": [{"name": "Wren"}, {"name": "Wren (simulated)"}]}, "teams"),
        *(
            ({"teams": [{"name": "Wren", name: value}]}, name)
            for name, value in {
                "skill": 0, "extremity": math.inf, "shift": math.nan, "responsiveness": 1.1,
                "members": 0, "withdrawal": -0.1,
            }.items()
        ),
    ],
)  # fmt: skip
def test_a_setting_that_breaks_a_rule_is_refused_by_name(change: Any, names: str) -> None:
    with pytest.raises(InputError) as refused:
        Tournament.from_mapping({"teams": [{"name": "Wren"}], **change})
    assert refused.value.problems[0].column == names


def test_a_tournament_in_which_nobody_takes_part_has_questions_and_no_forecasts() -> None:
    settings = replace(LARGE, questions=5, families=5, participation=0.0)
    simulated = simulate(settings)
    check_frames(simulated, settings)
    assert len(simulated.forecasts) == 0


def test_a_tournament_ends_in_time_even_when_its_questions_fill_it() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    time = {"first_open": start, "last_close": start + timedelta(days=30)}
    whole = time | {"shortest_days": 30, "longest_days": 30}
    settings = replace(LARGE, questions=20, families=20, **whole)
    assert (simulate(settings).questions["open_time"] == start).all()
