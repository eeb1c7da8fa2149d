"""Today: the reader's next steps, then recent results and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.components.scripts import focus_on, mount_keyboard
from app.forms.first_steps import ways_in
from app.forms.forecast import forecast_act, forecast_form, is_quick_form_typed, undo_offer
from app.forms.one_line import one_line_entry
from app.markdown_text import as_text, closing, shortened, span
from app.session import act, current_member, form, form_key, now, page_state, reading
from app.times import day
from app.views.scores import score_caption, score_link
from app.views.widgets import page_link, question_line, question_link, shown_page, titled
from forecasts.agenda import revisits
from forecasts.agenda.today import SHOWN, SOON, InTheNews, Review, is_empty, today
from forecasts.articles import library
from forecasts.common.text import count
from forecasts.ledger.models import Forecast
from forecasts.questions.standing import QuestionState
from forecasts.scores.scored_questions import ScoredQuestion
from forecasts.values.value import format_value

RECENT_ARTICLES = 30  # offered here; the question's own page offers more
AHEAD = 30  # questions to forecast that can be typed before their cards are drawn
MORE = 12  # cards of forecasts that need nothing, on request

moment = now()


def card(
    state: QuestionState, current: Forecast | None, why: str = "", *, article: str | None = None
) -> None:
    """Show an open question with its short forecast form.

    ``why``: the reason it is listed, as Markdown. ``article``: the address of one to cite.
    """
    with st.container(border=True, gap="xsmall", key=f"todo-{state.slug}"):
        question_link(state)
        closes = closing(state.text, moment)
        if state.text.close_time - moment < SOON:
            closes = f"**{closes}**"
        parts = [why] if why else []
        if current is not None:
            own = shortened(format_value(current, state.text.options), 120)
            parts.append(f"you: **{as_text(own)}**, {span(moment - current.made_at)} ago")
        st.caption(" · ".join([*parts, closes, day(state.text.close_time)]))
        if state.id in needs.may_forecast:
            every = needs.intervals.by_question.get(state.id)
            forecast_form(state, current, articles, quick=True, every=every, cites=article)


def more(total: int, label: str, **filters: str) -> None:
    """Show the link to the rest of a list."""
    if total > SHOWN:
        page_link("questions", f"All {total:,} {label}", **{"status": "open", **filters})


def is_shown(place: int, state: QuestionState, current: Forecast) -> bool:
    """Return whether a card is among the first of its list, or has a forecast yet to be saved."""
    return place < SHOWN or is_quick_form_typed(state, current)


def to_do() -> None:
    """Show the next steps as cards: forecast, review, look at the crowd, read the news."""
    counts = {
        "to forecast": needs.to_forecast.total,
        "to review": len(needs.overdue),
        "with a crowd move": len(needs.moved),
        "in the news": len(needs.news),
    }
    titled("To do", *(f"{many:,} {label}" for label, many in counts.items() if many))
    for state in needs.to_forecast.first[:SHOWN]:
        card(state, None, "**Needs your forecast**")
    for reviews in (needs.overdue, needs.moved):
        for place, review in enumerate(reviews):
            if is_shown(place, review.state, review.forecast):
                card(review.state, review.forecast, why_review(review))
    for place, one in enumerate(needs.news):
        if is_shown(place, one.state, one.forecast):
            card(one.state, one.forecast, why_news(one), article=one.mention.article.address)
    if not any(counts.values()):
        nothing_to_do()
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        if len(needs.to_review) > 1:
            still_right(needs.to_review)
        more(needs.to_forecast.total, "to forecast", whose="Not yet mine")


def nothing_to_do() -> None:
    """Show that every question is forecast, or why there is nothing to do."""
    if needs.read_only:
        st.caption("You can read the questions. Forecasting requires the forecaster role.")
    elif needs.fresh:
        st.caption("You have forecast every open question. Ask a new one, or capture an article.")
    else:
        st.caption("No open questions. Ask one, or find one in an article.")
    if not needs.read_only:
        page_link("articles", "Capture an article")


def why_review(one: Review) -> str:
    """Return the reasons to review a forecast, as Markdown."""
    reasons = []
    if one.overdue:
        chosen = ", as you chose" if one.state.id in needs.intervals.by_question else ""
        reasons.append(f"**Review due** after {span(one.interval)}{chosen}")
    if one.crowd_move is not None:
        move = one.crowd_move
        of = f" on “{as_text(shortened(move.option, 60))}”" if move.option else ""
        change = f"{as_text(move.before)} → {as_text(move.now)}"
        reasons.append(f"**Crowd moved** ({move.forecasters:,}){of}: {change}")
    return " · ".join(reasons)


def why_news(one: InTheNews) -> str:
    """Return the article that mentions the question and the words it shares, as Markdown."""
    article = one.mention.article
    named = f"[{as_text(shortened(article.title, 120))}](articles?article={article.id})"
    by = f", {as_text(article.publisher)}" if article.publisher else ""
    words = ", ".join(as_text(word) for word in one.mention.words)
    return f"**New evidence** {named}{by}: mentions {words}"


def still_right(due: Sequence[tuple[QuestionState, Forecast]]) -> None:
    """Show the form that confirms several forecasts at once."""
    with st.popover("Still right: several at once"), form("still-right") as key:
        st.caption("Tick the forecasts that are still right. They are saved again unchanged.")
        ticked = []
        for state, forecast in due:
            value = as_text(shortened(format_value(forecast, state.text.options), 60))
            title = as_text(shortened(state.text.title, 100))
            if st.checkbox(f"**{value}** {title}", key=f"{key}-{state.slug}"):
                ticked.append(forecast)
        submitted = st.form_submit_button("Still right", key=f"{key}-save", type="primary")
    if submitted and not ticked:
        st.warning("Tick at least one forecast.")
    elif submitted:
        with act(key) as doing:
            revisits.confirm_forecasts(doing.ledger, ticked, origin="app", **doing.by)
            doing.say(f"Confirmed: {count(len(ticked), 'forecast')} unchanged.")


def resolved() -> None:
    """Show the recent resolutions with their scores, and the link to all scores."""
    since = f", since {day(needs.seen)}" if needs.seen is not None else ""
    st.header(f"Resolved{since}", anchor=False)
    for one in needs.resolved[:SHOWN]:
        result(one)
    if rest := needs.resolved[SHOWN:]:
        with st.expander(f"{len(rest)} more"):
            for one in rest:
                result(one)
    if not needs.resolved:
        none = "No results yet." if needs.seen is None else "No new results."
        st.caption(f"{none} Scores appear here once your questions resolve.")
    if needs.resolved or needs.seen is not None:
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            page_link("my_scores", "My scores")
            if needs.resolved and not needs.read_only:
                seen_button()


def result(one: ScoredQuestion) -> None:
    """Show a resolved question: its outcome, and what it earned."""
    with st.container(border=True, gap=None):
        question_link(one.state)
        resolution = one.state.resolution
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            if resolution is not None:
                ago = span(moment - one.known_at)
                st.caption(f"**{as_text(resolution.outcome)}**, {ago} ago", width="content")
            score_link(one)
            score_caption(one)


def seen_button() -> None:
    """Show the button that clears the list of resolutions."""
    key = form_key("seen")
    if st.button("Mark as seen", key=f"{key}-go", type="tertiary"):
        with act(key, "Cleared. New results appear here.") as doing:
            revisits.mark_seen(doing.ledger, **doing.by)


@dataclass
class NotDue:
    """Whether more of the forecasts that need nothing are shown."""

    asked: bool = False


def still_fresh() -> list[QuestionState]:
    """Show the current forecasts that need no attention, the latest first; return those shown.

    On request, all of them in pages, so that any can be updated here.
    """
    if not latest:
        return []
    st.header("Your forecasts", anchor=False)
    cards, rest = st.container(), latest[SHOWN:]
    asked = page_state(NotDue).asked
    page = {state.id for state, _ in shown_page(rest, "not-due-page", MORE)} if asked else set()
    shown = [one for place, one in enumerate(latest) if is_shown(place, *one) or one[0].id in page]
    with cards:
        for state, forecast in shown:
            card(state, forecast)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        if rest:
            more_label = f"Show {min(MORE, len(rest))} more that are not due"
            label = "Show fewer" if asked else more_label
            st.button(label, key="not-due", on_click=ask_for_more, args=(rest[0][0],))
        more(len(latest), "of your forecasts", whose="Mine")
    return [state for state, _ in shown]


def ask_for_more(first: QuestionState) -> None:
    """Show more of the forecasts that need nothing, with the cursor in the first, or fewer."""
    not_due = page_state(NotDue)
    not_due.asked = not not_due.asked
    if not_due.asked:
        focus_on(forecast_act(first))


def awaiting() -> None:
    """Show the questions that await an outcome or a decision."""
    if not needs.awaiting.total and not needs.disputed.total:
        return
    st.header("To resolve", anchor=False)
    for state in needs.awaiting.first[:SHOWN]:
        said = f"{state.status} · {closing(state.text, moment)}"
        question_line(state, said, "resolve", border=True)
    more(needs.awaiting.total, "to resolve", status="awaiting resolution")
    for state in needs.disputed.first[:SHOWN]:
        outcome = "" if state.resolution is None else as_text(state.resolution.outcome)
        question_line(state, f"disputed · resolved as **{outcome}**", "resolve", border=True)
    if needs.disputed.total > SHOWN:
        page_link("resolve", f"All {needs.disputed.total} in Resolve")


def lists_for_keyboard(fresh: Sequence[QuestionState]) -> None:
    """Tell the keyboard the cards of To do and of the current forecasts, in their order.

    People type faster than the page runs, so it needs to know those that are not drawn yet.
    """
    to_do = [*needs.to_forecast.first, *(state for state, _ in needs.to_review)]
    mount_keyboard(
        "today",
        [
            [(forecast_act(one), one.text.title) for one in states if one.id in needs.may_forecast]
            for states in (to_do, fresh)
        ],
    )


st.title("Today", anchor=False)
with reading() as ledger:
    empty = is_empty(ledger)
if empty:
    ways_in()
    st.stop()
one_line_entry()
with reading() as ledger:
    needs = today(ledger, current_member(ledger), now=moment, shown=AHEAD)
    articles = library.listing(ledger, RECENT_ARTICLES) if needs.may_forecast else []
undo_offer("quick")
latest = sorted(needs.fresh, key=lambda one: one[1].made_at, reverse=True)
to_do()
resolved()
fresh = still_fresh()
awaiting()
lists_for_keyboard(fresh)
