"""The schema of a ledger: its revision, and its migration.

An embedded ledger is migrated when it is opened. One on a server has many users, so its schema only
changes when someone runs ``forecasts migrate``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from forecasts.common.errors import DatabaseError, NoLedger, Remedy
from forecasts.ledger import current_forecasts
from forecasts.ledger.append import enter_found
from forecasts.ledger.chain import ENTERED_SINCE
from forecasts.ledger.database import ACTS, MIGRATES, prepare_sqlite
from forecasts.ledger.driver_errors import is_of_the_schema, reported
from forecasts.ledger.facts import FACTS
from forecasts.ledger.moved import THOUGH_MOVED
from forecasts.ledger.raw_rows import reason
from forecasts.ledger.urls import is_embedded, place

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
# The revisions of development versions, which the first schema replaces.
_REPLACED = tuple(f"{number:04}" for number in range(1, 10))


@dataclass(frozen=True)
class Migrated:
    """The schema revision before a migration (None: an empty database) and after it."""

    before: str | None
    after: str


def make_ready(engine: Engine) -> Migrated | None:
    """Return how an embedded ledger was migrated to this release's schema; None if it was not.

    On a server nothing is changed: NoLedger if there is none yet, DatabaseError if its schema is
    not this release's.
    """
    if is_embedded(engine):
        return migrate(engine)
    require_ready(engine)
    return None


def require_ready(engine: Engine) -> None:
    """Refuse a ledger that this release cannot use as it is; nothing is changed."""
    revision, newest = schema_revision(engine), newest_revision()
    if revision is None:
        raise NoLedger(
            f"There is no ledger at {place(engine)!r} yet.",
            remedy=Remedy("To create it: {}", "migrate"),
        )
    require_known(engine, revision)
    if revision != newest:
        raise DatabaseError(
            f"The ledger at {place(engine)!r} has schema {revision}, and this release needs "
            f"{newest}.",
            remedy=Remedy("It was not changed. Bring it up to date: {}", "migrate"),
        )


def migrate(engine: Engine) -> Migrated | None:
    """Bring the schema to the newest revision; return None if it had that already.

    If several processes do so at once, one migrates, and the others wait and find it done.
    DatabaseError for a schema that this release does not know; it is left unchanged.
    """
    newest = newest_revision()
    if schema_revision(engine) == newest:
        return None
    # Without facts: a new database has no entries to read them from. One that was moved away is
    # migrated too, to be read.
    options = {FACTS: None, THOUGH_MOVED: True, MIGRATES: True}
    acts = engine.get_execution_options()[ACTS].execution_options(**options)
    with reported(engine), _migrating(acts) as connection:
        before = _revision(connection)
        require_known(engine, before)
        if before == newest:
            return None
        from alembic import command  # takes longer to load than most commands take

        config = alembic_config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, newest)
        except DBAPIError as error:
            if not is_of_the_schema(error):
                raise
            raise DatabaseError(
                f"The ledger at {place(engine)!r} says in its table alembic_version that it has "
                f"schema {before}, but its tables are not of that schema: {reason(error)}.",
                remedy=(
                    Remedy(
                        "Nothing was changed. Someone altered it: restore the newest backup ({}),",
                        "restore",
                        "FILE",
                    ),
                    Remedy("or put the right number back and check it: {}", "verify"),
                ),
            ) from error
        if before is not None:
            kinds = [kind for since, kinds in ENTERED_SINCE for kind in kinds if before < since]
            enter_found(connection, kinds)
            current_forecasts.rebuild(connection)
    return Migrated(before, newest)


@contextmanager
def _migrating(acts: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction; in a file, tables can be made again in it."""
    with acts.connect() as connection:
        driver, in_file = connection.connection, connection.dialect.name == "sqlite"
        if in_file:  # outside the transaction, where alone it has an effect
            driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
        finally:
            if in_file:
                driver.execute("PRAGMA foreign_keys = ON")


def empty_ledger() -> Engine:
    """Return an engine on an empty ledger in memory, to read where there is no ledger yet.

    It refuses writes, which would be lost.
    """
    engine = create_engine("sqlite://", poolclass=StaticPool)
    prepare_sqlite(engine)
    migrate(engine)

    @event.listens_for(engine, "begin")
    def _refuse_writes(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only=ON")

    return engine


def schema_revision(engine: Engine) -> str | None:
    """Return the revision of the database's schema; None for an empty database."""
    with reported(engine), engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def require_known(engine: Engine, revision: str | None) -> None:
    """Refuse, with DatabaseError, a schema that this release cannot migrate."""
    if revision in _REPLACED:
        raise DatabaseError(
            f"The ledger at {place(engine)!r} has schema {revision}, of a version before the first "
            f"release; this release can open schema {newest_revision()}.",
            remedy=(
                Remedy(
                    "With the version that made it, write it to a folder: {}.", "export", "FOLDER"
                ),
                Remedy("Then read that here: {}.", "import", "FOLDER"),
                "Nothing was changed.",
            ),
        )
    if revision is not None and revision not in revisions():
        raise DatabaseError(
            f"The ledger at {place(engine)!r} has schema {revision}, which this release "
            f"(schema {newest_revision()}) does not know: a newer release wrote it.",
            remedy=(
                Remedy("Install that release, or name another ledger with {}.", "", database="URL"),
                "Nothing was changed.",
            ),
        )


def newest_revision() -> str:
    """Return the schema revision that this release works with."""
    return revisions()[-1]


def revisions() -> list[str]:
    """Return every schema revision that this release can migrate, the newest last.

    They are the numbers in the migrations' file names. Alembic takes long to load, so a command on
    an up-to-date ledger does without it.
    """
    return sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("0*.py"))


def alembic_config() -> Config:
    """Return the settings with which Alembic finds the migrations."""
    from alembic.config import Config  # takes longer to load than most commands take

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
