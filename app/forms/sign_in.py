"""The way in: whoever has not signed in sees this and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from app.markdown_text import as_text
from app.session import (
    engine,
    memory,
    my_handle,
    now,
    reading,
    show,
)
from app.web import identity
from app.web.middleware import FAILED
from forecasts.access import identities
from forecasts.access.oidc_settings import SignIn
from forecasts.common.errors import Expired, Forbidden
from forecasts.ledger import database


def enter() -> bool:
    """Return whether somebody is in, who becomes a member with that; else show the way in.

    DatabaseError where the ledger cannot be used.
    """
    rules = identity.rules()
    if rules is None:
        return True
    moment = now()
    try:
        who = identity.person(moment)
    except Forbidden as error:
        _offer(rules, error)
        return False
    assert who is not None
    with reading() as ledger:
        member = identities.member_of(ledger, who)
    if member is None:
        with database.writing(engine()) as ledger:
            member = identities.admit(ledger, who, now=moment)
    memory().handle = member.handle
    return True


def _offer(rules: SignIn, error: Forbidden) -> None:
    """Show why somebody is not in, and the way."""
    st.title("Forecast Ledger", anchor=False)
    if FAILED in st.query_params:
        del st.query_params[FAILED]
        st.error(
            "Signing in did not work: the provider refused it, or what it said could not be "
            "checked. Try again; the log of the server says more."
        )
        _button(rules, "Sign in")
    elif isinstance(error, Expired):
        st.info(as_text(error.message))
        _button(rules, "Sign in")
    else:
        show(error)
        _button(rules, "Sign in as somebody else")


def _button(rules: SignIn, label: str) -> None:
    """Show what leads to the provider; elsewhere than at its own address the app leads there."""
    here = urlsplit(st.context.headers.get("Origin") or rules.base)
    if here.netloc == urlsplit(rules.base).netloc:
        st.button(label, type="primary", on_click=st.login)
    else:
        st.link_button(f"Go to {as_text(rules.base)} to sign in", rules.base)


def way_out() -> None:
    """Show who sits here, and how they sign out where they have signed in."""
    said = f"You forecast as {as_text(my_handle())}. All times are UTC."
    if identity.rules() is None:
        st.caption(said)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(said, width="content")
        st.button("Sign out", type="tertiary", on_click=identity.sign_out)
