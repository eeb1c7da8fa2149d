"""Scores on a page: a question's, with those that its platform printed, and the reader's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from app.markdown_text import COVERAGE_HELP, CRPS_HELP, as_text, shortened, significant, span
from app.session import current_member, ledger_url, reading
from app.times import day
from app.views.documents import table
from forecasts.documents import numbers
from forecasts.ledger.models import QuestionType
from forecasts.questions.origins import platform_name
from forecasts.questions.standing import QuestionState, Status
from forecasts.scores import ledger_frames
from forecasts.scores.printed_scores import Printed
from forecasts.scores.scored_questions import ScoredQuestion, scored_questions
from forecasts.scores.stored_scores import CRPS, ForecasterScore

RULES = {
    "brier": ("Brier", "Brier score: the squared distance from the outcome. 0 is best."),
    CRPS: ("CRPS", f"CRPS: the distance of your quantiles from the outcome. {CRPS_HELP}"),
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
    st.page_link(
        "app_pages/my_scores.py",
        label=f"{rule} {significant(one.score.score)}",
        query_params={"question": one.state.slug},
        help=explanation,
    )


def score_caption(one: ScoredQuestion) -> None:
    """Show the score against the crowd, the points of the updates, and the coverage."""
    parts = []
    if (ahead := one.against_crowd) is not None:
        than = "better" if ahead >= 0 else "worse"
        parts.append(f"{significant(abs(ahead))} {than} than the crowd")
    if one.points is not None:
        parts.append(f"updates {earned(one.points)}")
    parts.append(f"coverage {numbers.percent(one.score.coverage)}")
    st.caption(" · ".join(parts), help=f"{POINTS_HELP} Coverage: {COVERAGE_HELP.lower()}")


def last_call(one: ScoredQuestion) -> None:
    """Show the last forecast beside the outcome."""
    assert one.state.resolution is not None
    outcome = as_text(one.state.resolution.outcome)
    st.caption(f"last forecast {as_text(one.last.value)}, outcome **{outcome}**")


def earned(points: float) -> str:
    """Return points as earned or lost: 'earned 0.0210'."""
    return f"{'earned' if points >= 0 else 'lost'} {significant(abs(points))}"


def update_table(one: ScoredQuestion) -> None:
    """Show the forecasts that the score averages, each with its duration, score and points."""
    text = one.state.text
    chose = text.type == QuestionType.multiple_choice and one.state.resolution is not None
    value = f"On “{one.state.resolution.outcome}”" if chose else "Forecast"  # type: ignore[union-attr]
    rule, _ = RULES[one.score.protocol]
    table(
        {
            "From": [day(each.since) for each in one.forecasts],
            as_text(value): [as_text(shortened(each.value, 60)) for each in one.forecasts],
            "Active for": [span(each.duration) for each in one.forecasts],
            rule: [significant(each.score) for each in one.forecasts],
            "Earned": [numbers.signed(each.points) for each in one.forecasts],
        }
    )


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
    columns["Coverage"] = [numbers.percent(row.coverage) for row in rows]
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


def printed_table(printed: Sequence[Printed], *, names: bool) -> None:
    """Show printed scores beside ours; ``names``: with the forecasters."""
    if not printed:
        return
    st.subheader("Printed scores", anchor=False)
    columns = {"Forecaster": [as_text(one.forecaster) for one in printed]} if names else {}
    columns["Score"] = [as_text(f"{platform_name(one.platform)}: {one.name}") for one in printed]
    columns["Printed"] = [significant(one.score) for one in printed]
    columns["Ours"] = [significant(one.ours) for one in printed]
    if any(one.coverage is not None for one in printed):
        columns["Coverage"] = [
            numbers.NOTHING if one.coverage is None else numbers.percent(one.coverage)
            for one in printed
        ]
    table(columns)
    for label, note in {(f"{platform_name(p.platform)}: {p.name}", p.note): None for p in printed}:
        st.caption(f"**{as_text(label)}** {as_text(note)}")
