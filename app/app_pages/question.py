"""Question: the forecast form or the outcome, everyone's forecasts, text, sources, history."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

import streamlit as st

from app import session
from app.components.scripts import copy_link
from app.forms import ties
from app.forms.by_model import model_forecast
from app.forms.coherence import moves_table
from app.forms.forecast import forecast_form, withdraw_form
from app.forms.question import (
    close_form,
    conditional_form,
    criteria_field,
    reopen_form,
    wording_form,
)
from app.forms.resolution import dispute_form, withdrawal_note
from app.forms.threshold import threshold_form
from app.markdown_text import (
    as_text,
    dotted,
    link,
    paragraphs,
    quoted,
    shortened,
    tagged,
)
from app.times import closing_on, day, local_day, published, when
from app.views import question_history
from app.views.documents import chart, folded
from app.views.downloads import receipts_button
from app.views.scores import COVERAGE_HELP, RULES, question_scores
from app.views.widgets import (
    article_link,
    metrics,
    page_link,
    question_line,
    question_link,
    shown_page,
    switch,
    titled,
)
from forecasts.access import kinds, members, roles, visibility
from forecasts.access.roles import Action
from forecasts.agenda import revisits
from forecasts.articles import library
from forecasts.common.errors import NotFound
from forecasts.common.text import count
from forecasts.documents.numbers import number, percent
from forecasts.folder.frames import rows
from forecasts.ledger.models import QuestionType, Resolution, Stance
from forecasts.questions import (
    conditions,
    discards,
    finality,
    groups,
    links,
    passages,
    registry,
    revisions,
    standing,
)
from forecasts.questions import origins as question_origins
from forecasts.resolution import history as resolution_history
from forecasts.scores import stored_scores
from forecasts.scores.coherence import crowd_contradictions
from forecasts.scores.paths import Paths, option_paths, paths
from forecasts.scores.printed_scores import printed_scores
from forecasts.updates import comments, previews, updates
from forecasts.updates.conditionals import implied
from forecasts.updates.look_again import linked
from forecasts.values.outcomes import format_bounds
from forecasts.values.value import format_leaders
from forecasts.views import question_charts

BADGES: dict[standing.Status, Literal["green", "orange", "blue"]] = {
    standing.Status.open: "green",
    standing.Status.awaiting: "orange",
    standing.Status.resolved: "blue",
}
ACTIONS = (Action.forecast, Action.propose, Action.dispute, Action.revise)
MOST_ARTICLES = 200  # to pick evidence from
CHART_HEIGHT = 340  # pixels
EVIDENCE_SHOWN = 5  # pieces on a page
MARKS = {Stance.supports: "▲", Stance.opposes: "▼", Stance.context: "●"}

moment = session.now()
slug = st.query_params.get("slug", "")
if not slug:
    st.title("Question", anchor=False)
    st.info("Pick a question first.")
    page_link("questions", "Questions")
    st.stop()

with session.reading() as ledger:
    try:
        question = registry.find(ledger, slug)
    except NotFound as error:
        st.title("Question", anchor=False)
        st.error(as_text(error.message))
        for near in standing.listing(ledger, now=moment, only=registry.similar_slugs(ledger, slug)):
            question_link(near)
        page_link("questions", "All questions")
        st.stop()
    state = standing.current_state(ledger, question, now=moment)
    member = session.current_member(ledger)
    mine = None if member is None else updates.current_forecast(ledger, question, member, at=moment)
    history = updates.history(ledger, question)
    cited = updates.evidence_of(ledger, question)
    remarks = comments.remarks(ledger, question)
    sources = passages.sources(ledger, question)
    wordings = revisions.history(ledger, question)
    steps = resolution_history.steps(ledger, question)
    handles = members.handles(ledger)
    scored = [] if state.resolution is None else stored_scores.score_table(ledger, state.resolution)
    printed = printed_scores(ledger, state)
    origins = question_origins.origins(ledger, [state.id]).get(state.id, [])
    seen_by = visibility.audience_label(ledger, state.text)
    rights = session.rights_here(ledger)
    may = {action: roles.allows(rights, action, question, state.text) for action in ACTIONS}
    articles = library.listing(ledger, MOST_ARTICLES) if state.accepts_forecasts(moment) else []
    every = revisits.intervals(ledger, member).by_question.get(state.id)
    crowd_hidden = visibility.crowd_is_hidden(ledger, question)
    provisional = finality.provisional_outcome(ledger, question, now=moment)
    group = groups.group_of(ledger, question, now=moment)
    around = conditions.around(ledger, question, now=moment)
    branches = [one for one in around if one.parent.id == state.id]
    condition = next((one for one in around if one.state.id == state.id), None)
    tied = links.links_of(ledger, question, now=moment)
    mine_now: dict[int, Any] = {}
    if member is not None and group is not None:
        mine_now = updates.current_forecasts(ledger, member, at=moment)
    found_links = linked(ledger, state, tied, member=member, now=moment)
    parent = state if condition is None else condition.parent
    implies = []
    if member is not None and around:
        implies = implied(ledger, parent, member=member, now=moment)
    crowd_apart = []
    if group is not None or around or tied:
        usual = kinds.crowd(ledger).usual(
            has_forecast=mine is not None, is_open=moment < state.text.close_time
        )
        crowd_apart = crowd_contradictions(ledger, question, now=moment, of=usual)
    discardable = discards.may_discard(ledger, question, member=member, now=moment)
text = state.text
session.name_window(text.title, "Question")
me = session.my_handle()
own = [forecast for forecast, handle in history if handle == me]
rule, rule_help = RULES[stored_scores.CRPS if text.is_quantitative else "brier"]


def head() -> None:
    """Show title, status, close and tags in as few lines as possible."""
    st.title(as_text(text.title), anchor=False)
    beside: Any = {"horizontal": True, "gap": "xsmall", "vertical_alignment": "center"}
    with st.container(key="question-head", **beside):
        st.badge(str(state.status), color=BADGES.get(state.status, "gray"))
        if state.proposals:
            st.badge(count(state.proposals, "proposal"), color="orange")
        if not text.has_criteria:
            st.badge("no criteria", color="orange")
        for one in origins:
            platform = question_origins.platform_name(one.platform)
            st.badge(as_text(platform), color="gray", help="Imported.")
        parts = []
        if state.outcome_at is None:
            parts.append(closing_on(text, moment, when))
        else:
            parts.append(f"on {when(state.outcome_at)}")
            if text.close_time <= moment and text.close_time != state.outcome_at:
                closed = when(text.close_time)
                if local_day(text.close_time) == local_day(state.outcome_at):
                    closed = f"at {closed.split(', ')[1]}"
                parts.append(f"closed {closed}")
        if seen_by:
            parts.append(f"visible to {as_text(seen_by)} only")
        st.caption(f"{' · '.join(parts)} {tagged(text.tags or [])}", width="content")
        if session.memory().sample:
            st.caption("No link: it would open your own ledger.", width="content")
        else:
            copy_link(f"question?slug={quote(slug, safe='')}")


def forecast_paths() -> None:
    """Show the paths of the forecasters and of the crowd, or why there are none yet.

    Of a multiple-choice question: the crowd's path of every option, or the paths of one option.
    """
    if crowd_hidden or not history:
        st.info(
            question_history.HIDDEN
            if crowd_hidden
            else "No forecasts yet. The first one starts the chart."
        )
        return
    handles = {handle for _, handle in history}
    scored = state.resolution if state.status == standing.Status.resolved else None
    outcome = None if scored is None else scored.outcome
    option = None
    if options := text.options or []:
        option = st.selectbox(
            "Option shown",
            [None, *range(len(options))],
            format_func=lambda place: "All options" if place is None else options[place],
        )
    whole = bool(options) and option is None
    with session.reading() as ledger:
        crowd_of = pick_crowd(kinds.crowd(ledger), handles)
        asked: dict[str, Any] = {"now": moment, "scored": bool(scored), "crowd_of": crowd_of}
        if whole:
            every = option_paths(ledger, question, text, **asked)
        else:
            every = [paths(ledger, question, text, option=option or 0, **asked)]
    lines = every[0]
    if lines.steps.empty:
        st.info("No active forecasts yet. The first one starts the chart.")
        return
    if whole:
        drawn = question_charts.options_chart(every, text, me=me, outcome=outcome, when=when)
        alt = question_charts.describe_options(every, text, outcome=outcome)
        chart(drawn, alt, height=CHART_HEIGHT)
        st.caption(f"Lines: {median_of(lines)}. Dots: your forecasts.")
    else:
        single_paths(lines, handles - {me}, outcome)
    if len(lines.marks):
        evidence_list(lines)
    folded("Table", question_charts.path_rows(lines, text, when=when, medians=not whole))


def pick_crowd(rule: kinds.Crowd, handles: set[str]) -> kinds.CrowdOf | None:
    """Show the choice of the crowd if bots have forecast; return it."""
    if handles.isdisjoint(bot.handle for bot in rule.bots.values()):
        return None
    usual = rule.usual(has_forecast=me in handles, is_open=moment < text.close_time)
    names = {words.capitalize(): of for of, words in kinds.CROWD_OF.items()}
    first = kinds.CROWD_OF[usual].capitalize()
    how = {
        "default": first,
        "bind": None,
        "help": ("The bots of one owner count as one. Until you forecast, the crowd is of people."),
    }
    return names[switch("Crowd of", list(names), f"crowd-{usual}", **how)]


def median_of(lines: Paths) -> str:
    """Return the name of the crowd's line."""
    if not lines.crowd_of:
        return "the crowd’s median"
    return f"the median of {kinds.CROWD_OF[lines.crowd_of]}"


def single_paths(lines: Paths, others: set[str], outcome: str | None) -> None:
    """Show everyone's lines, with a choice of the highlighted ones if there are many."""
    most = question_charts.HIGHLIGHTED
    highlighted = sorted(others)[:most]
    if len(others) > most:
        grey = f"The others are grey, as “{question_charts.OTHERS}”."
        highlighted = st.multiselect(
            "Highlight", sorted(others), highlighted[:2], max_selections=most, help=grey
        )
    how: Any = {"highlighted": highlighted, "outcome": outcome, "when": when}
    drawn = question_charts.path_chart(lines, text, me=me, **how)
    chart(drawn, question_charts.describe_paths(lines, text, me=me), height=CHART_HEIGHT)
    said = ["Dots: forecasts.", f"Grey and dashed: {median_of(lines)}."]
    if text.is_quantitative:
        said.append("Shaded: the middle 50%.")
    if len(lines.marks):
        supported = "yes" if text.type == QuestionType.binary else "the outcome"
        said.append(f"▲ evidence for {supported}, ▼ against it, ● context.")
    st.caption(" ".join(said))


def evidence_list(lines: Paths) -> None:
    """Show the chart's evidence as a list, newest first, for readers without a pointer."""
    with st.expander(f"Evidence ({len(lines.marks)})"):
        for one in shown_page(list(rows(lines.marks))[::-1], "evidence", EVIDENCE_SHOWN):
            with st.container(gap=None):
                named = link(one.url, shortened(one.evidence, 300))
                st.markdown(f"{MARKS[one.stance]} *{one.stance}* {named}")
                st.caption(dotted(one.forecaster, one.forecast, when(one.time)))
                if one.reason:
                    st.caption(paragraphs(shortened(one.reason, 600)))
                if earned := question_charts.points_earned(one.points):
                    st.caption(earned)


def forecast_panel() -> None:
    """Show the forecast form, or the outcome, or why there is neither."""
    withdrawal_note(state)
    if state.accepts_forecasts(moment):
        said = [] if mine is None else [f"since {when(mine.made_at)}"]
        if mine is not None and not text.options:  # whose bars show it
            said.insert(0, f"**{as_text(format_leaders(mine, None, 5))}**")
        titled("Your forecast", *said)
        if mine is None and own and own[-1].withdrawn:
            st.caption(f"You withdrew your forecast {when(own[-1].made_at)}.")
        elif mine is None:
            st.caption("You haven’t forecast this yet.")
        elif so_far := previews.format_score_so_far(text, own, now=moment):
            st.caption(as_text(f"{so_far} ({rule})"), help=rule_help)
        if state.proposals:
            st.caption("A proposed outcome awaits a decision.")
        if not may[Action.forecast]:
            st.caption("You can read this question. Forecasting requires the forecaster role.")
            return
        forecast_form(state, mine, articles, every=every)
        if mine is not None:
            with st.expander("Withdraw"):
                withdraw_form(state)
        model_forecast(question, has_forecast=mine is not None, may_ask=True)
        threshold_form(state)
        label = "Decide on the proposed outcome" if state.proposals else "Resolve this question"
        question_link(state, "resolve", label)
    elif state.resolution is None:
        st.header(str(state.status).capitalize(), anchor=False)
        if state.status == standing.Status.upcoming:
            st.write("Forecasting has not opened yet.")
            return
        label, due = "Resolve it", "No outcome is recorded yet."
        if state.proposals:
            label, due = "Decide on it", "A proposed outcome awaits a decision."
        st.write(f"Forecasting has ended. {due}")
        if may[Action.propose]:
            question_link(state, "resolve", label)
        model_forecast(question, has_forecast=True)
    else:
        outcome_panel(state.resolution)
        model_forecast(question, has_forecast=True)


def outcome_panel(resolution: Resolution) -> None:
    """Show the outcome and the reader's score."""
    st.header(f"Outcome: {as_text(resolution.outcome)}", anchor=False)
    row = next((row for row in scored if row.forecaster == me), None)
    if row is not None:
        scheduled = f"Scheduled close: {day(text.scheduled_close_time)}."
        shown = {
            f"Your {rule} (0–1)": (number(row.score), rule_help),
            "Coverage": (percent(row.coverage), f"{COVERAGE_HELP} {scheduled}"),
        }
        metrics("earned", shown)
        page_link("my_scores", "Score of each update", question=state.slug)
    elif own:
        st.caption("Your forecasts have no score.")
    else:
        st.caption("You did not forecast this.")
    if provisional is not None:
        st.info(as_text(resolution_history.provisional_note(provisional, when)))
        if provisional.dispute is None and may[Action.dispute]:
            with st.expander("Dispute the outcome"):
                dispute_form(state)
    if may[Action.propose]:
        question_link(state, "resolve", "Correct the outcome")


def criteria() -> None:
    """Show the resolution criteria and the fine print, or the offer to write them."""
    if text.has_criteria:
        st.header("Resolution criteria", anchor=False)
        st.markdown(paragraphs(text.resolution_criteria))
    elif may[Action.revise]:
        criteria_form()
    else:
        st.caption("No resolution criteria yet.")
    if text.fine_print.strip():
        st.header("Fine print", anchor=False)
        st.markdown(paragraphs(text.fine_print))


def background() -> None:
    """Show the background, and the passages the question was taken from."""
    if text.background.strip():
        st.header("Background", anchor=False)
        st.markdown(paragraphs(text.background))
    if sources:
        st.header("Sources", anchor=False)
    for source, article in sources:
        with st.container(border=True, gap="xsmall"):
            if source.quote:
                st.markdown(f"“{as_text(source.quote)}”")
            article_link(article)
            st.caption(dotted(article.publisher, published(article.published_at)))


def criteria_form() -> None:
    """Show the form that adds the missing criteria."""
    with session.form(f"criteria-{state.slug}-{text.number}", border=True) as key:
        written = criteria_field(key)
        st.caption("Write them so that others can see the question and judge its outcome.")
        submitted = st.form_submit_button("Save criteria", key=f"{key}-save")
    if submitted and written.strip():
        with session.act(key, f"Saved the criteria of {quoted(text.title)}.") as doing:
            revisions.revise(
                doing.ledger, state.question, resolution_criteria=written.strip(), **doing.by
            )


def change_panel() -> None:
    """Show the question's type, times and ID, and the forms that change the question."""
    st.header("This question", anchor=False)
    kind = str(text.type).replace("_", " ") + (
        f" ({bounds})" if (bounds := format_bounds(text)) else ""
    )
    # The other times are in the line below the title.
    facts = {"Type": kind}
    if text.open_time <= moment:
        facts["Opened"] = when(text.open_time)
    if moment < text.close_time and (moment < text.open_time or state.resolution is not None):
        facts["Closes"] = when(text.close_time)
    if text.close_time != text.scheduled_close_time:
        facts["Scheduled close"] = day(text.scheduled_close_time)
    if state.outcome_at is None and text.scheduled_resolve_time is not None:
        facts["Resolves by"] = when(text.scheduled_resolve_time)
    if text.family:
        facts["Family"] = text.family
    st.caption("  \n".join(f"{name}: {as_text(fact)}" for name, fact in facts.items()))
    for one in origins:
        name = as_text(question_origins.in_words(one.platform, one.platform_id))
        if one.url.startswith(("https://", "http://")):
            st.page_link(one.url, label=f"Original: {name}")
        else:
            st.caption(f"Imported from {name}")
    st.caption("ID (for links and commands)")
    st.code(state.slug, language=None, wrap_lines=True)
    if discardable:
        with st.expander("Discard"):
            discard_form()
    if not may[Action.revise]:
        return
    with st.expander("Edit"):
        wording_form(state)
    if state.resolution is not None or not text.open_time < moment < text.scheduled_close_time:
        return
    if text.actual_close_time is None:
        with st.expander("Close early"):
            close_form(state)
    else:
        with st.expander("Reopen"):
            reopen_form(state)


def group_panel() -> None:
    """Show the question's group: a field and a line for each member."""
    if group is None:
        return
    titled("Group", f"{as_text(group.title)} ({ties.KINDS[group.kind]})")
    if may[Action.forecast]:
        ties.group_form(group, mine_now)
    st.markdown(ties.group_line(group))
    with session.reading() as ledger:
        ties.group_chart(ledger, group, me=me, moment=moment)


def ties_panel() -> None:
    """Show the question's conditionals and links, with the forms that add some."""
    if branches or condition is not None:
        titled("Conditional")
        if condition is not None:
            question_line(condition.parent, f"Asked for the case: {as_text(condition.outcome)}")
        ties.implied_list(implies, branches)
    if found_links:
        again = sum(one.is_older for one in found_links)
        titled("Links", *([f"{again} to review after your update"] if again else []))
        ties.linked_list(state, found_links)
    for moves in crowd_apart:
        titled("The crowd contradicts itself")
        st.caption(
            "Its forecasts may come from other people on each question. Coherent: the nearest that "
            "can all be right together."
        )
        moves_table(moves, "Crowd says")
    if not may[Action.forecast]:
        return
    if state.accepts_forecasts(moment):
        conditional_form(state, mine)
    with st.expander("Link with another question"):
        ties.link_form(state)


def discard_form() -> None:
    """Show the form that discards the question."""
    key = session.form_key(f"discard-{state.slug}")
    st.caption("It disappears from every list, with your forecasts. This cannot be undone.")
    if st.button("Discard this question", key=f"{key}-go"):
        with session.act(key, f"Discarded {quoted(text.title)}.") as doing:
            discards.discard(doing.ledger, state.question, **doing.by)
            doing.go("questions", {})


def comment_form() -> None:
    """Show the form for a comment on the question that explains no forecast."""
    with session.form(f"comment-{state.slug}", border=True) as key:
        written = st.text_area("Comment", key=f"{key}-text", height=80)
        submitted = st.form_submit_button("Add comment", key=f"{key}-save")
    if submitted:
        with session.act(key, "Added your comment.") as doing:
            comments.comment(doing.ledger, state.question, written, **doing.by)


def page() -> None:
    """Lay out the page: the forecast first, which is on the right of a wide screen."""
    head()
    with st.container(key="question-parts"):
        side, wide = st.columns([1, 2], gap="medium")
    with side:
        forecast_panel()
    with wide:
        forecast_paths()
        group_panel()
        criteria()
        background()
        ties_panel()
    if state.resolution is not None:
        question_scores(state, scored, printed, forecast=bool(history))
    past, about = st.columns([2, 1], gap="medium")
    with about:
        change_panel()
    with past:
        st.header("History", anchor=False)
        entries = question_history.discussion_entries(history, remarks)
        explained = comments.by_forecast(remarks)
        counts = {
            "Discussion": len(entries),
            "Forecasts": "hidden" if crowd_hidden else len(history),
            "Resolution": len(steps),
            "Wordings": len(wordings),
        }
        discussed, forecasts, resolution, texts = st.tabs(
            [f"{name} ({many})" for name, many in counts.items()]
        )
        with discussed:
            if may[Action.forecast]:
                comment_form()
            question_history.discussion(
                entries, explained, cited, wordings[-1], hidden=crowd_hidden
            )
        with forecasts:
            question_history.forecast_list(
                history, explained, cited, wordings[-1], hidden=crowd_hidden
            )
            if own:
                receipts_button([forecast.id for forecast in own], f"{state.slug}-receipts")
        with resolution:
            question_history.resolution_list(steps)
        with texts:
            question_history.wording_list(wordings, handles)


page()
