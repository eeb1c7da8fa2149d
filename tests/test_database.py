import sqlite3
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, select

from forecasts import database, resolutions, updates
from forecasts.access import join, member_or_new, team_or_new
from forecasts.errors import DatabaseError, NoLedger
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
        join(session, team_or_new(session, "Alder", now=day(0)), alice, joined_at=day(0))
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


def test_a_ledger_of_the_first_schema_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.open_engine(sqlite_url(tmp_path / "old.sqlite3"))
    with monkeypatch.context() as patch:
        patch.setattr(database, "_revisions", lambda: ["0001"])
        database.migrate(engine)
    assert database.schema_revision(engine) == "0001"
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        join(session, team_or_new(session, "Alder", now=day(0)), alice)
        session.execute(text("UPDATE membership SET joined_at = '2026-01-01'"))
    done = database.migrate(engine)
    assert done is not None
    assert done.before == "0001"
    with pytest.raises(IntegrityError, match="append-only"), database.writing(engine) as session:
        session.execute(text("DELETE FROM membership"))
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


@pytest.mark.parametrize(
    "url",
    ["nonsense://", "mysql+nothing://x/y", "://", "sqlite://", "sqlite://name", "sqlite:///"],
)
def test_a_url_that_names_no_database_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(NoLedger, match=r"cannot be used|names no file") as caught:
        database.open_engine(url)
    assert caught.value.exit_code == 2


def test_a_url_is_shown_without_its_password() -> None:
    with pytest.raises(NoLedger) as caught:
        database.open_engine("nonsense://me:secret@host/x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("there", [True, False])
def test_a_ledger_that_is_not_there_is_begun_only_where_that_is_meant(
    tmp_path: Path, there: bool
) -> None:
    path = tmp_path / "mistyped"
    if there:
        path.touch()
    with pytest.raises(NoLedger, match="There is no ledger at") as caught:
        database.open_engine(sqlite_url(path), begin=False)
    assert "forecasts ask" in caught.value.remedy
    assert path.exists() is there
    assert not there or path.stat().st_size == 0
    engine = database.open_engine(sqlite_url(path))
    database.migrate(engine)
    engine.dispose()
    database.open_engine(sqlite_url(path), begin=False).dispose()


def test_a_folder_that_cannot_be_made_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoLedger, match="cannot be created"):
        database.open_engine(sqlite_url(tmp_path / "file" / "ledger.sqlite3"))


def test_an_empty_ledger_in_memory_is_read_and_takes_nothing() -> None:
    engine = database.empty_ledger()
    with database.reading(engine) as session:
        assert session.exec(select(Member)).all() == []
    with pytest.raises(DatabaseError), database.writing(engine) as session:
        member_or_new(session, "alice", now=day(0))
    engine.dispose()


@settings(max_examples=50)
@given(
    name=st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=40)
)
def test_any_file_name_leads_to_that_file(tmp_path: Path, name: str) -> None:
    assume(name not in (".", "..") and len(name.encode()) < 200 and not name.startswith("~"))
    path = tmp_path / name
    engine = database.open_engine(Settings(database_url=str(path)).database_url)
    assert database.sqlite_path(engine) == path
    with engine.connect():
        pass
    engine.dispose()
    assert path.exists()


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
    given = Settings(database_url=str(tmp_path / "mine.db"))
    assert given.database_url == sqlite_url(tmp_path / "mine.db")
    assert given.names_a_ledger


def test_a_ledger_is_named_by_the_environment_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORECASTS_DATABASE_URL", "here.sqlite3")
    assert Settings().names_a_ledger
    monkeypatch.setenv("FORECASTS_DATABASE_URL", "")
    assert not Settings().names_a_ledger
