"""A member's calendar: when the questions that they see close, and are to be resolved.

A calendar program reads it from an address that nobody else knows. What stands in that is a token
of the member's own, kept as any is (see ``tokens``): as a hash, until it is revoked. Its key tells
that it is for the calendar; with it nobody acts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote

from sqlmodel import Session, col, select

from forecasts.access import tokens, visibility
from forecasts.access.tokens import CALENDAR, Issued
from forecasts.common.errors import NotFound
from forecasts.ledger.current import has_outcome, is_newest_wording
from forecasts.ledger.models import (
    Member,
    Question,
    QuestionRevision,
    Token,
    TokenRevocation,
)
from forecasts.questions.standing import QuestionState, listing

# Days that passed longer ago are left out, and so is what lies beyond so many questions.
_PAST = timedelta(days=31)
_MOST = 1_000
_WIDTH = 75  # octets of a line, after which RFC 5545 has it folded
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029]")


def create(session: Session, *, member: Member, now: datetime) -> Issued:
    """Return a new token for the member's own calendar; the one before it is revoked.

    Both are written. The address that a calendar program is given is made of what is shown.
    """
    revoke(session, member=member, now=now)
    return tokens.issue(session, member, now=now, kind=CALENDAR)


def revoke(session: Session, *, member: Member, now: datetime) -> bool:
    """Return whether the member had an address in force, which is written as revoked."""
    token = in_force(session, member)
    if token is None:
        return False
    assert token.id is not None
    session.add(TokenRevocation(token_id=token.id, recorded_at=now))
    session.flush()
    return True


def in_force(session: Session, member: Member) -> Token | None:
    """Return the token of the member's calendar; None where they have none, or revoked it."""
    return session.exec(
        select(Token)
        .outerjoin(TokenRevocation, col(TokenRevocation.token_id) == col(Token.id))
        .where(
            Token.member_id == member.id,
            col(Token.key).startswith(CALENDAR.key),
            col(TokenRevocation.id).is_(None),
        )
        .order_by(col(Token.id).desc())
    ).first()


def feed(session: Session, shown: str, *, at: str, now: datetime) -> str:
    """Return the calendar of whose token that is, as RFC 5545 has it: iCalendar, folded, CRLF.

    ``at``: where the app is, for links to the questions. It has what that member may see and is
    not resolved: the 1,000 whose days come next, without those that passed a month ago. Forbidden
    for what is no such token in force.
    """
    member = tokens.token_holder(session, shown, now=now, kind=CALENDAR)
    visibility.read_as(session, member, now=now)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Forecast Ledger//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Forecast Ledger",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ]
    for state in _coming(session, now):
        lines += _events(state, at, now)
    lines.append("END:VCALENDAR")
    return "".join(folded(line) for line in lines)


def _coming(session: Session, now: datetime) -> list[QuestionState]:
    """Return the unresolved questions that have a day to come, the next to close first."""
    text = QuestionRevision
    slugs = session.exec(
        select(Question.slug)
        .join(text, col(text.question_id) == col(Question.id))
        .where(
            is_newest_wording(),
            visibility.question_visible(session),
            ~has_outcome(Question.id),
            (col(text.scheduled_close_time) >= now - _PAST)
            | (col(text.scheduled_resolve_time) >= now - _PAST),
        )
        .order_by(col(text.scheduled_close_time), col(Question.id))
        .limit(_MOST)
    ).all()
    return listing(session, now=now, only=slugs)


def _events(state: QuestionState, at: str, now: datetime) -> Iterator[str]:
    text = state.text
    for kind, says, moment in (
        ("close", "Closes", text.close_time),
        ("resolve", "To be resolved", text.scheduled_resolve_time),
    ):
        if moment is None or moment < now - _PAST:
            continue
        yield "BEGIN:VEVENT"
        yield f"UID:{quote(state.slug, safe='')}-{kind}@forecast-ledger"
        yield f"DTSTAMP:{_time(text.recorded_at)}"
        yield f"SEQUENCE:{text.number - 1}"
        yield f"DTSTART:{_time(moment)}"
        yield f"SUMMARY:{escaped(f'{says}: {text.title}')}"
        if text.resolution_criteria:
            yield f"DESCRIPTION:{escaped(text.resolution_criteria)}"
        yield f"URL:{at}/question?slug={quote(state.slug, safe='')}"
        yield "TRANSP:TRANSPARENT"
        yield "END:VEVENT"


def _time(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def escaped(words: str) -> str:
    r"""Return ``words`` as the value of a property: nothing in them ends it, or begins another.

    >>> escaped("Rain, snow; or\nhail?\x00")
    'Rain\\, snow\\; or\\nhail? '
    """
    plain = _CONTROL.sub(" ", words.replace("\r\n", "\n"))
    for sign in "\\;,":
        plain = plain.replace(sign, f"\\{sign}")
    return plain.replace("\n", "\\n")


def folded(line: str) -> str:
    r"""Return the line with its end, folded so that no part is longer than 75 octets.

    No letter is cut in two, however many octets it has.

    >>> folded("SUMMARY:" + 50 * "ü").split("\r\n")[1][:3]
    ' üü'
    """
    parts, length = [""], 0
    for sign in line:
        size = len(sign.encode())
        if length + size > _WIDTH:
            parts.append(" ")
            length = 1
        parts[-1] += sign
        length += size
    return "\r\n".join(parts) + "\r\n"


def address(base: str, shown: str) -> str:
    """Return the address that a calendar program is given; whoever has it reads the calendar."""
    return f"{base}/calendar/{shown}.ics"


def token_in(name: str) -> str:
    """Return the token that stands in the last part of such an address; NotFound for another."""
    if not name.endswith(".ics"):
        raise NotFound("There is no such calendar.")
    return name.removesuffix(".ics")
