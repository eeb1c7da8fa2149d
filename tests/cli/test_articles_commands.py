"""From a captured page to a registered question, with the numbers that the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import PAGE, Clock, Fill, Run

pytestmark = pytest.mark.slow

CRITERIA = "The council's minutes record a decision."


@pytest.fixture
def dated(forecasts: Run, filled_once: Fill) -> int:
    """The number of the draft with a deadline, in article 1."""
    filled_once(lambda: forecasts("capture", "-", input=PAGE))
    [article] = forecasts.printed("articles", "1")["articles"]
    assert article["number"] == 1
    [number] = [draft["number"] for draft in article["drafts"] if draft["close_date"]]
    return int(number)


def next_step(said: Result) -> list[str]:
    """Return the words of the next command that was printed, without the program's name."""
    [line] = re.findall(r"(?:Next|Add them): (forecasts .*)", said.stderr)
    program, *words = shlex.split(line)
    assert program == "forecasts"
    return words


def test_a_capture_ends_with_the_command_that_makes_a_question_of_its_draft(forecasts: Run) -> None:
    step = next_step(forecasts("capture", "-", input=PAGE))
    assert step[:2] == ["ask", "--article"]
    assert step[-2:] == ["--criteria", "…"]
    step[-1] = CRITERIA
    asked = forecasts(*step)
    assert "it closes at 2026-03-31 23:59 UTC" in asked.stderr
    assert "Warning" not in asked.stderr
    slug = asked.stdout.strip()
    assert CRITERIA in forecasts("show", slug, "--all").stdout
    listed = forecasts("articles", "1").stdout
    [wording] = re.findall(r"\d\. (.*) \(closes 2026-03-31\)", listed)
    assert wording in asked.stderr
    assert f"already asked: {slug}" in listed


def test_the_next_step_asks_for_a_close_where_every_deadline_has_passed(
    forecasts: Run, dated: int, clock: Clock
) -> None:
    clock("2026-06-01T12:00:00Z")
    shown = forecasts("articles", "1")
    assert "(deadline 2026-03-31 has passed)" in shown.stdout
    assert "--closes" in next_step(shown)
    refused = forecasts.refused("ask", "--article", "1", "--draft", str(dated))
    assert f"The deadline of draft {dated}, 2026-03-31, has passed" in refused


def test_an_article_is_shown_with_its_strong_drafts_and_more_where_that_is_wanted(
    forecasts: Run, dated: int
) -> None:
    shown = forecasts("articles", "1").stdout
    assert "Article 1: Harbour town votes on its old ferry" in shown
    assert "The Coast Courier · 2026-01-02" in shown
    assert "crossed the bay since 1952" not in shown
    assert "crossed the bay since 1952" in forecasts("articles", "1", "--text").stdout
    undated = dated + 1  # clear drafts come first
    assert f"  {dated}. Will the council" in shown
    assert f"  {undated}. " not in shown
    assert "Weaker drafts not shown (" in shown
    everything = forecasts("articles", "1", "--all").stdout
    assert f"  {undated}. " in everything
    assert "     weak: " in everything
    assert "not shown" not in everything
    refused = forecasts.refused("ask", "--article", "1", "--draft", str(undated))
    assert f"Draft {undated} gives no deadline" in refused
    assert "--closes YYYY-MM-DD" in refused


def test_an_article_in_which_nothing_looks_ahead_says_so(forecasts: Run) -> None:
    past = "How the harbour was dug\n\nIt was dug by hand from 1880 to 1891, and forty men died.\n"
    captured = forecasts("capture", "-", input=past)
    assert "No possible questions here" in captured.stdout
    assert next_step(captured)[:4] == ["ask", "Will …?", "--article", "1"]


def test_an_article_without_a_date_says_from_when_its_deadlines_count(forecasts: Run) -> None:
    bare = PAGE.replace("The Coast Courier\n\n3 days ago\n\n", "")
    captured = forecasts("capture", "-", "--captured-at", "2026-01-04", input=bare)
    assert "no date" in captured.stdout
    assert "count from the day of capture, 2026-01-04" in captured.stdout


def test_a_page_that_has_changed_is_already_there_with_its_stored_drafts(
    forecasts: Run, tmp_path: Path
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


def test_a_dry_run_names_a_story_left_out_for_being_short_and_stores_nothing(
    forecasts: Run,
) -> None:
    long, brief = "A day went by there. " * 9, "A family bought the old light. " * 2
    stories = (("Dam raised", long), ("Mill shut", long), ("Old light sold", brief))
    html = "".join(
        f"<article><h2>{title}</h2><p>By Jane Roe</p><p>{text}</p></article>"
        for title, text in stories
    )
    shown = forecasts("capture", "-", "--dry-run", input=f"<html><body>{html}</body></html>")
    assert "1 short piece was left out: “Old light sold” (12 words)." in shown.stderr
    assert "Mill shut" in shown.stdout
    assert "Next" not in shown.stderr
    assert "No articles" in forecasts("articles").stdout


def test_an_impossible_act_is_refused_in_a_sentence(forecasts: Run, dated: int) -> None:
    for arguments, words in (
        (("ask",), "no question to register"),
        (("ask", "--draft", "1"), "A --draft needs its --article"),
        (("ask", "Rain?", "--closes", "2027-01-01", "--criteria", "…"), "is a placeholder"),
        (("ask", "--article", "1", "--draft", "9"), "no draft 9"),
        (("ask", "--article", "1", "--draft", "1", "--quote", "x"), "both name the passage"),
        (("articles", "2"), "no article 2"),
        (("capture", "http://127.0.0.1:9/x"), "FORECASTS_ALLOW_PRIVATE_ADDRESSES=true"),
    ):
        assert words in forecasts.refused(*arguments)
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


def test_several_drafts_are_registered_at_once_or_none_of_them(forecasts: Run) -> None:
    captured = forecasts("capture", "-", input=SEVERAL)
    assert "Or several: forecasts articles 1 --register 1,2,3" in captured.stderr
    register = ("articles", "1", "--register")
    assert "Draft 4 has no deadline" in forecasts.refused(*register, "1,4")  # clear ones first
    for numbers in ("", "1;2"):
        assert "as in --register 1,3" in forecasts.refused(*register, numbers)
    assert forecasts.printed("questions") == []
    asked = forecasts("ask", "--article", "1", "--draft", "2", "--criteria", CRITERIA)
    shown = forecasts.printed("show", asked.stdout.strip())
    assert (shown["type"], shown["unit"]) == ("numeric", "million crowns")
    said = forecasts(*register, "all")
    assert len(said.stdout.split()) == 2
    assert f"Next: forecasts update {said.stdout.split()[0]} 30%" in said.stderr
    assert "Registered 2 questions." in said.stderr
    [article] = forecasts.printed("articles", "1")["articles"]
    assert [len(draft["asked"]) for draft in article["drafts"]] == [1, 1, 1, 0]
    assert "no new strong draft" in forecasts.refused(*register, "all")


def test_a_draft_like_an_existing_question_is_marked(forecasts: Run) -> None:
    forecasts("capture", "-", input=SEVERAL)
    title = "Will Brenholt's council open its new bridge?"
    forecasts("ask", title, "--closes", "2026-06-30", "--slug", "bridge")
    assert "like an existing question: bridge" in forecasts("articles", "1").stdout
    assert "bridge" not in forecasts("articles", "1", "--register", "all").stdout.split()


def test_the_inbox_lists_so_many_articles(forecasts: Run) -> None:
    for boat in ("ferry", "tug"):
        forecasts("capture", "-", input=PAGE.replace("ferry", boat))
    assert len(forecasts.printed("inbox")) == 2
    [first] = forecasts.printed("inbox", "--limit", "1")
    assert first == forecasts.printed("inbox")[0]
    assert "--limit" in forecasts.refused("inbox", "--all", "--limit", "1")


def test_the_inbox_shows_how_to_propose_an_outcome_that_an_article_seems_to_tell(
    forecasts: Run, clock: Clock
) -> None:
    clock("2026-01-05T12:00:00Z")
    forecasts(
        "ask", "Will Farvale open its tram by March 2026?", "--slug", "tram", "--closes", "9mo"
    )
    clock("2026-01-06T12:00:00Z")
    forecasts(
        "capture",
        "-",
        input="Tram\n\nFarvale opened its tram on Monday. Crowds came to see it in the rain.\n",
    )
    said = forecasts("inbox")
    assert "seems to say yes: Farvale opened its tram on Monday." in said.stdout
    assert "To propose that outcome: forecasts propose tram yes --source URL" in said.stderr
    [[question]] = [one["questions"] for one in forecasts.printed("inbox")]
    assert question["told"] == "Farvale opened its tram on Monday."
    assert forecasts.printed("questions")[0]["proposals"] == 0
