"""The page News: much news costs no more than the part of it that is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.ledger import database
from forecasts.ledger.models import ArticleMatch
from forecasts.news import inbox, matches
from forecasts.questions.standing import current_state
from forecasts.reading.article import CapturedArticle
from forecasts.resolution.proposals import proposals_on
from tests.app.conftest import confirmed, submit, visit, words
from tests.conftest import ask, day

MANY = 3 * matches.AT_ONCE


@pytest.fixture
def news(engine: Engine, app: AppTest) -> AppTest:
    """The app on a ledger with many articles that no run has compared, a third on a question."""
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        for number in range(100, 110):
            ask(ledger, alice, slug=f"pier-{number}", title=f"Will pier {number} open?")
        captured = [article(number) for number in range(MANY)]
        library.store(ledger, captured, member=alice, captured_at=day(4))
    return app


def article(number: int) -> CapturedArticle:
    pier = f"pier {100 + number % 30}"
    text = f"Farvale will hold a referendum on {pier} by 15 March 2026. Reader {number} says so."
    return CapturedArticle(f"Vote on {pier}", None, None, None, None, text)


def test_drafts_are_made_of_the_articles_shown_alone(
    news: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafted: list[Any] = []
    made = inbox.drafts_of
    monkeypatch.setattr(inbox, "drafts_of", lambda one: drafted.append(one.id) or made(one))
    visit(news, "news")
    assert not news.exception
    assert 0 < len(drafted) <= 5


def test_a_button_compares_the_articles_that_no_run_has_compared(
    news: AppTest, engine: Engine
) -> None:
    visit(news, "news")
    [button] = [one for one in news.button if one.key == "compare-news"]
    assert button.label == f"Compare {MANY - matches.AT_ONCE} more articles with the questions"
    button.click().run()
    assert not news.exception
    assert "compare-news" not in {one.key for one in news.button}
    with database.reading(engine) as ledger:
        assert len(ledger.exec(select(ArticleMatch)).all()) >= MANY / 3


def test_an_outcome_that_an_article_seems_to_tell_is_proposed_in_a_click(
    app: AppTest, engine: Engine
) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        question = ask(ledger, alice, title="Will pier nine of Farvale open?")
        text = "Rain. Pier nine of Farvale opened on Monday. Boats came."
        told = CapturedArticle("Pier nine", None, None, None, "https://example.org/9", text)
        library.store(ledger, [told], member=alice, captured_at=day(4))
    visit(app, "news")
    assert "Seems to say yes:" in words(app)
    [button] = [one for one in app.button if one.label == "Propose yes"]
    button.click().run()
    assert confirmed(app) == ["Proposed: yes on “Will pier nine of Farvale open?”."]
    assert not [one for one in app.button if one.label == "Propose yes"]
    with database.reading(engine) as ledger:
        [row] = proposals_on(ledger, question)
        assert (row.outcome, row.known_at, row.source) == ("yes", day(4), "https://example.org/9")
        assert row.note == "“Pier nine of Farvale opened on Monday.” (Pier nine)"
        assert current_state(ledger, question, now=day(5)).resolution is None


def test_a_feed_that_is_there_already_is_said_to_be(app: AppTest, tmp_path: Path) -> None:
    text = "Pier nine\n\nThe mayor of Farvale opens pier nine on Monday, with boats and a band."
    (tmp_path / "pier.txt").write_text(text, "utf-8")
    visit(app, "news")
    for number, said in enumerate(("Added", "Already added")):
        submit(app, f"add-feed#{number}", "save", address=str(tmp_path))
        [line] = confirmed(app)
        assert line.startswith(f"{said}: {tmp_path.name}. 1 feed read, {1 - number} new article")
