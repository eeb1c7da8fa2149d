"""The additions and omissions of an import, row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from app.markdown_text import as_lines, as_text, counted
from app.views.lists import table
from forecasts.common.text import without_formulas
from forecasts.exchange.import_ import Imported
from forecasts.exchange.import_record import Preview

_ROWS = 12  # of a table, which scrolls
_NAMES = 10  # members listed
_ALL = "all"
# The page's choices for the command's options that messages name.
_HERE = {
    "--format": "Format",
    "--column": "Columns",
    "--timezone": "Time zone",
    "--account": "Your name in the file",
    "--vouch": "I vouch for the forecasts’ times",
}


def with_choices(words: str) -> str:
    """Return a message, with a line on the page's choices if it names the command's options."""
    here = [f"“{_HERE[one]}” instead of {one}" for one in _HERE if one in words]
    return f"{words}\nOn this page, use {', '.join(here)}." if here else words


def additions(counts: Imported, printed: int = 0) -> None:
    """Show the numbers of new rows, then how they count and who will see them."""
    numbers = {
        "New questions": counts.questions,
        "Reworded questions": counts.revised,
        "Forecasts": counts.forecasts,
        "Resolutions": counts.resolutions,
        "Evidence": counts.evidence,
        "Articles": counts.articles,
        "Printed scores": printed,
    }
    rows = {name: f"{number:,}" for name, number in numbers.items() if number}
    if rows:
        table({"Adds": list(rows), "Count": list(rows.values())})
    else:
        st.info("Nothing new to import.")
    if counts.unvouched:
        st.caption(
            f"{counts.unvouched:,} forecasts would count as made now, because nobody vouches for "
            "their times."
        )
    if counts.kept_private:
        lack, pages, it = (
            ("lacks", "its page", "it")
            if counts.kept_private == 1
            else ("lack", "their pages", "them")
        )
        st.caption(
            f"{counted(counts.kept_private, 'new question')} {lack} resolution criteria, so only "
            f"you can see {it}. Add criteria on {pages} to show {it} to others."
        )


def rows(preview: Preview) -> None:
    """Show the questions with their changes, the omissions, and the notes of the reader."""
    for note in preview.notes:
        st.caption(as_lines(with_choices(note)))
    _members("New members", preview.new_members)
    _members("Existing members with the same names, who get forecasts", preview.known_members)
    many, out = len(preview.questions) + preview.more, len(preview.left_out) + preview.more_left_out
    changes, left_out = st.tabs([f"Questions ({many:,})", f"Left out ({out:,})"])
    with changes:
        _questions(preview)
    with left_out:
        _left_out(preview)


def _members(said: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
        st.caption(f"{said}: {as_text(', '.join(names[:_NAMES]))}{more}.")


def _questions(preview: Preview) -> None:
    if preview.unchanged:
        as_known = counted(preview.unchanged, "question")
        st.caption(f"Unchanged: {as_known}.")
    if not preview.questions:
        return
    kinds = [_ALL, *dict.fromkeys(str(row.change) for row in preview.questions)]
    kind = st.segmented_control(
        "Show", kinds, default=_ALL, required=True, key="import-kind", label_visibility="collapsed"
    )
    shown = [row for row in preview.questions if kind in (_ALL, row.change)]
    frame = pd.DataFrame(
        {
            "Change": [str(row.change) for row in shown],
            "Question": [row.title for row in shown],
            "New forecasts": [row.forecasts for row in shown],
            "Known": [row.known for row in shown],
            "Details": ["; ".join(row.details) for row in shown],
            "ID": [row.question_id for row in shown],
        }
    )
    if any(_is_web(row.url) for row in shown):  # a spreadsheet has no addresses
        frame["Original"] = [row.url if _is_web(row.url) else None for row in shown]
    st.dataframe(
        frame,
        hide_index=True,
        height=min(len(shown), _ROWS) * 35 + 38,
        alt="The questions of the import with their changes. Sort by any column.",
        column_config={
            "Question": st.column_config.TextColumn(width=330),
            "Known": st.column_config.NumberColumn(help="Forecasts that the ledger has."),
            "Original": st.column_config.LinkColumn(display_text="open"),
        },
    )
    if preview.more:
        st.caption(f"{preview.more:,} more are imported but not listed.")
    _download(frame, "import-questions")


def _left_out(preview: Preview) -> None:
    if not preview.left_out:
        st.caption("Nothing is left out.")
        return
    frame = pd.DataFrame(
        {
            "Place": [one.place for one in preview.left_out],
            "Value": [one.value for one in preview.left_out],
            "Reason": [one.reason for one in preview.left_out],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=min(len(frame), _ROWS) * 35 + 38,
        alt="The parts of the files that are not imported, each with the reason.",
        column_config={"Reason": st.column_config.TextColumn(width=400)},
    )
    if preview.more_left_out:
        st.caption(f"{preview.more_left_out:,} more are not listed.")
    _download(frame, "import-left-out")


def _download(frame: pd.DataFrame, stem: str) -> None:
    st.download_button(
        "Download (CSV)",
        data=_csv(frame),
        file_name=f"{stem}.csv",
        mime="text/csv",
        key=stem,
        on_click="ignore",
    )


def _csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV in which no cell is a formula."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(frame.columns)
    for row in frame.fillna("").itertuples(index=False):
        writer.writerow([without_formulas(cell) if isinstance(cell, str) else cell for cell in row])
    return made.getvalue()


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))
