"""The schema moves on from every earlier one, with what is in the ledger, whoever else does so."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, insert, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from forecasts.access.members import member_or_new
from forecasts.common.errors import DatabaseError, NoLedger
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger import schema as ledger_schema
from forecasts.ledger.models import APPEND_ONLY, Member, Membership
from forecasts.ledger.verification import verify
from forecasts.questions import registry
from forecasts.scores import scores
from forecasts.scores.frames import ledger_frames
from forecasts.updates import updates
from forecasts.updates.values import Value
from tests.conftest import ask, day
from tests.postgresql import Server

EARLIER = ledger_schema._revisions()[:-1]


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


def migrate_to(engine: Engine, revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring the schema to that of an earlier release, as that release did."""
    known = [known for known in ledger_schema._revisions() if known <= revision]
    with monkeypatch.context() as patch:
        patch.setattr(ledger_schema, "_revisions", lambda: known)
        database.migrate(engine)


# A row or two of every table of the first schema, as its release wrote them.
FIRST: dict[str, list[dict[str, object]]] = {
    "member": [{"id": 1, "handle": "alice", "kind": "human", "created_at": day(0)}],
    "team": [{"id": 1, "name": "Alder", "created_at": day(0)}],
    "membership": [{"id": 1, "team_id": 1, "member_id": 1, "joined_at": day(0)}],
    "article": [
        {
            "id": 1,
            "content_hash": "a" * 64,
            "title": "The quay",
            "captured_at": day(0),
            "member_id": 1,
            "text": "It rains.",
        }
    ],
    "question": [{"id": 1, "slug": "rain", "member_id": 1, "recorded_at": day(0)}],
    "question_revision": [
        {
            "id": number,
            "question_id": 1,
            "number": number,
            "title": "Will it rain?",
            "type": "binary",
            "ordered": False,
            "open_time": day(0),
            "scheduled_close_time": day(10),
            "actual_close_time": day(3) if number == 2 else None,
            "family": "",
            "tags": ["weather"],
            "background": "",
            "resolution_criteria": "",
            "fine_print": "",
            "member_id": 1,
            "recorded_at": day(number),
            "reason": reason,
        }
        for number, reason in ((1, "registered"), (2, "the outcome became known"))
    ],
    "question_source": [
        {"id": 1, "question_id": 1, "article_id": 1, "quote": "It", "prefix": "", "suffix": ""}
    ],
    "forecast": [
        {
            "id": number,
            "question_id": 1,
            "member_id": 1,
            "made_at": day(number),
            "recorded_at": day(number),
            "probability": p,
            "withdrawn": False,
            "rationale": "",
            "origin": "cli",
        }
        for number, p in ((1, 0.5), (2, 0.7))
    ],
    "evidence": [
        {
            "id": 1,
            "key": "e-1",
            "kind": "news",
            "title": "",
            "quote": "",
            "note": "clouds",
            "recorded_at": day(1),
        }
    ],
    "citation": [
        {"id": number, "forecast_id": number, "evidence_id": 1, "stance": "supports", "share": 0.4}
        for number in (1, 2)
    ],
    "resolution": [
        {
            "id": 1,
            "question_id": 1,
            "state": "confirmed",
            "outcome": "yes",
            "known_at": day(3),
            "resolved_at": day(3),
            "recorded_at": day(3),
            "member_id": 1,
            "note": "",
            "source": "",
        }
    ],
    "resolver": [
        {
            "id": 1,
            "question_id": 1,
            "kind": "outcomes_file",
            "settings": {"path": "outcomes.csv"},
            "recorded_at": day(0),
        }
    ],
    "resolver_run": [
        {"id": 1, "resolver_id": 1, "started_at": day(1), "state": "not_yet", "message": ""}
    ],
    "score": [
        {
            "id": 1,
            "resolution_id": 1,
            "member_id": 1,
            "protocol": "brier",
            "engine_version": "0",
            "score": 0.2,
            "coverage": 0.9,
            "updates": 2,
        }
    ],
}


def schema(engine: Engine) -> MetaData:
    """Return the tables as they are in the database now."""
    found = MetaData()
    found.reflect(engine)
    return found


def furnish(engine: Engine) -> None:
    """Put something into every table, whichever schema it is of."""
    tables = schema(engine).tables
    # As ``migrate`` writes: whoever acts follows the chain, which earlier schemas have not.
    alone = engine.execution_options(ledger_writing=True, ledger_followed=None)
    with alone.begin() as connection:
        for name, rows in FIRST.items():
            kept = [{c: _stored(engine, value) for c, value in row.items()} for row in rows]
            connection.execute(insert(tables[name]), kept)
            if engine.dialect.name == "postgresql":
                last = f"setval(pg_get_serial_sequence('{name}', 'id'), {len(rows)})"
                connection.execute(text(f"SELECT {last}"))


def _stored(engine: Engine, value: object) -> object:
    """Return a time as the driver takes it where no model says so."""
    embedded = isinstance(value, datetime) and engine.dialect.name == "sqlite"
    return value.replace(tzinfo=None) if embedded else value  # type: ignore[attr-defined]


def contents(engine: Engine, tables: MetaData) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of these tables, in these columns."""
    with database.reading(engine) as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]
            for table in tables.sorted_tables
            if table.name != "alembic_version"
        }


@pytest.mark.parametrize("revision", EARLIER)
def test_a_ledger_of_an_earlier_schema_is_brought_up_to_date_with_what_is_in_it(
    empty: Engine, revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate_to(empty, revision, monkeypatch)
    furnish(empty)
    assert database.schema_revision(empty) == revision
    earlier = schema(empty)
    before = contents(empty, earlier)
    done = database.migrate(empty)
    assert done == ledger_schema.Migrated(revision, ledger_schema.newest_revision())
    assert contents(empty, earlier) == before
    assert len(before["forecast"]) == len(before["citation"]) == 2
    assert all(before[name] for name in FIRST)

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
    with database.writing(empty) as session:
        bob = member_or_new(session, "bob", now=day(4))
        assert (
            registry.newest_wording(session, registry.find(session, "rain")).visibility
            == "everyone"
        )
        assert session.exec(select(Membership.role)).one() == "forecaster"
        snow = ask(session, bob, slug="snow", title="Will it snow?")
        updates.update(session, snow, Value(probability=0.1), member=bob, now=day(4))
        assert scores.rebuild(session).scores == 3
        assert len(ledger_frames(session).forecasts) == 3
    if revision < "0006":  # what was written to a later schema has its entries already
        with database.reading(empty) as session:
            found = verify(session)
        assert found.broken is None
        assert found.rows["forecast"] == 3


def test_migrating_twice_does_nothing_the_second_time(empty: Engine) -> None:
    done = database.migrate(empty)
    assert done == ledger_schema.Migrated(None, ledger_schema.newest_revision())
    assert database.migrate(empty) is None


def test_the_migrations_make_the_tables_that_the_models_describe(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_of_several_who_migrate_at_once_one_does_and_the_others_find_it_done(
    empty_url: str,
) -> None:
    act = (
        "import sys\n"
        "from forecasts.ledger import database\n"
        "engine = database.open_engine(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(database.migrate(engine))\n"
    )
    command = [sys.executable, "-c", act, empty_url]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    migrating = [subprocess.Popen(command, **streams) for _ in range(3)]  # type: ignore[call-overload]
    for one in migrating:
        assert one.stdout.readline() == "ready\n"
    for one in migrating:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = sorted(one.communicate(timeout=60)[0].strip() for one in migrating)
    newest = ledger_schema.newest_revision()
    assert said == [f"Migrated(before=None, after='{newest}')", "None", "None"]
    assert [one.returncode for one in migrating] == [0, 0, 0]


def test_opening_a_new_file_waits_for_who_is_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    # SQLite does not wait by itself, as it does not where two could wait for each other.
    options = {"connect_args": {"timeout": 0}}
    monkeypatch.setattr("forecasts.ledger.database._connect_options", lambda _url: options)
    engine = database.open_engine(sqlite_url(path))
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        other.execute("ROLLBACK")

    monkeypatch.setattr("forecasts.ledger.database.time.sleep", wait)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    assert len(waits) == 1
    engine.dispose()
    other.close()


def test_an_embedded_ledger_is_migrated_by_whoever_opens_it(tmp_path: Path) -> None:
    engine = database.open_engine(sqlite_url(tmp_path / "new.sqlite3"))
    assert database.make_ready(engine) is not None
    assert database.make_ready(engine) is None
    engine.dispose()


def test_one_on_a_server_is_migrated_only_by_who_says_so(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql.fresh(migrated=False) as url:
        engine = database.open_engine(url)
        with pytest.raises(NoLedger, match="no ledger") as nothing:
            database.make_ready(engine)
        assert "forecasts migrate" in nothing.value.remedy
        migrate_to(engine, EARLIER[-1], monkeypatch)
        with pytest.raises(DatabaseError, match=f"has schema {EARLIER[-1]}") as older:
            database.make_ready(engine)
        assert older.value.remedy.endswith("forecasts migrate")
        assert database.schema_revision(engine) == EARLIER[-1]
        database.migrate(engine)
        assert database.make_ready(engine) is None
        engine.dispose()


def test_names_sort_on_every_server_as_they_do_in_a_file(postgresql: Server) -> None:
    # A server may have been set up with a language in which "alice" comes before "Zoe".
    with postgresql.fresh() as url:
        engine = database.open_engine(url)
        with engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT table_name, column_name FROM information_schema.columns"
                    " WHERE collation_name = 'C' AND table_schema = current_schema()"
                )
            )
            assert {tuple(row) for row in rows} == {
                ("member", "handle"),
                ("question", "slug"),
                ("team", "name"),
            }
        engine.dispose()


def test_names_sort_by_their_signs(engine: Engine) -> None:
    with database.writing(engine) as session:
        for handle in ("alice", "Zoe", "Émile", "bob"):
            member_or_new(session, handle, now=day(0))
    with database.reading(engine) as session:
        handles = session.exec(select(Member.handle).order_by(Member.handle)).all()
    assert handles == ["Zoe", "alice", "bob", "Émile"]


def test_a_database_of_somebody_else_is_left_alone(postgresql: Server) -> None:
    with postgresql.fresh(migrated=False) as url:
        engine = database.open_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
        for begin in (True, False):
            with pytest.raises(NoLedger, match="is not a ledger"):
                database.open_engine(url, begin=begin)
        engine.dispose()


def test_slugs_are_found_whatever_the_server_calls_alike(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        ask(session, alice, slug="Rain", title="Will it rain in Rain?")
        ask(session, alice, slug="rain")
        assert registry.find(session, "Rain").id != registry.find(session, "rain").id
