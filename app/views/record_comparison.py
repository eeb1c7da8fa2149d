"""Several records beside each other: what each shows, their diagrams, their Murphy curves in one.

Each was made on questions of its own choice. What two of them share is compared on the page
Compare, and only there does a difference between them mean anything.
"""

from __future__ import annotations

import streamlit as st

from app.charts.records import murphy_curves, reliability_chart
from app.markdown_text import as_text
from forecasts.reports import Group, Report
from forecasts.reports.render import tables, wording
from forecasts.reports.render.glossary import OF_REPORTS as STATISTICS

ABREAST = 3
_SMALL = 240


def side_by_side(report: Report) -> None:
    """Show all groups of a report beside each other."""
    shown_table(tables.overview(report))
    for group in report.groups:
        said = " ".join(wording.findings(group))
        st.markdown(f"- **{as_text(group.name)}**: {wording.tied(as_text(said))}")
    drawn = [group for group in report.groups if group.curve]
    if not drawn:
        st.caption("None of them has a scored question to draw a curve from.")
        return
    st.header("Reliability", anchor=False, help=STATISTICS["curve"].help)
    for start in range(0, len(drawn), ABREAST):
        for column, group in zip(st.columns(ABREAST), drawn[start:], strict=False):
            with column:
                _diagram(group)
    st.header("Murphy curves", anchor=False, help=STATISTICS["murphy"].help)
    said = wording.murphy_together(drawn)
    st.altair_chart(murphy_curves(drawn), alt=said)
    st.markdown(wording.tied(as_text(said)))
    with st.expander("As a table"):
        shown_table(tables.murphy_together(drawn))
    st.caption(
        "They did not all forecast the same questions at the same times: which of them is better, "
        "the page Compare tells."
    )


def _diagram(group: Group) -> None:
    said = wording.summary(group)
    kind = group.verdict.kind
    st.markdown(f"**{as_text(group.name)}** · {wording.SIGNS[kind]} {wording.badge(kind)}")
    chart = reliability_chart(group)
    assert chart is not None
    st.altair_chart(chart.properties(height=_SMALL), alt=f"Reliability of {group.name}. {said}")
    with st.expander("In words, and as a table"):
        st.markdown(wording.tied(as_text(said)))
        shown_table(tables.bins(group))


def shown_table(shown: tables.Table) -> None:
    """Show a table of a report; what is to be known of it stands below."""
    st.table(
        {
            name or " ": [wording.tied(as_text(row[place])) for row in shown.rows]
            for place, name in enumerate(shown.head)
        },
        hide_index=True,
        border="horizontal",
    )
    if shown.below:
        st.caption(wording.tied(as_text(shown.below)))
