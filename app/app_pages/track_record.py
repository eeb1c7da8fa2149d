"""Track record: how well forecasts held up, and how certain that is."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.forms.report_filter import known_sides, made, pick_questions
from app.markdown_text import as_text
from app.session import current_member, my_handle, now, reading, settings, shown_errors
from app.views.documents import block, chart, folded, report_table, term_help
from app.views.downloads import downloads
from app.views.empty import empty
from app.views.scores import last_call, my_scored_questions, score_link
from app.views.widgets import download, metrics, page_link, question_link, switch
from forecasts import reports
from forecasts.access.visibility import crowd_is_hidden
from forecasts.common.text import count, shortened
from forecasts.documents import numbers
from forecasts.documents.charts import LINES
from forecasts.documents.document import HOW_WE_KNOW, Block, Figure, Table
from forecasts.operations.stamps import folder_of_proofs, stamps
from forecasts.publication import facts
from forecasts.publication.publish import publish_as_zip
from forecasts.questions import search
from forecasts.reports import Group, Report, figures, wording
from forecasts.reports import report_document as tables
from forecasts.reports.advice import advice
from forecasts.reports.glossary import TERMS
from forecasts.reports.own_scores import OwnScores, own_scores, within
from forecasts.reports.report import By
from forecasts.reports.selection import Choice
from forecasts.reports.verdict import FEWEST

MOST = len(LINES)  # records side by side
SIDES: tuple[By, ...] = ("forecaster", "team", "tag", "kind", "model")
OF: dict[str, By] = {**{by.capitalize(): by for by in SIDES}, "Everyone": "all"}


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
    some = chosen.lead is not None or chosen.made_before is not None or chosen.witnessed
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
            label="Address",
            placeholder="https://example.org/record/",
            help="Optional: where the site will be, for links in its feed and cards.",
            key="publish-url",
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


_SHOWN = {"brier": wording.BRIER, "questions": "Questions", "coverage": "Coverage"}
ABREAST = 3  # diagrams side by side
_TALL, _SMALL = 380, 240  # pixels


def record(
    report: Report, group: Group, choice: Choice, *, whole: Group, own: OwnScores | None, who: str
) -> None:
    """Show all of a record, the ``group`` of the report; ``who``: its forecasts, or "You".

    ``whole``: the record on all resolved questions, which the score counts; the same as ``group``
    unless some resolved early. ``own``: the forecaster's scores, if it is the reader's own record.
    """
    left_out = wording.left_out(group.left_out)
    if not whole.questions:
        if group.pit is None:
            said = "No results yet. Scores appear here once questions with forecasts resolve."
            with empty("track_record", said):
                page_link("resolve", "Questions to resolve")
        for one in figures.pit(group.name, group):
            st.header(one.title, anchor=False)
            block(one)
        folded(HOW_WE_KNOW, left_out, *report.notes, wording.scope(report))
        return
    few = group.verdict.kind == "too_few"
    shown = group.all_time if few else group.verdict
    if shown is not None:
        show = {"not_estimable": st.info, "waiting": st.info, "calibrated": st.success}
        said = as_text(wording.of(wording.findings(group)[shown.kind], who))
        luck = f"  \n{as_text(shown.luck)}" if shown.luck else ""
        show.get(shown.kind, st.warning)(f"**{said}**{luck}")
    if origin := wording.provenance(group.provenance):
        st.caption(as_text(origin))
    _score(whole)
    st.markdown(as_text(wording.how_good(whole)))
    if few:
        _to_go(group, whole)
        _calls(own)
    else:
        _reliability(group)
    known = [*_known(group, whole, who), *report.notes, wording.scope(report)]
    if group.questions:
        if not few and own is not None and own.best:
            with st.expander("Best and worst questions"):
                _calls(own)
        with st.expander(HOW_WE_KNOW):
            for sentence in known:
                st.markdown(as_text(sentence))
            _part("Tests", tables.tests(group))
        _details(group, choice)
    else:
        folded(HOW_WE_KNOW, *known)


def _known(group: Group, whole: Group, who: str) -> list[str]:
    """Return how the verdict is known, and on which questions, as sentences."""
    said = [wording.of(group.verdict.basis, who)]
    if waiting := max(0, whole.questions - group.questions):
        early = count(waiting, "question")
        said.append(
            f"The score counts all resolved questions. {early} resolved early and will count for "
            "the verdict after the scheduled close: early outcomes are mostly “yes”."
        )
    if 0 < group.questions < whole.questions:
        counted = count(group.questions, "question")
        said.append(f"All else here is on the {counted} whose scheduled close has passed.")
    if group.questions:
        said.append(figures.reliability_in_words(group))
    said.append(wording.left_out(group.left_out))
    return [one for one in said if one]


def _to_go(group: Group, whole: Group) -> None:
    """Show how many more questions a verdict takes."""
    have = min(group.questions, group.families)
    linked, more = "", f"{FEWEST - have} more"
    if group.families < group.questions:
        linked = f", in {count(group.families, 'family')}"
        more = count(FEWEST - have, "more family")
    known = f"{count(group.questions, 'question')}{linked}"
    if group.questions < whole.questions:
        of = count(whole.questions, "question")
        known = f"the verdict counts {group.questions:,} of {of}{linked}"
    verdict = f"Too few to tell: {known}. A verdict on calibration takes {more}."
    st.progress(have / FEWEST, text=verdict)
    st.caption("With so few, luck can look like a fault, or hide one.")


def _score(whole: Group) -> None:
    """Show the mean score with its interval, and the number of questions behind it."""
    interval = "no interval: too few families"
    if whole.brier.interval is not None:
        interval = f"95% interval: {numbers.interval(whole.brier.interval)}"
    shown = {
        "brier": numbers.number(whole.brier.mean),
        "questions": f"{whole.questions:,}",
        "coverage": numbers.percent(whole.coverage),
    }
    terms = {title: (shown[name], term_help(TERMS[name])) for name, title in _SHOWN.items()}
    first, second, _ = metrics("score", terms)
    first.caption(as_text(interval))
    families = f"in {count(whole.families, 'family')}: linked questions count as one"
    second.caption(f"{count(whole.updates, 'update')}, {families}")


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
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.header("Reliability", anchor=False, help=term_help(TERMS["reliability"]))
        diagram = figures.reliability(group.name, group).charts[0]
        chart(
            diagram,
            (
                "Reliability diagram: observed frequency by forecast. The table under "
                "“Reliability in numbers” has the same numbers."
            ),
            height=_TALL,
        )
        st.caption(
            "Line: how often it happened. Dashed: as often as forecast. Inside the band, luck "
            "explains the distance. Circles: groups of forecasts with 95% intervals."
        )
    with right:
        st.header("Changes to make", anchor=False)
        st.markdown("\n".join(f"- {as_text(one)}" for one in advice(group)))


def _details(group: Group, choice: Choice) -> None:
    """Show everything else, folded, in the order in which someone asks."""
    name = group.name
    with st.expander("Scores"):
        _part("All scores", tables.measures(group), tables.parts(group))
        _part("Lead time", *figures.leads(name, group))
        _part("Decisions", figures.murphy(name, group) if group.murphy else None)
    if group.curve or group.pit is not None:
        with st.expander("Calibration"):
            if group.curve:
                diagram = figures.reliability(name, group)
                _part("Reliability in numbers", figures.bins(group), diagram)
                _part("Errors and discrimination", tables.errors(group), *figures.roc(name, group))
            _part("Numbers and dates", *figures.pit(name, group))
    # At a lead there is one forecast per question, so no movement and no updates to credit.
    moved = "" if group.movement is None else group.movement.sentence
    earned = tables.credits(group)
    if choice.lead is None and (moved or group.staleness or group.coherence or earned):
        with st.expander("Updates"):
            _part("Over- and under-reaction", moved)
            _staleness(group)
            _part("Coherence", group.coherence.sentence if group.coherence else "")
            _part("Sources", *earned)
    page_link("terms", "Terms")


def _part(title: str, *blocks: Block | None) -> None:
    """Show the blocks, if there are some, under a title."""
    shown = [one for one in blocks if one]
    if shown:
        found = [one.term for one in shown if isinstance(one, Table | Figure) and one.term]
        help_text = term_help(found[0]) if found else None
        st.subheader(title, anchor=False, help=help_text)
    for one in shown:
        block(one)


def _staleness(group: Group) -> None:
    """Show the cost of unrevised forecasts, and the questions on which a review would have paid."""
    stale = group.staleness
    if stale is None:
        return
    _part("Staleness", stale.sentence)
    if stale.most:
        st.markdown("**Reviews that would have paid most**")
        st.caption(wording.HINDSIGHT)
    for row in stale.most:
        page_link("question", as_text(shortened(row.title or row.question)), slug=row.question)
        st.caption(as_text(wording.unrevised(row, several=group.forecasters > 1)))


def side_by_side(report: Report) -> None:
    """Show all groups of a report side by side: findings, reliability diagrams, Murphy curves.

    The records may be on different questions. Only the Compare page, which uses the shared
    questions, says whether a difference between them means anything.
    """
    report_table(tables.overview(report))
    for group in report.groups:
        who = wording.subject(report, group)
        findings = " ".join(wording.of(one, who) for one in wording.findings(group).values())
        st.markdown(f"- **{as_text(group.name)}**: {as_text(findings)}")
    drawn = [group for group in report.groups if group.curve]
    if not drawn:
        return
    st.header("Reliability", anchor=False, help=term_help(TERMS["reliability"]))
    for start in range(0, len(drawn), ABREAST):
        for column, group in zip(st.columns(ABREAST), drawn[start:], strict=False):
            with column:
                st.markdown(f"**{as_text(group.name)}** · {wording.BADGES[group.verdict.kind]}")
                diagram = figures.reliability(group.name, group)
                alt = f"Reliability of {group.name}. {figures.reliability_in_words(group)}"
                chart(diagram.charts[0], alt, height=_SMALL)
                summary = figures.reliability_in_words(group)
                folded("Summary and table", summary, figures.bins(group))
    st.header("Murphy curves", anchor=False, help=term_help(TERMS["murphy"]))
    curves = figures.murphy_curves(drawn)
    chart(curves.charts[0], curves.alt)
    st.markdown(as_text(curves.caption))
    folded("Table", curves.table)
    st.caption(
        "These records may be on different questions and times. Compare ranks them on the shared "
        "ones."
    )


st.title("Track record", anchor=False)
with reading() as ledger:
    known_tags = search.labels(ledger)[0]
with st.popover("Record and questions"), st.container(key="filters-record"):
    by, names = choose_records(known_tags)
    chosen = pick_questions(known_tags)
if by != "all" and not names:
    none = {
        "tag": "No tags yet. Add them when you register or edit a question.",
        "model": "No models yet. Bots name theirs when they forecast through the API.",
    }
    with reading() as ledger:
        hidden = crowd_is_hidden(ledger)
    others = (
        "Others’ forecasts are hidden until you forecast the question, or it closes."
        if hidden
        else "No forecasts yet. The share that comes true appears here."
    )
    said = none.get(by, others)
    with empty("track_record", said):
        page_link("questions", "Forecast a question")
    st.stop()
report = made(reports.build, chosen, by=by, names=names)
groups = {group.name: group for group in report.groups}
full = report.groups[0].name
if len(groups) > 1:
    side_by_side(report)
    full = st.selectbox("Record in full", list(groups), key="full", bind="query-params")
group = whole = groups[full]
if by == "forecaster" and any(one.reason == "not_in_cohort" for one in group.left_out):
    everything = replace(chosen, cohort="resolved")
    [whole] = made(reports.build, everything, by=by, names=(full,)).groups
st.subheader("Everyone" if by == "all" else as_text(full), anchor=False)
who = wording.subject(report, group)
if by == "forecaster" and full == my_handle():
    who = wording.YOU
record(report, group, chosen, whole=whole, own=scores_of(full), who=who)
downloads(report, "track-record")
if by == "forecaster" and full == my_handle():
    publish_record()
