import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, select

from forecasts import database, resolutions, updates
from forecasts.access import member_or_new
from forecasts.errors import DatabaseError
from forecasts.models import APPEND_ONLY, Member, Question
from forecasts.settings import Settings, sqlite_url
from forecasts.updates import Cited
from forecasts.values import Value
from tests.conftest import ask, day


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A ledger with at least one row in every append-only table."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        session.execute(
            text(
                "INSERT INTO article (content_hash, title, captured_at, text)"
                " VALUES ('h', 't', '2026-01-01', '')"
            )
        )
        question = ask(session, alice, slug="rain")
        session.execute(
            text(
                "INSERT INTO question_source (question_id, article_id, quote, prefix, suffix)"
                " VALUES (1, 1, '', '', '')"
            )
        )
        updates.update(
            session,
            question,
            Value(probability=0.5),
            member=alice,
            now=day(1),
            evidence=[Cited(note="clouds")],
        )
        resolutions.confirm(session, question, "yes", known_at=day(2), now=day(2), member=alice)
    return engine


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "act",
    [
        "UPDATE {} SET id = id + 100",
        "DELETE FROM {}",
        "INSERT OR REPLACE INTO {0} SELECT * FROM {0}",
        "REPLACE INTO {0} SELECT * FROM {0}",
    ],
)
def test_history_cannot_be_rewritten_even_with_raw_sql(
    filled: Engine, table: str, act: str
) -> None:
    with pytest.raises(IntegrityError, match="append-only"), database.writing(filled) as session:
        session.execute(text(act.format(table)))
    with database.reading(filled) as session:
        assert session.execute(text(f"SELECT count(*) FROM {table} WHERE id < 100")).scalar_one()


def test_a_replace_through_another_unique_key_is_refused_too(filled: Engine) -> None:
    statement = (
        "REPLACE INTO question (id, slug, member_id, recorded_at)"
        " SELECT id + 100, slug, member_id, '2020-01-01' FROM question"
    )
    with pytest.raises(IntegrityError, match="append-only"), database.writing(filled) as session:
        session.execute(text(statement))


def test_the_database_refuses_values_that_the_verbs_would_have_refused(filled: Engine) -> None:
    for probability, withdrawn in ((7.0, 0), (-0.1, 0), (None, 0), (0.5, 1)):
        with pytest.raises(IntegrityError, match="CHECK"), database.writing(filled) as session:
            session.execute(
                text(
                    "INSERT INTO forecast (question_id, member_id, made_at, recorded_at,"
                    " probability, withdrawn, rationale, origin)"
                    " VALUES (1, 1, '2026-01-01', '2026-01-01', :p, :w, '', 'sql')"
                ),
                {"p": probability, "w": withdrawn},
            )


def test_an_act_that_fails_midway_leaves_nothing(engine: Engine) -> None:
    def act() -> None:
        with database.writing(engine) as session:
            member_or_new(session, "alice", now=day(0))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    with database.reading(engine) as session:
        assert session.exec(select(Member)).all() == []


def test_a_reading_session_writes_nothing(engine: Engine) -> None:
    with database.reading(engine) as session:
        member_or_new(session, "alice", now=day(0))
    with database.reading(engine) as session:
        assert session.exec(select(Member)).all() == []


def test_migrating_twice_does_nothing_the_second_time(tmp_path: Path) -> None:
    engine = database.open_engine(sqlite_url(tmp_path / "new" / "ledger.sqlite3"))
    done = database.migrate(engine)
    assert done is not None
    assert done.before is None
    assert database.migrate(engine) is None
    engine.dispose()


def test_a_ledger_of_a_newer_release_is_refused_and_left_as_it_is(
    ledger_file: Path, engine: Engine
) -> None:
    with sqlite3.connect(ledger_file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(DatabaseError, match=r"schema 9999.*newer"):
        database.migrate(engine)
    assert database.schema_revision(engine) == "9999"


def test_the_migrations_make_the_tables_that_the_models_describe(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at " * 20)
    engine = database.open_engine(sqlite_url(path))
    with pytest.raises(DatabaseError, match="could not be used"):
        database.migrate(engine)
    engine.dispose()


@pytest.mark.parametrize("url", ["nonsense://", "mysql+nothing://x/y", "://"])
def test_a_url_that_names_no_database_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(DatabaseError, match="cannot be used"):
        database.open_engine(url)


def test_times_come_back_aware_and_in_utc(session: Session, question: Question) -> None:
    session.expire_all()
    assert session.exec(select(Question)).one().recorded_at == day(0)


def test_without_settings_the_ledger_is_a_file_in_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FORECASTS_DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Settings().database_url == sqlite_url(tmp_path / "forecasts" / "ledger.sqlite3")


def test_a_plain_path_is_taken_as_an_sqlite_file(tmp_path: Path) -> None:
    settings = Settings(database_url=str(tmp_path / "mine.db"))
    assert settings.database_url == sqlite_url(tmp_path / "mine.db")
