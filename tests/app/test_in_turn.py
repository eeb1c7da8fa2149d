"""A forecast on a page is quick: what the process knows is not read again in its turn to write."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from forecasts.ledger.models import Forecast
from forecasts.updates import updates
from tests.app.conftest import visit
from tests.conftest import counted_statements


def test_a_forecast_on_a_page_asks_nothing_that_is_known(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    append = updates._append
    update = updates.update

    def counted(session: Session, *given: Any, **named: Any) -> updates.Saved:
        with counted_statements(Engine) as statements:

            def noted(session: Session, *given: Any, **named: Any) -> Forecast:
                asked.append(any("FROM question" in one for one in statements))
                return append(session, *given, **named)

            with monkeypatch.context() as patch:
                patch.setattr(updates, "_append", noted)
                return update(session, *given, **named)

    monkeypatch.setattr(updates, "update", counted)
    visit(furnished, "question", slug="rain")
    for number in range(3):
        key = f"forecast-rain#{number}"
        furnished.text_input(key=f"{key}-value").input(f"{30 + number}%")
        furnished.button(key=f"{key}-save").click().run()
        assert not furnished.exception
    # Only facts that this process has not known yet are read in the turn.
    assert asked == [True, False, False]
