"""The chain of hashes, and what was removed on request."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Time


class Removal(SQLModel, table=True):
    """That a member asked to be forgotten, and was: what they wrote has given way to tombstones.

    From here on, and for this member's words alone, the triggers let that happen.
    ``removed_by_id`` blank: the owner of the ledger's database did it.
    """

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", unique=True)
    removed_by_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Entry(SQLModel, table=True):
    """One row of history in the chain of hashes; ``chain`` says what is hashed, and how.

    ``id``: its place in the ledger's chain, from 1 without a gap. ``number``: its place in the
    chain of its question, where it belongs to one. ``kind`` and ``row_id``: the table and the row
    that it speaks of. ``salt`` is blank where that row has no words of a person, or no longer.
    """

    __table_args__ = (UniqueConstraint("question_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    question_id: int | None = Field(default=None, foreign_key="question.id")
    number: int | None = None
    kind: str = Field(sa_type=Text)
    row_id: int
    salt: str | None = Field(default=None, sa_type=Text)
    words_hash: str | None = Field(default=None, sa_type=Text)
    row_hash: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
