"""Service members and their tokens: how a script says who it is.

A token is 256 random bits behind a key that is no secret. The ledger keeps the key, and of the
whole its SHA-256 alone: so much chance needs no slow hash, and what is stored tells nobody the
token. It is shown once, when it is made.

Where people sign in, or somebody has a token, a name by itself says nothing: ``acting`` then asks
for the token. That keeps scripts apart and honest mistakes out. It is no wall against who holds the
password of the database, who can write to it without any of this.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session, col, select

from forecasts.access import members, roles
from forecasts.access.roles import Action
from forecasts.common.errors import BadInput, Expired, Forbidden, NotFound, Refused
from forecasts.common.settings import Settings
from forecasts.common.times import iso
from forecasts.ledger.models import Identity, Member, MemberKind, Token, TokenRevocation

_NEW = "Have a new one made with: forecasts token create"


@dataclass(frozen=True)
class TokenKind:
    """What tokens are for: how they begin, and their keys; and what is said of a wrong one."""

    prefix: str
    key: str
    named: str
    remedy: str


# Neither does for the other: both the prefix and the key are part of what is hashed.
ACTING = TokenKind("fct", "", "FORECASTS_TOKEN", f"{_NEW}.")
CALENDAR = TokenKind(
    "fcc", "calendar-", "The calendar's address", "Make a new one on the page Team."
)


@dataclass(frozen=True)
class Issued:
    """A token as it was made; ``shown`` is nowhere else."""

    member: Member
    token: Token
    secret: str

    def __repr__(self) -> str:
        return f"Issued({self.member.handle!r}, {self.token.key!r})"


@dataclass(frozen=True)
class Listed:
    """A token as it stands: whose it is, and when it was revoked, if it was."""

    handle: str
    token: Token
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """Return whether it counts: in force, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if _is_over(self.token, now) else "in force"


def create(
    session: Session,
    handle: str,
    *,
    member: Member | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> Issued:
    """Return a new token of the service member with that handle, who is written first where new.

    ``member``: who has it made, an admin where the ledger has one; None for the owner of its
    database. Refused for a person's handle: nobody is given what acts in a person's name.
    """
    _require_right(session, member, now)
    if expires_at is not None and expires_at <= now:
        raise BadInput(f"The token would expire at {iso(expires_at)}, which has passed.")
    service = members.member_or_new(session, handle, now=now, kind=MemberKind.service)
    if service.kind == MemberKind.human:
        raise Refused(
            f"{service.handle!r} is a person, and tokens are for scripts: nobody forecasts in "
            "another's name.",
            remedy="Choose a name for the script, such as resolver-bot.",
        )
    return issue(session, service, now=now, expires_at=expires_at)


def issue(
    session: Session,
    member: Member,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    of: TokenKind = ACTING,
) -> Issued:
    """Return a new token of the member's, which is written: what its callers have asked for."""
    key = of.key + secrets.token_hex(6)
    shown = f"{of.prefix}_{key}_{secrets.token_urlsafe(32)}"
    assert member.id is not None
    token = Token(
        member_id=member.id,
        key=key,
        digest=_digest(shown),
        recorded_at=now,
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return Issued(member, token, shown)


def revoke(session: Session, named: str, *, member: Member | None, now: datetime) -> list[Listed]:
    """Return what is revoked with that: the token of that key, or all that a member has in force.

    NotFound where there is none; one that is revoked already stays as it is.
    """
    _require_right(session, member, now)
    chosen = [
        one
        for one in listing(session)
        if one.token.key == named or (one.handle == named and one.revoked_at is None)
    ]
    if not chosen:
        raise NotFound(
            f"There is no token {named!r} in this ledger, and no member of that name has one in "
            "force.",
            remedy="See: forecasts token list",
        )
    for one in chosen:
        if one.revoked_at is None:
            assert one.token.id is not None
            session.add(TokenRevocation(token_id=one.token.id, recorded_at=now))
    session.flush()
    return chosen


def listing(session: Session) -> list[Listed]:
    """Return every token that was made, in that order."""
    rows = session.exec(
        select(Token, Member.handle, TokenRevocation.recorded_at)
        .join(Member, col(Member.id) == col(Token.member_id))
        .outerjoin(TokenRevocation, col(TokenRevocation.token_id) == col(Token.id))
        .order_by(col(Token.id))
    ).all()
    return [Listed(handle, token, revoked_at) for token, handle, revoked_at in rows]


def token_holder(session: Session, shown: str, *, now: datetime, of: TokenKind = ACTING) -> Member:
    """Return the member whose token of that use it is.

    Forbidden for what is no token of this ledger, or was revoked; Expired for one that is over.
    """
    parts = shown.strip().split("_", 2)
    key = parts[1] if len(parts) == 3 and parts[0] == of.prefix else ""
    token = session.exec(select(Token).where(Token.key == key)).first()
    # Compared whichever it is, so that how long it takes tells nothing.
    same = hmac.compare_digest(_digest(shown.strip()), token.digest if token else "0" * 64)
    if token is None or not same:
        raise Forbidden(f"{of.named} is no token of this ledger.", remedy=of.remedy)
    revoked = session.exec(
        select(TokenRevocation.recorded_at).where(TokenRevocation.token_id == token.id)
    ).first()
    if revoked is not None:
        raise Forbidden(
            f"The token {key} was revoked at {iso(revoked)}.",
            remedy=of.remedy,
        )
    if _is_over(token, now):
        assert token.expires_at is not None
        raise Expired(f"The token {key} expired at {iso(token.expires_at)}.", remedy=of.remedy)
    return session.exec(select(Member).where(Member.id == token.member_id)).one()


def acting_member(session: Session, chosen: Settings, *, now: datetime) -> Member:
    """Return the member who acts, written first where new: ``signer`` says who may act so."""
    return members.member_or_new(session, acting_handle(session, chosen, now=now), now=now)


def reading_member(session: Session, chosen: Settings, *, now: datetime) -> Member | None:
    """Return the member who reads; None for one who is new, or of whom a name says nothing."""
    if chosen.token is None and sign_in_used(session):
        return None
    return members.find_member(session, acting_handle(session, chosen, now=now))


def acting_handle(session: Session, chosen: Settings, *, now: datetime) -> str:
    """Return the handle of who acts: the token's, and without one the name, where a name will do.

    Forbidden where it will not, where a token is none, and where the two are at odds.
    """
    if chosen.token is None:
        require_bare_name(session, chosen.member)
        return chosen.member
    who = token_holder(session, chosen.token.get_secret_value(), now=now)
    if chosen.names_a_member and chosen.member != who.handle:
        raise Forbidden(
            f"FORECASTS_TOKEN is {who.handle!r}, and --as or FORECASTS_MEMBER names "
            f"{chosen.member!r}.",
            remedy="Leave the name out: the token says who acts.",
        )
    return who.handle


def require_bare_name(session: Session, handle: str) -> None:
    """Refuse, with Forbidden, that somebody acts by that name alone where a name says nothing."""
    if sign_in_used(session):
        raise Forbidden(
            f"Nobody acts in this ledger by a name alone, {handle!r} neither: they sign in.",
            remedy="Use the app, or a script's token in FORECASTS_TOKEN (forecasts token create).",
        )
    has_one = (
        select(Token.id)
        .join(Member, col(Member.id) == col(Token.member_id))
        .where(Member.handle == handle, ~col(Token.key).startswith(CALENDAR.key))
        .limit(1)
    )
    if session.exec(has_one).first() is not None:
        raise Forbidden(
            f"{handle!r} acts by a token, and none was given.",
            remedy="Put it into FORECASTS_TOKEN.",
        )


def sign_in_used(session: Session) -> bool:
    """Return whether anybody has signed in to this ledger."""
    return session.exec(select(Identity.id).limit(1)).first() is not None


def is_database_owner(session: Session) -> bool:
    """Return whether the ledger was opened by the owner of its database, who can do everything.

    That is whoever has the file, and on a server the role that its tables belong to.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return True
    owner = text(
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'token'::regclass"
    )
    return bool(connection.scalar(owner))


def _require_right(session: Session, member: Member | None, now: datetime) -> None:
    if member is not None:
        roles.require(session, member, Action.administer, now=now)
    elif not is_database_owner(session):
        raise Forbidden(
            "Tokens are made and revoked by a ledger's admin, or by the owner of its database.",
            remedy="Put an admin's token into FORECASTS_TOKEN, or open the ledger as its owner.",
        )


def _is_over(token: Token, now: datetime) -> bool:
    return token.expires_at is not None and now >= token.expires_at


def _digest(shown: str) -> str:
    return hashlib.sha256(shown.encode()).hexdigest()
