"""Alembic's environment: it runs in the transaction of ``schema.migrate``."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from forecasts.ledger.models import Ledger


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Ledger.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
