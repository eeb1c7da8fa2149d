"""Listing and showing questions."""

import io
from collections.abc import Callable

import pytest
from click.testing import Result
from rich.console import Console
from sqlalchemy import Engine

from forecasts.cli.questions import table_of
from forecasts.ledger import database
from forecasts.questions.standing import listing
from tests.conftest import START

Run = Callable[..., Result]
Clock = Callable[[str], None]


@pytest.fixture
def ledger(forecasts: Run, clock: Clock) -> None:
    """One question in each status, on 20 January."""
    clock("2026-01-01T12:00:00Z")
    for slug, closes in (
        ("open", "2026-03-01"),
        ("awaiting", "2026-01-10"),
        ("proposed", "2026-03-01"),
        ("resolved", "2026-03-01"),
        ("annulled", "2026-03-01"),
        ("ambiguous", "2026-03-01"),
    ):
        forecasts("ask", f"Is it {slug}?", "--closes", closes, "--slug", slug)
    later = ("--opens", "2026-02-01", "--closes", "2026-03-01", "--tag", "spring")
    forecasts("ask", "Is it upcoming?", "--slug", "upcoming", *later)
    clock("2026-01-20T12:00:00Z")
    forecasts("propose", "proposed", "yes")
    forecasts("resolve", "resolved", "yes")
    forecasts("resolve", "annulled", "annulled")
    forecasts("resolve", "ambiguous", "ambiguous")


STATUSES = ["upcoming", "open", "awaiting", "proposed", "resolved", "annulled", "ambiguous"]


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_picks_the_questions_that_have_it_and_is_what_a_script_reads(
    forecasts: Run, ledger: None, status: str
) -> None:
    [line] = forecasts("questions", "--status", status).stdout.splitlines()
    assert line.split("\t")[:3] == [status, f"Is it {status}?", status]


@pytest.mark.parametrize("status", ["foo", "a", "open ", "awaiting resolution", ""])
def test_a_status_that_there_is_not_is_refused_with_those_that_there_are(
    forecasts: Run, ledger: None, status: str
) -> None:
    refused = forecasts("questions", "--status", status, exit_code=2)
    assert f"--status {status!r} is not known." in refused.stderr
    for known in STATUSES:
        assert known in refused.stderr


def test_a_filter_that_no_question_passes_is_not_an_empty_ledger(
    forecasts: Run, ledger: None
) -> None:
    said = forecasts("questions", "--status", "open", "--tag", "spring").stdout
    assert said == "No question matches. To see them all, omit --status and --tag.\n"


def test_lists_begin_with_the_newest(forecasts: Run, clock: Clock) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2026-01-25", "--slug", "rain")
    for day, percent in (("2026-01-06", "40%"), ("2026-01-07", "50%")):
        clock(f"{day}T12:00:00Z")
        forecasts("update", "rain", percent)
    forecasts("revise", "rain", "--title", "Will it pour?", "--because", "first")
    forecasts("revise", "rain", "--title", "Will it rain?", "--because", "second")
    clock("2026-01-08T12:00:00Z")
    forecasts("resolve", "rain", "yes")
    forecasts("resolve", "rain", "no")
    shown = forecasts("show", "rain").stdout
    for newer, older in (
        ("alice: 50%", "alice: 40%"),
        ("alice: second", "alice: first"),
        ("confirmed: no", "confirmed: yes"),
    ):
        assert 0 < shown.index(newer) < shown.index(older)


def test_what_one_has_said_stands_last_in_the_list(forecasts: Run, ledger: None) -> None:
    for who, percent in (("alice", "40%"), ("bob", "70%")):
        forecasts("update", "open", percent, "--as", who)

    def last(*arguments: str) -> dict[str, str]:
        lines = forecasts("questions", *arguments).stdout.splitlines()
        return {line.split("\t")[0]: line.split("\t")[4] for line in lines}

    assert last() == dict.fromkeys(STATUSES, "") | {"open": "40%"}
    assert last("--as", "bob")["open"] == "70%"
    assert set(last("--as", "nobody").values()) == {""}


def test_on_a_narrow_terminal_the_title_gives_way_and_the_slug_stays_whole(
    forecasts: Run, clock: Clock, engine: Engine
) -> None:
    slug = "will-the-council-of-brenholt-replace-its-old-ferry"
    title = "Will the council of Brenholt replace its old ferry by a bridge?"
    forecasts("ask", title, "--closes", "2026-01-25", "--slug", slug)
    paper = io.StringIO()
    console = Console(width=100, file=paper, markup=False)
    with database.reading(engine) as session:
        rows = listing(session, now=START)
        console.print(table_of(rows, {rows[0].id: "40%"}))
    printed = paper.getvalue()
    assert f"{slug} " in printed
    assert "…" not in printed
    assert set(title.split()) < set(printed.split())
