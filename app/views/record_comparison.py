"""Several records side by side: findings, reliability diagrams, Murphy curves in one chart.

The records may be on different questions. Only the Compare page, which uses the shared questions,
says whether a difference between them means anything.
"""

from __future__ import annotations

import streamlit as st

from app.charts.records import murphy_curves, reliability_chart
from app.markdown_text import as_text
from app.views.lists import report_table
from forecasts.reports import Group, Report, tables, wording
from forecasts.reports.glossary import OF_REPORTS as STATISTICS

ABREAST = 3
_SMALL = 240


def side_by_side(report: Report) -> None:
    """Show all groups of a report side by side."""
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
                _diagram(group)
    st.header("Murphy curves", anchor=False, help=STATISTICS["murphy"].help)
    summary = wording.murphy_curves_summary(drawn)
    st.vega_lite_chart(spec=murphy_curves(drawn), alt=summary)
    st.markdown(as_text(summary))
    with st.expander("Table"):
        report_table(tables.murphy_curves(drawn))
    st.caption(
        "These records may be on different questions and times. Compare ranks them on the "
        "shared ones."
    )


def _diagram(group: Group) -> None:
    summary = wording.reliability_summary(group)
    st.markdown(f"**{as_text(group.name)}** · {wording.BADGES[group.verdict.kind]}")
    chart = reliability_chart(group, height=_SMALL)
    assert chart is not None
    st.vega_lite_chart(spec=chart, alt=f"Reliability of {group.name}. {summary}")
    with st.expander("Summary and table"):
        st.markdown(as_text(summary))
        report_table(tables.bins(group))
