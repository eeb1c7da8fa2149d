"""One track record: verdict, score, reliability, advice, the rest folded; or several together."""

from __future__ import annotations

import streamlit as st

from app.markdown_text import as_text, significant
from app.views.documents import block, chart, folded, report_table
from app.views.scores import last_call, score_link
from app.views.widgets import metrics, question_link
from forecasts.common.text import count, shortened
from forecasts.documents import numbers
from forecasts.reports import Group, Report, figures, wording
from forecasts.reports import report_document as tables
from forecasts.reports.advice import advice
from forecasts.reports.glossary import OF_REPORTS as STATISTICS
from forecasts.reports.glossary import explained
from forecasts.reports.own_scores import OwnScores
from forecasts.reports.selection import Choice
from forecasts.reports.verdict import FEWEST

ABREAST = 3  # diagrams side by side
_TALL, _SMALL = 380, 240  # pixels


def record(
    report: Report, group: Group, choice: Choice, *, whole: Group, own: OwnScores | None
) -> None:
    """Show all of a record, the ``group`` of the report.

    ``whole``: the record on all resolved questions, which the score counts; the same as ``group``
    unless some resolved early. ``own``: the forecaster's scores, if it is the reader's own record.
    """
    left_out = wording.left_out(group.left_out)
    if not whole.questions:
        if group.pit is None:
            st.info("No results yet. Scores appear here once questions with forecasts resolve.")
        for one in figures.pit(group.name, group):
            st.header(one.title, anchor=False)
            block(one)
        st.caption(as_text(left_out))
        return
    few = group.verdict.kind == "too_few"
    if not few:
        show = {"not_estimable": st.info, "calibrated": st.success}
        show.get(group.verdict.kind, st.warning)(as_text(group.verdict.sentence))
    _score(whole)
    if few:
        _to_go(group)
    if waiting := max(0, whole.questions - group.questions):
        st.caption(
            f"The score counts all resolved questions. {count(waiting, 'question')} "
            f"resolved early and {'waits' if waiting == 1 else 'wait'} for the verdict until the "
            "scheduled close has passed: early outcomes lean to “yes”."
        )
    if few:
        _calls(own)
    else:
        _reliability(group)
    if group.questions < whole.questions:
        counted = count(group.questions, "question")
        st.caption(f"Below: the {counted} whose scheduled close has passed.")
    if group.questions:
        if not few and own is not None and own.best:
            with st.expander("Best and worst questions"):
                _calls(own)
        _details(report, group, choice)
    st.caption(as_text(left_out))


def _to_go(group: Group) -> None:
    """Show how many more questions a verdict takes."""
    have = min(group.questions, group.families)
    linked, more = "", f"{FEWEST - have} more"
    if group.families < group.questions:
        linked = f", in {count(group.families, 'family')}"
        more = count(FEWEST - have, "more family")
    st.progress(
        have / FEWEST,
        text=f"Too few to tell: {count(group.questions, 'question')}{linked}. A verdict on "
        f"calibration takes {more}.",
    )
    st.caption(f"Below {FEWEST} questions or families, luck and error look alike.")


def _score(whole: Group) -> None:
    """Show the mean score with its interval, and the number of questions behind it."""
    interval = "no interval: too few families"
    if whole.brier.interval is not None:
        interval = f"95% over families: {numbers.interval(whole.brier.interval)}"
    shown = {
        "brier": significant(whole.brier.mean),
        "questions": f"{whole.questions:,}",
        "coverage": numbers.percent(whole.coverage),
    }
    terms = {STATISTICS[name].title: (shown[name], STATISTICS[name].help) for name in shown}
    first, second, _ = metrics("score", terms)
    first.caption(as_text(interval))
    second.caption(count(whole.updates, "update"))


def _calls(own: OwnScores | None) -> None:
    """Show the reader's best and worst questions, each with a link to its row."""
    if own is None or not own.best:
        return
    for column, title, calls in zip(
        st.columns(2, gap="medium"), ("Best", "Worst"), (own.best, own.worst), strict=True
    ):
        with column:
            st.subheader(title, anchor=False)
            for call in calls:
                with st.container(border=True, gap=None):
                    question_link(call.question.state)
                    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                        score_link(call.question)
                        last_call(call.question)


def _reliability(group: Group) -> None:
    """Show the reliability diagram beside the advice."""
    todo = advice(group)
    left, right = st.columns([3, 2], gap="medium") if todo else (st.container(), None)
    with left:
        st.header("Reliability", anchor=False, help=STATISTICS["curve"].help)
        chart(
            figures.reliability(group.name, group).charts[0],
            "Reliability diagram: observed frequency by forecast. "
            "The table under “Reliability in numbers” has the same numbers.",
            height=_TALL,
        )
        st.caption(
            "Line: fitted curve. Band: a calibrated forecaster’s curve is inside 9 times in "
            "10. Circles: groups of forecasts with 95% intervals."
        )
    if right is not None:
        with right:
            st.header("Advice", anchor=False)
            st.markdown("\n".join(f"- {as_text(one)}" for one in todo))


def _details(report: Report, group: Group, choice: Choice) -> None:
    """Show everything else, folded, in the order in which someone asks."""
    name = group.name
    folded("All scores", tables.measures(group), tables.parts(group))
    if group.curve:
        diagram = figures.reliability(name, group)
        folded("Reliability in numbers", figures.bins(group), diagram)
        folded("Errors and discrimination", tables.errors(group), *figures.roc(name, group))
    folded("Numbers and dates", *figures.pit(name, group))
    # At a lead there is one forecast per question, so no movement and no updates to credit.
    if choice.lead is None:
        if group.movement is not None and group.movement.questions:
            folded("Over- and under-reaction", group.movement.sentence)
        if group.staleness is not None:
            with st.expander("Staleness"):
                _staleness(group)
        folded("Updates and evidence", *tables.credits(group))
        folded("Lead time", *figures.leads(name, group))
    if group.murphy:
        folded("Decisions", figures.murphy(name, group))
    folded("Tests", tables.tests(group))
    folded("Terms", *(one.whole for one in explained(report)))


def _staleness(group: Group) -> None:
    """Show the cost of unrevised forecasts, and the questions on which a review would have paid."""
    stale = group.staleness
    assert stale is not None
    block(stale.sentence)
    if stale.most:
        st.subheader("Reviews that would have paid most", anchor=False)
        st.caption(wording.HINDSIGHT)
    for row in stale.most:
        st.page_link(
            "app_pages/question.py",
            label=as_text(shortened(row.title or row.question)),
            query_params={"slug": row.question},
        )
        st.caption(as_text(wording.unrevised(row, several=group.forecasters > 1)))


def side_by_side(report: Report) -> None:
    """Show all groups of a report side by side: findings, reliability diagrams, Murphy curves.

    The records may be on different questions. Only the Compare page, which uses the shared
    questions, says whether a difference between them means anything.
    """
    report_table(tables.overview(report))
    for group in report.groups:
        findings = " ".join(wording.findings(group).values())
        st.markdown(f"- **{as_text(group.name)}**: {as_text(findings)}")
    drawn = [group for group in report.groups if group.curve]
    if not drawn:
        return
    st.header("Reliability", anchor=False, help=STATISTICS["curve"].help)
    for start in range(0, len(drawn), ABREAST):
        for column, group in zip(st.columns(ABREAST), drawn[start:], strict=False):
            with column:
                st.markdown(f"**{as_text(group.name)}** · {wording.BADGES[group.verdict.kind]}")
                diagram = figures.reliability(group.name, group)
                alt = f"Reliability of {group.name}. {diagram.caption}"
                chart(diagram.charts[0], alt, height=_SMALL)
                folded("Summary and table", diagram.caption, figures.bins(group))
    st.header("Murphy curves", anchor=False, help=STATISTICS["murphy"].help)
    curves = figures.murphy_curves(drawn)
    chart(curves.charts[0], curves.alt)
    st.markdown(as_text(curves.caption))
    folded("Table", curves.table)
    st.caption(
        "These records may be on different questions and times. Compare ranks them on the "
        "shared ones."
    )
