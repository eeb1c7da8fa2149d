"""The signed-in person, as far as the browser proves it.

Streamlit reads its cookie when a page opens and trusts it until the page closes, even after the ID
token has expired or the person has signed out. Therefore each run and each act checks both: the
sign-ins that have ended are in the ledger, for every server that shares it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st
from sqlmodel import Session

from forecasts.access import identities
from forecasts.access.identities import Person
from forecasts.access.oidc_settings import configured_sign_in
from forecasts.common.errors import Expired


def claims() -> dict[str, Any]:
    """Return the provider's claims about the person; empty if not signed in."""
    all_claims = dict(st.user.to_dict())
    return all_claims if all_claims.get("is_logged_in") else {}


def person(ledger: Session, now: datetime) -> Person | None:
    """Return the signed-in person; None if the ledger has no sign-in.

    Expired if they have not signed in, or no longer are; Forbidden if they may not enter.
    """
    chosen = configured_sign_in()
    if chosen is None:
        return None
    current = claims()
    if not current:
        raise Expired("You have not signed in.")
    if identities.has_ended(ledger, current):
        raise Expired("You have signed out.")
    return identities.verified_person(current, chosen, now=now)
