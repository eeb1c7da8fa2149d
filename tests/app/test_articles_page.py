"""Articles: read, correct the split, store once, make a question of a sentence."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts import database, questions
from forecasts.articles import library
from forecasts.models import Article
from tests.app.conftest import visit, words
from tests.conftest import day

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


def test_what_was_read_is_shown_and_not_stored_yet(app: AppTest, engine: Engine) -> None:
    read(app)
    assert "1 article, nothing stored yet" in words(app)
    assert app.text_input(key="captured-1-0-title").value == "The tunnel under the bay"
    assert stored(engine) == []


def test_relative_dates_count_from_the_day_on_which_the_page_was_seen(app: AppTest) -> None:
    visit(app, "articles")
    app.text_area(key="pasted").input(PASTED)
    app.date_input[0].set_value(date(2025, 12, 24))
    app.button(key="read-go").click().run()
    assert app.date_input(key="captured-1-0-published").value == date(2025, 12, 22)


def test_corrections_are_what_is_stored(app: AppTest, engine: Engine) -> None:
    read(app)
    app.text_input(key="captured-1-0-title").input("A tunnel, perhaps")
    app.text_input(key="captured-1-0-publisher").input("Bay Courier")
    app.date_input(key="captured-1-0-published").set_value(date(2026, 1, 2))
    app.button(key="store").click().run()
    [article] = stored(engine)
    assert (article.title, article.publisher) == ("A tunnel, perhaps", "Bay Courier")
    assert article.published_at == datetime.fromisoformat("2026-01-02T00:00:00+00:00")
    assert article.captured_at == day(5)
    # Its page opens, with the sentence that looks ahead.
    assert "A tunnel, perhaps" in words(app)
    assert "[**The transport minister will open the tunnel by 31 March 2026" in words(app)


def test_the_same_article_is_stored_once(app: AppTest, engine: Engine) -> None:
    for reading in range(2):
        read(app)
        app.button(key="store").click().run()
        assert len(stored(engine)) == 1, reading
    assert "1 article stood here already" in app.toast[0].value.replace("\\", "")


def test_an_article_that_is_not_kept_is_not_stored(app: AppTest, engine: Engine) -> None:
    read(app)
    app.checkbox(key="captured-1-0-keep").uncheck().run()
    assert app.button(key="store").disabled
    app.button(key="discard").click().run()
    assert "nothing stored yet" not in words(app)
    assert stored(engine) == []


def test_one_article_that_was_taken_for_two_is_merged(
    app: AppTest, engine: Engine, pages: str
) -> None:
    read(app, pages)
    titles = [field.value for field in app.text_input if field.label == "Title"]
    assert len(titles) >= 2
    app.button(key="captured-1-1-merge").click().run()
    merged = [field.value for field in app.text_input if field.label == "Title"]
    assert merged == [titles[0], *titles[2:]]
    assert titles[1] in app.text_area(key="captured-2-0-text").value


@pytest.fixture
def pages() -> str:
    """A page of an aggregator with two articles behind their teasers."""
    second = PASTED.replace("tunnel", "bridge").replace("The Bay Courier", "The Strait Times")
    return f"{PASTED}\n\n\n{second}"


def test_a_reading_that_was_discarded_leaves_the_next_one_alone(app: AppTest) -> None:
    read(app)
    app.button(key="store").click().run()
    read(app)
    app.button(key="discard").click().run()
    read(app)
    assert "1 article, nothing stored yet" in words(app)


def test_a_file_is_read_like_a_pasted_text(app: AppTest) -> None:
    visit(app, "articles")
    app.segmented_control(key="way").set_value("File").run()
    app.file_uploader[0].upload("bay.txt", PASTED.encode(), "text/plain")
    app.button(key="read-go").click().run()
    assert app.text_input(key="captured-1-0-title").value == "The tunnel under the bay"


def test_without_a_file_there_is_nothing_to_read(app: AppTest) -> None:
    visit(app, "articles")
    app.segmented_control(key="way").set_value("File").run()
    app.button(key="read-go").click().run()
    assert "No file was chosen" in app.error[0].value


def test_a_path_of_the_server_is_no_web_address(app: AppTest) -> None:
    visit(app, "articles")
    app.segmented_control(key="way").set_value("Web address").run()
    app.text_input(key="address").input("/etc/passwd")
    app.button(key="read-go").click().run()
    assert "is not a web address" in app.error[0].value


def test_a_text_without_an_article_is_a_sentence_and_nothing_else(app: AppTest) -> None:
    read(app, "not found")
    [error] = app.error
    assert "no article in it" in error.value
    assert not app.exception


def test_a_question_is_registered_from_a_draft_in_place(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "articles", article="1")
    [start] = {key.split("#")[0] for key in keys(furnished) if key.startswith("draft-1-")}
    assert furnished.date_input(key=f"{start}#0-closes").value == date(2026, 1, 20)
    furnished.text_area(key=f"{start}#0-title").input("Will the quay open by 20 January?")
    furnished.text_area(key=f"{start}#0-criteria").input("Yes if a ship has moored there.")
    furnished.button(key=f"{start}#0-go").click().run()
    with database.reading(engine) as ledger:
        question = questions.find(ledger, "will-the-quay-open-by-20-january")
        [(source, article)] = questions.sources(ledger, question)
    assert source.quote == "The harbour master will open the quay by 20 January 2026."
    assert article.text[article.text.index(source.quote) - len(source.prefix) :].startswith(
        source.prefix + source.quote
    )
    assert "Will the quay open by 20 January?" in words(furnished)


def keys(app: AppTest) -> list[str]:
    return [widget.key or "" for widget in (*app.text_area, *app.button)]


def test_an_article_shows_the_questions_it_has(furnished: AppTest) -> None:
    said = words(visit(furnished, "articles", article="1"))
    assert "Will the quay open?" in said
    assert "There is a question from this sentence already" in said


def test_an_article_that_is_not_there_is_a_sentence(furnished: AppTest) -> None:
    visit(furnished, "articles", article="99")
    assert "no article 99" in furnished.error[0].value
