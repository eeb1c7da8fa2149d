"""Simulated tournaments of any size: any questions alone, forecasters calibrated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from scoring.errors import InputError
from scoring.simulation import bulk as model
from scoring.simulation.bulk import Asked, BulkTournament, Made

# Few forecasts on each of many questions, so that outcomes are many.
LARGE = BulkTournament(questions=40_000, forecasters=500, updates=200_000, seed=11)
# A mean more than four standard errors off is significant: 1 in 16,000.
NO_ACCIDENT = 4.0
Large = tuple[Asked, Made]


@pytest.fixture(scope="module")
def large() -> Large:
    asked = model.asked(LARGE, np.arange(LARGE.questions))
    return asked, model.made(LARGE, asked)


def errors(values: np.ndarray, family: np.ndarray) -> float:
    """Return the sum in standard errors, with families as clusters."""
    sums = np.bincount(family, values)
    return float(sums.sum() / np.sqrt((sums**2).sum()))


def test_forecasters_are_calibrated(large: Large) -> None:
    asked, made = large
    p, y = made.probability, (asked.latent > 0)[made.question]
    for low, high in ((0, 1), (0, 0.1), (0.4, 0.6), (0.9, 1)):
        here = (p >= low) & (p < high)
        assert abs(errors((y - p)[here], asked.family[made.question][here])) < NO_ACCIDENT


def test_movements_cannot_be_predicted_from_the_last_forecast(large: Large) -> None:
    asked, made = large
    p, path = made.probability, made.question * LARGE.forecasters + made.forecaster
    next_ = path[1:] == path[:-1]
    moved = np.diff(p)[next_] * (p[:-1][next_] - 0.5)
    assert abs(errors(moved, asked.family[made.question[1:]][next_])) < NO_ACCIDENT


def test_options_and_quantiles_are_calibrated_too(large: Large) -> None:
    asked, made = large
    family, option = asked.family[made.question], np.searchsorted(model.CUTS, asked.latent)
    vectors = made.probabilities
    np.testing.assert_allclose(vectors.sum(axis=1), 1, atol=1e-12)
    for number, column in enumerate(vectors.T):
        hit = (option == number)[made.question]
        assert abs(errors(hit - column, family)) < NO_ACCIDENT
    number = model.quantity(asked.latent)[made.question]
    for level, column in zip(model.LEVELS, made.quantiles.T, strict=True):
        assert abs(errors((number < column) - level, family)) < NO_ACCIDENT


def test_the_overconfident_are_found_so(large: Large) -> None:
    asked, _ = large
    made = model.made(replace(LARGE, overconfident=1.0), asked)
    p, y = made.probability, (asked.latent > 0)[made.question]
    assert errors(((y - p) * (p - 0.5)), asked.family[made.question]) < -10


@given(
    seed=st.integers(0, 2**40),
    questions=st.integers(1, 40),
    forecasters=st.integers(1, 30),
    updates=st.integers(1, 400),
    chosen=st.sets(st.integers(0, 39), min_size=1),
)
@hypothesis_settings(max_examples=15, deadline=None)
def test_questions_are_the_same_alone_as_among_others(
    seed: int, questions: int, forecasters: int, updates: int, chosen: set[int]
) -> None:
    settings = BulkTournament(questions, forecasters, updates, teams=0, seed=seed)
    every = model.asked(settings, np.arange(questions))
    numbers = np.array(sorted(number % questions for number in chosen))
    some = model.asked(settings, np.unique(numbers))
    here = np.isin(every.number, some.number)
    assert (every.open_s[here] == some.open_s).all()
    assert (every.latent[here] == some.latent).all()
    all_made, made = model.made(settings, every), model.made(settings, some)
    rows = here[all_made.question]
    for name in ("forecaster", "made_s", "mean", "sd", "withdrawn"):
        assert (getattr(all_made, name)[rows] == getattr(made, name)).all()


def test_forecasts_are_in_order_and_within_the_life_of_a_question(large: Large) -> None:
    asked, made = large
    path = made.question * LARGE.forecasters + made.forecaster
    assert (np.diff(path) >= 0).all()
    assert (np.diff(made.made_s)[np.diff(path) == 0] >= 0).all()
    assert (made.made_s < asked.close_s[made.question]).all()
    assert (asked.close_s <= asked.scheduled_s).all()
    early = (made.made_s < asked.open_s[made.question]).mean()
    assert 0.002 < early < 0.02
    assert 0.005 < made.withdrawn.mean() < 0.03
    assert 0.25 < asked.early.mean() < 0.35


@pytest.mark.parametrize(
    ("questions", "forecasters"), [(1, 500), (1, 20_000), (50, 20), (5_000, 100), (9_000, 10_000)]
)
def test_there_are_about_as_many_forecasts_as_asked_for(questions: int, forecasters: int) -> None:
    settings = BulkTournament(questions, forecasters, 50_000, seed=1)
    made = model.made(settings, model.asked(settings, np.arange(questions)))
    assert len(made) == pytest.approx(50_000, rel=0.2)


def test_families_share_their_time_and_part_of_their_news(large: Large) -> None:
    asked, _ = large
    assert np.unique(asked.family).tolist() == list(range(LARGE.questions // 8 * 5))
    first = np.flatnonzero(asked.number % 8 == 5)
    assert (asked.open_s[first] == asked.open_s[first + 1]).all()
    assert (asked.place[first] == 0).all()
    assert (asked.place[first + 2] == 2).all()
    news = asked.latent - asked.news[:, 0]
    shared = np.corrcoef(news[first], news[first + 1])[0, 1]
    assert shared == pytest.approx(model.FAMILY_CORRELATION, abs=0.06)
    assert news.std() == pytest.approx(1, abs=0.02)


def test_settings_that_cannot_be_are_refused() -> None:
    wrong = {"questions": 0, "forecasters": 0, "updates": 2**40, "teams": 501, "overconfident": 1.5}
    for name, value in wrong.items():
        with pytest.raises(InputError, match=name):
            replace(LARGE, **{name: value})
    with pytest.raises(InputError):
        replace(LARGE, choice_share=0.6, numeric_share=0.6)
