"""A member's calendar feed: the close and resolve times of the questions they may see.

A calendar program reads it from a secret address, which contains a token of the member. The token
is stored like any other (see ``tokens``), as a hash, until it is revoked. It can read the calendar
and do nothing else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from forecasts.access import tokens, visibility
from forecasts.access.tokens import CALENDAR, Issued
from forecasts.common.errors import NotFound
from forecasts.ledger.models import Member, Token, TokenRevocation
from forecasts.platforms.icalendar import Deadlines, calendar
from forecasts.questions.standing import unresolved

_PAST = timedelta(days=31)  # earlier events are left out
_MOST_QUESTIONS = 1_000


def create(session: Session, *, member: Member, now: datetime) -> Issued:
    """Return a new token for the member's calendar, which is written; it replaces the current one.

    ``address`` makes the feed's address from it.
    """
    revoke(session, member=member, now=now)
    return tokens.issue(session, member, now=now, kind=CALENDAR)


def revoke(session: Session, *, member: Member, now: datetime) -> bool:
    """Return whether the member had a token for their calendar, which is now revoked."""
    token = current_token(session, member)
    if token is None:
        return False
    session.add(TokenRevocation(token_id=token.id, recorded_at=now))
    session.flush()
    return True


def current_token(session: Session, member: Member) -> Token | None:
    """Return the token of the member's calendar; None if there is none that is not revoked."""
    return session.exec(
        select(Token)
        .outerjoin(TokenRevocation, col(TokenRevocation.token_id) == col(Token.id))
        .where(
            Token.member_id == member.id,
            col(Token.key).startswith(CALENDAR.key_prefix),
            col(TokenRevocation.id).is_(None),
        )
        .order_by(col(Token.id).desc())
    ).first()


def feed(session: Session, secret: str, *, app_url: str, now: datetime) -> str:
    """Return the calendar of the token's member in iCalendar format (RFC 5545).

    It has the unresolved questions that the member may see, up to 1,000 in order of their close,
    without events more than a month ago. Forbidden for an unknown or revoked token. ``app_url``:
    the app's address, for links to the questions.
    """
    member = tokens.held(session, secret, now=now, kind=CALENDAR).member
    visibility.read_as(session, member, now=now)
    since = now - _PAST
    coming = [
        Deadlines(
            slug=state.slug,
            title=state.text.title,
            resolution_criteria=state.text.resolution_criteria,
            close_time=state.text.close_time,
            scheduled_resolve_time=state.text.scheduled_resolve_time,
            recorded_at=state.text.recorded_at,
            number=state.text.number,
        )
        for state in unresolved(session, now=now)
        if state.text.scheduled_close_time >= since
        or (state.text.scheduled_resolve_time or since) > since
    ]
    return calendar(coming[:_MOST_QUESTIONS], since=since, app_url=app_url)


def address(app_url: str, secret: str) -> str:
    """Return the feed's address for a calendar program; anyone who has it can read the calendar."""
    return f"{app_url}/calendar/{secret}.ics"


def token_in(name: str) -> str:
    """Return the token in the last part of a feed's address; NotFound if it is malformed."""
    if not name.endswith(".ics"):
        raise NotFound("There is no such calendar.")
    return name.removesuffix(".ics")
