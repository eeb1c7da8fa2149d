"""Showing one question: an overview of one screen, everything, and JSON."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.ledger import database
from forecasts.ledger.models import Forecast, Member, Question
from forecasts.updates.comments import comment
from tests.cli.conftest import Clock, Fill, Run

pytestmark = pytest.mark.slow


LONG = "the ferry, the bridge and the council of Brenholt, as its minutes record them, " * 6


@pytest.fixture
def ferry(forecasts: Run, clock: Clock, filled_once: Fill) -> str:
    """A question whose every text is long, with many forecasters, evidence and an outcome."""
    filled_once(lambda: fill(forecasts, clock))
    clock("2026-01-20T12:00:00Z")
    return NAME


NAME = "which-of-the-bridges-replaces-the-old-ferry"


def fill(forecasts: Run, clock: Clock) -> None:
    options = [part for n in range(12) for part in ("--option", f"Bridge number {n} of Brenholt")]
    forecasts(
        *("ask", f"Which bridge replaces {LONG[:150]}?", "--closes", "2026-03-01"),
        *("--slug", NAME, "--criteria", LONG),
        *("--background", LONG, "--fine-print", LONG, *options, "--visible-to", "me"),
    )
    value = "Bridge number 1 of Brenholt=30%, Bridge number 2 of Brenholt=40%"
    for day in range(6, 16):
        clock(f"2026-01-{day:02}T12:00:00Z")
        reason = ("--because", f"reason {day}: {LONG}", "--evidence", f"supports: note {day}")
        forecasts("update", NAME, value, *reason)
    clock("2026-01-20T12:00:00Z")
    forecasts("resolver", "policy", NAME, "confirm", "--dispute-days", "30")
    because = ("--because", LONG, "--source", "https://example.org/" + "a" * 90)
    forecasts("resolve", NAME, "Bridge number 1 of Brenholt", *because)


def test_the_overview_fits_a_screen_of_80_columns_and_24_lines(forecasts: Run, ferry: str) -> None:
    shown = forecasts("show", ferry)
    lines = [*shown.stdout.splitlines(), *shown.stderr.splitlines()]
    assert len(lines) < 24  # the last is the prompt's
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    for words in (
        *("Visible only to its author", "Options: Bridge", "Criteria: the ferry", "You: "),
        *("Forecasts: 10", "alice: Bridge number 2 of Brenholt 40%"),
        *("Resolution: confirmed: Bridge number 1", "Its scores are provisional until 2026-02-19"),
        "  alice: Brier 0.",
    ):
        assert words in shown.stdout


def test_everything_is_shown_when_asked_for_and_in_json(forecasts: Run, ferry: str) -> None:
    assert forecasts("show", ferry).stderr == f"Everything: forecasts show {ferry} --all\n"
    everything = forecasts("show", ferry, "--all").stdout
    for words in ("\nYou: ", "Background: ", "Fine print: ", "supports: note 6", "reason 6: "):
        assert words in everything
    shown = forecasts.printed("show", ferry)
    assert (shown["id"], shown["status"], shown["type"]) == (ferry, "resolved", "multiple_choice")
    first = shown["forecasts"][0]
    assert (first["made_at"], len(shown["forecasts"])) == ("2026-01-06T12:00:00Z", 10)
    assert first["probabilities"][1:3] == [0.3, 0.4]
    assert first["evidence"][0]["note"] == "note 6"
    assert [one["state"] for one in shown["resolutions"]] == ["confirmed"]
    assert shown["scores"][0]["forecaster"] == "alice"


def test_a_short_question_names_the_missing_parts(forecasts: Run, clock: Clock) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-01-15", "--slug", "rain")
    assert forecasts("show", "rain").stdout.splitlines()[1:] == [
        "rain · open · binary · opened 2026-01-05 · closes 2026-01-15 23:59 UTC",
        'Criteria: none yet. Write them: forecasts revise rain --criteria "…"',
        "You: no forecast yet",
        "No forecasts yet.",
    ]
    clock("2026-01-06T12:00:00Z")
    forecasts("resolve", "rain", "no")
    assert "\nCriteria: none\n" in forecasts("show", "rain").stdout


def test_a_question_names_its_resolver_and_why_it_is_parked(
    forecasts: Run, clock: Clock, outcomes: Path
) -> None:
    assert "\nResolver: outcomes_file, not checked yet\n" in forecasts("show", "rain").stdout
    clock("2026-01-06T12:00:00Z")
    forecasts("run")
    said = forecasts("show", "rain").stdout
    assert "\nResolver: outcomes_file, checked 2026-01-06 12:00 UTC\nFailed attempts: 1, " in said
    outcomes.write_text("question,outcome,known_at\nrain,yes,2026-01-01\n")
    clock("2026-01-07T12:00:00Z")
    forecasts("run", exit_code=3)
    for options in ((), ("--all",)):
        said = " ".join(forecasts("show", "rain", *options).stdout.split())
        assert "Parked since 2026-01-07 12:00 UTC: " in said
        assert "To check it again: forecasts run retry rain." in said
        assert "To resolve it yourself: forecasts resolve rain OUTCOME" in said
    forecasts("resolve", "rain", "no")
    assert "Parked" not in forecasts("show", "rain").stdout


def test_ones_own_score_is_shown_beside_the_best_ones(forecasts: Run, clock: Clock) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-01-15", "--slug", "rain")
    chances = {"bob": "90%", "carol": "80%", "dora": "70%", "eve": "60%", "alice": "5%"}
    for who, p in chances.items():
        forecasts("update", "rain", p, "--as", who)
    assert "You: 5% · Crowd of 5: 70%" in forecasts("show", "rain").stdout
    clock("2026-01-16")
    forecasts("resolve", "rain", "yes")
    _, scores = forecasts("show", "rain").stdout.split("Scores (0 is best): 5\n")
    assert [line.split(":")[0] for line in scores.splitlines()] == [
        *("  bob", "  carol", "  dora", "  alice")
    ]


def test_the_quick_commands_start_without_pandas_and_the_api(forecasts: Run) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2999-12-31", "--slug", "rain")
    commands = [["questions"], ["show", "rain"], ["update", "rain", "30%"], ["run"]]
    program = f"""
import sys
from forecasts.cli.main import app
for words in {commands!r}:
    app(words, standalone_mode=False)
    heavy = {{"pandas", "scipy", "fastapi", "starlette", "mcp", "uvicorn", "httpx"}}
    print("loaded by", words[0], *heavy & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    loaded = [line for line in done.stdout.splitlines() if line.startswith("loaded by")]
    quick = [f"loaded by {words[0]}" for words in commands[:3]]
    assert loaded == [*quick, "loaded by run httpx"], done.stderr  # a run may fetch a page


def test_reasons_that_follow_a_forecast_and_other_comments_are_shown(
    forecasts: Run, engine: Engine, clock: Clock
) -> None:
    clock("2026-01-06T12:00:00Z")
    forecasts("ask", "Will it rain?", "40%", "--closes", "2026-03-01", "--slug", "rain")
    with database.writing(engine) as session:
        [question] = session.exec(select(Question))
        [made] = session.exec(select(Forecast))
        alice = session.get_one(Member, made.member_id)
        by = {"member": alice, "now": made.made_at}
        comment(session, question, "Dark clouds.", explains_forecast=True, **by)
        comment(session, question, "Which gauge?", **by)
    assert "40% — Dark clouds." in forecasts("show", "rain").stdout
    everything = forecasts("show", "rain", "--all").stdout
    assert "40% — Dark clouds." in everything
    assert "comments: Which gauge?" in everything
    [forecast] = forecasts.printed("show", "rain")["forecasts"]
    assert forecast["rationale"] == "Dark clouds."


def test_a_hidden_crowd_is_not_no_forecasts(forecasts: Run) -> None:
    ask = ("ask", "Will it rain?", "40%", "--closes", "2026-03-01", "--slug", "rain")
    forecasts(*ask, "--hide-crowd")
    for options in ((), ("--all",)):
        said = forecasts("show", "rain", "--as", "bob", *options).stdout
        assert "Forecasts: hidden until you forecast." in said
        assert "No forecasts yet." not in said
    forecasts("update", "rain", "30%", "--as", "bob")
    assert "Forecasts: 2" in forecasts("show", "rain", "--as", "bob").stdout
