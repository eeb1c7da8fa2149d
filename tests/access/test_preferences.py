"""A member's settings for pages: the newest count, and a wrong one is refused by name."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access.members import member_or_new
from forecasts.access.preferences import Preferences, preferences, set_preferences
from forecasts.common.errors import Refused
from forecasts.ledger.models import Member, Theme
from tests.conftest import day


def test_without_settings_the_defaults_apply(session: Session, alice: Member) -> None:
    assert preferences(session, alice) == preferences(session, None) == Preferences()


def test_the_newest_settings_count_for_their_member_alone(session: Session, alice: Member) -> None:
    bob = member_or_new(session, "bob", now=day(0))
    chosen = Preferences("Europe/Paris", 0.01, Theme.dark)
    set_preferences(session, Preferences("Asia/Tokyo"), member=alice, now=day(1))
    set_preferences(session, chosen, member=alice, now=day(2))
    assert preferences(session, alice) == chosen
    assert preferences(session, bob) == Preferences()
    set_preferences(session, Preferences(), member=alice, now=day(3))
    assert preferences(session, alice) == Preferences()


def test_an_unknown_time_zone_is_refused(session: Session, alice: Member) -> None:
    with pytest.raises(Refused, match="'Mars/Olympus' is not a time zone"):
        set_preferences(session, Preferences("Mars/Olympus"), member=alice, now=day(1))


@pytest.mark.parametrize("lowest", [-0.01, 0.2, 1.0, float("nan")])
def test_a_lowest_probability_that_is_not_low_is_refused(
    session: Session, alice: Member, lowest: float
) -> None:
    with pytest.raises(Refused, match="must be from 0% to 10%"):
        set_preferences(session, Preferences(lowest_probability=lowest), member=alice, now=day(1))


def test_zero_is_a_lowest_probability_of_its_own(session: Session, alice: Member) -> None:
    set_preferences(session, Preferences(lowest_probability=0.0), member=alice, now=day(1))
    assert preferences(session, alice).lowest_probability == 0.0
