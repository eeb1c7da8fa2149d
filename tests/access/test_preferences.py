"""A member's settings for pages: the newest count, and a wrong one is refused by name."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.access.preferences import Preferences, preferences, set_preferences
from forecasts.common.errors import Refused
from forecasts.ledger.models import Member, Theme
from tests.conftest import day


def test_the_newest_settings_count_for_their_member_alone(session: Session, alice: Member) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    assert preferences(session, alice) == preferences(session, None) == Preferences()
    chosen = Preferences("Europe/Paris", 0.0, Theme.dark)
    set_preferences(session, Preferences("Asia/Tokyo"), member=alice, now=day(1))
    set_preferences(session, chosen, member=alice, now=day(2))
    assert preferences(session, alice) == chosen
    assert preferences(session, bob) == Preferences()
    set_preferences(session, Preferences(), member=alice, now=day(3))
    assert preferences(session, alice) == Preferences()


def test_an_unknown_time_zone_or_a_high_minimum_is_refused(session: Session, alice: Member) -> None:
    zone = (Preferences("Mars/Olympus"), "'Mars/Olympus' is not a time zone")
    lowest = [Preferences(lowest_probability=one) for one in (-0.01, 0.2, 1.0, float("nan"))]
    for given, words in (zone, *((one, "must be from 0% to 10%") for one in lowest)):
        with pytest.raises(Refused, match=words):
            set_preferences(session, given, member=alice, now=day(1))
