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
from weakref import WeakSet

from forecasts.common.errors import DatabaseError
from forecasts.common.text import on_one_line
from forecasts.ledger.driver_errors import is_lost

_AGAIN = timedelta(minutes=15)  # until a refused act with the same reason is logged again
_log = logging.getLogger(__name__)


class Outages:
    """The outages of a process's ledger; ``clock``: this machine's."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: datetime | None = None
        self._ended = 0  # outages
        self._noticed: WeakSet[DatabaseError] = WeakSet()
        self._logged: dict[str, datetime] = {}

    def noticed(self, error: DatabaseError, *, readable: bool = False) -> None:
        """Log the reason and the remedy, once for each outage.

        ``readable``: only an act was refused, as on a full disk, or a part was unreadable. Its
        reason is logged again after a while, since the outage has no known end. One that broke the
        connection is the outage itself, whatever it interrupted.
        """
        self._notice(error, readable, None)

    def _notice(self, error: DatabaseError, readable: bool, ended: int | None) -> None:
        """Log an error of an attempt that began when so many outages had ended."""
        with self._lock:
            if error in self._noticed:  # all who let it pass notice it
                return
            self._noticed.add(error)
            if ended not in (None, self._ended):  # it may be of the outage that is over
                return
            now = self._clock()
            self._logged = {of: at for of, at in self._logged.items() if now - at < _AGAIN}
            if self._since is None and error.message not in self._logged:
                self._logged[error.message] = now
                _log.error("%s", on_one_line(str(error)))
            if self._since is None and (is_lost(error) or not readable):
                self._since = now

    def over(self) -> None:
        """Log that the ledger can be read again, if it could not."""
        with self._lock:
            if self._since is None:
                return
            seconds = (self._clock() - self._since).total_seconds()
            _log.warning("The ledger can be read again, after %.0f s.", seconds)
            self._since = None
            self._ended += 1
            self._logged.clear()

    @contextmanager
    def watched(self, *, readable: bool = False) -> Iterator[Callable[[], None]]:
        """Log an outage that ends the block, which calls the yielded function once it has read.

        ``readable``: as for ``noticed``. An error is not logged if an outage ended since the block
        began: that of a slow attempt would be taken for a new outage.
        """
        ended = self._ended

        def read() -> None:
            nonlocal readable, ended
            readable = True
            self.over()
            ended = self._ended

        try:
            yield read
        except DatabaseError as error:
            self._notice(error, readable, ended)
            raise


outages = Outages()
