"""The chart of a question's forecasts over time, with its evidence and its table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from app.markdown_text import dotted, link, paragraphs, shortened
from app.session import reading
from app.times import when
from app.views.documents import chart, folded
from app.views.widgets import shown_page, switch
from forecasts.access import kinds
from forecasts.access.kinds import Crowd, CrowdOf
from forecasts.folder.frames import rows
from forecasts.ledger.models import QuestionType, Stance
from forecasts.questions.standing import QuestionState
from forecasts.scores.paths import Paths, option_paths, paths
from forecasts.views import question_charts

_TALL = 340  # pixels
_PER_PAGE = 5  # pieces of evidence
_MARKS = {Stance.supports: "▲", Stance.opposes: "▼", Stance.context: "●"}
_ALL = "All options"


def question_chart(
    state: QuestionState, handles: set[str], *, me: str, outcome: str | None, moment: datetime
) -> None:
    """Show the paths of the forecasters in ``handles``, and of the crowd.

    Of a multiple-choice question: the crowd's path of every option, or the paths of one option.
    ``outcome``: the one that forecasts are scored against, once there is one.
    """
    text, option = state.text, None
    if options := text.options or []:
        option = st.selectbox(
            "Option shown",
            [None, *range(len(options))],
            format_func=lambda place: _ALL if place is None else options[place],
        )
    scored = outcome is not None
    with reading() as ledger:
        crowd_of = _crowd_of(kinds.crowd(ledger), state, handles, me, moment)
        asked: dict[str, Any] = {"now": moment, "scored": scored, "crowd_of": crowd_of}
        if options and option is None:
            every = option_paths(ledger, state.question, text, **asked)
        else:
            every = [paths(ledger, state.question, text, option=option or 0, **asked)]
    lines = every[0]
    if lines.steps.empty:
        st.info("No active forecasts yet. The first one starts the chart.")
        return
    if options and option is None:
        chart(
            question_charts.options_chart(every, text, me=me, outcome=outcome, when=when),
            question_charts.describe_options(every, text, outcome=outcome),
            height=_TALL,
        )
        st.caption(f"Lines: {_median(lines)}. Dots: your forecasts.")
    else:
        _forecasters(state, lines, handles - {me}, me, outcome)
    if len(lines.marks):
        _evidence(lines)
    medians = not options or option is not None
    folded("Table", question_charts.path_rows(lines, text, when=when, medians=medians))


def _crowd_of(
    rule: Crowd, state: QuestionState, handles: set[str], me: str, moment: datetime
) -> CrowdOf | None:
    """Show the choice of the crowd if bots have forecast; return it."""
    if handles.isdisjoint(bot.handle for bot in rule.bots.values()):
        return None
    usual = rule.usual(has_forecast=me in handles, is_open=moment < state.text.close_time)
    names = {words.capitalize(): of for of, words in kinds.CROWD_OF.items()}
    first = kinds.CROWD_OF[usual].capitalize()
    help_text = "The bots of one owner count as one. Until you forecast, the crowd is of people."
    how = {"default": first, "bind": None, "help": help_text}
    return names[switch("Crowd of", list(names), f"crowd-{usual}", **how)]


def _median(lines: Paths) -> str:
    """Return the name of the crowd's line."""
    if not lines.crowd_of:
        return "the crowd’s median"
    return f"the median of {kinds.CROWD_OF[lines.crowd_of]}"


def _forecasters(
    state: QuestionState, lines: Paths, others: set[str], me: str, outcome: str | None
) -> None:
    """Show everyone's lines, with a choice of the highlighted ones if there are many."""
    highlighted = sorted(others)[: question_charts.HIGHLIGHTED]
    if len(others) > question_charts.HIGHLIGHTED:
        highlighted = st.multiselect(
            "Highlight",
            sorted(others),
            default=highlighted[:2],
            max_selections=question_charts.HIGHLIGHTED,
            help=f"The others are grey, as “{question_charts.OTHERS}”.",
        )
    text = state.text
    chart(
        question_charts.path_chart(
            lines, text, me=me, highlighted=highlighted, outcome=outcome, when=when
        ),
        question_charts.describe_paths(lines, text, me=me),
        height=_TALL,
    )
    said = ["Dots: forecasts.", f"Grey and dashed: {_median(lines)}."]
    if text.is_quantitative:
        said.append("Shaded: the middle 50%.")
    if len(lines.marks):
        supported = "yes" if text.type == QuestionType.binary else "the outcome"
        said.append(f"▲ evidence for {supported}, ▼ against it, ● context.")
    st.caption(" ".join(said))


def _evidence(lines: Paths) -> None:
    """Show the chart's evidence as a list, newest first, for readers without a pointer."""
    with st.expander(f"Evidence ({len(lines.marks)})"):
        for one in shown_page(list(rows(lines.marks))[::-1], "evidence", _PER_PAGE):
            with st.container(gap=None):
                named = link(one.url, shortened(one.evidence, 300))
                st.markdown(f"{_MARKS[one.stance]} *{one.stance}* {named}")
                st.caption(dotted(one.forecaster, one.forecast, when(one.time)))
                if one.reason:
                    st.caption(paragraphs(shortened(one.reason, 600)))
                if earned := question_charts.points_earned(one.points):
                    st.caption(earned)
