"""The language model on the page Settings: its budget, its accounts, and the texts of each call."""

from __future__ import annotations

import streamlit as st

from app import session
from app.markdown_text import as_text, dotted
from app.times import when
from app.views.widgets import titled
from forecasts.common.text import amount, count
from forecasts.proposals import calls
from forecasts.proposals.accounts import accounts
from forecasts.proposals.endpoint import configured
from forecasts.views import proposals as views
from forecasts.views.model_accounts import account_lines, model_account

_SHOWN = 10  # calls


def model_calls() -> None:
    """Show the model that is set, its budget, its accounts, and the newest calls with their texts.

    Nothing without a model and without calls.
    """
    with session.shown_errors():
        endpoint, now = configured(session.settings()), session.now()
        with session.reading() as ledger:
            reader = session.current_member(ledger)
            found = calls.listing(ledger, reader, now=now, most=_SHOWN)
            listed = [views.call_text(ledger, *one, reader, now=now) for one in found]
            used = None if endpoint is None else calls.used_today(ledger, endpoint, now=now)
        if endpoint is None and not listed:
            return
        titled("Language model", *([count(len(listed), "call")] if listed else []))
        if endpoint is not None and used is not None:
            one = views.settings(endpoint, used)
            budget = f"{one.tokens_used:,} of {one.tokens:,} tokens today"
            cost = f"cost {amount(one.cost_used)}" if one.cost_used or one.cost else ""
            st.caption(dotted(f"{one.model} at {one.host}", budget, cost))
        if listed:
            _accounts()
        for call in listed:
            _call(call)


def _accounts() -> None:
    """Show the account of each model and kind of proposal, once they are opened."""
    with st.expander("Costs and decisions", key="model-accounts", on_change="rerun") as opened:
        if not opened.open:
            return
        with session.reading() as ledger:
            reader = session.current_member(ledger)
            found = [model_account(one) for one in accounts(ledger, reader, now=session.now())]
        for one in found:
            with st.container(gap="xxsmall"):
                st.markdown(f"**{as_text(one.model)}**: {as_text(one.kind)}")
                for line in account_lines(one):
                    st.caption(as_text(line))


def _call(call: views.ModelCallText) -> None:
    """Show a call; its texts once it is opened."""
    label = dotted(f"{call.model}: {call.kind}", views.subject(call), when(call.at))
    with st.expander(label, key=f"model-call-{call.number}", on_change="rerun") as opened:
        if not opened.open:
            return
        st.caption(dotted(f"by {call.by}", *(views.used(call) or ["no answer"])))
        if call.reason:
            st.caption(f":orange[{as_text(call.reason)}]")
        for title, said in (("Sent", call.request), ("Answered", call.answer)):
            st.caption(title)
            st.code(said, language=None, wrap_lines=True)
