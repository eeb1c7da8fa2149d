"""Today: questions and forecasts that need the reader, most valuable first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.forms.first_steps import ways_in
from app.forms.forecast import quick_form
from app.markdown_text import (
    COVERAGE_HELP,
    CRPS_HELP,
    as_text,
    closing,
    counted,
    shortened,
    significant,
    span,
)
from app.session import act, current_member, form_key, now, reading
from app.times import day
from app.views.links import ask_link, question_link
from forecasts.agenda import revisits
from forecasts.agenda.today import (
    SHOWN,
    SOON,
    InTheNews,
    Review,
    today,
)
from forecasts.ledger.models import Forecast, QuestionType
from forecasts.questions.standing import QuestionState
from forecasts.reports import numbers
from forecasts.scores.scored_questions import ScoredQuestion
from forecasts.scores.stored_scores import CRPS
from forecasts.updates.evidence_parsing import recent_articles
from forecasts.updates.values import format_value

RECENT_ARTICLES = 30  # offered here; the question's own page offers more
STEPS = 3  # forecasts shown on a resolved question; more are folded
RULES = {
    "brier": ("Brier", "Brier score: the squared distance from the outcome."),
    CRPS: ("CRPS", f"CRPS: the distance of your quantiles from the outcome. {CRPS_HELP}"),
}

moment = now()
with reading() as ledger:
    needs = today(ledger, current_member(ledger), now=moment)
    articles = recent_articles(ledger, RECENT_ARTICLES) if needs.may_forecast else []


def row(
    state: QuestionState, current: Forecast | None, *, why: str = "", article: str | None = None
) -> None:
    """Show an open question with its short forecast form.

    ``why``: the reason it is listed, as Markdown. ``article``: the address of one to cite.
    """
    with st.container(border=True, gap="xsmall"):
        question_link(state)
        closes = closing(state.text, moment)
        if state.text.close_time - moment < SOON:
            closes = f"**{closes}**"
        parts = [closes, day(state.text.close_time)]
        if current is not None:
            own = shortened(format_value(current, state.text.options), 120)
            parts.insert(0, f"you: **{as_text(own)}**, {span(moment - current.made_at)} ago")
        st.caption(" · ".join(parts))
        if why:
            st.caption(why)
        if state.id in needs.may_forecast:
            every = needs.intervals.by_question.get(state.id)
            quick_form(state, current, articles, every=every, cites=article)


def more(total: int, **filters: str) -> None:
    """Show the link to the rest of a list."""
    if total > SHOWN:
        label = f"All {total} in Questions"
        st.page_link("app_pages/questions.py", label=label, query_params=filters)


@contextmanager
def listed(title: str, total: int, whose: str) -> Iterator[None]:
    """Show the heading of a list of open questions, and the link to its rest; nothing if empty."""
    if total:
        st.header(title, anchor=False)
    yield
    more(total, status="open", whose=whose)


def not_yet() -> None:
    """Show the other open questions without the reader's forecast, or a next step."""
    with listed("Needs your forecast", needs.later.total, "Not yet mine"):
        for state in needs.later.first:
            row(state, None)
    if needs.unforecast:
        return
    st.header("Forecast next", anchor=False)
    if needs.read_only:
        st.caption("You can read the questions. Forecasting requires the forecaster role.")
        return
    if needs.reviews or needs.news or needs.fresh:
        st.caption("You have forecast every open question. Ask a new one, or capture an article.")
    else:
        st.caption("No open questions. Ask one, or find one in an article.")
    with st.container(horizontal=True, gap="medium"):
        ask_link()
        st.page_link("app_pages/articles.py", label="Capture an article")


def why_review(one: Review) -> str:
    """Return the reasons to review a forecast, as Markdown."""
    reasons = []
    if one.crowd_move is not None:
        move = one.crowd_move
        of = f" on “{as_text(shortened(move.option, 60))}”" if move.option else ""
        change = f"**{as_text(move.before)} → {as_text(move.now)}**"
        reasons.append(f"The crowd has moved away{of}: {change}.")
    if one.overdue:
        own = one.state.id in needs.intervals.by_question
        due = "You chose to review it after" if own else "Not reviewed for"
        reasons.append(f"{due} {span(one.interval)}.")
    return " ".join(reasons)


def why_news(one: InTheNews) -> str:
    """Return the article that mentions the question and the words it shares, as Markdown."""
    article = one.mention
    named = as_text(shortened(article.title, 120))
    by = f", {as_text(article.publisher)}" if article.publisher else ""
    words = ", ".join(as_text(word) for word in article.words)
    return f"[{named}](articles?article={article.article_id}){by}: mentions {words}"


def awaiting() -> None:
    """Show the questions that await an outcome or a decision."""
    st.header("Awaiting resolution", anchor=False)
    for state in needs.awaiting.first:
        with st.container(border=True, gap="xsmall"):
            question_link(state, "resolve")
            st.caption(f"{state.status} · {closing(state.text, moment)}")
    more(needs.awaiting.total, status="awaiting resolution")
    for state in needs.disputed.first:
        with st.container(border=True, gap="xsmall"):
            question_link(state, "resolve")
            outcome = "" if state.resolution is None else as_text(state.resolution.outcome)
            st.caption(f"disputed · resolved as **{outcome}**")
    if needs.disputed.total > SHOWN:
        st.page_link("app_pages/resolve.py", label=f"All {needs.disputed.total} in Resolve")
    if not needs.awaiting.total and not needs.disputed.total:
        st.caption("None. Questions appear here when they close or have a proposed outcome.")


def resolved() -> None:
    """Show the recent resolutions with the reader's scores."""
    since = f", since {day(needs.seen)}" if needs.seen is not None else ""
    st.header(f"Resolved{since}", anchor=False)
    for one in needs.resolved[:SHOWN]:
        earned(one)
    if rest := needs.resolved[SHOWN:]:
        with st.expander(f"{len(rest)} more"):
            for one in rest:
                earned(one)
    if needs.resolved:
        if not needs.read_only:
            seen_form()
    elif needs.seen is not None:
        st.caption("No new results. Scores appear here once your questions resolve.")
    else:
        st.caption("No results yet. Scores appear here once your questions resolve.")
        return
    st.page_link("app_pages/track_record.py", label="Your track record")


def earned(one: ScoredQuestion) -> None:
    """Show a resolved question with the reader's score and forecasts."""
    with st.container(border=True, gap="xsmall"):
        question_link(one.state)
        resolution = one.state.resolution
        if resolution is not None:
            ago = span(moment - resolution.recorded_at)
            st.caption(f"outcome **{as_text(resolution.outcome)}**, resolved {ago} ago")
        rule, explanation = RULES[one.score.protocol]
        st.caption(
            f"your {rule} (0–1, 0 is best): **{significant(one.score.score)}** · "
            f"coverage {numbers.percent(one.score.coverage)}",
            help=f"{explanation} Coverage: {COVERAGE_HELP.lower()}",
        )
        why(one)


def seen_form() -> None:
    """Show the button that clears the list of resolutions."""
    key = form_key("seen")
    with st.form(key, border=False):
        submitted = st.form_submit_button("Mark as seen", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            revisits.mark_seen(doing.ledger, **doing.by)
            doing.say("Cleared. New results appear here.")


def why(one: ScoredQuestion) -> None:
    """Show the forecasts that the score averages, each with its duration and its own score."""
    steps = [
        f"{as_text(shortened(step.value, 60))} for {span(step.duration)} "
        f"({significant(step.score)})"
        for step in one.forecasts
    ]
    chose = one.state.text.type == QuestionType.multiple_choice
    begins = "You gave it " if chose else "You said "
    if len(steps) <= STEPS:
        st.caption(begins + ", then ".join(steps))
        return
    st.caption(f"{begins}{steps[0]}, and {steps[-1]} in the end")
    with st.expander(f"All {len(steps)} steps"):
        st.caption("The score is their mean, weighted by time.")
        st.markdown("\n".join(f"1. {step}" for step in steps))


def still_fresh() -> None:
    """Show the current forecasts that need no attention."""
    with listed("Your forecasts", len(needs.fresh), "Mine"):
        for state, forecast in needs.fresh[:SHOWN]:
            row(state, forecast)
    if not needs.fresh and not needs.reviews and not needs.news:
        st.header("Your forecasts", anchor=False)
        next_step = " Forecast one above, and it appears here." if needs.unforecast else ""
        st.caption(f"None on open questions.{next_step}")


def usual_form() -> None:
    """Show the reader's default review interval and the form that changes it."""
    usual = needs.intervals.default.days
    with st.expander(f"Review forecasts every {counted(usual, 'day')}"):
        key = form_key("usual")
        with st.form(key, border=False):
            days = st.number_input(
                "Days (default)",
                help="A review date chosen with a forecast counts instead.",
                min_value=1,
                max_value=revisits.MOST_DAYS,
                value=usual,
                key=f"{key}-days",
                width=320,
            )
            submitted = st.form_submit_button("Save", key=f"{key}-save")
        if submitted:
            with act(key) as doing:
                revisits.set_interval(doing.ledger, int(days), **doing.by)
                doing.say(f"Forecasts are due for review after {counted(int(days), 'day')}.")


def agenda() -> None:
    """Show the lists, most valuable first."""
    counts = {
        "to forecast": needs.unforecast,
        "to review": len(needs.reviews),
        "in the news": len(needs.news),
        "to resolve": needs.awaiting.total,
        "disputed": needs.disputed.total,
    }
    current = counted(len(needs.fresh) + len(needs.reviews) + len(needs.news), "current forecast")
    due = [f"{many:,} {label}" for label, many in counts.items() if many]
    st.caption(" · ".join([day(moment), *due, current]))
    with listed(f"Closing within {span(SOON)}", needs.closing.total, "Not yet mine"):
        for state in needs.closing.first:
            row(state, None)
    with listed("Review", len(needs.reviews), "Mine"):
        if needs.reviews:
            st.caption("Update your forecast, or save it unchanged to confirm it.")
        for review in needs.reviews[:SHOWN]:
            row(review.state, review.forecast, why=why_review(review))
    with listed("In the news", len(needs.news), "Mine"):
        for one in needs.news[:SHOWN]:
            row(one.state, one.forecast, why=why_news(one), article=one.mention.address)
    # If nothing is pressing, the next question to forecast is worth most.
    due_now = (needs.closing.total, needs.reviews, needs.news, needs.awaiting.total)
    pressing = any(due_now) or needs.disputed.total or needs.resolved
    if not pressing:
        not_yet()
    left, right = st.columns(2, gap="medium")
    with left:
        awaiting()
    with right:
        resolved()
    if pressing:
        not_yet()
    still_fresh()
    if needs.may_forecast:
        usual_form()


st.title("Today", anchor=False)
if needs.empty:
    ways_in()
else:
    agenda()
