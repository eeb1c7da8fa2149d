"""Who signs in: what the provider says of them, whether they may come in, and who they are here.

A person is the pair of the provider and the name by which it knows them; nothing else of what it
says is kept but the handle, which is theirs from then on. Whether they may come in is looked at on
each visit, by what the provider said when they signed in: who has left is let in no more. Of the
rules (domains, group) each that is set must hold.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, col, select

from forecasts.access.members import join
from forecasts.access.oidc_settings import ANY_DOMAIN, SignIn
from forecasts.access.roles import appointed_role, ensure_admin, is_active, memberships
from forecasts.common.errors import Expired, Forbidden, Refused
from forecasts.common.times import iso
from forecasts.ledger.models import (
    Appointment,
    Forecast,
    Identity,
    Member,
    MemberKind,
    Question,
    Role,
    Team,
)

Claims = Mapping[str, Any]

_LONGEST = 40  # signs of a handle that is made here
_NO_WORD = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True)
class Person:
    """Somebody who may come in, by the provider's name for them; ``handle``: what suits them."""

    issuer: str
    subject: str
    handle: str


def verified_person(claims: Claims, rules: SignIn, *, now: datetime) -> Person:
    """Return who signed in, by the claims of their ID token, whose signature is proven already.

    Expired where it holds no longer. Forbidden where the provider is another one, or who this is
    may not come in.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not isinstance(issuer, str) or issuer.rstrip("/") != rules.issuer.rstrip("/"):
        raise Forbidden(f"You signed in with {issuer!r}, and this ledger asks {rules.issuer!r}.")
    if not isinstance(subject, str) or not subject:
        raise Forbidden("The provider of your sign-in did not say who you are.")
    _require_valid(claims.get("exp"), now)
    email = _verified_email(claims)
    _require_domain(claims, email, rules)
    _require_group(claims, rules)
    return Person(rules.issuer, subject, _handle(claims, email))


def _require_valid(until: Any, now: datetime) -> None:
    # bool is an int, and no time.
    if isinstance(until, bool) or not isinstance(until, int | float):
        raise Expired("The provider of your sign-in did not say how long it holds.")
    if now.timestamp() >= until:
        moment = iso(datetime.fromtimestamp(until, UTC))
        raise Expired(f"Your sign-in has expired: it held until {moment}.")


def _verified_email(claims: Claims) -> str:
    """Return the address that the provider has verified; blank where it has not."""
    email = claims.get("email")
    verified = claims.get("email_verified") in (True, "true")
    return email if verified and isinstance(email, str) else ""


def _require_domain(claims: Claims, email: str, rules: SignIn) -> None:
    if not rules.allowed_domains or ANY_DOMAIN in rules.allowed_domains:
        return
    said = claims.get("email")
    if not email:
        raise Forbidden(
            f"The provider of your sign-in has not verified your e-mail address {said!r}, and this "
            "ledger asks for that."
            if said
            else "The provider of your sign-in did not name your e-mail address, and this ledger "
            "asks for it.",
            remedy="Have it verified there and sign in again, or ask who runs this ledger.",
        )
    local, _, domain = email.rpartition("@")
    if not local or domain.casefold() not in rules.allowed_domains:
        raise Forbidden(
            f"{email!r} is not an address of those who may come in here "
            f"({', '.join(rules.allowed_domains)}).",
            remedy="Sign in with another account, or ask who runs this ledger.",
        )


def _require_group(claims: Claims, rules: SignIn) -> None:
    if not rules.required_group:
        return
    groups = claims.get(rules.groups_claim)
    named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    if rules.required_group not in named:
        raise Forbidden(
            f"The provider of your sign-in does not count you among {rules.required_group!r}, and "
            "this ledger asks for that.",
            remedy="Sign in with another account, or ask who runs this ledger.",
        )


def _handle(claims: Claims, email: str) -> str:
    """Return a handle that suits somebody: by their address, else the name that they go by."""
    for said in (email, claims.get("preferred_username"), claims.get("name")):
        if isinstance(said, str):
            local = unicodedata.normalize("NFKC", said.partition("@")[0]).casefold()
            handle = _NO_WORD.sub("-", local).strip("-.+")[:_LONGEST]
            if handle:
                return handle
    return "member"


def member_of(session: Session, who: Person) -> Member | None:
    """Return the member who that person is; None for one who has not been here yet."""
    return session.exec(
        select(Member)
        .join(Identity, col(Identity.member_id) == col(Member.id))
        .where(Identity.issuer == who.issuer, Identity.subject == who.subject)
    ).first()


def admit(session: Session, who: Person, *, now: datetime) -> Member:
    """Return the member who that person is, who is written first where there is none yet.

    A handle that somebody has already is given to nobody else: that one gets a number. Where nobody
    is admin yet, who comes in first is: a ledger that many sign in to is never without one.
    """
    member = member_of(session, who)
    if member is None:
        member = Member(handle=_free(session, who.handle), created_at=now)
        session.add(member)
        session.flush()
        assert member.id is not None
        session.add(
            Identity(issuer=who.issuer, subject=who.subject, member_id=member.id, recorded_at=now)
        )
        session.flush()
        ensure_admin(session, member, now=now)
    return member


def link_identity(session: Session, newcomer: Member, known: Member, *, now: datetime) -> None:
    """Let whoever signs in as ``newcomer`` be ``known`` from now on: the member they were before.

    For the owner of the database, who knows that the two are one person: a ledger is begun without
    sign-in. Their role in the ledger and their teams go with them: who signs in first is its admin,
    and without that nobody who can sign in would be. Refused for a member who has signed in
    already, and for a newcomer who has not, or has asked or forecast by now: what they did would
    stay behind.
    """
    theirs = _identities(session, newcomer)
    if not theirs:
        raise Refused(
            f"{newcomer.handle!r} has not signed in.",
            remedy="Let them sign in to the app once, and name the handle that they got there.",
        )
    if _identities(session, known) or known.kind != MemberKind.human:
        raise Refused(f"{known.handle!r} is somebody who signs in already, or a script.")
    for table in (Question, Forecast):
        if session.exec(select(table.id).where(table.member_id == newcomer.id).limit(1)).first():
            raise Refused(
                f"{newcomer.handle!r} has asked or forecast by now, and that would stay behind.",
                remedy="Let them go on under that handle.",
            )
    assert known.id is not None
    for identity in theirs:
        identity.member_id = known.id
    session.flush()
    _hand_over(session, newcomer, known, now)


def _hand_over(session: Session, newcomer: Member, known: Member, now: datetime) -> None:
    """Give ``known`` the role and the teams of ``newcomer``, who has none from now on."""
    role = appointed_role(session, newcomer)
    if role is not None:
        given = [(newcomer, Role.viewer)]
        if appointed_role(session, known) is not Role.admin:
            given.append((known, role))
        for who, new in given:
            assert who.id is not None
            session.add(
                Appointment(member_id=who.id, role=new, by_member_id=newcomer.id, recorded_at=now)
            )
        session.flush()
    there = {stay.team_id for stay in memberships(session, known) if is_active(stay, now)}
    for stay in [stay for stay in memberships(session, newcomer) if is_active(stay, now)]:
        team = session.get_one(Team, stay.team_id)
        if stay.joined_at is None or stay.joined_at < now:
            join(session, team, newcomer, joined_at=stay.joined_at, left_at=now)
        if stay.team_id not in there:
            join(session, team, known, joined_at=now, role=Role(stay.role))


def _identities(session: Session, member: Member) -> list[Identity]:
    return list(session.exec(select(Identity).where(Identity.member_id == member.id)))


def _free(session: Session, handle: str) -> str:
    """Return that handle, or the first with a number that nobody has, however it is spelled."""
    taken = {had.casefold() for had in session.exec(select(Member.handle))}
    number, free = 1, handle
    while free.casefold() in taken:
        number += 1
        free = f"{handle}-{number}"
    return free
