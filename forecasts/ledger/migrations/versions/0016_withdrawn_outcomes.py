"""An outcome can be withdrawn; the entries of memberships are found by row

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

from alembic import op

from forecasts.ledger.migrations.tables import definitions, make_again

revision = "0016"
down_revision = "0015"

_NAME = "ck_resolution_state_is_known"
_BEFORE = "state IN ('proposed', 'confirmed', 'rejected')"
_AFTER = "state IN ('proposed', 'confirmed', 'rejected', 'withdrawn')"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_entry_of_membership ON entry (row_id) WHERE kind = 'membership'")
    if op.get_bind().dialect.name == "sqlite":
        made = definitions()["resolution"].replace(_BEFORE, _AFTER)
        make_again({"resolution": made})
        return
    # Rows that break the constraint are kept, as in ``migrations.forms``.
    broken = op.get_bind().exec_driver_sql(f"SELECT 1 FROM resolution WHERE NOT ({_AFTER}) LIMIT 1")  # noqa: S608 a table of ours
    valid = "" if broken.first() is None else " NOT VALID"
    op.execute(
        f"ALTER TABLE resolution DROP CONSTRAINT {_NAME},"
        f" ADD CONSTRAINT {_NAME} CHECK ({_AFTER}){valid}"
    )
