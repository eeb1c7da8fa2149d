"""Today: the reader's next steps, then recent results and their scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from app.components.scripts import focus_on, mount_keyboard
from app.forms.first_steps import ways_in
from app.forms.forecast import forecast_act, forecast_form, is_quick_form_typed
from app.forms.one_line import one_line_entry
from app.forms.resolution import outcome_form
from app.markdown_text import as_text, closing, page_reference, shortened, span
from app.session import (
    Card,
    act,
    current_member,
    form,
    form_key,
    in_place,
    needs_now,
    now,
    page_state,
    reading,
    rights_here,
)
from app.times import day
from app.views.scores import score_caption, score_link
from app.views.widgets import page_link, question_link, shown_page, titled
from forecasts.access import roles
from forecasts.access.roles import Action
from forecasts.agenda import revisits
from forecasts.agenda.today import SHOWN, SOON, Item, Todo, is_empty, new_results
from forecasts.articles import library
from forecasts.common.text import count
from forecasts.ledger.models import Article, Forecast
from forecasts.news.inbox import Suggestion
from forecasts.questions.standing import QuestionState
from forecasts.scores.scored_questions import ScoredQuestion
from forecasts.values.value import format_leaders, format_value

RECENT_ARTICLES = 30  # offered here; the question's own page offers more
FRESH = 3  # cards of forecasts that need nothing
MORE = 12  # of these, on request
RESULTS = 3  # resolved questions
PASSAGE = 240  # characters of an article's passage
LABELS = {
    Todo.forecast: "to forecast",
    Todo.resolve: "to resolve",
    Todo.review: "to review",
    Todo.news: "in the news",
    Todo.decide: "disputed",
    Todo.retry: "with a resolver that gave up",
}

moment = now()


def card(state: QuestionState, current: Forecast | None, item: Item | None = None) -> None:
    """Show a question with a short form; ``item``: the reason why it is on the agenda, if it is.

    The form asks for a forecast, or for the outcome of a closed question. While one is proposed or
    disputed, or a resolver gave up, a link leads to it.
    """
    with st.container(border=True, gap="xsmall", key=f"todo-{state.slug}"):
        question_link(state)
        closes = closing(state.text, moment)
        if moment < state.text.close_time < moment + SOON:
            closes = f"**{closes}**"
        parts = [] if item is None else [why(item)]
        if current is not None:
            own = shortened(format_leaders(current, state.text.options, 2), 120)
            # The field of the form shows it.
            own = "" if state.id in needs.may_forecast else f"**{as_text(own)}**, "
            parts.append(f"your forecast: {own}{span(moment - current.made_at)} ago")
        parts += [closes, day(state.text.close_time)]
        st.caption(" · ".join(part for part in parts if part))
        if item is not None and item.todo == Todo.resolve and not state.proposals:
            may_resolve = roles.allows(rights, Action.resolve, state.question, state.text)
            outcome_form(state, may_resolve=may_resolve)
        elif item is not None and item.todo in (Todo.resolve, Todo.decide, Todo.retry):
            question_link(state, "resolve", "Look at it" if item.todo == Todo.retry else "Decide")
        if state.id in needs.may_forecast:
            every = needs.intervals.by_question.get(state.id)
            cites = None if item is None or item.article is None else item.article.address
            forecast_form(state, current, articles, quick=True, every=every, cites=cites)


def cards(name: str, shown: Mapping[str, Card], draw: Callable[[Card], None]) -> list[Card]:
    """Draw the cards of a list, each at its place; return them in that order."""
    placed = in_place(name, shown)
    for one in placed:
        with st.container():
            if one is not None:
                draw(one)
    return [one for one in placed if one is not None]


def more(todo: Todo, **filters: str) -> None:
    """Show the link to all questions with that to do, if they are not all here."""
    total = needs.totals[todo]
    if total > len(needs.of(todo)):
        page_link("questions", f"All {total:,} {LABELS[todo]}", **filters)


def is_shown(place: int, most: int, state: QuestionState, current: Forecast | None) -> bool:
    """Return whether a card is among the first of its list, or has a forecast yet to be saved."""
    return place < most or is_quick_form_typed(state, current)


def to_do() -> list[Item]:
    """Show the questions that need the reader as cards, the most urgent first; return them all.

    The order of the cards is that of their first drawing.
    """
    counts = [
        f"{needs.totals[todo]:,} {label}" for todo, label in LABELS.items() if needs.totals[todo]
    ]
    titled("To do", *counts)
    asked = page_state(More)
    most = len(needs.agenda) if asked.to_do else SHOWN
    shown = {
        one.state.slug: one
        for place, one in enumerate(needs.agenda)
        if is_shown(place, most, one.state, one.forecast)
    }
    with st.container():
        placed = cards("to do", shown, lambda item: card(item.state, item.forecast, item))
    if not needs.agenda:
        nothing_to_do()
    due = [(one.state, one.forecast) for one in needs.of(Todo.review, Todo.news) if one.forecast]
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        if rest := needs.agenda[SHOWN:]:
            label = "Show fewer" if asked.to_do else f"Show {len(rest)} more to do"
            st.button(label, key="more-to-do", on_click=show_more, args=("to_do", rest[0].state))
        if len(due) > 1:
            still_right(due)
        more(Todo.forecast, status="open", whose="Not yet mine")
        more(Todo.resolve, status="awaiting resolution")
    later = [one for one in needs.agenda if one.state.slug not in shown]
    return placed + later


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


def why(item: Item) -> str:
    """Return the need of a question and its reason, as Markdown."""
    if item.article is not None and item.suggestion is not None:
        return why_news(item.article, item.suggestion)
    if item.todo == Todo.resolve:
        return "**Outcome proposed**" if item.state.proposals else "**Outcome?**"
    if item.todo == Todo.decide:
        outcome = "" if item.state.resolution is None else as_text(item.state.resolution.outcome)
        return f"**Disputed**: resolved as {outcome}"
    if item.todo == Todo.retry:
        return "**Its resolver gave up**"
    if item.forecast is None:
        return "**Needs your forecast**"
    return why_review(item) or "**Closes soon**: is your forecast still right?"


def why_review(item: Item) -> str:
    """Return the reasons to review a forecast, as Markdown."""
    reasons = []
    if item.overdue and item.interval is not None:
        chosen = ", as you chose" if item.state.id in needs.intervals.by_question else ""
        reasons.append(f"**Review due** after {span(item.interval)}{chosen}")
    if item.crowd_move is not None:
        move = item.crowd_move
        of = f" on “{as_text(shortened(move.option, 60))}”" if move.option else ""
        change = f"{as_text(move.before)} → {as_text(move.now)}"
        reasons.append(f"**Crowd of {move.forecasters:,} moved**{of}: {change}")
    if item.linked is not None:
        title = shortened(item.linked.text.title, 100)
        named = page_reference("question", title, slug=item.linked.slug)
        reasons.append(f"**Look again**: you updated {named}, which is linked")
    return " · ".join(reasons)


def why_news(article: Article, suggestion: Suggestion) -> str:
    """Return the article, the passage that bears on the question, and why, as Markdown."""
    named = page_reference("articles", shortened(article.title, 120), article=article.id)
    by = f", {as_text(article.publisher)}" if article.publisher else ""
    passage = as_text(shortened(suggestion.passage, PASSAGE))
    words = as_text(", ".join(suggestion.words))
    return f"**New evidence** {named}{by}: “{passage}” ({words})"


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
    with st.container():
        for one in results[:RESULTS]:
            result(one)
    if rest := results[RESULTS:]:
        with st.expander(f"{len(rest)} more"):
            for one in rest:
                result(one)
    if not results:
        none = "No results yet." if needs.seen is None else "No new results."
        st.caption(f"{none} Scores appear here once your questions resolve.")
    if results or needs.seen is not None:
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            page_link("my_scores", "My scores")
            if results and not needs.read_only:
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
class More:
    """The lists of which more than the first cards are shown."""

    to_do: bool = False
    not_due: bool = False


def still_fresh() -> list[QuestionState]:
    """Show the current forecasts that need no attention, the latest first; return those shown.

    On request, all of them in pages, so that any can be updated here. One that was made since the
    page was opened is the last.
    """
    if not latest:
        return []
    st.header("Your forecasts", anchor=False)
    place, rest = st.container(), latest[FRESH:]
    asked = page_state(More).not_due
    page = {state.id for state, _ in shown_page(rest, "not-due-page", MORE)} if asked else set()
    shown = {
        one[0].slug: one
        for number, one in enumerate(latest)
        if is_shown(number, FRESH, *one) or one[0].id in page
    }
    with place:
        placed = cards("fresh", shown, lambda one: card(*one))
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        if rest:
            more_label = f"Show {min(MORE, len(rest))} more that are not due"
            label = "Show fewer" if asked else more_label
            st.button(label, key="not-due", on_click=show_more, args=("not_due", rest[0][0]))
            page_link(
                "questions", f"All {len(latest):,} of your forecasts", status="open", whose="Mine"
            )
    return [state for state, _ in placed]


def show_more(name: str, first: QuestionState) -> None:
    """Show more of a list, with the cursor in the first that is new, or fewer."""
    asked = page_state(More)
    setattr(asked, name, not getattr(asked, name))
    if getattr(asked, name):
        focus_on(forecast_act(first))


def lists_for_keyboard(agenda: Sequence[Item], fresh: Sequence[QuestionState]) -> None:
    """Tell the keyboard the cards of To do and of the current forecasts, in their order.

    People type faster than the page runs, so it needs to know those that are not drawn yet.
    """
    typed = (Todo.forecast, Todo.review, Todo.news)
    to_do = [one.state for one in agenda if one.todo in typed]
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
needs = needs_now()
with reading() as ledger:
    rights = rights_here(ledger)
    results = new_results(ledger, current_member(ledger), seen=needs.seen)
    articles = library.listing(ledger, RECENT_ARTICLES) if needs.may_forecast else []
latest = sorted(needs.fresh, key=lambda one: one[1].made_at, reverse=True)
agenda = to_do()
resolved()
lists_for_keyboard(agenda, still_fresh())
