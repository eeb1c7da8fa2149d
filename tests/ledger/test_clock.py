"""A wrong clock undoes and backdates nothing: acts take their times in order, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain
from threading import Event, Thread

import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.common.errors import DatabaseError
from forecasts.common.times import iso
from forecasts.ledger import clock, database
from forecasts.ledger.clock import act_time, ledger_clock, newest_time, require_not_behind
from forecasts.ledger.verification import Fault, verify
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day

STEPS = {"right": 0.0, "-5 d": -5 * 86_400, "-1 h": -3_600, "-1 s": -1, "+1 h": 3_600}
EACH = 5  # acts at each step, and then again by the right clock


class Clock:
    """The clock that decides, which ticks with each look: this machine's, or the server's."""

    def __init__(self) -> None:
        self.right, self.step = day(5), timedelta()

    def __call__(self) -> datetime:
        return self.right + self.step

    def tick(self) -> None:
        self.right += timedelta(milliseconds=10)


@pytest.fixture
def deciding(kind: str, monkeypatch: pytest.MonkeyPatch) -> Clock:
    deciding = Clock()
    if kind == "postgresql":
        told = lambda: f"timestamptz '{deciding().isoformat()}'"  # noqa: E731
        monkeypatch.setattr(clock, "server_time", told)
    return deciding


def act(engine: Engine, number: int, here: Callable[[], datetime]) -> datetime:
    """Forecast as alice; return the time of the act once it is acknowledged."""
    with database.writing(engine, here) as session:
        at = act_time(session)
        alice = member_or_new(session, "alice", now=at)
        value = Value(probability=number / 1000)
        rain = registry.find(session, "rain")
        updates.update(session, rain, value, member=alice, now=at)
    return at


@pytest.fixture
def ledger(engine: Engine) -> Engine:
    with database.writing(engine) as session:
        ask(session, member_or_new(session, "alice", now=day(0)), slug="rain")
    return engine


@pytest.mark.slow
def test_no_clock_undoes_or_backdates_an_act(ledger: Engine, deciding: Clock, kind: str) -> None:
    done: list[tuple[int, datetime]] = []
    refused: dict[str, list[tuple[str, datetime, datetime]]] = {}
    for again, (name, seconds) in enumerate([*STEPS.items(), ("right again", 0.0)]):
        deciding.step = timedelta(seconds=seconds)
        for number in range(again * EACH + 1, again * EACH + EACH + 1):
            deciding.tick()
            try:
                at = act(ledger, number, deciding)
            except DatabaseError as error:
                refused.setdefault(name, []).append((error.message, deciding(), done[-1][1]))
            else:
                done.append((number, at))
                with database.reading(ledger) as session:
                    rain = registry.find(session, "rain")
                    alice = member_or_new(session, "alice", now=at)
                    current = updates.current_forecast(session, rain, alice, at=at)
                assert current is not None
                assert current.probability == number / 1000
    assert {name: len(told) for name, told in refused.items()} == dict.fromkeys(
        ("-5 d", "-1 h", "right again"), EACH
    )
    whose = {"sqlite": "This machine's", "postgresql": "The server's"}[kind]
    for message, here, newest in chain.from_iterable(refused.values()):
        assert message.startswith(f"{whose} clock is behind: it says {iso(here)}, ")
        assert message.endswith(f"is of {iso(newest)}.")
    with database.reading(ledger) as session:
        rows = [row for row, _ in updates.history(session, registry.find(session, "rain"))]
        assert verify(session).broken is None
        assert newest_time(session) == done[-1][1]
    assert [(round(1000 * (row.probability or 0)), row.made_at) for row in rows] == done
    assert [at for _, at in done] == sorted({at for _, at in done})
    # Once the clock that was ahead is reached, acts are accepted again.
    deciding.right = done[-1][1] + timedelta(seconds=1)
    assert act(ledger, 999, deciding) == deciding.right


def test_the_servers_clock_decides(ledger: Engine, deciding: Clock, kind: str) -> None:
    if kind == "sqlite":
        assert ledger_clock(ledger, deciding) is deciding
        return
    for number, seconds in enumerate(STEPS.values(), 1):
        deciding.tick()
        wrong = deciding() + timedelta(seconds=seconds)
        assert act(ledger, number, lambda wrong=wrong: wrong) == deciding()  # type: ignore[misc]
        assert ledger_clock(ledger, lambda wrong=wrong: wrong)() == deciding()  # type: ignore[misc]


def test_an_act_that_waits_for_its_turn_takes_the_time_after_the_wait(ledger: Engine) -> None:
    here, waiting = Clock(), Event()
    times: list[datetime] = []
    deciding = ledger_clock(ledger, here)  # on a server its own, which runs on
    other = database.open_engine(ledger.url.render_as_string(hide_password=False))

    def wait() -> None:
        waiting.set()
        with database.writing(other, here) as session:
            times.append(act_time(session))
            member_or_new(session, "carol", now=times[0])

    with database.writing(ledger, here) as session:
        member_or_new(session, "bob", now=act_time(session))
        thread = Thread(target=wait)
        thread.start()
        waiting.wait()
        here.tick()
        held = deciding()
    thread.join()
    other.dispose()
    assert times >= [held]


def test_a_process_sees_the_times_of_others(ledger: Engine, deciding: Clock) -> None:
    other = database.open_engine(ledger.url.render_as_string(hide_password=False))
    act(ledger, 1, deciding)
    act(other, 2, deciding)
    deciding.step = timedelta(hours=1)
    act(other, 3, deciding)
    other.dispose()
    deciding.step = timedelta()
    with pytest.raises(DatabaseError, match="clock is behind"):
        act(ledger, 4, deciding)
    # Nor does a run begin by a clock that is behind, but for a moment.
    with database.reading(ledger) as session:
        newest = newest_time(session)
        assert newest is not None
        require_not_behind(session, newest - timedelta(seconds=1))
        with pytest.raises(DatabaseError, match="clock is behind"):
            require_not_behind(session, newest - timedelta(seconds=3))


def test_entries_with_decreasing_times_are_found(
    ledger: Engine, deciding: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(ledger, 1, deciding)
    monkeypatch.setattr(clock, "time_of_turn", lambda *_: day(1))
    with database.writing(ledger, deciding) as session:
        member_or_new(session, "bob", now=day(1))
    with database.reading(ledger) as session:
        broken = verify(session).broken
    assert broken is not None
    assert broken.fault is Fault.reordered
    assert broken.said == "its time is before that of the entry before it"
