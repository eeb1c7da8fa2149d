"""The form that changes or exports several questions at once, after a preview."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.forms.question import audience_field, may_ask
from app.markdown_text import as_text, shortened
from app.session import act, current_member, form_key, now, reading, rights_here, shown_errors
from app.views.downloads import ledger_folder_button
from forecasts.access import teams
from forecasts.common.text import count
from forecasts.questions.search import Row
from forecasts.questions.standing import QuestionState
from forecasts.updates import bulk
from forecasts.updates.bulk import BulkAction

_EXPORT = "export as a ledger folder"


def ticked(state: QuestionState) -> None:
    """Show the checkbox that selects a question."""
    label = as_text(shortened(state.text.title, 60))
    st.checkbox(label, key=_box(state), label_visibility="collapsed")


def _box(state: QuestionState) -> str:
    return f"{form_key('several')}-{state.id}"


def do_to(rows: Sequence[Row]) -> None:
    """Show the actions for the selected questions of this page, and carry one out."""
    key = form_key("several")
    every = st.container(horizontal=True)
    if every.button("Select all on this page", key=f"{key}-all"):
        for row in rows:
            st.session_state[_box(row.state)] = True
    slugs = [row.state.slug for row in rows if st.session_state.get(_box(row.state))]
    with reading() as ledger:
        rights = rights_here(ledger)
        to_ask = teams.teams_to_ask_in(ledger, rights)
    choices = [*(list(BulkAction) if may_ask(rights, to_ask) else []), _EXPORT]
    with st.container(border=True):
        st.markdown(f"**{count(len(slugs), 'question')} selected**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            label = "Action for selected questions"
            chosen = st.selectbox(label, choices, key=f"{key}-act", width=280)
            argument = _argument(key, chosen, to_ask)
        if not slugs:
            st.caption("Tick questions below. You see a preview before anything changes.")
        elif chosen == _EXPORT:
            label = f"Download {count(len(slugs), 'question')} (ZIP)"
            ledger_folder_button(label, key=f"{key}-export", questions=slugs, primary=True)
        else:
            _confirm(key, BulkAction(chosen), argument, slugs)


def _argument(key: str, chosen: str, to_ask: list[str]) -> str:
    """Show the action's field, if it has one; return its content."""
    if chosen in (BulkAction.tag, BulkAction.untag):
        return st.text_input("Tag", key=f"{key}-tag", placeholder="trade")
    if chosen == BulkAction.family:
        return st.text_input("Family (blank: none)", key=f"{key}-family")
    if chosen == BulkAction.show:
        return audience_field(to_ask, "Only its author", index=0, key=f"{key}-who") or ""
    return ""


def _confirm(key: str, chosen: BulkAction, argument: str, slugs: list[str]) -> None:
    """Show the action's preview; carry it out once confirmed."""
    if chosen in (BulkAction.tag, BulkAction.untag) and not argument.strip():
        st.caption("Type a tag to see a preview.")
        return
    with shown_errors():
        with reading() as ledger:
            me = current_member(ledger)
            changed = bulk.affected_questions(ledger, chosen, argument, slugs, member=me, now=now())
        if not changed:
            st.caption("This changes none of the selected questions.")
            return
        titles = "\n".join(f"- {as_text(shortened(s.text.title, 100))}" for s in changed)
        changes = count(len(changed), "question")
        st.markdown(f"This changes {changes}:\n\n{titles}")
        st.caption("Earlier wordings and forecasts are kept.")
        if st.button(f"Change {changes}", key=f"{key}-go", type="primary"):
            with act(key) as doing:
                done = bulk.apply_action(doing.ledger, chosen, argument, slugs, **doing.by)
                doing.say(f"Changed {count(done, 'question')}.")
