"""Questions that are the same on two platforms, from the command line."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import QuestionOrigin
from forecasts.questions.registry import find
from tests.conftest import day, imported

Run = Callable[..., Result]


@pytest.fixture
def two(forecasts: Run, clock: Callable[[str], None], engine: Engine) -> None:
    """The same question of Metaculus and of this ledger."""
    for slug, title in (
        ("metaculus-7", "Will the Fed cut interest rates before 2027?"),
        ("own", "Will the Federal Reserve cut interest rates by 31 December 2026?"),
    ):
        forecasts("ask", title, "--closes", "2026-12-31", "--slug", slug, "--criteria", "As said.")
    with database.writing(engine) as session:
        id_ = find(session, "metaculus-7").id
        origin = {"platform": "metaculus", "platform_id": "7", "recorded_at": day(5)}
        session.add(QuestionOrigin(question_id=id_, **origin))


@pytest.mark.usefixtures("two")
def test_a_pair_is_listed_with_the_commands_that_decide_on_it(forecasts: Run) -> None:
    said = forecasts("same")
    assert "metaculus-7  Metaculus: Will the Fed cut interest rates before 2027?" in said.stdout
    assert "own  this ledger: Will the Federal Reserve cut" in said.stdout
    assert "If not: forecasts same metaculus-7 own --different" in said.stderr.replace("\n", " ")


@pytest.mark.usefixtures("two")
def test_a_pair_is_listed_as_json(forecasts: Run) -> None:
    [pair] = json.loads(forecasts("same", "--format", "json").stdout)
    assert {one["id"] for one in pair["questions"]} == {"own", "metaculus-7"}
    assert 0.5 <= pair["similarity"] <= 1


@pytest.mark.usefixtures("two")
def test_named_questions_are_put_into_one_family(forecasts: Run) -> None:
    said = forecasts("same", "own", "metaculus-7")
    assert said.stdout == "In the family own: own, metaculus-7\n"
    assert "forecasts revise metaculus-7 --family ''" in said.stderr
    assert json.loads(forecasts("show", "own", "--format", "json").stdout)["family"] == "own"
    assert "look the same" in forecasts("same").stdout


@pytest.mark.usefixtures("two")
def test_a_pair_that_differs_is_not_listed_again(forecasts: Run) -> None:
    said = forecasts("same", "metaculus-7", "own", "--different")
    assert said.stdout == "metaculus-7 and own: not proposed again\n"
    assert "No two questions" in forecasts("same").stdout


@pytest.mark.usefixtures("two")
def test_different_takes_one_pair(forecasts: Run) -> None:
    assert "needs two questions" in forecasts("same", "--different", exit_code=2).stderr
    said = forecasts("same", "own", "metaculus-7", "own", "--different", exit_code=2)
    assert "takes two questions, got 3" in said.stderr
    assert "at least two" in forecasts("same", "own", exit_code=2).stderr


@pytest.mark.usefixtures("two")
def test_an_imported_question_shows_its_origin_and_its_forecasts_theirs(
    forecasts: Run, engine: Engine
) -> None:
    with database.writing(engine) as session:
        asked = find(session, "metaculus-7")
        alice = member_or_new(session, "alice", now=day(5))
        imported(session, asked, alice, 5, 0.4)
    said = forecasts("show", "metaculus-7", "--all").stdout
    assert "Imported from Metaculus 7\n" in said
    assert "alice: 40% (imported)\n" in said
