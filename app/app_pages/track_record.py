"""Track record: how well somebody's probabilities have held up, and how sure one can be of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from app.charts.paths import LINES
from app.charts.records import histogram_chart, lead_chart, murphy_chart, reliability_chart
from app.forms.report_filter import pick_questions
from app.markdown_text import as_text
from app.session import my_handle, now, reading, settings
from app.views.downloads import downloads
from app.views.record_comparison import shown_table, side_by_side
from forecasts import reports
from forecasts.access import members, visibility
from forecasts.questions import standing
from forecasts.reports import Group, Report
from forecasts.reports.render import tables, wording
from forecasts.reports.render.glossary import OF_REPORTS as STATISTICS
from forecasts.reports.report import By, Estimate, Interval, Skill
from forecasts.reports.selection import Choice, Cohort
from forecasts.scores import frames

MOST = len(LINES)  # records side by side
OF: dict[str, By] = {"Forecaster": "forecaster", "Team": "team", "Tag": "tag", "Everyone": "all"}


@st.cache_data(show_spinner="Working out the record …", ttl=timedelta(minutes=10), max_entries=64)
def report_of(
    url: str,
    by: By,
    names: tuple[str, ...],
    chosen: Choice,
    written: tuple[int, ...],
    _at: datetime,
) -> Report:
    """Return the report; it is made anew once ``written`` differs (``frames.revision``).

    That says for whom, too: nobody is shown what another may see.
    """
    with reading() as ledger:
        everything = frames.ledger_frames(ledger, words=False)
    return reports.build(
        everything,
        by=by,
        names=names,
        choice=chosen,
        as_of=_at,
    )


def whose(known_tags: list[str]) -> tuple[By, tuple[str, ...]]:
    """Show whose record; return the choice."""
    with reading() as ledger:
        known = {
            "forecaster": visibility.forecaster_handles(ledger),
            "team": members.team_names(ledger),
            "tag": known_tags,
        }
    kind = st.segmented_control(
        "Record of", list(OF), default="Forecaster", required=True, key="of", bind="query-params"
    )
    by = OF[kind or "Forecaster"]
    there = known.get(by, [])
    if not there:
        return by, ()
    me = my_handle()
    picked = st.multiselect(
        f"{kind}s",
        there,
        default=[me if me in there else there[0]],
        max_selections=MOST,
        key=f"names-{by}",
        bind="query-params",
        help="Of several the records stand side by side, and one of them in full below.",
    )
    if not picked:
        st.info("Choose one or more.")
        st.stop()
    return by, tuple(picked)


def between(interval: Interval | None, digits: int = 4) -> str:
    """Return the 95 % interval for a person."""
    if interval is None:
        return "no interval: fewer than two families"
    return f"95 % over families: {wording.interval(interval, digits)}"


def score(column: st.delta_generator.DeltaGenerator, name: str, one: Estimate) -> None:
    """Show one score with its interval."""
    shown = STATISTICS[name]
    with column.container(gap=None):
        st.metric(shown.title, wording.number(one.mean, 4), help=shown.help)
        st.caption(between(one.interval))


def verdict(group: Group) -> None:
    """Show in a sentence what the record shows; or that it is too little to tell."""
    said = as_text(group.verdict.sentence)
    if group.verdict.kind in ("too_few", "not_estimable"):
        st.info(said)
    elif group.verdict.kind == "calibrated":
        st.success(said)
    else:
        st.warning(said)
    moved = group.movement
    if moved is not None and moved.kind in ("over_reacting", "under_reacting"):
        st.warning(as_text(moved.sentence))


def counts(group: Group) -> None:
    """Show how much the record rests on."""
    with st.container(border=True, key="figures-counts"):
        top = st.columns(4)
        top[0].metric("Questions scored", f"{group.questions:,}", help=STATISTICS["questions"].help)
        top[1].metric(
            "Families",
            f"{group.families:,}",
            help=STATISTICS["families"].help,
        )
        top[2].metric("Updates", f"{group.updates:,}", help=STATISTICS["updates"].help)
        top[3].metric(
            "Coverage",
            wording.percent(group.coverage),
            help=STATISTICS["coverage"].help,
        )


def scores(group: Group) -> None:
    """Show the scores: alone, against the others, and against what they promised."""
    with st.container(border=True, key="figures-scores"):
        columns = st.columns(3)
        score(columns[0], "brier", group.brier)
        score(columns[1], "brier_original", group.brier_original)
        with columns[2].container(gap=None):
            st.metric("Log score", wording.number(group.log.mean, 4), help=STATISTICS["log"].help)
            st.caption(between(group.log.interval))
            if group.log.infinite:
                many = wording.count(group.log.infinite, "question")
                st.caption(f"{many} with an infinite score not in the mean")
    with st.container(border=True, key="figures-others"):
        columns = st.columns(3)
        against(columns[0], "skill", group.skill)
        against(columns[1], "crowd_skill", group.crowd_skill)
        luck = group.luck
        with columns[2].container(gap=None):
            st.metric(
                "Brier expected",
                wording.number(luck.expected, 4),
                help=STATISTICS["luck"].help,
            )
            st.caption(
                as_text(
                    f"got {wording.number(luck.realised, 4)}; p {wording.p_value(luck.p_value)} "
                    f"over {wording.count(group.families, 'family')}"
                )
            )


def against(column: st.delta_generator.DeltaGenerator, name: str, skill: Skill | None) -> None:
    """Show an advantage over the others at the same times."""
    with column.container(gap=None):
        mean = None if skill is None else skill.mean
        st.metric(
            STATISTICS[name].title,
            wording.number(mean, 2),
            help=STATISTICS[name].help,
        )
        st.caption(
            "nobody to compare with"
            if skill is None or mean is None
            else f"{between(skill.interval, 2)}; {wording.count(skill.questions, 'question')}"
        )


def decomposition(group: Group) -> None:
    """Show the parts of the Brier score, and what luck alone would make of the first."""
    parts = group.decomposition
    with st.container(border=True, key="figures-parts"):
        columns = st.columns(4)
        columns[0].metric(
            "Miscalibration",
            wording.number(parts.miscalibration, 4),
            help=STATISTICS["miscalibration"].help,
        )
        with columns[1].container(gap=None):
            st.metric(
                "Expected from luck",
                wording.number(parts.miscalibration_expected, 4),
                help=STATISTICS["miscalibration_expected"].help,
            )
            st.caption(
                as_text(
                    f"p {wording.p_value(parts.p_value)} "
                    f"over {wording.count(group.families, 'family')}"
                )
            )
        columns[2].metric(
            "Discrimination",
            wording.number(parts.discrimination, 4),
            help=STATISTICS["discrimination"].help,
        )
        columns[3].metric(
            "Uncertainty",
            wording.number(parts.uncertainty, 4),
            help=STATISTICS["uncertainty"].help,
        )
        st.caption("Brier (0–1) = miscalibration − discrimination + uncertainty.")


def calibration(group: Group) -> None:
    """Show the reliability diagram, and the binned table, which says the same in words."""
    st.header(
        "Reliability",
        anchor=False,
        help=STATISTICS["curve"].help,
    )
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
        st.caption(
            f"Sharpness, the mean of p (1 − p): {wording.number(group.sharpness)}; 0 is certain, "
            "0.25 always 50 %."
        )
    with right:
        st.table(
            {
                "Forecast": [wording.tied(wording.bin_range(b)) for b in group.bins],
                "Questions": [str(b.questions) for b in group.bins],
                "Mean": [wording.tied(wording.percent(b.forecast, 1)) for b in group.bins],
                "Happened": [wording.tied(wording.percent(b.observed, 1)) for b in group.bins],
                "95 % interval": [wording.tied(wording.percents(b.interval)) for b in group.bins],
            },
            hide_index=True,
            border="horizontal",
        )
        st.caption(
            "A question counts in each bin in which a forecast of it stood. Intervals count "
            "families of questions."
        )
        st.markdown(as_text(wording.summary(group)))


def tests(group: Group) -> None:
    """Show every test behind the verdict."""
    line, families = group.recalibration, wording.count(group.families, "family")
    st.table(
        {
            "Test": [
                "Recalibration line is (0, 1)",
                "Spiegelhalter’s z",
                "Calibration in the large",
                "Miscalibration beyond luck",
                "Brier score as promised",
            ],
            "Statistic": [
                f"intercept {wording.number(line.intercept, 2)}, "
                f"slope {wording.number(line.slope, 2)}",
                f"z = {wording.number(group.spiegelhalter.z, 2)}",
                f"z = {wording.number(group.calibration_in_the_large.z, 2)}",
                wording.number(group.decomposition.miscalibration, 4),
                wording.number(group.luck.difference.mean, 4),
            ],
            "p": [
                wording.p_value(value)
                for value in (
                    line.p_value,
                    group.spiegelhalter.p_value,
                    group.calibration_in_the_large.p_value,
                    group.decomposition.p_value,
                    group.luck.p_value,
                )
            ],
        },
        hide_index=True,
        border="horizontal",
    )
    st.caption(
        "What each of them asks",
        help="\n\n".join(
            STATISTICS[name].whole
            for name in (
                "recalibration",
                "spiegelhalter",
                "calibration_in_the_large",
                "miscalibration",
                "luck",
            )
        ),
    )
    if not line.estimable:
        st.caption(as_text(f"The recalibration line is not estimable: {line.reason}."))
    st.caption(
        f"All of them count {families} of questions. The verdict rests on the first; with five "
        "tests, one in four calibrated records has some p below 0.05. "
        f"AUC {wording.number(group.auc)}: the chance that what happened had the higher forecast."
    )


def movement(group: Group) -> None:
    """Show over- and under-reaction."""
    moved = group.movement
    if moved is None or not moved.questions:
        st.caption("No question has two forecasts to move between.")
        return
    left, right = (column.container(gap=None) for column in st.columns(2))
    left.metric(
        "Excess movement",
        wording.number(moved.excess.mean, 4),
        help=STATISTICS["movement"].help,
    )
    left.caption(between(moved.excess.interval))
    right.metric(
        "p",
        wording.p_value(moved.p_value),
        help="How often chance alone moves the forecasts of a record without fault this far.",
    )
    right.caption(
        f"{wording.count(moved.questions, 'question')} in {wording.count(moved.families, 'family')}"
    )
    st.markdown(as_text(moved.sentence))


def leads(group: Group) -> None:
    """Show the scores so long before the scheduled close."""
    chart = lead_chart(group)
    if chart is None:
        st.caption("No question had a forecast a day, a week, a month or 90 days before its close.")
        return
    left, right = st.columns(2, gap="medium")
    left.altair_chart(chart, alt="Brier score by lead time; the table has the numbers.")
    right.table(
        {
            "Before the close": [f"{lead.days:g} d" for lead in group.leads],
            "Questions": [f"{lead.questions:,}" for lead in group.leads],
            wording.BRIER: [wording.number(lead.brier.mean) for lead in group.leads],
            "95 % interval": [wording.interval(lead.brier.interval) for lead in group.leads],
            "Expected": [wording.number(lead.expected) for lead in group.leads],
        },
        hide_index=True,
        border="horizontal",
    )
    right.caption(
        "The forecast that stood so many days before the scheduled close. Expected (the rings): "
        "what those forecasts promised. Intervals count families of questions."
    )


def murphy(group: Group) -> None:
    """Show for which decisions the forecasts were useful."""
    chart = murphy_chart(group)
    if chart is None:
        st.caption("There is no scored question to draw a curve from.")
        return
    st.altair_chart(
        chart, alt="Murphy curve: the mean loss at every threshold, beside always the base rate."
    )
    st.caption(
        "Somebody acts when the forecast exceeds a threshold. Where the line lies below the dashed "
        "one, the forecasts served them better than the base rate did. The area under it is "
        "the Brier score."
    )
    step = max(1, len(group.murphy) // 10)
    with st.expander("As a table"):
        st.table(
            {
                "Threshold": [wording.percent(point.threshold) for point in group.murphy[::step]],
                "Mean loss": [wording.number(point.score, 4) for point in group.murphy[::step]],
                "Base rate": [wording.number(point.base_rate, 4) for point in group.murphy[::step]],
            },
            hide_index=True,
            border="horizontal",
        )


def earned(group: Group) -> None:
    """Show what the updates earned, and the evidence by publisher, kind and piece."""
    if group.moved is None:
        st.caption("No update of this record is on a scored question yet.")
        return
    for shown in tables.credits(group):
        st.subheader(shown.caption, anchor=False)
        shown_table(shown)
    if not group.earned:
        st.caption("None of them cites any evidence.")


def nothing_in(group: Group, cohort: Cohort) -> None:
    """Point to where the questions are, when the cohort has none."""
    waiting = sum(out.questions for out in group.left_out if out.reason == "not_in_cohort")
    if not group.questions and cohort == "scheduled" and waiting:
        many = wording.count(waiting, "question")
        st.info(
            f"{many} of this record resolved before the scheduled close, which is still to come. "
            "Choose “All resolved” under Questions to see what they look like so far."
        )


AT_A_LEAD = {"Decisions": ("murphy", murphy), "Tests": ("verdict", tests)}
TABS = {
    "Over- and under-reaction": ("movement", movement),
    "Lead time": ("leads", leads),
    "Evidence": ("moved", earned),
} | AT_A_LEAD


def in_full(group: Group, chosen: Choice) -> None:
    """Show all of a record."""
    nothing_in(group, chosen.cohort)
    verdict(group)
    counts(group)
    if left_out := wording.left_out(group.left_out):
        st.caption(as_text(left_out))
    scores(group)
    decomposition(group)
    calibration(group)
    # At one lead there is one forecast a question: nothing moves, and no update earns anything.
    shown = AT_A_LEAD if chosen.lead is not None else TABS
    for tab, (statistic, show) in zip(st.tabs(list(shown)), shown.values(), strict=True):
        with tab:
            st.caption(as_text(STATISTICS[statistic].whole))
            show(group)


st.title("Track record", anchor=False)
with reading() as ledger:
    written = frames.revision(ledger)
    known_tags = standing.tags(ledger)
by, names = whose(known_tags)
chosen = pick_questions(known_tags)
if by != "all" and not names:
    st.info(
        "There is no tag yet: questions get theirs when they are registered or reworded."
        if by == "tag"
        else "There is nobody here yet: a record begins with a forecast."
    )
    st.stop()
report = report_of(settings().database_url, by, names, chosen, written, now())
if len(report.groups) > 1:
    side_by_side(report)
    whose_record = st.selectbox(
        "In full", [group.name for group in report.groups], key="full", bind="query-params"
    )
    in_full(next(group for group in report.groups if group.name == whose_record), chosen)
else:
    in_full(report.groups[0], chosen)
for note in report.notes:
    st.caption(as_text(note))
st.caption(as_text(wording.scope(report)))
downloads(report, "track-record")
