"""The schema of a ledger: which revision it has, and how it is migrated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from forecasts.common.errors import DatabaseError
from forecasts.ledger.urls import (
    place,
)

if TYPE_CHECKING:
    from alembic.config import Config


_MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Migrated:
    """What ``migrate`` did: from which schema revision (None: an empty database) to which."""

    before: str | None
    after: str


def require_known(engine: Engine, revision: str | None) -> None:
    """Refuse, with DatabaseError, a schema that a newer release wrote."""
    if revision is not None and revision not in _revisions():
        raise DatabaseError(
            f"The ledger at {place(engine)!r} has schema {revision}, which this release "
            f"(schema {newest_revision()}) does not know: it was written by a newer one.",
            remedy="Install that release, or name another ledger with --database. "
            "Nothing was changed.",
        )


def newest_revision() -> str:
    """Return the schema revision that this release works with."""
    return _revisions()[-1]


def _revisions() -> list[str]:
    """Return every schema revision that this release knows, the newest last.

    They are the numbers that the migrations' file names begin with. Alembic itself is loaded
    only to migrate: a command that finds the schema up to date should not wait for it.
    """
    return sorted(path.name.split("_")[0] for path in (_MIGRATIONS / "versions").glob("0*.py"))


def alembic_config() -> Config:
    """Return the settings with which Alembic finds the migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
