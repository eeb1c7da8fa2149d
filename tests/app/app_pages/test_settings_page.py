"""Settings: a member's choices and channels, the runs, and the secrets that are shown once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access import members, tokens
from forecasts.access.members import member_or_new
from forecasts.access.preferences import Preferences, preferences, set_preferences
from forecasts.access.roles import ensure_admin
from forecasts.agenda import calendar_feed, revisits
from forecasts.agenda.notifications import channels, sender
from forecasts.ledger import database
from forecasts.ledger.models import Theme
from forecasts.resolution.progress import record_run
from tests.agenda.notifications.conftest import Service, service
from tests.app.conftest import (
    Clock,
    confirmed,
    errors,
    forecasts,
    press,
    register,
    state,
    submit,
    visit,
    words,
)
from tests.conftest import day
from tests.resolution.conftest import attach

pytestmark = pytest.mark.slow

__all__ = ["service"]


@pytest.fixture
def asked(engine: Engine, app: AppTest) -> AppTest:
    """A ledger with a question of alice, the current member."""
    register(engine, "rain")
    return app


def saved(engine: Engine) -> tuple[Preferences, int]:
    with database.reading(engine) as ledger:
        alice = members.member_named(ledger, "alice")
        days = revisits.intervals(ledger, alice).default.days
        return preferences(ledger, alice), days


def test_a_choice_is_saved_and_applies_at_once(asked: AppTest, engine: Engine) -> None:
    visit(asked, "settings")
    assert asked.selectbox(key="preferences#0-zone").value == "Browser’s"
    assert asked.number_input(key="preferences#0-days").value == 14
    assert asked.number_input(key="preferences#0-lowest").value == 0.1
    submit(asked, "preferences#0", "save", zone="Asia/Tokyo", lowest=1.0, days=7, theme="Dark")
    assert confirmed(asked) == ["Saved your settings."]
    assert saved(engine) == (Preferences("Asia/Tokyo", 0.01, Theme.dark), 7)
    assert "Times: Asia/Tokyo." in words(asked)
    assert asked.selectbox(key="preferences#1-zone").value == "Asia/Tokyo"
    assert "1 Jan 2026, 09:00 JST" in words(visit(asked, "question", slug="rain"))


def test_saving_unchanged_settings_leaves_the_defaults(
    asked: AppTest, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_LOWEST_PROBABILITY", "0.2")
    visit(asked, "settings")
    asked.button(key="preferences#0-save").click().run()
    assert saved(engine) == (Preferences(), 14)


def test_a_typed_certainty_is_refused_with_the_setting_named(
    asked: AppTest, engine: Engine
) -> None:
    visit(asked, "question", slug="rain")
    submit(asked, "forecast-rain#0", "save", value="100%")
    assert "must be from 0.1% to 99.9%" in errors(asked)
    assert "change the lowest probability in Settings" in errors(asked)
    visit(asked, "settings")
    submit(asked, "preferences#0", "save", lowest=0.0)
    visit(asked, "question", slug="rain")
    submit(asked, "forecast-rain#0", "save", value="100%")
    assert [forecast.probability for forecast in forecasts(engine, "rain")] == [1.0]


def run(engine: Engine, *minutes: float) -> None:
    """Record scheduled runs of so many minutes before day 5."""
    for before in minutes:
        with database.writing(engine) as ledger:
            record_run(ledger, now=day(5) - timedelta(minutes=before))


def test_only_an_admin_gets_commands_for_the_schedule(
    asked: AppTest, engine: Engine, clock: Clock
) -> None:
    clock.moment = day(5) + timedelta(minutes=10)
    with database.writing(engine) as ledger:
        ensure_admin(ledger, member_or_new(ledger, "bob", now=day(0)), now=day(0))
    for runs in ((), (45, 30)):
        run(engine, *runs)
        said = words(visit(asked, "settings"))
        assert "admin of this ledger" in said
        assert "crontab" not in said
        assert "forecasts run" not in said
        assert not asked.code


def test_the_page_says_how_to_schedule_runs_and_when_the_last_and_the_next_are(
    asked: AppTest, engine: Engine, clock: Clock
) -> None:
    assert "No run so far." in words(visit(asked, "settings"))
    assert asked.code[0].value.startswith("(crontab -l; forecasts schedule cron --database /")
    clock.moment = day(5) + timedelta(minutes=10)
    for before, said in (
        (60, "**Last run:** 5 Jan 2026, 23:00 UTC, 1 hour ago. **Next:** not known until there"),
        (0, "**Next:** about 6 Jan 2026, 01:00 UTC."),
    ):
        run(engine, before)
        assert said in words(asked.run())
    clock.moment = day(5) + timedelta(hours=5)
    stopped = "Runs have stopped: the last one was 6 Jan 2026, 00:00 UTC, 5 hours ago"
    assert stopped in words(asked.run())


def test_the_page_says_when_the_app_itself_runs(
    asked: AppTest,
    engine: Engine,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("FORECASTS_COMMANDS_FOLDER", str(tmp_path))
    (tmp_path / "tell").touch(0o755)
    attach(engine, "command", program="tell")
    monkeypatch.delenv("FORECASTS_COMMANDS_FOLDER")
    monkeypatch.setenv("FORECASTS_RUN_EVERY", "15m")
    assert "No run so far." in words(visit(asked, "settings"))  # streamlit run starts none
    monkeypatch.setenv("FORECASTS_RUNS_STARTED", "15m")
    clock.moment = day(5) + timedelta(minutes=10)
    said = words(visit(asked, "settings"))
    assert "**Last run:** none so far. **Next:** about 6 Jan 2026, 00:15 UTC." in said
    assert "While this app is running, it checks outcomes every 15 minutes" in said
    assert "1 resolver left to another run: FORECASTS_COMMANDS_FOLDER is not set here" in said
    assert not asked.code
    run(engine, 15, 0)
    said = words(asked.run())
    assert "6 Jan 2026, 00:00 UTC, 10 minutes ago. **Next:** about 6 Jan 2026, 00:15 UTC." in said
    clock.moment = day(5) + timedelta(hours=5)
    assert "Runs have stopped" in (said := words(asked.run()))
    assert "see its log" in said
    monkeypatch.delenv("FORECASTS_RUNS_STARTED")
    clock.moment = day(5) + timedelta(minutes=20)
    assert "This app leaves runs to another scheduler." in words(asked.run())


def test_a_token_is_shown_once_and_can_be_revoked(asked: AppTest, engine: Engine) -> None:
    visit(asked, "settings")
    asked.text_input(key="token#0-who").input("resolver-bot")
    press(asked, "Create token")
    shown = asked.code[-1].value
    with database.reading(engine) as ledger:
        assert tokens.held(ledger, shown, now=day(6)).member.handle == "resolver-bot"
    press(asked, "Copied")
    assert shown.split("_", 2)[2] not in str(asked)
    asked.checkbox(key="revoke#0-sure").check()
    press(asked, "Revoke")
    with database.reading(engine) as ledger:
        assert [one.state(day(6)) for one in tokens.listing(ledger)] == ["revoked"]


def test_a_calendar_gets_an_address_that_is_shown_once(asked: AppTest, engine: Engine) -> None:
    visit(asked, "settings")
    press(asked, "Create address")
    shown = asked.code[-1].value
    token = calendar_feed.token_in(shown.rpartition("/")[2])
    with database.reading(engine) as ledger:
        assert "SUMMARY:Closes: Will it rain?" in calendar_feed.feed(
            ledger, token, app_url="", now=day(5)
        )
    press(asked, "Copied")
    press(asked, "Revoke address")
    assert "Revoked your calendar address" in confirmed(asked)[0]
    with database.reading(engine) as ledger:
        assert calendar_feed.current_token(ledger, members.member_named(ledger, "alice")) is None


def test_a_time_is_entered_in_ones_own_zone_and_stored_in_utc(
    asked: AppTest, engine: Engine
) -> None:
    with database.writing(engine) as ledger:
        alice = members.member_named(ledger, "alice")
        set_preferences(ledger, Preferences("Asia/Tokyo"), member=alice, now=day(1))
    visit(asked, "resolve", slug="rain")
    known = asked.text_input(key="resolve-rain#0-known")
    assert known.label == "Known at (Asia\\/Tokyo)"
    known.input("5 January 09:30")
    submit(asked, "resolve-rain#0", "go", outcome="yes")
    resolution = state(engine, "rain").resolution
    assert resolution is not None
    assert resolution.known_at == datetime(2026, 1, 5, 0, 30, tzinfo=UTC)


@pytest.fixture
def settings(asked: AppTest, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page, which may notify services on this machine."""
    monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "true")
    return visit(asked, "settings")


def add(app: AppTest, name: str, address: str) -> None:
    submit(app, "channel#0", "add", name=name, address=address)


def test_a_channel_is_added_tried_changed_and_removed(
    settings: AppTest, engine: Engine, service: Service
) -> None:
    add(settings, "pho*ne*", service.address("xyzzy"))
    assert "Added the channel pho*ne*" in confirmed(settings)[0]
    assert "**pho*ne*** json://…" in words(settings)
    assert not settings.exception
    settings.button(key="channel-pho*ne*#0-test").click().run()
    assert confirmed(settings) == ["Sent the test message."]
    service.answer = lambda _: 403
    settings.button(key="channel-pho*ne*#0-test").click().run()
    assert "status 403" in settings.warning[0].value
    submit(settings, "channel-pho*ne*#0", "save", events=["stale"], after=5.0)
    with database.reading(engine) as ledger:
        [said] = channels.listing(ledger, member=members.member_named(ledger, "alice"), now=day(5))
    assert (said.events, said.days_until_stale) == (("stale",), 5.0)
    shown = words(settings) + "".join(one.value or "" for one in settings.text_input)
    assert "xyzzy" not in shown
    settings.button(key="channel-pho*ne*#1-remove").click().run()
    assert "**pho*ne***" not in words(settings)


def test_an_impossible_value_is_named_in_its_place(settings: AppTest) -> None:
    add(settings, "phone", "nope://xyzzy")
    assert "cannot be read" in settings.error[0].value
    assert "xyzzy" not in settings.error[0].value


def test_uncertain_messages_are_shown_and_sent_again(
    settings: AppTest, engine: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing(engine) as ledger:
        alice = members.member_named(ledger, "alice")
        given = {"events": ["closing"], "days_before_close": 30.0, "allow_private": True}
        channels.add(ledger, "phone", service.address(), member=alice, now=day(0), **given)
    with monkeypatch.context() as patch:
        patch.setattr(sender, "_record", lambda *_: None)
        sender.send(engine, now=day(1), allow_private=True)
    assert "1 unconfirmed" in words(visit(settings, "settings"))
    settings.button(key="channel-phone#0-again").click().run()
    assert "The next run sends 1 notice again" in confirmed(settings)[0]
    assert "1 waiting" in words(settings)
    sender.send(engine, now=day(6), allow_private=True)
    assert len(service.got) == 2
