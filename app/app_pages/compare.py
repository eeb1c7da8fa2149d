"""Compare: which teams or forecasters did better, and what chance alone could have done."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from app.charts.comparisons import evidence_chart, forest_chart
from app.forms.report_filter import pick_questions
from app.markdown_text import as_text
from app.session import now, reading, settings
from app.views.downloads import downloads
from forecasts.access import members, visibility
from forecasts.questions import standing
from forecasts.reports import comparison as report_comparison
from forecasts.reports.comparison import Comparison, wording
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.render import wording as words
from forecasts.reports.render.glossary import OF_COMPARISONS as STATISTICS
from forecasts.reports.selection import Choice
from forecasts.scores import frames

OF: dict[str, Of] = {"Teams": "teams", "Forecasters": "forecasters"}
# So many are chosen to begin with; with many more the pairs are too many to read.
FIRST, MOST = 4, 12


@st.cache_data(show_spinner="Comparing …", ttl=timedelta(minutes=10), max_entries=32)
def comparison_of(
    url: str,
    of: Of,
    names: tuple[str, ...],
    chosen: Choice,
    alike: bool,
    written: tuple[int, ...],
    _at: datetime,
) -> Comparison:
    """Return the comparison; it is made anew once ``written`` differs (``frames.revision``).

    That says for whom, too: nobody is shown what another may see.
    """
    with reading() as ledger:
        everything = frames.ledger_frames(ledger, words=False)
    return report_comparison.build(
        everything,
        between=names,
        of=of,
        choice=chosen,
        as_of=_at,
        alike=alike,
    )


def pick(
    known: dict[Of, list[str]], known_tags: list[str]
) -> tuple[Of, tuple[str, ...], Choice, bool]:
    """Show whom to compare and on which questions; return the choice."""
    left, right = st.columns([2, 3])
    kind = left.segmented_control(
        "Between", list(OF), default="Teams", required=True, key="of", bind="query-params"
    )
    of = OF[kind or "Teams"]
    with right:
        chosen = pick_questions(known_tags)
    if len(known[of]) < 2:
        return of, (), chosen, False
    names = st.multiselect(
        kind or "Teams",
        known[of],
        default=known[of][:FIRST],
        max_selections=MOST,
        key=f"names-{of}",
        bind="query-params",
        help="Every two of them are compared, on the questions and at the times that they share.",
    )
    alike = st.toggle(
        "Claim the same of people like them",
        key="alike",
        bind="query-params",
        help="Off: the claims are about these members. On: who the members are is taken as chance "
        "too, and the intervals are wider.",
    )
    return of, tuple(names), chosen, alike


def verdict(comparison: Comparison) -> None:
    """Show in a sentence what the comparison shows."""
    said = as_text(comparison.sentence)
    if any(pair.better for pair in comparison.pairs):
        st.success(said)
    else:
        st.info(said)
    st.caption(as_text(f"{wording.scope(comparison)} {words.left_out(comparison.left_out)}"))


def ranks(comparison: Comparison) -> None:
    """Show the ranks, as intervals."""
    st.header("Ranks", anchor=False, help=STATISTICS["rank"].help)
    names = [as_text(side.name) for side in comparison.groups]
    st.table(
        {"Name": names} | wording.rank_columns(comparison), hide_index=True, border="horizontal"
    )
    st.caption(wording.RANKS)


def differences(comparison: Comparison) -> None:
    """Show every pair's difference, drawn, as a table, and in words."""
    st.header("Differences", anchor=False, help=STATISTICS["difference"].help)
    chart = forest_chart(comparison)
    if chart is not None:
        st.altair_chart(
            chart, alt="Differences of the pairs with their intervals; the table has the numbers."
        )
    pairs = comparison.pairs
    st.table(
        {
            "Pair": [as_text(f"{pair.a} − {pair.b}") for pair in pairs],
            "Shared questions": [f"{pair.shared_questions:,}" for pair in pairs],
            "Difference": [words.signed(pair.difference) for pair in pairs],
            "95 % interval": [words.signed_interval(pair.interval) for pair in pairs],
            "p, adjusted": [words.p_value(pair.p_adjusted) for pair in pairs],
            "Detectable": [words.number(pair.detectable) for pair in pairs],
        },
        hide_index=True,
        border="horizontal",
    )
    st.caption(f"{STATISTICS['p_adjusted'].whole} {STATISTICS['detectable'].whole}")
    for pair in pairs:
        st.markdown("- " + as_text(pair.sentence))


def evidence(comparison: Comparison) -> None:
    """Show, of one pair, the evidence that stays valid whenever one looks."""
    drawn = {f"{pair.a} − {pair.b}": pair for pair in comparison.pairs if pair.watched is not None}
    if not drawn:
        return
    st.header("Evidence over time", anchor=False, help=STATISTICS["watched"].help)
    picked = next(iter(drawn))
    if len(drawn) > 1:
        picked = st.selectbox("Pair", list(drawn), key="pair")
    pair = drawn[picked]
    st.markdown(as_text(wording.watched(pair)))
    chart = evidence_chart(pair)
    if chart is not None:
        st.altair_chart(chart, alt=wording.watched(pair))


st.title("Compare", anchor=False)
with reading() as ledger:
    written = frames.revision(ledger)
    known: dict[Of, list[str]] = {
        "teams": members.team_names(ledger),
        "forecasters": visibility.forecaster_handles(ledger),
    }
    known_tags = standing.tags(ledger)
of, names, chosen, alike = pick(known, known_tags)
if len(known[of]) < 2:
    st.info(
        f"There are fewer than two {of} to compare. "
        + (
            "Compare forecasters instead, or bring teams in with a ledger folder: "
            "forecasts import FOLDER, with a teams.csv in it."
            if of == "teams"
            else "A second one is there as soon as somebody else forecasts."
        )
    )
    st.stop()
if len(names) < 2:
    st.info("Choose two or more to compare.")
    st.stop()
comparison = comparison_of(settings().database_url, of, names, chosen, alike, written, now())
verdict(comparison)
ranks(comparison)
differences(comparison)
evidence(comparison)
for note in comparison.notes:
    st.caption(as_text(note))
downloads(comparison, "comparison")
