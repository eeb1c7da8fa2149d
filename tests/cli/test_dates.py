"""Dates as people type them in every date option, read and printed in the member's zone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from forecasts.access.members import member_or_new
from forecasts.access.preferences import Preferences, set_preferences
from forecasts.cli import console
from forecasts.cli.root import loaded
from forecasts.ledger import database
from tests.cli.conftest import Clock, Fill, Run
from tests.conftest import day

pytestmark = pytest.mark.slow


CLOSES = "2026-12-31T23:59:59Z"
# A command for each option (or argument) that takes a date.
ARTICLE = (
    "Rain\n\nIt will rain in London by Friday, the forecasters said, and it will not stop soon."
)
ASK = ("ask", "Will it hail?")
COMPARE = ("compare", "--of", "forecasters", "--between", "alice", "--between", "bob")
COMMANDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("capture", "--captured-at"): (*("capture", "-", "--dry-run", "--captured-at", "yesterday"),),
    ("ask", "--closes"): (*ASK, "--closes", "next friday"),
    ("ask", "--opens"): (*ASK, "--closes", "in 3 weeks", "--opens", "tomorrow"),
    ("ask", "--resolves"): (*ASK, "--closes", "in 3 weeks", "--resolves", "end of january"),
    ("lint-question", "--closes"): ("lint-question", ASK[1], "--closes", "next friday"),
    ("lint-question", "--opens"): ("lint-question", ASK[1], "--opens", "tomorrow"),
    ("revise", "--closes"): ("revise", "rain", "--closes", "before Christmas"),
    ("revise", "--resolves"): ("revise", "rain", "--resolves", "in 2 months"),
    ("group new", "--closes"): ("group", "new", "Hail?", "Rye", "Ulm", "--closes", "next friday"),
    ("condition", "--closes"): ("condition", "rain", "Will it hail?", "--closes", "next friday"),
    ("close", "--at"): ("close", "rain", "--at", "yesterday"),
    ("propose", "--known-at"): (
        "propose",
        "rain",
        "yes",
        "--because",
        "x",
        "--known-at",
        "yesterday",
    ),
    ("resolve", "--known-at"): ("resolve", "rain", "yes", "--known-at", "last friday"),
    ("report", "--since"): ("report", "--since", "last month"),
    ("report", "--until"): ("report", "--until", "today"),
    ("report", "--made-before"): ("report", "--made-before", "yesterday"),
    ("report", "--as-of"): ("report", "--as-of", "yesterday"),
    ("compare", "--since"): (*COMPARE, "--since", "last month"),
    ("compare", "--until"): (*COMPARE, "--until", "today"),
    ("compare", "--made-before"): (*COMPARE, "--made-before", "yesterday"),
    ("compare", "--as-of"): (*COMPARE, "--as-of", "yesterday"),
    ("crowd", "--at"): ("crowd", "--at", "yesterday"),
    ("team add", "--since"): ("team", "add", "Alder", "bob", "--since", "last month"),
    ("token create", "--expires"): ("token", "create", "bot", "--expires", "in 3 months"),
}


def date_options(found: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield the options of the commands that take a date, each with its command."""
    for name, command in found.items():
        yield from date_options(getattr(command, "commands", {}), (*path, name))
        for parameter in command.params:
            if parameter.metavar in ("TIME", "DATE"):
                yield " ".join((*path, name)), parameter.opts[0]


@pytest.fixture(autouse=True)
def _filled(forecasts: Run, clock: Clock, filled_once: Fill) -> None:
    """Two questions since 10 November; it is Friday, 27 November 2026."""

    def fill() -> None:
        forecasts("ask", "Will it rain?", "40%", "--closes", CLOSES, "--slug", "rain")
        forecasts("update", "rain", "50%", "--as", "bob")
        bounds = ("--type", "date", "--lower", "november 2026", "--upper", "end of 2027")
        forecasts("ask", "When will it land?", *bounds, "--closes", CLOSES, "--slug", "landing")
        forecasts("team", "create", "Alder")

    clock("2026-11-10T12:00:00Z")
    filled_once(fill)
    clock("2026-11-27T11:10:00Z")


def test_each_date_option_of_the_tree_has_a_command_here() -> None:
    of_a_model = {("model accept", "--closes")}  # in test_models_commands
    assert set(date_options(loaded())) == set(COMMANDS) | of_a_model


@pytest.mark.parametrize("option", COMMANDS, ids=" ".join)
def test_each_date_option_understands_dates_as_people_type_them(
    forecasts: Run, option: tuple[str, str]
) -> None:
    *before, given = COMMANDS[option]
    assert "is not a date" in forecasts.refused(*before, "soonish", input="Nothing.")
    forecasts(*before, given, input=ARTICLE)


def test_bounds_quantiles_and_outcomes_of_date_questions_too(forecasts: Run, clock: Clock) -> None:
    question = forecasts.printed("show", "landing")
    assert (question["lower_bound"], question["upper_bound"]) == ("2026-11-01", "2027-12-31")
    said = forecasts("update", "landing", "10%=next friday, 50%=end of march, 90%=Q3 2027").stdout
    assert "10th percentile: 2026-12-04, 50th: 2027-03-31, 90th: 2027-09-30" in said
    clock("2027-01-15T12:00:00Z")
    refused = forecasts.refused("resolve", "landing", "last week")
    assert "more than one day" in refused
    forecasts("propose", "landing", "wednesday", "--because", "Seen.", "--as", "bob")
    said = forecasts("resolve", "landing", "yesterday").stdout
    assert said.startswith("landing: 2027-01-14, known at")


# --- the member's zone -----------------------------------------------------------------------


@pytest.fixture
def tokyo(ledger_url: str) -> None:
    """The settings of alice have the zone of Tokyo."""
    with database.writing(database.open_engine(ledger_url)) as session:
        alice = member_or_new(session, "alice", now=day(0))
        set_preferences(session, Preferences("Asia/Tokyo"), member=alice, now=day(0))


@pytest.mark.usefixtures("tokyo")
def test_times_are_read_and_printed_in_the_zone_of_the_settings(
    forecasts: Run, clock: Clock
) -> None:
    forecasts("capture", "-", input=ARTICLE)
    [slug] = forecasts("articles", "1", "--register", "1").stdout.split()
    assert forecasts.printed("show", slug)["scheduled_close_time"] == "2026-11-27T14:59:59Z"
    # The same day, so the same question.
    refused = forecasts.refused("ask", "--article", "1", "--draft", "1")
    assert f"already registered as '{slug}'" in refused
    clock("2026-11-27T20:00:00Z")  # Saturday morning in Tokyo
    said = forecasts("ask", "Will it hail tomorrow?", "30%", "--slug", "hail").stderr
    assert "it closes at 2026-11-29 23:59 JST (from 'tomorrow')" in said
    assert forecasts.printed("show", "hail")["scheduled_close_time"] == "2026-11-29T14:59:59Z"
    assert "closes 2026-11-29 23:59 JST" in forecasts("show", "hail").stdout
    assert "2026-11-29" in forecasts("questions").stdout
    assert "2026-12-31" in forecasts("questions").stdout  # the end of a day in UTC is that day
    said = forecasts("resolve", "rain", "yes", "--known-at", "yesterday 23:00").stdout
    assert "known at 2026-11-27 23:00 JST" in said


@pytest.mark.usefixtures("tokyo")
def test_without_settings_they_are_in_the_zone_of_the_computer_or_in_utc(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "get_localzone", lambda: ZoneInfo("America/New_York"))
    assert "2027-01-01 08:59 JST" in forecasts("show", "rain").stdout
    said = forecasts("ask", "Will it hail tomorrow?", "--as", "bob").stderr
    assert "it closes at 2026-11-28 23:59 EST (from 'tomorrow')" in said
    assert "2026-12-31 18:59 EST" in forecasts("show", "rain", "--as", "bob").stdout

    def unknown() -> None:
        raise ZoneInfoNotFoundError("TZ is 'foo'.")

    monkeypatch.setattr(console, "get_localzone", unknown)
    assert "2026-12-31 23:59 UTC" in forecasts("show", "rain", "--as", "bob").stdout
