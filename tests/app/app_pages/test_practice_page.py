"""Practice: an answer is scored at once, and nothing is stored."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from forecasts.ledger import database
from forecasts.ledger.models import Forecast, Member
from tests.app.conftest import visit, words

pytestmark = pytest.mark.slow


def test_an_answer_is_scored_at_once_and_stored_nowhere(app: AppTest, engine: Engine) -> None:
    visit(app, "practice")
    [field] = app.text_input
    field.input("80")
    app.button(key="answer").click().run()
    assert not app.exception
    said = words(app)
    right = "The answer was **yes**" in said
    assert "You said **80%**" in said
    assert f"Brier **{'0.0400' if right else '0.640'}**" in said
    assert "Too few to tell: 1 question scored" in said
    [following] = app.text_input
    assert following.value == ""
    assert following.key != field.key
    app.button(key="again").click().run()
    assert "No answers yet." in words(app)
    with database.reading(engine) as ledger:
        assert ledger.exec(select(Forecast)).all() == []
        assert ledger.exec(select(Member)).all() == []


def test_the_ledgers_own_run_out(furnished: AppTest) -> None:
    visit(furnished, "practice", on="This ledger")
    assert furnished.subheader[0].value == "Will it snow?".replace("?", "\\?")
    assert "No flake fell" not in words(furnished)
    furnished.button(key="answer").click().run()
    assert "The probability is blank" in words(furnished)
    assert "No flake fell" not in words(furnished)
    furnished.text_input[0].input(".3")
    furnished.button(key="answer").click().run()
    assert "You said **30%**" in words(furnished)
    assert "No flake fell" in words(furnished)
    assert "All done: 1 question." in "".join(one.value for one in furnished.success)


@pytest.mark.usefixtures("clock")
def test_an_empty_ledger_has_nothing_to_practise_on(app: AppTest) -> None:
    assert "no resolved yes-or-no questions yet" in words(visit(app, "practice", on="This ledger"))
