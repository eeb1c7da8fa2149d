"""More than one statement can name: SQLite takes 32,766 values in one, unless built otherwise."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, event, insert
from sqlmodel import Session, func, select

from forecasts.access.members import member_or_new
from forecasts.folder.frames import complete
from forecasts.importing.forecasts import compare_forecasts, write_forecasts
from forecasts.ledger import receipts
from forecasts.ledger.models import Citation, Evidence, Forecast, Question, QuestionRevision
from forecasts.questions import standing
from forecasts.scores.ledger_frames import ledger_frames, scoring_frames
from tests.conftest import day

pytestmark = pytest.mark.slow

MOST = 32_766  # values in a statement


@pytest.fixture
def kind() -> str:
    """SQLite alone, which takes the fewest: PostgreSQL takes twice as many in a statement."""
    return "sqlite"


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> int:
    """The values that a statement takes: a tenth of what SQLite takes, to be quick."""
    for module, name in ((receipts, "MANY"), (standing, "BATCH")):
        monkeypatch.setattr(module, name, getattr(module, name) // 10)
    return MOST // 10


@pytest.fixture
def slugs(most: int) -> list[str]:
    return [f"q{number}" for number in range(most + most // 100)]


@pytest.fixture
def engine(engine: Engine, most: int) -> Engine:
    @event.listens_for(engine, "connect")
    def _limit(connection: Any, _record: Any) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, most)

    return engine


@pytest.fixture
def many(session: Session, slugs: list[str]) -> Iterator[Session]:
    """A ledger with that many questions, and one piece of evidence; nothing of it is kept."""
    alice = member_or_new(session, "alice", now=day(0))
    written = {"member_id": alice.id, "recorded_at": day(0)}
    said = {"number": 1, "title": "?", "type": "binary", "ordered": False, "family": ""}
    said |= dict.fromkeys(("background", "resolution_criteria", "fine_print", "reason"), "")
    times = {"open_time": day(0), "scheduled_close_time": day(9)}
    connection = session.connection()
    connection.execute(insert(Question), [{"slug": slug} | written for slug in slugs])
    connection.execute(
        insert(QuestionRevision),
        [
            {"question_id": id_} | said | times | written
            for id_ in session.exec(select(Question.id))
        ],
    )
    session.add(Evidence(key="e1", recorded_at=day(0)))
    session.flush()
    yield session
    session.rollback()


def test_an_import_exceeds_the_limit_of_a_statement(many: Session, slugs: list[str]) -> None:
    alice = member_or_new(many, "alice", now=day(0))
    frames = complete(
        pd.DataFrame({"question_id": slugs, "open_time": day(0), "scheduled_close_time": day(9)}),
        pd.DataFrame(
            {
                "question_id": slugs,
                "forecaster": "alice",
                "made_at": day(1),
                "probability": 0.5,
                "evidence": [[{"evidence_id": "e1"}] for _ in slugs],
            }
        ),
    )
    for new in (len(slugs), 0):  # of which each has a forecast
        found = compare_forecasts(many, frames, new_only=False, vouched=True, now=day(20))
        done = write_forecasts(many, found, {"alice": alice}, {}, vouched_by=alice, now=day(20))
        assert len(done) == new
    assert many.exec(select(func.count(Forecast.id))).one() == len(slugs)
    assert many.exec(select(func.count(Citation.id))).one() == len(slugs)


def test_any_number_of_questions_can_be_asked_for(many: Session, slugs: list[str]) -> None:
    alice = member_or_new(many, "alice", now=day(0))
    ids = many.exec(select(Question.id).order_by(Question.id)).all()
    many.connection().execute(
        insert(Forecast),
        [
            {
                "question_id": id_,
                "member_id": alice.id,
                "made_at": day(1),
                "recorded_at": day(1),
                "probability": 0.5,
                "withdrawn": False,
                "rationale": "",
                "origin": "test",
            }
            for id_ in ids
        ],
    )
    questions, forecasts = scoring_frames(many, questions=slugs[::-1])
    everything = ledger_frames(many)
    # In parts or at once: the same rows in the same order.
    pd.testing.assert_frame_equal(questions, everything.questions[list(questions)])
    pd.testing.assert_frame_equal(forecasts, everything.forecasts)
