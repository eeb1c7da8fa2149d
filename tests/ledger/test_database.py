"""Rows that the database itself refuses, and how a ledger is named and opened."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, Boolean, Column, Engine, Integer, LargeBinary, Text, insert, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, DatabaseError, NoLedger
from forecasts.common.settings import Settings, sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.chain import APPEND_ONLY
from forecasts.ledger.columns import Real, Time
from forecasts.ledger.models import AliasSalt, Evidence, Forecast, Member, Question, Removal
from forecasts.ledger.stored_forms import form, looks_right
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import KINDS, ask, day
from tests.examples import examples
from tests.ledger.history import new_ledger


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A ledger with a member, a question, and a forecast that cites evidence."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain, value = ask(session, alice, slug="rain"), Value(probability=0.5)
        cited = [CitedEvidence(note="clouds")]
        updates.update(session, rain, value, member=alice, now=day(1), evidence=cited)
    return engine


@pytest.fixture(scope="module", params=KINDS)
def full(
    request: pytest.FixtureRequest, empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A ledger with at least one row in every append-only table.

    Whatever is tried on it is refused, so that one serves all who try.
    """
    folder = tmp_path_factory.mktemp("full")
    with new_ledger(request.param, request, empty_ledger, folder) as engine:
        with database.writing(engine) as session:
            carol = member_or_new(session, "carol", now=day(8))
            session.add(Removal(member_id=carol.id, removed_by_id=carol.id, recorded_at=day(8)))
            session.add(AliasSalt(salt="s", recorded_at=day(8)))
        yield engine


def count(engine: Engine, table: str) -> int:
    with database.reading(engine) as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_history_cannot_be_rewritten_even_with_raw_sql(full: Engine, table: str) -> None:
    acts = {
        "sqlite": [f"REPLACE INTO {table} SELECT * FROM {table}"],
        "postgresql": [
            f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET id = 100",
            f"TRUNCATE {table} CASCADE",
        ],
    }
    for act in (
        f"UPDATE {table} SET id = id + 100",
        f"UPDATE {table} SET id = id WHERE id = 1",
        f"DELETE FROM {table}",
        *acts[full.dialect.name],
    ):
        with pytest.raises(IntegrityError, match="append-only"), database.writing(full) as session:
            session.execute(text(act))
        assert count(full, f"{table} WHERE id < 100") > 0


def test_nor_through_another_unique_key(filled: Engine, kind: str) -> None:
    columns = "INTO question (id, slug, member_id, recorded_at)"
    rows = "SELECT id + 100, slug, member_id, recorded_at FROM question"
    act = {
        "sqlite": f"REPLACE {columns} {rows}",
        "postgresql": f"INSERT {columns} {rows} ON CONFLICT (slug) DO UPDATE SET id = 100",
    }
    with pytest.raises(IntegrityError, match="append-only"), database.writing(filled) as session:
        session.execute(text(act[kind]))


def test_the_database_refuses_values_that_the_verbs_would_have_refused(filled: Engine) -> None:
    for probability, withdrawn in ((7.0, False), (-0.1, False), (None, False), (0.5, True)):
        written = {"question_id": 1, "member_id": 1, "made_at": day(0), "recorded_at": day(0)}
        written |= {"rationale": "", "origin": "sql"}
        with (
            pytest.raises(IntegrityError, match=r"(?i)check constraint"),
            database.writing(filled) as session,
        ):
            session.connection().execute(
                insert(Forecast), [written | {"probability": probability, "withdrawn": withdrawn}]
            )


OUT_OF_FORM = {
    "sqlite": [
        "INSERT INTO team (name, created_at) VALUES ('x', '2026-01-01T00:00:00.000000')",
        "INSERT INTO team (name, created_at) VALUES ('x', '2026-W01-1')",
        "INSERT INTO team (name, created_at) VALUES ('x', '2026-02-31 00:00:00.000000')",
        "INSERT INTO team (name, created_at) VALUES ('x', 2460000.5)",
        "INSERT INTO team (name, created_at) VALUES (x'78', '2026-01-01 00:00:00.000000')",
        "INSERT INTO ledger VALUES (1, '2026-01-01 00:00:00.000000', '')",
        "INSERT INTO ledger VALUES (1, '2026-01-01 00:00:00.000000', 2)",
        "INSERT INTO member VALUES (9, 'x', 'alien', '2026-01-01 00:00:00.000000')",
        "INSERT INTO removal VALUES (1, 1, NULL, '2026-01-01 00:00:00.000000', '{')",
        "INSERT INTO removal VALUES (1, 1, NULL, '2026-01-01 00:00:00.000000', 'null')",
        "INSERT INTO policy VALUES (1, 1, 'confirm', 1, 9e999, 1, '2026-01-01 00:00:00.000000')",
    ],
    "postgresql": [
        "INSERT INTO team (name, created_at) VALUES ('x', 'infinity')",
        "INSERT INTO member VALUES (9, 'x', 'alien', '2026-01-01')",
        "INSERT INTO removal VALUES (1, 1, NULL, '2026-01-01', 'null')",
        "INSERT INTO policy VALUES (1, 1, 'confirm', 1, 'NaN', 1, '2026-01-01')",
    ],
}


def test_the_database_refuses_values_out_of_their_form(filled: Engine, kind: str) -> None:
    for act in OUT_OF_FORM[kind]:
        with (
            pytest.raises(IntegrityError, match=r"(?i)check constraint"),
            database.writing(filled) as session,
        ):
            session.execute(text(act.replace(":", "\\:")))


def test_unique_columns_are_unique_in_every_database(filled: Engine) -> None:
    with database.writing(filled) as session:
        session.add(Evidence(key="k", recorded_at=day(0)))
    for row in (
        Member(handle="alice", created_at=day(0)),
        Question(slug="rain", member_id=1, recorded_at=day(0)),
        Evidence(key="k", recorded_at=day(0)),
    ):
        with pytest.raises(IntegrityError), database.writing(filled) as session:
            session.add(row)


def test_a_reading_session_writes_nothing_and_sees_one_moment(filled: Engine) -> None:
    with pytest.raises(DatabaseError, match=r"(?i)read-?only"), database.reading(filled) as session:
        member_or_new(session, "eve", now=day(0))
    with database.reading(filled) as session:
        assert len(session.exec(select(Member)).all()) == 1
        with database.writing(filled) as act:
            member_or_new(act, "bob", now=day(0))
        session.expire_all()
        assert len(session.exec(select(Member)).all()) == 1
    assert count(filled, "member") == 2


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_a_text_with_nul_is_refused_on_both_databases(filled: Engine, text: str) -> None:
    with pytest.raises(BadInput, match="NUL") as caught, database.writing(filled) as session:
        session.add(Evidence(key="e2", note=text, recorded_at=day(0)))
    assert caught.value.exit_code == 2
    with pytest.raises(BadInput, match="NUL"), database.writing(filled) as session:
        session.connection().execute(
            insert(Evidence),
            [
                {"key": key, "note": note, "title": "", "quote": "", "recorded_at": day(0)}
                for key, note in (("e2", ""), ("e3", text))
            ],
        )
    assert count(filled, "evidence") == 1


def test_a_url_that_names_no_database_is_refused_with_a_sentence() -> None:
    for url in (
        *("nonsense://", "mysql+nothing://x/y", "sqlite+nothing:///x", "://"),
        *("sqlite://", "sqlite://name", "sqlite:///"),
    ):
        with pytest.raises(NoLedger, match=r"cannot be (used|read)|names no file") as caught:
            database.open_engine(url)
        assert caught.value.exit_code == 2


@pytest.mark.slow
def test_a_ledger_that_is_not_there_is_begun_only_where_that_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "mistyped"
    for there in (False, True):
        with pytest.raises(NoLedger, match="There is no ledger at") as caught:
            database.open_engine(sqlite_url(path), begin=False)
        assert "forecasts ask" in caught.value.remedy
        assert path.exists() is there
        path.touch()
    assert path.stat().st_size == 0
    engine = database.open_engine(sqlite_url(path))
    assert schema.make_ready(engine) is not None  # migrated when it is opened
    assert schema.make_ready(engine) is None
    engine.dispose()
    database.open_engine(sqlite_url(path), begin=False).dispose()


def test_a_folder_that_cannot_be_made_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoLedger, match="cannot be created"):
        database.open_engine(sqlite_url(tmp_path / "file" / "ledger.sqlite3"))


@pytest.mark.slow
def test_an_empty_ledger_in_memory_is_read_and_takes_nothing() -> None:
    engine = schema.empty_ledger()
    with database.reading(engine) as session:
        assert session.exec(select(Member)).all() == []
    with pytest.raises(DatabaseError), database.writing(engine) as session:
        member_or_new(session, "alice", now=day(0))
    engine.dispose()


@settings(max_examples=examples(50))
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


def test_settings_say_where_the_ledger_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = Settings(database_url=str(tmp_path / "mine.db"))
    assert (given.database_url, given.names_a_ledger) == (sqlite_url(tmp_path / "mine.db"), True)
    monkeypatch.setenv("FORECASTS_DATABASE_URL", "here.sqlite3")
    assert Settings().names_a_ledger
    monkeypatch.setenv("FORECASTS_DATABASE_URL", "")
    assert not Settings().names_a_ledger
    monkeypatch.delenv("FORECASTS_DATABASE_URL")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Settings().database_url == sqlite_url(tmp_path / "forecasts" / "ledger.sqlite3")


VALUES = (
    *(None, 0, 1, 2, -1, 2**60, 0.0, 1.0, 0.5, float("inf"), b"", b"1", "", "1", "x", "0\0"),
    "2026-01-02 03:04:05.000006",
    "2026-01-02T03:04:05.000006",
    "2026-01-02 03:04:05,000006",
    "2026-01-02 03:04:05+010000",
    "2026-W01-1 03:04:05.000006",
    "2026-02-30 03:04:05.000006",
    "2026-01-02 24:00:00.000000",
    "2026-01-02 23:59:60.000000",
    "0000-01-02 03:04:05.000006",
    "２026-01-02 03:04:05.000006",
    "2026-01-02 03:04:05.000006Z",
)
TYPES = {
    Integer: (0, 1, 2, -1, 2**60),
    Boolean: (0, 1),
    Real: (0.0, 1.0, 0.5),
    Time: ("2026-01-02 03:04:05.000006",),
    Text: tuple(value for value in VALUES if isinstance(value, str)),
    LargeBinary: (b"", b"1"),
}


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("nullable", [True, False])
def test_a_value_looks_right_exactly_if_its_column_takes_it(type_: Any, nullable: bool) -> None:
    column: Column[Any] = Column("value", type_, nullable=nullable)
    file = sqlite3.connect(":memory:")
    condition = form(column, "sqlite")
    for value in VALUES:
        [(fits,)] = file.execute(
            f"SELECT coalesce({condition}, 1) FROM (SELECT ? AS value)", [value]
        )
        assert looks_right(column, [value], "sqlite") is bool(fits), value
        right = [*TYPES[type_], *([None] if nullable else [])]
        assert looks_right(column, [*right, value], "sqlite") is bool(fits), value
    file.close()


def test_a_negative_zero_and_a_missing_number_do_not_look_right_on_a_server() -> None:
    column: Column[Any] = Column("value", Real, nullable=False)
    assert looks_right(column, [0.0, 0.5], "postgresql")
    for value in (-0.0, None, float("nan"), 1):
        assert not looks_right(column, [0.0, value], "postgresql")
    # The forms of JSON are left to the database.
    assert looks_right(Column("value", JSON), ["[1"], "sqlite")
