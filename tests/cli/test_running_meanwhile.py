"""Runs that the app and the API start by themselves: their errors, and how they are stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.agenda.notifications import sender
from forecasts.cli import console, runs
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import Settings
from forecasts.ledger import database
from forecasts.resolution.progress import run_times
from forecasts.resolution.runs import run
from tests.conftest import day

PATIENCE = 60  # seconds: the machine may be busy
EVERY_SECOND = Settings(run_every="1s")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which a second passes between two looks, so that nobody waits."""
    seconds = count()
    monkeypatch.setattr(console, "clock", lambda: day(1) + timedelta(seconds=next(seconds)))
    monkeypatch.setattr(runs, "FIRST_AFTER", 0)


def test_a_run_that_fails_ends_nothing_and_is_tried_again(
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors = iter([RuntimeError("a fault"), DatabaseError("The disk is full.", remedy="Free it.")])
    worked: list[Any] = []
    enough = Event()

    def result(*_: object, now: Any, **__: object) -> run.Summary:
        if (error := next(errors, None)) is not None:
            raise error
        worked.append(now)
        if len(worked) == 2:  # the first was whole
            enough.set()
        return run.Summary()

    monkeypatch.setattr(run, "run", result)
    with runs.running_meanwhile(engine, EVERY_SECOND):
        assert enough.wait(PATIENCE)
    [record] = caplog.records
    assert (record.levelno, record.exc_info is not None) == (logging.ERROR, True)
    said = capsys.readouterr().err
    assert said.count("A run failed; the next is at ") == 1
    assert "The disk is full.\nFree it.\n" in said
    with database.reading(engine) as session:
        times = run_times(session)
    assert times is not None
    assert times.last in worked


def test_an_outage_is_said_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries, enough = count(1), Event()

    def away(*_: object, **__: object) -> None:
        if next(tries) == 3:
            enough.set()
        raise DatabaseError("The server was not reached.")

    monkeypatch.setattr(run, "run", away)
    with runs.running_meanwhile(engine, EVERY_SECOND):
        assert enough.wait(PATIENCE)
    assert capsys.readouterr().err.count("The server was not reached.") == 1


def test_a_run_in_progress_ends_by_its_own_rules_when_the_server_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = Event(), Event()

    def last_question(*_: object, stop: Callable[[], bool], **__: object) -> run.Summary:
        begun.set()
        while not stop():
            ended.wait(0.01)
        ended.set()
        return run.Summary()

    monkeypatch.setattr(run, "run", last_question)
    with runs.running_meanwhile(engine, EVERY_SECOND):
        assert begun.wait(PATIENCE)
    assert ended.is_set()


def test_once_it_is_stopped_a_run_sends_nothing_and_is_due_at_the_next_start(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, sent = Event(), list[object]()

    def stopped(*_: object, stop: Callable[[], bool], **__: object) -> run.Summary:
        begun.set()
        while not stop():
            begun.wait(0.01)
        return run.Summary()

    monkeypatch.setattr(run, "run", stopped)
    monkeypatch.setattr(sender, "send", lambda *_, **__: sent.append("messages"))
    monkeypatch.setattr(runs, "send_due_digest", lambda *_: sent.append("digest"))
    with runs.running_meanwhile(engine, Settings(run_every="1d")):
        assert begun.wait(PATIENCE)
    assert sent == []
    with database.reading(engine) as session:
        assert run_times(session) is None


def test_without_an_interval_nothing_runs(engine: Engine) -> None:
    before = threading.active_count()
    with runs.running_meanwhile(engine, Settings()):
        assert threading.active_count() == before
