"""A member's calendar: what they may see, in lines that any program reads, behind one address."""

from __future__ import annotations

import re

import pytest
from sqlmodel import Session

from forecasts.access import teams, tokens, visibility
from forecasts.agenda import calendar_feed
from forecasts.common.errors import Forbidden, NotFound
from forecasts.common.settings import Settings
from forecasts.ledger.models import Member
from forecasts.operations import privacy
from tests.conftest import ask, day, on_both, resolve


def summaries(feed: str) -> list[str]:
    return re.findall(r"^SUMMARY:(.*)\r$", feed.replace("\r\n ", ""), re.MULTILINE)


def read(session: Session, shown: str) -> str:
    with visibility.reading_everything(session):
        return calendar_feed.feed(session, shown, app_url="https://f.example", now=day(5))


@on_both
@pytest.mark.slow
def test_it_has_the_days_to_close_and_resolve(session: Session, alice: Member) -> None:
    ask(session, alice, slug="rain", scheduled_resolve_time=day(12), resolution_criteria="If wet.")
    over = ask(session, alice, slug="over", title="Over?", scheduled_close_time=day(4))
    resolve(session, over, alice, "yes", 4, at=4.5)
    issued = calendar_feed.create(session, member=alice, now=day(5))
    feed = read(session, issued.secret)
    assert summaries(feed) == ["Closes: Will it rain?", "To be resolved: Will it rain?"]
    assert "DTSTART:20260111T000000Z\r\n" in feed
    assert "URL:https://f.example/question?slug=rain\r\n" in feed
    assert "DESCRIPTION:If wet.\r\n" in feed
    assert feed.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert feed.endswith("END:VCALENDAR\r\n")


def test_it_has_no_hidden_question(session: Session, alice: Member, bob: Member) -> None:
    teams.create(session, "Alder", member=alice, now=day(0))
    ask(session, alice, title="For all?")
    ask(session, alice, title="Of Alder?", **teams.visibility_fields(session, "Alder"))
    ask(session, alice, title="My own?", **teams.visibility_fields(session, "me"))
    issued = calendar_feed.create(session, member=bob, now=day(5))
    assert summaries(read(session, issued.secret)) == ["Closes: For all?"]


def test_an_address_is_valid_until_it_or_its_member_goes(session: Session, alice: Member) -> None:
    first = calendar_feed.create(session, member=alice, now=day(1))
    second = calendar_feed.create(session, member=alice, now=day(2))
    with pytest.raises(Forbidden, match="was revoked"):
        read(session, first.secret)
    assert read(session, second.secret)
    assert calendar_feed.revoke(session, member=alice, now=day(3))
    assert not calendar_feed.revoke(session, member=alice, now=day(3))
    third = calendar_feed.create(session, member=alice, now=day(3))
    privacy.remove(session, "alice", member=None, now=day(4))
    for gone in (second, third):
        with pytest.raises(Forbidden, match="was revoked"):
            read(session, gone.secret)


def test_tokens_of_calendars_and_scripts_differ(session: Session, alice: Member) -> None:
    own = calendar_feed.create(session, member=alice, now=day(1)).secret
    script = tokens.create(session, "bot", member=None, now=day(1)).secret
    for shown in (own, own.replace("fcc_", "fct_")):
        with pytest.raises(Forbidden):
            tokens.held(session, shown, now=day(2))
    for shown in (script, script.replace("fct_", "fcc_")):
        with pytest.raises(Forbidden):
            read(session, shown)
    name = calendar_feed.address("", own).rpartition("/")[2]
    assert calendar_feed.token_in(name) == own
    with pytest.raises(NotFound):  # an address ends as calendars do
        calendar_feed.token_in(own)
    # Nor does it keep its member from acting by name, where names do.
    assert tokens.acting_handle(session, Settings(member="alice"), now=day(2)) == "alice"
