"""Every column of every table, altered by somebody with the database in twelve ways.

The changes are made from the models, on a copy of a ledger's tables that has none of the schema's
constraints, keys and triggers. Each that a reader of the chain's tables could notice is named, and
none ends the verification with an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

from forecasts.access.members import member_or_new
from forecasts.agenda.notifications import channels
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, models, schema
from forecasts.ledger.chain import SEALED, STATES
from forecasts.ledger.verification import Broken, verify
from forecasts.operations import privacy
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import KINDS, day
from tests.ledger.history import furnish

pytestmark = pytest.mark.slow

IN_CHAIN = (*SEALED, *STATES, "entry", "exhibit_content")
# Ways in which any value is out of place, whether the chain has the row or not.
ALWAYS = ("class", "form", "sign", "bytes", "orphan")
TABLES = SQLModel.metadata.sorted_tables


class Change(NamedTuple):
    """A way to alter a table, and whether it must be named; ``row``: the only row it alters."""

    way: str
    table: str
    column: str
    statements: tuple[str, ...]
    named: bool
    row: int | None = None


@pytest.fixture(scope="module", params=KINDS)
def bare(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    """A ledger with rows in every table, and no constraint on any."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("bare")
        if request.param == "sqlite":
            url = sqlite_url(folder / "ledger.sqlite3")
        else:
            url = stack.enter_context(request.getfixturevalue("postgresql").fresh())
        engine = database.open_engine(url)
        schema.migrate(engine)
        _fill(engine)
        bare = _bare_file(folder) if request.param == "sqlite" else _bare_schema(url)
        engine.dispose()
        yield bare
        bare.dispose()


def _fill(engine: sa.Engine) -> None:
    furnish(engine)
    with database.writing(engine) as session:
        at = {"recorded_at": day(7)}
        watch = {"next_at": day(8), "attempts": 0, "reason": ""}
        notice = {"channel_id": 1, "event": "closing", "at": day(9), "next_at": day(9), **at}
        run = {"resolver_id": 1, "message": "", "started_at": day(7)}
        pair = {"question_id": 1, "other_id": 2, "member_id": 1, **at}
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


def _bare_file(folder: Path) -> sa.Engine:
    made = sa.create_engine(f"sqlite:///{folder / 'bare.sqlite3'}")
    with made.begin() as connection:
        connection.exec_driver_sql(f"ATTACH '{folder / 'ledger.sqlite3'}' AS whole")
        for name in (*(table.name for table in TABLES), "alembic_version"):
            columns = connection.exec_driver_sql(f"PRAGMA whole.table_info({name})").all()
            typed = (f"{c[1]} {'INTEGER PRIMARY KEY' if c[1] == 'id' else c[2]}" for c in columns)
            connection.exec_driver_sql(f"CREATE TABLE {name} ({', '.join(typed)})")
            connection.exec_driver_sql(f"INSERT INTO {name} SELECT * FROM whole.{name}")
    made.dispose()
    return database.open_engine(sqlite_url(folder / "bare.sqlite3"))


def _bare_schema(url: str) -> sa.Engine:
    made = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with made.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA bare")
        for name in (*(table.name for table in TABLES), "alembic_version"):
            connection.exec_driver_sql(f"CREATE TABLE bare.{name} AS TABLE public.{name}")
    made.dispose()
    return database.open_engine(f"{url}&options=-csearch_path%3Dbare")


def changes(connection: sa.Connection) -> Iterator[Change]:
    """Yield every change of every table on this database."""
    for table in TABLES:
        found = connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY id")
        rows = found.mappings().all()
        assert rows, table.name
        yield from _changes_of_rows(table, [row["id"] for row in rows])
        for column in table.c:
            yield from _changes_of_column(connection.dialect.name, table, column, rows)


def _changes_of_rows(table: sa.Table, ids: list[int]) -> Iterator[Change]:
    name, sealed = table.name, table.name in IN_CHAIN
    rest = ", ".join(column.name for column in table.c if column.name != "id")
    copy = f"INSERT INTO {name} (id, {rest}) SELECT {{}}, {rest} FROM {name} WHERE id = {ids[0]}"
    # A document is found by its hash, so another copy of it is not noticed.
    for way, id_ in (("insert", ids[-1] + 1), ("duplicate", -1)):
        named = sealed and name != "exhibit_content"
        yield Change(way, name, "", (copy.format(id_),), named)
    yield Change("delete", name, "", (f"DELETE FROM {name} WHERE id = {ids[0]}",), sealed)
    yield Change("truncate", name, "", (f"DELETE FROM {name}",), sealed)
    if len(ids) > 1:
        moved = ((ids[0], -9), (ids[1], ids[0]), (-9, ids[1]))
        acts = tuple(f"UPDATE {name} SET id = {to} WHERE id = {old}" for old, to in moved)
        yield Change("reorder", name, "id", acts, sealed)


def _changes_of_column(
    dialect: str, table: sa.Table, column: sa.Column[Any], rows: Sequence[sa.RowMapping]
) -> Iterator[Change]:
    name, first = table.name, rows[0]["id"]
    sealed = name in IN_CHAIN and (name, column.name) != ("exhibit_content", "id")
    for way, value in _values(table, column, dialect).items():
        if value == "NULL" and rows[0][column.name] is None:
            continue
        act = f"UPDATE {name} SET {column.name} = {value} WHERE id = {first}"
        gone = way == "value" and bool(column.foreign_keys)  # no row has that id
        missing = way == "null" and not column.nullable
        named = sealed or way in ALWAYS or gone or missing
        row = None if column.name == "id" else first
        yield Change(way, name, column.name, (act,), named, row)
    if column.name == "id":
        return
    for one, other in pairwise(rows):
        if one[column.name] != other[column.name]:
            ids = one["id"], other["id"]
            mine, theirs = (f"SELECT {column.name} FROM {name} WHERE id = {id_}" for id_ in ids)
            act = (
                f"UPDATE {name} SET {column.name} = CASE id WHEN {ids[0]} THEN ({theirs})"
                f" ELSE ({mine}) END WHERE id IN {ids}"
            )
            yield Change("swap", name, column.name, (act,), sealed, ids[0])
            return


def _values(table: sa.Table, column: sa.Column[Any], dialect: str) -> dict[str, str]:
    """Return the new values of a column in SQL, by way."""
    type_: Any = column.type
    while isinstance(type_, TypeDecorator):
        type_ = type_.impl_instance
    kind = next(
        kind
        for kind in (sa.Boolean, sa.Integer, sa.Float, sa.DateTime, sa.JSON, sa.LargeBinary, object)
        if isinstance(type_, kind)
    )
    members = _members(table.name, column.name)
    name, on_file = column.name, dialect == "sqlite"
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
        others = ", ".join(f"WHEN '{a}' THEN '{b}'" for a, b in pairwise(members))
        values["value"] = f"CASE {name} {others} ELSE '{members[0]}' END".replace(", WHEN", " WHEN")
        values["form"] = "'nonsense'"
    if name == "id":
        return values
    values["null"] = "NULL"
    if column.foreign_keys:
        values["orphan"] = "999999"
    if not on_file:
        out_of_form = {sa.DateTime: "'infinity'", sa.Float: "'NaN'", sa.JSON: "'null'"}
        if kind is sa.Float:
            values["sign"] = "'-0'"
        return values | ({"form": out_of_form[kind]} if kind in out_of_form else {})
    values["class"] = {
        sa.Boolean: "''", sa.Integer: "'x'", sa.Float: "'x'", sa.DateTime: "2460000.5",
        sa.JSON: "5", sa.LargeBinary: "'12 mm'",
    }.get(kind, "x'6162'")  # fmt: skip
    values["bytes"] = "CAST(x'ff' AS TEXT)"
    forms = {
        sa.Boolean: "2", sa.Integer: "1.5", sa.Float: "9e999", sa.JSON: "'null'",
        sa.DateTime: "coalesce(replace(" + name + ", ' ', 'T'), '2026-W01-1')",
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


def groups(made: list[Change]) -> Iterator[list[Change]]:
    """Yield the changes, those together that a single verification can tell apart.

    Each of a group is of another table, and either a fault of one row or none at all.
    """
    rounds: dict[tuple[bool, int], list[Change]] = {}
    count: Counter[tuple[bool, str]] = Counter()
    for change in made:
        # The chain and removals decide about rows of other tables.
        if change.named and (change.row is None or change.table in ("entry", "removal", "member")):
            yield [change]
            continue
        rounds.setdefault((change.named, count[change.named, change.table]), []).append(change)
        count[change.named, change.table] += 1
    for together in rounds.values():
        yield from (together[at : at + 10] for at in range(0, len(together), 10))


def faults_of(session: Session, group: list[Change]) -> list[Broken] | str:
    """Return the faults after these changes, which are undone, or the error of verification."""
    connection = session.connection()
    point = connection.begin_nested()
    try:
        for change in group:
            for statement in change.statements:
                connection.exec_driver_sql(statement)
        found = verify(session)
    except Exception as error:
        return repr(error)
    finally:
        point.rollback()
    return [] if found.broken is None else [found.broken, *found.more]


def told(change: Change, faults: list[Broken] | str) -> bool:
    """Return whether the faults of several changes are right about this one."""
    if isinstance(faults, str) or not change.named:
        return faults == []
    return (change.table, change.row) in {(fault.kind, fault.row) for fault in faults}


def missed(engine: sa.Engine, step: int) -> tuple[int, list[str]]:
    """Return the number of changes made, each ``step``-th of all, and those not named.

    A change about which the verification of a group is not sure is verified alone.
    """
    wrong = []
    with database.writing(engine) as session:
        assert verify(session).broken is None
        made = list(changes(session.connection()))[::step]
        for group in groups(made):
            together = faults_of(session, group) if len(group) > 1 else "alone"
            for change in group:
                if told(change, together):
                    continue
                found = faults_of(session, [change])
                if isinstance(found, str) or bool(found) is not change.named:
                    wrong.append(f"{change.way} {change.table}.{change.column}: {found}")
        session.rollback()
    return len(made), wrong


def test_some_of_all_changes_are_named(bare: sa.Engine) -> None:
    made, wrong = missed(bare, 41)
    assert (made > 20, "\n".join(wrong)) == (True, "")


@pytest.mark.long
def test_every_change_that_a_reader_can_notice_is_named(bare: sa.Engine) -> None:
    made, wrong = missed(bare, 1)
    assert (made > 600, made, "\n".join(wrong)) == (True, made, "")
