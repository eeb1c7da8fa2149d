"""The ledger as handlers and tools find it: for one member, who reads or acts."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlmodel import Session

from forecasts.access.preferences import preferences
from forecasts.common.errors import NotFound
from forecasts.ledger.models import Member


@dataclass(frozen=True)
class Here:
    """The ledger at one moment: a session that reads for the member; None for a new one."""

    session: Session
    member: Member | None
    now: datetime


class Door(Protocol):
    """The way to the ledger for one caller; ``acting`` stores the act when its block ends."""

    @property
    def allow_private(self) -> bool:
        """Whether articles may be fetched from private addresses."""

    def reading(self) -> AbstractContextManager[Here]:
        """Return the ledger to read."""

    def acting(self) -> AbstractContextManager[Here]:
        """Return the ledger for one act."""


def member_of(here: Here) -> Member:
    """Return the member; NotFound for one who has done nothing in this ledger yet."""
    if here.member is None:
        raise NotFound(
            "You have no record in this ledger yet.", remedy="Forecast a question first."
        )
    return here.member


def zone_of(here: Here) -> tzinfo | None:
    """Return the zone of the member's settings; None: UTC."""
    name = preferences(here.session, here.member).time_zone
    try:
        return None if name is None else ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return None
