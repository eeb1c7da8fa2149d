"""The ground under every page: an act is stored once or refused; errors, clocks and logs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from app import session, times
from app.session import is_fault, keep_out_of_log, went_wrong
from forecasts.access.preferences import Preferences
from forecasts.common.errors import BadInput
from forecasts.common.settings import sqlite_url
from forecasts.common.times import read_time
from forecasts.ledger import database
from forecasts.operations.transfer import move
from forecasts.updates import updates
from tests.app.conftest import Clock, confirmed, errors, forecasts, register, submit, visit, words
from tests.conftest import day
from tests.ledger.test_outages import down
from tests.postgresql import Server

pytestmark = pytest.mark.slow


def test_an_acknowledgement_stays_for_some_seconds_or_until_the_next_act(
    furnished: AppTest, clock: Clock
) -> None:
    """A run may be abandoned before the browser has its message, so the next one has it too."""

    visit(furnished, "today")
    submit(furnished, "quick-quay#0", "save", value="30%")
    furnished.button(key="quick-quay#1-save").click().run()
    still = ["Saved: still 30% on “Will the quay open?”."]
    assert confirmed(furnished) == still
    clock.moment = day(5) + timedelta(seconds=4)
    assert confirmed(furnished.run()) == still
    clock.moment = day(5) + timedelta(seconds=6)
    assert confirmed(furnished.run()) == []


def test_an_act_that_fails_is_neither_stored_nor_acknowledged(
    furnished: AppTest, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BadInput("The disk is full.", remedy="Make room.")

    visit(furnished, "today")
    monkeypatch.setattr(updates, "record_models", fail)
    submit(furnished, "quick-quay#0", "save", value="30%")
    assert errors(furnished) == "The disk is full.\n\nMake room."
    assert not confirmed(furnished)
    assert len(forecasts(engine, "quay")) == 1


def test_a_ledger_of_a_newer_release_is_a_sentence_on_every_page(
    app: AppTest, engine: Engine
) -> None:
    with database.writing(engine) as ledger:
        ledger.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for page in ("today", "questions", "resolve"):
        assert "a newer release wrote it" in words(visit(app, page))
        assert not app.exception


def test_a_ledger_that_does_not_exist_is_created(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_DATABASE_URL", sqlite_url(tmp_path / "new" / "l.sqlite3"))
    assert "Ask your first question" in words(visit(app, "today"))
    assert (tmp_path / "new" / "l.sqlite3").is_file()


def test_every_problem_of_an_input_is_listed_up_to_ten() -> None:
    def script() -> None:
        from app.session import shown_errors
        from forecasts.common.errors import BadInput, Problem

        with shown_errors():
            problems = [Problem(f"row {n}", "*x*", "must be a number") for n in range(12)]
            raise BadInput("The file cannot be read.", problems=problems, remedy="Put it right.")

    [error] = AppTest.from_function(script).run().error
    said = error.value.replace("\\", "")
    assert "- row 9: '*x*' — must be a number" in said
    assert "row 10" not in said
    assert said.endswith("… and 2 more\n\nPut it right.")


def test_an_unexpected_error_shows_no_stack_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(streamlit, "error", lambda words, **_: shown.append(words))
    assert went_wrong(ZeroDivisionError("secret detail")) is True
    assert went_wrong(MemoryError()) is True
    assert "secret detail" not in shown[0]
    assert "not saved" in shown[0]
    assert "more memory" in shown[1]


def test_the_second_of_two_clicks_waits_for_the_first_and_does_nothing(app: AppTest) -> None:
    def script() -> None:
        import streamlit as st

        from app.session import act, memory

        if memory().done["ask"]:
            st.write("shown anew")
            st.stop()
        # The first click's own run has finished since this form was drawn.
        memory().done["ask"] = 1
        with act("ask#0"):
            st.write("done again")

    run = AppTest.from_function(script).run()
    assert [element.value for element in run.markdown] == ["shown anew"]


def test_an_act_by_a_clock_that_is_behind_is_refused_and_the_text_stays(
    furnished: AppTest, engine: Engine, clock: Clock
) -> None:
    visit(furnished, "today")
    submit(furnished, "quick-quay#0", "save", value="30%")
    clock.moment = day(4)
    submit(furnished, "quick-quay#1", "save", value="40%")
    said = errors(furnished)
    assert "clock is behind: it says 2026-01-05T00:00:00Z" in said
    assert "is of 2026-01-06T00:00:00Z" in said
    assert furnished.text_input(key="quick-quay#1-value").value == "40%"
    assert len(forecasts(engine, "quay")) == 2


def test_the_pages_go_by_a_server_s_clock(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = "clock_timestamp() + interval '1 hour'"
    monkeypatch.setattr("forecasts.ledger.clock.server_time", lambda: ahead)
    monkeypatch.setenv("FORECASTS_DATABASE_URL", postgresql.emptied())
    off = session.now() - datetime.now(UTC) - timedelta(hours=1)
    assert abs(off) < timedelta(seconds=2)
    session.engine().dispose()
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()


def test_a_traceback_is_logged_of_a_fault_and_not_of_an_outage() -> None:
    filters = logging.getLogger("streamlit.error_util")
    keep_out_of_log()
    try:
        kept = [
            bool(filters.filter(logging.makeLogRecord({"exc_info": (type(error), error, None)})))
            for error in (down(), ZeroDivisionError())
        ]
    finally:
        filters.removeFilter(is_fault)
    assert kept == [False, True]
    logger = logging.getLogger("forecasts.ledger.outages")
    assert logger.handlers
    assert not logger.propagate


def test_pages_name_the_new_place_and_an_act_is_refused(
    furnished: AppTest, engine: Engine, tmp_path: Path
) -> None:
    visit(furnished, "today")
    assert "was moved" not in words(furnished)
    assert "Sign out" not in [button.label for button in furnished.button]  # nobody signs in
    target = database.open_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    move(engine, target)
    target.dispose()
    submit(furnished, "quick-quay#0", "save", value="30%")
    assert "nothing more is stored in it" in words(furnished)
    assert not confirmed(furnished)
    visit(furnished, "questions")
    assert "This ledger was moved to" in words(furnished)
    assert "new.sqlite3" in words(furnished)
    assert not furnished.error


def test_a_question_at_the_ends_of_the_calendar_is_shown(
    app: AppTest, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = read_time("0001-01-01T00:00:00Z"), read_time("9999-12-31T23:59:59Z")
    register(engine, "ever", by="bob", open_time=first, scheduled_close_time=last)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        monkeypatch.setattr(times, "my_preferences", lambda zone=zone: Preferences(zone))
        for page in ("today", "questions", "question"):
            shown = visit(app, page, slug="ever")
            assert not shown.exception, (zone, page)
            assert not shown.error, (zone, page)
