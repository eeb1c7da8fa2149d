"""A member's settings for pages: time zone, lowest probability, theme.

Like review intervals they are settings, not history: each change is a new row, the newest counts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import available_timezones

from sqlmodel import Session, col, select

from forecasts.common.errors import Refused
from forecasts.ledger.append import written
from forecasts.ledger.models import Member, Preference, Theme

HIGHEST_LOWEST = 0.1  # a higher limit would refuse ordinary forecasts


@dataclass(frozen=True)
class Preferences:
    """A member's settings for pages. None: the browser's zone and theme, the server's limit."""

    time_zone: str | None = None
    lowest_probability: float | None = None
    theme: Theme | None = None


def preferences(session: Session, member: Member | None) -> Preferences:
    """Return the member's settings; the defaults for someone who has none."""
    if member is None:
        return Preferences()
    own = select(Preference).where(Preference.member_id == member.id)
    row = session.exec(own.order_by(col(Preference.id).desc()).limit(1)).first()
    if row is None:
        return Preferences()
    theme = None if row.theme is None else Theme(row.theme)
    return Preferences(row.time_zone, row.lowest_probability, theme)


def set_preferences(
    session: Session, chosen: Preferences, *, member: Member, now: datetime
) -> Preference:
    """Return the member's new settings, which are written.

    Refused for an unknown time zone, and for a lowest probability outside 0% to 10%.
    """
    if chosen.time_zone is not None and chosen.time_zone not in available_timezones():
        raise Refused(
            f"{chosen.time_zone!r} is not a time zone.",
            remedy="Name one such as Europe/Paris or America/New_York.",
        )
    lowest = chosen.lowest_probability
    if lowest is not None and not 0 <= lowest <= HIGHEST_LOWEST:
        raise Refused(
            f"The lowest probability must be from 0% to {HIGHEST_LOWEST:.0%}, got {lowest:.3g}.",
            remedy="Give a small probability, such as 0.1%.",
        )
    row = Preference(**asdict(chosen), member_id=member.id, recorded_at=now)
    return written(session, row)
