"""The entries of the chain of hashes, removals of members, backups and digests."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Time, json_column, long_text


class Removal(SQLModel, table=True):
    """A member was removed at their request; placeholders replace their words.

    This row lets the triggers accept that change, for this member's words only.
    ``removed_by_id`` blank: by the owner of the database. ``erased``: the ids of the rows that lost
    their words, by table; blank for removals before schema 0012.
    """

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", unique=True)
    removed_by_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
    erased: dict[str, list[int]] | None = json_column()


class Entry(SQLModel, table=True):
    """The entry of one row of history in the chain of hashes (see ``chain``).

    ``id``: its place in the ledger's chain, from 1 without a gap. ``number``: its place in its
    question's chain, if it has a question. ``kind`` and ``row_id``: the table and id of the row.
    ``salt`` is blank once a person's words were removed, and without words in earlier releases.
    ``at``: the time of the act, never earlier than in the entry before; blank for entries of an
    older schema.
    """

    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        # The few rows whose time is asked for by row.
        Index(
            "ix_entry_of_membership",
            "row_id",
            sqlite_where=text("kind = 'membership'"),
            postgresql_where=text("kind = 'membership'"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    question_id: int | None = Field(default=None, foreign_key="question.id")
    number: int | None = None
    kind: str = Field(sa_type=Text)
    row_id: int
    salt: str | None = Field(default=None, sa_type=Text)
    words_hash: str | None = Field(default=None, sa_type=Text)
    row_hash: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
    at: datetime | None = Field(default=None, sa_type=Time)


class UpkeepAct(StrEnum):
    """An operator's routine work for a ledger."""

    backup = "backup"
    digest = "digest"


class Upkeep(SQLModel, table=True):
    """The newest backup to a file, or the newest digest sent to a target: a row each.

    It is not part of the history: each act writes its row again. ``key``: a hash of the target,
    which may be secret; ``place``: the part of it that may be shown. ``digest`` and ``done_at``: of
    the last success. ``reason``: why the newest attempt, at ``tried_at``, failed; blank if not.
    """

    id: int = Field(default=None, primary_key=True)
    key: str = Field(sa_type=Text, unique=True)
    act: UpkeepAct = Field(sa_type=Text)
    place: str = Field(sa_type=Text)
    digest: str = long_text()
    done_at: datetime | None = Field(default=None, sa_type=Time)
    tried_at: datetime = Field(sa_type=Time)
    reason: str = long_text()
