"""The reader's notification channels on the page Settings."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_named, member_or_new
from forecasts.agenda.notifications import channels, sender
from forecasts.ledger import database
from tests.agenda.notifications.conftest import Service, service
from tests.app.conftest import submit, visit, words
from tests.conftest import ask, day

pytestmark = pytest.mark.slow

__all__ = ["service"]


@pytest.fixture
def settings(app: AppTest, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "true")
    with database.writing(engine) as ledger:
        ask(ledger, member_or_new(ledger, "alice", now=day(0)), slug="rain")
    return visit(app, "settings")


def add(app: AppTest, name: str, address: str) -> None:
    submit(app, "channel#0", "add", name=name, address=address)


def test_a_channel_is_added_tried_changed_and_removed(
    settings: AppTest, engine: Engine, service: Service
) -> None:
    add(settings, "pho*ne*", service.address("xyzzy"))
    assert "Added the channel pho*ne*" in settings.toast[0].value.replace("\\", "")
    assert "**pho*ne*** json://…" in words(settings)
    assert not settings.exception
    settings.button(key="channel-pho*ne*#0-test").click().run()
    assert [one.value for one in settings.success] == ["Sent."]
    service.answer = lambda _: 403
    settings.button(key="channel-pho*ne*#0-test").click().run()
    assert "status 403" in settings.warning[0].value
    submit(settings, "channel-pho*ne*#0", "save", events=["stale"], after=5.0)
    with database.reading(engine) as ledger:
        [said] = channels.listing(ledger, member=member_named(ledger, "alice"), now=day(5))
    assert (said.events, said.days_until_stale) == (("stale",), 5.0)
    shown = words(settings) + "".join(one.value or "" for one in settings.text_input)
    assert "xyzzy" not in shown
    settings.button(key="channel-pho*ne*#1-remove").click().run()
    assert "pho*ne" not in words(settings)


def test_an_impossible_value_is_named_in_its_place(settings: AppTest) -> None:
    add(settings, "phone", "nope://xyzzy")
    assert "cannot be read" in settings.error[0].value
    assert "xyzzy" not in settings.error[0].value


def test_uncertain_messages_are_shown_and_sent_again(
    settings: AppTest, engine: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing(engine) as ledger:
        alice = member_named(ledger, "alice")
        given = {"events": ["closing"], "days_before_close": 30.0, "allow_private": True}
        channels.add(ledger, "phone", service.address(), member=alice, now=day(0), **given)
    with monkeypatch.context() as patch:
        patch.setattr(sender, "_record", lambda *_: None)
        sender.send(engine, now=day(1), allow_private=True)
    assert "1 unconfirmed" in words(visit(settings, "settings"))
    settings.button(key="channel-phone#0-again").click().run()
    assert "The next run sends 1 notice again" in settings.toast[0].value
    assert "1 waiting" in words(settings)
    sender.send(engine, now=day(6), allow_private=True)
    assert len(service.got) == 2
