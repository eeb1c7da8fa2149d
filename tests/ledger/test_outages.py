"""The log has one line for an outage with its remedy, and one for its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from forecasts.common.errors import DatabaseError
from forecasts.ledger import outages
from forecasts.ledger.outages import Outages
from tests.conftest import day


@dataclass
class Clock:
    """A clock that the test moves."""

    moment: datetime = field(default_factory=lambda: day(0))

    def __call__(self) -> datetime:
        return self.moment


def down() -> DatabaseError:
    return DatabaseError("The server was not reached.", remedy="Start it.")


def starting() -> DatabaseError:
    return DatabaseError("The server is starting.", remedy="Try again.")


def full() -> DatabaseError:
    return DatabaseError("The disk is full.", remedy="Free some\nspace.")


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    logger, handler = logging.getLogger(outages.__name__), logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_each_outage_is_one_line(log: list[str], clock: Clock) -> None:
    seen = Outages(clock)
    for error in (down, down, starting, down):
        seen.noticed(error())
        seen.noticed(error(), readable=True)
    assert log == ["The server was not reached. Start it."]
    clock.moment += timedelta(seconds=62.4)
    seen.over()
    seen.over()
    assert log[1:] == ["The ledger can be read again, after 62 s."]
    seen.noticed(down())
    assert len(log) == 3


def test_a_refused_act_is_followed_by_the_outage_it_belongs_to_in_one_line(
    log: list[str], clock: Clock
) -> None:
    seen = Outages(clock)
    seen.noticed(down(), readable=True)
    seen.noticed(down())
    assert len(log) == 1
    seen.over()
    assert len(log) == 2


def test_while_acts_are_refused_and_pages_read_the_reason_is_logged_now_and_then(
    log: list[str], clock: Clock
) -> None:
    seen = Outages(clock)
    for _ in range(31):
        seen.noticed(full(), readable=True)
        seen.over()
        clock.moment += timedelta(minutes=1)
    assert log == ["The disk is full. Free some space."] * 3


def test_a_page_of_which_a_part_is_unreadable_is_logged_once(log: list[str], clock: Clock) -> None:
    seen = Outages(clock)
    for _ in range(3):  # as the page retries
        seen.over()
        error = full()
        seen.noticed(error, readable=True)
        seen.noticed(error)
    assert len(log) == 1
