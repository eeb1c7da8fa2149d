"""The shape that all kinds of proposals share: their subject, their material, their check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from forecasts.ledger.models import Member, ModelCall


@dataclass(frozen=True)
class Wanted:
    """A kind of proposal, and the article or the question that it is about.

    ``articles``: more of them that are sent with the question. ``at``: the time of a trial, from
    after which nothing is sent.
    """

    kind: str
    article: int = 0
    question: str = ""
    articles: tuple[int, ...] = ()
    at: datetime | None = None


class Material(NamedTuple):
    """The data of a request, and the row that they are about."""

    data: Mapping[str, Any]
    article_id: int | None = None
    about_id: int | None = None


class Checked(NamedTuple):
    """The usable proposals of an answer as they are stored, and how many parts were dropped."""

    contents: tuple[str, ...]
    misquoted: int = 0
    unusable: int = 0


@dataclass(frozen=True)
class Kind:
    """A kind of proposal: the rule for those who ask, its material, and the check of an answer.

    ``require``: raises Refused or Forbidden. ``check``: gets the call and the answer in its shape.
    """

    require: Callable[[Session, Wanted, Member, datetime], None]
    material: Callable[[Session, Wanted, datetime], Material]
    check: Callable[[Session, ModelCall, Any, datetime], Checked]
