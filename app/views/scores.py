"""Scores on a page: a question's, with those that its platform printed, and the reader's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import streamlit as st

from app.markdown_text import as_text, shortened, span
from app.session import current_member, ledger_url, reading
from app.times import day
from app.views.documents import rows_table
from app.views.widgets import page_link
from forecasts.documents import numbers
from forecasts.ledger.models import QuestionType
from forecasts.questions.origins import platform_name
from forecasts.questions.standing import QuestionState, Status
from forecasts.scores import ledger_frames
from forecasts.scores.printed_scores import Printed
from forecasts.scores.scored_questions import ScoredForecast, ScoredQuestion, scored_questions
from forecasts.scores.stored_scores import CRPS, ForecasterScore

COVERAGE_HELP = "Share of the time from opening to scheduled close with an active forecast."
RULES = {
    "brier": ("Brier", "Brier score: the squared distance from the outcome. 0 is best."),
    CRPS: ("CRPS", "CRPS: the distance of your quantiles from the outcome. 0 is best."),
}
POINTS_HELP = (
    "The improvement of the score times the share of the question’s time that was left. Above 0, "
    "the update helped. This is bookkeeping, not proof of a cause."
)


def my_scored_questions(*, crowd: bool = True) -> list[ScoredQuestion]:
    """Return the reader's scored questions, cached until the ledger changes.

    Without ``crowd``, others' forecasts are not read and the scores are not compared with theirs.
    """
    with reading() as ledger:
        written = ledger_frames.revision(ledger)  # which includes the reader
    return _scored(ledger_url(), written, crowd=crowd)


@st.cache_data(show_spinner="Reading your scores …", ttl=timedelta(minutes=10), max_entries=64)
def _scored(url: str, written: tuple[int, ...], *, crowd: bool) -> list[ScoredQuestion]:
    with reading() as ledger:
        member = current_member(ledger)
        return [] if member is None else scored_questions(ledger, member, crowd=crowd)


def score_link(one: ScoredQuestion) -> None:
    """Show the score as a link to its row on My scores."""
    rule, explanation = RULES[one.score.protocol]
    label = f"{rule} {numbers.number(one.score.score)}"
    page_link("my_scores", label, explanation, question=one.state.slug)


def score_caption(one: ScoredQuestion) -> None:
    """Show the score against the crowd, the points of the updates, and the coverage."""
    parts = []
    if (ahead := one.against_crowd) is not None:
        than = "better" if ahead >= 0 else "worse"
        parts.append(f"{numbers.number(abs(ahead))} {than} than the crowd")
    if one.points is not None:
        parts.append(f"updates {earned(one.points)} in all")
    parts.append(f"coverage {numbers.percent(one.score.coverage)}")
    st.caption(" · ".join(parts), help=f"{POINTS_HELP} Coverage: {COVERAGE_HELP.lower()}")


def last_call(one: ScoredQuestion) -> None:
    """Show the last forecast beside the outcome."""
    assert one.state.resolution is not None
    outcome = as_text(one.state.resolution.outcome)
    st.caption(f"last forecast {as_text(one.last.value)}, outcome **{outcome}**")


def earned(points: float) -> str:
    """Return points as earned or lost: 'earned 0.0210'."""
    return f"{'earned' if points >= 0 else 'lost'} {numbers.number(abs(points))}"


def update_table(one: ScoredQuestion) -> None:
    """Show the forecasts that the score averages, each with its duration, score and points."""
    text = one.state.text
    chose = text.type == QuestionType.multiple_choice and one.state.resolution is not None
    value = f"On “{one.state.resolution.outcome}”" if chose else "Forecast"  # type: ignore[union-attr]
    rule, _ = RULES[one.score.protocol]
    columns: dict[str, Callable[[ScoredForecast], str]] = {
        "From": lambda each: day(each.since),
        value: lambda each: shortened(each.value, 60),
        "Active for": lambda each: span(each.duration),
        rule: numbers.column(one.forecasts, lambda each: each.score),
        "Earned": numbers.column(one.forecasts, lambda each: each.points, numbers.signed),
    }
    rows_table(one.forecasts, columns)


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
    rules: dict[str, Callable[[ForecasterScore], str]] = {
        "Brier (0–1)": numbers.column(rows, lambda row: row.brier),
        "At close (0–1)": numbers.column(rows, lambda row: row.final),
    }
    if graded:
        rules = {"CRPS (0–1)": numbers.column(rows, lambda row: row.crps)}
    columns: dict[str, Callable[[ForecasterScore], str]] = {
        "Forecaster": lambda row: row.forecaster,
        **rules,
        "Coverage": lambda row: numbers.percent(row.coverage),
        "Updates": lambda row: str(row.updates),
    }
    rows_table(rows, columns)
    st.caption(
        "CRPS: 0 is best, averaged over the time that a forecast was active."
        if graded
        else "Brier: 0 is best, averaged over the time that a forecast was active. On the "
        "original scale, from 0 to 2, it is double."
    )


def _no_scores(state: QuestionState, forecast: bool) -> str:
    """Return why a resolved question has no scores."""
    if state.status != Status.resolved:
        return f"The question is {state.status} and not scored."
    if forecast:
        return "No scores: no forecast was active while the question was open and undecided."
    return "No scores: nobody forecast this question while it was open."


def printed_table(printed: Sequence[Printed], *, names: bool) -> None:
    """Show printed scores beside ours; ``names``: with the forecasters."""
    if not printed:
        return
    st.subheader("Printed scores", anchor=False)
    columns: dict[str, Callable[[Printed], str]] = {
        "Forecaster": lambda one: one.forecaster,
        "Score": lambda one: f"{platform_name(one.platform)}: {one.name}",
        "Printed": lambda one: numbers.number(one.score),
        "Ours": lambda one: numbers.number(one.ours),
        "Coverage": lambda one: numbers.percent(one.coverage),
    }
    if not names:
        del columns["Forecaster"]
    if all(one.coverage is None for one in printed):
        del columns["Coverage"]
    rows_table(printed, columns)
    notes = {(f"{platform_name(one.platform)}: {one.name}", one.note): None for one in printed}
    for label, explained in notes:
        st.caption(f"**{as_text(label)}** {as_text(explained)}")
