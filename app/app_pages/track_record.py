"""Track record: how well somebody's probabilities have held up, and how sure one can be of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from app.charts import histogram_chart, reliability_chart
from app.session import engine, now, reading, settings
from app.words import as_text, counted, when
from forecasts import access, database, frames, reports
from forecasts.reports import Group, Report
from forecasts.reports.as_csv import as_csv
from forecasts.reports.as_html import as_html
from forecasts.reports.as_json import as_json
from forecasts.reports.report import By, Cohort, Estimate

COHORTS: dict[str, Cohort] = {
    "Scheduled close has passed": "scheduled",
    "All resolved": "resolved",
}
OF: dict[str, By] = {"Forecaster": "forecaster", "Team": "team", "Everyone": "all"}
REASONS = {
    "open": "still open",
    "awaiting_resolution": "awaiting their resolution",
    "annulled": "annulled",
    "ambiguous": "ambiguous",
    "not_in_cohort": "scheduled to close later",
    "numeric_or_date": "numeric or date questions",
    "never_live": "without a forecast that was live",
}


@st.cache_data(show_spinner="Working out the record …", ttl=timedelta(minutes=10), max_entries=64)
def report_of(
    url: str,
    by: By,
    names: tuple[str, ...],
    cohort: Cohort,
    written: tuple[int, ...],
    _at: datetime,
) -> Report:
    """Return the report; it is made anew once anything has been written to the ledger."""
    with database.reading(engine()) as ledger:
        everything = frames.ledger_frames(ledger, words=False)
    return reports.build(everything, by=by, names=names, cohort=cohort, as_of=_at)


def pick() -> tuple[By, tuple[str, ...], Cohort]:
    """Show whose record and on which questions; return the choice."""
    with reading() as ledger:
        forecasters, teams = access.forecaster_handles(ledger), access.team_names(ledger)
    of, who, which = st.columns([2, 2, 2], vertical_alignment="bottom")
    kind = of.segmented_control(
        "Record of", list(OF), default="Forecaster", required=True, key="of", bind="query-params"
    )
    by = OF[kind or "Forecaster"]
    names: tuple[str, ...] = ()
    known = {"forecaster": forecasters, "team": teams}.get(by, [])
    if known:
        me = settings().member
        picked = who.selectbox(
            "Name",
            known,
            index=known.index(me) if me in known else 0,
            key=f"name-{by}",
            bind="query-params",
        )
        names = (picked,)
    cohort = which.selectbox(
        "Questions",
        list(COHORTS),
        key="cohort",
        bind="query-params",
        help="Questions that are resolved early lean to “yes”. Those whose scheduled close has "
        "passed are a fair sample; all resolved ones are more, and tilted.",
    )
    return by, names, COHORTS[cohort]


def said(value: float | None, form: str = ".4f") -> str:
    """Return a number for a person; a dash where there is nothing to compute it from."""
    return "–" if value is None else format(value, form)


def between(estimate: Estimate, form: str = ".4f") -> str:
    """Return the 95 % interval for a person."""
    if estimate.interval is None:
        return "no interval: fewer than two families"
    low, high = estimate.interval
    return f"95 %: {low:{form}} to {high:{form}}"


def numbers(group: Group) -> None:
    """Show the counts, the scores and their parts."""
    with st.container(border=True):
        top = st.columns(4)
        top[0].metric("Questions scored", f"{group.questions:,}")
        top[1].metric(
            "Families", f"{group.families:,}", help="Clusters whose outcomes hang together."
        )
        top[2].metric("Updates", f"{group.updates:,}")
        top[3].metric("Coverage", said(group.coverage, ".0%"))
    with st.container(border=True):
        scores = st.columns(3)
        with scores[0]:
            st.metric("Brier (0–1)", said(group.brier.mean), help="0 is best; 0.25 is always 50 %.")
            st.caption(between(group.brier))
        with scores[1]:
            st.metric("Brier, original (0–2)", said(group.brier_original.mean), help="0 is best.")
            st.caption(between(group.brier_original))
        with scores[2]:
            st.metric("Log score", said(group.log.mean), help="0 is best; infinities apart.")
            st.caption(f"{counted(group.log.infinite, 'infinite score')} not in the mean")
    parts = group.decomposition
    with st.container(border=True):
        columns = st.columns(3)
        columns[0].metric(
            "Miscalibration",
            said(parts.miscalibration),
            help="Smaller is better. Luck alone gives some: about 0.03 at 50 questions.",
        )
        columns[1].metric("Discrimination", said(parts.discrimination), help="Larger is better.")
        columns[2].metric("Uncertainty", said(parts.uncertainty), help="The questions’ own.")
        st.caption("Brier (0–1) = miscalibration − discrimination + uncertainty.")


def calibration(group: Group) -> None:
    """Show the reliability diagram, and the binned table, which says the same in words."""
    st.header("Reliability", anchor=False)
    diagram = reliability_chart(group)
    if diagram is None:
        st.caption("There is no scored question to draw a curve from.")
        return
    left, right = st.columns([1, 1], gap="medium")
    with left:
        st.altair_chart(
            diagram,
            alt="Reliability diagram: how often what was forecast happened. "
            "The table beside it has the same numbers.",
        )
        st.caption(
            "Blue: the curve that fits best. Grey: where a calibrated forecaster’s curve would "
            "lie, 9 times in 10. Dots: the bins of the table, with 95 % intervals."
        )
        st.altair_chart(histogram_chart(group), alt="How the forecasts spread over the bins.")
    with right:
        st.table(
            {
                "Forecast": [f"{b.lower:.0%} – {b.upper:.0%}" for b in group.bins],
                "Questions": [str(b.questions) for b in group.bins],
                "Mean": [said(b.forecast, ".1%") for b in group.bins],
                "Happened": [said(b.observed, ".1%") for b in group.bins],
                "95 % interval": [
                    "–" if b.interval is None else f"{b.interval[0]:.0%} – {b.interval[1]:.0%}"
                    for b in group.bins
                ],
            },
            hide_index=True,
            border="horizontal",
        )
        st.caption("A question counts in each bin in which a forecast of it stood.")


def verdict(group: Group) -> None:
    """Show in a sentence what the record shows; or that it is too little to tell."""
    if group.verdict.kind in ("too_few", "not_estimable"):
        st.info(as_text(group.verdict.sentence))
    elif group.verdict.kind == "calibrated":
        st.success(as_text(group.verdict.sentence))
    else:
        st.warning(as_text(group.verdict.sentence))


def left_out(group: Group) -> None:
    """Show which of the questions have no score, and why."""
    if group.left_out:
        st.caption(
            "Not scored: "
            + "; ".join(f"{part.questions:,} {REASONS[part.reason]}" for part in group.left_out)
            + "."
        )


def downloads(report: Report) -> None:
    """Show the report's other forms."""
    with st.container(horizontal=True):
        for name, mime, text in (
            ("JSON", "application/json", as_json),
            ("HTML", "text/html", as_html),
            ("CSV", "text/csv", as_csv),
        ):
            st.download_button(
                name,
                data=text(report),
                file_name=f"track-record.{name.lower()}",
                mime=mime,
                key=f"download-{name}",
                on_click="ignore",
            )


st.title("Track record", anchor=False)
by, names, cohort = pick()
if by != "all" and not names:
    st.info("There is nobody here yet: a record begins with a forecast.")
    st.stop()
with reading() as ledger:
    written = frames.revision(ledger)
report = report_of(settings().database_url, by, names, cohort, written, now())
for group in report.groups:
    verdict(group)
    numbers(group)
    left_out(group)
    calibration(group)
for note in report.notes:
    st.caption(as_text(note))
st.caption(f"As of {when(report.metadata.as_of)}.")
downloads(report)
