"""The additions and omissions of an import, row by row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from app.markdown_text import as_lines, as_text, counted, link, shortened
from app.times import day, local_day
from app.views.lists import shown_page, table
from forecasts.common.text import on_one_line, without_formulas
from forecasts.importing.frames import Imported
from forecasts.importing.record import Preview, QuestionRow
from forecasts.platforms.record import Advice

_ROWS = 12  # on a page of a list
_NAMES = 10  # members listed
_ALL = "all"
# The page's fields for the command's options that remedies name.
_HERE = {
    "--format pairs": "“Format: Spreadsheet”",
    "--format": "“Format”",
    "--column": "“Columns”",
    "--timezone": "“Time zone”",
    "--account": "“Your name in the file”",
    "--as": "“Record owner”",
    "--closes": "“Closes”",
    "--aggregates": "“Import the platform’s crowd forecasts, as bots”",
    "--vouch": "“I vouch for the forecasts’ times”",
}
_OPTION = re.compile("|".join([r'--column (?:"([^"]+)"|([^\s":;]+))', *_HERE]))  # longest first


def with_fields(remedy: str) -> str:
    """Return a remedy with the page's fields in place of the command's options.

    Not for words of people: an option in them is theirs. A column's name in ``--column`` may be.

    >>> with_fields('Choose one: --column "made_at=day"; or none: --column "made_at="')
    'Choose one: “Made at: day”; or none: “Made at: none”'
    """
    return _OPTION.sub(_here, remedy)


def _here(option: re.Match[str]) -> str:
    pair = option[1] or option[2]
    return _field(pair) if pair else _HERE[option[0]]


def _field(pair: str) -> str:
    """Return the field of a choice ``ours=theirs``; NAME is any column."""
    ours, _, theirs = pair.partition("=")
    if ours in ("forecaster:HANDLE", "option:NAME"):
        return f"“One column a {ours.partition(':')[0]}”"
    if ours == "scale":
        theirs = f"0 to {theirs}"
    label = ours.replace("_", " ").capitalize()
    return f"“{label}”" if theirs == "NAME" else f"“{label}: {theirs or 'none'}”"


def whose(preview: Preview) -> None:
    """Show the member whose the forecasts become, as a warning if they may be someone else's."""
    remedy = preview.whose.remedy
    said = as_lines(preview.whose.removesuffix(remedy) + with_fields(remedy))
    if remedy:
        st.warning(said)
    elif said:
        st.markdown(said)


def additions(counts: Imported, printed: int = 0) -> None:
    """Show the numbers of new rows, then how they count and who will see them."""
    numbers = {
        "New questions": counts.questions,
        "Reworded questions": counts.revised,
        "Forecasts": counts.made,
        "Withdrawals": counts.withdrawals,
        "Resolutions": counts.resolutions,
        "Evidence": counts.evidence,
        "Articles": counts.articles,
        "Memberships": len(counts.memberships),
        "Printed scores": printed,
    }
    rows = {name: f"{number:,}" for name, number in numbers.items() if number}
    if rows:
        table({"Adds": list(rows), "Count": list(rows.values())})
    else:
        st.info("Nothing new to import.")
    if counts.memberships:
        more = len(counts.memberships) - _ROWS
        listed = [*counts.memberships[:_ROWS], *([f"{more:,} more"] if more > 0 else [])]
        st.caption(as_lines("\n".join(["Memberships:", *map(on_one_line, listed)])))
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
        remedy = note.remedy if isinstance(note, Advice) else ""
        st.caption(as_lines(note.removesuffix(remedy) + with_fields(remedy)))
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
    for row in shown_page(shown, f"import-rows-{kind}", _ROWS):
        parts = [f"**{row.change}**"]
        if row.forecasts:
            parts.append(counted(row.forecasts, "new forecast") + _made(row))
        if row.closes is not None:
            parts.append(f"close {day(row.closes)}")
        if row.closes_in_words:
            parts.append(as_text(f"read from “{row.closes_in_words}” in the title"))
        parts += [as_text(one) for one in row.details]
        if row.known:
            parts.append(f"{row.known:,} known")
        with st.container(gap=None):
            st.markdown(link(row.url, row.title))
            st.caption(" · ".join(parts))
    if preview.more:
        st.caption(f"{preview.more:,} more are imported but not listed.")
    frame = pd.DataFrame(
        {
            "Change": [str(row.change) for row in shown],
            "Question": [row.title for row in shown],
            "New forecasts": [row.forecasts for row in shown],
            "First made": [_iso_day(row.first) for row in shown],
            "Last made": [_iso_day(row.last) for row in shown],
            "Close": [_iso_day(row.closes) for row in shown],
            "Known": [row.known for row in shown],
            "Details": ["; ".join(row.details) for row in shown],
            "ID": [row.question_id for row in shown],
            "Original": [row.url for row in shown],
        }
    )
    _download(frame, "import-questions")


def _made(row: QuestionRow) -> str:
    """Return the days on which the new forecasts of a question were made, after a comma."""
    if row.first is None or row.last is None:
        return ""
    first, last = day(row.first), day(row.last)
    return f", {first}" + (f" to {last}" if last != first else "")


def _iso_day(moment: datetime | None) -> str:
    return "" if moment is None else local_day(moment).isoformat()


def _left_out(preview: Preview) -> None:
    if not preview.left_out:
        st.caption("Nothing is left out.")
        return
    for one in shown_page(preview.left_out, "import-left-out-rows", _ROWS):
        value = f"{shortened(one.value, 200)}: " if one.value else ""
        with st.container(gap=None):
            st.markdown(as_text(f"{value}{one.reason}"))
            st.caption(as_text(one.place))
    if preview.more_left_out:
        st.caption(f"{preview.more_left_out:,} more are not listed.")
    frame = pd.DataFrame(
        {
            "Place": [one.place for one in preview.left_out],
            "Value": [one.value for one in preview.left_out],
            "Reason": [one.reason for one in preview.left_out],
        }
    )
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
