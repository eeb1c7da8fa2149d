"""The chart of a question's forecasts over time, with its table."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from app.charts.question_chart import (
    HIGHLIGHTED,
    OTHERS,
    describe_paths,
    format_median,
    paths_chart,
)
from app.markdown_text import as_text
from app.session import reading
from app.times import when
from app.views.lists import table
from forecasts.ledger.models import QuestionType
from forecasts.questions.standing import QuestionState
from forecasts.scores.paths import path_table, paths

_ROWS = 50  # of the chart's table


def question_chart(
    state: QuestionState, handles: set[str], *, me: str, outcome: str | None, moment: datetime
) -> None:
    """Show the paths of the forecasters in ``handles``, and of the crowd.

    ``outcome``: the one that forecasts are scored against, once there is one.
    """
    text, option = state.text, 0
    if text.type == QuestionType.multiple_choice:
        options = text.options or []
        picked = st.selectbox(
            "Option shown", options, index=options.index(outcome) if outcome in options else 0
        )
        option = options.index(picked)
    with reading() as ledger:
        scored = outcome is not None
        lines = paths(ledger, state.question, text, now=moment, option=option, scored=scored)
    if lines.steps.empty:
        st.info("No active forecasts yet. The first one starts the chart.")
        return
    others = sorted(handles - {me})
    highlighted = others[:HIGHLIGHTED]
    if len(others) > HIGHLIGHTED:
        highlighted = st.multiselect(
            "Highlight",
            others,
            default=highlighted[:2],
            max_selections=HIGHLIGHTED,
            help=f"The others are grey, as “{OTHERS}”.",
        )
    st.vega_lite_chart(
        spec=paths_chart(lines, text, me=me, highlighted=highlighted, outcome=outcome),
        alt=describe_paths(lines, text, me=me),
    )
    supported = "yes" if text.type == QuestionType.binary else "the outcome"
    st.caption(
        "Dots: forecasts; lines: how long they were active. Grey and dashed: the crowd’s median. "
        f"▲ evidence for {supported}, ▼ against it, ● context; hover to read it. Times are UTC."
    )
    rows = path_table(lines)
    with st.expander("Table"):
        newest = rows.head(_ROWS)
        table(
            {
                "At": [when(time) for time in newest["time"]],
                "Forecaster": [as_text(handle) for handle in newest["forecaster"]],
                "Forecast": [as_text(value) for value in newest["forecast"]],
                "Crowd’s median": [as_text(format_median(one, text)) for one in newest["crowd"]],
            }
        )
        if len(rows) > len(newest):
            st.caption(f"The newest {_ROWS} of {len(rows):,}. History lists them all.")
