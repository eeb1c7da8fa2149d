"""The choice of the owner of an imported record, among the members."""

from __future__ import annotations

import streamlit as st

from app.session import my_handle, reading
from forecasts.access.members import handles
from forecasts.access.roles import Rights


def record_owner(key: str, rights: Rights) -> str:
    """Show the members; return the owner of an imported record, '' for the importer.

    Only admins import other members' forecasts. Someone alone in a ledger is not asked.
    """
    if not rights.unrestricted:
        return ""
    me = my_handle()
    with reading() as ledger:
        others = [handle for handle in handles(ledger).values() if handle != me]
    if rights.unshared and not others:
        return ""
    chosen = st.selectbox(
        "Record owner",
        [me, *others],
        key=f"{key}-owner",
        accept_new_options=True,
        help="The member whose account or sheet it is. Type the name of a new member.",
        width=220,
    )
    return "" if chosen in (None, me) else chosen.strip()
