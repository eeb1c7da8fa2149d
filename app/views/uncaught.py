"""Errors that no page has caught: the page after one, and outages in Streamlit's log."""

from __future__ import annotations

import logging

import streamlit as st
from streamlit.logger import get_logger

from app.session import show
from forecasts.common.errors import DatabaseError
from forecasts.ledger import outages as ledger_outages
from forecasts.ledger.outages import outages

_UNCAUGHT = "streamlit.error_util"  # the logger of exceptions that reach Streamlit


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


def keep_out_of_log() -> None:
    """Let Streamlit log no traceback of an outage, which ``Outages`` logs in a line."""
    get_logger(ledger_outages.__name__)  # which gives that line Streamlit's form
    logging.getLogger(_UNCAUGHT).addFilter(is_fault)


def is_fault(record: logging.LogRecord) -> bool:
    """Return whether a record in the log is of a fault, not of an outage."""
    return not (record.exc_info and isinstance(record.exc_info[1], DatabaseError))
