"""Question: what it asks, everyone's path, the form to update, where it comes from, its end."""

from __future__ import annotations

import streamlit as st

from app.charts.paths import NAMED, OTHERS, paths_chart, say_median, say_paths
from app.forms.dispute import dispute_form
from app.forms.forecast import forecast_form, withdraw_form
from app.forms.revision import close_form, reopen_form, wording_form
from app.markdown_text import (
    COVERAGE_HELP,
    CRPS_HELP,
    as_text,
    bounds,
    closing,
    link_to,
    paragraphs,
    published,
    when,
)
from app.session import current_member, my_handle, now, reading, rights_here
from app.views.links import question_link
from app.views.question_history import discussion, forecast_list, resolution_list, wording_list
from forecasts.access import members, roles, visibility
from forecasts.access.roles import Action
from forecasts.agenda import revisits
from forecasts.common.errors import NotFound
from forecasts.ledger.models import QuestionType, Resolution
from forecasts.questions import finality, registry, revisions, standing
from forecasts.questions import sources as question_sources
from forecasts.questions.standing import QuestionState, Status
from forecasts.reports.render.wording import percent, tied
from forecasts.resolution import history as resolution_history
from forecasts.scores import scores
from forecasts.scores.paths import Paths, paths, told
from forecasts.scores.scores import Scored
from forecasts.updates import updates
from forecasts.updates import wordings as update_wordings
from forecasts.updates.evidence import recent_articles

BADGES = {
    Status.open: "green",
    Status.upcoming: "gray",
    Status.awaiting: "orange",
    Status.proposed: "orange",
    Status.resolved: "blue",
    Status.annulled: "gray",
    Status.ambiguous: "gray",
}

TABLE = 50  # rows of the chart's table
moment = now()
slug = st.query_params.get("slug", "")
if not slug:
    st.title("Question", anchor=False)
    st.info("Pick a question first.")
    st.page_link("app_pages/questions.py", label="Questions")
    st.stop()

with reading() as ledger:
    try:
        question = registry.find(ledger, slug)
    except NotFound as error:
        st.title("Question", anchor=False)
        st.error(as_text(error.message))
        for near in standing.listing(ledger, now=moment, only=registry.similar_slugs(ledger, slug)):
            question_link(near)
        st.page_link("app_pages/questions.py", label="All questions")
        st.stop()
    state = standing.current_state(ledger, question, now=moment)
    member = current_member(ledger)
    mine = None if member is None else updates.current_forecast(ledger, question, member, at=moment)
    history = updates.history(ledger, question)
    cited = updates.evidence_of(ledger, question)
    sources = question_sources.sources(ledger, question)
    wordings = revisions.history(ledger, question)
    steps = resolution_history.steps(ledger, question)
    handles = members.handles(ledger)
    scored = [] if state.resolution is None else scores.table(ledger, state.resolution)
    seen_by = visibility.audience_label(ledger, state.text)
    may = {
        action: roles.allows(rights_here(ledger), action, question, state.text)
        for action in (
            Action.forecast,
            Action.propose,
            Action.dispute,
            Action.revise,
            Action.resolve,
        )
    }
    articles = recent_articles(ledger) if state.accepts_forecasts(moment) else []
    every = revisits.intervals(ledger, member).on.get(state.id)
    crowd_hidden = visibility.crowd_is_hidden(ledger, question)
    provisional = finality.provisional_outcome(ledger, question, now=moment)
text = state.text
me = my_handle()
own = [forecast for forecast, handle in history if handle == me]
graded = text.is_quantitative


def head() -> None:
    """Show the title, the status, the time left or how it ended."""
    st.title(as_text(text.title), anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.badge(str(state.status), color=BADGES[state.status])  # type: ignore[arg-type]
        if state.resolution is not None and state.status == Status.resolved:
            st.badge(f"outcome: {as_text(state.resolution.outcome)}", color="blue")
        between = f": {as_text(bounds(text))}" if graded else ""
        st.badge(str(text.type).replace("_", " ") + between, color="gray")
        for tag in text.tags or []:
            st.badge(as_text(tag), color="gray")
    times = [f"opened {when(text.open_time)}"] if text.open_time <= moment else []
    if state.resolution is None or text.close_time <= moment:
        times.append(f"{closing(text, moment)} ({when(text.close_time)})")
    if state.resolution is not None:
        times.append(f"{state.status} {when(state.resolution.recorded_at)}")
    elif text.scheduled_resolve_time is not None:
        times.append(f"to be resolved by {when(text.scheduled_resolve_time)}")
    if text.family:
        times.append(f"family {as_text(text.family)}")
    st.caption(" · ".join(times))
    if seen_by:
        st.caption(f"Seen by {as_text(seen_by)} only.")


def chart() -> None:
    """Show the paths, and what they show where there is none yet."""
    if crowd_hidden:
        st.info(
            "Whether and what others have forecast is hidden, so that your first forecast is your "
            "own. It is shown once you have forecast, or the question has closed."
        )
        return
    if not history:
        st.info("No forecast yet. The first one starts the chart.")
        return
    option = 0
    if text.type == QuestionType.multiple_choice:
        options = text.options or []
        came_true = None if state.resolution is None else state.resolution.outcome
        picked = st.selectbox(
            "Option shown",
            options,
            index=options.index(came_true) if came_true in options else 0,
            help="The chart shows one option's paths.",
        )
        option = options.index(picked)
    with reading() as ledger:
        lines = paths(
            ledger,
            question,
            text,
            now=moment,
            option=option,
            scored=scored_outcome() is not None,
        )
    if lines.steps.empty:
        st.info("Nothing has stood here yet. The first forecast starts the chart.")
        return
    others = sorted({handle for _, handle in history} - {me})
    named = others[:NAMED]
    if len(others) > NAMED:
        named = st.multiselect(
            "Forecasters in colour",
            others,
            default=named[:2],
            max_selections=NAMED,
            help=f"The others are drawn in grey, as “{OTHERS}”.",
        )
    marks = "▲ speaks for yes, ▼ against it, ● context"
    if text.type != QuestionType.binary:
        marks = "▲ speaks for it, ▼ against it, ● context"
    st.vega_lite_chart(
        spec=paths_chart(lines, text, me=me, named=named, outcome=scored_outcome()),
        alt=say_paths(lines, text, me=me),
    )
    st.caption(
        "Each dot is a forecast; its line holds until the next one, or a withdrawal. Grey "
        "and dashed: the median of the forecasts that stood. Marks: evidence that came in "
        f"({marks}); point at one to read it. Times are UTC."
    )
    chart_table(lines)


def chart_table(lines: Paths) -> None:
    """Show what the chart draws as a table, the newest first."""
    rows = told(lines)
    with st.expander("The chart as a table"):
        newest = rows.head(TABLE)
        st.table(
            {
                "At": [when(time) for time in newest["time"]],
                "Forecaster": [as_text(handle) for handle in newest["forecaster"]],
                "Forecast": [as_text(said) for said in newest["said"]],
                "Crowd’s median": [as_text(say_median(one, text)) for one in newest["crowd"]],
            },
            hide_index=True,
            border="horizontal",
        )
        if len(rows) > len(newest):
            st.caption(f"The newest {TABLE} of {len(rows):,}; all stand under History.")


def scored_outcome() -> str | None:
    """Return the outcome that forecasts are scored against, once there is one."""
    scores_it = state.resolution is not None and state.status == Status.resolved
    return state.resolution.outcome if scores_it and state.resolution is not None else None


def update_panel() -> None:
    """Show what stands and the form; or why there is none."""
    if state.accepts_forecasts(moment):
        st.header("Your forecast", anchor=False)
        if mine is None and own and own[-1].withdrawn:
            st.caption(f"Nothing of yours stands any more: withdrawn {when(own[-1].made_at)}.")
        elif mine is None:
            st.caption("Nothing of yours stands yet.")
        else:
            with st.container(gap=None):
                st.markdown(
                    f"Stands at **{as_text(update_wordings.format_forecast(mine, wordings))}**"
                )
                st.caption(f"since {when(mine.made_at)}")
        if state.status == Status.proposed:
            st.caption("An outcome is proposed, and waits until somebody decides on it.")
        if not may[Action.forecast]:
            st.caption("You may look at this question; to forecast takes a forecaster’s role.")
            return
        forecast_form(state, mine, articles, every=every)
        if mine is not None:
            with st.expander("Withdraw"):
                withdraw_form(state)
        proposed = state.status == Status.proposed
        st.page_link(
            "app_pages/resolve.py",
            label="Decide on the proposed outcome"
            if proposed
            else "Is the outcome known? Resolve it",
            query_params=link_to(question),
        )
    elif state.resolution is None:
        st.header(str(state.status).capitalize(), anchor=False)
        if state.status == Status.upcoming:
            st.write(f"Forecasting begins {when(text.open_time)}.")
        else:
            st.write(
                "Forecasting has ended; an outcome is proposed and waits for somebody’s decision."
                if state.status == Status.proposed
                else "Forecasting has ended; the outcome is not known to the ledger yet."
            )
            if may[Action.propose]:
                st.page_link(
                    "app_pages/resolve.py",
                    label="Decide on it" if state.status == Status.proposed else "Resolve it",
                    query_params=link_to(question),
                )
    else:
        outcome_panel(state.resolution)


def outcome_panel(resolution: Resolution) -> None:
    """Show the outcome and what the reader earned."""
    st.header(f"Outcome: {as_text(resolution.outcome)}", anchor=False)
    row = next((row for row in scored if row.forecaster == me), None)
    if row is not None:
        with st.container(key="figures-earned"):
            left, right = st.columns(2)
        if graded:
            left.metric("Your CRPS (0–1)", f"{row.score:.4f}", help=CRPS_HELP)
        else:
            left.metric("Your Brier (0–1)", f"{row.score:.4f}", help="0 is best.")
        right.metric("Coverage", percent(row.coverage), help=COVERAGE_HELP)
    elif own:
        st.caption("You have no score on it.")
    else:
        st.caption("You had no forecast on it.")
    if provisional is not None:
        st.info(as_text(resolution_history.say_provisional(provisional, when)))
        if provisional.dispute is None and may[Action.dispute]:
            with st.expander("Dispute the outcome"):
                dispute_form(state)
    if may[Action.propose]:
        st.page_link(
            "app_pages/resolve.py", label="Correct the outcome", query_params=link_to(question)
        )


def criteria() -> None:
    """Show by what the question is decided: read before a number is given."""
    st.header("Resolution criteria", anchor=False)
    st.markdown(paragraphs(text.resolution_criteria) or "_None were written._")
    if text.fine_print.strip():
        st.header("Fine print", anchor=False)
        st.markdown(paragraphs(text.fine_print))


def words() -> None:
    """Show the rest of what the question says, and the passages it was taken from."""
    if text.background.strip():
        st.header("Background", anchor=False)
        st.markdown(paragraphs(text.background))
    if sources:
        st.header("Where it comes from", anchor=False)
    for source, article in sources:
        with st.container(border=True, gap="xsmall"):
            if source.quote:
                st.markdown(f"“{as_text(source.quote)}”")
            known = [article.publisher or "", published(article.published_at)]
            st.page_link(
                "app_pages/articles.py",
                label=as_text(article.title),
                query_params={"article": str(article.id)},
            )
            st.caption(" · ".join(as_text(part) for part in known if part))


def change_panel() -> None:
    """Show how the question is changed, and the name that commands know it by."""
    st.header("This question", anchor=False)
    st.caption("The name by which its address, files and commands know it:")
    st.code(state.slug, language=None, wrap_lines=True)
    if not may[Action.revise]:
        return
    with st.expander("Edit the wording"):
        wording_form(state)
    if state.resolution is not None or not text.open_time < moment < text.scheduled_close_time:
        return
    if text.actual_close_time is None:
        with st.expander("Close it early"):
            close_form(state)
    else:
        with st.expander("Take the early close back"):
            reopen_form(state)


def score_table(rows: list[Scored]) -> None:
    """Show what everyone earned; the names of the scales stand over the numbers."""
    st.header("Scores", anchor=False)
    if not rows:
        st.caption(no_scores())
        return
    columns = {"Forecaster": [as_text(row.forecaster) for row in rows]}
    if graded:
        columns["CRPS (0–1)"] = [figure(row.crps) for row in rows]
    else:
        columns["Brier (0–1)"] = [figure(row.brier) for row in rows]
        columns["Original (0–2)"] = [figure(row.original) for row in rows]
        columns["At the close (0–1)"] = [figure(row.final) for row in rows]
    columns["Coverage"] = [tied(percent(row.coverage)) for row in rows]
    columns["Updates"] = [str(row.updates) for row in rows]
    st.table(columns, hide_index=True, border="horizontal")
    if graded:
        st.caption(f"CRPS: {CRPS_HELP} Averaged over the time that a forecast stood.")
    else:
        st.caption(
            "0 is best on each scale. Brier: averaged over the time that a forecast stood; the "
            "original one sums over the options, and so goes up to 2."
        )


def figure(score: float | None) -> str:
    """Return a score for a person; a dash where there is none."""
    return "–" if score is None else f"{score:.4f}"


def no_scores() -> str:
    """Return why nobody has a score on a question that is resolved."""
    if state.status != Status.resolved:
        return f"The question is {state.status}: it yields no scores."
    if history:
        return "No forecast on it has a score: none stood while it was open and undecided."
    return "Nobody had a forecast on it while it was open, so there is nothing to score."


def page(state: QuestionState) -> None:
    """Lay the page out: what is needed first comes first, on a narrow screen too."""
    head()
    wide, side = st.columns([2, 1], gap="medium")
    with wide:
        chart()
        criteria()
        words()
    with side:
        update_panel()
    if state.resolution is not None:
        score_table(scored)
    told_here, about = st.columns([2, 1], gap="medium")
    with about:
        change_panel()
    with told_here:
        st.header("History", anchor=False)
        reasons = [one for one in history if one[0].rationale]
        talk, everyone, end, texts = st.tabs(
            [
                f"Discussion ({len(reasons)})",
                f"Forecasts ({len(history)})",
                f"Resolution ({len(steps)})",
                f"Wordings ({len(wordings)})",
            ]
        )
        with talk:
            discussion(history, cited, wordings)
        with everyone:
            forecast_list(history, cited, wordings)
        with end:
            resolution_list(steps)
        with texts:
            wording_list(wordings, handles)


page(state)
