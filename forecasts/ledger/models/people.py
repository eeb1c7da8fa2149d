"""The ledger itself, members, how they sign in, teams and roles."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Time, one_of


class MemberKind(StrEnum):
    """Who stands behind a handle."""

    human = "human"
    bot = "bot"
    service = "service"


class Role(StrEnum):
    """What a member may do, in a team or in the whole ledger; each may do what those before may.

    In this order: see; ask, forecast and propose; decide and reword; say who belongs.
    """

    viewer = "viewer"
    forecaster = "forecaster"
    resolver = "resolver"
    admin = "admin"

    @property
    def rank(self) -> int:
        """Its place in that order, from 0."""
        return list(Role).index(self)


class Ledger(SQLModel, table=True):
    """The one row that says what this database is."""

    id: int = Field(default=1, primary_key=True)
    created_at: datetime = Field(sa_type=Time)
    demonstration: bool = False


class Member(SQLModel, table=True):
    """Someone who forecasts, resolves or reads. A simulated member's handle says so."""

    id: int | None = Field(default=None, primary_key=True)
    handle: str = Field(unique=True)
    kind: MemberKind = Field(default=MemberKind.human, sa_type=Text)
    created_at: datetime = Field(sa_type=Time)


class Identity(SQLModel, table=True):
    """Who a member is to a provider of sign-in: the names that it never gives to anybody else.

    An e-mail address is none of them: it changes, and is not kept.
    """

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int | None = Field(default=None, primary_key=True)
    issuer: str
    subject: str
    member_id: int = Field(foreign_key="member.id", index=True)
    recorded_at: datetime = Field(sa_type=Time)


class Token(SQLModel, table=True):
    """What a service member shows to act; the token itself is shown once and kept nowhere.

    ``key`` is the part of it by which it is found, ``digest`` the SHA-256 of the whole.
    """

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    key: str = Field(unique=True)
    digest: str
    recorded_at: datetime = Field(sa_type=Time)
    expires_at: datetime | None = Field(default=None, sa_type=Time)


class TokenRevocation(SQLModel, table=True):
    """That a token counts no longer."""

    __tablename__ = "token_revocation"

    id: int | None = Field(default=None, primary_key=True)
    token_id: int = Field(foreign_key="token.id", unique=True)
    recorded_at: datetime = Field(sa_type=Time)


class Team(SQLModel, table=True):
    """A named group of members."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Time)


class Membership(SQLModel, table=True):
    """A member's stay in a team, in a role; it counts for what is done between the two times.

    Of the rows with the same team, member and ``joined_at`` the newest counts: a stay that was
    open is ended by another row. A stay in another role is another stay.
    """

    __table_args__ = (CheckConstraint(one_of("role", Role), name="role_is_known"),)

    id: int | None = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="team.id", index=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    joined_at: datetime | None = Field(default=None, sa_type=Time)
    left_at: datetime | None = Field(default=None, sa_type=Time)
    role: Role = Field(default=Role.forecaster, sa_type=Text)


class Appointment(SQLModel, table=True):
    """A member's role in the whole ledger, from ``recorded_at`` on; a member's newest row counts.

    ``by_member_id``: who said so. A ledger without any is somebody's own (see ``access``).
    """

    __table_args__ = (CheckConstraint(one_of("role", Role), name="role_is_known"),)

    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    role: Role = Field(sa_type=Text)
    by_member_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class TeamRule(SQLModel, table=True):
    """What a team has agreed on; its newest row counts.

    ``second_resolver``: nobody resolves one of its questions alone on which they have forecast.
    """

    __tablename__ = "team_rule"

    id: int | None = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="team.id", index=True)
    second_resolver: bool
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)
