"""Compare: which teams, forecasters, kinds or models did better, and whether beyond chance."""

from __future__ import annotations

import streamlit as st

from app.forms.report_filter import known_sides, made, pick_questions
from app.markdown_text import as_text
from app.session import reading
from app.views.documents import ending, section
from app.views.downloads import downloads
from app.views.empty import empty
from app.views.widgets import page_link, switch
from forecasts.documents.document import HOW_WE_KNOW
from forecasts.questions import search
from forecasts.reports import comparison
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.selection import Choice
from forecasts.reports.wording import provenance

UNTIL: dict[Of, str] = {
    "teams": "The comparison appears here once two teams have forecast.",
    "forecasters": "The comparison appears here once a second member forecasts.",
    "kinds": "The comparison appears here once both people and bots forecast.",
    "models": "The comparison appears here once bots forecast with a second model.",
}
OF: dict[str, Of] = {of.capitalize(): of for of in UNTIL}
_AT_ONCE = ("Ranks", "Differences", "Coherence")  # sections; the others are folded
PRESELECTED, MOST = 4, 12  # beyond that, there are too many pairs to read


def pick(
    known: dict[str, list[str]], known_tags: list[str]
) -> tuple[Of, tuple[str, ...], Choice, bool]:
    """Show the choice of sides and questions; return it."""
    first = next((label for label, of in OF.items() if len(known[of]) > 1), "Teams")
    kind = switch("Compare", list(OF), "of", default=first)
    of = OF[kind]
    chosen = pick_questions(known_tags, known["forecasters"])
    if len(known[of]) < 2:
        return of, (), chosen, False
    names = st.multiselect(
        kind,
        known[of],
        default=known[of][:PRESELECTED],
        max_selections=MOST,
        key=f"names-{of}",
        bind="query-params",
        help="Each pair is compared on the questions and times it shares.",
    )
    alike = st.toggle(
        label="Generalise beyond these members",
        bind="query-params",
        help="Off: claims are about these members only. On: members count as a sample too, and "
        "the intervals are wider.",
        key="alike",
    )
    return of, tuple(names), chosen, alike


st.title("Compare", anchor=False)
with reading() as ledger:
    known, known_tags = known_sides(ledger), search.labels(ledger)[0]
with st.popover("Sides and questions"), st.container(key="filters-sides"):
    of, names, chosen, alike = pick(known, known_tags)
if len(known[of]) < 2:
    with empty("compare", UNTIL[of]):
        step = ("team", "Create a team") if of == "teams" else ("exchange", "Import forecasts")
        page_link(*step)
    st.stop()
if len(names) < 2:
    st.info("Choose at least two.")
    st.stop()
compared = made(comparison.build, chosen, of=of, between=names, alike=alike)
document = comparison_document(compared)
show = st.success if any(pair.better for pair in compared.pairs) else st.info
show(as_text(compared.sentence))
if origin := provenance(compared.provenance):
    st.caption(as_text(origin))
shown = [part for part in document.sections if part.title in _AT_ONCE]
for part in shown:
    section(part)
with st.expander(HOW_WE_KNOW):
    for part in document.sections[1:]:  # the first is the conclusion
        if part not in shown:
            section(part)
    ending(document)
page_link("terms", "Terms")
downloads(compared, "comparison")
