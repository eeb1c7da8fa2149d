"""The log has one line for an outage with its remedy, and one for its end."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from forecasts.common.errors import DatabaseError
from forecasts.ledger.outages import Outages
from tests.conftest import day

down = partial(DatabaseError, "The server was not reached.", remedy="Start it.")
starting = partial(DatabaseError, "The server is starting.", remedy="Try again.")
full = partial(DatabaseError, "The disk is full.", remedy="Free some\nspace.")


class Ledger(Outages):
    """The outages of a ledger, by a clock that the test moves."""

    def __init__(self) -> None:
        self.moment = day(0)
        super().__init__(lambda: self.moment)


def test_each_outage_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    seen = Ledger()
    for error in (down, down, starting, down):
        seen.noticed(error())
        seen.noticed(error(), readable=True)
    assert caplog.messages == ["The server was not reached. Start it."]
    seen.moment += timedelta(seconds=62.4)
    seen.over()
    seen.over()
    assert caplog.messages[1:] == ["The ledger can be read again, after 62 s."]
    seen.noticed(down())
    assert len(caplog.messages) == 3


def test_a_refused_act_and_its_outage_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    seen = Ledger()
    seen.noticed(down(), readable=True)
    seen.noticed(down())
    assert len(caplog.messages) == 1
    seen.over()
    assert len(caplog.messages) == 2


def test_a_lasting_refusal_is_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    seen = Ledger()
    for _ in range(31):
        seen.noticed(full(), readable=True)
        seen.over()
        seen.moment += timedelta(minutes=1)
    assert caplog.messages == ["The disk is full. Free some space."] * 3


def test_a_page_with_an_unreadable_part_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    seen = Ledger()
    for _ in range(3):  # as the page retries
        seen.over()
        error = full()
        seen.noticed(error, readable=True)
        seen.noticed(error)
    assert len(caplog.messages) == 1


def fail(seen: Ledger, error: DatabaseError, *, reads: bool = False) -> None:
    with seen.watched() as read:
        if reads:
            read()
        raise error


def fail_slowly(seen: Ledger, error: DatabaseError) -> None:
    """Begin an attempt in an outage, and let it fail once that is over."""
    with seen.watched():
        seen.noticed(down())
        seen.over()
        raise error


def test_an_attempt_that_began_in_an_outage_that_is_over_is_not_a_new_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen, late = Ledger(), down()
    with pytest.raises(DatabaseError):
        fail_slowly(seen, late)
    seen.noticed(late, readable=True)  # as the page shows it
    assert len(caplog.messages) == 2
    with pytest.raises(DatabaseError):
        fail(seen, down())
    assert len(caplog.messages) == 3


def test_an_error_is_logged_once_though_another_came_between(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = Ledger()
    error, other = down(), down()
    seen.noticed(error)
    seen.noticed(other)
    seen.over()
    seen.noticed(error, readable=True)
    assert len(caplog.messages) == 2


def test_an_outage_that_begins_after_the_block_has_read_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = Ledger()
    seen.noticed(down())
    with pytest.raises(DatabaseError):
        fail(seen, starting(), reads=True)
    assert len(caplog.messages) == 3


@pytest.mark.parametrize("invalidated", [True, False])
def test_a_reading_that_the_outage_interrupts_is_its_beginning(
    caplog: pytest.LogCaptureFixture, invalidated: bool
) -> None:
    stopping = psycopg.errors.AdminShutdown("terminating connection")
    cause = OperationalError("SELECT", {}, stopping, connection_invalidated=invalidated)
    error = starting()
    error.__cause__ = cause
    seen = Ledger()
    with pytest.raises(DatabaseError):
        fail(seen, error, reads=True)
    seen.noticed(down())
    seen.over()
    assert len(caplog.messages) == 2
