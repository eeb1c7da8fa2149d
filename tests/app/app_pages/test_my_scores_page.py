"""My scores: the table of resolved questions, and what each update earned."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from tests.app.conftest import register, say, settle, tables, visit, words

pytestmark = pytest.mark.slow


@pytest.fixture
def scored(furnished: AppTest, engine: Engine) -> AppTest:
    """The app on a ledger where alice has two resolved questions, one with a crowd."""
    register(engine, "sleet", title="Will it *sleet*?", tags=["weather"])
    say(engine, "sleet", 0.9, at=0)
    say(engine, "sleet", 0.5, at=0, by="bob (simulated)")
    settle(engine, "sleet", "yes", known=4.5, at=4.8)  # its scheduled close is still to come
    return furnished


def test_all_resolved_questions_are_listed_newest_first_with_score_outcome_and_crowd(
    scored: AppTest,
) -> None:
    said = words(visit(scored, "my_scores"))
    [table] = scored.dataframe
    assert table.value["Question"].tolist() == ["Will it *sleet*?", "Will it snow?"]
    assert table.value["Outcome"].tolist() == ["yes", "no"]
    assert table.value["Last"].tolist() == [90, 40]
    assert table.value["Score"].tolist() == pytest.approx([0.01, 0.4])
    assert table.value["vs crowd"].iloc[0] > 0
    assert table.value["vs crowd"].isna().tolist() == [False, True]
    assert "All resolved questions count, also those that closed early." in said
    assert [metric.value for metric in scored.metric][:2] == ["0.205", "2"]
    # The newest is open and shows its points.
    assert "Brier **0.0100** · outcome **yes** on 5 Jan 2026" in said
    assert "better than the crowd · coverage" in said


def test_a_link_to_a_question_opens_it_with_its_updates(scored: AppTest) -> None:
    said = words(visit(scored, "my_scores", question="snow"))
    assert "outcome **no**" in said
    assert "updates earned 0.240" in said
    [table] = tables(scored)
    assert table["Forecast"].tolist() == ["80%", "40%"]
    assert table["Earned"].tolist() == ["–", "+0.240"]
    assert table["Active for"].tolist() == ["2 days", "2 days"]


def test_words_filter_the_table_and_the_means(scored: AppTest) -> None:
    visit(scored, "my_scores")
    scored.text_input(key="words").input("weather").run()
    [table] = scored.dataframe
    assert table.value["Question"].tolist() == ["Will it *sleet*?"]
    assert scored.metric[0].value == "0.0100"
    scored.text_input(key="words").input("nothing like it").run()
    assert "None of your 2 resolved questions matches." in words(scored)


def test_without_a_result_the_page_says_when_scores_appear(app: AppTest) -> None:
    assert "No results yet. Scores appear here once your questions resolve." in words(
        visit(app, "my_scores")
    )
