"""My scores: each resolved question of the reader, its score, and the points of its updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.markdown_text import as_text, significant
from app.session import current_member, reading
from app.times import day, zone
from app.views import scores
from app.views.documents import chart
from app.views.empty import empty
from app.views.widgets import metrics, page_link, question_link, search_field
from forecasts.common.text import count
from forecasts.common.times import in_zone
from forecasts.documents import numbers
from forecasts.documents.vega_lite import COLOURS
from forecasts.reports import figures
from forecasts.reports.own_scores import WINDOW, OwnScores, own_scores
from forecasts.scores.printed_scores import printed_scores
from forecasts.scores.scored_questions import ScoredQuestion, matching

ROWS = 12  # of the table, which scrolls
FEWEST_DRAWN = 3  # scores that make a line


def means(own: OwnScores, questions: int) -> None:
    """Show the means, the first with a sparkline."""
    brier = f"{scores.RULES['brier'][1]} Always 50% scores 0.25. Line: mean of the last {WINDOW}."
    crowd = (
        "Mean advantage over the mean of the others’ forecasts at the same times, on {questions} "
        "that others forecast too. Above 0 is better."
    ).format(questions=count(own.compared, "question"))
    shown = {
        "Mean Brier (0–1)": (significant(own.brier.mean), brier),
        "Resolved questions": (f"{questions:,}", ""),
        "Against the crowd": (signed(own.against_crowd.mean), crowd),
        "Earned by updates": (
            signed(own.points),
            (
                "The improvement of the score times the share of the question’s time that was "
                "left. Above 0, the update helped. This is bookkeeping, not proof of a cause."
            ),
        ),
    }
    first, *_ = metrics("own", shown)
    if len(own.calls) >= FEWEST_DRAWN:
        last = significant(own.calls[-1].running)
        alt = f"Mean of the last {WINDOW} questions over time, now {last}."
        first.vega_lite_chart(spec=sparkline(own), alt=alt)
    parts = ["All resolved questions count, also those that closed early."]
    if own.brier.interval is not None:
        parts.append(f"Mean Brier, 95% interval: {numbers.interval(own.brier.interval)}.")
    if others := questions - len(own.calls):
        parts.append(f"Not in the means: {count(others, 'numeric or date question')} (CRPS).")
    st.caption(" ".join(parts))


def sparkline(own: OwnScores) -> dict[str, Any]:
    """Return the running mean of the scores as a line alone."""
    rows = [{"place": place, "mean": call.running} for place, call in enumerate(own.calls)]
    y = {"field": "mean", "type": "quantitative", "axis": None, "scale": {"zero": False}}
    return {
        "height": 40,
        "padding": 0,
        "config": {"view": {"stroke": None}},
        "data": {"values": rows},
        "mark": {"type": "line", "color": COLOURS["curve"]},
        "encoding": {"x": {"field": "place", "type": "quantitative", "axis": None}, "y": y},
    }


def signed(points: float | None) -> str:
    """Return points with their sign and three significant digits."""
    shown = significant(points)
    return shown if points is None or shown.startswith("−") or not float(shown) else f"+{shown}"


def score_table(shown: Sequence[ScoredQuestion], key: str) -> ScoredQuestion:
    """Show the questions as a table; return the chosen one: by a click, the address, or newest."""
    asked = st.query_params.get("question")
    columns = {
        "Score": [one.score.score for one in shown],  # first, to be in sight on a phone
        "Question": [one.state.text.title for one in shown],
        "Outcome": [one.state.resolution.outcome for one in shown if one.state.resolution],
        "Last": [None if (p := one.last.probability) is None else 100 * p for one in shown],
        "Path": [path(one) for one in shown],
        "vs crowd": [rounded(one.against_crowd) for one in shown],
        "Earned": [rounded(one.points) for one in shown],
        "Coverage": [100 * one.score.coverage for one in shown],
        "Resolved": [in_zone(one.known_at, zone()).date() for one in shown],
    }
    number = st.column_config.NumberColumn
    event = st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        height=min(len(shown), ROWS) * 35 + 38,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        placeholder=numbers.NOTHING,
        alt="Your resolved questions with their scores. Sort by any column.",
        column_config={
            "Question": st.column_config.TextColumn(width=330),
            "Score": number(format="%.3f", help="Brier (0–1), or CRPS. 0 is best."),
            "Last": number(
                format="%.3g%%", help="Your last probability: of yes, or of the right option."
            ),
            "Path": st.column_config.LineChartColumn(
                y_min=0, y_max=1, width="small", help="Your forecasts in their order."
            ),
            "vs crowd": number(format="%+.3f", help="Advantage over the crowd. Above 0 is better."),
            "Earned": number(
                format="%+.3f",
                help="The improvement of the score times the share of the question’s time that "
                "was left. Above 0, the update helped. This is bookkeeping, not proof of a cause.",
            ),
            "Coverage": number(format="%.0f%%", help=scores.COVERAGE_HELP),
            "Resolved": st.column_config.DateColumn(
                format="D MMM YYYY",
                help="When the outcome became known, or what an import says instead.",
            ),
        },
    )
    chosen = event["selection"]["rows"]
    if chosen:
        return shown[chosen[0]]
    return next((one for one in shown if one.state.slug == asked), shown[0])


def rounded(points: float | None) -> float | None:
    """Return points to three decimals, without a negative zero."""
    return None if points is None else round(points, 3) + 0.0


def path(one: ScoredQuestion) -> list[float] | None:
    """Return the probabilities in their order, at least two; None for numbers and dates."""
    known = [each.probability for each in one.forecasts if each.probability is not None]
    return known * 2 if len(known) == 1 else known or None


def details(one: ScoredQuestion) -> None:
    """Show one question: outcome, score, and what each update earned."""
    with st.container(border=True, gap="xsmall", key="card-scored"):
        question_link(one.state)
        rule, explanation = scores.RULES[one.score.protocol]
        resolution = one.state.resolution
        assert resolution is not None
        st.markdown(
            f"{rule} **{significant(one.score.score)}** · outcome "
            f"**{as_text(resolution.outcome)}** on {day(one.known_at)}",
            help=explanation,
        )
        scores.score_caption(one)
        scores.update_table(one)
        with reading() as ledger:
            printed = printed_scores(ledger, one.state, current_member(ledger))
        scores.printed_table(printed, names=False)


def trend(own: OwnScores) -> None:
    """Show the scores over time."""
    if len(own.calls) < FEWEST_DRAWN:
        return
    st.header("Trend", anchor=False)
    chart(figures.trend(own), "Your Brier scores over time, and their running mean.")
    st.caption(
        f"Circles: questions. Line: mean of the last {WINDOW}. Dashed: 0.25, always saying 50%."
    )


st.title("My scores", anchor=False)
scored = scores.my_scored_questions()
if not scored:
    with empty("my_scores", "No results yet. Scores appear here once your questions resolve."):
        page_link("resolve", "Questions to resolve")
    st.stop()
words = search_field("Search", "words", "Title, tag or family")
shown = matching(scored, words)
if not shown:
    st.info(f"None of your {count(len(scored), 'resolved question')} matches.")
    st.stop()
own = own_scores(shown)
means(own, len(shown))
place = st.container()
chosen = score_table(shown, f"scores-{words}")
with place:
    details(chosen)
trend(own)
page_link("track_record", "Track record: how calibrated you are")
