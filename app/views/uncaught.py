"""The page after an error that no page has caught."""

from __future__ import annotations

import streamlit as st

from app.session import show
from forecasts.common.errors import DatabaseError
from forecasts.ledger.outages import outages


def went_wrong(error: Exception) -> bool:
    """Show that an unexpected error occurred. Returns True: Streamlit need not show it as well."""
    if isinstance(error, DatabaseError):  # in a fragment, which runs by itself
        outages.noticed(error)
        show(error)
        return True
    if isinstance(error, MemoryError):
        st.error(
            "This needs more memory than the server may take, and nothing was stored. Divide it, "
            "or use the command line: forecasts import."
        )
        return True
    st.error(
        "Something went wrong, and your last action was not saved. Everything confirmed before it "
        "is safe. Reload the page and try again. The server log has the details.",
    )
    return True
