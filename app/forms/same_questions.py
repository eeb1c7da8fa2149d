"""Pairs of questions that may be the same: join them, or say that they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain

import streamlit as st
from sqlmodel import Session

from app.markdown_text import as_text, shortened
from app.session import Undo, act, form_key, ledger_url, now, reading
from app.times import day, when
from app.views.widgets import question_line, shown_page
from forecasts.common.text import count
from forecasts.questions import families
from forecasts.questions.origins import origins, platform_name
from forecasts.questions.same_questions import SamePair, same_pairs
from forecasts.scores import ledger_frames as frames
from forecasts.views.ties import if_late

_SHOWN = 25  # pairs a page
_MOST = 1000  # pairs looked for
_AGAIN = "The pairs are proposed again."


@st.cache_data(show_spinner="Comparing titles …", ttl=timedelta(minutes=10), max_entries=16)
def _pairs(
    url: str, written: tuple[int, ...], only: Sequence[str] | None, _ledger: Session
) -> list[SamePair]:
    return same_pairs(_ledger, now=now(), only=only, most=_MOST)


def same_questions(only: Sequence[str] | None = None) -> None:
    """Show the proposed pairs, or those with one of the slugs ``only``."""
    with reading() as ledger:
        written = (*frames.revision(ledger), families.judgements(ledger))
        pairs = _pairs(ledger_url(), written, only, ledger)
        found = origins(ledger, [one.id for pair in pairs for one in (pair.one, pair.other)])
    platforms = {
        id_: ", ".join(platform_name(one.platform) for one in rows) for id_, rows in found.items()
    }
    st.subheader("Duplicates", anchor=False)
    if not pairs:
        st.caption("No two questions look the same.")
        return
    st.caption(
        f"{count(len(pairs), 'pair')} may be the same question. Reports count a pair once, unless "
        "you separate it before one closes. Identical ones are preselected; compare the criteria."
    )
    _choice(pairs, platforms)


# A fragment: a tick is quick, and the pairs stay those that the reader has seen.
@st.fragment
def _choice(pairs: Sequence[SamePair], platforms: Mapping[int, str]) -> None:
    """Show a page of pairs with checkboxes, and the decisions on the selected ones."""
    key = form_key("same")
    every, listed = st.container(horizontal=True), st.container(gap="small")
    shown = shown_page(pairs, "same-page", _SHOWN)
    for pair in shown:
        st.session_state.setdefault(_box(pair), pair.is_identical)
    for label, ticked in (("Select all shown", True), ("Select none", False)):
        if every.button(label, key=f"same-all-{ticked}"):
            st.session_state.update({_box(pair): ticked for pair in shown})
    with listed:
        chosen = [pair for pair in shown if _pair(pair, platforms)]
    with st.container(horizontal=True):
        label, none = f"Join {len(chosen)} selected", not chosen
        same = st.button(label, key=f"{key}-yes", type="primary", disabled=none)
        differ = st.button("Not the same", key=f"{key}-no", disabled=none)
    if same or differ:
        with act(key) as doing:
            joined: Sequence[families.Joined] = ()
            if same:
                joined = families.join_pairs(doing.ledger, chosen, **doing.by)
            else:
                families.tell_pairs_apart(doing.ledger, chosen, **doing.by)
            several = chosen[1:]
            named = count(len(chosen), "pair") if several else " and ".join(chosen[0].slugs)
            changed = [tuple(each.before) for each in joined] or [pair.slugs for pair in chosen]
            late = if_late(doing.ledger, {*chain.from_iterable(changed)}, now=doing.now)
            doing.say(
                f"{'Joined' if joined else 'Not the same'}: {named}. {late}".rstrip(),
                Undo(_AGAIN, partial(_undo, chosen, joined)),
            )


def _box(pair: SamePair) -> str:
    return f"same-{pair.one.id}-{pair.other.id}"


def _pair(pair: SamePair, platforms: Mapping[int, str]) -> bool:
    """Show two questions; return whether they are selected."""
    closes = [state.text.scheduled_close_time for state in (pair.one, pair.other)]
    # Two times on one day would look like the same close.
    shown = when if closes[0] != closes[1] and day(closes[0]) == day(closes[1]) else day
    with st.container(border=True, horizontal=True, gap="small"):
        ticked = st.checkbox(
            f"Select: {as_text(shortened(pair.one.text.title, 60))}",
            key=_box(pair),
            label_visibility="collapsed",
            persist_state="session",
        )
        with st.container(gap="xsmall"):
            for state, close in zip((pair.one, pair.other), closes, strict=True):
                where = as_text(platforms.get(state.id, "this ledger"))
                question_line(state, f"{where} · closes {shown(close)}")
    return ticked


def _undo(pairs: Sequence[SamePair], joined: Sequence[families.Joined]) -> None:
    """Undo the decision on the pairs; ``joined``: none if they are not the same."""
    with act(form_key("same-undo")) as doing:
        for one in reversed(joined):
            families.leave_family(doing.ledger, one, **doing.by)
        if not joined:
            families.tell_pairs_apart(doing.ledger, pairs, apart=False, **doing.by)
        doing.say("Undone.")
