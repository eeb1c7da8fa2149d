"""Every column of every table, altered by somebody with the database in twelve ways and more.

The changes are made from the models, on a copy of a ledger's tables that has none of the schema's
constraints, keys and triggers. It has a row for each change of a row, so that one verification
finds all of them; each is named by its table and row. A change of an entry ends the verification
at that entry, so each of those is verified by itself.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel
from typer.testing import CliRunner

from forecasts.access.members import member_or_new
from forecasts.agenda.notifications import channels
from forecasts.cli.main import app
from forecasts.common.settings import sqlite_url
from forecasts.ledger import append, catalogue, database, models, verification
from forecasts.ledger.chain import SEALED, STATES
from forecasts.ledger.verification import Broken, verify
from forecasts.operations import privacy
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import KINDS, day
from tests.ledger.history import new_ledger

pytestmark = pytest.mark.slow

IN_CHAIN = (*SEALED, *STATES)
TABLES = SQLModel.metadata.sorted_tables
# By these ways a value gets out of its form, whether the chain has the row or not.
ALWAYS = ("class", "form", "sign", "bytes", "orphan", "blob", "syntax")
ALONE = ("entry", "exhibit_content")  # changes that are found by something else than their row
DERIVED = "current_forecast"  # compared with history only if that is as it was
_UNIQUE = f"CREATE UNIQUE INDEX derived ON {{}}{DERIVED} (question_id, member_id)"  # to follow acts


COMMANDS = (
    ("verify",),
    ("check",),
    ("show", "rain", "--as", "alice"),
    ("backup", "{folder}/backup", "--force"),
    ("restore", "{folder}/backup"),
)


class Change(NamedTuple):
    """A way to alter a column, by a new value in SQL."""

    way: str
    table: str
    column: str
    value: str


@pytest.fixture(scope="module")
def bare_folder(
    request: pytest.FixtureRequest, empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a file with rows in every table, and no constraint on any: bare.sqlite3."""
    folder = tmp_path_factory.mktemp("bare")
    with new_ledger("sqlite", request, empty_ledger, folder) as engine:
        _fill(engine)
    _bare_file(folder)
    return folder


@pytest.fixture(scope="module", params=KINDS)
def bare(request: pytest.FixtureRequest, empty_ledger: Path) -> Iterator[sa.Engine]:
    """Such a ledger in that file or on a server; ``damaged`` undoes what is done to it."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        # Whatever is missing around the rows is another test's subject.
        patch.setattr(catalogue, "compare", lambda _: catalogue.Compared((), ()))
        patch.setattr(verification, "MOST_FAULTS", 100_000)
        if request.param == "sqlite":
            file = request.getfixturevalue("bare_folder") / "bare.sqlite3"
            bare = database.open_engine(sqlite_url(file))
        else:
            ledger = new_ledger("postgresql", request, empty_ledger, Path())
            engine = stack.enter_context(ledger)
            _fill(engine)
            bare = _bare_schema(engine.url.render_as_string(hide_password=False))
        yield bare
        bare.dispose()


def _fill(engine: sa.Engine) -> None:
    with database.writing(engine) as session:
        at = {"recorded_at": day(7)}
        watch = {"next_at": day(8), "attempts": 0, "reason": ""}
        notice = {"channel_id": 1, "event": "closing", "at": day(9), "next_at": day(9), **at}
        run = {"resolver_id": 1, "message": "", "started_at": day(7)}
        pair = {"question_id": 1, "other_id": 2, "member_id": 1, **at}
        match = {"article_id": 1, "score": 0.5, "passage": "Sandbags.", "words": ["quay"]}
        news = {"member_id": 1, "question_id": 1, "article_id": 1, "score": 0.5, "words": [], **at}
        kept = {"request_digest": "d", "status": 200, "answer": "{}", "token_id": 1, **at}
        session.add_all(
            [
                *(models.Watch(question_id=question, **watch) for question in (1, 2)),
                *(models.Notice(question_id=question, **notice) for question in (1, 2)),
                *(models.Glance(member_id=member, **at) for member in (1, 2)),
                *(models.ResolverRun(state=state, **run) for state in ("not_yet", "failed")),
                *(models.DistinctPair(apart=apart, **pair) for apart in (True, False)),
                *(models.IdempotentAnswer(key=key, **kept) for key in ("k", "l")),
                models.LastRun(started_at=day(7)),
                *(models.Feed(member_id=1, address=one, title=one, **at) for one in ("a", "b")),
                *(models.FeedEntry(feed_id=1, key=key, **at) for key in ("k", "l")),
                models.ArticleStory(article_id=1, story_id=1, signature=b"s"),
                *(models.ArticleMatch(question_id=question, **match) for question in (1, 2)),
                models.MatchedUntil(article_id=1, revision_id=1),
                *(models.NewsAnswer(answer=answer, **news) for answer in ("muted", "dismissed")),
                models.EndedSession(key="k", until=day(9), **at),
                models.AliasSalt(salt="s", **at),
                models.Upkeep(key="k", act="backup", place="x", tried_at=day(7)),
            ]
        )
        dora = member_or_new(session, "dora", now=day(7))
        channels.add(session, "phone", "json://example.org/d", member=dora, now=day(7))
        cited = [CitedEvidence(note="a hunch")]
        snow = registry.find(session, "snow")
        said = {"rationale": "cold", "evidence": cited}
        updates.update(session, snow, Value(probability=0.7), member=dora, now=day(7), **said)
    with database.writing(engine) as session:
        privacy.remove(session, "dora", member=None, now=day(8))


def _bare_file(folder: Path) -> None:
    made = sa.create_engine(f"sqlite:///{folder / 'bare.sqlite3'}")
    with made.begin() as connection:
        connection.exec_driver_sql(f"ATTACH '{folder / 'ledger.sqlite3'}' AS whole")
        for name in (*(table.name for table in TABLES), "alembic_version"):
            columns = connection.exec_driver_sql(f"PRAGMA whole.table_info({name})").all()
            typed = (f"{c[1]} {'INTEGER PRIMARY KEY' if c[1] == 'id' else c[2]}" for c in columns)
            connection.exec_driver_sql(f"CREATE TABLE {name} ({', '.join(typed)})")
            connection.exec_driver_sql(f"INSERT INTO {name} SELECT * FROM whole.{name}")
        connection.exec_driver_sql(_UNIQUE.format(""))
    made.dispose()


def _bare_schema(url: str) -> sa.Engine:
    made = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with made.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA bare")
        for name in (*(table.name for table in TABLES), "alembic_version"):
            connection.exec_driver_sql(f"CREATE TABLE bare.{name} AS TABLE public.{name}")
            if name != "alembic_version":  # to find each row of thousands
                connection.exec_driver_sql(f"CREATE INDEX ON bare.{name} (id)")
        connection.exec_driver_sql(_UNIQUE.format("bare."))
    made.dispose()
    return database.open_engine(f"{url}&options=-csearch_path%3Dbare")


def changes(table: sa.Table, dialect: str) -> Iterator[Change]:
    """Yield every change of a table's columns on this database."""
    for column in table.c:
        for way, value in _values(table, column, dialect).items():
            yield Change(way, table.name, column.name, value)


def _values(table: sa.Table, column: sa.Column[Any], dialect: str) -> dict[str, str]:
    """Return the new values of a column in SQL, by way."""
    type_: Any = column.type
    while isinstance(type_, TypeDecorator):
        type_ = type_.impl_instance
    kinds = (sa.Boolean, sa.Integer, sa.Float, sa.DateTime, sa.JSON, sa.LargeBinary, object)
    kind = next(kind for kind in kinds if isinstance(type_, kind))
    name, on_file = column.name, dialect == "sqlite"
    members = _members(table.name, name)
    values = {
        "value": {
            sa.Boolean: f"NOT {name}",
            sa.Integer: f"coalesce({name}, 0) + 1000",
            sa.Float: f"coalesce({name} * 0.9, 0.3) + 0.01",
            sa.DateTime: "'2031-01-02 00:00:00.000000'" + ("" if on_file else "::timestamptz"),
            sa.JSON: "'[\"x\"]'" + ("" if on_file else "::json"),
            sa.LargeBinary: "x'00'" if on_file else "'\\x00'::bytea",
        }.get(kind, f"coalesce({name}, '') || 'x'")
    }
    if members:
        others = " ".join(f"WHEN '{a}' THEN '{b}'" for a, b in pairwise(members))
        values["value"] = f"CASE {name} {others} ELSE '{members[0]}' END"
        values["form"] = "'nonsense'"
    if column.foreign_keys:
        values["orphan"] = "999999"
    values |= {"null": "NULL", "other": f"(SELECT {name} FROM {table.name} WHERE id = 2)"}
    if name == "id":
        return {"value": values["value"], "below": "-id"}
    if not on_file:
        out_of_form = {sa.DateTime: "'infinity'", sa.Float: "'NaN'", sa.JSON: "'null'"}
        huge = {
            sa.Integer: "2147483647", sa.Float: "'-Infinity'", sa.DateTime: "'-infinity'",
            sa.JSON: "(repeat('[', 900) || repeat(']', 900))::json", object: "repeat('x', 100000)",
        }  # fmt: skip
        forms = {"form": out_of_form, "huge": huge, "sign": {sa.Float: "'-0'"}}
        forms["empty"] = {object: "''", sa.LargeBinary: "''", sa.JSON: "'[]'", sa.Integer: "0"}
        return values | {way: some[kind] for way, some in forms.items() if kind in some}
    values |= {"bytes": "CAST(x'ff' AS TEXT)", "empty": "''", "nan": "'NaN'"}
    values["class"] = {
        sa.Boolean: "''", sa.Integer: "'x'", sa.Float: "'x'", sa.DateTime: "2460000.5",
        sa.JSON: "5", sa.LargeBinary: "'12 mm'",
    }.get(kind, "x'6162'")  # fmt: skip
    if kind is not sa.LargeBinary:
        values["blob"] = "x'00ff'"
    if kind is sa.JSON:
        values["syntax"] = "'{\"a\": '"
    brackets = "replace(hex(zeroblob(900)), '00', '{}')"
    values["huge"] = {
        sa.Integer: "9223372036854775807", sa.Boolean: "9223372036854775807", sa.Float: "-9e999",
        sa.JSON: f"{brackets.format('[')} || {brackets.format(']')}",
        sa.DateTime: "'99999-01-01 00:00:00.00000'",
    }.get(kind, "hex(zeroblob(50000))")  # fmt: skip
    forms = {
        sa.Boolean: "2", sa.Integer: "1.5", sa.Float: "9e999", sa.JSON: "'null'",
        sa.DateTime: f"coalesce(replace({name}, ' ', 'T'), '2026-W01-1')",
    }  # fmt: skip
    return values | ({"form": forms[kind]} if kind in forms else {})


def _members(table: str, column: str) -> list[str]:
    for mapper in sa.inspect(models.Watch).registry.mappers:
        if mapper.local_table.name == table:  # type: ignore[attr-defined]
            field = mapper.class_.model_fields[column]
            for kind in (field.annotation, *get_args(field.annotation)):
                if isinstance(kind, type) and issubclass(kind, StrEnum):
                    return [str(one) for one in kind]
    return []


@contextmanager
def damaged(engine: sa.Engine) -> Iterator[Session]:
    """Yield a session whose changes are undone at the end, after whatever happens to it."""
    with database.writing(engine) as session:
        session.connection()
        yield session
        session.rollback()


def add_copies(session: Session, table: sa.Table, count: int) -> int:
    """Add copies of a table's first row, in the chain if the table is; return the last id before.

    One more is to be left as it is.
    """
    run, name = session.connection().exec_driver_sql, table.name
    last = int(run(f"SELECT max(id) FROM {name}").scalar_one())
    rest = ", ".join(column.name for column in table.c if column.name != "id")
    run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        f"WHERE i < {count + 1}) INSERT INTO {name} (id, {rest}) "
        f"SELECT {last} + i, {rest} FROM {name}, n WHERE id = (SELECT min(id) FROM {name})"
    )
    if name in IN_CHAIN:
        rows = session.execute(sa.select(table).where(table.c.id > last).order_by(table.c.id))
        columns = zip(table.c.keys(), zip(*rows, strict=True), strict=True)
        append.enter(session, name, dict(columns))
    return last


def faults_of(session: Session) -> list[Broken]:
    found = verify(session)
    return [] if found.broken is None else [found.broken, *found.more]


def is_altered(session: Session, change: Change, row: int, first: int) -> bool:
    """Return whether a row's value is another than that of the first row."""
    connection = session.connection()
    form = "typeof({0}) || hex({0})" if connection.dialect.name == "sqlite" else "{0}::text"
    found = connection.exec_driver_sql(
        f"SELECT {form.format(change.column)} FROM {change.table} WHERE id IN ({row}, {first})"
    )
    return len(set(found.scalars())) > 1


def test_every_change_of_a_row_is_named_and_no_other_row(bare: sa.Engine) -> None:
    expected = set[tuple[str, int]]()
    of_entries = [
        change
        for change in changes(SQLModel.metadata.tables["entry"], bare.dialect.name)
        if change.column in ("salt", "words_hash")
        and change.way in ("null", "value", "empty", "huge", "nan")
    ]
    with damaged(bare) as session:
        assert faults_of(session) == []
        run = session.connection().exec_driver_sql
        rows: dict[str, dict[int, Change]] = {}
        for table in TABLES:
            if table.name not in (*ALONE, DERIVED):
                tried = list(changes(table, bare.dialect.name))
                if table.name in IN_CHAIN:
                    tried += [Change("delete", table.name, "id", ""), *of_entries]
                last = add_copies(session, table, len(tried))
                rows[table.name] = {last + i: change for i, change in enumerate(tried, 1)}
        assert faults_of(session) == []
        for name, of_table in rows.items():
            sealed, last = name in IN_CHAIN, max(of_table)
            first = run(f"SELECT min(id) FROM {name}").scalar_one()
            for row, change in of_table.items():
                where = f"id = {row}"
                if change.table == "entry":
                    where = f"kind = '{name}' AND row_id = {row}"
                if change.way == "delete":
                    run(f"DELETE FROM {name} WHERE {where}")
                    expected.add((name, row))
                elif change.column == "id":  # moved away
                    new = last + 9_000 if change.way == "value" else -row
                    run(f"UPDATE {name} SET id = {new} WHERE {where}")
                    expected |= {(name, row), (name, new)} if sealed else set()
                else:
                    run(f"UPDATE {change.table} SET {change.column} = {change.value} WHERE {where}")
                    column = SQLModel.metadata.tables[change.table].c[change.column]
                    altered = change.table == "entry" or is_altered(session, change, row, first)
                    gone = change.way == "null" and not column.nullable
                    gone |= bool(column.foreign_keys) and change.way in ("value", "huge", "empty")
                    if altered and (sealed or change.way in ALWAYS or gone):
                        expected.add((name, row))
        found = faults_of(session)
    named = {(fault.kind or "", fault.row or 0) for fault in found}
    loose = {(name, row) for name, row in named - expected if name not in IN_CHAIN}
    missed = [f"{rows[name].get(row, row)}" for name, row in sorted(expected - named)]
    wrong = [f"{rows[name].get(row, row)}" for name, row in sorted(named - expected - loose)]
    assert ("\n".join(missed), "\n".join(wrong), len(expected) > 1_000) == ("", "", True)


def test_every_table_that_is_emptied_is_named_with_each_row(bare: sa.Engine) -> None:
    with damaged(bare) as session:
        run = session.connection().exec_driver_sql
        there = {(name, id_) for name in IN_CHAIN for (id_,) in run(f"SELECT id FROM {name}")}
        for name in IN_CHAIN:
            run(f"DELETE FROM {name}")
        assert {(fault.kind, fault.row) for fault in faults_of(session)} >= there


def alone(dialect: str) -> list[tuple[str, str, list[str]]]:
    """Return the changes that one verification cannot tell apart: place, condition, statements."""
    entry, content = (SQLModel.metadata.tables[name] for name in ALONE)
    made = [
        (f"{change.way} {change.column} of {kind}", f"kind = '{kind}'", change)
        for kind in IN_CHAIN
        for change in changes(entry, dialect)
    ]
    made += [
        (f"{change.way} {change.column}", "id = 1", change)
        for change in changes(content, dialect)
        if change.column != "id" and change.way != "other"  # there is one, found by its hash
    ]
    lines = []
    for said, where, change in made:
        row = f"(SELECT max(id) FROM {change.table} WHERE {where})"
        act = f"UPDATE {change.table} SET {change.column} = {change.value} WHERE id = {row}"
        lines.append((said, f"{change.table} WHERE id = {row}", [act]))
    for table in TABLES:
        for column in table.c:
            drop = f"ALTER TABLE {table.name} DROP COLUMN {column.name}"
            typed = f"ALTER TABLE {table.name} ALTER {column.name} TYPE {{0}} USING NULL::{{0}}"
            if dialect == "postgresql":
                lines.append((f"retyped {column}", "", [typed.format("bytea")]))
            if dialect == "postgresql" or column.name != "id":
                lines.append((f"dropped {column}", "", [drop]))
    return lines


def missed_alone(engine: sa.Engine, step: int) -> list[str]:
    """Return the changes, each ``step``-th of all, that are not named or end with an error.

    A column of another type, and one that is gone, are named by ``catalogue``.
    """
    wrong = []
    for said, where, statements in alone(engine.dialect.name)[::step]:
        try:
            with damaged(engine) as session:
                run = session.connection().exec_driver_sql
                before = run(f"SELECT * FROM {where}").all() if where else None
                for statement in statements:
                    run(statement)
                named = bool(faults_of(session))
                if not named and where and run(f"SELECT * FROM {where}").all() != before:
                    wrong.append(said)
        except Exception as error:
            wrong.append(f"{said}: {error!r}"[:300])
    return wrong


def test_some_changes_of_entries_and_columns_are_named(bare: sa.Engine) -> None:
    assert "\n".join(missed_alone(bare, 41)) == ""


@pytest.mark.nightly
def test_every_change_of_entries_and_columns_is_named(bare: sa.Engine) -> None:
    assert "\n".join(missed_alone(bare, 1)) == ""


def ends_with_a_trace(folder: Path, rounds: int, step: int = 1) -> list[str]:
    """Return the commands that end in an error of the code on a file with an altered value.

    Each round alters one value of each table of the chain, or of each ``step``-th, in a file each.
    """
    chance, made = random.Random(33), []
    for kind in (*IN_CHAIN, "entry"):
        tried = list(changes(SQLModel.metadata.tables[kind], "sqlite"))
        chance.shuffle(tried)
        made.append(tried)
    wrong = []
    for number in range(rounds):
        for tried in made[::step]:
            change = tried[number % len(tried)]
            file = Path(shutil.copy(folder / "bare.sqlite3", folder / "one.sqlite3"))
            with closing(sqlite3.connect(file)) as owner:
                row = f"(SELECT max(id) FROM {change.table})"
                owner.execute(
                    f"UPDATE {change.table} SET {change.column} = {change.value} WHERE id = {row}"
                )
                owner.commit()
            for command in COMMANDS:
                arguments = [one.format(folder=folder) for one in command]
                result = CliRunner().invoke(app, [*arguments, "--database", str(file)])
                if not isinstance(result.exception, (SystemExit, type(None))):
                    wrong.append(f"{arguments[0]} {change}: {result.exception!r}")
            for left in folder.glob("one.sqlite3*"):
                left.unlink()
    return wrong


def test_no_command_ends_with_a_trace_on_some_altered_values(bare_folder: Path) -> None:
    assert "\n".join(ends_with_a_trace(bare_folder, rounds=1, step=5)) == ""


@pytest.mark.nightly
def test_no_command_ends_with_a_trace_on_any_altered_value(bare_folder: Path) -> None:
    assert "\n".join(ends_with_a_trace(bare_folder, rounds=200)) == ""
