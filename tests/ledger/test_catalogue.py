"""Every way to weaken a database's protection is named, and a sound database gives no alarm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.catalogue import Compared, compare, described, expected_of
from forecasts.ledger.schema import migrate
from forecasts.operations.grants import grant, wrong_grants
from forecasts.operations.transfer import move
from tests.conftest import KINDS
from tests.ledger.test_migrations import development
from tests.postgresql import Server

pytestmark = pytest.mark.slow

# What an operator may add, and the words by which it is mentioned.
HARMLESS = {
    "CREATE INDEX mine ON forecast (origin, made_at DESC)": "the index mine on forecast",
    "CREATE VIEW best AS SELECT id FROM forecast": "the view best",
    "CREATE TABLE best (id INTEGER PRIMARY KEY, note TEXT UNIQUE)": "the table best",
}


def ways(dialect: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the ways to weaken a database: words of the difference, and the statements."""
    file = Path(__file__).with_name(f"weakened.{dialect}.tsv")
    for line in file.read_text("utf-8").splitlines():
        said, *statements = line.split("\t")
        yield said, statements


@pytest.fixture(params=KINDS)
def own(request: pytest.FixtureRequest, empty_ledger: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty ledger, on a server with the roles of the guide."""
    if request.param == "sqlite":
        (tmp_path / "own").write_bytes(empty_ledger.read_bytes())
        engine = database.open_engine(sqlite_url(tmp_path / "own"))
        yield engine
        engine.dispose()
        return
    server: Server = request.getfixturevalue("postgresql")
    server.run("CREATE ROLE people; CREATE ROLE owners; GRANT postgres TO owners")
    with server.fresh() as url:
        engine = database.open_engine(url)
        grant(engine, "people")
        yield engine
        engine.dispose()
    server.run("DROP ROLE people; DROP ROLE owners")


def faults(connection: Connection, *statements: str) -> list[str]:
    """Return the differences after these statements, which are undone."""
    is_file, run = connection.dialect.name == "sqlite", connection.exec_driver_sql
    run("BEGIN")
    for statement in statements:
        run(statement)
    found = [*compare(connection).faults, *wrong_grants(connection)]
    run("ROLLBACK")
    if is_file:
        run("PRAGMA writable_schema = RESET")
    return found


def test_every_way_to_weaken_a_database_is_named(own: Engine) -> None:
    alone = own.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        if own.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA query_only = OFF")
        tried = list(ways(own.dialect.name))
        missed = []
        for said, statements in tried:
            found = faults(connection, *statements)
            if not any(said in one for one in found):
                missed.append(f"{statements}: {found[:3]}")
        assert ("\n".join(missed), len(tried) >= 60) == ("", True)
        for statement, said in HARMLESS.items():
            connection.exec_driver_sql(statement)
            assert compare(connection) == Compared((), (f"{said} is not of the ledger's schema",))
            connection.exec_driver_sql(f"DROP {' '.join(said.split()[1:3])}")


def test_the_description_is_of_the_newest_schema(own: Engine) -> None:
    """It is made by ``make docs``."""
    with own.connect() as connection:
        assert described(connection) == expected_of(own.dialect.name)


def test_a_migrated_and_a_moved_ledger_give_no_alarm(own: Engine, tmp_path: Path) -> None:
    there = [database.open_engine(sqlite_url(tmp_path / "moved")), own]
    move(own, there[0])
    if own.dialect.name == "sqlite":
        there.append(development(tmp_path))
        migrate(there[-1])
    for engine in there:
        with engine.connect() as connection:
            assert compare(connection) == Compared((), ())
        engine.dispose()
