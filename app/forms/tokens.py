"""The forms for scripts' tokens and the calendar address, each shown once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.forms.dates import date_field
from app.markdown_text import as_text
from app.session import act, address_of_app, form, form_key, now, page_state
from app.times import day
from app.views.documents import rows_table
from forecasts.access import tokens
from forecasts.agenda import calendar_feed
from forecasts.ledger.models import Token


@dataclass
class Secrets:
    """The tokens and addresses to show once, by their form, each with its name."""

    new: dict[str, tuple[str, str]] = field(default_factory=dict)


def _show_secret(form: str) -> None:
    """Show the form's new secret until the reader has copied it."""
    secrets = page_state(Secrets).new
    place = st.container()  # blank without one: the buttons after it keep their place and focus
    if form not in secrets:
        return
    name, secret = secrets[form]
    with place.container(border=True):
        st.markdown(f"**{as_text(name)}** Copy it now: it is shown only once.")
        st.code(secret, language=None, wrap_lines=True)
        how: Any = {"on_click": secrets.pop, "args": (form, None)}
        st.button("Copied", key=f"copied-{form}", type="primary", **how)


@st.fragment
def token_forms(issued: list[tokens.Held]) -> None:
    """Show the scripts' tokens, and the forms that create and revoke them."""
    st.caption(
        "A script identifies itself with a token in FORECASTS_TOKEN. The ledger stores only its "
        "hash, so each token is shown once."
    )
    _show_secret("token")
    moment = now()
    if issued:
        columns: dict[str, Callable[[tokens.Held], str]] = {
            "Member": lambda one: one.handle,
            "Key": lambda one: one.token.key,
            "Created": lambda one: day(one.token.recorded_at),
            "Expires": lambda one: day(one.token.expires_at) if one.token.expires_at else "never",
            "State": lambda one: one.state(moment),
        }
        rows_table(issued, columns)
    key = form_key("token")
    with st.container(border=True):
        left, right = st.columns([1, 2], gap="small")
        with left:
            until = date_field(
                label="Expires after",
                placeholder="in 3 months",
                help="Blank: valid until revoked.",
                key=f"{key}-until",
                live=True,
            )
        row: Any = {"horizontal": True, "vertical_alignment": "bottom"}
        with right, st.form(key, border=False), st.container(**row):
            handle = st.text_input(
                label="Script name", placeholder="resolver-bot", key=f"{key}-who"
            )
            go = st.form_submit_button("Create token", key=f"{key}-go")
    if go:
        with act(key) as doing:
            ends = until.moment(doing.now)
            made = tokens.create(doing.ledger, handle, expires_at=ends, **doing.by)
            page_state(Secrets).new["token"] = f"Token of {made.member.handle}.", made.secret
    in_force = [one for one in issued if one.state(moment) == "in force"]
    if in_force:
        _revoke({one.token.key: f"{one.handle} · {one.token.key}" for one in in_force})


def _revoke(in_force: dict[str, str]) -> None:
    """Show the form that revokes one of the tokens: the name of each, by its key."""
    with form("revoke", border=True, row=True) as key:
        chosen = st.selectbox("Token", in_force, format_func=in_force.__getitem__, key=f"{key}-key")
        sure = st.checkbox("Refuse it from now on", key=f"{key}-sure")
        go = st.form_submit_button("Revoke", key=f"{key}-go")
    if go and not sure:
        st.warning("Tick the box to confirm. A revoked token cannot be restored.")
    elif go:
        with act(key, f"Revoked {in_force[chosen]}.") as doing:
            tokens.revoke(doing.ledger, chosen, **doing.by)


def calendar_form(feed: Token | None) -> None:
    """Show the reader's calendar feed, and the buttons that create and revoke its address."""
    st.caption(
        "Subscribe in a calendar program to see when your questions close and resolve. Anyone "
        "with the address can read it."
    )
    _show_secret("calendar")
    if feed is not None:
        st.markdown(f"Address created on {day(feed.recorded_at)}.")
    key = form_key("calendar")
    with st.container(horizontal=True):
        label = "New address" if feed else "Create address"
        if st.button(label, key=f"{key}-make", help="Revokes an earlier address."):
            with act(key) as doing:
                made = calendar_feed.create(doing.ledger, **doing.by)
                address = calendar_feed.address(address_of_app(), made.secret)
                page_state(Secrets).new["calendar"] = "Your calendar address.", address
        if feed is not None and st.button("Revoke address", key=f"{key}-revoke"):
            with act(key, "Revoked your calendar address.") as doing:
                calendar_feed.revoke(doing.ledger, **doing.by)
