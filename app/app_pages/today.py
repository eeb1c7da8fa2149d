"""Today: what needs the reader, in order of what it is worth."""

from __future__ import annotations

import streamlit as st

from app.forms.first_steps import ways_in
from app.forms.forecast import quick_form
from app.markdown_text import (
    COVERAGE_HELP,
    CRPS_HELP,
    as_text,
    closing,
    counted,
    day,
    shortened,
    span,
)
from app.session import act, current_member, form_key, now, reading
from app.views.links import question_link
from forecasts.agenda import revisits
from forecasts.agenda.today import (
    FIRST,
    SOON,
    Again,
    Earned,
    InTheNews,
    today,
)
from forecasts.ledger.models import Forecast, QuestionType
from forecasts.questions.standing import QuestionState
from forecasts.reports.render import wording
from forecasts.scores.scores import CRPS
from forecasts.updates.evidence import recent_articles
from forecasts.updates.values import format_value

CITED_HERE = 30  # articles to pick from, the newest; the question's own page has more
STEPS = 3  # of what was said on a resolved question; more are behind a click
RULES = {
    "brier": ("Brier", "Brier score: the squared distance from what came true."),
    CRPS: ("CRPS", f"CRPS: how far your quantiles were from what came true. {CRPS_HELP}"),
}

moment = now()
with reading() as ledger:
    needs = today(ledger, current_member(ledger), now=moment)
    articles = recent_articles(ledger, CITED_HERE) if needs.able else []


def ask_link() -> None:
    """Show the way to the form in which a question is asked."""
    st.page_link(
        "app_pages/questions.py", label="Ask a question", query_params={"view": "Ask a question"}
    )


def row(
    state: QuestionState,
    standing: Forecast | None,
    *,
    why: str = "",
    article: str | None = None,
) -> None:
    """Show an open question with the line in which its forecast is made or updated.

    ``why``: Markdown that says why it is shown. ``article``: the address of one to cite.
    """
    with st.container(border=True, gap="xsmall"):
        question_link(state)
        closes = closing(state.text, moment)
        if state.text.close_time - moment < SOON:
            closes = f"**{closes}**"
        parts = [closes, day(state.text.close_time)]
        if standing is not None:
            said = shortened(format_value(standing, state.text.options), 120)
            parts.insert(0, f"you: **{as_text(said)}**, {span(moment - standing.made_at)} ago")
        st.caption(" · ".join(parts))
        if why:
            st.caption(why)
        if state.id in needs.able:
            every = needs.intervals.on.get(state.id)
            quick_form(state, standing, articles, every=every, cites=article)


def more(total: int, **filters: str) -> None:
    """Show the way to the rest of a list."""
    if total > FIRST:
        st.page_link(
            "app_pages/questions.py",
            label=f"All {total} in Questions",
            query_params=filters,
        )


def closing_soon() -> None:
    """Show the open questions that close soon and lack the reader's forecast."""
    if not needs.closing.total:
        return
    st.header(f"Closing within {span(SOON)} without your forecast", anchor=False)
    for state in needs.closing.first:
        row(state, None)
    more(needs.closing.total, status="open", whose="Not yet mine")


def not_yet() -> None:
    """Show the other open questions that lack the reader's forecast, or what to do instead."""
    if needs.later.total:
        st.header("Without your forecast, the next to close first", anchor=False)
        for state in needs.later.first:
            row(state, None)
        more(needs.later.total, status="open", whose="Not yet mine")
    if needs.unforecast:
        return
    st.header("What to forecast next", anchor=False)
    if needs.only_looks:
        st.caption("You may look at the questions here; to forecast takes a forecaster’s role.")
        return
    if needs.again or needs.news or needs.fresh:
        st.caption("Every open question has your forecast. Ask the next one, or read for one.")
    else:
        st.caption("No question is open. Ask one, or take one from an article.")
    with st.container(horizontal=True, gap="medium"):
        ask_link()
        st.page_link("app_pages/articles.py", label="Capture an article")


def to_look_at_again() -> None:
    """Show the forecasts that want a second look, and why."""
    if not needs.again:
        return
    st.header("Look at again", anchor=False)
    st.caption("Change what you say, or save it as it stands to say that you still mean it.")
    for one in needs.again[:FIRST]:
        row(one.state, one.forecast, why=why_again(one))
    more(len(needs.again), status="open", whose="Mine")


def why_again(one: Again) -> str:
    """Return in Markdown why a standing forecast wants a second look."""
    said = []
    if one.moved is not None:
        of = f" on “{as_text(shortened(one.moved.what, 60))}”" if one.moved.what else ""
        said.append(
            f"The others have moved away{of} since: **{as_text(one.moved.then)} → "
            f"{as_text(one.moved.now)}**."
        )
    if one.overdue:
        own = one.state.id in needs.intervals.on
        after = f"You said that you would look after {span(one.every)}"
        usual = f"Not looked at for {span(one.every)}"
        said.append(f"{after if own else usual}.")
    return " ".join(said)


def in_the_news() -> None:
    """Show the standing forecasts that a new article may bear on, ready to cite it."""
    if not needs.news:
        return
    st.header("New articles on your questions", anchor=False)
    for one in needs.news[:FIRST]:
        row(one.state, one.forecast, why=why_news(one), article=one.mention.address)
    more(len(needs.news), status="open", whose="Mine")


def why_news(one: InTheNews) -> str:
    """Return in Markdown which article mentions the question, and by which words."""
    article = one.mention
    named = as_text(shortened(article.title, 120))
    by = f", {as_text(article.publisher)}" if article.publisher else ""
    words = ", ".join(as_text(word) for word in article.words)
    return f"[{named}](articles?article={article.article_id}){by}: mentions {words}"


def awaiting() -> None:
    """Show the questions that want an outcome."""
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
    if needs.disputed.total > FIRST:
        st.page_link("app_pages/resolve.py", label=f"All {needs.disputed.total} in Resolve")
    if not needs.awaiting.total and not needs.disputed.total:
        st.caption("Nothing. A question comes here when it has closed, or an outcome is proposed.")


def resolved() -> None:
    """Show what was resolved lately, what the reader earned on it and why."""
    since = f", since {day(needs.seen)}" if needs.seen is not None else ""
    st.header(f"Resolved{since}", anchor=False)
    for one in needs.resolved[:FIRST]:
        earned(one)
    if rest := needs.resolved[FIRST:]:
        with st.expander(f"{len(rest)} more"):
            for one in rest:
                earned(one)
    if needs.resolved:
        if not needs.only_looks:
            seen_form()
    elif needs.seen is not None:
        st.caption("Nothing of yours since you last looked.")
    else:
        st.caption(
            "Nothing of yours yet. Your score stands here once a question that you have forecast "
            "is resolved."
        )
        return
    st.page_link("app_pages/track_record.py", label="Your track record")


def earned(one: Earned) -> None:
    """Show a resolved question with what the reader earned on it and why."""
    with st.container(border=True, gap="xsmall"):
        question_link(one.state)
        resolution = one.state.resolution
        if resolution is not None:
            ago = span(moment - resolution.recorded_at)
            st.caption(f"outcome **{as_text(resolution.outcome)}**, resolved {ago} ago")
        rule, said = RULES[one.score.protocol]
        st.caption(
            f"your {rule} (0–1, 0 is best): **{one.score.score:.4f}** · "
            f"coverage {wording.percent(one.score.coverage)}",
            help=f"{said} Coverage: {COVERAGE_HELP.lower()}",
        )
        why(one)


def seen_form() -> None:
    """Show how what was resolved is put aside, until the next one is."""
    key = form_key("seen")
    with st.form(key, border=False):
        submitted = st.form_submit_button("I have seen these", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            revisits.note_seen(doing.ledger, member=doing.member, now=doing.now)
            doing.say("Put aside. What is resolved from now on is shown here.")


def why(one: Earned) -> None:
    """Show what the score is the mean of: each thing said, how long it stood, its own score."""
    steps = [
        f"{as_text(shortened(stood.said, 60))} for {span(stood.lasted)} ({stood.score:.4f})"
        for stood in one.stood
    ]
    chose = one.state.text.type == QuestionType.multiple_choice
    begins = "You gave it " if chose else "You said "
    if len(steps) <= STEPS:
        st.caption(begins + ", then ".join(steps))
        return
    st.caption(f"{begins}{steps[0]}, and {steps[-1]} in the end")
    with st.expander(f"All {len(steps)} steps"):
        st.caption("The score is their mean, each counted by how long it stood.")
        st.markdown("\n".join(f"1. {step}" for step in steps))


def still_fresh() -> None:
    """Show the standing forecasts that need nothing."""
    if not needs.fresh:
        if not needs.again and not needs.news:
            st.header("Your standing forecasts", anchor=False)
            st.caption(
                "None on an open question."
                + (" Put a probability on one above." if needs.unforecast else "")
            )
        return
    st.header("Your standing forecasts", anchor=False)
    for state, forecast in needs.fresh[:FIRST]:
        row(state, forecast)
    more(len(needs.fresh), status="open", whose="Mine")


def usual_form() -> None:
    """Show after how long the reader looks at forecasts again, and let them change it."""
    usual = needs.intervals.usual.days
    with st.expander(f"You look at your forecasts again after {counted(usual, 'day')}"):
        key = form_key("usual")
        with st.form(key, border=False):
            days = st.number_input(
                "After how many days, unless you say otherwise with a forecast",
                min_value=1,
                max_value=revisits.LONGEST,
                value=usual,
                key=f"{key}-days",
                width=320,
            )
            submitted = st.form_submit_button("Save", key=f"{key}-save")
        if submitted:
            with act(key) as doing:
                revisits.revisit_every(doing.ledger, int(days), member=doing.member, now=doing.now)
                doing.say(f"Forecasts come back here after {counted(int(days), 'day')}.")


def agenda() -> None:
    """Show the lists, what is worth most first."""
    asks = {
        "to forecast": needs.unforecast,
        "to look at again": len(needs.again),
        "in the news": len(needs.news),
        "to resolve": needs.awaiting.total,
        "disputed": needs.disputed.total,
    }
    standing = counted(len(needs.fresh) + len(needs.again) + len(needs.news), "standing forecast")
    said = [f"{many:,} {what}" for what, many in asks.items() if many]
    st.caption(" · ".join([day(moment), *said, standing]))
    closing_soon()
    to_look_at_again()
    in_the_news()
    # Where nothing is pressing, the next question to forecast is worth most.
    pressing = (
        needs.closing.total
        or needs.again
        or needs.news
        or needs.awaiting.total
        or needs.disputed.total
        or needs.resolved
    )
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
    if needs.able:
        usual_form()


st.title("Today", anchor=False)
if needs.empty:
    ways_in()
else:
    agenda()
