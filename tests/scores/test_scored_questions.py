"""A member's resolved questions: score, points of each update, and the crowd."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

import scoring
from forecasts.access.members import find_member
from forecasts.ledger import database
from forecasts.ledger.models import Member, Question
from forecasts.questions.revisions import revise
from forecasts.scores import scored_questions as module
from forecasts.scores.ledger_frames import scoring_frames
from forecasts.scores.scored_questions import matching, scored_questions
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, imported, resolve, say
from tests.importing.test_frames import FORECAST, FORECASTS, import_files

pytestmark = pytest.mark.slow

CHOICE = {"type": "multiple_choice", "options": ["Busan", "Ulsan"]}
DEPTH = {"type": "numeric", "lower_bound": "0", "upper_bound": "30", "unit": "m"}


def confirmed(session: Session, question: Question, outcome: str, by: Member, at: float) -> None:
    resolve(session, question, by, outcome, at, at=at + 0.5)


def test_each_update_has_its_points_and_together_they_explain_the_score(
    session: Session, question: Question, alice: Member
) -> None:
    for p, at in ((0.5, 0), (0.8, 5), (0.6, 8)):
        say(session, question, alice, p, at)
    confirmed(session, question, "yes", alice, 10)
    [one] = scored_questions(session, alice)
    first, up, down = one.forecasts
    # Of ten days, five were left after the first update and two after the second.
    earned = [(0.25 - 0.04) * 0.5, (0.04 - 0.16) * 0.2]
    assert first.points is None
    assert [up.points, down.points] == pytest.approx(earned)
    assert one.points == pytest.approx(sum(earned))
    assert one.score.score == pytest.approx(first.score - sum(earned))
    assert (one.last.value, one.last.probability) == ("60%", 0.6)
    assert [each.since for each in one.forecasts] == [day(0), day(5), day(8)]
    assert up.duration == timedelta(days=3)


def test_the_forecasts_average_to_the_score(session: Session, alice: Member) -> None:
    random = Random(1)
    for _ in range(6):
        question = ask(session, alice)
        imported(session, question, alice, 0, 0.5)
        for at in sorted(random.randrange(1, 100) for _ in range(random.randrange(9))):
            imported(session, question, alice, at / 10, random.choice([0.0, 0.1, 0.7, None]))
        resolve(session, question, alice, known=random.uniform(3, 10), at=11)
    every = scored_questions(session, alice)
    assert len(every) == 6
    for one in every:
        lasted = [stood.duration / timedelta(days=1) for stood in one.forecasts]
        mean = sum(days * stood.score for days, stood in zip(lasted, one.forecasts, strict=True))
        assert mean / sum(lasted) == pytest.approx(one.score.score)


def test_a_single_forecast_has_no_points_and_without_others_no_crowd(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.7, 1)
    confirmed(session, question, "no", alice, 10)
    [one] = scored_questions(session, alice)
    assert (one.points, one.against_crowd) == (None, None)


def test_the_advantage_over_the_crowd_is_that_of_the_scoring_engine(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    say(session, question, alice, 0.8, 0)
    say(session, question, bob, 0.4, 0)
    confirmed(session, question, "yes", alice, 10)
    [one] = scored_questions(session, alice)
    assert one.against_crowd == pytest.approx(0.36 - 0.04)
    table = scoring.score(*scoring_frames(session), "crowd_skill")
    [engine] = table.loc[table["forecaster"] == "alice", "score"]
    assert one.against_crowd == pytest.approx(engine / 100)


def test_questions_that_closed_early_count_too(session: Session, alice: Member) -> None:
    for number, at in enumerate((3, 12)):
        question = ask(session, alice, slug=f"q{number}", scheduled_close_time=day(10))
        say(session, question, alice, 0.3, 1)
        confirmed(session, question, "yes", alice, at)
    assert [one.state.slug for one in scored_questions(session, alice)] == ["q1", "q0"]
    assert [one.state.slug for one in scored_questions(session, alice, limit=1)] == ["q1"]
    assert [one.state.slug for one in scored_questions(session, alice, since=day(4))] == ["q1"]
    [one] = scored_questions(session, alice, question=question.id)
    assert one.state.slug == "q1"


def test_imported_results_are_ordered_by_outcome_time(engine: Engine, tmp_path: Path) -> None:
    times = {  # the days of the close, of the outcome, and of the import of it
        "known": ("09", "19", ""), "latest": ("09", "", "22"),
        "closed": ("20", "", ""), "oldest": ("09", "10", "23"),
    }  # fmt: skip
    questions = "question_id,title,open_time,scheduled_close_time,known_at,resolved_at,resolution\n"
    forecasts = FORECASTS
    for slug, days in times.items():
        written = ",".join(day and f"2026-01-{day}T00:00:00Z" for day in ("01", *days))
        questions += f"{slug},Rain?,{written},yes\n"
        forecasts += FORECAST.replace("q,", f"{slug},", 1)
    import_files(engine, tmp_path / "folder", questions=questions, forecasts=forecasts)
    with database.reading(engine) as ledger:
        bob = find_member(ledger, "bob")
        every = scored_questions(ledger, bob)
        first = scored_questions(ledger, bob, limit=2)
    assert [one.state.slug for one in every] == ["latest", "closed", "known", "oldest"]
    assert every == sorted(every, key=lambda one: one.known_at, reverse=True)
    assert first == every[:2]


def test_the_option_that_came_true_is_the_one_shown(session: Session, alice: Member) -> None:
    port, depth = ask(session, alice, **CHOICE), ask(session, alice, **DEPTH)
    value = Value(probabilities=(0.7, 0.3))
    updates.update(session, port, value, member=alice, now=day(1))
    value = Value(quantiles={"0.5": "12"})
    updates.update(session, depth, value, member=alice, now=day(1))
    confirmed(session, port, "Ulsan", alice, 9)
    confirmed(session, depth, "10", alice, 10)
    numeric, chosen = scored_questions(session, alice)
    assert (chosen.last.value, chosen.last.probability) == ("30%", 0.3)
    assert (numeric.last.probability, numeric.against_crowd) == (None, None)
    assert numeric.score.protocol == "crps"


def test_without_the_crowd_everything_else_is_the_same(
    session: Session, alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, depth, rain = (ask(session, alice, **of) for of in (CHOICE, DEPTH, {}))
    for member, share, metres in ((alice, 0.7, "12"), (bob, 0.2, "9"), (alice, 0.6, "11")):
        at = day(2 + share)
        for question, value in (
            (port, Value(probabilities=(share, 1 - share))),
            (depth, Value(quantiles={"0.5": metres})),
            (rain, Value(probability=share)),
        ):
            updates.update(session, question, value, member=member, now=at)
    for question, outcome, when in ((port, "Ulsan", 8), (depth, "10", 9), (rain, "yes", 10)):
        confirmed(session, question, outcome, alice, when)
    whole = scored_questions(session, alice)
    alone = scored_questions(session, alice, crowd=False)
    assert [one.against_crowd is None for one in whole] == [False, True, False]
    assert alone == [replace(one, against_crowd=None) for one in whole]
    monkeypatch.setattr(module, "BATCH", 1)
    assert scored_questions(session, alice) == whole


@pytest.mark.parametrize("outcome", ["Busan", "Ulsan", "Other"])
def test_a_forecast_from_before_an_option_was_added_is_scored_without_the_crowd_too(
    session: Session, alice: Member, outcome: str
) -> None:
    port = ask(session, alice, type="multiple_choice", options=["Busan", "Other"])
    updates.update(session, port, Value(probabilities=(0.7, 0.3)), member=alice, now=day(1))
    three = ["Busan", "Ulsan", "Other"]
    revise(session, port, member=alice, now=day(2), reason="Ulsan bids", options=three)
    updates.update(session, port, Value(probabilities=(0.5, 0.3, 0.2)), member=alice, now=day(3))
    confirmed(session, port, outcome, alice, 8)
    [one] = scored_questions(session, alice, crowd=False)
    assert [each.probability for each in one.forecasts] == {
        "Busan": [0.7, 0.5], "Ulsan": [0.3, 0.3], "Other": [0.3, 0.2]
    }[outcome]  # fmt: skip
    assert [one] == scored_questions(session, alice)


def test_words_are_looked_for_in_title_tags_and_family(session: Session, alice: Member) -> None:
    about = {"title": "Will it rain?", "tags": ["weather"], "family": "harbour"}
    for slug, text in (("rain", about), ("other", {"title": "Will it end?"})):
        question = ask(session, alice, slug=slug, **text)
        say(session, question, alice, 0.3, 1)
        confirmed(session, question, "no", alice, 10)
    every = scored_questions(session, alice)
    assert len(matching(every, "")) == 2
    for words in ("RAIN", "weather", "harb rain"):
        assert [one.state.slug for one in matching(every, words)] == ["rain"]
    assert matching(every, "rain end") == []
    assert matching(every, "ai") == []  # inside words only
