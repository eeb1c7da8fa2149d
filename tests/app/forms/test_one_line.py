"""The one line: what it fills in, what it saves, and its undo."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import parse_qsl

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from app.forms import one_line
from forecasts.common.errors import DatabaseError
from forecasts.ledger import database
from forecasts.ledger.models import Role
from forecasts.questions import registry, standing
from forecasts.questions.groups import groups
from forecasts.updates import updates
from tests.app.conftest import Clock, confirmed, errors, fill, focused, share, visit, words
from tests.conftest import day

pytestmark = pytest.mark.slow


def fields(app: AppTest) -> tuple[str, str, str]:
    title, closes, probability = (field.value for field in app.text_input[:3])
    return title, closes, probability


def type_line(app: AppTest, line: str) -> AppTest:
    visit(app, "today")
    return app.text_input[0].input(line).run()


def save(app: AppTest, number: int = 0) -> AppTest:
    return app.button(key=f"one-line#{number}-save").click().run()


def registered(engine: Engine) -> list[tuple[str, str, float | None]]:
    """Return the questions: title, last day, and the newest probability."""
    with database.reading(engine) as ledger:
        found = []
        for state in standing.listing(ledger, now=day(6)):
            path = updates.history(ledger, registry.find(ledger, state.slug))
            newest = path[-1][0].probability if path else None
            found.append((state.text.title, f"{state.text.close_time:%Y-%m-%d}", newest))
    return found


def test_the_line_fills_the_fields_beside_it_and_one_act_registers_and_forecasts(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, "Will the quay open by 20 January? 30%")
    assert fields(app) == ("Will the quay open by 20 January? 30%", "2026-01-20", "30%")
    assert "closes **20 Jan 2026** (“by 20 January”) · **30%**" in words(app)
    app.text_input(key="one-line#0-title").input("Will the quay open by 25 January? 3:7").run()
    assert fields(app)[1:] == ("2026-01-25", "30%")
    save(app)
    assert registered(engine) == [("Will the quay open by 25 January?", "2026-01-25", 0.3)]
    said = "30% on “Will the quay open by 25 January?”, closes 25 Jan 2026 (“by 25 January”)."
    assert f":green[**Saved:**] {said}" in words(app)
    assert fields(app) == ("", "", "")
    assert focused(app) == "act-one-line"
    save(app.text_input(key="one-line#1-title").input("Will it snow tomorrow? 5%").run(), 1)
    assert ("Will it snow tomorrow?", "2026-01-07", 0.05) in registered(engine)


def test_a_reading_that_has_not_changed_replaces_nothing_in_the_browser(app: AppTest) -> None:
    """There the field beside the line may hold what has not been sent yet."""
    for line in ("Will the quay open", "Will the quay open by 20 January? 30%", "Will the quay o"):
        before = fields(app)[1:] if app.text_input else ("", "")
        type_line(app, line)
        replaced = [one.proto.set_value for one in app.text_input[1:3]]
        now = fields(app)[1:]
        assert replaced == [new != old for new, old in zip(now, before, strict=True)]


def test_a_number_at_the_end_is_the_probability_only_where_it_is_clear(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, "The quay opens by May, 8")
    asked = "'8' could be a probability or part of the question."
    assert asked in words(app)
    app.text_input(key="one-line#0-probability").input("30").run()
    save(app)
    assert registered(engine) == []
    app.text_input(key="one-line#0-title").input("The quay opens by May 2026, 8").run()
    app.text_input(key="one-line#0-probability").input("").run()
    save(app)
    assert registered(engine) == [("The quay opens by May 2026", "2026-05-31", 0.08)]


def test_a_value_that_cannot_be_read_is_shown_as_typed_and_refused(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, "Will the quay open by 20 January? 130%")
    assert fields(app)[2] == "130%"
    save(app)
    assert "A probability must be from 0% to 100%; '130%' is not." in words(app)
    assert registered(engine) == []


def test_a_title_of_another_type_opens_the_full_form_with_its_forecast(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, "How many ships pass by 20 January? 20")
    assert "This asks for a number" in words(app)
    assert fields(app)[1:] == ("2026-01-20", "")
    save(app)
    assert "asks for a number, not for yes or no." in words(app)
    assert words(app).count("on the page “Questions”") == 1
    assert registered(engine) == []
    [link] = [one.proto for one in app.get("page_link") if one.proto.label == "Open the full form"]
    visit(app, "questions", **dict(parse_qsl(link.query_string)))
    assert app.text_area(key="ask#0-title").value == "How many ships pass by 20 January?"
    assert "'20' has no level, as in 50%=20." in words(app)
    fill(app, "ask#0", lower="0", upper="100", **{"forecast-numeric": "10%=15, 50%=20"}).run()
    assert "Read as **10th percentile: 15, 50th: 20**" in words(app)
    app.button(key="ask#0-go").click().run()
    assert app.title[0].value == "How many ships pass by 20 January\\?"
    with database.reading(engine) as ledger:
        [state] = standing.listing(ledger, now=day(6))
        [(forecast, *_)] = updates.history(ledger, registry.find(ledger, state.slug))
    assert forecast.quantiles == {"0.1": 15.0, "0.5": 20.0}


def test_a_title_that_was_misread_is_taken_as_yes_or_no(app: AppTest, engine: Engine) -> None:
    type_line(app, "Number of ships by 20 January 30%")
    assert "This asks for a number" in words(app)
    app.button(key="one-line#0-binary").click().run()
    assert fields(app)[1:] == ("2026-01-20", "30%")
    save(app)
    assert registered(engine) == [("Number of ships by 20 January", "2026-01-20", 0.3)]


def test_a_doubtful_day_is_asked_for_in_place_and_nothing_is_saved_before(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, "Will the quay open by 2030? 30%")
    assert fields(app)[1:] == ("", "30%")
    assert "Which is meant by **by 2030**?" in words(app)
    save(app)
    assert "'by 2030' could mean 'before 2030' or 'by the end of 2030'." in words(app)
    assert registered(engine) == []
    app.button(key="one-line#0-closes-meaning-0").click().run()
    assert fields(app)[1] == "2029-12-31"
    assert "Which is meant" not in words(app)
    save(app)
    assert registered(engine) == [("Will the quay open by 2030?", "2029-12-31", 0.3)]


def test_a_chosen_day_counts_even_if_it_was_filled_in_while_typing(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, "Will the quay open by 31 December 2030?")
    assert fields(app)[1] == "2030-12-31"
    app.text_input[0].input("Will the quay open by 2030? 30%").run()
    assert fields(app)[1] == ""
    app.button(key="one-line#0-closes-meaning-1").click().run()
    assert fields(app)[1] == "2030-12-31"
    save(app)
    assert registered(engine) == [("Will the quay open by 2030?", "2030-12-31", 0.3)]


@pytest.mark.parametrize("undone", [False, True])
def test_a_chosen_day_is_dropped_with_the_words_that_it_was_chosen_for(
    app: AppTest, engine: Engine, *, undone: bool
) -> None:
    type_line(app, "Will the quay open by 2030? 30%")
    app.button(key="one-line#0-closes-meaning-0").click().run()
    number = 0
    if undone:
        save(app)
        app.button(key="one-line-undo#0-go").click().run()
        number = 1
    app.text_input[0].input("Will the lock open by 2030? 35%").run()
    assert fields(app)[1:] == ("2029-12-31", "30%" if undone else "35%")
    app.text_input[0].input("Will the lock open by 2035? 35%").run()
    assert fields(app)[1] == ""
    save(app, number)
    assert "Which is meant by **by 2035**?" in words(app)
    assert registered(engine) == []


def test_a_field_that_was_corrected_counts_even_if_the_line_changes(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, "Will the quay open by 20 January? 30%")
    fill(app, "one-line#0", closes="in 3 weeks", probability="1/4").run()
    assert "closes **27 Jan 2026** · **25%**" in words(app)
    app.text_input(key="one-line#0-title").input("Will the quay open by 19 January? 35%").run()
    assert fields(app)[1:] == ("in 3 weeks", "1/4")
    save(app)
    assert registered(engine) == [("Will the quay open by 19 January?", "2026-01-27", 0.25)]


def test_fields_typed_before_the_line_keep_their_text_after_a_visit_elsewhere(app: AppTest) -> None:
    type_line(app, "Will the quay open by 20 January? 30%")
    visit(app, "team")
    visit(app, "today")
    app.text_input(key="one-line#0-closes").input("2026-01-20").run()
    app.text_input(key="one-line#0-probability").input("30%").run()
    app.text_input(key="one-line#0-title").input("Will it snow?").run()
    assert fields(app) == ("Will it snow?", "2026-01-20", "30%")


def test_a_replaced_reading_that_the_browser_still_sends_does_not_count(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, "Will the quay open by 20 January? 3")
    app.text_input(key="one-line#0-title").input("Will the quay open by 20 January 2027? 30%").run()
    # Enter came before the browser had the new reading.
    fill(app, "one-line#0", closes="2026-01-20", probability="3%")
    save(app)
    assert registered(engine) == [("Will the quay open by 20 January 2027?", "2027-01-20", 0.3)]


def test_a_missing_field_is_asked_for_and_the_words_stay(app: AppTest, engine: Engine) -> None:
    visit(app, "today")
    for line, missing, field in (
        ("", "The question is blank.", "title"),
        ("Will the quay open? 30%", "The question has no last day.", "closes"),
        ("Will the quay open by 20 January?", "It has no probability yet.", "probability"),
        ("Will the quay open by 20 January? 0%", "must be from 0.1% to 99.9%", "probability"),
    ):
        save(app.text_input[0].input(line).run())
        assert missing in words(app)
        assert fields(app)[0] == line
        assert focused(app) == f"one-line#0-{field}"
    assert registered(engine) == []


def test_undo_discards_the_question_and_gives_the_line_back(app: AppTest, engine: Engine) -> None:
    line = "Will the quay open by 20 January? 30%"
    save(type_line(app, line))
    app.button(key="one-line-undo#0-go").click().run()
    assert registered(engine) == []
    assert confirmed(app) == ["Discarded. The line is back in its field."]
    assert fields(app)[0] == line
    assert "**Saved:**" not in words(app)
    save(app, 1)
    assert registered(engine) == [("Will the quay open by 20 January?", "2026-01-20", 0.3)]


def test_the_same_question_twice_is_refused_and_nothing_beside_it_says_saved(
    app: AppTest, clock: Clock
) -> None:
    line = "Will the quay open by 20 January? 30%"
    save(type_line(app, line))
    save(app.text_input(key="one-line#1-title").input(line).run(), 1)
    assert "already registered" in words(app)
    [link] = [one.proto for one in app.get("page_link") if one.proto.label == "Open the question"]
    assert link.query_string.startswith("slug=will-the-quay-open")
    assert "**Saved:**" not in words(app)
    app.text_input[0].input("Will the lock open by 20 January?").run()
    assert "**Saved:**" in words(app)
    clock.moment = day(6)
    assert "**Saved:**" not in words(visit(app, "today"))


def test_in_a_shared_ledger_only_its_author_sees_it_until_it_has_criteria(
    app: AppTest, engine: Engine
) -> None:
    share(engine, Role.admin)
    save(type_line(app, "Will the quay open by 20 January? 30%"))
    assert "Only you can see it until it has criteria." in words(app)
    type_line(app, "Will the lock open by 20 January? 30%")
    app.text_area(key="one-line#1-criteria").input("Yes if a ship has passed.")
    save(app, 1)
    assert "Only you can see it" not in words(app)
    with database.reading(engine) as ledger:
        seen = {state.slug: state.text.visibility for state in standing.listing(ledger, now=day(6))}
    assert sorted(seen.values()) == ["author", "everyone"]


@pytest.mark.parametrize("typed_meanwhile", [False, True])
def test_a_line_entered_while_the_ledger_is_away_is_still_in_its_field(
    app: AppTest, engine: Engine, monkeypatch: pytest.MonkeyPatch, *, typed_meanwhile: bool
) -> None:
    line = "Will the quay open by 20 January? 30%"
    type_line(app, line[:-1] if typed_meanwhile else line)

    def away(*_: object, **__: object) -> NoReturn:
        raise DatabaseError("The server was not reached.", remedy="Start it.")

    with monkeypatch.context() as patch:
        patch.setattr(database, "writing", away)
        patch.setattr(one_line, "reading", away)  # a save runs the line alone
        if typed_meanwhile:
            app.text_input[0].input(line).run()
            assert "was not reached" in words(app)
        save(app)
        assert "was not reached" in words(app)
        assert "This page retries every few seconds." in words(app)
    app.run()
    assert fields(app) == (line, "2026-01-20", "30%")
    save(app)
    assert registered(engine) == [("Will the quay open by 20 January?", "2026-01-20", 0.3)]


BRIDGE = "Will Brenholt open its bridge by March, June, December 2026?"


def test_several_deadlines_are_a_nested_group_registered_and_forecast_in_one_act(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, f"{BRIDGE} 10, 30, 60")
    assert fields(app)[1:] == ("2026-03-31, 2026-06-30, 2026-12-31", "10%, 30%, 60%")
    assert "3 questions · March 2026 **10%** · June 2026 **30%** · December 2026 **60%**" in words(
        app
    )
    save(app)
    assert registered(engine) == [
        ("Will Brenholt open its bridge by March 2026?", "2026-03-31", 0.1),
        ("Will Brenholt open its bridge by June 2026?", "2026-06-30", 0.3),
        ("Will Brenholt open its bridge by December 2026?", "2026-12-31", 0.6),
    ]
    with database.reading(engine) as ledger:
        [group] = groups(ledger, now=day(6))
    assert (group.title, group.kind) == ("Will Brenholt open its bridge?", "nested")
    assert {one.state.text.family for one in group.members} == {group.slug}
    assert "10%, 30%, 60% on “Will Brenholt open its bridge?” with 3 deadlines." in words(app)
    app.button(key="one-line-undo#0-go").click().run()
    assert registered(engine) == []


def test_deadlines_in_an_impossible_order_are_mended_in_a_click_or_meant(
    app: AppTest, engine: Engine
) -> None:
    type_line(app, f"{BRIDGE} 30, 10, 60")
    app.button(key="one-line#0-coherent").click().run()
    assert fields(app)[2] == "20%, 20%, 60%"
    save(app)
    assert [p for _, _, p in registered(engine)] == [0.2, 0.2, 0.6]


def test_an_impossible_order_is_refused_once_where_it_was_not_shown(
    app: AppTest, engine: Engine
) -> None:
    visit(app, "today")
    app.text_input[0].input(f"{BRIDGE} 30, 10, 60")
    save(app)
    assert registered(engine) == []
    assert "A later deadline cannot be less likely" in errors(app)
    save(app)
    assert [p for _, _, p in registered(engine)] == [0.3, 0.1, 0.6]


@pytest.mark.parametrize(
    ("typed", "said"),
    [("10, 30", "3 deadlines, 2 probabilities."), ("", "3 deadlines, 0 probabilities.")],
)
def test_a_group_needs_a_probability_for_each_deadline(
    app: AppTest, engine: Engine, typed: str, said: str
) -> None:
    type_line(app, f"{BRIDGE} {typed}")
    assert said in words(app)
    save(app)
    assert registered(engine) == []
