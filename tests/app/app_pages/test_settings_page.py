"""Settings: what a member chooses, what runs, and the secrets that are shown once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from forecasts.access import members, tokens
from forecasts.access.members import member_or_new
from forecasts.access.preferences import Preferences, preferences, set_preferences
from forecasts.access.roles import ensure_admin
from forecasts.agenda import calendar_feed, revisits
from forecasts.ledger import database
from forecasts.ledger.models import Resolution, Theme
from forecasts.resolution.progress import record_run
from tests.app.conftest import Clock, errors, forecasts, press, submit, toasts, visit, words
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


@pytest.fixture
def asked(engine: Engine, app: AppTest) -> AppTest:
    """A ledger with a question of alice, the current member."""
    with database.writing(engine) as ledger:
        ask(ledger, member_or_new(ledger, "alice", now=day(0)), slug="rain")
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
    assert toasts(asked) == ["Saved your settings."]
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


def test_before_the_first_run_the_page_has_the_command_that_schedules_runs(
    asked: AppTest,
) -> None:
    visit(asked, "settings")
    assert "No run so far." in words(asked)
    assert asked.code[0].value.startswith("(crontab -l; forecasts schedule cron --database /")


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


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([0], "**Last run:** 6 Jan 2026, 00:00 UTC, 10 minutes ago. **Next:** not known until"),
        ([60, 0], "**Next:** about 6 Jan 2026, 01:00 UTC."),
        ([45, 30], "Runs have stopped: the last one was 5 Jan 2026, 23:30 UTC, 40 minutes ago"),
        ([4, 3.6], "**Next:** not known until there have been two scheduled ones."),
    ],
)
def test_the_page_says_when_the_last_run_was_and_when_the_next_is_due(
    asked: AppTest, engine: Engine, clock: Clock, runs: list[float], said: str
) -> None:
    run(engine, *runs)
    clock.moment = day(5) + timedelta(minutes=10)
    assert said in words(visit(asked, "settings"))


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
    assert "Revoked your calendar address" in asked.toast[0].value
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
    with database.reading(engine) as ledger:
        [known_at] = ledger.exec(select(Resolution.known_at))
    assert known_at == datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
