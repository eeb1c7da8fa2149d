"""Who has signed in at this screen, as far as the browser proves it.

Streamlit reads its cookie when a page is opened and believes it until that is closed, whatever the
ID token says and whoever signs out meanwhile; so both are looked at in each run and in each act.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from forecasts.access import identities, oidc_settings
from forecasts.access.identities import Person
from forecasts.common.errors import Expired

_Sign = tuple[Any, ...]


def rules() -> oidc_settings.SignIn | None:
    """Return how people sign in; None where nobody does."""
    return oidc_settings.configured_sign_in()


def claims() -> dict[str, Any]:
    """Return what the provider said of who sits here; empty where they have not signed in."""
    said = dict(st.user.to_dict())
    return said if said.get("is_logged_in") else {}


def person(now: datetime) -> Person | None:
    """Return who has signed in here; None where nobody does in this ledger.

    Expired where they have not, or no longer; Forbidden where they may not come in.
    """
    chosen = rules()
    if chosen is None:
        return None
    said = claims()
    if not said:
        raise Expired("You have not signed in.")
    if _sign(said) in _signed_out():
        raise Expired("You have signed out.")
    return identities.verified_person(said, chosen, now=now)


def sign_out() -> None:
    """End the sign-in of this browser, in its other tabs as well."""
    said = claims()
    if said:
        _signed_out().add(_sign(said))
    st.logout()


@st.cache_resource
def _signed_out() -> set[_Sign]:
    """Return the sign-ins that were ended since this server was started."""
    return set()


def _sign(said: dict[str, Any]) -> _Sign:
    """Return what tells one sign-in of a person from another."""
    return tuple(said.get(name) for name in ("iss", "sub", "nonce", "iat", "exp"))
