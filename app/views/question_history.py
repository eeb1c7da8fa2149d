"""A question's history, newest first: reasons, forecasts, resolutions, wordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise

import streamlit as st

from app.markdown_text import as_text, dotted, link, paragraphs, reworded, shortened
from app.session import reading
from app.times import published, when
from app.views.documents import rows_table
from app.views.widgets import download, note_and_source, shown_page
from forecasts.common.limits import EXHIBIT_BYTES
from forecasts.documents.numbers import column, signed
from forecasts.ledger.models import Citation, Evidence, Exhibit, Forecast, QuestionRevision
from forecasts.questions import revisions
from forecasts.resolution import history, kept_evidence
from forecasts.scores.stored_scores import CRPS
from forecasts.updates.comments import Remark, by_forecast, reasons
from forecasts.updates.evidence import format_citation
from forecasts.updates.updates import Move, moves
from forecasts.values.value import format_leaders, format_origin, format_value

PER_PAGE = 15
HIDDEN = "Other forecasts appear once you have forecast, or when the question closes."
_LONG = 1_000  # characters of a text that is folded
Cited = Mapping[int, list[tuple[Citation, Evidence]]]  # by forecast
Explained = Mapping[int, list[Remark]]  # by forecast


def discussion_entries(
    forecasts: list[tuple[Forecast, str]], remarks: list[Remark]
) -> list[Move | Remark]:
    """Return the forecasts with reasons and the other comments, newest first."""
    explained = by_forecast(remarks)
    given: list[tuple[datetime, Move | Remark]] = [
        (one.forecast.made_at, one) for one in moves(forecasts) if reasons(one.forecast, explained)
    ]
    given += [(row.comment.recorded_at, row) for row in remarks if row.comment.forecast_id is None]
    return [one for _, one in sorted(given, key=lambda one: one[0], reverse=True)]


def discussion(
    entries: Sequence[Move | Remark],
    explained: Explained,
    cited: Cited,
    text: QuestionRevision,
    *,
    hidden: bool,
) -> None:
    """Show the entries: reasons, each with the change it explains, and comments.

    ``hidden``: those of others are hidden from the reader.
    """
    for one in shown_page(entries, "discussion", PER_PAGE):
        with st.container(border=True, gap="xsmall"):
            if isinstance(one, Remark):
                _words(one.comment.text)
                private = "private" if one.comment.private else ""
                st.caption(dotted(one.author.handle, when(one.comment.recorded_at), private))
                continue
            steps = [each for each in (one.before, one.forecast) if each is not None]
            change = " → ".join(format_leaders(each, text.options, 5) for each in steps)
            said = f"{as_text(one.handle)}: {as_text(change)} · {when(one.forecast.made_at)}"
            _reasons(one.forecast, said, explained, cited, text)
    if not entries:
        none = "No reasons or comments yet. A reason given with a forecast appears here."
        st.caption(HIDDEN if hidden else none)


def _words(text: str) -> None:
    """Show a text; of a long one, as bots write it, the beginning, with the rest folded."""
    if len(text) <= _LONG:
        st.markdown(paragraphs(text))
        return
    st.markdown(as_text(shortened(text, _LONG // 2)))
    with st.expander("Full text"):
        st.markdown(paragraphs(text))


def forecast_list(
    forecasts: list[tuple[Forecast, str]],
    explained: Explained,
    cited: Cited,
    text: QuestionRevision,
    *,
    hidden: bool,
) -> None:
    """Show every forecast with its reasons and evidence. ``hidden``: as in ``discussion``."""
    for forecast, handle in shown_page(forecasts[::-1], "history", PER_PAGE):
        with st.container(border=True, gap="xsmall"):
            value = as_text(format_value(forecast, text.options))
            st.markdown(f"**{as_text(handle)}** — {value}")
            said = dotted(when(forecast.made_at), format_origin(forecast.origin))
            _reasons(forecast, said, explained, cited, text)
    if not forecasts:
        st.caption(HIDDEN if hidden else "No forecasts yet. They appear here with their evidence.")


def _reasons(
    forecast: Forecast, said: str, explained: Explained, cited: Cited, text: QuestionRevision
) -> None:
    """Show the forecast's reasons, then ``said``, then its evidence with stance and publisher."""
    for reason in reasons(forecast, explained):
        _words(reason)
    st.caption(said)
    for citation, evidence in cited.get(forecast.id, []):
        named = evidence.title or evidence.note or evidence.url or ""
        details = dotted(evidence.publisher, published(evidence.published_at))
        stance = format_citation(citation, text.type)
        line = f"- *{stance}*: {link(evidence.url, shortened(named, 300))}"
        st.markdown(f"{line} ({details})" if details else line)


def resolution_list(steps: list[history.Step]) -> None:
    """Show the steps to the question's outcome, with disputes, corrections and kept evidence."""
    for step in steps:
        row = step.row
        at = history.dated(row, when)
        superseded = " · superseded" if step.superseded else ""
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{row.state}: {as_text(row.outcome)}**{at}")
            st.caption(f"{when(row.recorded_at)} · {as_text(step.actor)}{superseded}")
            if step.corrects is not None:
                corrected = history.correction(step.corrects, row, when)
                st.markdown(f"*corrected*: {as_text(corrected)}")
            note_and_source(row.note, row.source)
            for dispute, who in step.disputes:
                act = "disputed" if dispute.answers_id is None else "upheld"
                st.markdown(f"*{act}* {when(dispute.recorded_at)} by {as_text(who)}")
                note_and_source(dispute.reason)
            if step.exhibits:
                _evidence(step)
            if step.superseded:
                _rescored(step)
    if not steps:
        st.caption("No outcome yet. Proposals and resolutions appear here.")


def _evidence(step: history.Step) -> None:
    """Show the evidence a resolver used, with a download of each kept copy."""
    with st.expander(f"Resolver’s evidence ({len(step.exhibits)})"):
        for exhibit in step.exhibits:
            st.markdown(link(exhibit.address, shortened(exhibit.address, 200)))
            st.caption(f"{when(exhibit.at)} · {exhibit.size:,} bytes · SHA-256 {exhibit.sha256}")
            if exhibit.size > EXHIBIT_BYTES:
                st.caption("Too large to keep. The hash shows whether a copy is the same.")
                continue
            # A file to save, whatever type the server gave.
            how = {"key": f"exhibit-{exhibit.id}", "mime": "application/octet-stream"}
            name = kept_evidence.file_name(exhibit)
            download("Download", partial(_content, exhibit), name, **how)


def _content(exhibit: Exhibit) -> bytes:
    with reading() as ledger:
        return kept_evidence.content(ledger, exhibit) or b""


def _rescored(step: history.Step) -> None:
    """Show the scores of a superseded resolution beside the current ones."""
    with st.expander("Scores before and after"):
        if not step.rescored:
            st.caption("Neither resolution gave anyone a score.")
            return
        columns: dict[str, Callable[[history.Rescored], str]] = {
            "Forecaster": lambda row: row.forecaster,
            "Before (0–1)": column(step.rescored, lambda row: row.before),
            "Now (0–1)": column(step.rescored, lambda row: row.now),
            "Difference": column(step.rescored, lambda row: row.difference, signed),
        }
        rows_table(step.rescored, columns)
        rule = "CRPS" if step.rescored[0].protocol == CRPS else "Brier score"
        st.caption(f"{rule}: 0 is best, so a difference below 0 is an improvement.")


def wording_list(rows: Sequence[QuestionRevision], handles: Mapping[int, str]) -> None:
    """Show each wording with its changes, and the full text of earlier ones."""
    with reading() as ledger:
        steps = [revisions.named_changes(ledger, *pair) for pair in pairwise(rows)]
    for changes, row in reversed(list(zip([None, *steps], rows, strict=True))):
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{row.number}. {as_text(row.title)}**")
            st.caption(dotted(when(row.recorded_at), handles.get(row.member_id), row.reason))
            if changes is None:
                st.caption(f"closes {when(row.scheduled_close_time)}")
            else:
                wording_changes(changes)
            if row is not rows[-1]:
                with st.expander("Full text"):
                    _full_text(row)


def wording_changes(changes: list[revisions.Change]) -> None:
    """Show the changed fields of a wording, as a word diff where the texts are similar."""
    struck = False
    for change in changes:
        before, after = change.formatted(when)
        is_text = isinstance(change.before, str) and isinstance(change.after, str)
        diff = reworded(before, after) if is_text else None
        struck = struck or diff is not None
        st.markdown(f"*{change.name}*: {diff or f'{as_text(before)} → {as_text(after)}'}")
    if struck:
        st.caption("Struck through: removed. Bold: added.")


def _full_text(row: QuestionRevision) -> None:
    """Show a wording from title to background."""
    st.markdown(f"**{as_text(row.title)}**")
    parts = {
        "Options": ", ".join(row.options or []),
        "Closes": when(row.close_time),
        "Resolution criteria": row.resolution_criteria,
        "Fine print": row.fine_print,
        "Background": row.background,
    }
    for heading, content in parts.items():
        if content.strip():
            st.caption(heading)
            st.markdown(paragraphs(content))
