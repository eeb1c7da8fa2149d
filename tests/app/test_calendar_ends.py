"""A question may be open from the year 1 to the year 9999: pages show it in every zone."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from app import times
from forecasts.access.members import member_or_new
from forecasts.access.preferences import Preferences
from forecasts.common.times import read_time
from forecasts.ledger import database
from tests.app.conftest import visit
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("zone", "page"),
    [
        ("Pacific/Kiritimati", "today"),
        ("Pacific/Pago_Pago", "questions"),
        ("Pacific/Kiritimati", "question"),
        ("Pacific/Pago_Pago", "question"),
    ],
)
def test_a_question_at_the_ends_of_the_calendar_is_shown(
    app: AppTest, engine: Engine, monkeypatch: pytest.MonkeyPatch, zone: str, page: str
) -> None:
    monkeypatch.setattr(times, "my_preferences", lambda: Preferences(time_zone=zone))
    with database.writing(engine) as ledger:
        ask(
            ledger,
            member_or_new(ledger, "bob", now=day(0)),
            slug="ever",
            open_time=read_time("0001-01-01T00:00:00Z"),
            scheduled_close_time=read_time("9999-12-31T23:59:59Z"),
        )
    shown = visit(app, page, **({"slug": "ever"} if page == "question" else {}))
    assert not shown.exception
    assert not shown.error
