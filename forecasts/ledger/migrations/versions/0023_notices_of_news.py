"""Notices of news

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

from alembic import op

from forecasts.ledger.migrations.tables import definitions, make_again

revision = "0023"
down_revision = "0022"

_NAME = op.f("ck_notice_event_is_known")
_BEFORE = "'stale', 'closed'"
_AFTER = "'stale', 'news', 'closed'"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(_NAME, "notice", type_="check")
        op.create_check_constraint(
            _NAME,
            "notice",
            "event IN ('resolved', 'decision', 'disputed', 'parked', 'awaiting', 'closing', "
            f"{_AFTER})",
        )
    else:
        make_again({"notice": definitions()["notice"].replace(_BEFORE, _AFTER)})
