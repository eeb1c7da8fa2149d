"""A forecast on a page makes nobody wait: checks run before the write lock."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from forecasts.ledger import following
from forecasts.ledger.models import Forecast
from forecasts.updates import updates
from tests.app.conftest import visit


def test_a_forecast_on_a_page_is_checked_before_its_turn_to_write(
    furnished: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[bool] = []
    append = updates._append

    def noted(session: Session, *given: Any, **named: Any) -> Forecast:
        turns.append(following.has_turn(session))
        return append(session, *given, **named)

    monkeypatch.setattr(updates, "_append", noted)
    visit(furnished, "question", slug="rain")
    for number in range(3):
        key = f"forecast-rain#{number}"
        furnished.text_input(key=f"{key}-value").input(f"{30 + number}%")
        furnished.button(key=f"{key}-save").click().run()
        assert not furnished.exception
    # The first check in this process needs the write lock.
    assert turns == [True, False, False]
