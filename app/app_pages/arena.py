"""Arena: people, bots and models in one table, with the ranks that each may have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from app.forms.report_filter import ALL_RESOLVED, made, pick_all_resolved, pick_questions
from app.markdown_text import as_text, picture
from app.session import my_handle, reading
from app.views.documents import folded, rows_table, term_help
from app.views.downloads import downloads
from app.views.empty import empty
from app.views.scores import COVERAGE_HELP
from app.views.widgets import page_link, sparkline, switch
from forecasts.access.kinds import KIND_WORDS
from forecasts.documents import svg
from forecasts.documents.as_csv import value_at
from forecasts.documents.document import HOW_WE_KNOW
from forecasts.documents.numbers import NOTHING, column, decimals, percent
from forecasts.ledger.models import MemberKind
from forecasts.questions import search
from forecasts.reports import arena as report_arena
from forecasts.reports import wording as words
from forecasts.reports.comparison import wording
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.comparison.document import comparison_document
from forecasts.reports.glossary import TERMS
from forecasts.reports.own_scores import WINDOW
from forecasts.reports.report import LeftOut

MEDALS = ("gold", "silver", "bronze")
# An icon and a word for each kind; models are of no kind.
KINDS = {
    "human": f":material/person: {KIND_WORDS[MemberKind.human]}",
    "bot": ":material/smart_toy: bot",
    "service": ":material/settings: service",
    "model": ":material/smart_toy: model",
    "": "",
}
RANKS = (
    "Ranks compare the same questions at the same times. A rank of 1 to 3 means first, second or "
    "third: it is too early to say which. "
)
FOOTNOTE = (
    "Against the crowd: how much better than the others’ mean forecast, in Brier points (0–1). In "
    "brackets: the range that holds the true lead in 19 of 20 such records. "
    f"Trend: the mean lead over the last {WINDOW} questions; dashed: no lead. {NOTHING}: too few "
    "questions. A rank needs 30 shared ones; linked ones count as one."
)
CONTRADICTIONS = "Contradictions"
FEWEST_DRAWN = 2  # means that make a line
OF: dict[str, Of] = {"Members": "forecasters", "Models": "models", "Kinds": "kinds"}
UNTIL: dict[Of, str] = {
    "forecasters": "The arena starts once two members have forecast questions that count.",
    "models": "The arena of models starts once two have forecast questions that count. Bots name "
    "their model when they forecast through the API.",
    "kinds": "People and bots are compared once both have forecast questions that count. Make a "
    "bot with: forecasts token create NAME.",
}


def ahead(one: report_arena.Contender, digits: int) -> str:
    """Return the advantage over the crowd, and its interval, as Markdown."""
    mean, between = words.advantage(one.crowd_skill.mean, one.crowd_skill.interval, digits)
    return f"**{mean}**" + (f" ({as_text(between)})" if one.crowd_skill.interval else "")


def rank(one: report_arena.Contender) -> str:
    """Return the rank or the shared ranks as Markdown, with a medal for one of the first three."""
    if not one.ranked:
        return NOTHING
    ranks = wording.rank_range(one.side)
    if one.medal is not None:
        return f"{picture(svg.medal(one.medal), f'{MEDALS[one.medal - 1]} medal')} {ranks}"
    return ranks


def who(one: report_arena.Contender, of: Of) -> str:
    """Return the name with its kind, and a bot's owner, as Markdown."""
    name = one.side.name
    kind = KINDS[{"models": "model", "kinds": name}.get(of, one.kind)]
    owner = f", {one.owner}’s" if one.owner else ""
    you = ", you" if of == "forecasters" and name == my_handle() else ""
    return f"**{as_text(name)}** {kind}{as_text(owner + you)}"


def spark(one: report_arena.Contender, reach: float) -> str:
    """Return the path of the advantage over the crowd as a drawn line, as Markdown."""
    if len(one.path) < FEWEST_DRAWN:
        return NOTHING
    first, last = (words.advantage(one.path[at], None)[0] for at in (0, -1))
    between = (-reach, reach)
    return sparkline(one.path, f"From {first} to {last}", between=between, middle=True)


def standings(arena: report_arena.Arena, of: Of) -> None:
    """Show the table: ranks, names, and the advantage over the crowd; the other columns folded."""
    rows = arena.contenders
    reach = max((abs(point) for one in rows for point in one.path), default=1.0) or 1.0
    digits = decimals(*((one.crowd_skill.mean or 0) / 100 for one in rows))
    st.header("Standings", anchor=False, help=term_help(TERMS["rank"]))
    cells = {
        "Rank": [rank(one) for one in rows],
        "Name": [who(one, of) for one in rows],
        "Trend": [spark(one, reach) for one in rows],
        "Against the crowd": [ahead(one, digits) for one in rows],
        "Questions": [f"{one.side.questions:,}" for one in rows],
    }
    told_apart = len(set(cells["Rank"]) - {NOTHING}) > 1
    if not told_apart:  # as the first sentence already says
        del cells["Rank"]
    with st.container(key="standings"):
        st.table(cells, hide_index=True, border="horizontal")
    more = f" The {len(rows)} with the most questions; {arena.left_out:,} more not shown."
    st.caption((RANKS if told_apart else "") + FOOTNOTE + (more if arena.left_out else ""))
    columns: dict[str, Callable[[report_arena.Contender], str]] = {
        "Name": lambda one: one.side.name,
        words.BRIER: column(rows, lambda one: one.side.brier.mean),
        "Coverage": lambda one: percent(one.side.coverage),
    }
    if any(one.cost is not None for one in rows):
        columns["Cost a question"] = lambda one: (
            NOTHING if one.cost is None else f"US$ {one.cost:.3g}"
        )
    said = f"{words.BRIER}: 0 is best, 1 is worst. Coverage: {COVERAGE_HELP.lower()}"
    if any(one.side.coherence is not None for one in rows):
        columns[CONTRADICTIONS] = column(
            rows, lambda one: value_at(one, "side.coherence.cost.mean")
        )
        said += f" {CONTRADICTIONS}: their cost in Brier points a question."
    with st.expander("More columns"):
        rows_table(rows, columns)
        st.caption(said)


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
some_clear = any(pair.better for pair in arena.comparison.pairs)
(st.success if some_clear else st.info)(as_text(arena.sentence))
standings(arena, of)
document = comparison_document(arena.comparison)
priced = [pair.coherence.sentence for pair in arena.comparison.pairs if pair.coherence]
folded(HOW_WE_KNOW, arena.comparison.sentence, *priced, *document.notes, document.scope)
downloads(arena.comparison, "arena", tables={"Table": partial(report_arena.arena_csv, arena)})
