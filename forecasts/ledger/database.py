"""The ledger's database: how it is opened, what a transaction is, how its schema moves on.

Two doors, and no third: ``reading`` for what only looks, ``writing`` for one act. An act is one
transaction: it is committed when the block ends and rolled back when it raises, so nothing is
acknowledged that is not stored. A ``reading`` block sees one moment, and the database refuses
whatever it would write.

One act at a time, in both databases: what a verb has checked still holds when it writes, and rows
are numbered in the order in which they become visible, so that a later number is a later word.

All wait while one writes, so an act is quick: what verbs read before they write is known from
before, as far as no entry of the chain says otherwise (see ``following``), and a forecast is put
into its table by the shortest way (``short_insert``).

SQLite: a ``writing`` block begins with BEGIN IMMEDIATE. With SQLite's deferred transactions two
writers can both read and then both fail to write; taking the write lock first makes the second
one wait instead. ``synchronous=FULL`` because an acknowledged forecast must survive a power cut.

PostgreSQL: a ``writing`` block first takes one advisory lock of the database, and reads what is
committed from then on (READ COMMITTED, where each statement sees whatever was committed before
it; a snapshot would be as old as the wait for the lock). Readers (REPEATABLE READ) never wait and
are never waited for. Not SERIALIZABLE: an act that is refused for the sake of another would have to
be done again, a page's included, and numbers would not follow the order of commits. Not a lock a
question: an import spans many, and articles, members and evidence belong to none. The lock
is given on before the act is on the disk, and the act acknowledged after that (``_on_commit``), so
that many acts share one wait for the disk: rows become visible in their order, a little before they
are safe from a power cut, and whatever is acknowledged is safe with all that came before it.

An embedded ledger is migrated by whoever opens it; one on a server has many users, so its schema
moves on only when somebody says so (``forecasts migrate``).
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from forecasts.common.errors import DatabaseError, NoLedger
from forecasts.common.text import require_storable
from forecasts.ledger import chain, deferred, following
from forecasts.ledger.driver_errors import explained, raised, undone
from forecasts.ledger.short_insert import taken_along
from forecasts.ledger.sqlite_file import Kind, kind_by_tables, kind_of
from forecasts.ledger.urls import (
    EXAMPLES,
    is_embedded,
    no_such_kind,
    place,
    read_url,
    shown,
    sqlite_path,
    unreadable,
)

if TYPE_CHECKING:
    pass

from forecasts.ledger.schema import Migrated, alembic_config, newest_revision, require_known

_WRITING = "ledger_writing"

_ACTS = "ledger_acts"  # the engine for acts, among the options of the one for the rest

_WAITS = "ledger_waits"

_PATIENCE = 10  # seconds to wait for whoever is writing to a file

_BETWEEN_TRIES = 0.05  # seconds, where SQLite does not wait by itself

_BETWEEN_LOOKS = (0.001, 0.012)  # seconds, while somebody writes to a file

_SERVER_PATIENCE = 30  # and to one on a server, where many do

_SILENCE = 300  # seconds after which a server takes the turn from a writer who has gone

_IN_IT = 2  # a transaction's status where statements can follow, as libpq has it

_TURN = 0x466F7265636173  # the advisory lock that a writer holds: "Forecas" in ASCII


def open_engine(url: str, *, begin: bool = True, unfinished: bool = False) -> Engine:
    """Return an engine for ``url``.

    With ``begin`` a ledger that is not there yet may be begun: the folder of its SQLite file is
    created where it is missing. Nothing is migrated here; see ``make_ready``. NoLedger for a URL
    that cannot be read, for what is something else, unless ``unfinished`` for a copy that is not
    finished, and without ``begin`` for what is not there; whatever is there is left as it is.
    DatabaseError for a server that is not reached, NotAdmitted for one that lets nobody in.
    """
    engine = _engine(url)
    try:
        if is_embedded(engine):
            _prepare_sqlite(engine)
        else:
            _prepare_server(engine)
        _look_at(engine, begin=begin, unfinished=unfinished)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _engine(url: str) -> Engine:
    parsed = read_url(url)
    try:
        return create_engine(parsed, **_connect_options(parsed))
    except ImportError:
        raise NoLedger(
            f"The database URL {shown(url)} cannot be used: the driver for it is not installed.",
            remedy='Install it with: pip install "forecast-ledger[postgres]"',
        ) from None
    except NoSuchModuleError:  # sqlite+something
        raise no_such_kind(url) from None
    except ArgumentError:  # sqlite://something
        raise unreadable(url) from None


def empty_ledger() -> Engine:
    """Return an engine on an empty ledger in memory, to be read where there is none yet.

    It takes nothing: what somebody writes must not be lost.
    """
    engine = create_engine("sqlite://", poolclass=StaticPool)
    _prepare_sqlite(engine)
    migrate(engine)

    @event.listens_for(engine, "begin")
    def _take_nothing(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only=ON")

    return engine


def _look_at(engine: Engine, *, begin: bool, unfinished: bool) -> None:
    """Refuse to open what is no ledger, before anything is written to it."""
    where, path = place(engine), sqlite_path(engine)
    if is_embedded(engine) and (path is None or engine.url.host):
        raise NoLedger(
            f"The database URL {where!r} names no file, and a ledger needs one to last.",
            remedy=EXAMPLES,
        )
    kind = _kind_on_server(engine) if path is None else kind_of(path)
    if kind is Kind.other:
        raise NoLedger(
            f"{where!r} is not a ledger, so it was left as it is.",
            remedy="Name another with --database or FORECASTS_DATABASE_URL.",
        )
    if kind is Kind.unfinished and not unfinished:
        raise NoLedger(
            f"{where!r} is a copy of a ledger that was not finished.",
            remedy="Run the command again that began it: forecasts move --to … goes on where it "
            "stopped.",
        )
    if kind is Kind.nothing and not begin:
        raise _nothing_there(where)
    if path is not None:
        _make_folder(path)


def _kind_on_server(engine: Engine) -> Kind:
    with _reported(engine), engine.connect() as connection:
        return kind_by_tables(inspect(connection).get_table_names())


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoLedger(
            f"The folder of the ledger {str(path)!r} cannot be created: {error.strerror}.",
            remedy="Name another place with --database or FORECASTS_DATABASE_URL.",
        ) from None


def _nothing_there(where: str) -> NoLedger:
    return NoLedger(
        f"There is no ledger at {where!r}.",
        remedy="Check the name. A ledger is begun with: forecasts ask, forecasts capture or "
        "forecasts import (on a server with: forecasts migrate); one to look at with: "
        "forecasts demo.",
    )


def _connect_options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": _PATIENCE}}
    options = {"connect_timeout": 10, "application_name": "forecasts"}
    given = {name: value for name, value in options.items() if name not in url.query}
    return {"pool_pre_ping": True, "connect_args": given}


def _prepare_sqlite(engine: Engine) -> None:
    _prepare(engine)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        _set_wal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writing = _is_writing(connection)
        if connection.info.get(_WRITING) != writing:
            # Only where it changes: SQLite forgets at that how every statement is carried out.
            connection.connection.execute(f"PRAGMA query_only={'OFF' if writing else 'ON'}")
            connection.info[_WRITING] = writing
        if not writing:
            connection.exec_driver_sql("BEGIN")
            return
        _take_turn(connection)
        if (followed := _followed(connection)) is not None:
            _follow(followed, connection, _read(connection, followed.since()))


def _take_turn(connection: Connection) -> None:
    """Begin to write when nobody else does.

    SQLite itself would look again after ever longer pauses: then the turn is free for most of the
    time while all wait, and who has waited longest is the least likely to get it. Short pauses of
    random length are fair enough: each who waits is as likely to be next as any other.
    """
    driver = connection.connection
    until = time.monotonic() + connection.get_execution_options().get(_WAITS, _PATIENCE)
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() >= until:
                    raise raised(connection, "BEGIN IMMEDIATE", error) from error
            time.sleep(random.uniform(*_BETWEEN_LOOKS))  # noqa: S311 a pause, no secret
    finally:
        driver.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000:.0f}")


def _read(connection: Connection, statement: str) -> list[Any]:
    """Return the rows of a statement without parameters, by the shortest way."""
    try:
        found: list[Any] = connection.connection.execute(statement).fetchall()
    except sqlite3.Error as error:
        raise raised(connection, statement, error) from error
    return found


def _set_wal(connection: sqlite3.Connection) -> None:
    """Set the journal, waiting for others who do.

    SQLite itself does not wait where two switch a new file at once: each could wait for the other.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= until:
                raise
        time.sleep(_BETWEEN_TRIES)


def _prepare_server(engine: Engine) -> None:
    _prepare(engine)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # Else times come in the server's zone, in which the first and last of them may not exist.
        connection.execute("SET TIME ZONE 'UTC'")
        # An act has to see what was committed while it waited for its turn.
        connection.execute("SET default_transaction_isolation = 'read committed'")
        connection.commit()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if not _is_writing(connection):
            return
        taken_along(connection)  # of an act that came to nothing
        # At once: each message to the server takes its time, and who is next waits for all of them.
        # What comes before a BEGIN in one message is in its transaction.
        patience = connection.get_execution_options().get(_WAITS, _SERVER_PATIENCE)
        turn = (
            f"SELECT set_config('lock_timeout', '{max(1, round(patience * 1000))}ms', true),"
            f" set_config('idle_in_transaction_session_timeout', '{_SILENCE}s', true),"
            f" set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock({_TURN})"
        )
        followed = _followed(connection)
        if followed is None:
            _send(connection, f"{turn}; BEGIN")
            return
        first = deferred.sent_with_turn(connection)
        answers = _send(connection, f"{turn}; {followed.since()}; BEGIN; {first}")
        answers.nextset()
        since = answers.fetchall()
        if first:
            answers.nextset()
            answers.nextset()
            deferred.answered(connection, answers.fetchone()[0])
        _follow(followed, connection, since)

    @event.listens_for(engine, "commit")
    def _on_commit(connection: Connection) -> None:
        """Give the turn away before the act is on the disk, and wait until it is.

        A commit that waits for the disk holds the turn meanwhile, and each who comes next waits for
        all before. So the act commits without; the message behind it is a transaction that waits as
        the server is set to, for several acts at once. The log is written from its beginning on:
        once it holds the message, it holds the act, and all acts that this one may have built on.
        """
        if _is_writing(connection):
            _send(
                connection,
                f"{taken_along(connection)} COMMIT;"
                " SELECT pg_logical_emit_message(true, 'forecasts', '')",
            )


def _send(connection: Connection, statements: str) -> Any:
    """Return the driver's cursor with a server's answers to statements without parameters.

    By the shortest way; what the driver refuses is raised as the engine would, and a transaction
    that has begun is undone: the pool takes back no connection that is in one.
    """
    driver: Any = connection.connection
    try:
        return driver.cursor().execute(statements)
    except BaseException as error:
        wrong = isinstance(error, connection.dialect.loaded_dbapi.Error)
        made = raised(connection, statements, error) if wrong else error  # type: ignore[arg-type]
        if not connection.invalidated:
            driver.rollback()
        raise made from error


def _is_writing(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(_WRITING, False))


def _followed(connection: Connection) -> following.Followed | None:
    followed: following.Followed | None = connection.get_execution_options().get(following.FOLLOWED)
    return followed


def _follow(
    followed: following.Followed, connection: Connection, since: Sequence[following.Seen]
) -> None:
    followed.follow(since, lambda: connection.exec_driver_sql(following.NEWEST).all())


def _prepare(engine: Engine) -> None:
    engine.update_execution_options(**{following.FOLLOWED: following.Followed()})
    # On a server an act begins and ends with messages of our own. Made once: it takes as long as a
    # statement does.
    own = {} if is_embedded(engine) else {"isolation_level": "AUTOCOMMIT"}
    acts = engine.execution_options(**{_WRITING: True}, **own)
    engine.update_execution_options(**{_ACTS: acts})
    _refuse_what_no_text_is(engine)
    _refuse_to_go_on_alone(engine)


def _refuse_to_go_on_alone(engine: Engine) -> None:
    """Refuse what an act does after an error at which the database has undone it.

    SQLite undoes a transaction by itself where its disk fails, and every statement after that would
    be stored by itself. A server takes none after an error, and says of a commit that it was one.
    """

    @event.listens_for(engine, "before_cursor_execute")
    @event.listens_for(engine, "commit", insert=True)
    def _look(connection: Connection, *_: Any) -> None:
        driver: Any = connection.connection.driver_connection
        if _is_writing(connection) and not (
            driver.in_transaction
            if is_embedded(engine)
            else driver.info.transaction_status == _IN_IT
        ):
            raise undone(place(engine))


def _refuse_what_no_text_is(engine: Engine) -> None:
    """Refuse a text that PostgreSQL cannot store, in SQLite too: a ledger must be able to move."""

    @event.listens_for(engine, "before_cursor_execute")
    def _look(
        _connection: Connection,
        _cursor: Any,
        _statement: str,
        parameters: Any,
        _context: Any,
        _many: bool,
    ) -> None:
        # Many rows come as a list; one row can be told to be many, and is none.
        for row in parameters if isinstance(parameters, list) else [parameters]:
            require_storable(row.values() if isinstance(row, dict) else row)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Yield a session that sees one moment of the ledger; whatever it would write is refused."""
    bound = (
        engine
        if is_embedded(engine)
        else engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    )
    with _reported(engine), Session(bound, autoflush=False) as session:
        yield session


def give_way(engine: Engine) -> None:
    """Let whoever waits to write to a file have their turn, between many acts in a row.

    Else who has just written would be the first to ask again, over and over. A server has a queue.
    """
    if is_embedded(engine):
        time.sleep(_BETWEEN_LOOKS[1])


class _Act(Session):
    """A session that is one transaction, and whose rows are sealed when it ends.

    Rows wait for its turn to write (``deferred``), and are there for whatever it asks.
    """

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        deferred.write(self)
        if self.new or self.dirty or self.deleted:
            self.connection()
        super().flush(objects)

    def connection(self, *given: Any, **named: Any) -> Connection:
        """Begin the act's turn, if it has not; what was checked before it is checked again."""
        deferred.write(self)
        connection = super().connection(*given, **named)
        following.check_again(self)
        return connection

    def rollback(self) -> None:
        deferred.drop(self)
        super().rollback()

    def commit(self) -> None:
        raise NotImplementedError("an act is stored when it ends, and as a whole")

    def end(self) -> None:
        """Store the act."""
        self.flush()
        deferred.require_whole(self)
        chain.seal(self, ends=True)
        try:
            super().commit()
        except DBAPIError as error:
            bound = cast("Engine", self.get_bind())
            if is_embedded(bound) and not error.connection_invalidated:
                raise
            raise DatabaseError(
                f"The connection to the ledger at {place(bound)!r} broke while the act was being "
                "stored, so it is not known whether it was.",
                remedy="Look before you do it again.",
            ) from error


@event.listens_for(_Act, "do_orm_execute")
def _begin_its_turn(asks: ORMExecuteState) -> None:
    asks.session.connection()


event.listen(_Act, "after_begin", following.begin)

event.listen(_Act, "after_flush", chain.note_new)

event.listen(_Act, "after_rollback", chain.note_nothing)

event.listen(_Act, "after_rollback", following.undo)


@contextmanager
def writing(engine: Engine, *, patience: float | None = None) -> Iterator[Session]:
    """Yield a session for one act: committed at the end of the block, undone if it raises.

    What it has written to history is entered in the chain first (see ``chain``). Its turn begins
    with its first statement, when whoever writes at the moment is done; DatabaseError where that
    takes too long: a person is told soon, and what nobody waits for may have the ``patience`` of so
    many seconds. Until then verbs can check what they know from before (see ``following``).
    """
    bound: Engine = engine.get_execution_options()[_ACTS]
    if patience is not None:
        bound = bound.execution_options(**{_WAITS: patience})
    with _reported(engine), _Act(bound, expire_on_commit=False) as session:
        following.before_turn(session, bound.get_execution_options()[following.FOLLOWED])
        try:
            yield session
            session.end()
        except BaseException:
            session.rollback()
            raise


@contextmanager
def _reported(engine: Engine) -> Iterator[None]:
    """Turn the driver's 'cannot' into a sentence with a remedy."""
    try:
        yield
    except DBAPIError as error:
        found = explained(error, place(engine))
        if found is None:
            raise
        raise found from error
    except PoolTimeout as error:
        raise DatabaseError(
            f"The ledger at {place(engine)!r} could not be used: too many are waiting for it.",
            remedy="Nothing was written. Try again in a moment.",
        ) from error


def make_ready(engine: Engine) -> Migrated | None:
    """Return what was done to an embedded ledger so that this release can use it; None: nothing.

    On a server nothing is done: NoLedger where there is none yet, DatabaseError for a schema other
    than this release's.
    """
    if is_embedded(engine):
        return migrate(engine)
    require_ready(engine)
    return None


def require_ready(engine: Engine) -> None:
    """Refuse a ledger that this release cannot use as it is; nothing is done to it."""
    revision, newest = schema_revision(engine), newest_revision()
    if revision is None:
        raise NoLedger(
            f"There is no ledger at {place(engine)!r} yet.",
            remedy="Begin it with: forecasts migrate",
        )
    require_known(engine, revision)
    if revision != newest:
        raise DatabaseError(
            f"The ledger at {place(engine)!r} has schema {revision}, and this release needs "
            f"{newest}.",
            remedy="Tell its users, and bring it up to date with: forecasts migrate"
            if not is_embedded(engine)
            else "It was left as it is. Bring it up to date with: forecasts migrate",
        )


def migrate(engine: Engine) -> Migrated | None:
    """Bring the schema to the newest revision; return what was done, None if nothing was.

    Several may do so at once: one does, the others wait and find it done. DatabaseError when the
    database was written by a newer release: it is left as it is.
    """
    newest = newest_revision()
    if schema_revision(engine) == newest:
        return None
    alone = engine.get_execution_options()[_ACTS].execution_options(**{following.FOLLOWED: None})
    with _reported(engine), alone.begin() as connection:
        before = _revision(connection)
        require_known(engine, before)
        if before == newest:
            return None
        from alembic import command

        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, newest)
    return Migrated(before, newest)


def schema_revision(engine: Engine) -> str | None:
    """Return the revision that the database's schema has; None for an empty database."""
    with _reported(engine), engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
