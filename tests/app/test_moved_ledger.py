"""The pages on a file that was moved away: read as before, with the new place; acts refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.ledger import database
from forecasts.operations.transfer import move
from tests.app.conftest import visit, words

pytestmark = pytest.mark.slow


@pytest.fixture
def kind() -> str:
    """A ledger in a file, which alone is marked."""
    return "sqlite"


def test_pages_name_the_new_place_and_an_act_is_refused(
    furnished: AppTest, engine: Engine, tmp_path: Path
) -> None:
    visit(furnished, "today")
    assert "was moved" not in words(furnished)
    target = database.open_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    move(engine, target)
    target.dispose()
    furnished.text_input(key="quick-quay#0-value").input("30%")
    furnished.button(key="quick-quay#0-save").click().run()
    assert "nothing more is stored in it" in words(furnished)
    assert not furnished.toast
    visit(furnished, "questions")
    assert "This ledger was moved to" in words(furnished)
    assert "new.sqlite3" in words(furnished)
    assert not furnished.error
