"""Undo after an update or an outcome: what it offers, what it enters, when it is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.values.value import format_value
from tests.app.conftest import (
    Clock,
    confirmed,
    errors,
    focused,
    forecasts,
    settle,
    state,
    visit,
    words,
)
from tests.conftest import day

pytestmark = pytest.mark.slow

VALUES = {
    "port": ("Busan=50%, Ulsan=30%, Other=20%", "Busan=10%, Ulsan=10%, Other=80%"),
    "depth": ("10%=5, 90%=20", "10%=15, 90%=20"),
}
KINDS = {"today": "quick", "question": "forecast"}


def open_page(app: AppTest, page: str, slug: str) -> AppTest:
    return visit(app, page, **({"slug": slug} if page == "question" else {}))


def save(app: AppTest, page: str, slug: str, typed: str, turn: int = 0) -> AppTest:
    key = f"{KINDS[page]}-{slug}#{turn}"
    app.text_input(key=f"{key}-value").input(typed)
    return app.button(key=f"{key}-save").click().run()


def undo_buttons(app: AppTest) -> list[str]:
    return [str(button.key) for button in app.button if str(button.key).startswith("undo-")]


def press_undo(app: AppTest) -> AppTest:
    [key] = undo_buttons(app)
    return app.button(key=key).click().run()


def path(engine: Engine, slug: str) -> list[str]:
    """Return alice's forecasts on the question in words, oldest first."""
    rows = forecasts(engine, slug, "alice")
    return ["withdrawn" if row.withdrawn else format_value(row) for row in rows]


@pytest.mark.parametrize(("page", "slug"), [("question", "port"), ("today", "depth")])
def test_undo_enters_the_former_value_again(
    furnished: AppTest, engine: Engine, clock: Clock, page: str, slug: str
) -> None:
    right, wrong = VALUES[slug]
    save(open_page(furnished, page, slug), page, slug, right)
    clock.moment = day(5.1)
    save(furnished, page, slug, wrong, 1)
    [key] = undo_buttons(furnished)
    said = furnished.button(key=key).help
    assert said is not None
    assert said.startswith("Enters ")
    assert "both stay in the history, and the score counts the time between" in said
    press_undo(furnished)
    assert not furnished.exception
    assert confirmed(furnished)[-1].startswith("Undone: ")
    first, second, third = path(engine, slug)
    assert first == third != second
    field = furnished.text_input(key=f"{KINDS[page]}-{slug}#3-value")
    assert field.value == right
    assert undo_buttons(furnished) == []


def test_undo_withdraws_a_first_forecast_and_enters_a_withdrawn_one_again(
    furnished: AppTest, engine: Engine
) -> None:
    save(open_page(furnished, "question", "quay"), "question", "quay", "90%")
    assert "90% on “Will the quay open?”" in words(furnished)
    [key] = undo_buttons(furnished)
    assert str(furnished.button(key=key).help).startswith("Withdraws the forecast.")
    press_undo(furnished)
    assert path(engine, "quay") == ["90%", "withdrawn"]
    assert focused(furnished) == "act-forecast-quay"
    save(furnished, "question", "quay", "40%", 2)
    furnished.button(key="withdraw-quay#0-go").click().run()
    assert confirmed(furnished) == ["Withdrew 40% from “Will the quay open?”."]
    press_undo(furnished)
    assert path(engine, "quay")[2:] == ["40%", "withdrawn", "40%"]


def test_only_a_change_is_offered_for_undo_and_not_for_long(
    furnished: AppTest, engine: Engine, clock: Clock
) -> None:
    open_page(furnished, "today", "quay")
    assert undo_buttons(furnished) == []
    save(furnished, "today", "quay", "171")
    assert undo_buttons(furnished) == []
    save(furnished, "today", "quay", "40%")
    save(furnished, "today", "port", VALUES["port"][0])
    assert len(undo_buttons(furnished)) == 1  # of the last update alone
    assert "Which port comes first?" in words(furnished)
    clock.moment = day(5.1)
    assert undo_buttons(visit(furnished, "today")) == []
    save(furnished, "today", "quay", "55%", 1)
    assert len(undo_buttons(furnished)) == 1
    furnished.button(key="quick-quay#2-save").click().run()
    assert confirmed(furnished)[-1] == "Saved: still 55% on “Will the quay open?”."
    assert undo_buttons(furnished) == []


def test_a_late_undo_is_refused_with_the_reason(
    furnished: AppTest, engine: Engine, clock: Clock
) -> None:
    clock.moment = day(19.9995)
    save(open_page(furnished, "question", "quay"), "question", "quay", "90%")
    clock.moment = day(20.0001)
    press_undo(furnished)
    assert "Nothing was undone: 'quay' closed at" in errors(furnished)
    assert path(engine, "quay") == ["90%"]


def resolve(app: AppTest, outcome: str, turn: int = 0) -> AppTest:
    """Record the outcome of the question that ended, on its card."""
    key = f"outcome-ended#{turn}"
    app.radio(key=f"{key}-outcome").set_value(outcome)
    return app.button(key=f"{key}-go").click().run()


def test_undo_withdraws_an_outcome_with_its_reason_and_its_card_is_back(
    furnished: AppTest, engine: Engine
) -> None:
    resolve(visit(furnished, "today"), "yes")
    assert "**Outcome?**" not in words(furnished)
    [key] = undo_buttons(furnished)
    assert "Nothing is erased" in str(furnished.button(key=key).help)
    press_undo(furnished)
    assert confirmed(furnished) == ["Undone: yes on “Has it ended?”."]
    assert "**Outcome?**" in words(furnished)
    now = state(engine, "ended")
    assert now.resolution is None
    assert now.withdrawal is not None
    assert (now.withdrawal.outcome, now.withdrawal.note) == ("yes", "Entered by mistake.")
    assert undo_buttons(furnished) == []
    resolve(furnished, "no", 2)
    settle(engine, "ended", "yes", known=None)
    press_undo(furnished)
    assert "'ended' was resolved meanwhile: yes" in errors(furnished)
    settled = state(engine, "ended").resolution
    assert settled is not None
    assert settled.outcome == "yes"
