"""Today: what needs the reader, and the update made in place."""

from __future__ import annotations

from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts import database, questions, updates
from tests.app.conftest import visit, words


def test_an_empty_ledger_shows_three_ways_in(app: AppTest) -> None:
    said = words(visit(app, "today"))
    for way in ("Capture an article", "Ask a question", "See the demonstration"):
        assert way in said
    assert app.code[0].value == "make demo"


def test_each_question_stands_in_the_list_that_says_what_it_needs(furnished: AppTest) -> None:
    said = words(visit(furnished, "today"))
    assert "3 to forecast · 1 standing forecast · 2 to resolve" in said
    assert "Will the quay open?" in said
    assert "awaiting resolution · closed 1 day ago" in said


def test_what_was_resolved_shows_the_readers_own_brier_score(furnished: AppTest) -> None:
    # 0.8 stood for half the time and 0.4 for the other half; the outcome is no.
    by_hand = (0.8**2 + 0.4**2) / 2
    assert f"your Brier (0–1, 0 is best): **{by_hand:.4f}**" in words(visit(furnished, "today"))


def test_a_forecast_is_made_in_place_and_acknowledged(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "today")
    furnished.text_input(key="quick-quay#0-value").input("5:2")
    furnished.text_input(key="quick-quay#0-reason").input("The crane is up")
    furnished.button(key="quick-quay#0-save").click().run()
    assert [toast.value.replace("\\", "") for toast in furnished.toast] == [
        "Saved: 71.4 % on “Will the quay open?”."
    ]
    with database.reading(engine) as ledger:
        [(_, _), (forecast, handle)] = updates.history(ledger, questions.find(ledger, "quay"))
    assert (handle, forecast.rationale, forecast.origin) == ("alice", "The crane is up", "app")
    assert forecast.probability == 5 / 7


def test_an_ambiguous_number_is_refused_in_place_and_the_words_stay(
    furnished: AppTest, engine: Engine
) -> None:
    visit(furnished, "today")
    furnished.text_input(key="quick-quay#0-value").input("71")
    furnished.text_input(key="quick-quay#0-reason").input("The crane is up")
    furnished.button(key="quick-quay#0-save").click().run()
    [error] = furnished.error
    assert "ambiguous" in error.value
    assert "Write 71\\% or 0\\.71\\." in error.value
    assert furnished.text_input(key="quick-quay#0-reason").value == "The crane is up"
    assert not furnished.toast
    with database.reading(engine) as ledger:
        assert len(updates.history(ledger, questions.find(ledger, "quay"))) == 1


def test_certainty_is_not_offered(furnished: AppTest) -> None:
    visit(furnished, "today")
    furnished.text_input(key="quick-quay#0-value").input("100%")
    furnished.button(key="quick-quay#0-save").click().run()
    assert "100 \\% is outside" in furnished.error[0].value
