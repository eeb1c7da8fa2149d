"""The ledger's database: how it is opened, what a transaction is, how its schema moves on.

Two doors, and no third: ``reading`` for what only looks, ``writing`` for one act. An act is one
transaction: it is committed when the block ends and rolled back when it raises, so nothing is
acknowledged that is not stored.

SQLite: a ``writing`` block begins with BEGIN IMMEDIATE. With SQLite's deferred transactions two
writers can both read and then both fail to write; taking the write lock first makes the second
one wait instead. ``synchronous=FULL`` because an acknowledged forecast must survive a power cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import DatabaseError as DriverError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from forecasts.errors import DatabaseError, NoLedger
from forecasts.ledger_file import Kind, kind_of

if TYPE_CHECKING:
    from alembic.config import Config

_WRITING = "ledger_writing"
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str, *, begin: bool = True) -> Engine:
    """Return an engine for ``url``.

    With ``begin`` a ledger that is not there yet may be begun: the folder of its SQLite file is
    created where it is missing. Nothing is migrated here; see ``migrate``. NoLedger for a URL that
    cannot be read, for a file that is something else, and without ``begin`` for what is not there;
    whatever is there is left as it is.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, **_connect_options(parsed.get_backend_name()))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        reason = (
            f"the driver {error.name} is not installed"
            if isinstance(error, ModuleNotFoundError)
            else "there is no such kind of database"
        )
        raise NoLedger(
            f"The database URL {_shown(url)} cannot be used: {reason}.",
            remedy="Name an SQLite file or a URL such as sqlite:////home/me/ledger.sqlite3.",
        ) from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
        _look_at(engine, begin=begin)
    elif not begin and schema_revision(engine) is None:
        raise _nothing_there(place(engine))
    return engine


def empty_ledger() -> Engine:
    """Return an engine on an empty ledger in memory, to be read where there is none yet.

    It takes nothing: what somebody writes must not be lost.
    """
    engine = create_engine("sqlite://", poolclass=StaticPool)
    _prepare_sqlite(engine)
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    return engine


def sqlite_path(engine: Engine) -> Path | None:
    """Return the file of an SQLite ledger; None for one in memory or on a server."""
    name = engine.url.database
    in_memory = name in (None, "", ":memory:") or "uri" in engine.url.query
    return None if engine.dialect.name != "sqlite" or in_memory else Path(str(name))


def place(engine: Engine) -> str:
    """Return where the ledger is, to be shown: its file, or its URL without the password."""
    path = sqlite_path(engine)
    return engine.url.render_as_string(hide_password=True) if path is None else str(path)


def _look_at(engine: Engine, *, begin: bool) -> None:
    """Refuse to open what is no ledger, before anything is written to it."""
    path = sqlite_path(engine)
    if path is None or engine.url.host:
        raise NoLedger(
            f"The database URL {place(engine)!r} names no file, and a ledger needs one to last.",
            remedy="Name an SQLite file or a URL such as sqlite:////home/me/ledger.sqlite3.",
        )
    kind = kind_of(path)
    if kind is Kind.other:
        raise NoLedger(
            f"{str(path)!r} is not a ledger, so it was left as it is.",
            remedy="Name another file with --database or FORECASTS_DATABASE_URL.",
        )
    if kind is Kind.nothing and not begin:
        raise _nothing_there(str(path))
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
        "forecasts import; one to look at with: forecasts demo.",
    )


def _shown(url: str) -> str:
    """Return the URL without its password, to be shown."""
    try:
        return repr(make_url(url).render_as_string(hide_password=True))
    except ArgumentError:
        return "that was given"


def _connect_options(backend: str) -> dict[str, Any]:
    return {"connect_args": {"timeout": 10}} if backend == "sqlite" else {"pool_pre_ping": True}


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Yield a session that sees one moment of the ledger; whatever it would write is dropped."""
    with _reported(engine), Session(engine, autoflush=False) as session:
        yield session


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Yield a session for one act: committed at the end of the block, undone if it raises."""
    bound = engine.execution_options(**{_WRITING: True})
    with _reported(engine), Session(bound, expire_on_commit=False) as session:
        yield session
        session.commit()


@contextmanager
def _reported(engine: Engine) -> Iterator[None]:
    """Turn the driver's 'cannot' into a sentence with a remedy."""
    try:
        yield
    except DBAPIError as error:
        # A file that is no database raises the general class, and what breaks a rule of the
        # schema a special one, which is the verb's to explain.
        if not isinstance(error, OperationalError) and type(error) is not DriverError:
            raise
        raise DatabaseError(
            f"The ledger at {place(engine)!r} could not be used: {error.orig}.",
            remedy="Nothing was written. Check that it is there, not full and not locked, "
            "and try again.",
        ) from error


@dataclass(frozen=True)
class Migrated:
    """What ``migrate`` did: from which schema revision (None: an empty database) to which."""

    before: str | None
    after: str


def migrate(engine: Engine) -> Migrated | None:
    """Bring the schema to the newest revision; return what was done, None if nothing was.

    DatabaseError when the database was written by a newer release: it is left as it is.
    """
    before = schema_revision(engine)
    known = _revisions()
    newest = known[-1]
    if before == newest:
        return None
    if before is not None and before not in known:
        raise DatabaseError(
            f"The ledger at {place(engine)!r} has schema {before}, which this release "
            f"(schema {newest}) does not know: it was written by a newer one.",
            remedy="Install that release, or name another ledger with --database. "
            "Nothing was changed.",
        )
    from alembic import command

    with _reported(engine), engine.execution_options(**{_WRITING: True}).begin() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, newest)
    return Migrated(before, newest)


def schema_revision(engine: Engine) -> str | None:
    """Return the revision that the database's schema has; None for an empty database."""
    with _reported(engine), engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def _revisions() -> list[str]:
    """Return every schema revision that this release knows, the newest last.

    They are the numbers that the migrations' file names begin with. Alembic itself is loaded
    only to migrate: a command that finds the schema up to date should not wait for it.
    """
    return sorted(path.name.split("_")[0] for path in (_MIGRATIONS / "versions").glob("0*.py"))


def _alembic() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
