"""The rows that lists read are always those that history gives, and lists read no history."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import Engine, text
from sqlmodel import Session, col, select

from forecasts.access import visibility
from forecasts.access.members import member_or_new
from forecasts.agenda.today import today
from forecasts.api.metaculus import posts
from forecasts.ledger import current_forecasts, database
from forecasts.ledger.models import Forecast, Member, Question
from forecasts.ledger.verification import verify
from forecasts.operations.health import check
from forecasts.questions import registry, search, trends
from forecasts.questions.search import Filter
from forecasts.scores.crowds import crowd
from forecasts.scores.ledger_frames import crowd_frames, ledger_frames
from forecasts.updates import updates
from forecasts.updates.updates import NewForecast
from forecasts.values.value import Value
from tests.conftest import ask, day, imported, say
from tests.ledger.random_acts import Acts, from_history, stored


def test_after_random_acts_the_rows_are_those_that_history_gives(engine: Engine) -> None:
    acts = Acts(engine, seed=1)
    for _ in range(3):
        acts.do(75)
        with database.reading(engine) as session:
            assert stored(session) == from_history(session)
            assert current_forecasts.differences(session.connection()) == []
            _past_is_read_as_it_was(session, acts)
    assert {kind for kind, done in acts.done.items() if not done} <= {"ask", "remove"}


def _past_is_read_as_it_was(session: Session, acts: Acts) -> None:
    """Compare reading at random times of the past with a walk through history."""
    rows = session.exec(select(Forecast).order_by(col(Forecast.made_at), col(Forecast.id))).all()
    began = rows[0].made_at
    for _ in range(5):
        at = began + (acts.now - began) * acts.random.random()
        expected = {(row.question_id, row.member_id): row.id for row in rows if row.made_at <= at}
        ids = {row.question_id for row in rows}
        found = trends.rows_at(session, {id_: [at] for id_ in ids}, Forecast.id)
        assert sorted(id_ for (id_,) in found) == sorted(expected.values())
        _crowd_counts_as_much(session, at)


def _crowd_counts_as_much(session: Session, at: datetime | None) -> None:
    """Compare the crowd of the last forecasts with that of all."""
    every, last = ledger_frames(session), crowd_frames(session, at=at)
    assert_frame_equal(crowd(last, at=at), crowd(every, at=at))
    assert last.forecasts.groupby(["question_id", "forecaster"]).size().max() == 1


def test_a_crowd_at_the_close_counts_nothing_made_then_or_later(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    for at, mine, theirs in ((1, 0.2, 0.9), (2, 0.3, None), (10, 0.6, 0.7), (11, 0.8, 0.1)):
        imported(session, question, alice, at, mine)
        imported(session, question, bob, at, theirs)
    _crowd_counts_as_much(session, None)
    assert crowd(crowd_frames(session))["p"].tolist() == [0.3]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE current_forecast SET forecast_id = 1 WHERE forecast_id = 2",
        "UPDATE current_forecast SET forecasts = 7 WHERE forecast_id = 2",
        "DELETE FROM current_forecast WHERE forecast_id = 2",
        "INSERT INTO current_forecast SELECT 9, question_id, 2, forecast_id, made_at, recorded_at,"
        " forecasts, withdrawals FROM current_forecast WHERE forecast_id = 2",
    ],
)
def test_a_row_that_history_does_not_give_is_named_and_computed_again(
    engine: Engine, change: str
) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        member_or_new(session, "bob", now=day(0))
        rain = ask(session, alice, slug="rain")
        for at in (1, 2):
            say(session, rain, alice, 0.2 * at, at)
    with database.writing(engine) as session:
        session.execute(text(change))
    with database.reading(engine) as session:
        found = verify(session)
    who = "bob" if change.startswith("INSERT") else "alice"
    said = f"the current forecast of {who} on 'rain' is not the one that history gives"
    assert (found.broken, found.derived) == (None, (said,))
    [lists] = [one for one in check(engine, lambda: day(3)) if one.about == "lists"]
    assert lists.result == f"Lists may be wrong: {said}."
    assert "forecasts rescore" in lists.remedy
    with database.writing(engine) as session:
        assert current_forecasts.rebuild(session.connection()) == 1
    with database.reading(engine) as session:
        assert verify(session).derived == ()


def _update_often(engine: Engine, slugs: list[str], numbers: range) -> None:
    """Let each member update each question, every eight minutes: 180 times a day."""
    with database.writing(engine) as session:
        asked = [registry.find(session, slug) for slug in slugs]
        for number in numbers:
            at = day(1) + timedelta(minutes=8 * number)
            for who in range(4):
                member = member_or_new(session, f"member {who}", now=day(0))
                value = Value(probability=(number * 7 + who) % 99 / 100)
                made = [NewForecast(question, value) for question in asked]
                updates.update_all(session, made, member=member, now=at)


def _work(engine: Engine, read: Callable[[Session, Member], object]) -> int:
    """Return how many hundreds of instructions SQLite takes for a list."""
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1

    with database.reading(engine) as session:
        member = member_or_new(session, "member 1", now=day(0))
        visibility.read_as(session, member, now=day(9))
        driver: Any = session.connection().connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(count, 100)
        read(session, member)
        driver.set_progress_handler(None, 0)
    return counted


NOW = day(9)
LISTS: dict[str, Callable[[Session, Member], object]] = {
    "questions": lambda s, me: search.page(s, Filter(), member=me, now=NOW),
    "changed": lambda s, me: search.find(s, Filter(changed_since=day(8)), member=me, now=NOW),
    "mine": lambda s, me: updates.current_forecasts(s, me, at=NOW),
    "today": lambda s, me: today(s, me, now=NOW),
    "posts": lambda s, me: posts.page(s, posts.Asked(), member=me, now=NOW),
    "crowd": lambda s, _me: crowd_frames(s, at=NOW),
}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_list_takes_no_more_work_after_a_long_history(engine: Engine) -> None:
    slugs = ["rain", "snow", "fog"]
    with database.writing(engine) as session:
        for slug in slugs:
            ask(session, member_or_new(session, "member 0", now=day(0)), slug=slug)
    _update_often(engine, slugs, range(0, 1_000, 60))  # so that a trend has as many points as later
    before = {name: _work(engine, read) for name, read in LISTS.items()}
    _update_often(engine, slugs, range(1_000, 1_400))
    after = {name: _work(engine, read) for name, read in LISTS.items()}
    assert {name for name in LISTS if after[name] > 1.5 * before[name] + 1} == set()


_READ = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'forecast'"


@pytest.mark.parametrize("kind", ["postgresql"])
def test_no_list_reads_the_whole_history_on_a_server(engine: Engine) -> None:
    with database.writing(engine) as session:
        ask(session, member_or_new(session, "member 0", now=day(0)), slug="rain")
    _update_often(engine, ["rain"], range(400))
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))  # as the server does by itself
        connection.commit()
    read = {}
    for name, list_ in LISTS.items():
        with database.reading(engine) as session:
            member = member_or_new(session, "member 1", now=day(0))
            visibility.read_as(session, member, now=NOW)
            list_(session, member)
            read[name] = session.execute(text(_READ)).scalar_one()
    assert read == dict.fromkeys(LISTS, 0)
