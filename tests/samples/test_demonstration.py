import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from forecasts import reports
from forecasts.common.errors import Refused
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.models import Article, Forecast, Ledger, Member, Resolution
from forecasts.questions import standing as question_standing
from forecasts.samples import demonstration
from forecasts.scores import ledger_frames as frames
from tests.conftest import day
from tests.documents.test_numbers import faulty

NOW = day(327)  # 24 November 2026


@pytest.mark.slow
def test_it_has_articles_questions_and_outcomes_and_says_each_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    said: list[str] = []
    url = demonstration.build(now=NOW, echo=said.append)
    engine = database.open_engine(url)
    with database.reading(engine) as session:
        articles = session.exec(select(Article).order_by(col(Article.id))).all()
        every = question_standing.listing(session, now=NOW)
        by_resolver = session.exec(
            select(Resolution).where(col(Resolution.resolver_id).is_not(None))
        ).all()
        handles = session.exec(
            select(Member.handle).where(col(Member.id).in_(select(Forecast.member_id)))
        ).all()
        records = reports.build(frames.ledger_frames(session), by="forecaster", as_of=NOW).groups
    engine.dispose()
    longest = max(records, key=lambda one: one.questions)
    assert (longest.name, longest.verdict.kind) == (demonstration.READER, "calibrated")
    published = [(a.publisher, str(a.published_at and a.published_at.date())) for a in articles]
    assert published[:3] == [
        ("Japan Times", "2025-07-22"),
        ("The Diplomat", "2025-07-24"),
        ("NHK", "2025-07-24"),
    ]
    assert [publisher for publisher, _ in published[3:]] == ["Sample Gazette (simulated)"] * 5
    assert all(article.title.startswith("Simulated: ") for article in articles[3:])
    ours = {one.slug: one for one in every if "simulated" not in (one.text.tags or [])}
    assert {str(one.status) for one in ours.values()} >= {"open", "awaiting resolution", "resolved"}
    resolved = {slug for slug, one in ours.items() if one.resolution}
    assert resolved == demonstration.outcomes(NOW).keys()
    assert len(by_resolver) == len(resolved)
    meeting = ours["trump-xi-in-person-fall-2025"].resolution
    assert meeting is not None
    assert meeting.outcome == "yes"
    assert meeting.source.startswith("https://")
    assert "30 October 2025" in meeting.note
    assert len(handles) == 5 + 11
    assert all("(simulated)" in handle for handle in handles)
    assert [line.split(":")[0] for line in said if line[:1].isdigit()] == [
        "1. Capture",
        "2. Register",
        "3. Forecast",
        "4. Import",
        "5. Scheduled run",
        "6. News",
        "7. Scores",
        "8. Calibration report of the simulated teams\n",
    ]
    assert [line.strip() for line in said if " forecasters: " in line] == [
        "Kestrel (simulated), 4 forecasters: overconfident (log odds times 2)",
        "Heron (simulated), 4 forecasters: updates too little (33% of the way each time)",
        "Wren (simulated), 4 forecasters: calibrated",
    ]
    assert [found for line in said for found in faulty(line)] == []
    # The app opens the one that is there.
    assert demonstration.opened(now=NOW, echo=lambda _: pytest.fail("it was built again")) == url


def own_ledger(path: Path) -> None:
    engine = database.open_engine(sqlite_url(path))
    schema.migrate(engine)
    with database.writing(engine) as session:
        session.add(Member(handle="alice", created_at=day(0)))
    engine.dispose()


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")


@pytest.mark.parametrize(
    "make", [own_ledger, other_database, lambda path: path.write_text("shopping list")]
)
def test_a_file_that_is_not_the_demonstration_is_never_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    own = demonstration.ledger_path()
    own.parent.mkdir()
    make(own)
    before = own.read_bytes()
    with pytest.raises(Refused, match="not a demonstration ledger"):
        demonstration.build(now=NOW, echo=lambda _: None)
    assert own.read_bytes() == before
    assert {one for one in own.parent.iterdir() if one.suffix != ".head"} == {own}


def handles(engine: Engine) -> list[str]:
    with database.reading(engine) as session:
        return list(session.exec(select(Member.handle).order_by(col(Member.id))))


def write(engine: Engine, handle: str) -> None:
    with database.writing(engine) as session:
        session.add(Member(handle=handle, created_at=day(0)))


@pytest.fixture
def short_walk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Build almost nothing: these tests are about replacing the ledger."""

    def walk(engine: Engine, *, now: datetime, echo: demonstration.Echo) -> None:
        schema.migrate(engine)
        with database.writing(engine) as session:
            session.add(Ledger(created_at=now, demonstration=True))
        write(engine, "anew")
        echo("walking")

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(demonstration, "walk", walk)


@pytest.mark.usefixtures("short_walk")
def test_an_open_app_follows_a_rebuilt_demonstration() -> None:
    engine = database.open_engine(demonstration.build(now=NOW, echo=lambda _: None))
    write(engine, "tried out")
    with database.reading(engine) as session:
        before = frames.revision(session)
    again = database.open_engine(demonstration.build(now=day(328), echo=lambda _: None))
    assert handles(engine) == ["anew"]
    with database.reading(engine) as session:
        assert frames.revision(session) != before
    write(engine, "saved afterwards")
    assert handles(again) == ["anew", "saved afterwards"]
    engine.dispose()
    again.dispose()


@pytest.mark.usefixtures("short_walk")
def test_two_demonstrations_at_once_do_not_meet(tmp_path: Path) -> None:
    def meanwhile(_: str) -> None:
        demonstration.build(now=NOW, echo=lambda _: None)

    url = demonstration.build(now=NOW, echo=meanwhile)
    engine = database.open_engine(url)
    assert handles(engine) == ["anew"]
    engine.dispose()
    assert [path.name for path in (tmp_path / "forecasts").iterdir()] == ["demonstration.sqlite3"]


@pytest.mark.usefixtures("short_walk")
def test_other_ledgers_stay_untouched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FORECASTS_DATABASE_URL", str(tmp_path / "own.sqlite3"))
    demonstration.build(now=NOW, echo=lambda _: None)
    assert not (tmp_path / "own.sqlite3").exists()
