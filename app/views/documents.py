"""The blocks of a document on a page: texts, tables, and charts with their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import streamlit as st

from app.markdown_text import as_lines, as_text, link
from app.times import zone
from forecasts.common.times import in_zone
from forecasts.documents import document
from forecasts.documents.charts import Chart
from forecasts.documents.vega_lite import forest, vega_lite

_BESIDE = 3  # folded columns beside the first, so that a phone shows them whole
_SCALE, _LOWEST = 1.4, 130  # of a chart's height in a file, and the least height, in pixels


def section(shown: document.Section) -> None:
    """Show a section, its sentences folded; of several figures, the reader picks one."""
    st.header(shown.title, anchor=False)
    figures = {one.title: one for one in shown.blocks if isinstance(one, document.Figure)}
    for one in shown.blocks:
        if isinstance(one, document.Bullets):  # what the table says
            folded("In words", one)
        elif not isinstance(one, document.Figure):
            block(one)
    if figures:
        picked = next(iter(figures))
        if len(figures) > 1:
            picked = st.selectbox("Pair", list(figures), key=f"figure-{shown.title}")
        block(figures[picked])


def ending(shown: document.Document) -> None:
    """Show the notes and the scope of a document."""
    for note in (*shown.notes, shown.scope):
        st.caption(as_text(note))


def term_help(term: document.Term) -> str:
    """Return the help beside a term, as Markdown, with the way to all of them."""
    return f"{as_text(term.help)} [All terms](terms)"


def folded(title: str, *blocks: document.Block | None) -> None:
    """Show the blocks, if there are some, folded under a title."""
    shown = [one for one in blocks if one]
    if shown:
        with st.expander(title):
            for one in shown:
                block(one)


def block(shown: document.Block) -> None:
    """Show a block of a document; a figure with its caption and its table."""
    match shown:
        case str():
            st.markdown(as_text(shown))
        case document.Bullets():
            st.markdown("\n".join(f"- {as_text(item)}" for item in shown.items))
        case document.Facts():
            facts = zip(shown.rows, shown.addresses, strict=True)
            lines = (f"{as_text(name)}: {link(at, fact)}" for (name, fact), at in facts)
            st.caption("  \n".join(lines))
        case document.Quote():
            st.markdown(as_lines(shown.text))
        case document.Table():
            if shown.plot is not None and shown.plot.reference is not None:
                labels = "+.3~f" if shown.plot.low < 0 else ".3~f"
                spec = forest(shown.plot, shown.plot_heading.split("\n"), labels=labels)
                if spec is not None:
                    st.vega_lite_chart(spec=spec, alt="The table has the numbers.")
            report_table(shown)
        case document.Figure():
            for drawn in shown.charts:
                chart(drawn, f"{shown.alt}. The table has the numbers.")
            st.markdown(as_text(shown.caption))
            if shown.table is not None:
                report_table(shown.table)
        case document.Beside():
            for column, one in zip(st.columns(len(shown.blocks)), shown.blocks, strict=True):
                with column:
                    block(one)


def chart(shown: Chart, alt: str, *, height: int = 0) -> None:
    """Show a chart, ``alt`` in words; if it has several named lines, with a legend."""
    named = {one.label for one in shown.series if one.label and one.shape in ("line", "steps")}
    usual = shown.height if shown.framed else max(_LOWEST, _SCALE * shown.height)
    end = shown.x.high if shown.x.scale == "dates" else 0.0
    offset = in_zone(datetime.fromtimestamp(end, UTC), zone()).utcoffset() or timedelta()
    spec = vega_lite(shown, height=height or round(usual), legend=len(named) > 1, offset=offset)
    st.vega_lite_chart(spec=spec, alt=alt)


def rows_table(rows: Iterable[document.Row], columns: document.Columns[document.Row]) -> None:
    """Show a table with a row for each of ``rows``: headings with a function to a cell's text."""
    report_table(document.table_of("", rows, columns))


def report_table(shown: document.Table) -> None:
    """Show a table of a document with its note below; of a wide one, the optional part folded."""
    folds = shown.optional if len(shown.head) > document.IN_SIGHT else ()
    more = [place for place, name in enumerate(shown.head) if name in folds]
    _columns(shown, [place for place in range(len(shown.head)) if place not in more])
    if shown.note:
        st.caption(as_text(shown.note))
    if more:
        with st.expander("More columns"):
            for start in range(0, len(more), _BESIDE):
                _columns(shown, [0, *more[start : start + _BESIDE]])
            for term in shown.terms:
                st.caption(f"{as_text(term.whole)} [All terms](terms)")


def _columns(shown: document.Table, places: Iterable[int]) -> None:
    """Show these columns of a table."""
    cells = {
        as_text(shown.head[place]) or " ": [as_text(row[place]) for row in shown.rows]
        for place in places
    }
    st.table(cells, hide_index=True, border="horizontal")
