"""The daily round on the command line."""

from pathlib import Path

import pytest

from tests.cli.conftest import Clock, Fill, Run

pytestmark = pytest.mark.slow


@pytest.fixture
def ledger(forecasts: Run, clock: Clock, filled_once: Fill) -> None:
    """On 1 February: one question for each thing to do, and six without alice's forecast."""
    filled_once(lambda: fill(forecasts, clock))
    clock("2026-02-01T12:00:00Z")


def fill(forecasts: Run, clock: Clock) -> None:
    for slug in ("rain", "snow", "hail", "fog", "dew", "mist", "sleet"):
        forecasts("ask", f"Will there be {slug}?", "--closes", "2026-03-01", "--slug", slug)
    forecasts("ask", "Will it be over?", "--closes", "2026-01-20", "--slug", "over")
    forecasts("update", "rain", "40%")
    forecasts("update", "over", "40%")
    forecasts("ask", "Is it done?", "--closes", "2026-01-20", "--slug", "done")
    forecasts("update", "done", "40%")
    clock("2026-02-01T12:00:00Z")
    forecasts("resolve", "done", "no", "--known-at", "2026-01-20T12:00:00Z")


def todos(forecasts: Run, *arguments: str) -> dict[str, str]:
    """Return by ID the things to do."""
    printed = forecasts.printed("today", *arguments)
    return {one["id"]: one["todo"] for one in printed}


def test_the_summary_counts_all_and_the_table_is_in_the_order_of_urgency(
    forecasts: Run, ledger: None
) -> None:
    shown = forecasts("today")
    summary, _, *lines = shown.stdout.splitlines()
    assert summary == "6 need your forecast · 1 to review · 1 to resolve · 1 resolved"
    others = {"rain": "review", "over": "resolve", "done": "resolved"}
    unforecast = ("snow", "hail", "fog", "dew", "mist", "sleet")
    assert todos(forecasts) == dict.fromkeys(unforecast, "forecast") | others
    assert [line.split()[1] for line in lines] == [
        *("resolve", "review", *["forecast"] * 5, "resolved")
    ]
    assert "27 days old" in lines[1]
    assert "score 0.160" in lines[7]
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "forecasts today --all" in shown.stderr
    assert len(forecasts("today", "--all").stdout.splitlines()) == len(lines) + 3


def test_the_next_command_does_what_the_first_question_needs_by_its_number(
    forecasts: Run, ledger: None
) -> None:
    for stands_for, said, done in (("OUTCOME", "no", "over"), ("P", "30%", "rain")):
        *_, step = forecasts("today").stderr.splitlines()
        words = step.removeprefix("Next: forecasts ").replace(f" {stands_for}", f" {said}").split()
        assert said in forecasts(*words).stdout
        assert todos(forecasts).get(done) in (None, "resolved")


def test_only_the_newest_results_are_listed_and_that_is_said(forecasts: Run, clock: Clock) -> None:
    for number in range(6):
        forecasts("ask", f"Rain {number}?", "30%", "--closes", "2026-01-20", "--slug", f"q{number}")
    clock("2026-02-01T12:00:00Z")
    for number in range(6):
        forecasts("resolve", f"q{number}", "no", "--known-at", f"2026-01-2{6 - number}")
        if number in (3, 4):
            shown = forecasts("today", "--all")
            assert ("5 newest results" in shown.stdout) == (number == 4)
            assert ("All results: forecasts scores" in shown.stderr) == (number == 4)
    assert list(todos(forecasts)) == ["q0", "q1", "q2", "q3", "q4"]


def test_a_parked_question_is_listed_until_it_is_checked_again(
    forecasts: Run, clock: Clock, outcomes: Path
) -> None:
    outcomes.write_text("question,outcome,known_at\nrain,yes,2026-01-01\n")  # before it was asked
    clock("2026-01-06T12:00:00Z")
    forecasts("run", exit_code=3)
    assert todos(forecasts) == {"rain": "retry"}
    shown = forecasts("today")
    assert shown.stdout.startswith("1 parked\n")
    assert "Why they are parked: forecasts run status" in shown.stderr
    forecasts("run", "retry", "rain")
    assert todos(forecasts) == {}


def test_with_nothing_to_do_it_says_how_to_go_on(forecasts: Run) -> None:
    assert "Nothing to do today. Ask a question:" in forecasts("today").stdout
    assert forecasts.printed("today") == []
