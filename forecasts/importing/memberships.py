"""The memberships of an import: the new ones, and those that it ends.

A ledger folder has no roles, and another folder may give other times for the same stay. A member
who is in a team therefore keeps the stay and the role that the ledger has: a row that began earlier
adds the time before it, so that forecasts of that time count in the team.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlmodel import Session, select

from forecasts.access.members import find_member
from forecasts.access.memberships import (
    is_taken_back,
    join,
    memberships_of,
    same_membership,
    team_or_new,
)
from forecasts.common.times import to_minute
from forecasts.folder.frames import Frames, rows
from forecasts.importing.questions import time_of
from forecasts.ledger.models import Member, Membership, Team

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class NewStay(NamedTuple):
    """A stay in a team that an import adds or, if ``ends``, ends; times as in ``teams.csv``."""

    team: str
    forecaster: str
    joined_at: datetime | None
    left_at: datetime | None
    ends: bool
    is_new_team: bool
    is_new_member: bool

    def __str__(self) -> str:
        """Return the change as a clause."""
        who = f"{self.forecaster}{' (new member)' if self.is_new_member else ''}"
        team = f"{self.team}{' (new team)' if self.is_new_team else ''}"
        if self.ends and self.left_at is not None:
            return f"{who} leaves {team}: {to_minute(self.left_at)}"
        begun = "the beginning" if self.joined_at is None else to_minute(self.joined_at)
        until = "" if self.left_at is None else f" to {to_minute(self.left_at)}"
        return f"{who} in {team} from {begun}{until}"


def compare_memberships(session: Session, frames: Frames) -> list[NewStay]:
    """Return the changes to memberships; nothing is written.

    BadInput for one that contradicts the ledger's.
    """
    found: list[NewStay] = []
    teams = (
        {team.name: team for team in session.exec(select(Team)).all()} if len(frames.teams) else {}
    )
    for row in rows(frames.teams):
        team, member = teams.get(row.team), find_member(session, row.forecaster)
        joined_at, left_at = time_of(row.joined_at), time_of(row.left_at)
        same = None
        if team is not None and member is not None:
            same = same_membership(session, team, member, joined_at, left_at)
            if same is not None and (left_at in (None, same.left_at) or is_taken_back(same)):
                continue
            if same is None:
                stays = [one for one in memberships_of(session, member) if one.team_id == team.id]
                end = _free_until(stays, joined_at or _FIRST, left_at or _LAST)
                if end is None:
                    continue
                left_at = None if end == _LAST else end
        found.append(
            NewStay(
                row.team,
                row.forecaster,
                joined_at,
                left_at,
                ends=same is not None,
                is_new_team=team is None,
                is_new_member=member is None,
            )
        )
    return found


def _free_until(
    stays: Sequence[Membership], joined_at: datetime, left_at: datetime
) -> datetime | None:
    """Return when the time ends that a row adds before the member's stays; None if it adds none."""
    began = [stay.joined_at or _FIRST for stay in stays]
    if any(
        start <= joined_at and stay.left_at is None
        for start, stay in zip(began, stays, strict=True)
    ):
        return None
    return min([left_at, *(start for start in began if start > joined_at)])


def write_memberships(
    session: Session, stays: Sequence[NewStay], members: dict[str, Member], now: datetime
) -> None:
    """Write the changes to memberships; ``members``: by handle."""
    for stay in stays:
        team = team_or_new(session, stay.team, now=now)
        join(
            session, team, members[stay.forecaster], joined_at=stay.joined_at, left_at=stay.left_at
        )
