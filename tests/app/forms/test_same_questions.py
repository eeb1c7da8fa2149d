"""Pairs that may be the same on two platforms: selected, and joined or told apart at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from forecasts.access.members import member_or_new
from forecasts.importing import record
from forecasts.ledger import database
from forecasts.questions.registry import find, newest_wording
from tests.app.conftest import confirmed, press, visit, words
from tests.conftest import ask, day, resolve
from tests.platforms.metaculus_files import export, forecast, question

pytestmark = pytest.mark.slow

NAMES = ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper"]
PLACES = "metaculus", "own"
Pairs = Callable[..., AppTest]


@pytest.fixture
def pairs(app: AppTest, engine: Engine, tmp_path: Path) -> Pairs:
    """Imports so many questions that are asked here too, the first in the same words."""

    def pairs(many: int, identical: int = 0, asked_by: str = "alice") -> AppTest:
        numbers = range(many)
        titles = [f"Will the {NAMES[n % 10]} bridge no. {n} open?" for n in numbers]
        with database.writing(engine) as ledger:
            author = member_or_new(ledger, asked_by, now=day(0))
            for n, title in enumerate(titles):
                ask(ledger, author, slug=f"own-{n}", title=title + "!" * (n >= identical))
        folder = export(
            tmp_path / "metaculus",
            [question(n, **{"Question Title": titles[n], "Post ID": n}) for n in numbers],
            [forecast(n, **{"Probability Yes": "0.2"}) for n in numbers],
        )
        visit(app, "exchange")
        app.file_uploader[0].set_value(
            [(path.name, path.read_bytes(), "text/csv") for path in folder.glob("*.csv")]
        )
        return press(press(app.run(), "Preview"), "Import")

    return pairs


def joined(engine: Engine, many: int) -> int:
    """Return how many of the pairs are in one family."""
    with database.reading(engine) as ledger:
        families = [
            {newest_wording(ledger, find(ledger, f"{where}-{n}")).family for where in PLACES}
            for n in range(many)
        ]
    return sum(len(found) == 1 and found != {""} for found in families)


def button(app: AppTest, label: str) -> Button:
    [found] = [one for one in app.button if one.label == label]
    return found


def ticked(app: AppTest) -> list[str]:
    return [one.label for one in app.checkbox if one.value]


def test_only_identical_pairs_are_preselected_and_they_come_first(pairs: Pairs) -> None:
    app = pairs(3, identical=2)
    assert [one.value for one in app.checkbox] == [True, True, False]
    assert "Identical ones are preselected" in words(app)
    assert "Metaculus · closes 11 Jan 2026" in words(app)
    # A cleared pair stays so after others are joined.
    app.checkbox[0].uncheck().run()
    press(app, "Join 1 selected")
    assert len(app.checkbox) == 2
    assert ticked(app) == []
    assert button(app, "Join 0 selected").disabled
    assert button(app, "Not the same").disabled
    assert "preselected" in words(app)
    press(press(app, "Select all shown"), "Select none")
    assert ticked(app) == []


def test_the_selected_pairs_are_joined_at_once_and_that_is_undone(
    pairs: Pairs, engine: Engine
) -> None:
    app = pairs(3)
    app.checkbox[0].check()
    app.checkbox[2].check().run()
    press(app, "Join 2 selected")
    assert confirmed(app) == ["Joined: 2 pairs."]
    assert len(app.checkbox) == 1
    assert joined(engine, 3) == 2
    press(app, "Undo")
    assert len(app.checkbox) == 3
    assert joined(engine, 3) == 0


def test_the_selected_pairs_are_told_apart_at_once_and_that_is_undone(pairs: Pairs) -> None:
    app = press(press(pairs(3), "Select all shown"), "Not the same")
    assert "No two questions look the same." in words(app)
    assert confirmed(app) == ["Not the same: 3 pairs."]
    press(app, "Undo")
    assert len(app.checkbox) == 3


def test_a_selection_survives_a_look_at_another_page_whose_pairs_are_left(pairs: Pairs) -> None:
    app = pairs(27, identical=2)
    app.checkbox[0].uncheck()
    app.checkbox[5].check().run()
    before = ticked(app)
    app.pagination[0].set_value(2).run()
    assert len(app.checkbox) == 2
    button(app, "Join 0 selected")
    app.pagination[0].set_value(1).run()
    assert ticked(app) == before
    press(press(app, "Select all shown"), "Join 25 selected")
    assert len(app.checkbox) == 2
    assert ticked(app) == []
    assert not app.get("pagination")


def test_pairs_of_questions_that_are_not_listed_are_shown(
    pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "SHOWN", 1)
    assert len(pairs(3).checkbox) == 3


def test_a_pair_that_is_told_apart_too_late_for_reports_is_named(
    pairs: Pairs, engine: Engine
) -> None:
    app = pairs(2)
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=day(0))
        resolve(ledger, find(ledger, "own-1"), alice, known=1, at=2)
    app = press(press(app.run(), "Select all shown"), "Not the same")
    assert confirmed(app) == [
        "Not the same: 2 pairs. Reports do not count this for own-1: its outcome may already be "
        "known."
    ]
