"""Questions: search and filters that stand in the address, and the form to ask one."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts import database, questions
from tests.app.conftest import visit, words
from tests.conftest import day


def titles(app: AppTest) -> list[str]:
    return [link.proto.label.replace("\\", "") for link in app.get("page_link")]


def test_what_can_be_forecast_comes_first_and_what_is_over_last(furnished: AppTest) -> None:
    assert titles(visit(furnished, "questions")) == [
        "Which port comes first?",
        "How deep will it be?",
        "Will the quay open?",
        "Has it ended?",
        "Will it rain?",
        "Will it snow?",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"words": "QUAY open"}, ["Will the quay open?"]),
        ({"status": "awaiting resolution"}, ["Has it ended?"]),
        ({"tag": "weather"}, ["Will it rain?"]),
        ({"family": "harbour"}, ["Will the quay open?"]),
        ({"type": "multiple choice"}, ["Which port comes first?"]),
        ({"whose": "Mine"}, ["Will it rain?", "Will it snow?"]),
        ({"whose": "Not yet mine", "type": "numeric"}, ["How deep will it be?"]),
        ({"words": "nothing like this"}, []),
    ],
)
def test_filters_are_read_from_the_address(
    furnished: AppTest, query: dict[str, str], found: list[str]
) -> None:
    assert titles(visit(furnished, "questions", **query)) == found


def test_an_empty_ledger_shows_where_questions_come_from(app: AppTest) -> None:
    assert "No questions yet" in words(visit(app, "questions"))


def test_a_question_of_ones_own_is_registered_and_its_page_opens(
    app: AppTest, engine: Engine
) -> None:
    visit(app, "questions", view="Ask a question")
    app.text_area(key="ask#0-title").input("Will the lighthouse be lit?")
    app.date_input(key="ask#0-closes").set_value(date(2026, 3, 1))
    app.text_area(key="ask#0-criteria").input("Yes if it shines by then.")
    app.text_input(key="ask#0-tags").input("coast, light")
    app.button(key="ask#0-go").click().run()
    assert app.title[0].value == "Will the lighthouse be lit\\?"
    with database.reading(engine) as ledger:
        text = questions.wording(ledger, questions.find(ledger, "will-the-lighthouse-be-lit"))
    assert text.tags == ["coast", "light"]
    assert text.scheduled_close_time.isoformat() == "2026-03-01T23:59:59+00:00"
    # Back at the form there is a way to it.
    assert titles(visit(app, "questions", view="Ask a question")) == ["Will the lighthouse be lit?"]


def test_options_are_given_one_a_line(app: AppTest, engine: Engine) -> None:
    visit(app, "questions", view="Ask a question")
    app.segmented_control(key="ask#0-type").set_value("multiple_choice").run()
    app.text_area(key="ask#0-title").input("Who wins?")
    app.text_area(key="ask#0-options").input("Ann\n\nBen \nOther")
    app.date_input(key="ask#0-closes").set_value(date(2026, 3, 1))
    app.text_area(key="ask#0-criteria").input("Whoever is first over the line.")
    app.button(key="ask#0-go").click().run()
    with database.reading(engine) as ledger:
        text = questions.wording(ledger, questions.find(ledger, "who-wins"))
    assert text.options == ["Ann", "Ben", "Other"]


@pytest.mark.parametrize(
    ("title", "closes", "criteria", "rule"),
    [
        ("", date(2026, 3, 1), "Yes if so.", "Not filled in: “Question”. Ask it in one sentence."),
        ("Will it?", None, "Yes if so.", "Not filled in: “Closes (last day)”."),
        ("Will it?", date(2026, 3, 1), " ", "Not filled in: “Resolution criteria”."),
        ("Will it?", date(2026, 3, 1), "", "who reports it, so that a stranger can decide it."),
        ("", None, "", "“Question”, “Closes (last day)”, “Resolution criteria”."),
        ("Will it?", date(2025, 12, 1), "Yes if so.", "1 Dec 2025, has passed."),
    ],
)
def test_a_question_that_breaks_a_rule_is_refused_and_nothing_is_stored(
    app: AppTest, engine: Engine, title: str, closes: date | None, criteria: str, rule: str
) -> None:
    visit(app, "questions", view="Ask a question")
    app.text_area(key="ask#0-title").input(title)
    app.date_input(key="ask#0-closes").set_value(closes)
    app.text_area(key="ask#0-criteria").input(criteria)
    app.button(key="ask#0-go").click().run()
    assert rule in " ".join(app.error[0].value.replace("\\", "").split())
    assert app.text_area(key="ask#0-criteria").value == criteria  # the form keeps its words
    with database.reading(engine) as ledger:
        assert questions.listing(ledger, now=day(5)) == []
