"""My scores: the table of resolved questions, and what each update earned."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from tests.app.conftest import UNSEEN, register, say, settle, tables, visit, words

pytestmark = pytest.mark.slow


@pytest.fixture
def scored(furnished: AppTest, engine: Engine) -> AppTest:
    """The app on a ledger where alice has two resolved questions, one with a crowd."""
    register(engine, "sleet", title="Will it *sleet*?", tags=["weather"])
    say(engine, "sleet", 0.9, at=0)
    say(engine, "sleet", 0.5, at=0, by="bob (simulated)")
    settle(engine, "sleet", "yes", known=4.5, at=4.8)  # its scheduled close is still to come
    return furnished


def rows(app: AppTest) -> list[str]:
    """Return the label of each row as a reader sees it."""
    return [one.label.translate(UNSEEN) for one in app.expander]


def test_all_resolved_questions_are_listed_newest_first_with_score_outcome_and_crowd(
    scored: AppTest,
) -> None:
    said = words(visit(scored, "my_scores"))
    sleet, snow = rows(scored)
    assert sleet == (
        "**0.010** Will it *sleet*? :gray[Brier · outcome yes · last forecast 90% · against the "
        "crowd +0.108 · 5 Jan 2026]"
    )
    assert snow.startswith("**0.400** Will it snow? :gray[Brier · outcome no · last forecast 40% ·")
    assert not any(one.proto.expanded for one in scored.expander)
    assert "All resolved questions count, also those that closed early." in said
    shown = {metric.label: metric.value for metric in scored.metric}
    assert (shown["Mean Brier (0–1)"], shown["Resolved questions"]) == ("0.205", "2")
    assert shown["Earned by updates"] == "+0.240"
    [earned] = [one for one in scored.metric if one.label == "Earned by updates"]
    assert earned.help.startswith("Mean over 1 question with an update.")
    scored.segmented_control(key="by").set_value("Worst").run()
    assert rows(scored) == [snow, sleet]


def test_the_mean_is_on_a_scale_with_others_and_says_what_they_are(scored: AppTest) -> None:
    said = words(visit(scored, "my_scores"))
    [drawn] = scored.get("vega_lite_chart")
    best_first = "Superforecasters* 0.098, You 0.205, Always 50% 0.250, Crowd 0.325."
    assert drawn.proto.alt == f"Mean Brier scores, best first: {best_first}"
    assert "*On other questions, so only a rough guide" in said
    assert "On 1 question without others, your own score counts." in said


def test_a_link_to_a_question_opens_it_first_with_its_updates(scored: AppTest) -> None:
    said = words(visit(scored, "my_scores", question="snow"))
    first, _ = scored.expander
    assert first.proto.expanded
    assert "**0.400** Will it snow?" in rows(scored)[0]
    assert "updates earned 0.240 in all" in said
    table, _ = tables(scored)
    assert table["Forecast"].tolist() == ["80%", "40%"]
    assert table["Earned"].tolist() == ["–", "+0.240"]
    assert table["Active for"].tolist() == ["2 days", "2 days"]


def test_from_three_scores_on_the_mean_is_a_line_from_its_worst_to_its_best(
    scored: AppTest, engine: Engine
) -> None:
    assert "![" not in words(visit(scored, "my_scores"))
    register(engine, "hail", title="Will it hail?")
    say(engine, "hail", 0.9, at=0)
    settle(engine, "hail", "yes", known=4.6, at=4.9)
    said = words(visit(scored, "my_scores"))
    drawn = said.partition("![Mean of the last 20 questions over time, now 0.140.](")[2]
    assert "points='2,2.0 8,14.0 14,18.0'" in unquote(drawn)


def test_words_filter_the_rows_and_the_means(scored: AppTest) -> None:
    visit(scored, "my_scores")
    scored.text_input(key="score-words").input("weather").run()
    [row] = rows(scored)
    assert "Will it *sleet*?" in row
    assert scored.metric[0].value == "0.0100"
    scored.text_input(key="score-words").input("nothing like it").run()
    assert "None of your 2 resolved questions matches." in words(scored)


def test_without_a_result_the_page_says_when_scores_appear(app: AppTest) -> None:
    assert "No results yet. Scores appear here once your questions resolve." in words(
        visit(app, "my_scores")
    )
