"""Tokens: how a script proves which bot or service it is.

A token is a public key followed by 256 random bits. The ledger stores the key and the SHA-256 of
the whole token, from which the token cannot be recovered; so much randomness needs no slow hash.
The token is shown once, when it is created.

Once people sign in, or a member has a token, a name alone is not accepted: ``acting_member`` then
requires a token. This keeps scripts apart and prevents honest mistakes. It does not protect against
someone with the database password, who can write to the database directly.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session, col, select

from forecasts.access import members, roles
from forecasts.access.roles import Action, Scope
from forecasts.common.errors import BadInput, Expired, Forbidden, NotFound, Refused, Remedy
from forecasts.common.settings import Settings
from forecasts.common.times import iso
from forecasts.ledger.append import written
from forecasts.ledger.current import newest_owners
from forecasts.ledger.facts import known
from forecasts.ledger.models import BotOwner, Identity, Member, MemberKind, Token, TokenRevocation
from forecasts.ledger.urls import is_embedded

_NEW = Remedy("To create a new one: {}", "token create", "NAME")
_TOKENS = (
    select(Token, Member, TokenRevocation.recorded_at)
    .join(Member, col(Member.id) == col(Token.member_id))
    .outerjoin(TokenRevocation, col(TokenRevocation.token_id) == col(Token.id))
)


@dataclass(frozen=True)
class TokenKind:
    """A purpose of tokens: how they and their keys begin, and the words for errors."""

    prefix: str
    key_prefix: str
    name: str
    remedy: Remedy | str


# One kind is not valid as the other, since prefix and key are part of the hash.
ACTING = TokenKind("fct", "", "FORECASTS_TOKEN", _NEW)
CALENDAR = TokenKind(
    "fcc", "calendar-", "The calendar's address", "Create a new one on the page Team."
)


# Acts that can be undone. A bot that may decide outcomes is given that scope on purpose.
USUAL_SCOPES = (Scope.read, Scope.forecast, Scope.ask)


@dataclass(frozen=True)
class Issued:
    """A new token; ``secret``, the token itself, is stored nowhere."""

    member: Member
    token: Token
    secret: str = field(repr=False)


class Held(NamedTuple):
    """A token with its holder, and when it was revoked (None if it was not)."""

    token: Token
    member: Member
    revoked_at: datetime | None

    @property
    def handle(self) -> str:
        """The holder's handle."""
        return self.member.handle

    def state(self, now: datetime) -> str:
        """Return the token's state: in force, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        expiry = self.token.expires_at
        return "in force" if expiry is None or now < expiry else "expired"


def create(
    session: Session,
    handle: str,
    *,
    member: Member | None,
    now: datetime,
    owner: Member | None = None,
    expires_at: datetime | None = None,
    scopes: Sequence[str] | None = None,
) -> Issued:
    """Return a new token for the bot or service with that handle; a new bot is written too.

    ``member``: the acting member, an admin if the ledger has one; None for the database owner.
    ``owner``: the member who answers for a new bot, by default the acting one. ``scopes``: None for
    all. Refused for the handle of a person, since a token would act in that person's name.
    """
    _require_admin_or_owner(session, member, now)
    if expires_at is not None and expires_at <= now:
        raise BadInput(f"The token would expire at {iso(expires_at)}, which has passed.")
    if unknown := sorted(set(scopes or ()) - set(Scope)):
        raise BadInput(
            f"There is no scope {unknown[0]!r}.", remedy=f"The scopes are {', '.join(Scope)}."
        )
    bot = members.find_member(session, handle.strip())
    if bot is None:
        bot = members.member_or_new(session, handle, now=now, kind=MemberKind.bot)
        owner = owner or member
        if owner is not None:
            written(session, BotOwner(bot_id=bot.id, owner_id=owner.id, recorded_at=now))
    if members.kind_of(session, bot) == MemberKind.human:
        raise Refused(
            f"{bot.handle!r} is a person, and tokens are for scripts: nobody forecasts in "
            "another member's name.",
            remedy=(
                "Choose a name for the script, such as resolver-bot.",
                Remedy("If it is a model, make it your bot: {}", "member adopt", bot.handle),
            ),
        )
    return issue(session, bot, now=now, expires_at=expires_at, scopes=scopes)


def adopt(
    session: Session, handle: str, *, member: Member | None, owner: Member | None, now: datetime
) -> Member:
    """Return the member, from now on a bot of the owner, which is written and permanent.

    For a model that had a name before models were bots. Its past forecasts count as a bot's too.
    ``member``: as in ``create``. Refused for a service, the owner, and the owner's own bot; and for
    someone who signs in or has a role in the whole ledger, who is a person.
    """
    _require_admin_or_owner(session, member, now)
    if owner is None:
        raise Refused(
            "Nobody would answer for the bot.",
            remedy="Set FORECASTS_TOKEN to an admin's token: that member is then its owner.",
        )
    bot = members.member_named(session, handle)
    before = owner_of(session, bot)
    signs_in = select(Identity.id).where(Identity.member_id == bot.id)
    for is_so, reason in (
        (bot.id == owner.id, "would be its own owner"),
        (bot.kind == MemberKind.service, "is a service"),
        (before is not None and before.id == owner.id, f"is already a bot of {owner.handle}"),
        (session.exec(signs_in).first() is not None, "signs in, so it is a person"),
        (
            bot.kind == MemberKind.human and roles.appointed_role(session, bot) is not None,
            "has a role in the whole ledger",
        ),
    ):
        if is_so:
            raise Refused(f"{handle!r} cannot become a bot of {owner.handle}: it {reason}.")
    written(session, BotOwner(bot_id=bot.id, owner_id=owner.id, recorded_at=now))
    return bot


def owner_of(session: Session, bot: Member) -> Member | None:
    """Return the member who answers for a bot, None if nobody is recorded."""
    owners = select(Member).join(BotOwner, col(BotOwner.owner_id) == col(Member.id))
    newest = owners.where(BotOwner.bot_id == bot.id, col(BotOwner.id).in_(newest_owners()))
    return session.exec(newest).first()


def bots_of(session: Session, owner: Member) -> list[Member]:
    """Return the bots that the member answers for, in alphabetical order."""
    bots = select(Member).join(BotOwner, col(BotOwner.bot_id) == col(Member.id))
    own = bots.where(BotOwner.owner_id == owner.id, col(BotOwner.id).in_(newest_owners()))
    return list(session.exec(own.order_by(Member.handle)))


def own_account(session: Session, member: Member, name: str) -> Member:
    """Return the member, or one of their bots, by its handle or number: they may act as it.

    Forbidden for any other account.
    """
    for one in (member, *bots_of(session, member)):
        if name in (one.handle, str(one.id)):
            return one
    raise Forbidden(
        f"{member.handle} may not act as {name!r}: it is not a bot of {member.handle}.",
        remedy=Remedy("To see your bots: {}", "token list"),
    )


def issue(
    session: Session,
    member: Member,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    kind: TokenKind = ACTING,
    scopes: Sequence[str] | None = None,
) -> Issued:
    """Return a new token of the member, which is written; callers have checked their right."""
    key = kind.key_prefix + secrets.token_hex(6)
    secret = f"{kind.prefix}_{key}_{secrets.token_urlsafe(32)}"
    token = Token(
        member_id=member.id,
        key=key,
        digest=_digest(secret),
        recorded_at=now,
        expires_at=expires_at,
        scopes=None if scopes is None else [one.value for one in Scope if one in scopes],
    )
    return Issued(member, written(session, token), secret)


def revoke(session: Session, name: str, *, member: Member | None, now: datetime) -> list[Held]:
    """Return the tokens revoked: the one with that key, or all of the member with that handle.

    NotFound if there is none; a token that is already revoked keeps its time.
    """
    _require_admin_or_owner(session, member, now)
    chosen = [
        one
        for one in listing(session)
        if one.token.key == name or (one.handle == name and one.revoked_at is None)
    ]
    if not chosen:
        raise NotFound(
            f"There is no token {name!r} in this ledger, and no member of that name has one in "
            "force.",
            remedy=Remedy("To see them: {}", "token list"),
        )
    for one in chosen:
        if one.revoked_at is None:
            session.add(TokenRevocation(token_id=one.token.id, recorded_at=now))
    session.flush()
    return chosen


def listing(session: Session) -> list[Held]:
    """Return every token, in the order of creation."""
    return [Held(*row) for row in session.exec(_TOKENS.order_by(col(Token.id)))]


def held(session: Session, secret: str, *, now: datetime, kind: TokenKind = ACTING) -> Held:
    """Return a valid token with its holder.

    Forbidden for an unknown or revoked token; Expired for one past its expiry.
    """
    secret = secret.strip()
    parts = secret.split("_", 2)
    key = parts[1] if len(parts) == 3 and parts[0] == kind.prefix else ""
    found = known(
        session, ("token", key), lambda s: s.exec(_TOKENS.where(Token.key == key)).first()
    )
    # Always compared, so that the time taken reveals nothing.
    same = hmac.compare_digest(_digest(secret), found[0].digest if found else "0" * 64)
    if found is None or not same:
        raise Forbidden(f"{kind.name} is not a token of this ledger.", remedy=kind.remedy)
    one = Held(*found)
    if one.revoked_at is not None:
        when = iso(one.revoked_at)
        raise Forbidden(f"The token {key} was revoked at {when}.", remedy=kind.remedy)
    if one.token.expires_at is not None and now >= one.token.expires_at:
        when = iso(one.token.expires_at)
        raise Expired(f"The token {key} expired at {when}.", remedy=kind.remedy)
    return one


def acting_member(session: Session, chosen: Settings, *, now: datetime) -> Member:
    """Return the acting member, as ``acting_handle`` decides; a new member is written."""
    return members.member_or_new(session, acting_handle(session, chosen, now=now), now=now)


def reading_member(session: Session, chosen: Settings, *, now: datetime) -> Member | None:
    """Return the reading member; None for a new member, or when a name alone proves nothing."""
    if chosen.token is None and has_sign_in(session):
        return None
    return members.find_member(session, acting_handle(session, chosen, now=now))


def acting_handle(session: Session, chosen: Settings, *, now: datetime) -> str:
    """Return the acting member's handle: from the token, or the name if no token is needed.

    Forbidden for a missing or invalid token, and if token and name disagree.
    """
    if chosen.token is None:
        require_name_suffices(session, chosen.member)
        return chosen.member
    token = held(session, chosen.token.get_secret_value(), now=now)
    roles.limit_scopes(session, token.token.scopes)
    if chosen.names_a_member and chosen.member != token.handle:
        raise Forbidden(
            f"FORECASTS_TOKEN belongs to {token.handle!r}, but --as or FORECASTS_MEMBER names "
            f"{chosen.member!r}.",
            remedy="Leave out the name, or FORECASTS_TOKEN: the token names the acting member.",
        )
    return token.handle


def require_name_suffices(session: Session, handle: str) -> None:
    """Refuse, with Forbidden, a name without a token where a token or sign-in is required."""
    if has_sign_in(session):
        raise Forbidden(
            f"{handle!r} cannot act by name alone: members of this ledger sign in.",
            remedy=Remedy(
                "Use the app, or a script's token in FORECASTS_TOKEN: {}", "token create", "NAME"
            ),
        )
    has_one = (
        select(Token.id)
        .join(Member, col(Member.id) == col(Token.member_id))
        .where(Member.handle == handle, ~col(Token.key).startswith(CALENDAR.key_prefix))
        .limit(1)
    )
    if session.exec(has_one).first() is not None:
        raise Forbidden(
            f"{handle!r} has a token, but none was given.", remedy="Set FORECASTS_TOKEN to it."
        )


def has_sign_in(session: Session) -> bool:
    """Return whether anyone has ever signed in to this ledger."""
    return session.exec(select(Identity.id).limit(1)).first() is not None


def is_database_owner(session: Session) -> bool:
    """Return whether the database owner opened the ledger, who can do everything.

    For a file, that is anyone who has it; on a server, the role that owns the tables.
    """
    if is_embedded(session.get_bind()):
        return True
    owner = text(
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'token'::regclass"
    )
    return bool(session.connection().scalar(owner))


def _require_admin_or_owner(session: Session, member: Member | None, now: datetime) -> None:
    if member is not None:
        roles.require(session, member, Action.administer, now=now)
    elif not is_database_owner(session):
        raise Forbidden(
            "Only an admin of the ledger or the database owner can create and revoke tokens.",
            remedy="Set FORECASTS_TOKEN to an admin's token, or open the ledger as the owner.",
        )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
