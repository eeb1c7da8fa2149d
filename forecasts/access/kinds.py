"""The kinds of members, the owners of bots, and the members that a crowd counts.

A crowd counts people, bots (services among them) or both, and the bots of one owner as one: an
owner could otherwise outvote everyone with a hundred copies. A person who has not forecast an open
question is shown a crowd of people, unless they choose otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import and_, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from forecasts.access.visibility import forecaster_handles, reader_id
from forecasts.ledger.current import newest_owners
from forecasts.ledger.models import BotOwner, Member, MemberKind

CrowdOf = Literal["people", "bots", "both"]
CROWD_OF: dict[CrowdOf, str] = {"people": "people", "bots": "bots", "both": "people and bots"}
KIND_WORDS = {MemberKind.human: "person", MemberKind.bot: "bot", MemberKind.service: "service"}


def crowd_words(forecasters: int, of: CrowdOf | Literal[""]) -> str:
    """Return a crowd in words: how many it counts, and which if they are told apart.

    >>> crowd_words(12, ""), crowd_words(2, "bots")
    ('crowd of 12', 'crowd of 2 (bots)')
    """
    return f"crowd of {forecasters:,}" + (f" ({CROWD_OF[of]})" if of else "")


@dataclass(frozen=True)
class Account:
    """A member's number, name and kind; a bot's owner, blank if nobody is recorded."""

    id: int
    handle: str
    kind: MemberKind
    owner: str

    @property
    def pool(self) -> str:
        """The name under which a bot counts in a crowd."""
        return self.owner or self.handle


def accounts(session: Session, *, bots_only: bool = False) -> list[Account]:
    """Return all members in the order of their numbers; with ``bots_only`` those not human.

    Kinds are those of ``members.kind_of``.
    """
    owner = aliased(Member)
    owned = and_(col(BotOwner.bot_id) == col(Member.id), col(BotOwner.id).in_(newest_owners()))
    every = (
        select(Member.id, Member.handle, Member.kind, owner.handle)
        .outerjoin(BotOwner, owned)
        .outerjoin(owner, col(owner.id) == col(BotOwner.owner_id))
        .order_by(col(Member.id))
    )
    if bots_only:
        every = every.where(or_(col(Member.kind) != MemberKind.human, col(owner.id).is_not(None)))
    return [
        Account(id_, handle, _kind(kind, of), of or "")
        for id_, handle, kind, of in session.exec(every)
    ]


def _kind(kind: str, owner: str | None) -> MemberKind:
    return MemberKind.bot if owner and kind == MemberKind.human else MemberKind(kind)


def forecaster_kinds(session: Session) -> list[str]:
    """Return the kinds of the members with a visible forecast, in alphabetical order."""
    seen = set(forecaster_handles(session))
    return sorted({str(one.kind) for one in accounts(session) if one.handle in seen})


@dataclass(frozen=True)
class Crowd:
    """The rule for the members of a crowd: ``bots`` by number, and the reader's number."""

    bots: Mapping[int, Account]
    reader: int

    def usual(self, *, has_forecast: bool, is_open: bool) -> CrowdOf:
        """Return the crowd that the reader is shown without a choice of their own."""
        independent = self.reader >= 0 and self.reader not in self.bots and not has_forecast
        return "people" if independent and is_open else "both"

    def counts(self, member: int, of: CrowdOf) -> bool:
        """Return whether that crowd counts the member."""
        return of == "both" or (member in self.bots) == (of == "bots")

    def pool(self, member: int) -> str | None:
        """Return the name under which a bot counts; None for a person, who counts alone."""
        return self.bots[member].pool if member in self.bots else None


def crowd(session: Session) -> Crowd:
    """Return the rule for the session's reader, in one statement."""
    bots = {account.id: account for account in accounts(session, bots_only=True)}
    return Crowd(bots, reader_id(session))
