"""Compare: which teams, forecasters, kinds or models did better, and whether beyond chance."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from app.charts.comparisons import evidence_chart, forest_chart, losses_chart
from app.forms.report_filter import pick_questions
from app.markdown_text import as_text, significant
from app.session import ledger_url, now, reading
from app.views.downloads import downloads
from app.views.lists import report_table, table
from forecasts.access import kinds, memberships, visibility
from forecasts.common.text import count
from forecasts.documents import numbers
from forecasts.questions import standing
from forecasts.reports import comparison as report_comparison
from forecasts.reports import wording as words
from forecasts.reports.comparison import Comparison, Pair, murphy, wording
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.comparison.document import losses_table
from forecasts.reports.glossary import OF_COMPARISONS as STATISTICS
from forecasts.reports.selection import Choice
from forecasts.scores import ledger_frames as frames
from forecasts.updates import model_uses

OF: dict[str, Of] = {
    "Teams": "teams",
    "Forecasters": "forecasters",
    "Kinds": "kinds",
    "Models": "models",
}
UNTIL: dict[Of, str] = {
    "teams": "Compare forecasters instead, or import teams from a ledger folder with a teams.csv: "
    "forecasts import FOLDER.",
    "forecasters": "The comparison appears here once a second member forecasts.",
    "kinds": "The comparison appears here once both people and bots forecast.",
    "models": "The comparison appears here once bots forecast with a second model.",
}
PRESELECTED, MOST = 4, 12  # beyond that, there are too many pairs to read


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
    """Return the comparison, cached until ``written`` (``frames.revision``) changes.

    ``written`` includes the reader, so nobody is shown rows that only another member may see.
    """
    with reading() as ledger:
        everything = frames.ledger_frames(ledger, rationales=False)
    return report_comparison.build(
        everything, between=names, of=of, choice=chosen, as_of=_at, alike=alike
    )


def pick(
    known: dict[Of, list[str]], known_tags: list[str]
) -> tuple[Of, tuple[str, ...], Choice, bool]:
    """Show the choice of sides and questions; return it."""
    first = next((label for label, of in OF.items() if len(known[of]) > 1), "Teams")
    kind = st.segmented_control(
        "Compare", list(OF), default=first, required=True, key="of", bind="query-params"
    )
    of = OF[kind or first]
    chosen = pick_questions(known_tags)
    if len(known[of]) < 2:
        return of, (), chosen, False
    names = st.multiselect(
        kind or first,
        known[of],
        default=known[of][:PRESELECTED],
        max_selections=MOST,
        key=f"names-{of}",
        bind="query-params",
        help="Each pair is compared on the questions and times it shares.",
    )
    alike = st.toggle(
        "Generalise beyond these members",
        key="alike",
        bind="query-params",
        help="Off: claims are about these members only. On: members count as a sample too, and "
        "the intervals are wider.",
    )
    return of, tuple(names), chosen, alike


def conclusion(comparison: Comparison) -> None:
    """Show the comparison's conclusion in a sentence, then the scores with the ranks beside."""
    show = st.success if any(pair.better for pair in comparison.pairs) else st.info
    show(as_text(comparison.sentence))
    st.header("Scores and ranks", anchor=False, help=STATISTICS["rank"].help)
    columns = wording.rank_columns(comparison)
    first = {name: columns[name] for name in (words.BRIER, "95% interval", "Rank")}
    table({"Name": [as_text(side.name) for side in comparison.groups]} | first | columns)
    st.caption(f"Best score first. {wording.RANKS}")
    waiting = sum(out.questions for out in comparison.left_out if out.reason == "not_in_cohort")
    if waiting:
        wait = "waits until its" if waiting == 1 else "wait until their"
        st.caption(
            f"{count(waiting, 'question')} resolved early and {wait} scheduled close has "
            "passed: early outcomes lean to “yes”."
        )


def differences(comparison: Comparison) -> None:
    """Show each pair's difference as a chart, a table and a sentence."""
    st.header("Differences", anchor=False, help=STATISTICS["difference"].help)
    chart = forest_chart(comparison)
    if chart is not None:
        st.vega_lite_chart(
            spec=chart, alt="Differences between pairs with intervals; the table has the numbers."
        )
    pairs = comparison.pairs
    table(
        {
            "Pair": [as_text(f"{pair.a} − {pair.b}") for pair in pairs],
            "Shared questions": [f"{pair.shared_questions:,}" for pair in pairs],
            "Difference": [
                numbers.signed(pair.difference, wording.difference_decimals(pair)) for pair in pairs
            ],
            "95% interval": [
                numbers.signed_interval(pair.interval, wording.difference_decimals(pair))
                for pair in pairs
            ],
            "p, adjusted": [numbers.p_value(pair.p_adjusted) for pair in pairs],
            "Detectable": [significant(pair.detectable) for pair in pairs],
            "Tipping": [wording.correlation(pair.tipping) for pair in pairs],
        }
    )
    st.caption(f"{STATISTICS['p_adjusted'].whole} {STATISTICS['detectable'].whole}")
    st.caption(STATISTICS["tipping"].whole)
    with st.expander("Each pair in words"):
        for pair in pairs:
            st.markdown("- " + as_text(pair.sentence))
    drawn = {f"{pair.a} − {pair.b}": pair for pair in pairs if pair.murphy}
    if drawn:
        with st.expander("Decisions"):
            _decisions(drawn)


def _decisions(drawn: dict[str, Pair]) -> None:
    """Show for which thresholds for acting one of a pair lost less than the other."""
    st.caption(STATISTICS["murphy"].whole)
    picked = next(iter(drawn))
    if len(drawn) > 1:
        picked = st.selectbox("Pair", list(drawn), key="pair-decisions")
    pair = drawn[picked]
    st.vega_lite_chart(
        spec=losses_chart(pair),
        alt=f"Difference of the losses, {picked}; the table has the numbers.",
    )
    st.markdown(as_text(murphy.sentence(pair)))
    report_table(losses_table(pair))


def evidence(comparison: Comparison) -> None:
    """Show one pair's evidence over time, which stays valid at any number of looks."""
    drawn = {f"{pair.a} − {pair.b}": pair for pair in comparison.pairs if wording.evidence(pair)}
    if not drawn:
        return
    st.header("Evidence over time", anchor=False, help=STATISTICS["watched"].help)
    picked = next(iter(drawn))
    if len(drawn) > 1:
        picked = st.selectbox("Pair", list(drawn), key="pair")
    pair = drawn[picked]
    st.markdown(as_text(wording.evidence(pair)))
    chart = evidence_chart(pair)
    if chart is not None:
        st.vega_lite_chart(spec=chart, alt=wording.evidence(pair))


st.title("Compare", anchor=False)
with reading() as ledger:
    written = frames.revision(ledger)
    known: dict[Of, list[str]] = {
        "teams": memberships.team_names(ledger),
        "forecasters": visibility.forecaster_handles(ledger),
        "kinds": kinds.forecaster_kinds(ledger),
        "models": model_uses.known_models(ledger),
    }
    known_tags = standing.tags(ledger)
with st.popover("Sides and questions"), st.container(key="filters-sides"):
    of, names, chosen, alike = pick(known, known_tags)
if len(known[of]) < 2:
    st.info(f"There are fewer than two {of} to compare. {UNTIL[of]}")
    st.stop()
if len(names) < 2:
    st.info("Choose at least two.")
    st.stop()
comparison = comparison_of(ledger_url(), of, names, chosen, alike, written, now())
conclusion(comparison)
differences(comparison)
evidence(comparison)
for note in comparison.notes:
    st.caption(as_text(note))
st.caption(as_text(f"{wording.scope(comparison)} {words.left_out(comparison.left_out)}"))
downloads(comparison, "comparison")
