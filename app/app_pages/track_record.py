"""Track record: how well forecasts held up, and how certain that is."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.forms.report_filter import known_sides, made, pick_questions
from app.markdown_text import as_text
from app.session import current_member, my_handle, now, reading, settings, shown_errors
from app.views.downloads import downloads
from app.views.record import record, side_by_side
from app.views.scores import my_scored_questions
from app.views.widgets import download, switch
from forecasts.documents.charts import LINES
from forecasts.operations.stamps import folder_of_proofs, stamps
from forecasts.publication import facts
from forecasts.publication.publish import publish_as_zip
from forecasts.questions import search
from forecasts.reports import Report, wording
from forecasts.reports.own_scores import OwnScores, own_scores, within
from forecasts.reports.report import By

MOST = len(LINES)  # records side by side
SIDES: tuple[By, ...] = ("forecaster", "team", "tag", "kind", "model")
OF: dict[str, By] = {**{by.capitalize(): by for by in SIDES}, "Everyone": "all"}
NONE_YET = {
    "tag": "No tags yet. Add them when you register or edit a question.",
    "model": "No models yet. Bots name theirs when they forecast through the API.",
}


def choose_records(known_tags: list[str]) -> tuple[By, tuple[str, ...]]:
    """Show the choice of records; return it."""
    with reading() as ledger:
        known = known_sides(ledger) | {"tags": known_tags}
    kind = switch("Record of", list(OF), "of")
    by = OF[kind]
    available = known.get(f"{by}s", [])
    if not available:
        return by, ()
    me = my_handle()
    picked = st.multiselect(
        f"{kind}s",
        available,
        default=[me if me in available else available[0]],
        max_selections=MOST,
        key=f"names-{by}",
        bind="query-params",
        help="Several records appear side by side, with one of them in full below.",
    )
    if not picked:
        st.info("Choose at least one.")
        st.stop()
    return by, tuple(picked)


def scores_of(known_as: str) -> OwnScores | None:
    """Return the reader's own scores on the chosen questions; None on anyone else's record."""
    some = chosen.lead is not None or chosen.made_before is not None
    if by != "forecaster" or known_as != my_handle() or some:
        return None
    return own_scores(within(my_scored_questions(crowd=False), chosen))


def publish_record() -> None:
    """Show the part that builds the site of the reader's own record."""
    with st.popover("Publish"):
        st.caption(
            "Your record as a site with its proof, for any web server. It has only what everyone "
            "may see."
        )
        url = st.text_input(
            "Address",
            placeholder="https://example.org/record/",
            key="publish-url",
            help="Optional: where the site will be, for links in its feed and cards.",
        )
        if not st.button("Build the site", key="publish"):
            return
        with shown_errors(), st.spinner("Building the site …"):
            with reading() as ledger:
                me, chosen = current_member(ledger), settings()
                proofs = folder_of_proofs(ledger, chosen.proofs_folder)
                stamped = stamps(proofs, roots=chosen.stamp_roots)
                done, archive = publish_as_zip(
                    ledger,
                    who=me,
                    member=me,
                    stamps={one.digest: one.file.read_bytes() for one in stamped if not one.fault},
                    url=url.strip(),
                    now=now(),
                )
            for said in filter(None, [facts.may_be_private(done.record), *done.record.withheld]):
                st.warning(as_text(said))
            download("Download", archive, "record.zip", key="download-site", type="primary")


st.title("Track record", anchor=False)
with reading() as ledger:
    known_tags = search.labels(ledger)[0]
with st.popover("Record and questions"), st.container(key="filters-record"):
    by, names = choose_records(known_tags)
    chosen = pick_questions(known_tags)
if by != "all" and not names:
    st.info(NONE_YET.get(by, "No forecasts yet."))
    st.stop()
report: Report = made("report", chosen, by=by, names=names)
groups = {group.name: group for group in report.groups}
full = report.groups[0].name
if len(groups) > 1:
    side_by_side(report)
    full = st.selectbox("Record in full", list(groups), key="full", bind="query-params")
group = whole = groups[full]
if by == "forecaster" and any(one.reason == "not_in_cohort" for one in group.left_out):
    everything = replace(chosen, cohort="resolved")
    [whole] = made("report", everything, by=by, names=(full,)).groups
st.subheader("Everyone" if by == "all" else as_text(full), anchor=False)
record(report, group, chosen, whole=whole, own=scores_of(full))
for note in report.notes:
    st.caption(as_text(note))
st.caption(as_text(wording.scope(report)))
downloads(report, "track-record")
if by == "forecaster" and full == my_handle():
    publish_record()
