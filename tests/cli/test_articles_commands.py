"""From a captured page to a registered question, with the numbers that the commands print."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import Clock, Fill, Run

PAGE = """\
Harbour town votes on its old ferry

The Coast Courier

3 days ago

The council of Brenholt met on Monday to talk about the ferry that has crossed the bay since 1952.
Two of its engines failed last winter, and the yard may not repair the ferry again.
The council will decide by the end of March 2026 whether the ferry is replaced by a bridge.
The mayor said that she would not stand in the way of either answer.
"""
PAST = """\
How the harbour was dug

The Coast Courier

3 days ago

The harbour of Brenholt was dug by hand between 1880 and 1891, and forty men died of it.
Nobody has counted the stones since, and the plans were lost in a fire a hundred years ago.
"""
CRITERIA = "The council's minutes record a decision."


@pytest.fixture
def dated(forecasts: Run, clock: Clock, filled_once: Fill) -> int:
    """The number of the draft with a deadline, in article 1."""
    filled_once(lambda: forecasts("capture", "-", input=PAGE))
    [article] = json.loads(forecasts("articles", "1", "--format", "json").stdout)["articles"]
    assert article["number"] == 1
    [number] = [draft["number"] for draft in article["drafts"] if draft["close_date"]]
    return int(number)


@pytest.fixture
def undated(dated: int) -> int:
    """The number of the draft before it, which has no deadline."""
    return dated - 1


def next_step(said: Result) -> list[str]:
    """Return the words of the next command that was printed, without the program's name."""
    [line] = re.findall(r"(?:Next|Add them): (forecasts .*)", said.stderr)
    program, *words = shlex.split(line)
    assert program == "forecasts"
    return words


@pytest.mark.slow
def test_a_capture_ends_with_the_command_that_makes_a_question_of_its_draft(
    forecasts: Run, clock: Clock
) -> None:
    step = next_step(forecasts("capture", "-", input=PAGE))
    assert step[:2] == ["ask", "--article"]
    assert step[-2:] == ["--criteria", "…"]
    step[-1] = CRITERIA
    asked = forecasts(*step)
    assert "it closes at 2026-03-31 23:59 UTC" in asked.stderr
    assert "Warning" not in asked.stderr
    assert CRITERIA in forecasts("show", asked.stdout.strip(), "--all").stdout


@pytest.mark.slow
def test_a_question_takes_wording_passage_and_close_from_its_draft(
    forecasts: Run, dated: int
) -> None:
    asked = forecasts("ask", "--article", "1", "--draft", str(dated), "--criteria", CRITERIA)
    slug = asked.stdout.strip()
    listed = forecasts("articles", "1").stdout
    [wording] = re.findall(rf"{dated}\. (.*) \(closes 2026-03-31\)", listed)
    assert wording in asked.stderr
    assert f"already asked: {slug}" in listed
    assert slug in forecasts("questions").stdout


def test_without_a_deadline_in_the_text_the_close_is_asked_for(
    forecasts: Run, undated: int
) -> None:
    assert f"  {undated}. " in forecasts("articles", "1", "--all").stdout
    refused = forecasts("ask", "--article", "1", "--draft", str(undated), exit_code=2)
    assert f"Draft {undated} gives no deadline" in refused.stderr
    assert "--closes YYYY-MM-DD" in refused.stderr


def test_the_next_step_asks_for_a_close_where_every_deadline_has_passed(
    forecasts: Run, dated: int, clock: Clock
) -> None:
    clock("2026-06-01T12:00:00Z")
    shown = forecasts("articles", "1")
    assert "(deadline 2026-03-31 has passed)" in shown.stdout
    assert "--closes" in next_step(shown)
    refused = forecasts("ask", "--article", "1", "--draft", str(dated), exit_code=2)
    assert f"The deadline of draft {dated}, 2026-03-31, has passed" in refused.stderr


@pytest.mark.slow
def test_the_next_step_names_the_ledger_and_the_member_that_were_named(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    other = str(tmp_path / "another ledger.sqlite3")
    options = ("--database", other, "--as", "bob")
    step = next_step(forecasts("capture", "-", *options, input=PAGE))
    assert step[-4:] == [*options]
    warned = forecasts(*(word for word in step if word not in ("--criteria", "…")))
    assert next_step(warned)[-4:] == [*options]
    assert forecasts("articles").stdout.startswith("No articles")


def test_a_question_without_criteria_is_registered_with_a_warning_and_the_way_out(
    forecasts: Run, clock: Clock
) -> None:
    warned = forecasts("ask", "Will it rain?", "--closes", "2026-01-15", "--slug", "rain")
    assert warned.stdout == "rain\n"
    assert "no resolution criteria" in warned.stderr
    [_, words] = warned.stderr.split("write them: forecasts ")
    step = shlex.split(words)
    assert step == ["revise", "rain", "--criteria", "…"]
    forecasts(*step[:-1], "Yes if the gauge is wet.", "--because", "they were missing")


@pytest.mark.slow
def test_an_article_is_shown_again_with_its_text_where_that_is_wanted(
    forecasts: Run, dated: int
) -> None:
    shown = forecasts("articles", "1").stdout
    assert "Article 1: Harbour town votes on its old ferry" in shown
    assert "The Coast Courier · 2026-01-02" in shown
    assert "The council will decide by the end of March 2026" in shown
    assert "crossed the bay since 1952" not in shown
    assert "crossed the bay since 1952" in forecasts("articles", "1", "--text").stdout


@pytest.mark.slow
def test_weak_drafts_are_folded_and_keep_their_numbers(
    forecasts: Run, dated: int, undated: int
) -> None:
    shown = forecasts("articles", "1").stdout
    assert f"  {dated}. Will the council" in shown
    assert f"  {undated}. " not in shown
    assert "Weaker drafts not shown (" in shown
    everything = forecasts("articles", "1", "--all").stdout
    assert f"  {undated}. " in everything
    assert "     weak: " in everything
    assert "not shown" not in everything


def test_an_article_in_which_nothing_looks_ahead_says_so(forecasts: Run, clock: Clock) -> None:
    captured = forecasts("capture", "-", input=PAST)
    assert "No possible questions here" in captured.stdout
    assert next_step(captured)[:4] == ["ask", "Will …?", "--article", "1"]


def test_an_article_without_a_date_says_from_when_its_deadlines_count(
    forecasts: Run, clock: Clock
) -> None:
    bare = PAGE.replace("The Coast Courier\n\n3 days ago\n\n", "")
    captured = forecasts("capture", "-", "--captured-at", "2026-01-04", input=bare)
    assert "no date" in captured.stdout
    assert "count from the day of capture, 2026-01-04" in captured.stdout


@pytest.mark.slow
def test_a_page_that_has_changed_is_already_there_with_its_stored_drafts(
    forecasts: Run, clock: Clock, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    paragraphs = "".join(f"<p>{line}</p>" for line in PAGE.splitlines() if line.endswith("."))
    html = (
        '<html><head><link rel="canonical" href="https://example.org/ferry"></head>'
        f"<body><article><h1>A ferry votes</h1>{paragraphs}</article></body></html>"
    )
    for text in (html, html.replace("March 2026", "April 2026")):
        page.write_text(text)
        captured = forecasts("capture", str(page))
        assert "(closes 2026-03-31)" in captured.stdout
    assert "Already there: article 1" in captured.stderr
    assert "its page has changed since" in captured.stderr


def test_a_story_that_is_left_out_for_being_short_is_named(forecasts: Run) -> None:
    story = (
        f"<article><h2>{{}}</h2><p>By Jane Roe</p><p>{'A day went by there. ' * 9}</p></article>"
    )
    brief = (
        "<article><h2>Old light sold</h2>"
        "<p>A family of Sund bought it, they say, at auction in May last.</p></article>"
    )
    html = (
        f"<html><body>{story.format('Dam raised')}{story.format('Mill shut')}{brief}</body></html>"
    )
    shown = forecasts("capture", "-", "--dry-run", input=html)
    assert "1 short piece was left out: “Old light sold” (13 words)." in shown.stderr
    assert "Mill shut" in shown.stdout


def test_a_dry_run_numbers_nothing_and_offers_no_next_step(forecasts: Run, clock: Clock) -> None:
    shown = forecasts("capture", "-", "--dry-run", "--format", "json", input=PAGE)
    assert json.loads(shown.stdout)["articles"][0]["number"] is None
    assert "Next" not in forecasts("capture", "-", "--dry-run", input=PAGE).stderr


@pytest.mark.slow
def test_an_impossible_act_is_refused_in_a_sentence(forecasts: Run, dated: int) -> None:
    for arguments, words in (
        (("ask",), "no question to register"),
        (("ask", "--draft", "1"), "A --draft needs its --article"),
        (("ask", "Why?", "--closes", "2027-01-01", "--criteria", "…"), "is a placeholder"),
        (("ask", "--article", "1", "--draft", "9"), "no draft 9"),
        (("ask", "--article", "1", "--draft", "1", "--quote", "x"), "both name the passage"),
        (("articles", "2"), "no article 2"),
        (("capture", "http://127.0.0.1:9/x"), "FORECASTS_ALLOW_PRIVATE_ADDRESSES=true"),
    ):
        refused = forecasts(*arguments, exit_code=2)
        assert words in " ".join(refused.stderr.split())
        assert refused.stdout == ""
    assert "Harbour" in forecasts("articles").stdout
    assert "No questions" in forecasts("questions").stdout


SEVERAL = """\
Brenholt plans its summer

The Coast Courier

3 days ago

The council of Brenholt will open the new bridge by 30 June 2026.
The harbour board could raise its fees.
Brenholt's dredging will cost between 4 and 6 million crowns by 31 August 2026, the board said.
The yacht club of Brenholt plans to move its regatta to Sund by 31 May 2026.
"""


@pytest.mark.slow
def test_several_drafts_are_registered_at_once(forecasts: Run, clock: Clock) -> None:
    captured = forecasts("capture", "-", input=SEVERAL)
    assert "Or several: forecasts articles 1 --register 1,3,4" in captured.stderr
    said = forecasts("articles", "1", "--register", "all")
    assert len(said.stdout.split()) == 3
    assert f"Next: forecasts update {said.stdout.split()[0]} 30%" in said.stderr
    assert "Registered 3 questions." in said.stderr
    shown = json.loads(forecasts("articles", "1", "--format", "json").stdout)
    [article] = shown["articles"]
    assert [len(draft["asked"]) for draft in article["drafts"]] == [1, 0, 1, 1]
    assert [draft["type"] for draft in article["drafts"]].count("numeric") == 1
    again = forecasts("articles", "1", "--register", "all", exit_code=2)
    assert "no new strong draft" in again.stderr


def test_one_draft_that_is_refused_registers_none(forecasts: Run, clock: Clock) -> None:
    forecasts("capture", "-", input=SEVERAL)
    refused = forecasts("articles", "1", "--register", "1,2", exit_code=2)
    assert "Draft 2 has no deadline" in refused.stderr
    assert "--closes" in refused.stderr
    for numbers in ("", "1;2"):
        refused = forecasts("articles", "1", "--register", numbers, exit_code=2)
        assert "as in --register 1,3" in refused.stderr
    assert json.loads(forecasts("questions", "--format", "json").stdout) == []


@pytest.mark.slow
def test_a_draft_like_an_existing_question_is_marked(forecasts: Run, clock: Clock) -> None:
    forecasts("capture", "-", input=SEVERAL)
    title = "Will Brenholt's council open its new bridge?"
    forecasts("ask", title, "--closes", "2026-06-30", "--slug", "bridge")
    assert "like an existing question: bridge" in forecasts("articles", "1").stdout
    assert "bridge" not in forecasts("articles", "1", "--register", "all").stdout.split()


def test_a_draft_is_asked_with_its_type(forecasts: Run, clock: Clock) -> None:
    forecasts("capture", "-", input=SEVERAL)
    asked = forecasts("ask", "--article", "1", "--draft", "3", "--criteria", CRITERIA)
    shown = json.loads(forecasts("show", asked.stdout.strip(), "--format", "json").stdout)
    assert (shown["type"], shown["unit"]) == ("numeric", "million crowns")
