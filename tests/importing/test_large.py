"""More than one statement can name: SQLite takes 32,766 values in one, unless built otherwise."""

import sqlite3
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, event
from sqlmodel import func, select

from forecasts.access.members import member_or_new
from forecasts.folder.frames import EVIDENCE_COLUMNS, complete, typed_frame
from forecasts.importing.frames import import_frames
from forecasts.ledger import database, receipts
from forecasts.ledger.models import Citation
from forecasts.questions import standing, ties
from forecasts.scores.ledger_frames import ledger_frames, scoring_frames
from forecasts.updates import updates
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
def engine(engine: Engine, most: int) -> Engine:
    @event.listens_for(engine, "connect")
    def _limit(connection: Any, _record: Any) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, most)

    return engine


def test_more_questions_than_a_statement_can_name_are_imported_and_read(
    engine: Engine, most: int
) -> None:
    slugs = [f"q{number}" for number in range(most + most // 100)]
    asked = {"title": "?", "type": "binary", "open_time": day(0), "scheduled_close_time": day(9)}
    cited = [[{"evidence_id": "e1"}] for _ in slugs]
    said = {"forecaster": "alice", "made_at": day(1), "probability": 0.5, "evidence": cited}
    frames = replace(
        complete(
            pd.DataFrame({"question_id": slugs} | asked),
            pd.DataFrame({"question_id": slugs} | said),
        ),
        evidence=typed_frame({"evidence_id": ["e1"], "kind": ["data"]}, EVIDENCE_COLUMNS),
    )
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for new in (len(slugs), 0):
            done = import_frames(session, frames, member=alice, now=day(20))
            assert (done.questions, done.forecasts) == (new, new)
        assert session.exec(select(func.count(Citation.id))).one() == len(slugs)
        questions, forecasts = scoring_frames(session, questions=slugs[::-1])
        everything = ledger_frames(session)
        session.rollback()
    # In parts or at once: the same rows in the same order.
    pd.testing.assert_frame_equal(questions, everything.questions[list(questions)])
    made = list(forecasts.columns.drop("evidence"))  # which scoring does not need
    pd.testing.assert_frame_equal(forecasts[made], everything.forecasts[made])


def test_more_questions_than_a_statement_can_name_hang_together(engine: Engine, most: int) -> None:
    many = range(1, most + most // 100)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        assert ties.tied(session, many).questions == {}
        assert updates.current_values(session, alice, many, at=day(1)) == {}
