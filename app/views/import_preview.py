"""The additions and omissions of an import, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from app.markdown_text import as_lines, as_text, link, shortened
from app.remedies import said
from app.times import day, local_day
from app.views.widgets import download, shown_page, switch
from forecasts.common.text import count, on_one_line
from forecasts.documents.as_csv import Columns, as_csv
from forecasts.importing.frames import Imported
from forecasts.importing.record import Preview, QuestionRow
from forecasts.platforms.record import LeftOut

_ROWS = 12  # on a page of a list
_NAMES = 10  # members listed
_ALL = "all"


def whose(preview: Preview) -> None:
    """Show the member whose the forecasts become, as a warning if they may be someone else's."""
    words = as_lines(said(preview.whose))
    if not isinstance(preview.whose, str):
        st.warning(words)
    elif words:
        st.markdown(words)


def added(by: Preview | Imported) -> list[str]:
    """Return the additions of an import, with its printed scores: '28 questions', '3 articles'."""
    counts, printed = (by.counts, by.printed) if isinstance(by, Preview) else (by, 0)
    numbers = {
        "question": counts.questions,
        "new wording": counts.revised,
        "forecast": counts.made,
        "withdrawal": counts.withdrawals,
        "resolution": counts.resolutions,
        "evidence item": counts.evidence,
        "article": counts.articles,
        "membership": len(counts.memberships),
        "printed score": printed,
    }
    return [count(number, thing) for thing, number in numbers.items() if number]


def additions(by: Preview | Imported) -> None:
    """Show the additions of an import, then how it counts and its visibility."""
    counts = by.counts if isinstance(by, Preview) else by
    if adds := added(by):
        st.markdown("Adds " + ", ".join(f"**{one}**" for one in adds) + ".")
    else:
        st.info("Nothing new to import.")
    if counts.memberships:
        more = len(counts.memberships) - _ROWS
        listed = [*counts.memberships[:_ROWS], *([f"{more:,} more"] if more > 0 else [])]
        st.caption(as_lines("\n".join(["Memberships:", *map(on_one_line, listed)])))
    if counts.unvouched:
        st.caption(f"Counted from now, not vouched for: {count(counts.unvouched, 'forecast')}.")
    if counts.wait_note:
        st.caption(counts.wait_note)


def without_criteria(number: int) -> str:
    """Return that only the importer sees so many questions, until they have criteria."""
    lack = "lacks" if number == 1 else "lack"
    return f"{count(number, 'question')} {lack} criteria. Only you see those until you add some."


def rows(preview: Preview) -> None:
    """Show the questions with their changes, the omissions, and the notes of the reader."""
    for remark in preview.notes:
        st.caption(as_lines(said(remark)))
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
        st.caption(f"Unchanged: {count(preview.unchanged, 'question')}.")
    if not preview.questions:
        return
    kinds = [_ALL, *dict.fromkeys(str(row.change) for row in preview.questions)]
    kind = switch("Show", kinds, "import-kind", bind=None, label_visibility="collapsed")
    shown = [row for row in preview.questions if kind in (_ALL, row.change)]
    for row in shown_page(shown, f"import-rows-{kind}", _ROWS):
        parts = [f"**{row.change}**"]
        if row.forecasts:
            parts.append(count(row.forecasts, "new forecast") + _made(row))
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
    _download("import-questions", shown, _QUESTIONS)


def _iso_day(moment: datetime | None) -> str:
    return "" if moment is None else local_day(moment).isoformat()


_QUESTIONS: Columns = {
    "Change": "change",
    "Question": "title",
    "New forecasts": "forecasts",
    "First made": lambda row: _iso_day(row.first),
    "Last made": lambda row: _iso_day(row.last),
    "Close": lambda row: _iso_day(row.closes),
    "Known": "known",
    "Details": "details",
    "ID": "question_id",
    "Original": "url",
}


def _made(row: QuestionRow) -> str:
    """Return the days on which the new forecasts of a question were made, after a comma."""
    if row.first is None or row.last is None:
        return ""
    first, last = day(row.first), day(row.last)
    return f", {first}" + (f" to {last}" if last != first else "")


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
    columns = {"Place": "place", "Value": "value", "Reason": "reason"}
    _download("import-left-out", preview.left_out, columns)


def _download(stem: str, rows: Sequence[QuestionRow | LeftOut], columns: Columns) -> None:
    download("Download (CSV)", as_csv(rows, columns), f"{stem}.csv", key=stem)
