"""The Question page: everyone's path, the update form of each type, withdrawal, the end."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts import database, questions, updates
from forecasts.models import Forecast
from tests.app.conftest import visit, words


def newest(engine: Engine, slug: str) -> Forecast:
    with database.reading(engine) as ledger:
        return updates.history(ledger, questions.find(ledger, slug))[-1][0]


def test_it_says_what_is_asked_where_it_comes_from_and_who_said_what(furnished: AppTest) -> None:
    said = words(visit(furnished, "question", slug="quay"))
    for part in (
        "Will the quay open?",
        "“The harbour master will open the quay by 20 January 2026.”",
        "Harbour works fall behind",
        "**bob (simulated)** — 20 %",
        "closes in 15 days (21 Jan 2026, 00:00 UTC)",
        "family harbour",
    ):
        assert part in said


def test_evidence_is_named_after_the_article_that_it_cites(furnished: AppTest) -> None:
    said = words(visit(furnished, "question", slug="rain"))
    assert "*supports*: [Harbour works fall behind](<https://example.org/harbour>)" in said
    assert "Clouds *are* gathering" in said


def test_a_question_that_is_not_there_is_a_sentence(furnished: AppTest) -> None:
    visit(furnished, "question", slug="rian")
    [error] = furnished.error
    assert "no question" in error.value
    assert "rain" in error.value
    assert not furnished.exception


def test_a_page_without_a_question_leads_to_the_questions(furnished: AppTest) -> None:
    assert "Pick a question first" in words(visit(furnished, "question"))


def test_an_update_with_evidence_is_one_act(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "question", slug="quay")
    furnished.text_input(key="forecast-quay#0-value").input("0.35")
    furnished.text_area(key="forecast-quay#0-reason").input("The paint is dry")
    furnished.text_input(key="forecast-quay#0-evidence").input("https://example.org/paint")
    furnished.selectbox(key="forecast-quay#0-stance").select("opposes")
    furnished.selectbox(key="forecast-quay#0-kind").select("expert")
    furnished.button(key="forecast-quay#0-save").click().run()
    with database.reading(engine) as ledger:
        question = questions.find(ledger, "quay")
        forecast, _ = updates.history(ledger, question)[-1]
        [(citation, evidence)] = updates.evidence_of(ledger, question)[forecast.id or 0]
    assert forecast.probability == 0.35
    assert (citation.stance, evidence.kind) == ("opposes", "expert")
    assert evidence.url == "https://example.org/paint"
    # The next form starts from what stands.
    assert furnished.text_input(key="forecast-quay#1-value").value == "35%"
    assert "Stands at **35 %**" in words(furnished)


def test_a_note_is_evidence_too(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "question", slug="quay")
    furnished.text_input(key="forecast-quay#0-value").input("30%")
    furnished.text_input(key="forecast-quay#0-evidence").input("Seen from the pier: https://x.y")
    furnished.button(key="forecast-quay#0-save").click().run()
    assert "*supports*: Seen from the pier: https://x.y" in words(furnished)


def test_the_slider_writes_into_the_field(furnished: AppTest) -> None:
    visit(furnished, "question", slug="quay")
    furnished.slider(key="forecast-quay#0-slider").set_value(12.3).run()
    assert furnished.text_input(key="forecast-quay#0-value").value == "12.3%"


def test_options_that_are_left_blank_share_what_is_left(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "question", slug="port")
    furnished.number_input(key="forecast-port#0-option-0").set_value(60).run()
    assert "40 % left, shared equally by the options left blank." in words(furnished)
    furnished.button(key="forecast-port#0-save").click().run()
    assert newest(engine, "port").probabilities == [0.6, 0.2, 0.2]


def test_options_that_sum_to_less_than_100_are_refused(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "question", slug="port")
    for place, percent in enumerate((60, 20, 10)):
        furnished.number_input(key=f"forecast-port#0-option-{place}").set_value(percent)
    furnished.run()
    assert "10 % left to give" in words(furnished)
    furnished.button(key="forecast-port#0-save").click().run()
    assert "sum to 90" in furnished.error[0].value
    assert newest(engine, "port").probabilities == [0.5, 0.3, 0.2]


def test_quantiles_are_typed(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "question", slug="depth")
    furnished.text_input(key="forecast-depth#0-value").input("10%=3, 50%=8, 90%=20")
    furnished.button(key="forecast-depth#0-save").click().run()
    assert newest(engine, "depth").quantiles == {"0.1": 3.0, "0.5": 8.0, "0.9": 20.0}


def test_a_withdrawal_is_a_row_of_its_own(furnished: AppTest, engine: Engine) -> None:
    visit(furnished, "question", slug="quay")
    furnished.text_input(key="forecast-quay#0-value").input("30%")
    furnished.button(key="forecast-quay#0-save").click().run()
    furnished.text_input(key="withdraw-quay#0-reason").input("I know too little")
    furnished.button(key="withdraw-quay#0-go").click().run()
    row = newest(engine, "quay")
    assert (row.withdrawn, row.rationale) == (True, "I know too little")
    assert "Nothing of yours stands yet." in words(furnished)


def test_a_resolved_question_shows_its_outcome_and_both_brier_scales(
    furnished: AppTest,
) -> None:
    said = words(visit(furnished, "question", slug="snow"))
    assert "Outcome: no" in said
    assert "No flake fell." in said
    assert furnished.metric[0].value == "0.4000"
    table: Any = furnished.table[0].value
    assert list(table.columns) == [
        "Forecaster",
        "Brier (0–1)",
        "Brier, original (0–2)",
        "At the close (0–1)",
        "Coverage",
        "Updates",
    ]
    assert list(table.iloc[0]) == ["alice", "0.4000", "0.8000", "0.1600", "100%", "2"]


def test_a_proposal_is_shown_and_leaves_the_form_in_place(furnished: AppTest) -> None:
    said = words(visit(furnished, "question", slug="rain"))
    assert "until somebody decides" in said
    assert "Your forecast" in said


@pytest.mark.parametrize("slug", ["rain", "snow", "port"])
def test_the_chart_has_a_text_in_its_place(furnished: AppTest, slug: str) -> None:
    [chart] = visit(furnished, "question", slug=slug).get("vega_lite_chart")
    assert "Every forecast stands in the list under History" in str(chart.proto)
