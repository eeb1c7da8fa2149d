"""Sign-in: who signed in, whether they may come in, and which member they are.

A person is identified by the provider and its name for them. Of the provider's claims, the ledger
keeps only that identity and the handle chosen from them. Each visit checks the claims again, so
that a person who has left is no longer admitted. Every rule that is set (domains, group) must hold.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from forecasts.access.members import find_member, kind_of
from forecasts.access.memberships import active_membership, is_active, join, memberships_of
from forecasts.access.oidc_settings import ANY_DOMAIN, SignIn
from forecasts.access.roles import appointed_role, ensure_admin
from forecasts.access.tokens import has_sign_in, is_database_owner
from forecasts.common.errors import Expired, Forbidden, Refused
from forecasts.common.times import iso
from forecasts.ledger.append import written
from forecasts.ledger.models import (
    Appointment,
    EndedSession,
    Forecast,
    Identity,
    Member,
    MemberKind,
    Question,
    Role,
    Team,
)

Claims = Mapping[str, Any]

_ASK = "Sign in with another account, or ask the operator of this ledger."
_LONGEST_HANDLE = 40  # characters
_LAST_SECOND = 253402300799  # of the year 9999, the last that a time can have
_NOT_IN_HANDLE = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True)
class Person:
    """A person who may come in: the provider, its name for them, and a suitable handle."""

    issuer: str
    subject: str
    handle: str


def unknown_note(session: Session, handle: str) -> str:
    """Return that no person with this handle has been here, '' for a known one.

    Ask before a new member is written. Where members sign in, only those who have are known.
    """
    member = find_member(session, handle.strip())
    if not has_sign_in(session):
        return "" if member is not None else f"{handle.strip()} is new here."
    if member is not None:
        own = select(Identity.id).where(Identity.member_id == member.id)
        if kind_of(session, member) != MemberKind.human or session.exec(own).first() is not None:
            return ""
    return f"{handle.strip()} has not signed in yet."


def verified_person(claims: Claims, rules: SignIn, *, now: datetime) -> Person:
    """Return the person that an ID token's claims identify; its signature is already verified.

    Expired if the token has expired. Forbidden if it is from another provider, or if the rules do
    not admit the person.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not isinstance(issuer, str) or issuer.rstrip("/") != rules.issuer.rstrip("/"):
        raise Forbidden(f"You signed in with {issuer!r}, but this ledger uses {rules.issuer!r}.")
    if not isinstance(subject, str) or not subject:
        raise Forbidden("Your sign-in provider sent no subject to identify you.")
    _require_unexpired(claims.get("exp"), now)
    verified = claims.get("email_verified") in (True, "true")
    email = claims.get("email") if verified else None
    email = email if isinstance(email, str) else ""
    _require_domain(claims, email, rules)
    _require_group(claims, rules)
    return Person(rules.issuer, subject, _handle(claims, email))


def _require_unexpired(until: Any, now: datetime) -> None:
    # bool is a subclass of int, but not a time.
    if isinstance(until, bool) or not isinstance(until, int | float):
        raise Expired("Your sign-in provider did not say when your sign-in expires.")
    if now.timestamp() >= until:
        moment = iso(datetime.fromtimestamp(until, UTC))
        raise Expired(f"Your sign-in has expired: it was valid until {moment}.")


def _require_domain(claims: Claims, email: str, rules: SignIn) -> None:
    if not rules.allowed_domains or ANY_DOMAIN in rules.allowed_domains:
        return
    claimed = claims.get("email")
    if not email:
        lack = f"has not verified your e-mail address {claimed!r}"
        lack = lack if claimed else "did not send your e-mail address"
        raise Forbidden(
            f"Your sign-in provider {lack}, which this ledger requires.",
            remedy="Verify the address there and sign in again, or ask the operator of this "
            "ledger.",
        )
    local, _, domain = email.rpartition("@")
    if not local or domain.casefold() not in rules.allowed_domains:
        raise Forbidden(
            f"{email!r} is not in a domain that this ledger admits "
            f"({', '.join(rules.allowed_domains)}).",
            remedy=_ASK,
        )


def _require_group(claims: Claims, rules: SignIn) -> None:
    if not rules.required_group:
        return
    groups = claims.get(rules.groups_claim)
    named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    if rules.required_group not in named:
        raise Forbidden(
            "Your sign-in provider does not list you in the group "
            f"{rules.required_group!r}, which this ledger requires.",
            remedy=_ASK,
        )


def _handle(claims: Claims, email: str) -> str:
    """Return a handle made from the e-mail address, or else from the person's name."""
    for claim in (email, claims.get("preferred_username"), claims.get("name")):
        if isinstance(claim, str):
            local = unicodedata.normalize("NFKC", claim.partition("@")[0]).casefold()
            handle = _NOT_IN_HANDLE.sub("-", local).strip("-.+")[:_LONGEST_HANDLE]
            if handle:
                return handle
    return "member"


def end_session(session: Session, claims: Claims, *, now: datetime) -> None:
    """End the sign-in with these claims until it expires, for every server; others stay.

    Sign-ins that have expired by now are forgotten.
    """
    session.execute(delete(EndedSession).where(col(EndedSession.until) <= now))
    until = claims.get("exp")
    if isinstance(until, int | float) and not has_ended(session, claims):
        expires = datetime.fromtimestamp(min(until, _LAST_SECOND), UTC)
        written(session, EndedSession(key=_session_key(claims), until=expires, recorded_at=now))


def has_ended(session: Session, claims: Claims) -> bool:
    """Return whether the person has ended the sign-in with these claims."""
    ended = select(EndedSession.id).where(EndedSession.key == _session_key(claims))
    return session.exec(ended).first() is not None


def _session_key(claims: Claims) -> str:
    """Return a hash of the claims that distinguish one sign-in of a person from another."""
    those = [claims.get(name) for name in ("iss", "sub", "nonce", "iat", "exp")]
    return hashlib.sha256(json.dumps(those).encode()).hexdigest()


def member_of(session: Session, person: Person) -> Member | None:
    """Return the person's member, None before their first sign-in."""
    return session.exec(
        select(Member)
        .join(Identity, col(Identity.member_id) == col(Member.id))
        .where(Identity.issuer == person.issuer, Identity.subject == person.subject)
    ).first()


def admit(session: Session, person: Person, *, now: datetime) -> Member:
    """Return the person's member; at their first sign-in, it is written.

    A handle in use is not given again: the newcomer's gets a number. The first person to sign in
    becomes the ledger's admin if it has none.
    """
    member = member_of(session, person)
    if member is None:
        handle = _unused_handle(session, person.handle)
        member = written(session, Member(handle=handle, created_at=now))
        identity = Identity(
            issuer=person.issuer, subject=person.subject, member_id=member.id, recorded_at=now
        )
        written(session, identity)
        ensure_admin(session, member, now=now)
    return member


def _unused_handle(session: Session, handle: str) -> str:
    """Return the handle, with the first number that makes it unique regardless of case."""
    taken = {other.casefold() for other in session.exec(select(Member.handle))}
    numbered = (f"{handle}-{number}" for number in itertools.count(2))
    return next(
        free for free in itertools.chain([handle], numbered) if free.casefold() not in taken
    )


def link_identity(session: Session, newcomer: Member, known: Member, *, now: datetime) -> None:
    """Let the person who signs in as ``newcomer`` be ``known``, a member from before sign-in.

    For the owner of the database, who knows that both are the same person. The newcomer's role in
    the ledger and teams move too, since the first person to sign in is its admin. Forbidden to
    anyone else; Refused if ``known`` already signs in, and if ``newcomer`` has not signed in or has
    already asked or forecast, which would stay behind.
    """
    if not is_database_owner(session):
        raise Forbidden(
            "Only the owner of the ledger's database can link a sign-in to a member.",
            remedy="Open the ledger as its owner.",
        )
    identities = _identities(session, newcomer)
    if not identities:
        raise Refused(
            f"{newcomer.handle!r} has not signed in.",
            remedy="Let them sign in to the app once, and give the handle they got there.",
        )
    if _identities(session, known) or kind_of(session, known) != MemberKind.human:
        raise Refused(f"{known.handle!r} already signs in, or is a script.")
    for table in (Question, Forecast):
        if session.exec(select(table.id).where(table.member_id == newcomer.id).limit(1)).first():
            raise Refused(
                f"{newcomer.handle!r} has already asked or forecast, which would stay behind.",
                remedy="Let them continue under that handle.",
            )
    for identity in identities:
        identity.member_id = known.id
    session.flush()
    _move_appointment(session, newcomer, known, now)
    _move_memberships(session, newcomer, known, now)


def _move_appointment(session: Session, newcomer: Member, known: Member, now: datetime) -> None:
    role = appointed_role(session, newcomer)
    if role is None:
        return
    new_roles = {newcomer.id: Role.viewer}
    if appointed_role(session, known) is not Role.admin:
        new_roles[known.id] = role
    for id_, new in new_roles.items():
        row = Appointment(member_id=id_, role=new, by_member_id=newcomer.id, recorded_at=now)
        written(session, row)


def _move_memberships(session: Session, newcomer: Member, known: Member, now: datetime) -> None:
    for membership in memberships_of(session, newcomer):
        if not is_active(membership, now):
            continue
        team = session.get_one(Team, membership.team_id)
        if membership.joined_at is None or membership.joined_at < now:
            join(session, team, newcomer, joined_at=membership.joined_at, left_at=now)
        if active_membership(session, team, known, now) is None:
            join(session, team, known, joined_at=now, role=Role(membership.role))


def _identities(session: Session, member: Member) -> list[Identity]:
    return list(session.exec(select(Identity).where(Identity.member_id == member.id)))
