"""Teams, roles and visibility, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forecasts.cli.root import loaded
from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow

UNTIL = ("--closes", "2026-02-01", "--criteria", "As the gazette says.")


@pytest.fixture
def alder(forecasts: Run) -> Run:
    """A team that alice made and is an admin of, with bob who forecasts and carol who resolves."""
    made = forecasts("team", "create", "Alder")
    assert made.stdout == "Alder: created, without members\n"
    assert "To add a member, or yourself: forecasts team add Alder HANDLE" in made.stderr
    assert "alice is now this ledger's admin" in made.stderr
    assert "may see its earlier questions, also those without resolution criteria" in made.stderr
    added = forecasts("team", "add", "Alder", "bob").stderr
    assert "bob is new here. If the name is wrong: forecasts team remove Alder bob" in added
    assert "new here" not in forecasts("team", "add", "Alder", "alice", "--role", "admin").stderr
    forecasts("team", "add", "Alder", "carol", "--role", "resolver")
    return forecasts


def test_the_example_of_the_page_comes_out(alder: Run) -> None:
    changed = alder("team", "role", "Alder", "bob", "viewer").stdout
    assert changed == "Alder: bob is now a viewer\n"
    assert alder("team", "remove", "Alder", "bob").stdout == "Alder: bob has left\n"
    alder("team", "appoint", "dora", "admin")
    alder("team", "agree", "Alder", "--second-resolver")
    unknown = "There is no member 'bop' in this ledger. Did you mean bob?"
    assert unknown in alder("questions", "--as", "bop").stderr
    assert "no member" not in alder("questions", "--as", "").stderr
    assert alder("team", "show").stdout == (
        "Alder: nobody resolves alone a question that they have forecast\n"
        "  alice: admin since 2026-01-05\n"
        "  carol: resolver since 2026-01-05\n"
        "The whole ledger\n"
        "  alice: admin\n"
        "  dora: admin\n"
    )
    assert "There is no team 'Birch'" in alder.refused("team", "show", "Birch")
    said = alder.refused("team", "add", "Alder", "eve", "--role", "boss")
    assert "A role 'boss' is not known. Use viewer, forecaster, resolver or admin." in said
    refused = alder.refused("team", "add", "Alder", "eve", "--as", "carol")
    assert "carol may not manage the members of Alder: carol is a resolver in Alder" in refused
    assert "Ask alice or dora to do it." in refused


def test_a_members_past_counts_since_a_day_and_shows_as_entered_later(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    forecasts("ask", "Will it rain?", "40%", "--slug", "rain", *UNTIL)
    clock("2026-01-06T09:00:00Z")
    forecasts("team", "create", "Alder")
    forecasts("team", "add", "Alder", "alice", "--role", "admin")
    publish = ("publish", str(tmp_path / "record"), "--team", "Alder")
    said = forecasts.refused(*publish)
    assert "1 of its members' forecasts are from before they joined, or after they left." in said
    assert "names the day: forecasts team add Alder MEMBER --since DAY" in said
    added = forecasts("team", "add", "Alder", "alice", "--since", "2025-12-01").stdout
    assert added == "Alder: alice is now an admin; forecasts count since 2025-12-01\n"
    since = "forecasts count since 2025-12-01 (entered 2026-01-06)"
    assert f"  alice: admin since 2026-01-06; {since}\n" in forecasts("team", "show").stdout
    [alice] = forecasts.printed("team", "show")["teams"][0]["members"]
    assert alice["entered_later"] == {
        "since": "2025-12-01T00:00:00Z",
        "entered_at": "2026-01-06T09:00:00Z",
    }
    assert "Alder (alice): 1 forecast on 1 question." in forecasts(*publish).stdout
    page = (tmp_path / "record" / "index.html").read_text("utf-8")
    assert "Entered in the team later, with earlier forecasts: <bdi>alice</bdi>." in page
    clock("2026-01-07T09:00:00Z")
    corrected = forecasts("team", "add", "Alder", "alice", "--since", "2026-01-06").stdout
    now = "forecasts count since 2026-01-06 (before: since 2025-12-01)"
    assert corrected == f"Alder: alice is now an admin; {now}\n"
    forecasts("export", str(tmp_path / "corrected"))
    assert "2025-12-01" not in (tmp_path / "corrected" / "teams.csv").read_text()


def test_a_teams_question_is_nowhere_for_others(alder: Run, tmp_path: Path) -> None:
    asked = alder("ask", "Will it rain?", "--slug", "rain", *UNTIL, "--visible-to", "Alder")
    assert "Visible only to Alder and its author." in asked.stderr
    alder("update", "rain", "40%", "--as", "bob")
    assert "Visible only to Alder and its author." in alder("show", "rain", "--as", "bob").stdout
    assert "No questions" in alder("questions", "--as", "eve").stdout
    said = alder.refused("show", "rain", "--as", "eve")
    assert "There is no member 'eve' in this ledger. There is no question 'rain' in" in said
    alder("export", str(tmp_path / "hers"), "--as", "eve")
    assert "rain" not in (tmp_path / "hers" / "questions.csv").read_text()
    whole = alder("export", str(tmp_path / "whole"))
    assert "1 question with limited visibility or a hidden crowd" in whole.stderr
    assert "rain" in (tmp_path / "whole" / "questions.csv").read_text()
    refused = alder.refused("resolve", "rain", "yes", "--as", "bob")
    assert "bob may not decide the outcome of 'rain': bob is a forecaster in Alder" in refused
    assert "Ask alice or carol to do it." in refused
    said = alder("revise", "rain", "--visible-to", "everyone", "--as", "carol").stdout
    assert "visibility: Alder and its author → everyone" in said
    assert "team:" not in said  # it is still the team's
    assert "rain" in alder("questions", "--as", "eve").stdout


def resolved_in_alder(alder: Run, clock: Clock) -> None:
    """Ask and resolve a question that Alder's members see, with a forecast of bob's."""
    alder("ask", "Will it rain?", "--slug", "rain", *UNTIL, "--visible-to", "Alder")
    alder("update", "rain", "40%", "--as", "bob")
    clock("2026-02-02T12:00:00Z")
    alder("resolve", "rain", "yes", "--as", "carol")


def test_scores_and_reports_count_only_visible_questions(
    alder: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved_in_alder(alder, clock)
    for who, seen in (("bob", True), ("eve", False)):
        monkeypatch.setenv("FORECASTS_MEMBER", who)
        for command in ("score", "crowd", "attribute"):
            assert ("rain," in alder(command).stdout) == seen
        assert ('"questions": 1' in alder("report", "--format", "json").stdout) == seen


def test_a_question_for_oneself_makes_the_ledger_a_shared_one(forecasts: Run) -> None:
    assert "This ledger has no admin" in forecasts("team", "show").stdout
    asked = forecasts("ask", "Mine?", "--slug", "mine", *UNTIL, "--visible-to", "me")
    assert "alice is now this ledger's admin" in asked.stderr
    assert "No questions" in forecasts("questions", "--as", "bob").stdout


def test_every_command_that_reads_or_acts_for_a_member_takes_their_name() -> None:
    """The others are for the ledger itself, or for its operator."""
    without = set()

    def look(command: Any, *names: str) -> None:
        for name, one in getattr(command, "commands", {}).items():
            look(one, *names, name)
        given = {option for one in command.params for option in one.opts}
        if "--database" in given and "--as" not in given:
            without.add(" ".join(names))

    for name, command in loaded().items():
        look(command, name)
    assert without == {
        *("api", "backup", "check", "digest", "identify", "migrate", "move", "rescore", "restore"),
        *("run", "schedule cron", "schedule kubernetes", "schedule systemd", "verify"),
    }


def test_a_name_is_given_by_as_or_by_the_environment_alike(
    alder: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved_in_alder(alder, clock)
    for who, seen in (("bob", True), ("eve", False)):
        for command in ("score", "crowd", "attribute", "report"):
            by_as = alder(command, "--as", who).stdout
            monkeypatch.setenv("FORECASTS_MEMBER", who)
            assert alder(command).stdout == by_as
            monkeypatch.setenv("FORECASTS_MEMBER", "alice")
            assert command == "report" or ("rain," in by_as) == seen


@pytest.mark.parametrize("kind", ["postgresql"])
def test_on_a_server_as_is_the_name_unless_the_environment_names_someone_else(
    alder: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    alder("ask", "Will it rain?", "--slug", "rain", *UNTIL)
    said = alder.refused("update", "rain", "40%", "--as", "bob")
    assert "alice cannot act as bob: in a shared ledger, members act in their own name." in said
    assert "Leave out --as, or set FORECASTS_MEMBER to bob if that is you." in said
    monkeypatch.delenv("FORECASTS_MEMBER")
    alder("update", "rain", "40%", "--as", "bob")
    assert "bob" in alder("show", "rain", "--as", "bob").stdout
