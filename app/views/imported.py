"""Imported questions: their platform and original, and the scores that it printed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.markdown_text import as_text, significant
from app.views.lists import table
from forecasts.documents import numbers
from forecasts.ledger.models import QuestionOrigin
from forecasts.questions.origins import in_words, platform_name
from forecasts.scores.printed_scores import Printed


def origin_badges(origins: Sequence[QuestionOrigin]) -> None:
    """Show the platforms that the question was imported from."""
    for one in origins:
        st.badge(as_text(platform_name(one.platform)), color="gray", help="Imported.")


def original_links(origins: Sequence[QuestionOrigin]) -> None:
    """Show each platform's id for the question, with a link to the original."""
    for one in origins:
        name = as_text(in_words(one.platform, one.platform_id))
        if one.url.startswith(("https://", "http://")):
            st.page_link(one.url, label=f"Original: {name}")
        else:
            st.caption(f"Imported from {name}")


def printed_table(printed: Sequence[Printed], *, names: bool) -> None:
    """Show printed scores beside ours; ``names``: with the forecasters."""
    if not printed:
        return
    st.subheader("Printed scores", anchor=False)
    columns = {"Forecaster": [as_text(one.forecaster) for one in printed]} if names else {}
    columns["Score"] = [as_text(f"{platform_name(one.platform)}: {one.name}") for one in printed]
    columns["Printed"] = [significant(one.score) for one in printed]
    columns["Ours"] = [significant(one.ours) for one in printed]
    if any(one.coverage is not None for one in printed):
        columns["Coverage"] = [
            numbers.NOTHING if one.coverage is None else numbers.percent(one.coverage)
            for one in printed
        ]
    table(columns)
    for label, note in {(f"{platform_name(p.platform)}: {p.name}", p.note): None for p in printed}:
        st.caption(f"**{as_text(label)}** {as_text(note)}")
