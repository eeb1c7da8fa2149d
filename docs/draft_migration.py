"""Draft a migration from the models: ``make migration MESSAGE="add a column"``.

It compares a new ledger in memory with the models and writes a script with the next number to
forecasts/ledger/migrations/versions. Triggers and CHECK constraints are not found this way.
"""

from __future__ import annotations

import sys

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from forecasts.ledger.schema import alembic_config, newest_revision


def main(message: str) -> None:
    """Write the script and print where it is."""
    config = alembic_config()
    with create_engine("sqlite://", poolclass=StaticPool).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        number = f"{int(newest_revision()) + 1:04}"
        command.revision(config, message, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit('Describe the migration: make migration MESSAGE="add a column"')
    main(sys.argv[1])
