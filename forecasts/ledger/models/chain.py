"""The entries of the chain of hashes, and removals of members."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Time


class Removal(SQLModel, table=True):
    """A member was removed at their request; placeholders replace their words.

    This row lets the triggers accept that change, for this member's words only.
    ``removed_by_id`` blank: by the owner of the database.
    """

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", unique=True)
    removed_by_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Entry(SQLModel, table=True):
    """The entry of one row of history in the chain of hashes (see ``chain``).

    ``id``: its place in the ledger's chain, from 1 without a gap. ``number``: its place in its
    question's chain, if it has a question. ``kind`` and ``row_id``: the table and id of the row.
    ``salt`` is blank if the row has no words of a person, or no longer has them.
    """

    __table_args__ = (UniqueConstraint("question_id", "number"),)

    id: int = Field(default=None, primary_key=True)
    question_id: int | None = Field(default=None, foreign_key="question.id")
    number: int | None = None
    kind: str = Field(sa_type=Text)
    row_id: int
    salt: str | None = Field(default=None, sa_type=Text)
    words_hash: str | None = Field(default=None, sa_type=Text)
    row_hash: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
