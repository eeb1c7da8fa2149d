"""My scores: each resolved question of the reader with its score, which a click explains."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.markdown_text import as_text, dotted, shortened
from app.session import current_member, reading
from app.times import day
from app.views import scores
from app.views.documents import chart
from app.views.empty import empty
from app.views.widgets import (
    metrics,
    page_link,
    question_link,
    search_field,
    shown_page,
    sparkline,
    switch,
)
from forecasts.common.text import count
from forecasts.documents import numbers
from forecasts.documents.vega_lite import forest
from forecasts.reports import figures
from forecasts.reports.own_scores import WINDOW, OwnScores, own_scores, scale
from forecasts.scores.printed_scores import Printed, printed_by_question
from forecasts.scores.scored_questions import ScoredQuestion, matching, ordered

ROWS = 20  # on a page of the list
ROW = 26  # pixels of the scale
LONGEST = 160  # characters of a title
ORDERS = {
    "Newest": "resolved",
    "Best": "best",
    "Worst": "worst",
    "Crowd": "crowd",
    "Earned": "earned",
}
FEWEST_DRAWN = 3  # scores that make a line


def means(own: OwnScores, questions: int) -> None:
    """Show the means."""
    brier = f"{scores.RULES['brier'][1]} Always 50% scores 0.25."
    crowd = (
        "How much better than the crowd (the others’ mean forecast) at the same times, as the mean "
        "of {questions} that others forecast too. Above 0 is better."
    ).format(questions=count(own.compared, "question"))
    shown = {
        "Mean Brier (0–1)": (numbers.number(own.brier.mean), brier),
        "Resolved questions": (f"{questions:,}", ""),
        "Against the crowd": (numbers.signed(own.against_crowd.mean), crowd),
        "Earned by updates": (
            numbers.signed(own.points),
            f"Mean over {count(own.updated, 'question')} with an update. {scores.POINTS_HELP}",
        ),
    }
    first, *_ = metrics("own", shown)
    if len(own.calls) >= FEWEST_DRAWN:
        last = numbers.number(own.calls[-1].running)
        alt = f"Mean of the last {WINDOW} questions over time, now {last}."
        path = [call.running for call in own.calls]
        first.markdown(sparkline(path, alt, between=(min(path), max(path))))
    parts = ["All resolved questions count, also those that closed early."]
    if own.brier.interval is not None:
        parts.append(f"Mean Brier, 95% interval: {numbers.interval(own.brier.interval)}.")
    if others := questions - len(own.calls):
        parts.append(f"Not in the means: {count(others, 'numeric or date question')} (CRPS).")
    if own.coherence is not None:
        parts.append(own.coherence.sentence)
    st.caption(" ".join(parts))


def is_that_good(own: OwnScores) -> None:
    """Show the mean score on a scale beside others'."""
    marks = scale(own)
    drawn = forest(figures.scale(own, marks), "Brier (0–1), 0 is best", labels=".3~f", row=ROW)
    if drawn is None:
        st.caption("Appears with the first Brier score.")
        return
    listed = ", ".join(f"{mark.name} {numbers.number(mark.score, 3)}" for mark in marks)
    st.vega_lite_chart(spec=drawn, alt=f"Mean Brier scores, best first: {listed}.")
    said = " ".join(mark.about for mark in marks if mark.about)
    st.caption(as_text(f"{said} Small differences are often luck."))


def result(
    one: ScoredQuestion, printed: Sequence[Printed], score: str, ahead: str, *, opened: bool
) -> None:
    """Show a question as a row with its ``score``, which opens below; ``ahead``: of the crowd."""
    assert one.state.resolution is not None
    rule, outcome = scores.RULES[one.score.protocol][0], one.state.resolution.outcome
    said = [rule, f"outcome {outcome}", f"last forecast {one.last.value}"]
    if one.against_crowd is not None:
        said.append(f"against the crowd {ahead}")
    title = as_text(shortened(one.state.text.title, LONGEST))
    label = f"**{score}** {title} :gray[{dotted(*said, day(one.known_at))}]"
    key = f"score-{one.state.slug}"
    with st.expander(label, expanded=opened, key=key):
        scores.score_caption(one)
        scores.update_table(one)
        st.caption(f"{rule}: the mean of these, each weighted by the time that it was active.")
        scores.printed_table(printed, names=False)
        question_link(one.state, label="Open the question")


def results(shown: Sequence[ScoredQuestion]) -> None:
    """Show the questions, each with its score; one that the address names is first and open."""
    asked = st.query_params.get("question")
    by = ORDERS[switch("Order", list(ORDERS), "by", label_visibility="collapsed")]
    listed = sorted(ordered(shown, by), key=lambda one: one.state.slug != asked)
    place = st.container(key="scored", gap="xsmall")
    page = shown_page(listed, "page-scores", ROWS)
    score = numbers.column(page, lambda one: one.score.score)
    ahead = numbers.column(page, lambda one: one.against_crowd, numbers.signed)
    with reading() as ledger:
        states = [one.state for one in page]
        printed = printed_by_question(ledger, states, current_member(ledger))
    with place:
        for one in page:
            theirs, opened = printed.get(one.state.id, ()), one.state.slug == asked
            result(one, theirs, score(one), ahead(one), opened=opened)


def trend(own: OwnScores) -> None:
    """Show the scores over time."""
    if len(own.calls) < FEWEST_DRAWN:
        st.caption(f"Appears from {FEWEST_DRAWN} Brier scores on.")
        return
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
words = search_field("Search", "score-words", "Title, tag or family")
shown = matching(scored, words)
if not shown:
    st.info(f"None of your {count(len(scored), 'resolved question')} matches.")
    st.stop()
own = own_scores(shown)
means(own, len(shown))
questions, good, time = st.tabs(["Questions", "Is that good?", "Trend"])
with questions:
    results(shown)
with good:
    is_that_good(own)
with time:
    trend(own)
page_link("track_record", "Track record: how calibrated you are")
