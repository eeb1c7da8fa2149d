"""Listing and showing questions."""

import re

import pytest
from sqlalchemy import Engine

from forecasts.cli.questions import print_questions
from forecasts.ledger import database
from forecasts.questions.standing import listing
from tests.cli.conftest import Clock, Fill, Run
from tests.conftest import START


@pytest.fixture
def ledger(forecasts: Run, clock: Clock, filled_once: Fill) -> None:
    """One question in each status, on 20 January."""

    def fill() -> None:
        clock("2026-01-01T12:00:00Z")
        for slug in ("open", "awaiting", "proposed", "resolved", "annulled", "ambiguous"):
            closes = "2026-01-10" if slug == "awaiting" else "2026-03-01"
            forecasts("ask", f"Is it {slug}?", "--closes", closes, "--slug", slug)
        later = ("--opens", "2026-02-01", "--closes", "2026-03-01", "--tag", "spring")
        forecasts("ask", "Is it upcoming?", "--slug", "upcoming", *later)
        clock("2026-01-20T12:00:00Z")
        forecasts("propose", "proposed", "yes", "--because", "Seen.")
        for slug in ("resolved", "annulled", "ambiguous"):
            forecasts("resolve", slug, "yes" if slug == "resolved" else slug)

    filled_once(fill)
    clock("2026-01-20T12:00:00Z")


STATUSES = ["upcoming", "open", "awaiting", "proposed", "resolved", "annulled", "ambiguous"]


def test_a_status_filters_questions_and_is_printed_for_scripts(
    forecasts: Run, ledger: None
) -> None:
    rows = {}
    for status in STATUSES:
        lines = forecasts("questions", "--status", status).stdout.splitlines()
        rows[status] = [line.split("\t") for line in lines]
        stage = "open" if status == "proposed" else status
        assert rows[status][0][:3] == [status, f"Is it {status}?", stage]
        assert [row[5] for row in rows[status]] == [
            "1 proposal" if row[0] == "proposed" else "" for row in rows[status]
        ]
    # A proposal does not hide an open question.
    assert {name: len(found) for name, found in rows.items() if len(found) > 1} == {"open": 2}
    assert rows["open"][1] == rows["proposed"][0]
    for unknown in ("awaiting resolution", ""):
        refused = forecasts.refused("questions", "--status", unknown)
        assert f"--status {unknown!r} is not known." in refused
        assert all(status in refused for status in STATUSES)
    said = forecasts("questions", "--status", "open", "--tag", "spring").stdout
    assert said == "No question matches. To see them all: forecasts questions --all\n"


@pytest.mark.slow
def test_a_search_finds_words_and_a_typo_finds_similar_ones(forecasts: Run, ledger: None) -> None:
    def found(*arguments: str) -> list[str]:
        lines = forecasts("questions", *arguments).stdout.splitlines()
        return [line.partition("\t")[0] for line in lines]

    assert found("--search", "it UPCOMING") == ["upcoming"]
    assert found("--search", "is it", "--status", "open") == ["open", "proposed"]
    typo = forecasts("questions", "--search", "upcomign")
    assert typo.stdout.startswith("upcoming\t")
    assert typo.stderr == "No question has these words; similar ones: upcoming.\n"
    assert found("--search", "zzzz")[0].startswith("No question matches.")
    forecasts("update", "open", "40%", "--because", "The dam is full.", "--as", "bob")
    [line] = forecasts("questions", "--search", "DAM").stdout.splitlines()
    assert line.split("\t")[6] == "in a reason: The dam is full."
    [one] = forecasts.printed("questions", "--search", "dam")
    assert one["found"] == "in a reason: The dam is full."


@pytest.mark.slow
def test_own_forecasts_are_last_in_the_list(forecasts: Run, ledger: None) -> None:
    for who, percent in (("alice", "40%"), ("bob", "70%")):
        forecasts("update", "open", percent, "--as", who)

    def last(*arguments: str) -> dict[str, str]:
        lines = forecasts("questions", *arguments).stdout.splitlines()
        return {line.split("\t")[0]: line.split("\t")[4] for line in lines}

    assert last() == dict.fromkeys(STATUSES, "") | {"open": "40%"}
    assert last("--as", "bob")["open"] == "70%"
    by_id = {one["id"]: one for one in forecasts.printed("questions")}
    assert by_id["open"]["forecast"]["probability"] == 0.4
    assert by_id["awaiting"]["forecast"] is None
    assert by_id["resolved"]["outcome"] == "yes"
    assert (by_id["proposed"]["status"], by_id["proposed"]["proposals"]) == ("open", 1)


def test_each_question_has_one_line_of_a_terminal_and_a_long_title_ends_in_an_ellipsis(
    forecasts: Run,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    title = "Will the council of Brenholt replace its old ferry by a bridge, and by which one?"
    forecasts("ask", title, "--closes", "2026-01-25")
    with database.reading(engine) as session:
        rows = listing(session, now=START)
    printed = []
    for width in (80, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        print_questions(rows, {state.id: "Four or more 65%" for state in rows})
        printed.append(capsys.readouterr().out.splitlines())
    narrow, wide = printed
    assert [len(lines) for lines in (narrow, wide)] == [2, 2]
    assert all(len(line) <= 80 for line in narrow)
    assert re.search(r"^ *1  2026-01-25  Four or m…  upcoming +Will the council .*…$", narrow[1])
    assert title in wide[1]


def test_open_questions_are_first_and_past_ones_begin_with_the_latest(
    forecasts: Run, ledger: None
) -> None:
    forecasts("ask", "Is it soon?", "--closes", "2026-02-01", "--slug", "soon")
    slugs = [line.split("\t")[0] for line in forecasts("questions").stdout.splitlines()]
    assert slugs == [
        *("soon", "open", "proposed", "upcoming"),
        *("awaiting", "resolved", "ambiguous", "annulled"),
    ]
