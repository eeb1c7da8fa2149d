"""Members import records of other platforms into a ledger that they share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.ledger import database
from forecasts.ledger.models import Forecast, Question, QuestionOrigin
from tests.conftest import ask, day, on_both
from tests.importing.test_record import NOW, come_in, record, shared

pytestmark = [pytest.mark.slow, on_both]

HASH = "0123456789abcdef"


def ask_as(engine: Engine, who: str, **question: Any) -> None:
    with database.writing(engine) as session:
        member = member_or_new(session, who, now=day(0))
        read_as(session, member, now=NOW)
        ask(session, member, **question)


def forecasts_on(engine: Engine) -> dict[str, list[float | None]]:
    """Return the probabilities of each question by its name here."""
    with database.reading(engine) as session:
        found: dict[str, list[float | None]] = {
            one.slug: [] for one in session.exec(select(Question))
        }
        made = select(Question.slug, Forecast.probability).where(
            Forecast.question_id == Question.id
        )
        for slug, probability in session.exec(made):
            found[slug].append(probability)
    return found


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Will metaculus-7 NOT happen?"},
        {"title": "Will metaculus-7 happen?", "type": "multiple_choice", "options": ["A", "B"]},
    ],
)
def test_taking_a_platforms_id_collects_no_forecasts(engine: Engine, other: dict[str, Any]) -> None:
    shared(engine, "root", "mallory", "alice")
    ask_as(engine, "mallory", slug="metaculus-7", **other)
    for _ in range(2):
        come_in(engine, record(("metaculus-7", "alice", 1, 0.25)))
    assert forecasts_on(engine) == {"metaculus-7": [], "metaculus-7.3": [0.25]}


@pytest.mark.parametrize("order", [(HASH, "clx9"), ("clx9", HASH)])
def test_a_file_and_a_pull_are_one_question(engine: Engine, order: tuple[str, str]) -> None:
    """A Fatebook file has no id of the platform, so its questions' ids are hashes."""
    shared(engine, "root", "alice")
    for platform_id in order:
        given = record((f"metaculus-{HASH}", "alice", 1, 0.25), questions={f"metaculus-{HASH}": {}})
        come_in(engine, replace(given, origins=given.origins.assign(platform_id=platform_id)))
    assert forecasts_on(engine) == {f"metaculus-{HASH}.2": [0.25]}


def test_an_id_that_ends_like_a_members_own_name_is_another_question(engine: Engine) -> None:
    shared(engine, "root", "alice")
    for id_, probability in (("pairs-x", 0.25), ("pairs-x.2", 0.75)) * 2:
        given = record((id_, "alice", 1, probability), questions={id_: {}})
        come_in(engine, replace(given, platform="pairs"))
    assert forecasts_on(engine) == {"pairs-x.2": [0.25], "pairs-x.2.2": [0.75]}


def test_an_export_of_our_own_in_the_shape_of_metaculus_is_read_back(engine: Engine) -> None:
    """Its ids are the names of questions here."""
    shared(engine, "root", "alice")
    for id_ in ("metaculus-7", "metaculus-7.2"):
        come_in(engine, record((id_, "alice", 1, 0.25), questions={id_: {}}))
    assert list(forecasts_on(engine)) == ["metaculus-7.2"]


def test_an_import_puts_no_address_on_the_question_of_another_member(engine: Engine) -> None:
    shared(engine, "root", "bob", "alice")
    ask_as(engine, "bob", slug="rain", title="Will rain happen?")
    come_in(engine, record(("rain", "alice", 1, 0.25), questions={"rain": {}}))
    assert forecasts_on(engine) == {"rain": [0.25]}
    with database.reading(engine) as session:
        assert not session.exec(select(QuestionOrigin)).all()


def test_an_import_with_a_members_own_rights_reads_the_known_questions_once(engine: Engine) -> None:
    shared(engine, "root", "alice")
    given = record(("metaculus-7", "alice", 1, 0.25), questions={"metaculus-7": {}})
    come_in(engine, given)
    read: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT") and "question_revision.resolution_criteria" in statement:
            read.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    come_in(engine, given)
    event.remove(engine, "before_cursor_execute", note)
    assert len(read) == 1
