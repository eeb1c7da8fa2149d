"""The form in which something is done to several questions: looked at first, then done."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.markdown_text import as_text, counted, shortened
from app.session import (
    act,
    current_member,
    form_key,
    now,
    reading,
    rights_here,
    shown_errors,
)
from forecasts.access import teams
from forecasts.exchange.export import as_zip, exported
from forecasts.ledger.models import Role
from forecasts.questions.search import Row
from forecasts.questions.standing import QuestionState
from forecasts.updates import bulk
from forecasts.updates.bulk import BulkAction

_EXPORT = "export them as a ledger folder"


def ticked(state: QuestionState) -> None:
    """Show the box by which a question is selected."""
    st.checkbox(
        as_text(shortened(state.text.title, 60)),
        key=_box(state),
        label_visibility="collapsed",
    )


def _box(state: QuestionState) -> str:
    return f"{form_key('several')}-{state.id}"


def do_to(rows: Sequence[Row]) -> None:
    """Show what can be done to the questions of this page that are ticked, and do it."""
    key = form_key("several")
    every = st.container(horizontal=True)
    if every.button("Select all on this page", key=f"{key}-all"):
        for row in rows:
            st.session_state[_box(row.state)] = True
    slugs = [row.state.slug for row in rows if st.session_state.get(_box(row.state))]
    with reading() as ledger:
        rights = rights_here(ledger)
        to_ask = teams.teams_to_ask_in(ledger, rights)
    may = rights.free or rights.general is not Role.viewer or to_ask
    choices = [*(list(BulkAction) if may else []), _EXPORT]
    with st.container(border=True):
        st.markdown(f"**{counted(len(slugs), 'question')} selected.** What shall be done to them?")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox("Act", choices, key=f"{key}-act", width=280)
            what = _what(key, chosen, to_ask)
        if not slugs:
            st.caption("Tick questions below; what would be done to them is shown here first.")
        elif chosen == _EXPORT:
            _export(key, slugs)
        else:
            _confirm(key, BulkAction(chosen), what, slugs)


def _what(key: str, chosen: str, to_ask: list[str]) -> str:
    """Show the field that the act needs; return what it says."""
    if chosen in (BulkAction.tag, BulkAction.untag):
        return st.text_input("Tag", key=f"{key}-tag", placeholder="trade") or ""
    if chosen == BulkAction.family:
        return st.text_input("Family (blank: none)", key=f"{key}-family") or ""
    if chosen == BulkAction.show:
        words = {teams.EVERYONE: "Everyone", teams.ME: "Only its author"}
        return st.selectbox(
            "Who may see them",
            [teams.EVERYONE, *to_ask, teams.ME],
            format_func=lambda who: words.get(who) or as_text(who),
            key=f"{key}-who",
        )
    return ""


def _confirm(key: str, chosen: BulkAction, what: str, slugs: list[str]) -> None:
    """Show what the act would change; do it once that is confirmed."""
    if chosen in (BulkAction.tag, BulkAction.untag) and not what.strip():
        st.caption("Write the tag, and what would change is shown.")
        return
    with shown_errors():
        with reading() as ledger:
            member = current_member(ledger)
            changed = bulk.affected_questions(ledger, chosen, what, slugs, member=member, now=now())
        if not changed:
            st.caption("That would change none of them.")
            return
        titles = "\n".join(f"- {as_text(shortened(s.text.title, 100))}" for s in changed)
        st.markdown(f"This changes {counted(len(changed), 'question')}:\n\n{titles}")
        st.caption("Earlier wordings and forecasts stay readable; nothing of them is rewritten.")
        if st.button(
            f"Do it to {counted(len(changed), 'question')}", key=f"{key}-go", type="primary"
        ):
            with act(key) as doing:
                done = bulk.apply_action(
                    doing.ledger, chosen, what, slugs, member=doing.member, now=doing.now
                )
                doing.say(f"Changed {counted(done, 'question')}.")


def _export(key: str, slugs: list[str]) -> None:
    def archive() -> bytes:
        with reading() as ledger:
            frames, _ = exported(ledger, member=current_member(ledger), now=now(), questions=slugs)
        return as_zip(frames)

    st.download_button(
        f"Download {counted(len(slugs), 'question')} (ZIP)",
        data=archive,
        file_name="ledger-folder.zip",
        mime="application/zip",
        key=f"{key}-export",
        on_click="ignore",
        type="primary",
    )
