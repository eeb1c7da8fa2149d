"""One track record in full: verdict, scores, calibration, and tabs for the rest."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.charts.records import histogram_chart, lead_chart, murphy_chart, reliability_chart
from app.markdown_text import as_text, significant
from app.views.lists import report_table
from forecasts.reports import Group, numbers
from forecasts.reports.render import tables, wording
from forecasts.reports.render.glossary import OF_REPORTS as STATISTICS
from forecasts.reports.report import Interval
from forecasts.reports.selection import Choice, Cohort

_NO_CURVE = "No scored questions yet. The curve appears here once some have resolved."


def record(group: Group, choice: Choice) -> None:
    """Show all of a record."""
    _early_resolutions(group, choice.cohort)
    _verdict(group)
    _counts(group)
    if left_out := wording.left_out(group.left_out):
        st.caption(as_text(left_out))
    _scores(group)
    _decomposition(group)
    _calibration(group)
    # At a lead there is one forecast per question, so no movement and no updates to credit.
    shown = _AT_A_LEAD if choice.lead is not None else _TABS
    for tab, (statistic, show) in zip(st.tabs(list(shown)), shown.values(), strict=True):
        with tab:
            st.caption(as_text(STATISTICS[statistic].whole))
            show(group)


def _early_resolutions(group: Group, cohort: Cohort) -> None:
    """Point to the other cohort if all resolved questions are outside this one."""
    outside = sum(out.questions for out in group.left_out if out.reason == "not_in_cohort")
    if not group.questions and cohort == "scheduled" and outside:
        st.info(
            f"{numbers.count(outside, 'question')} of this record resolved before the scheduled "
            "close. Choose “All resolved” under Questions to include early resolutions."
        )


def _verdict(group: Group) -> None:
    """Show the verdict in a sentence, and over- or under-reaction if found."""
    shows = {"too_few": st.info, "not_estimable": st.info, "calibrated": st.success}
    shows.get(group.verdict.kind, st.warning)(as_text(group.verdict.sentence))
    moved = group.movement
    if moved is not None and moved.kind in ("over_reacting", "under_reacting"):
        st.warning(as_text(moved.sentence))


def _counts(group: Group) -> None:
    """Show the number of questions, families and updates, and the coverage."""
    with st.container(border=True, key="figures-counts"):
        columns = st.columns(4)
        figures = {
            "questions": ("Questions scored", f"{group.questions:,}"),
            "families": ("Families", f"{group.families:,}"),
            "updates": ("Updates", f"{group.updates:,}"),
            "coverage": ("Coverage", numbers.percent(group.coverage)),
        }
        for column, (statistic, (label, value)) in zip(columns, figures.items(), strict=True):
            column.metric(label, value, help=STATISTICS[statistic].help)


def _scores(group: Group) -> None:
    """Show the scores, the skill against others, and the expected score."""
    with st.container(border=True, key="figures-scores"):
        columns = st.columns(3)
        brier, original, log = group.brier, group.brier_original, group.log
        _metric(columns[0], "brier", brier.mean, _interval(brier.interval))
        _metric(columns[1], "brier_original", original.mean, _interval(original.interval))
        excluded = f"; {numbers.count(log.infinite, 'infinite score')} left out"
        note = _interval(log.interval) + (excluded if log.infinite else "")
        _metric(columns[2], "log", log.mean, note)
    with st.container(border=True, key="figures-others"):
        columns = st.columns(3)
        for column, statistic, skill in (
            (columns[0], "skill", group.skill),
            (columns[1], "crowd_skill", group.crowd_skill),
        ):
            if skill is None or skill.mean is None:
                _metric(column, statistic, None, "nobody to compare with")
            else:
                basis = numbers.count(skill.questions, "question")
                _metric(column, statistic, skill.mean, f"{_interval(skill.interval, 2)}; {basis}")
        luck = group.luck
        actual = f"actual {significant(luck.realised)} ({_p(luck.p_value)})"
        _metric(columns[2], "luck", luck.expected, actual)


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
        return "no interval: fewer than two families"
    return f"95% over families: {numbers.interval(interval, digits)}"


def _decomposition(group: Group) -> None:
    """Show the parts of the Brier score, and the miscalibration expected from luck."""
    parts = group.decomposition
    with st.container(border=True, key="figures-parts"):
        columns = st.columns(4)
        _metric(columns[0], "miscalibration", parts.miscalibration)
        expected = parts.miscalibration_expected
        _metric(columns[1], "miscalibration_expected", expected, _p(parts.p_value))
        _metric(columns[2], "discrimination", parts.discrimination)
        _metric(columns[3], "uncertainty", parts.uncertainty)
        st.caption("Brier (0–1) = miscalibration − discrimination + uncertainty.")


def _calibration(group: Group) -> None:
    """Show the reliability diagram beside its table."""
    st.header("Reliability", anchor=False, help=STATISTICS["curve"].help)
    diagram = reliability_chart(group)
    if diagram is None:
        st.caption(_NO_CURVE)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.vega_lite_chart(
            spec=diagram,
            alt="Reliability diagram: observed frequency by forecast. "
            "The table beside it has the same numbers.",
        )
        st.caption(
            "Line: fitted curve. Band: a calibrated forecaster’s curve is inside 9 times in 10. "
            "Circles: the table’s bins with 95% intervals."
        )
        st.vega_lite_chart(spec=histogram_chart(group), alt="Share of forecasts in each bin.")
        st.caption(
            f"Sharpness, the mean of p (1 − p): {significant(group.sharpness)}. 0 is certain; 0.25 "
            "is always 50%."
        )
    with right:
        report_table(tables.bins(group))
        st.markdown(as_text(wording.reliability_summary(group)))


def _tests(group: Group) -> None:
    """Show the tests behind the verdict."""
    report_table(tables.tests(group))
    st.caption(
        "The verdict rests on the first test. Among several tests, a p below 0.05 is common even "
        "for a calibrated record.",
        help="\n\n".join(
            STATISTICS[name].whole
            for name in ("recalibration", "luck", "spiegelhalter", "calibration_in_the_large")
        ),
    )


def _movement(group: Group) -> None:
    """Show over- and under-reaction."""
    moved = group.movement
    if moved is None or not moved.questions:
        st.caption("No question has two forecasts yet, so there is no movement to test.")
        return
    left, right = (column.container(gap=None) for column in st.columns(2))
    left.metric("Excess movement", significant(moved.excess.mean), help=STATISTICS["movement"].help)
    left.caption(_interval(moved.excess.interval))
    right.metric(
        "p",
        numbers.p_value(moved.p_value),
        help="How often chance alone moves a faultless record’s forecasts this far.",
    )
    right.caption(
        f"{numbers.count(moved.questions, 'question')} in {numbers.count(moved.families, 'family')}"
    )
    st.markdown(as_text(moved.sentence))


def _leads(group: Group) -> None:
    """Show the score by time before the scheduled close."""
    chart = lead_chart(group)
    if chart is None:
        st.caption("No question had a forecast a day, a week, a month or 90 days before its close.")
        return
    left, right = st.columns(2, gap="medium")
    left.vega_lite_chart(spec=chart, alt="Brier score by lead time; the table has the numbers.")
    with right:
        report_table(tables.leads(group))


def _murphy(group: Group) -> None:
    """Show the decisions for which the forecasts were useful."""
    chart = murphy_chart(group)
    if chart is None:
        st.caption(_NO_CURVE)
        return
    st.vega_lite_chart(
        spec=chart, alt="Murphy curve: mean loss at every threshold, and of the base rate."
    )
    st.caption(
        "The loss of someone who acts when the forecast exceeds a threshold. Below the dashed "
        "line, the forecasts beat the base rate. The area under the curve is the Brier score."
    )
    with st.expander("Table"):
        report_table(tables.murphy(group))


def _credits(group: Group) -> None:
    """Show the points earned by updates, and by evidence."""
    if group.moved is None:
        st.caption("No updates on scored questions yet. Their points appear here.")
        return
    for shown in tables.credits(group):
        st.subheader(shown.caption, anchor=False)
        report_table(shown)
    if not group.earned:
        st.caption("None of these updates cites evidence.")


_AT_A_LEAD: dict[str, tuple[str, Callable[[Group], None]]] = {
    "Decisions": ("murphy", _murphy),
    "Tests": ("verdict", _tests),
}
_TABS = {
    "Over- and under-reaction": ("movement", _movement),
    "Lead time": ("leads", _leads),
    "Evidence": ("moved", _credits),
} | _AT_A_LEAD
