"""Questions: search and filters in the address, and the form to ask one."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.questions import standing
from tests.app.conftest import (
    Clock,
    confirmed,
    fill,
    forecasts,
    page_links,
    press,
    state,
    submit,
    visit,
    words,
)
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def titles(app: AppTest) -> list[str]:
    return [link.proto.label.replace("\\", "") for link in page_links(app)]


def test_open_questions_come_first_and_ended_ones_last(furnished: AppTest) -> None:
    assert titles(visit(furnished, "questions")) == [
        "Will it rain?",
        "Which port comes first?",
        "How deep will it be?",
        "Will the quay open?",
        "Has it ended?",
        "Will it snow?",
    ]
    # A proposal does not hide it.
    assert "**open** · 1 proposal · closes in 5 days" in words(furnished)
    assert "Imported from" not in [one.label for one in furnished.selectbox]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "awaiting resolution"}, ["Has it ended?"]),
        ({"status": "with a proposal"}, ["Will it rain?"]),
        ({"status": "open", "tag": "weather"}, ["Will it rain?"]),
        ({"tag": "weather"}, ["Will it rain?"]),
        ({"family": "harbour"}, ["Will the quay open?"]),
        ({"type": "multiple choice"}, ["Which port comes first?"]),
        ({"whose": "Mine"}, ["Will it rain?", "Will it snow?"]),
        ({"whose": "Not yet mine", "type": "numeric"}, ["How deep will it be?"]),
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
    app.text_input(key="words").input("number").run()
    assert titles(app)[0] == "Number 00?"
    app.text_input(key="words").input("number 03").run()
    assert titles(app) == ["Number 03?"]


def test_the_crowds_way_is_drawn_in_a_line(furnished: AppTest) -> None:
    said = words(visit(furnished, "questions", words="rain"))
    assert re.search(
        r"crowd of 2: !\[\]\(data:image/svg\+xml,%3Csvg\S+\) 70% → 55% :gray-badge\[weather", said
    )
    assert "14,6.8 20,6.8" in unquote(said)  # pixels
    furnished.text_input(key="words").input("quay").run()
    assert "crowd" not in words(furnished)  # one forecaster is not a crowd


def test_a_reason_is_found_while_the_search_is_typed_and_its_passage_shown(
    furnished: AppTest,
) -> None:
    visit(furnished, "questions", page="1", order="by title")
    furnished.text_input(key="words").input("GATHERING").run()
    assert titles(furnished) == ["Will it rain?"]
    assert "\nin a reason: Clouds *are* gathering" in words(furnished)


def test_words_typed_on_a_page_filter_no_other_page(furnished: AppTest) -> None:
    pages = {"questions": "quay", "articles": "harbour", "my_scores": "snow", "team": "bob"}
    for page, typed in pages.items():
        visit(furnished, page)
        [field] = [one for one in furnished.text_input if one.label.startswith("Search")]
        assert field.value == "", page
        field.input(typed).run()


def test_several_are_tagged_after_they_were_looked_at(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "questions", whose="Mine")
    furnished.toggle(key="several").set_value(True).run()
    furnished.button(key="several#0-all").click().run()
    assert "2 questions selected" in words(furnished)
    furnished.text_input(key="several#0-tag").input("weather").run()
    assert "**1 question: tags: blank → weather**\n\n- Will it snow?" in words(furnished)
    furnished.button(key="several#0-go").click().run()
    assert confirmed(furnished) == ["Changed 1 question."]
    assert state(engine, "snow").text.tags == ["weather"]
    assert "0 questions selected" in words(furnished)


def test_those_selected_are_taken_away_as_a_ledger_folder(furnished: AppTest) -> None:
    visit(furnished, "questions", words="rain")
    furnished.toggle(key="several").set_value(True).run()
    furnished.button(key="several#0-all").click().run()
    furnished.selectbox(key="several#0-act").select("export as a ledger folder").run()
    [button] = furnished.get("download_button")
    assert button.proto.label == "Download 1 question (ZIP)"


def test_duplicates_on_one_platform_are_joined_here(app: AppTest, engine: Engine) -> None:
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        for end in "?", "!":
            ask(ledger, alice, title=f"Will the quay open{end}")
    visit(app, "questions", view="Duplicates")
    app.checkbox[0].check().run()
    press(app, "Join 1 selected")
    assert confirmed(app) == ["Joined: will-the-quay-open and will-the-quay-open-2."]
    assert "No two questions look the same." in words(app)


def test_an_empty_ledger_shows_where_questions_come_from(app: AppTest) -> None:
    assert "No questions yet" in words(visit(app, "questions"))


def test_a_question_that_breaks_a_rule_is_refused_and_one_that_keeps_them_opens_its_page(
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
    given = {"title": "Will the lighthouse be lit?", "closes": "2026-03-01"}
    app.text_input(key="ask#0-forecast-binary").input("60/40").run()
    assert "Read as **60%**" in words(app)
    submit(app, "ask#0", "go", criteria="Yes if it shines.", tags="coast, light", **given)
    assert forecasts(engine, "will-the-lighthouse-be-lit")[0].probability == 0.6
    assert app.title[0].value == "Will the lighthouse be lit\\?"
    text = state(engine, "will-the-lighthouse-be-lit").text
    assert text.tags == ["coast", "light"]
    assert text.scheduled_close_time.isoformat() == "2026-03-01T23:59:59+00:00"
    # Back on the form there is a link to it.
    assert titles(visit(app, "questions", view="Ask a question")) == ["Will the lighthouse be lit?"]
    submit(app, "ask#1", "go", criteria="Yes if it shines.", **given)
    assert "already registered" in app.error[0].value
    assert "Open the question" in titles(app)


def test_a_doubtful_day_of_the_full_form_is_asked_for_beside_its_field(
    app: AppTest, engine: Engine
) -> None:
    """It is Tuesday, 6 January 2026."""
    visit(app, "questions", view="Ask a question")
    title, criteria = "Will the quay open by 2030?", "Yes if a ship has passed."
    submit(app, "ask#0", "go", title=title, criteria=criteria)
    assert "'by 2030' could mean" in words(app)
    app.button(key="ask#0-closes-meaning-1").click().run()
    assert "Read as **31 Dec 2030**" in words(app)
    # It does not outlive the words that it was chosen for.
    app.text_area(key="ask#0-title").input("Will the quay open by 2035?").run()
    assert app.text_input(key="ask#0-closes").value == ""
    assert "Which is meant by **by 2035**?" in words(app)
    app.text_area(key="ask#0-title").input(title).run()
    app.text_input(key="ask#0-closes").input("tuesday").run()
    app.button(key="ask#0-closes-meaning-1").click().run()
    submit(app, "ask#0", "go")
    closes = state(engine, "will-the-quay-open-by-2030").text.scheduled_close_time
    assert f"{closes:%Y-%m-%d}" == "2026-01-13"


def test_options_are_given_one_a_line(app: AppTest, engine: Engine) -> None:
    visit(app, "questions", view="Ask a question")
    app.segmented_control(key="ask#0-type").set_value("multiple_choice").run()
    given = {"title": "Who wins?", "closes": "2026-03-01", "criteria": "The first over the line."}
    app.text_input(key="ask#0-forecast-multiple_choice").input("Ann=50%").run()
    assert "**Cannot be saved:** The forecast has no options yet." in words(app)
    submit(app, "ask#0", "go", options="Ann\n\nBen \nOther", **given)
    assert state(engine, "who-wins").text.options == ["Ann", "Ben", "Other"]
    assert forecasts(engine, "who-wins")[0].probabilities == [0.5, 0.25, 0.25]


def test_a_typo_still_finds_and_says_so(furnished: AppTest) -> None:
    visit(furnished, "questions", words="endde")
    assert titles(furnished) == ["Has it ended?"]
    assert "Nothing has “endde”. Similar words: **ended**." in words(furnished)


def test_filters_are_counted_and_from_a_search_that_finds_nothing_a_click_leads_to_all(
    furnished: AppTest,
) -> None:
    visit(furnished, "questions", status="open", type="numeric")
    assert titles(furnished) == ["How deep will it be?"]
    assert furnished.get("popover")[-1].proto.popover.label == "Filters (2)"
    furnished.button(key="clear").click().run()
    assert len(titles(furnished)) == 6
    assert furnished.get("popover")[-1].proto.popover.label == "Filters"
    furnished.text_input(key="words").input("zzzz").run()
    assert "No questions match." in words(furnished)
    furnished.button(key="all").click().run()
    assert len(titles(furnished)) == 6


def test_the_forecast_of_a_new_question_is_confirmed_as_it_reads(app: AppTest) -> None:
    visit(app, "questions", view="Ask a question")
    app.segmented_control(key="ask#0-type").set_value("numeric").run()
    app.text_input(key="ask#0-forecast-numeric").input("10%=1, 50%=2, 90%=3").run()
    how = {"title": "How deep by 2099?", "lower": "0", "upper": "9", "closes": "2099-01-01"}
    submit(app, "ask#0", "go", **how)
    said = "Registered: How deep by 2099? Your forecast: 10th percentile: 1, 50th: 2, 90th: 3."
    assert confirmed(app)[0].startswith(said)


def test_a_question_about_a_date_is_asked_forecast_and_resolved(
    app: AppTest, engine: Engine, clock: Clock
) -> None:
    """It is Tuesday, 6 January 2026."""
    visit(app, "questions", view="Ask a question")
    app.segmented_control(key="ask#0-type").set_value("date").run()
    fill(app, "ask#0", title="When will the quay open?", lower="january 2026").run()
    app.text_input(key="ask#0-upper").input("end of year").run()
    app.text_input(key="ask#0-closes").input("in 3 weeks").run()
    for reading in ("1 Jan 2026", "31 Dec 2026", "27 Jan 2026"):
        assert f"Read as **{reading}**" in words(app)
    app.text_input(key="ask#0-forecast-date").input("50%=end of march").run()
    assert "Read as **50th percentile: 2026-03-31**" in words(app)
    app.text_input(key="ask#0-forecast-date").input("").run()
    app.text_input(key="ask#0-resolves").input("soon").run()
    assert "**Cannot be saved:** Resolve by: 'soon' is not a date." in words(app)
    submit(app, "ask#0", "go", resolves="")
    slug = "when-will-the-quay-open"
    text = state(engine, slug).text
    assert (text.lower_bound, text.upper_bound) == ("2026-01-01", "2026-12-31")

    visit(app, "question", slug=slug)
    value = f"forecast-{slug}#0-value"
    app.text_input(key=value).input("10%=tomorrow, 50%=in 10 days, 90%=end of march").run()
    assert "10th percentile: 2026-01-07, 50th: 2026-01-16, 90th: 2026-03-31." in words(app)
    app.button(key=f"forecast-{slug}#0-save").click().run()
    [forecast] = forecasts(engine, slug)
    assert forecast.quantiles == {"0.1": "2026-01-07", "0.5": "2026-01-16", "0.9": "2026-03-31"}

    clock.moment = day(11)
    visit(app, "resolve", slug=slug)
    app.text_input(key=f"resolve-{slug}#0-outcome").input("last week").run()
    assert "**Cannot be saved:** 'last week' is more than one day" in words(app)
    app.text_input(key=f"resolve-{slug}#0-outcome").input("yesterday").run()
    app.text_input(key=f"resolve-{slug}#0-known").input("today 00:00").run()
    said = words(app)
    assert "Read as **2026-01-11**" in said
    assert "Read as **12 Jan 2026, 00:00 UTC**" in said
    app.button(key=f"resolve-{slug}#0-go").click().run()
    resolution = state(engine, slug).resolution
    assert resolution is not None
    assert resolution.outcome == "2026-01-11"
