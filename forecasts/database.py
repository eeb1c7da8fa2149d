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
from sqlmodel import Session

from forecasts.errors import DatabaseError

if TYPE_CHECKING:
    from alembic.config import Config

_WRITING = "ledger_writing"
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> Engine:
    """Return an engine for ``url``; the folder of an SQLite file is created where it is missing.

    Nothing is migrated here; see ``migrate``. DatabaseError for a URL that cannot be read.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, **_connect_options(parsed.get_backend_name()))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseError(
            f"The database URL {_shown(url)} cannot be used: {type(error).__name__}.",
            remedy="Name an SQLite file or a URL such as sqlite:////home/me/ledger.sqlite3.",
        ) from None
    except OSError as error:
        raise DatabaseError(
            f"The folder of the database {_shown(url)} cannot be created: {error.strerror}.",
            remedy="Name another place with --database or FORECASTS_DATABASE_URL.",
        ) from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


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
            f"The ledger at {engine.url!r} could not be used: {error.orig}.",
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
            f"The ledger at {engine.url!r} has schema {before}, which this release "
            f"(schema {newest}) does not know: it was written by a newer one.",
            remedy="Install that release, or name another ledger with --database. "
            "Nothing was changed.",
        )
    from alembic import command

    with _reported(engine), engine.execution_options(**{_WRITING: True}).begin() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
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
