"""Imports that are killed: each is there whole or not at all, and can be repeated."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlmodel import col, func, select

from benchmarks.writing import OPENS, begin
from forecasts.access.members import member_or_new
from forecasts.common.times import iso
from forecasts.folder.folder import read_folder
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.models import Citation, Forecast, Question, Resolution, Score
from forecasts.ledger.verification import verify
from tests.outages.writers import often

pytestmark = pytest.mark.slow

QUESTIONS, FORECASTERS, UPDATES = 8, 4, 10
FORECASTS = QUESTIONS * FORECASTERS * UPDATES
NOTHING = (0, 0, 0, 0, False)
QUESTION_COLUMNS = (
    "question_id,title,open_time,scheduled_close_time,resolution,known_at,resolved_at"
)
CITED = '"[{""evidence_id"": ""evidence-%d""}]"'
WHOLE = (QUESTIONS, FORECASTS, FORECASTS, QUESTIONS, True)


def folder_of(number: int, at: Path) -> Path:
    """Write a ledger folder of resolved questions, each forecast citing a piece of evidence."""
    folder, slugs = at / str(number), [f"import-{number}-{n}" for n in range(QUESTIONS)]
    closes = OPENS + timedelta(days=100)
    questions = [
        f"{slug},Will {slug} be?,{iso(OPENS)},{iso(closes)},yes,{iso(closes)},{iso(closes)}"
        for slug in slugs
    ]
    forecasts = [
        f"{slug},forecaster {who},{iso(OPENS + timedelta(days=day))},0.{day},{CITED % number}"
        for slug in slugs
        for who in range(FORECASTERS)
        for day in range(1, UPDATES + 1)
    ]
    folder.mkdir()
    for name, lines in {
        "questions": [QUESTION_COLUMNS, *questions],
        "forecasts": ["question_id,forecaster,made_at,probability,evidence", *forecasts],
        "evidence": ["evidence_id,kind,title", f"evidence-{number},news,The quay"],
    }.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def import_folder(url: str, folder: Path, killed_at: int | None, told: Connection) -> None:
    """Import the folder when the pipe says so, and report the number of statements it took.

    ``killed_at``: the statement at which the process kills itself.
    """
    frames = read_folder(folder)
    engine, statements = database.open_engine(url), 0

    @event.listens_for(engine, "before_cursor_execute")
    def _count(*_: object) -> None:
        nonlocal statements
        statements += 1
        if statements == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    told.send(0)
    told.recv()
    now = OPENS + timedelta(days=2_000)
    with database.writing(engine) as session:
        owner = member_or_new(session, "owner", now=now)
        import_frames(session, frames, member=owner, now=now)
    told.send(statements)


def imported(
    url: str, folder: Path, *, killed_at: int | None = None, within: float | None = None
) -> int:
    """Return the statements of an import by a process of its own; 0 if it was killed before."""
    begun = begin(import_folder, url, folder, killed_at)
    statements: int = begun.pipe.recv()
    begun.pipe.send(0)
    with suppress(EOFError, ConnectionError):  # it has killed itself
        if begun.pipe.poll(within):
            statements = begun.pipe.recv()
    begun.process.kill()
    begun.process.join()
    return statements


def stored(engine: Engine, number: int) -> tuple[int, int, int, int, bool]:
    """Return how much of that import the ledger has: rows by kind, and whether it has scores."""
    its = select(Question.id).where(col(Question.slug).startswith(f"import-{number}-"))
    forecasts = select(Forecast.id).where(col(Forecast.question_id).in_(its))
    resolutions = select(Resolution.id).where(col(Resolution.question_id).in_(its))
    citations = select(Citation.id).where(col(Citation.forecast_id).in_(forecasts))
    scores = select(Score.id).where(col(Score.resolution_id).in_(resolutions))
    with database.reading(engine) as session:
        questions, made, cited, outcomes, scored = (
            session.exec(select(func.count()).select_from(some.subquery())).one()
            for some in (its, forecasts, citations, resolutions, scores)
        )
    return questions, made, cited, outcomes, scored > 0


@often(2, 30)
def test_a_killed_import_is_there_whole_or_not_at_all_and_then_once(
    engine: Engine, ledger_url: str, tmp_path: Path, times: int
) -> None:
    random_ = random.Random(1)
    for number in range(2):  # the first writes the members too
        began = time.perf_counter()
        statements = imported(ledger_url, folder_of(number, tmp_path))
        takes = time.perf_counter() - began
    for number in range(2, times + 2):
        folder = folder_of(number, tmp_path)
        if number % 2:
            assert not imported(ledger_url, folder, killed_at=random_.randint(1, statements - 1))
            assert stored(engine, number) == NOTHING
        else:
            done = imported(ledger_url, folder, within=random_.uniform(0, takes))
            assert stored(engine, number) in ((WHOLE,) if done else (WHOLE, NOTHING))
        assert imported(ledger_url, folder)
        assert stored(engine, number) == WHOLE
    with database.reading(engine) as session:
        found = verify(session)
        assert (found.broken, found.derived) == (None, ())
