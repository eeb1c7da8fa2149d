"""Arena: people, bots and models in one table, with the ranks that each may have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from app.forms.report_filter import ALL_RESOLVED, made, pick_all_resolved, pick_questions
from app.markdown_text import as_text
from app.session import reading
from app.views.documents import ending, rows_table
from app.views.downloads import downloads
from app.views.empty import empty
from app.views.widgets import page_link, switch
from forecasts.documents.numbers import NOTHING, decimals, number, percent, signed, signed_interval
from forecasts.questions import search
from forecasts.reports import arena as report_arena
from forecasts.reports import wording as words
from forecasts.reports.comparison import wording
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.glossary import OF_COMPARISONS
from forecasts.reports.report import LeftOut

OF: dict[str, Of] = {"Members": "forecasters", "Models": "models", "Kinds": "kinds"}
UNTIL: dict[Of, str] = {
    "forecasters": "The arena starts once two members have forecast questions that count.",
    "models": "The arena of models starts once two have forecast questions that count. Bots name "
    "their model when they forecast through the API.",
    "kinds": "People and bots are compared once both have forecast questions that count. Make a "
    "bot with: forecasts token create NAME.",
}


def digits(one: report_arena.Contender) -> int:
    """Return the decimals of the advantage over the crowd and of its interval."""
    return decimals(one.crowd_skill.mean, *one.crowd_skill.interval or (), least=1)


def standings(arena: report_arena.Arena, of: Of) -> None:
    """Show the table: ranks first, then skill against the crowd, coverage and cost."""
    rows = arena.contenders
    columns: dict[str, Callable[[report_arena.Contender], str]] = {
        "Rank": lambda one: wording.rank_range(one.side) if one.ranked else NOTHING,
        "Name": lambda one: one.side.name,
        "Against the crowd": lambda one: signed(one.crowd_skill.mean, digits(one)),
        "95% interval": lambda one: signed_interval(one.crowd_skill.interval, digits(one)),
        "Questions": lambda one: f"{one.side.questions:,}",
        "Coverage": lambda one: percent(one.side.coverage),
        words.BRIER: lambda one: number(one.side.brier.mean),
    }
    if any(one.cost is not None for one in rows):
        columns["Cost a question"] = lambda one: (
            NOTHING if one.cost is None else f"US$ {one.cost:.3g}"
        )
    if any(one.kind != "human" for one in rows) and of == "forecasters":
        columns |= {"Kind": lambda one: one.kind, "Owner": lambda one: one.owner or NOTHING}
    st.header("Ranks", anchor=False, help=OF_COMPARISONS["rank"].help)
    rows_table(rows, columns)
    st.caption(
        "A rank of 2 to 5 may be any of these. Ranks compare forecasts on the same questions at "
        "the same times. Against the crowd: the lead over all others, in points of 0.01 Brier."
    )
    if any(not one.ranked for one in rows):
        st.caption(f"{NOTHING}: no rank; it shares 30 questions in 30 families with no other.")
    if arena.left_out:
        st.caption(f"The {len(rows)} with the most questions; {arena.left_out:,} more not shown.")


def not_begun(of: Of, left_out: tuple[LeftOut, ...]) -> None:
    """Say why the arena is empty, and offer the questions that resolved early."""
    if not left_out:
        with empty("arena", UNTIL[of]):
            page_link("exchange", "Import forecasts")
        return
    shared: dict[str, int] = {one.reason: one.questions for one in left_out}
    said = wording.none_counts(shared)
    st.info(as_text(f"{said[0].upper()}{said[1:]}."))
    if "not_in_cohort" in shared:
        st.button(ALL_RESOLVED, key="all-resolved", on_click=pick_all_resolved)


st.title("Arena", anchor=False)
with reading() as ledger:
    known_tags = search.labels(ledger)[0]
with st.popover("Sides and questions"), st.container(key="filters-arena"):
    of = OF[switch("Compare", list(OF), "of")]
    chosen = pick_questions(known_tags)
arena = made(report_arena.arena, chosen, of=of)
if arena is None:
    not_begun(of, made(report_arena.left_out, chosen, of=of))
    st.stop()
show = st.info if arena.comparison.sentence.startswith("No") else st.success
show(as_text(arena.sentence))
standings(arena, of)
if any(pair.better for pair in arena.comparison.pairs):
    st.caption(as_text(arena.comparison.sentence))
ending(comparison_document(arena.comparison))
downloads(arena.comparison, "arena", tables={"Table": partial(report_arena.arena_csv, arena)})
