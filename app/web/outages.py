"""Outages of the ledger in Streamlit's log: in its form, and without tracebacks."""

from __future__ import annotations

import logging

from streamlit.logger import get_logger

from forecasts.common.errors import DatabaseError
from forecasts.ledger import outages

_UNCAUGHT = "streamlit.error_util"  # the logger of exceptions that reach Streamlit


def keep_out_of_log() -> None:
    """Let Streamlit log no traceback of an outage, which ``Outages`` logs in a line."""
    get_logger(outages.__name__)  # which gives that line Streamlit's form
    logging.getLogger(_UNCAUGHT).addFilter(_is_fault)


def _is_fault(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], DatabaseError))
