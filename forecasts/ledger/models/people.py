"""The ledger itself, members and their sign-in, teams and roles."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from forecasts.ledger.models.columns import Real, Time, json_column


class MemberKind(StrEnum):
    """The kind of account behind a handle."""

    human = "human"
    bot = "bot"
    service = "service"


class Role(StrEnum):
    """A member's role in a team or in the whole ledger; each includes the rights of those before.

    In order: see; ask, forecast and propose; decide and reword; manage members.
    """

    viewer = "viewer"
    forecaster = "forecaster"
    resolver = "resolver"
    admin = "admin"

    @property
    def rank(self) -> int:
        """The role's place in that order, from 0."""
        return list(Role).index(self)


class Ledger(SQLModel, table=True):
    """The database's description, in a single row."""

    id: int = Field(default=1, primary_key=True)
    created_at: datetime = Field(sa_type=Time)
    demonstration: bool = False


class Member(SQLModel, table=True):
    """Someone who forecasts, resolves or reads. Simulated members have that in their handle."""

    id: int = Field(default=None, primary_key=True)
    handle: str = Field(unique=True)
    kind: MemberKind = Field(default=MemberKind.human, sa_type=Text)
    created_at: datetime = Field(sa_type=Time)


class Identity(SQLModel, table=True):
    """A member's account with a sign-in provider, by names that it gives to no one else.

    Not by e-mail address: that can change, and is not stored.
    """

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int = Field(default=None, primary_key=True)
    issuer: str
    subject: str
    member_id: int = Field(foreign_key="member.id", index=True)
    recorded_at: datetime = Field(sa_type=Time)


class EndedSession(SQLModel, table=True):
    """A sign-in that its person ended before it expired, at ``until``; then the row is deleted.

    ``key``: a hash of the claims that distinguish the sign-in from others.
    """

    __tablename__ = "ended_session"

    id: int = Field(default=None, primary_key=True)
    key: str = Field(sa_type=Text, unique=True)
    until: datetime = Field(sa_type=Time)
    recorded_at: datetime = Field(sa_type=Time)


class Token(SQLModel, table=True):
    """A bot's or service's access token. The token itself is shown once and not stored.

    ``key``: the part by which it is found. ``digest``: the SHA-256 of the whole token. ``scopes``:
    the kinds of acts it allows (``access.tokens.Scope``); blank: all that its member may do.
    """

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    key: str = Field(unique=True)
    digest: str
    recorded_at: datetime = Field(sa_type=Time)
    expires_at: datetime | None = Field(default=None, sa_type=Time)
    scopes: list[str] | None = json_column()


class TokenRevocation(SQLModel, table=True):
    """A token is no longer valid."""

    __tablename__ = "token_revocation"

    id: int = Field(default=None, primary_key=True)
    token_id: int = Field(foreign_key="token.id", unique=True)
    recorded_at: datetime = Field(sa_type=Time)


class IdempotentAnswer(SQLModel, table=True):
    """The answer to a request with an ``Idempotency-Key``, kept for some days for its repetition.

    ``request_digest``: the SHA-256 of the request; the same key with another one is refused.
    """

    __tablename__ = "idempotent_answer"
    __table_args__ = (UniqueConstraint("token_id", "key"),)

    id: int = Field(default=None, primary_key=True)
    token_id: int = Field(foreign_key="token.id")
    key: str = Field(sa_type=Text)
    request_digest: str = Field(sa_type=Text)
    status: int
    answer: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=Time, index=True)


class BotOwner(SQLModel, table=True):
    """The member who answers for a bot; the bot's newest row counts."""

    __tablename__ = "bot_owner"
    __table_args__ = (CheckConstraint("bot_id <> owner_id", name="owner_is_another"),)

    id: int = Field(default=None, primary_key=True)
    bot_id: int = Field(foreign_key="member.id", index=True)
    owner_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Team(SQLModel, table=True):
    """A named group of members."""

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_at: datetime = Field(sa_type=Time)


class Membership(SQLModel, table=True):
    """A member's time in a team, in one role, from ``joined_at`` to ``left_at``.

    Of the rows with the same team, member and ``joined_at`` the newest counts: another row ends an
    open membership. One that ends when it began takes back a stay that was entered by mistake. A
    new role is a new membership.
    """

    id: int = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="team.id", index=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    joined_at: datetime | None = Field(default=None, sa_type=Time)
    left_at: datetime | None = Field(default=None, sa_type=Time)
    role: Role = Field(default=Role.forecaster, sa_type=Text)


class Appointment(SQLModel, table=True):
    """A member's role in the whole ledger, from ``recorded_at`` on; a member's newest row counts.

    ``by_member_id``: the member who appointed them. A ledger without appointments is unshared (see
    ``access``).
    """

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    role: Role = Field(sa_type=Text)
    by_member_id: int | None = Field(default=None, foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class TeamRule(SQLModel, table=True):
    """A team's rules; its newest row counts.

    ``second_resolver``: a member who has forecast on one of its questions cannot resolve it alone.
    """

    __tablename__ = "team_rule"

    id: int = Field(default=None, primary_key=True)
    team_id: int = Field(foreign_key="team.id", index=True)
    second_resolver: bool
    member_id: int = Field(foreign_key="member.id")
    recorded_at: datetime = Field(sa_type=Time)


class Theme(StrEnum):
    """A member's choice between the app's themes; blank in a ``Preference``: the device's."""

    light = "light"
    dark = "dark"


class AliasSalt(SQLModel, table=True):
    """The ledger's secret for the names of anonymised accounts, in a single row.

    With it, the same account has the same name at each import, and nobody without the database can
    find the account from the name (``importing.aliases``).
    """

    __tablename__ = "alias_salt"

    id: int = Field(default=1, primary_key=True)
    salt: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=Time)


class Preference(SQLModel, table=True):
    """A member's settings for pages, all of them; the newest row counts. Blank: the default.

    ``time_zone``: an IANA name, such as Europe/Paris. ``lowest_probability``: the lowest one that
    forms accept.
    """

    __table_args__ = (
        CheckConstraint(
            "lowest_probability >= 0 AND lowest_probability < 0.5", name="lowest_is_low"
        ),
    )

    id: int = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    time_zone: str | None = None
    lowest_probability: float | None = Field(default=None, sa_type=Real)
    theme: Theme | None = Field(default=None, sa_type=Text)
    recorded_at: datetime = Field(sa_type=Time)
