"""Sign-in and sign-out. Without a sign-in, a visitor sees only this."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from app.markdown_text import as_text
from app.session import engine, memory, my_handle, now, person, read_preferences, show, sign_out
from app.times import zone_name
from app.web.middleware import FAILED
from forecasts.access import identities
from forecasts.access.oidc_settings import SignIn, configured_sign_in
from forecasts.common.errors import Expired, Forbidden
from forecasts.ledger import database
from forecasts.ledger.clock import act_time


def enter() -> bool:
    """Return whether the visitor may enter, else show the sign-in. New visitors become members.

    A member's settings for pages are read on entry. DatabaseError if the ledger is unavailable.
    """
    rules = configured_sign_in()
    if rules is not None and not _signed_in(rules):
        return False
    if memory().preferences is None:
        with database.reading(engine()) as ledger:
            read_preferences(ledger)
    return True


def _signed_in(rules: SignIn) -> bool:
    try:
        with database.reading(engine()) as ledger:
            who = person(ledger, now())
            assert who is not None
            member = identities.member_of(ledger, who)
    except Forbidden as error:
        _offer(rules, error)
        return False
    if member is None:
        with database.writing(engine(), now) as ledger:
            member = identities.admit(ledger, who, now=act_time(ledger))
    memory().handle = member.handle
    return True


def _offer(rules: SignIn, error: Forbidden) -> None:
    """Show why the visitor is not signed in, and the button."""
    st.title("Forecast Ledger", anchor=False)
    if FAILED in st.query_params:
        del st.query_params[FAILED]
        st.error(
            "Sign-in failed: the provider refused it, or its answer was invalid. Try again. The "
            "server log has the details."
        )
        _button(rules, "Sign in")
    elif isinstance(error, Expired):
        st.info(as_text(error.message))
        _button(rules, "Sign in")
    else:
        show(error)
        _button(rules, "Sign in as someone else")


def _button(rules: SignIn, label: str) -> None:
    """Show the button to the provider; at another host name, a link to the app's own address."""
    here = urlsplit(st.context.headers.get("Origin") or rules.base)
    if here.netloc == urlsplit(rules.base).netloc:
        st.button(label, type="primary", on_click=st.login)
    else:
        st.link_button(f"Go to {as_text(rules.base)} to sign in", rules.base)


def way_out() -> None:
    """Show the current member, and the sign-out button if the ledger uses sign-in."""
    footer = f"You forecast as {as_text(my_handle())}. Times: {as_text(zone_name())}."
    if configured_sign_in() is None:
        st.caption(footer)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(footer, width="content")
        st.button("Sign out", type="tertiary", on_click=sign_out)
