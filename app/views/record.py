"""One track record: verdict, score, reliability, advice, and the rest folded."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.charts.records import (
    histogram_chart,
    lead_chart,
    murphy_chart,
    pit_chart,
    reliability_chart,
    roc_chart,
)
from app.markdown_text import as_text, significant
from app.views.links import question_link
from app.views.lists import report_table
from app.views.scores import last_call, score_link
from forecasts.common.text import count
from forecasts.reports import Group, numbers
from forecasts.reports.advice import advice
from forecasts.reports.glossary import OF_REPORTS as STATISTICS
from forecasts.reports.own_scores import OwnScores
from forecasts.reports.report import Estimate, Movement, Staleness
from forecasts.reports.selection import Choice
from forecasts.reports.verdict import FEWEST


def record(group: Group, choice: Choice, *, whole: Group, own: OwnScores | None) -> None:
    """Show all of a record.

    ``whole``: the record on all resolved questions, which the score counts; the same as ``group``
    unless some resolved early. ``own``: the forecaster's scores, if it is the reader's own record.
    """
    if not whole.questions:
        if group.pit is None:
            st.info("No results yet. Scores appear here once questions with forecasts resolve.")
        else:
            st.header("Numbers and dates", anchor=False)
            _numbers_and_dates(group)
        _left_out(group)
        return
    few = group.verdict.kind == "too_few"
    if few:
        _score(whole)
        _to_go(group)
    else:
        _verdict(group)
        _score(whole)
    _waiting(group, whole)
    if few:
        _calls(own)
    else:
        _reliability(group)
    if group.questions < whole.questions:
        counted = count(group.questions, "question")
        st.caption(f"Below: the {counted} whose scheduled close has passed.")
    _details(group, choice, own=None if few else own)


def _verdict(group: Group) -> None:
    """Show the verdict in a sentence."""
    shows = {"not_estimable": st.info, "calibrated": st.success}
    shows.get(group.verdict.kind, st.warning)(as_text(group.verdict.sentence))


def _to_go(group: Group) -> None:
    """Show how many more questions a verdict takes."""
    have = min(group.questions, group.families)
    linked, more = "", f"{FEWEST - have} more"
    if group.families < group.questions:
        linked = f", in {count(group.families, 'family')}"
        more = "1 more family" if FEWEST - have == 1 else f"{FEWEST - have} more families"
    st.progress(
        have / FEWEST,
        text=f"Too few to tell: {count(group.questions, 'question')}{linked}. A verdict on "
        f"calibration takes {more}.",
    )
    st.caption(f"Below {FEWEST} questions or families, luck and error look alike.")


def _score(whole: Group) -> None:
    """Show the mean score with its interval, and the number of questions behind it."""
    with st.container(key="figures-score"):
        columns = st.columns(3)
    _metric(columns[0], "brier", whole.brier.mean, _interval(whole.brier.interval))
    with columns[1].container(gap=None):
        st.metric("Questions", f"{whole.questions:,}", help=STATISTICS["questions"].help)
        st.caption(count(whole.updates, "update"))
    coverage = STATISTICS["coverage"].help
    columns[2].metric("Coverage", numbers.percent(whole.coverage), help=coverage)


def _waiting(group: Group, whole: Group) -> None:
    """Say how many questions the score counts and the verdict does not yet."""
    waiting = whole.questions - group.questions
    if waiting > 0:
        resolved = f"{count(waiting, 'question')} resolved early"
        wait = "waits" if waiting == 1 else "wait"
        st.caption(
            f"The score counts all resolved questions. {resolved} and {wait} for the verdict until "
            "the scheduled close has passed: early outcomes lean to “yes”."
        )


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
    diagram = reliability_chart(group)
    todo = advice(group)
    left, right = st.columns([3, 2], gap="medium") if diagram and todo else (st.container(),) * 2
    if diagram is not None:
        with left:
            st.header("Reliability", anchor=False, help=STATISTICS["curve"].help)
            st.vega_lite_chart(
                spec=diagram,
                alt="Reliability diagram: observed frequency by forecast. "
                "The table under “Reliability in numbers” has the same numbers.",
            )
            st.caption(
                "Line: fitted curve. Band: a calibrated forecaster’s curve is inside 9 times in "
                "10. Circles: groups of forecasts with 95% intervals."
            )
    if todo:
        with right:
            st.header("Advice", anchor=False)
            st.markdown("\n".join(f"- {as_text(one)}" for one in todo))


def _details(group: Group, choice: Choice, *, own: OwnScores | None) -> None:
    """Show everything else, folded, in the order in which someone asks."""
    if not group.questions:
        _left_out(group)
        return
    if own is not None and own.best:
        with st.expander("Best and worst questions"):
            _calls(own)
    with st.expander("Against others, and luck"):
        _against(group)
    with st.expander("All scores"):
        _all_scores(group)
    if group.curve:
        with st.expander("Reliability in numbers"):
            _numbers(group, few=group.verdict.kind == "too_few")
        with st.expander("Errors and discrimination"):
            _discrimination(group)
    if group.pit is not None:
        with st.expander("Numbers and dates"):
            _numbers_and_dates(group)
    # At a lead there is one forecast per question, so no movement and no updates to credit.
    if choice.lead is None:
        if group.movement is not None and group.movement.questions:
            with st.expander("Over- and under-reaction"):
                _movement(group)
        if group.staleness is not None:
            with st.expander("Staleness"):
                _staleness(group)
        if group.moved is not None:
            with st.expander("Updates and evidence"):
                _credits(group)
        if (leads := lead_chart(group)) is not None:
            with st.expander("Lead time"):
                st.caption(as_text(STATISTICS["leads"].whole))
                left, right = st.columns(2, gap="medium")
                left.vega_lite_chart(
                    spec=leads, alt="Brier score by lead time; the table has the numbers."
                )
                with right:
                    report_table(tables.leads(group))
    if (murphy := murphy_chart(group)) is not None:
        with st.expander("Decisions"):
            st.caption(as_text(STATISTICS["murphy"].whole))
            st.vega_lite_chart(
                spec=murphy, alt="Murphy curve: mean loss at every threshold, and of the base rate."
            )
            report_table(tables.murphy(group))
    with st.expander("Tests"):
        _tests(group)
    _left_out(group)


def _left_out(group: Group) -> None:
    if left_out := wording.left_out(group.left_out):
        st.caption(as_text(left_out))


def _against(group: Group) -> None:
    """Show the skill against others, and the expected score."""
    with st.container(key="figures-others"):
        columns = st.columns(3)
    for column, statistic, skill in (
        (columns[0], "skill", group.skill),
        (columns[1], "crowd_skill", group.crowd_skill),
    ):
        if skill is None or skill.mean is None:
            _metric(column, statistic, None, "nobody to compare with")
        else:
            basis = count(skill.questions, "question")
            _metric(column, statistic, skill.mean, f"{_interval(skill.interval, 2)}; {basis}")
    with st.container(key="figures-brier-skill"):
        columns = st.columns(3)
    for column, statistic, saved in (
        (columns[0], "brier_skill", group.brier_skill),
        (columns[1], "crowd_brier_skill", group.crowd_brier_skill),
    ):
        if saved is not None and saved.mean is not None:
            _metric(column, statistic, saved.mean, _interval(saved.interval, 2))
    luck = group.luck
    actual = f"actual {significant(luck.realised)} ({_p(luck.p_value)})"
    _metric(columns[2], "luck", luck.expected, actual)


def _all_scores(group: Group) -> None:
    """Show every score, and the parts of the Brier score."""
    with st.container(key="figures-scores"):
        columns = st.columns(4)
    for column, statistic, score in (
        (columns[0], "brier", group.brier),
        (columns[1], "brier_original", group.brier_original),
    ):
        _metric(column, statistic, score.mean, _interval(score.interval))
    excluded = f"; {count(group.log.infinite, 'infinite score')} left out"
    note = _interval(group.log.interval) + (excluded if group.log.infinite else "")
    _metric(columns[2], "log", group.log.mean, note)
    columns[3].metric("Families", f"{group.families:,}", help=STATISTICS["families"].help)
    made = group.miscalibration
    report_table(tables.parts(group))
    st.caption(
        f"Miscalibration from luck alone: {significant(made.expected)} ({_p(made.p_value)}).",
        help="\n\n".join(
            STATISTICS[name].whole
            for name in (
                *("score", "miscalibration", "discrimination", "uncertainty", "expected"),
                "p_value",
            )
        ),
    )


def _metric(column: DeltaGenerator, statistic: str, value: float | None, note: str = "") -> None:
    shown = STATISTICS[statistic]
    with column.container(gap=None):
        st.metric(shown.title, significant(value), help=shown.help)
        if note:
            st.caption(as_text(note))


def _p(value: float | None) -> str:
    """Return a p-value with its relation: 'p = 0.39', 'p < 0.0001'."""
    text = numbers.p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _interval(interval: Interval | None, digits: int = 3) -> str:
    """Return the 95% interval, or the reason there is none."""
    if interval is None:
        return "no interval: too few families"
    return f"95% over families: {numbers.interval(interval, digits)}"


def _numbers(group: Group, *, few: bool) -> None:
    """Show the bins as a table, and how the forecasts spread; with too few, the diagram too."""
    if few and (diagram := reliability_chart(group)) is not None:
        st.vega_lite_chart(
            spec=diagram, alt="Reliability diagram. The table below has the same numbers."
        )
    report_table(tables.bins(group))
    st.markdown(as_text(wording.reliability_summary(group)))
    st.vega_lite_chart(spec=histogram_chart(group), alt="Share of forecasts in each bin.")
    st.caption(
        f"Sharpness, the mean of p (1 − p): {significant(group.sharpness)}. 0 is certain; 0.25 "
        "is always 50%."
    )


def _discrimination(group: Group) -> None:
    """Show the calibration errors, and how well events are told apart from the rest."""
    st.caption(as_text(STATISTICS["errors"].whole))
    report_table(tables.errors(group))
    if group.roc:
        st.subheader("ROC curve", anchor=False, help=STATISTICS["roc"].help)
        st.vega_lite_chart(spec=roc_chart(group), alt="ROC curve; the table has the numbers.")
        st.caption(as_text(wording.roc_summary(group)))
        report_table(tables.roc(group))


def _numbers_and_dates(group: Group) -> None:
    """Show where in their distributions the outcomes of numeric and date questions lie."""
    assert group.pit is not None
    st.caption(as_text(STATISTICS["pit"].whole))
    st.vega_lite_chart(
        spec=pit_chart(group),
        alt="Outcomes by part of the distribution; the table has the numbers.",
    )
    st.markdown(as_text(group.pit.sentence))
    report_table(tables.pit(group))


def _tests(group: Group) -> None:
    """Show the tests behind the verdict."""
    st.caption(as_text(STATISTICS["verdict"].whole))
    report_table(tables.tests(group))
    st.caption(
        as_text(STATISTICS["p_value"].whole),
        help="\n\n".join(
            STATISTICS[name].whole
            for name in ("recalibration", "luck", "spiegelhalter", "calibration_in_the_large")
        ),
    )


def _finding(
    found: Movement | Staleness, name: str, mean: tuple[str, Estimate], other: tuple[str, str, str]
) -> None:
    """Show a finding: its mean with the interval, another number with its help, its sentence."""
    statistic, (label, estimate) = STATISTICS[name], mean
    st.caption(as_text(statistic.whole))
    left, right = (column.container(gap=None) for column in st.columns(2))
    left.metric(label, significant(estimate.mean), help=statistic.help)
    left.caption(_interval(estimate.interval))
    label, value, explained = other
    right.metric(label, value, help=explained)
    right.caption(f"{count(found.questions, 'question')} in {count(found.families, 'family')}")
    st.markdown(as_text(found.sentence))


def _movement(group: Group) -> None:
    """Show over- and under-reaction."""
    moved = group.movement
    assert moved is not None
    chance = (
        "How often chance alone moves calibrated forecasts this far. Of the recalibrated "
        "forecasts on resolved questions."
    )
    p_value = ("p", numbers.p_value(moved.p_value), chance)
    _finding(moved, "movement", ("Excess movement", moved.excess), p_value)


def _staleness(group: Group) -> None:
    """Show the cost of unrevised forecasts, and the questions on which a review would have paid."""
    stale = group.staleness
    assert stale is not None
    power = (
        "The power of the time left by which the odds of “yes” fell: 1 if each event closes "
        "its question, 0 if time does not matter."
    )
    drift = ("Drift", significant(stale.drift), power)
    _finding(stale, "staleness", ("Cost", stale.cost), drift)
    if stale.most:
        st.subheader("Reviews that would have paid most", anchor=False)
        st.caption(wording.HINDSIGHT)
    for row in stale.most:
        st.page_link(
            "app_pages/question.py",
            label=as_text(wording.shortened(row.title or row.question)),
            query_params={"slug": row.question},
        )
        st.caption(as_text(wording.unrevised(row, several=group.forecasters > 1)))


def _credits(group: Group) -> None:
    """Show the points earned by updates, and by evidence."""
    st.caption(as_text(STATISTICS["moved"].whole))
    for shown in tables.credits(group):
        st.subheader(shown.caption, anchor=False)
        report_table(shown)
    if not group.earned:
        st.caption("None of these updates cites evidence.")
