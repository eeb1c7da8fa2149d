"""Origins and printed scores of other platforms, the salt of aliases, questions told apart

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from forecasts.ledger.migrations.forms import add_forms
from forecasts.ledger.migrations.guards import guard
from forecasts.ledger.migrations.tables import columns

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "question_origin",
        *columns(
            "question_id -> question, platform text, platform_id text, url text, recorded_at time"
        ),
        sa.UniqueConstraint("question_id", "platform"),
        sa.Index("ix_question_origin_platform", "platform", "platform_id"),
    )
    op.create_table(
        "printed_score",
        *columns(
            "question_id -> question, member_id -> member index, platform text, name text, "
            "score float, coverage float?, recorded_at time"
        ),
        sa.Index("ix_printed_score_question_id", "question_id", "member_id"),
    )
    op.create_table("alias_salt", *columns("salt text, recorded_at time"))
    op.create_table(
        "distinct_pair",
        *columns(
            "question_id -> question, other_id -> question, apart boolean, member_id -> member, "
            "recorded_at time"
        ),
        sa.CheckConstraint("question_id < other_id", name="ids_in_order"),
        sa.Index("ix_distinct_pair_question_id", "question_id", "other_id", "id"),
    )
    guard("question_origin", ["(question_id = NEW.question_id AND platform = NEW.platform)"])
    guard("printed_score")
    guard("alias_salt")
    add_forms({})
