"""The schema moves on from every earlier one, with its rows, and while another process moves it."""

from __future__ import annotations

import multiprocessing
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Engine, MetaData, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from forecasts.access.members import member_or_new
from forecasts.access.memberships import join, team_or_new
from forecasts.common.errors import DatabaseError, NoLedger
from forecasts.common.settings import sqlite_url
from forecasts.ledger import append, current_forecasts, database, models
from forecasts.ledger import schema as ledger_schema
from forecasts.ledger.chain import APPEND_ONLY
from forecasts.ledger.current import newest_wording
from forecasts.ledger.schema import migrate
from forecasts.ledger.stored_forms import form
from forecasts.ledger.verification import newest, verify
from forecasts.questions import registry
from forecasts.resolution import confirmation
from forecasts.scores import scores
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, release_later
from tests.ledger.random_acts import from_history, stored
from tests.ledger.test_append import columns_of
from tests.postgresql import Server

pytestmark = pytest.mark.slow

INDEX = "uq_forecast_import_key"
TAKEN = rf"such a row already|forecast\.import_key|{INDEX}"

# Of the ledger in ``development_0010.sql``, which the version before the first release made.
DEVELOPMENT_DIGEST = "10-b0180bd48602b62f05e9d69df80565d712dbaaa425366d6ded948b2c826fc1e6"


@pytest.fixture
def empty_url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    if kind == "sqlite":
        yield sqlite_url(tmp_path / "new.sqlite3")
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.fresh(migrated=False) as url:
        yield url


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    engine = database.open_engine(empty_url)
    yield engine
    engine.dispose()


@contextmanager
def before_0017(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write as releases did that kept no current forecasts, and had no groups or conditions."""
    with monkeypatch.context() as release:
        release.setattr(current_forecasts, "follow", lambda *_: None)
        for name in ("require_condition", "require_group_allows", "settle_branches"):
            release.setattr(confirmation, name, lambda *_, **__: None)
        yield


def begin(engine: Engine, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin a ledger as the release with that schema did, with rows in many tables."""
    with monkeypatch.context() as release:
        release.setattr(ledger_schema, "revisions", lambda: [revision])
        migrate(engine)
    with before_0017(monkeypatch), database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        join(session, team_or_new(session, "Alder", now=day(0)), alice, joined_at=day(0))
        rain = ask(session, alice, slug="rain")
        cited = [CitedEvidence(note="clouds")]
        for number in (1, 2):
            value = Value(probability=0.3 + number / 5)
            updates.update(session, rain, value, member=alice, now=day(number), evidence=cited)
        confirmation.confirm(session, rain, "yes", known_at=day(3), now=day(3), member=alice)
        elsewhere = {"question_id": rain.id, "platform": "metaculus", "recorded_at": day(3)}
        session.add(models.QuestionOrigin(**elsewhere, platform_id="7"))
        session.add(models.PrintedScore(**elsewhere, member_id=alice.id, name="peer", score=12.5))
        session.add(models.AliasSalt(salt="a secret", recorded_at=day(3)))


def development(folder: Path, *acts: str) -> Engine:
    """Open the ledger of the last development version, after those acts on its file."""
    path = folder / "development.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(Path(__file__).with_name("development_0010.sql").read_text("utf-8"))
        for act in acts:
            made.execute(act)
        made.commit()
    return database.open_engine(sqlite_url(path))


def schema(engine: Engine) -> MetaData:
    """Return the tables as they are in the database now."""
    found = MetaData()
    found.reflect(engine)
    return found


def contents(engine: Engine, tables: MetaData) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of these tables, in these columns."""
    with database.reading(engine) as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]
            for table in tables.sorted_tables
            if table.name != "alembic_version"
        }


def test_a_development_ledger_gets_entries_for_rows_outside_its_chain(tmp_path: Path) -> None:
    at = "'2026-01-01 00:00:00.000000'"
    engine = development(
        tmp_path,
        f"INSERT INTO identity VALUES (1, 'https://id', 'a', 1, {at})",
        f"INSERT INTO revisit VALUES (1, 1, NULL, 7, {at})",
        f"INSERT INTO resolver VALUES (1, 1, 'csv', '{{}}', 1, {at}, 0)",
    )
    done = migrate(engine)
    assert done == ledger_schema.Migrated("0010", ledger_schema.newest_revision())
    with database.writing(engine) as session:
        assert registry.find(session, "rain").id == 1
        ask(session, member_or_new(session, "carol", now=day(5)), slug="snow")
    with database.reading(engine) as session:
        found = verify(session, against=DEVELOPMENT_DIGEST)
    assert found.broken is None
    assert [found.rows[kind] for kind in ("identity", "revisit", "resolver")] == [1, 1, 1]
    with database.writing(engine) as session:
        session.execute(text("UPDATE identity SET member_id = 2"))
    with database.reading(engine) as session:
        altered = verify(session).broken
    assert altered is not None
    assert (altered.kind, altered.said) == ("identity", "row 1 of identity is not as recorded")
    engine.dispose()


@pytest.mark.parametrize("column", ["withdrawn", "made_at"])
def test_a_ledger_with_an_altered_value_is_migrated_and_the_row_named(
    tmp_path: Path, column: str
) -> None:
    engine = development(
        tmp_path,
        "DROP TRIGGER forecast_refuses_update",
        f"UPDATE forecast SET {column} = '' WHERE id = 1",
    )
    migrate(engine)
    with database.reading(engine) as session:
        found = verify(session).broken
    assert found is not None
    assert found.said == f"row 1 of forecast has a value that the ledger never stores ({column})"
    engine.dispose()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_server_with_an_altered_outcome_is_migrated_and_the_row_named(
    empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(empty, "0015", monkeypatch)
    known = "ADD CONSTRAINT ck_resolution_state_is_known CHECK (state <> 'lost') NOT VALID"
    with database.writing(empty) as session:
        for act in (
            "ALTER TABLE resolution DROP CONSTRAINT ck_resolution_state_is_known",
            "ALTER TABLE resolution DISABLE TRIGGER USER",
            "UPDATE resolution SET state = 'lost'",
            "ALTER TABLE resolution ENABLE TRIGGER USER",
            f"ALTER TABLE resolution {known}",
        ):
            session.execute(text(act))
    migrate(empty)
    with database.reading(empty) as session:
        found = verify(session).broken
    assert found is not None
    assert (found.kind, found.row) == ("resolution", 1)


def test_every_column_has_the_constraint_of_its_form(engine: Engine) -> None:
    dialect = engine.dialect.name
    looked = inspect(engine)
    for table in SQLModel.metadata.sorted_tables:
        there = {check["name"] for check in looked.get_check_constraints(table.name)}
        forms = {f"ck_{table.name}_{c.name}_form" for c in table.c if form(c, dialect)}
        rules = {str(c.name) for c in table.constraints if isinstance(c, CheckConstraint)}
        rules = {f"ck_{table.name}_{name.removeprefix(f'ck_{table.name}_')}" for name in rules}
        assert there == forms | rules, table.name


def test_the_migrations_make_the_tables_that_the_models_describe(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_other_schemas_are_refused(engine: Engine) -> None:
    for revision, words, remedy in (
        ("0009", "schema 0009.*before the first", "forecasts export FOLDER"),
        ("0010", "schema 0010, but its tables are not of that schema", "forecasts restore FILE"),
        ("9999", "schema 9999.*newer", ""),
    ):
        with database.writing(engine) as session:
            session.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
        with pytest.raises(DatabaseError, match=words) as caught:
            migrate(engine)
        assert remedy in caught.value.remedy
        if revision != "0010":
            with pytest.raises(DatabaseError, match=words):
                ledger_schema.require_ready(engine)
        assert ledger_schema.schema_revision(engine) == revision


def test_of_two_migrations_one_acts(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_schema, "revisions", lambda: ["0010"])
    forked = multiprocessing.get_context("fork")
    begin, said = forked.Barrier(2), forked.SimpleQueue()

    def act() -> None:
        engine = database.open_engine(empty_url)
        begin.wait(60)
        said.put(migrate(engine))

    migrating = [forked.Process(target=act) for _ in range(2)]
    for one in migrating:
        one.start()
    for one in migrating:
        one.join(60)
    assert [one.exitcode for one in migrating] == [0, 0]
    newest = ledger_schema.Migrated(None, ledger_schema.newest_revision())
    assert sorted([said.get(), said.get()], key=str) == [newest, None]


def test_a_new_file_waits_for_its_creator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    # SQLite does not wait by itself, as it does not where two could wait for each other.
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda to, **of: connect(to, **of | {"timeout": 0}))
    engine = database.open_engine(sqlite_url(path))
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        other.execute("ROLLBACK")

    monkeypatch.setattr("forecasts.ledger.sqlite_file.time.sleep", wait)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    assert len(waits) == 1
    engine.dispose()
    other.close()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_ledger_on_a_server_is_migrated_only_on_request(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoLedger, match="no ledger") as nothing:
        ledger_schema.make_ready(empty)
    assert "forecasts migrate" in nothing.value.remedy
    migrate(empty)
    revision = ledger_schema.newest_revision()
    release_later(tmp_path, monkeypatch)
    with pytest.raises(DatabaseError, match=f"has schema {revision}") as older:
        ledger_schema.make_ready(empty)
    assert older.value.remedy.endswith("forecasts migrate")
    assert ledger_schema.schema_revision(empty) == revision
    migrate(empty)
    assert ledger_schema.make_ready(empty) is None


@pytest.mark.parametrize("kind", ["postgresql"])
def test_names_sort_on_every_server_as_they_do_in_a_file(engine: Engine) -> None:
    # A server may have been set up with a language in which "alice" comes before "Zoe".
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE collation_name = 'C' AND table_schema = current_schema()"
            )
        )
        sorted_by_bytes = {tuple(row) for row in rows}
    assert sorted_by_bytes == {("member", "handle"), ("question", "slug"), ("team", "name")}


def test_names_are_sorted_and_found_by_their_characters(engine: Engine) -> None:
    with database.writing(engine) as session:
        for handle in ("alice", "Zoe", "Émile", "bob"):
            member = member_or_new(session, handle, now=day(0))
        ask(session, member, slug="Rain", title="Will it rain in Rain?")
        ask(session, member, slug="rain")
        assert registry.find(session, "Rain").id != registry.find(session, "rain").id
    with database.reading(engine) as session:
        handles = session.exec(select(models.Member.handle).order_by(models.Member.handle)).all()
    assert handles == ["Zoe", "alice", "bob", "Émile"]


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_database_of_somebody_else_is_left_alone(empty: Engine, empty_url: str) -> None:
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
    for begin in (True, False):
        with pytest.raises(NoLedger, match="is not a ledger"):
            database.open_engine(empty_url, begin=begin)


def indexes(engine: Engine) -> set[str | None]:
    return {one["name"] for one in inspect(engine).get_indexes("forecast")}


def triggers(engine: Engine) -> list[str]:
    found = {
        "sqlite": "SELECT tbl_name || sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1",
        "postgresql": "SELECT pg_get_triggerdef(oid) FROM pg_trigger"
        " WHERE NOT tgisinternal ORDER BY 1",
    }[engine.dialect.name]
    with engine.connect() as connection:
        return list(connection.scalars(text(found)))


def keyed(columns: dict[str, list[Any]], *keys: str) -> dict[str, list[Any]]:
    return {name: values[:1] * len(keys) for name, values in columns.items()} | {
        "import_key": list(keys)
    }


def test_a_ledger_of_schema_0014_is_migrated_with_its_rows_and_guarded_as_before(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(empty, "0014", monkeypatch)
    with before_0017(monkeypatch), database.writing(empty) as session:
        columns = columns_of(session, 1)
        append.append(session, "forecast", keyed(columns, "k1", "k2"))
        session.execute(text("CREATE VIEW mine AS SELECT max(id) AS newest FROM forecast"))
        session.execute(text("CREATE INDEX ix_mine ON forecast (origin)"))
    tables = schema(empty)
    before, guards, others = contents(empty, tables), triggers(empty), indexes(empty)
    with database.reading(empty) as session:
        digest = newest(session)
    assert len(inspect(empty).get_unique_constraints("forecast")) == 1

    later = release_later(tmp_path, monkeypatch)
    assert migrate(empty) == ledger_schema.Migrated("0014", later)
    assert migrate(empty) is None

    assert inspect(empty).get_unique_constraints("forecast") == []
    assert indexes(empty) == others | {INDEX}
    assert set(triggers(empty)) >= set(guards)
    assert contents(empty, tables) == before
    for table in APPEND_ONLY:
        # A file has a trigger a row, a server one a statement; so it takes a row to tell of both.
        if not before.get(table):
            continue
        for act in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            with (
                pytest.raises(IntegrityError, match="append-only"),
                database.writing(empty) as session,
            ):
                session.execute(text(act))
    with database.reading(empty) as session:
        found = verify(session, against=digest)
        assert (found.broken, found.digest, found.derived) == (None, digest, ())
        assert stored(session) == from_history(session) != {}
        last = session.execute(text("SELECT newest FROM mine")).scalar_one()
        assert last == before["forecast"][-1][0]
    for keys in (("k3", "k1"), ("k3", "k3")):
        with pytest.raises(IntegrityError) as taken, database.writing(empty) as session:
            append.append(session, "forecast", keyed(columns, *keys))
        assert re.search(TAKEN, str(taken.value.orig))
    with database.writing(empty) as session:
        append.append(session, "forecast", keyed(columns, "k3", "k4"))  # nothing was stored
        rain, bob = registry.find(session, "rain"), member_or_new(session, "bob", now=day(4))
        assert newest_wording(session, rain.id).visibility == "everyone"
        assert session.exec(select(models.Membership.role)).one() == "forecaster"
        updates.update(session, ask(session, bob), Value(probability=0.1), member=bob, now=day(4))
        assert scores.rebuild(session).scores == 3
        assert len(ledger_frames(session).forecasts) == 7
        confirmation.withdraw(session, rain, reason="a slip", now=day(4), member=bob)
    with database.reading(empty) as session:
        assert verify(session, against=digest).broken is None
