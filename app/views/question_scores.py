"""Everyone's scores on a question."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.markdown_text import CRPS_HELP, as_text, significant
from app.views.imported import printed_table
from app.views.lists import table
from forecasts.documents.numbers import percent
from forecasts.questions.standing import QuestionState, Status
from forecasts.scores.printed_scores import Printed
from forecasts.scores.stored_scores import ForecasterScore


def question_scores(
    state: QuestionState,
    rows: Sequence[ForecasterScore],
    printed: Sequence[Printed],
    *,
    forecast: bool,
) -> None:
    """Show the scores of a resolved question, and those that its platform printed.

    ``forecast``: it has forecasts.
    """
    st.header("Scores", anchor=False)
    if rows:
        _table(rows, graded=state.text.is_quantitative)
    else:
        st.caption(_no_scores(state, forecast))
    printed_table(printed, names=True)


def _table(rows: Sequence[ForecasterScore], *, graded: bool) -> None:
    columns = {"Forecaster": [as_text(row.forecaster) for row in rows]}
    if graded:
        columns["CRPS (0–1)"] = [significant(row.crps) for row in rows]
    else:
        columns["Brier (0–1)"] = [significant(row.brier) for row in rows]
        columns["Original (0–2)"] = [significant(row.original) for row in rows]
        columns["At close (0–1)"] = [significant(row.final) for row in rows]
    columns["Coverage"] = [percent(row.coverage) for row in rows]
    columns["Updates"] = [str(row.updates) for row in rows]
    table(columns)
    if graded:
        st.caption(f"CRPS: {CRPS_HELP} Averaged over the time that a forecast was active.")
    else:
        st.caption(
            "0 is best. Brier: averaged over the time that a forecast was active. Original: "
            "summed over the options, so up to 2."
        )


def _no_scores(state: QuestionState, forecast: bool) -> str:
    """Return why a resolved question has no scores."""
    if state.status != Status.resolved:
        return f"The question is {state.status} and not scored."
    if forecast:
        return "No scores: no forecast was active while the question was open and undecided."
    return "No scores: nobody forecast this question while it was open."
