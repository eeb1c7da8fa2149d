"""Pairs of questions that may be the same on two platforms: join them, or say that they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import streamlit as st
from sqlmodel import Session

from app.markdown_text import as_text, counted
from app.session import act, form_key, ledger_url, now, page_state, reading
from app.times import day
from app.views.links import question_link
from forecasts.questions.families import (
    Joined,
    SamePair,
    join_family,
    judgements,
    leave_family,
    same_pairs,
    tell_apart,
)
from forecasts.questions.origins import origins, platform_name
from forecasts.scores import frames

_SHOWN = 5  # pairs at a time
_MOST = 100  # pairs looked for


@dataclass
class Judged:
    """The last decision in this browser session, which can be taken back."""

    pair: tuple[str, str] = ("", "")
    joined: Joined | None = None


@st.cache_data(show_spinner="Comparing titles …", ttl=timedelta(minutes=10), max_entries=16)
def _pairs(
    url: str, written: tuple[int, ...], only: Sequence[str] | None, _ledger: Session
) -> list[SamePair]:
    return same_pairs(_ledger, now=now(), only=only, most=_MOST)


def same_questions(only: Sequence[str] | None = None) -> None:
    """Show the proposed pairs, those with one of the slugs ``only``, and the last decision."""
    with reading() as ledger:
        written = (*frames.revision(ledger), judgements(ledger))
        pairs = _pairs(ledger_url(), written, only, ledger)
        found = origins(ledger, [one.id for pair in pairs for one in (pair.one, pair.other)])
    platforms = {
        id_: ", ".join(platform_name(one.platform) for one in rows) for id_, rows in found.items()
    }
    st.subheader("Same questions", anchor=False)
    _undo()
    if not pairs:
        st.caption("No two questions of different platforms look the same.")
        return
    st.caption(
        f"{counted(len(pairs), 'pair')} may be the same question on two platforms. In one family, "
        "reports count them once. Compare the criteria before you decide."
    )
    for pair in pairs[:_SHOWN]:
        _pair(pair, platforms)
    if len(pairs) > _SHOWN:
        st.caption(f"{len(pairs) - _SHOWN:,} more follow once you have decided on these.")


def _pair(pair: SamePair, platforms: dict[int, str]) -> None:
    """Show two questions and the decisions on them."""
    slugs = pair.one.slug, pair.other.slug
    key = form_key(f"same-{pair.one.id}-{pair.other.id}")
    with st.container(border=True, gap="xsmall"):
        for state in (pair.one, pair.other):
            question_link(state)
            where = as_text(platforms.get(state.id, "this ledger"))
            st.caption(f"{where} · closes {day(state.text.scheduled_close_time)}")
        with st.container(horizontal=True):
            same = st.button("Same question", key=f"{key}-yes")
            differ = st.button("Not the same", key=f"{key}-no")
    judged = page_state(Judged)
    if same:
        with act(key) as doing:
            judged.joined = join_family(doing.ledger, slugs, **doing.by)
            judged.pair = slugs
            doing.say(f"In one family: {judged.joined.family}.")
    if differ:
        with act(key) as doing:
            tell_apart(doing.ledger, *slugs, **doing.by)
            judged.pair, judged.joined = slugs, None
            doing.say("Not proposed again.")


def _undo() -> None:
    """Show the last decision with a button that takes it back."""
    judged, key = page_state(Judged), form_key("same-undo")
    if not judged.pair[0]:
        return
    decision = "are in one family" if judged.joined else "are not the same"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(as_text(f"{' and '.join(judged.pair)} {decision}."), width="content")
        undo = st.button("Undo", key=f"{key}-go")
    if undo:
        with act(key) as doing:
            if judged.joined:
                leave_family(doing.ledger, judged.joined, **doing.by)
            else:
                tell_apart(doing.ledger, *judged.pair, apart=False, **doing.by)
            judged.pair = ("", "")
            doing.say("Undone.")
