"""The signed-in person, as far as the browser proves it.

Streamlit reads its cookie when a page opens and trusts it until the page closes, even after the ID
token has expired or the person has signed out. Therefore each run and each act checks both.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from forecasts.access import identities
from forecasts.access.identities import Person
from forecasts.access.oidc_settings import configured_sign_in
from forecasts.common.errors import Expired

_SignIn = tuple[Any, ...]


def claims() -> dict[str, Any]:
    """Return the provider's claims about the person; empty if not signed in."""
    all_claims = dict(st.user.to_dict())
    return all_claims if all_claims.get("is_logged_in") else {}


def person(now: datetime) -> Person | None:
    """Return the signed-in person; None if the ledger has no sign-in.

    Expired if they have not signed in, or no longer are; Forbidden if they may not enter.
    """
    chosen = configured_sign_in()
    if chosen is None:
        return None
    current = claims()
    if not current:
        raise Expired("You have not signed in.")
    if _sign_in_of(current) in _signed_out():
        raise Expired("You have signed out.")
    return identities.verified_person(current, chosen, now=now)


def sign_out() -> None:
    """End the sign-in of this browser, in its other tabs too."""
    current = claims()
    if current:
        _signed_out().add(_sign_in_of(current))
    st.logout()


@st.cache_resource
def _signed_out() -> set[_SignIn]:
    """Return the sign-ins ended since the server started."""
    return set()


def _sign_in_of(current: dict[str, Any]) -> _SignIn:
    """Return the claims that distinguish one sign-in of a person from another."""
    return tuple(current.get(name) for name in ("iss", "sub", "nonce", "iat", "exp"))
