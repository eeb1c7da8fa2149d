"""Articles: capture, correct the split, store once, turn a sentence into a question."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.ledger import database
from forecasts.ledger.models import Article
from forecasts.questions import passages, registry
from tests.app.conftest import ARTICLE, confirmed, errors, fill, keys, submit, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow

PASTED = """The tunnel under the bay

The Bay Courier, 2 days ago

Work on the tunnel began four years ago, and since then the price has doubled and the builder has
changed hands. The transport minister will open the tunnel by 31 March 2026, her office said.
Ferry captains have heard such dates before, and most of them shrugged when they were asked.
"""


def stored(engine: Engine) -> list[Article]:
    with database.reading(engine) as ledger:
        return library.listing(ledger)


def read(app: AppTest, text: str = PASTED) -> AppTest:
    visit(app, "articles")
    app.text_area(key="pasted").input(text)
    return app.button(key="read-go").click().run()


def test_an_article_captured_from_a_file_is_shown_and_not_stored_yet(
    app: AppTest, engine: Engine
) -> None:
    visit(app, "articles")
    app.file_uploader[0].upload("bay.txt", PASTED.encode(), "text/plain")
    app.button(key="read-go").click().run()
    assert "1 article, not stored yet" in words(app)
    assert app.text_input(key="captured-1-0-title").value == "The tunnel under the bay"
    app.button(key="discard").click().run()
    assert "not stored yet" not in words(app)
    assert stored(engine) == []


def test_a_story_too_short_to_capture_is_named(app: AppTest) -> None:
    story = (
        "<article><h2>{}</h2><p>By Jane Roe</p><p>" + "A day went by there. " * 9 + "</p></article>"
    )
    brief = (
        "<article><h2>Old light sold</h2>"
        "<p>A family of Sund bought it, they say, at auction in May last.</p></article>"
    )
    read(app, f"<html><body>{story.format('Dam raised')}{story.format('Mill shut')}{brief}")
    assert "2 articles, not stored yet" in words(app)
    assert "1 short piece was left out: “Old light sold” (13 words)." in words(app)


def test_an_article_is_stored_as_corrected(app: AppTest, engine: Engine) -> None:
    read(app, PASTED.replace(", 2 days ago", ""))
    assert "1. **The tunnel under the bay** · The Bay Courier · no date" in app.expander[0].label
    for name, typed in {
        "title": "A tunnel, perhaps",
        "publisher": "Bay Courier",
        "author": "Jane  Roe ",
        "url": "https://example.org/bay?utm_source=x#top",
        "published": "2026-01-02",
    }.items():
        app.text_input(key=f"captured-1-0-{name}").input(typed)
    app.text_area(key="captured-1-0-text").input(
        "It leaks.\n \n\nThe minister will close the tunnel by 31 March 2026. "
    ).run()
    label = app.expander[0].label.replace("\\", "")
    assert "1. **A tunnel, perhaps** · Bay Courier · 2 Jan 2026" in label
    app.button(key="store").click().run()
    [article] = stored(engine)
    assert (article.title, article.publisher) == ("A tunnel, perhaps", "Bay Courier")
    assert (article.author, article.url) == ("Jane Roe", "https://example.org/bay")
    assert article.published_at == datetime.fromisoformat("2026-01-02T00:00:00+00:00")
    assert article.captured_at == day(5)
    with database.reading(engine) as ledger:
        assert library.find_article(ledger, 1).text.startswith("It leaks.\n\nThe minister")
    # Its page opens, with the possible question.
    assert "A tunnel, perhaps" in words(app)
    assert "[The minister will close the tunnel by 31 March 2026" in words(app)


def test_the_same_article_is_stored_once(app: AppTest, engine: Engine) -> None:
    for reading in range(2):
        read(app)
        app.button(key="store").click().run()
        assert len(stored(engine)) == 1, reading
    assert "1 article already stored" in confirmed(app)[0]


def titles(app: AppTest) -> list[str]:
    return [field.value for field in app.text_input if field.label == "Title"]


@pytest.fixture
def pages() -> str:
    """An aggregator's page with two articles after their teasers."""
    second = PASTED.replace("tunnel", "bridge").replace("The Bay Courier", "The Strait Times")
    return f"{PASTED}\n\n\n{second}"


def test_dates_count_from_the_day_the_page_was_seen_and_an_invalid_address_is_left_out(
    app: AppTest, engine: Engine
) -> None:
    visit(app, "articles").text_input(key="seen").input("24 December")
    app.text_area(key="pasted").input(PASTED)
    app.button(key="read-go").click().run()
    assert app.text_input(key="captured-1-0-published").value == "2025-12-22"
    app.text_input(key="captured-1-0-url").input("bay courier").run()
    assert "“bay courier” is left out" in words(app)
    app.button(key="store").click().run()
    assert stored(engine)[0].url is None


def test_an_article_needs_a_title_and_a_text(app: AppTest, engine: Engine) -> None:
    read(app)
    for name, other in (("title", "text"), ("text", "title")):
        fill(app, "captured-1-0", **{name: " ", other: "A tunnel"})
        app.button(key="store").click().run()
        assert f"Article 1 has no {name}." in errors(app)
    assert stored(engine) == []


def test_a_dropped_article_is_not_stored_and_undo_brings_it_back(
    app: AppTest, engine: Engine, pages: str
) -> None:
    _, second = titles(read(app, pages))
    submit(app, "captured-1-0", "drop", title="A tunnel, perhaps")
    assert titles(app) == [second]
    app.button(key="captured-1-1-drop").click().run()
    assert "No articles left" in words(app)
    assert app.button(key="store").disabled
    app.button(key="undo").click().run()
    app.button(key="undo").click().run()
    assert titles(app) == ["A tunnel, perhaps", second]
    app.button(key="captured-1-1-merge").click().run()
    assert titles(app) == ["A tunnel, perhaps"]
    app.button(key="undo").click().run()
    assert "undo" not in keys(app)
    app.button(key="captured-1-0-drop").click().run()
    app.button(key="store").click().run()
    assert [article.title for article in stored(engine)] == [second]


def test_two_articles_captured_as_one_are_divided(app: AppTest, engine: Engine) -> None:
    read(app)
    app.text_area(key="captured-1-0-text").input(
        "It leaks.\n\nThe bridge is late\n\nIt will open by 31 March 2026."
    ).run()
    assert app.button(key="captured-1-0-divide").disabled
    app.radio(key="captured-1-0-opening").set_value(1).run()
    app.button(key="captured-1-0-divide").click().run()
    assert titles(app) == ["The tunnel under the bay", "The bridge is late"]
    app.text_input(key="captured-1-2-publisher").input("The Strait Times")
    app.button(key="store").click().run()
    assert [(article.title, article.publisher) for article in stored(engine)] == [
        ("The bridge is late", "The Strait Times"),
        ("The tunnel under the bay", "The Bay Courier"),
    ]


def test_a_page_that_cannot_be_captured_is_explained_and_stays(app: AppTest) -> None:
    address = " http://127.0.0.1:9/story "
    for pasted, rule in ((" ", "There is no text"), (address, "is a private address")):
        read(app, pasted)
        assert rule in errors(app)
        assert app.text_area(key="pasted").value == pasted
        assert not app.exception


def test_an_article_shows_its_questions_and_one_of_ones_own_keeps_it(
    furnished: AppTest, engine: Engine
) -> None:
    said = words(visit(furnished, "articles", article="1"))
    assert "Will the quay open?" in said
    # Its sentence is not offered again.
    assert "1 registered" in said
    assert not [key for key in keys(furnished) if key.startswith("draft-")]
    given = {"title": "Will the council pay?", "closes": "2026-03-01"}
    submit(furnished, "article-1#0", "go", criteria="Yes if the minutes say so.", **given)
    with database.reading(engine) as ledger:
        [(source, article)] = passages.sources(
            ledger, registry.find(ledger, "will-the-council-pay")
        )
    assert (article.id, source.quote) == (1, "")
    visit(furnished, "articles", article="99")
    assert "no article 99" in errors(furnished)


def test_a_missing_date_or_deadline_is_named(app: AppTest) -> None:
    read(app, PASTED.replace(", 2 days ago", "").replace(" by 31 March 2026", ""))
    app.button(key="store").click().run()
    assert "no date, so deadlines count from the day of capture, 6 Jan 2026" in words(app)
    assert "gives no deadline" in words(app)


def test_an_article_without_text_says_so(app: AppTest, engine: Engine) -> None:
    stub = replace(ARTICLE, title=ARTICLE.url or "", text="")
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        library.store(ledger, [stub], member=alice, captured_at=day(0))
    assert "The ledger has only the address of this article" in words(
        visit(app, "articles", article="1")
    )
