"""Questions: search and filters in the address, and the form to ask one."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.questions import registry, standing
from tests.app.conftest import submit, visit, words
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def titles(app: AppTest) -> list[str]:
    return [link.proto.label.replace("\\", "") for link in app.get("page_link")]


def test_open_questions_come_first_and_ended_ones_last(furnished: AppTest) -> None:
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


def test_the_page_number_is_in_the_address(app: AppTest, engine: Engine) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        for number in range(25):
            ask(ledger, alice, title=f"Number {number:02}?")
    visit(app, "questions", page="2", order="by title")
    assert titles(app) == [f"Number {number}?" for number in range(20, 25)]
    app.text_input(key="words").input("number 03").run()
    assert titles(app) == ["Number 03?"]


def test_the_crowds_way_is_drawn_in_a_line(furnished: AppTest) -> None:
    said = words(visit(furnished, "questions", words="rain"))
    assert "crowd (2): ▆\u202f▆" in said
    assert "70% → 55%" in said
    furnished.text_input(key="words").input("quay").run()
    assert "crowd" not in words(furnished)  # one forecaster is not a crowd


def test_several_are_tagged_after_they_were_looked_at(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "questions", whose="Mine")
    furnished.toggle(key="several").set_value(True).run()
    furnished.button(key="several#0-all").click().run()
    assert "2 questions selected" in words(furnished)
    furnished.text_input(key="several#0-tag").input("weather").run()
    assert "This changes 1 question:\n\n- Will it snow?" in words(furnished)
    furnished.button(key="several#0-go").click().run()
    assert furnished.toast[0].value == "Changed 1 question\\."
    with database.reading(engine) as ledger:
        assert registry.newest_wording(ledger, registry.find(ledger, "snow")).tags == ["weather"]
    assert "0 questions selected" in words(furnished)


def test_those_selected_are_taken_away_as_a_ledger_folder(furnished: AppTest) -> None:
    visit(furnished, "questions", words="rain")
    furnished.toggle(key="several").set_value(True).run()
    furnished.button(key="several#0-all").click().run()
    furnished.selectbox(key="several#0-act").select("export as a ledger folder").run()
    [button] = furnished.get("download_button")
    assert button.proto.label == "Download 1 question (ZIP)"


def test_an_empty_ledger_shows_where_questions_come_from(app: AppTest) -> None:
    assert "No questions yet" in words(visit(app, "questions"))


def test_a_question_of_ones_own_is_registered_and_its_page_opens(
    app: AppTest, engine: Engine
) -> None:
    visit(app, "questions", view="Ask a question")
    submit(
        app,
        "ask#0",
        "go",
        title="Will the lighthouse be lit?",
        closes="2026-03-01",
        criteria="Yes if it shines by then.",
        tags="coast, light",
    )
    assert app.title[0].value == "Will the lighthouse be lit\\?"
    with database.reading(engine) as ledger:
        text = registry.newest_wording(ledger, registry.find(ledger, "will-the-lighthouse-be-lit"))
    assert text.tags == ["coast", "light"]
    assert text.scheduled_close_time.isoformat() == "2026-03-01T23:59:59+00:00"
    # Back on the form there is a link to it.
    assert titles(visit(app, "questions", view="Ask a question")) == ["Will the lighthouse be lit?"]


def test_options_are_given_one_a_line(app: AppTest, engine: Engine) -> None:
    visit(app, "questions", view="Ask a question")
    app.segmented_control(key="ask#0-type").set_value("multiple_choice").run()
    submit(
        app,
        "ask#0",
        "go",
        title="Who wins?",
        options="Ann\n\nBen \nOther",
        closes="2026-03-01",
        criteria="Whoever is first over the line.",
    )
    with database.reading(engine) as ledger:
        text = registry.newest_wording(ledger, registry.find(ledger, "who-wins"))
    assert text.options == ["Ann", "Ben", "Other"]


def test_a_question_that_breaks_a_rule_is_refused_and_nothing_is_stored(
    app: AppTest, engine: Engine
) -> None:
    visit(app, "questions", view="Ask a question")
    for title, closes, rule in (
        ("", "2026-03-01", "The question is blank. Ask it in one sentence."),
        ("Will it?", "", "The question has no last day. Write it in the question"),
        ("Will it?", "2025-12-01", "1 Dec 2025 has passed. Type a later day."),
        ("Will it?", "soon", "Last day of forecasting: 'soon' is not a date."),
    ):
        submit(app, "ask#0", "go", title=title, closes=closes, criteria=f"Yes. {closes}")
        assert rule in " ".join(app.error[0].value.replace("\\", "").split())
        # The form keeps its text.
        assert app.text_area(key="ask#0-criteria").value == f"Yes. {closes}"
    with database.reading(engine) as ledger:
        assert standing.listing(ledger, now=day(5)) == []


def test_a_typo_still_finds_and_says_so(furnished: AppTest) -> None:
    visit(furnished, "questions", words="endde")
    assert titles(furnished) == ["Has it ended?"]
    assert "Nothing has “endde”. Similar words: **ended**." in words(furnished)


def test_from_a_search_that_finds_nothing_one_click_leads_to_all(furnished: AppTest) -> None:
    visit(furnished, "questions", words="zzzz", status="open")
    assert "No questions match." in words(furnished)
    furnished.button(key="all").click().run()
    assert len(titles(furnished)) == 6


def test_filters_are_counted_on_their_button_and_cleared_at_once(furnished: AppTest) -> None:
    visit(furnished, "questions", status="open", type="numeric")
    assert titles(furnished) == ["How deep will it be?"]
    assert furnished.get("popover")[-1].proto.popover.label == "Filters (2)"
    furnished.button(key="clear").click().run()
    assert len(titles(furnished)) == 6
    assert furnished.get("popover")[-1].proto.popover.label == "Filters"
