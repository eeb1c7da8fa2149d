"""Import keys are unique by an index, which a large import makes at its end

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import re

from alembic import op

from forecasts.ledger.migrations.tables import definitions, make_again

revision = "0015"
down_revision = "0014"

_NAME = "uq_forecast_import_key"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_NAME, "forecast", type_="unique")
    else:
        # SQLite cannot drop the index of a constraint.
        constraint = rf",\s*CONSTRAINT {_NAME} UNIQUE \(import_key\)"
        make_again({"forecast": re.sub(constraint, "", definitions()["forecast"])})
    op.create_index(_NAME, "forecast", ["import_key"], unique=True)
