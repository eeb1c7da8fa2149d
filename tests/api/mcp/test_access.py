"""Each role gets from each tool what the verb behind it gives, in every place and visibility."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.access.roles import Action
from forecasts.api.door import Here
from forecasts.ledger import database
from tests.access.test_visibility import (  # noqa: F401 - shared is a fixture
    NOW,
    Case,
    Cell,
    cells,
    expected,
    result_of,
    shared,
)
from tests.api.mcp.conftest import Tools

pytestmark = pytest.mark.slow

TEXT = "Harbour town votes\n\n" + "The council will decide by the end of March 2026. " * 5


@dataclass(frozen=True)
class Inside:
    """The way to the ledger of one cell, in its transaction."""

    cell: Cell
    allow_private: bool = False

    @contextmanager
    def reading(self) -> Iterator[Here]:
        yield Here(self.cell.session, self.cell.member, NOW)

    acting = reading


def tools(cell: Cell) -> Tools:
    return Tools(Inside(cell))


def finds(cell: Cell) -> bool:
    slug = cell.question.slug
    return f"- `{slug}`:" in tools(cell).find_questions(slug, status="any")


def proposes(cell: Cell) -> Any:
    return tools(cell).propose_outcome(cell.question.slug, "no", "why", "https://example.org")


def asks(cell: Cell) -> Any:
    return tools(cell).ask_question("Will it snow by 1 February 2027?", "As the gazette says.")


def by_slug(tool: Callable[[Cell], Callable[..., Any]], *more: str) -> Callable[[Cell], Any]:
    """Return the call of a tool whose first argument is the question."""
    return lambda cell: tool(cell)(cell.question.slug, *more)


CASES = {
    "find_questions": Case(Action.see, finds),
    "read_question": Case(Action.see, by_slug(lambda cell: tools(cell).read_question)),
    "the resource": Case(Action.see, by_slug(lambda cell: tools(cell).question_resource)),
    "the prompt": Case(Action.see, by_slug(lambda cell: tools(cell).forecast_this_question)),
    "forecast": Case(Action.forecast, by_slug(lambda cell: tools(cell).forecast, "60%", "why")),
    "propose_outcome": Case(Action.propose, proposes),
    "ask_question": Case(Action.ask, asks, on="ledger"),
    "capture_article": Case(
        Action.capture, lambda cell: tools(cell).capture_article(text=TEXT), on="ledger"
    ),
}


@pytest.mark.hypothesis
@pytest.mark.parametrize("tool", CASES)
def test_a_tool_gives_what_the_role_the_place_and_the_question_say(
    shared: Engine,  # noqa: F811
    tool: str,
) -> None:
    case = CASES[tool]
    with database.writing(shared) as session:
        found = {
            (where, str(role), str(seen)): (
                result_of(case, cell),
                expected(case, where, role, seen),
            )
            for where, role, seen, cell in cells(session, case.on, pairs=True)
        }
        session.rollback()
    assert {cell: came for cell, (came, due) in found.items() if came != due} == {}
    assert {due for _, due in found.values()} - {"done"}
