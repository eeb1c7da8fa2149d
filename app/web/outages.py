"""The server's log of outages: a line when the ledger becomes unavailable, and one when it is back.

Pages that find it unavailable try again every few seconds. A traceback for each attempt would hide
everything else in the log, and an outage is not a fault of the app: its reason and its remedy are
known.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from streamlit.logger import get_logger

from forecasts.common.errors import DatabaseError
from forecasts.common.text import on_one_line

_AGAIN = timedelta(minutes=15)  # until a refused act with the same reason is logged again
_UNCAUGHT = "streamlit.error_util"  # the logger of exceptions that reach Streamlit


class Outages:
    """The outages of a process's ledger; ``clock``: this machine's."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._noticed: DatabaseError | None = None
        self._logged: dict[str, datetime] = {}

    def noticed(self, error: DatabaseError, *, readable: bool = False) -> None:
        """Log the reason and the remedy, once for each outage.

        ``readable``: only an act was refused, as on a full disk, or a part was unreadable. Its
        reason is logged again after a while, since the outage has no known end.
        """
        with self._lock:
            if error is self._noticed:  # by all who let it pass
                return
            self._noticed, now = error, self._clock()
            self._logged = {of: at for of, at in self._logged.items() if now - at < _AGAIN}
            if self._since is None and error.message not in self._logged:
                self._logged[error.message] = now
                get_logger(__name__).error("%s", on_one_line(str(error)))
            if not readable and self._since is None:
                self._since = now

    def over(self) -> None:
        """Log that the ledger can be read again, if it could not."""
        with self._lock:
            if self._since is None:
                return
            seconds = (self._clock() - self._since).total_seconds()
            get_logger(__name__).warning("The ledger can be read again, after %.0f s.", seconds)
            self._since = None
            self._logged.clear()


outages = Outages()


def keep_out_of_log() -> None:
    """Let Streamlit log no traceback of an outage, which ``Outages`` logs in a line."""
    logging.getLogger(_UNCAUGHT).addFilter(_is_fault)


def _is_fault(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], DatabaseError))
