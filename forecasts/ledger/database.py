"""The ledger's database: opening it, reading from it, and writing to it in turns.

There are two ways in. ``reading`` yields a session that sees the ledger at one moment; the database
refuses its writes. ``writing`` yields a session for one act: a transaction that is committed when
the block ends and rolled back if it raises, so what is acknowledged is stored.

One act at a time has the turn to write, in both databases. A verb's checks therefore still hold
when it writes, and rows are numbered in the order in which they become visible. The turn begins
with the act's first statement, and it is short: facts are known from earlier turns (``facts``), and
rows are written in few statements (``append``).

SQLite: the turn is BEGIN IMMEDIATE. With a deferred transaction two writers can both read, and then
neither can write. ``synchronous=FULL``, since an acknowledged forecast must survive a power cut.

PostgreSQL: the turn is an advisory lock of the database. The act reads everything committed by
then (READ COMMITTED: a snapshot would be as old as the wait). Readers (REPEATABLE READ)
neither wait nor block. Rejected: SERIALIZABLE (a refused act would have to be done again, with its
page, and ids would not follow the order of commits), and a lock for each question (an import spans
many; articles, members and evidence belong to none). The lock is released before the act is on
disk, and the act acknowledged after that (``_on_commit``), so that many acts share one disk write.
Anything acknowledged is on disk, with all that came before it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool
from sqlmodel import Session

from forecasts.common.errors import FILL_IN, DatabaseError, NoLedger, Remedy
from forecasts.common.extras import install_command
from forecasts.common.text import require_storable
from forecasts.ledger import append, clock, facts, head, sqlite_file
from forecasts.ledger.driver_errors import damaged_file, raised, reported, undone
from forecasts.ledger.malformed import explaining
from forecasts.ledger.moved import THOUGH_MOVED, require_here
from forecasts.ledger.sqlite_file import BETWEEN_LOOKS, NAME_ANOTHER, Kind, kind_by_tables, kind_of
from forecasts.ledger.urls import (
    EXAMPLES,
    is_embedded,
    no_such_kind,
    place,
    read_url,
    seconds_to_wait,
    shown,
    sqlite_path,
    unreadable,
)

ACTS = "ledger_acts"  # among an engine's options: the engine for acts
ALONE = "ledger_alone"  # in a connection's info: whether no other can use the file meanwhile
_WRITING = "ledger_writing"  # among an engine's options
MIGRATES = "ledger_migrates"  # among them: an act that may change whole tables
_WAITS = "ledger_waits"  # among them: seconds to wait for the turn
PATIENCE = 10  # seconds to wait for the turn in a file
SERVER_PATIENCE = 30  # seconds to wait for the turn on a server
_SILENCE = 300  # seconds after which a server ends the turn of a silent writer
_IN_TRANSACTION = 2  # libpq's status of a transaction that takes statements
_CACHE = (2_000, 32_000)  # KiB of SQLite's cache for a reader, and for a writer: imports fill it
_TURN = 0x466F7265636173  # the advisory lock: "Forecas" in ASCII


def open_engine(
    url: str, *, begin: bool = True, unfinished: bool = False, damaged: bool = False
) -> Engine:
    """Return an engine for ``url``. Nothing is migrated; see ``schema.make_ready``.

    ``begin``: a missing ledger may be created; the folder of its SQLite file is created now.
    ``unfinished``: an unfinished copy may be opened; ``damaged``: a damaged file, to be replaced.
    NoLedger for an unreadable URL, for a missing ledger without ``begin``, and for anything that is
    not a ledger, which is left unchanged. DatabaseError if the server cannot be reached,
    NotAdmitted if it refuses the role.
    """
    engine = _engine_for(url)
    try:
        if is_embedded(engine):
            prepare_sqlite(engine)
        else:
            _prepare_server(engine)
        _require_ledger(engine, begin=begin, unfinished=unfinished, whole=not damaged)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _engine_for(url: str) -> Engine:
    """Return an engine for ``url``; NoLedger if the URL cannot be used."""
    parsed = read_url(url)
    waits = seconds_to_wait(parsed)
    try:
        engine = create_engine(
            parsed, **_connect_options(parsed, PATIENCE if waits is None else waits)
        )
    except ImportError:
        raise NoLedger(
            f"The database URL {shown(url)} cannot be used: its driver is not installed.",
            remedy=f"Install it with: {install_command('postgres')}",
        ) from None
    except NoSuchModuleError:  # sqlite+something
        raise no_such_kind(url) from None
    except ArgumentError:  # sqlite://something
        raise unreadable(url) from None
    if waits is not None:
        engine.update_execution_options(**{_WAITS: waits})
    return engine


def _connect_options(url: URL, patience: float) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if sqlite_file.why_read_only(path):
            # No connection is kept, since others may begin to write to the file.
            return {"creator": lambda: sqlite_file.read_only(path), "poolclass": NullPool}
        return {"creator": lambda: sqlite_file.connect(path, patience)}
    options = {"connect_timeout": 10, "application_name": "forecasts"}
    given = {name: value for name, value in options.items() if name not in url.query}
    return {"pool_pre_ping": True, "connect_args": given}


def _require_ledger(engine: Engine, *, begin: bool, unfinished: bool, whole: bool) -> None:
    """Refuse anything that is not a ledger before writing to it."""
    where, path = place(engine), sqlite_path(engine)
    if is_embedded(engine) and (path is None or engine.url.host):
        raise NoLedger(
            f"The database URL {where!r} names no file, and a ledger needs one to last.",
            remedy=EXAMPLES,
        )
    if path is not None:
        kind = kind_of(path)
    else:
        with reported(engine), engine.connect() as connection:
            kind = kind_by_tables(inspect(connection).get_table_names())
    if kind is Kind.other:
        raise NoLedger(f"{where!r} is not a ledger, so it was left unchanged.", remedy=NAME_ANOTHER)
    if kind is Kind.damaged and whole:
        raise damaged_file(where)
    if kind is Kind.unfinished and not unfinished:
        raise NoLedger(
            f"{where!r} is an unfinished copy of a ledger.",
            remedy=Remedy(
                "Run the move again; it continues where it stopped: {}", "move", to=FILL_IN
            ),
        )
    if kind is Kind.nothing and not begin:
        raise NoLedger(
            f"There is no ledger at {where!r}.",
            remedy=(
                "Check the name.",
                Remedy("To create a ledger: {}", "ask", "QUESTION"),
                Remedy("or {};", "import", "FILE"),
                Remedy("on a server: {};", "migrate"),
                Remedy("to try one: {}", "demo"),
            ),
        )
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NoLedger(
                f"The folder of the ledger {str(path)!r} cannot be created: {error.strerror}.",
                remedy=NAME_ANOTHER,
            ) from None


def prepare_sqlite(engine: Engine) -> None:
    """Set up the connections and transactions of an SQLite ledger."""
    _prepare(engine)

    @event.listens_for(engine, "checkin")
    def _let_others_in(_connection: Any, record: Any) -> None:
        if record.info.get(ALONE):
            record.invalidate()

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        record.info[ALONE] = sqlite_file.is_alone(connection)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writes, options = _is_writing(connection), connection.get_execution_options()
        if connection.info.get(_WRITING) != writes:
            # Only on a change, since SQLite then prepares all statements again.
            connection.connection.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
            connection.connection.execute(f"PRAGMA cache_size=-{_CACHE[writes]}")
            # As a trigger may end a statement, SQLite keeps the pages that it changes. A file for
            # that takes long; memory would not do for a migration, which changes all pages.
            kept = "MEMORY" if writes and MIGRATES not in options else "DEFAULT"
            connection.connection.execute(f"PRAGMA temp_store={kept}")
            connection.info[_WRITING] = writes
        if not writes:
            connection.exec_driver_sql("BEGIN")
            return
        path = Path(str(engine.url.database))
        if isinstance(engine.pool, NullPool):
            raise sqlite_file.read_only_error(path)
        try:
            sqlite_file.take_turn(connection.connection, options.get(_WAITS, PATIENCE))
        except sqlite3.OperationalError as error:
            raise raised(connection, "BEGIN IMMEDIATE", error) from error
        if THOUGH_MOVED not in options:
            require_here(connection.connection, path, partial(head.is_forged, path))
        if (known := _facts(connection)) is not None:
            since = connection.exec_driver_sql(known.since()).all()
            if not known.follow(since, lambda: _newest(connection)):
                head.require_whole(connection)


def _prepare_server(engine: Engine) -> None:
    _prepare(engine)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # In the server's zone the first and last possible times may not exist.
        connection.execute("SET TIME ZONE 'UTC'")
        # An act must see everything committed while it waited for its turn.
        connection.execute("SET default_transaction_isolation = 'read committed'")
        connection.commit()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if not _is_writing(connection):
            return
        # In one message, since each takes time while all others wait. Statements before a BEGIN in
        # the same message are in its transaction.
        patience = connection.get_execution_options().get(_WAITS, SERVER_PATIENCE)
        turn = (
            f"SELECT set_config('lock_timeout', '{max(1, round(patience * 1000))}ms', true),"
            f" set_config('idle_in_transaction_session_timeout', '{_SILENCE}s', true),"
            f" set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock({_TURN});"
            f" SELECT {clock.server_time()}"
        )
        known = _facts(connection)
        if known is None:
            send(connection, f"{turn}; BEGIN")
            return
        answers = send(connection, f"{turn}; {known.since()}; BEGIN")
        answers.nextset()
        [connection.info[clock.TIME]] = answers.fetchone()
        answers.nextset()
        if not known.follow(answers.fetchall(), lambda: _newest(connection)):
            head.require_whole(connection)

    @event.listens_for(engine, "commit")
    def _on_commit(connection: Connection) -> None:
        """Release the turn before the act is on disk, and wait until it is.

        A commit that waits for the disk would keep the turn meanwhile. So the act's own commit does
        not wait; the message after it is a transaction that waits as the server is set to, for
        several acts at once. The log is written in order: once it has the message, it has the act
        and everything that the act may have built on.
        """
        if _is_writing(connection):
            send(connection, "COMMIT; SELECT pg_logical_emit_message(true, 'forecasts', '')")


def send(connection: Connection, statements: str) -> Any:
    """Return the driver's cursor after it has sent statements without parameters to a server.

    An error is raised as the engine would raise it, and the transaction is rolled back: the pool
    takes no connection back that is in one.
    """
    driver: Any = connection.connection
    try:
        return driver.cursor().execute(statements)
    except BaseException as error:
        is_driver_error = isinstance(error, connection.dialect.loaded_dbapi.Error)
        made = raised(connection, statements, error) if is_driver_error else error  # type: ignore[arg-type]
        if not connection.invalidated:
            driver.rollback()
        raise made from error


def _is_writing(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(_WRITING, False))


def _facts(connection: Connection) -> facts.Facts | None:
    known: facts.Facts | None = connection.get_execution_options().get(facts.FACTS)
    return known


def _newest(connection: Connection) -> Any:
    return connection.exec_driver_sql(facts.NEWEST).all()


def _prepare(engine: Engine) -> None:
    engine.update_execution_options(**{facts.FACTS: facts.Facts()})
    # On a server an act begins and ends with messages of our own.
    own = {} if is_embedded(engine) else {"isolation_level": "AUTOCOMMIT"}
    acts = engine.execution_options(**{_WRITING: True}, **own)
    engine.update_execution_options(**{ACTS: acts})

    @event.listens_for(engine, "before_cursor_execute")
    @event.listens_for(engine, "commit", insert=True)
    def _refuse_if_undone(connection: Connection, *_: Any) -> None:
        """Refuse statements after an error at which the database has rolled the act back.

        SQLite does that if its disk fails, and would store each later statement by itself. A server
        refuses statements after an error, but answers a commit as if it were one.
        """
        driver: Any = connection.connection.driver_connection
        if _is_writing(connection) and not (
            driver.in_transaction
            if is_embedded(engine)
            else driver.info.transaction_status == _IN_TRANSACTION
        ):
            raise undone(place(engine))

    @event.listens_for(engine, "before_cursor_execute")
    def _require_storable(
        _connection: Connection, _cursor: Any, _sql: str, parameters: Any, *_: Any
    ) -> None:
        """Refuse a text that PostgreSQL cannot store, in SQLite too: ledgers can be moved."""
        for row in parameters if isinstance(parameters, list) else [parameters]:
            require_storable(row.values() if isinstance(row, dict) else row)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Yield a session that sees the ledger at one moment; its writes are refused."""
    bound = (
        engine
        if is_embedded(engine)
        else engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    )
    with reported(engine), explaining(engine), Session(bound, autoflush=False) as session:
        yield session


def give_way(engine: Engine) -> None:
    """Let others write to a file between many acts in a row. A server has a queue."""
    if is_embedded(engine):
        time.sleep(BETWEEN_LOOKS[1])


class _Act(Session):
    """A session that is one transaction, and whose rows are entered in the chain."""

    def commit(self) -> None:
        raise NotImplementedError("an act is stored when it ends, and as a whole")

    def end(self) -> None:
        """Store the act, and keep its last entry outside the database."""
        self.flush()
        bound = cast("Engine", self.get_bind())
        last = append.last_of(self)
        ledger = facts.first(self) if last else ""
        try:
            super().commit()
        except DBAPIError as error:
            if is_embedded(bound) and not error.connection_invalidated:
                raise
            raise DatabaseError(
                f"The connection to the ledger at {place(bound)!r} broke while the act was being "
                "stored, so it is not known whether it was.",
                remedy="Check before you repeat it.",
            ) from error
        if last:
            head.keep(bound, ledger, *last)


@event.listens_for(_Act, "after_begin")
def _begin(session: Session, _transaction: Any, connection: Connection) -> None:
    session.info[facts.FACTS] = _facts(connection)


event.listen(_Act, "after_flush", append.enter_flushed)
event.listen(_Act, "after_rollback", append.undo)
event.listen(_Act, "after_rollback", facts.undo)


@contextmanager
def writing(
    engine: Engine, here: Callable[[], datetime] | None = None, *, patience: float | None = None
) -> Iterator[Session]:
    """Yield a session for one act: committed when the block ends, rolled back if it raises.

    ``here``: this machine's clock. With it the act has a time (``clock.act_time``), which is in its
    entries; without it, as for a copy, none. ``patience``: seconds to wait for the turn, by default
    10 in a file and 30 on a server. DatabaseError if it takes longer, and if the clock is behind
    the ledger's newest entry.
    """
    bound: Engine = engine.get_execution_options()[ACTS]
    if patience is not None:
        bound = bound.execution_options(**{_WAITS: patience})
    with reported(engine), explaining(engine), _Act(bound, expire_on_commit=False) as session:
        try:
            if here is not None:
                session.info[clock.TIME] = clock.time_of_turn(session, here)
            yield session
            session.end()
        except BaseException:
            session.rollback()
            raise
