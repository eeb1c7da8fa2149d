"""Captured articles."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from forecasts.common.vocabulary import DIGEST_ADDRESS
from forecasts.ledger.models.columns import Time, long_text


class Article(SQLModel, table=True):
    """A captured article. ``content_hash`` is unique: the same article is stored once."""

    id: int = Field(default=None, primary_key=True)
    content_hash: str = Field(unique=True)
    url: str | None = Field(default=None, index=True)
    title: str
    publisher: str | None = None
    author: str | None = None
    published_at: datetime | None = Field(default=None, sa_type=Time)
    captured_at: datetime = Field(sa_type=Time)
    member_id: int | None = Field(default=None, foreign_key="member.id")
    text: str = long_text()

    @property
    def address(self) -> str:
        """The article's name in folders and citations: its URL, or its content hash."""
        return self.url or f"{DIGEST_ADDRESS}{self.content_hash}"
