"""The server's log of outages: a line when the ledger becomes unavailable, and one when it is back.

Pages and bots that find it unavailable try again every few seconds. A traceback for each attempt
would hide everything else in the log, and an outage is not a fault of the server: its reason and
its remedy are known.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from forecasts.common.errors import DatabaseError
from forecasts.common.text import on_one_line

_AGAIN = timedelta(minutes=15)  # until a refused act with the same reason is logged again
_log = logging.getLogger(__name__)


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
                _log.error("%s", on_one_line(str(error)))
            if not readable and self._since is None:
                self._since = now

    def over(self) -> None:
        """Log that the ledger can be read again, if it could not."""
        with self._lock:
            if self._since is None:
                return
            seconds = (self._clock() - self._since).total_seconds()
            _log.warning("The ledger can be read again, after %.0f s.", seconds)
            self._since = None
            self._logged.clear()

    @contextmanager
    def watched(self) -> Iterator[Callable[[], None]]:
        """Log an outage that ends the block, which calls the yielded function once it has read."""
        readable = False

        def read() -> None:
            nonlocal readable
            readable = True
            self.over()

        try:
            yield read
        except DatabaseError as error:
            self.noticed(error, readable=readable)
            raise


outages = Outages()
