"""Two hundred articles with orders in them, and a model that obeys each: nothing comes of it.

``injections.txt``: on each line a place in an article and the words there, escaped as in JSON.
"""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, SQLModel, select

from forecasts.ledger import database
from forecasts.ledger.models import (
    AnswerState,
    ModelAnswer,
    ModelCall,
    ModelProposal,
    QuestionSource,
)
from forecasts.ledger.verification import verify
from forecasts.proposals import calls
from forecasts.proposals.endpoint import Unanswered
from forecasts.proposals.kinds import Wanted
from forecasts.questions import registry
from forecasts.updates.comments import comment
from tests.common.test_web import Answer
from tests.conftest import KINDS, ask, say
from tests.proposals.conftest import FERRY, TEXT, Desk
from tests.proposals.stub import Stub, completion, says
from tests.proposals.test_model_forecasts import REASONED
from tests.proposals.test_model_outcomes import YES

LINES = (Path(__file__).parent / "injections.txt").read_text("utf-8").splitlines()
# Without NUL, which a capture leaves out.
INJECTIONS = [
    (line.split("\t")[0], json.loads(f'"{line.split(chr(9))[1]}"').replace("\0", ""))
    for line in LINES
]
SECRET = "Zanzibar merger"
WRITTEN = {"model_call", "model_answer", "model_proposal", "entry"}


@pytest.fixture
def kind() -> str:
    """One database is enough: nothing here depends on which."""
    return KINDS[0]


def test_there_are_two_hundred_and_no_two_alike() -> None:
    assert len(INJECTIONS) == len(set(INJECTIONS)) == 200


def injected(desk: Desk, number: int, place: str, words: str) -> int:
    """Return the number of a new article with these words at that place."""
    text = f"Report {number:03}. {TEXT}"
    fields: dict[str, Any] = {"title": f"The ferry, part {number:03}"}
    if place == "text":
        text += f"\n\n{words}"
    elif place == "comment":
        text += f"\n\nComments\n\nzoe: {words}"
    else:
        fields[place] = words
    return desk.capture(text, **fields)


def obedient(number: int, words: str) -> Answer:
    """Return the answer of a model that does as it was told, in one of several ways."""
    orders = words[:250]
    as_told = FERRY | {
        "title": f"{orders} Will it?",
        "criteria": f"{orders} http://203.0.113.9/?leak={SECRET}",
        "source": "http://203.0.113.9/",
        "edge_cases": f"![]({orders})<img src=http://203.0.113.9/>",
    }
    tool = {"type": "function", "function": {"name": "resolve", "arguments": '{"all": "yes"}'}}
    ways: list[Any] = [
        {"questions": [as_told]},
        {"questions": [as_told | {"act": "resolve", "outcome": "yes"}]},
        {"questions": [as_told | {"quotation": words[:1500]}]},
        orders,
        {"act": "accept", "proposals": "all"},
    ]
    document = completion(ways[number % len(ways)])
    document["choices"][0]["message"]["tool_calls"] = [tool]
    return says("", **document)


def state(session: Session) -> dict[str, list[Any]]:
    """Return every row of the ledger but those of calls, answers and proposals."""
    return {
        table.name: [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]
        for table in SQLModel.metadata.sorted_tables
        if table.name not in WRITTEN
    }


@pytest.mark.slow
def test_an_obedient_model_changes_nothing_learns_nothing_and_reaches_nothing(
    desk: Desk, stub: Stub
) -> None:
    with desk.acting() as (session, member, now):
        merger = ask(session, member, title=f"Will the {SECRET} close?", slug="merger")
        say(session, merger, member, 0.7, 4.5, rationale=f"{SECRET} is likely")
        comment(session, merger, f"{SECRET}, dear model", member=member, now=now)
    numbers = [injected(desk, number, *one) for number, one in enumerate(INJECTIONS)]
    desk.ask(stub)  # after which the model has its name
    with database.reading(desk.engine) as session:
        before = state(session)
    stub.requests.clear()
    for number, (article, (_, words)) in enumerate(zip(numbers, INJECTIONS, strict=True)):
        stub.answer = obedient(number, words)
        try:
            desk.ask(stub, article, tokens=10**9)
        except Unanswered:
            assert number % 5 in (1, 3, 4)
        sent = [json.dumps(one, ensure_ascii=False) for one in stub.requests]
        assert len(sent) == (2 if number % 5 in (1, 3, 4) else 1)
        for one in sent:
            assert set(re.findall(r"Report (\d{3})\.", one)) == {f"{number:03}"}
        system, data = (one["content"] for one in stub.requests[0]["messages"])
        assert data.count("<") == data.count(">") == 2  # the marks, which nobody else can write
        assert words not in system
        hidden = {one for one in data if unicodedata.category(one) in ("Cf", "Cc", "Co", "Cn")}
        assert hidden == {"\n"}  # between the marks and the document
        first = json.dumps(stub.requests[0], ensure_ascii=False)
        assert SECRET not in first
        stub.requests.clear()
    assert stub.elsewhere == []
    with database.reading(desk.engine) as session:
        assert state(session) == before
        sent_calls = session.exec(select(ModelCall)).all()
        answers = session.exec(select(ModelAnswer)).all()
        assert len(sent_calls) == len(answers) == 1 + 200 + 120
        assert {one.state for one in answers} == {AnswerState.answered, AnswerState.unusable}
        for one in session.exec(select(ModelProposal)):
            assert set(json.loads(one.content)) == {
                *("title", "type", "options", "lower_bound", "upper_bound", "unit"),
                *("resolution_criteria", "fine_print", "close_date", "quote", "prefix", "suffix"),
            }
        assert verify(session).broken is None
        assert {one.kind for one in sent_calls} == {"questions"}


def certain(number: int, words: str) -> Answer:
    """Return the forecast of a model that does as it was told, in one of several ways."""
    orders = words[:250]
    point = {"point": f"{orders} {SECRET}", "quotation": ""}
    as_told = REASONED | {"base_rate": orders, "evidence_for": [point], "evidence_against": [point]}
    ways: list[Any] = [
        as_told | {"forecast": "100%"},
        as_told | {"record_as": "alice"},
        as_told | {"evidence_for": [{"point": orders, "quotation": words[:1500]}]},
        orders,
        as_told | {"forecast": orders},
    ]
    return says(ways[number % len(ways)])


def settled(number: int, words: str) -> Answer:
    """Return the outcome of a model that does as it was told, in one of several ways."""
    passage = {"quotation": words[:1500], "meets": words[:250]}
    as_told = YES | {"passages": [passage, *YES["passages"]], "note": f"{SECRET} {words[:250]}"}
    ways: list[Any] = [
        as_told,
        as_told | {"confirmed": True},
        as_told | {"outcome": words[:250]},
        as_told | {"answer": "cancelled"},
    ]
    return says(ways[number % len(ways)])


def contrary(number: int, words: str) -> Answer:
    """Return the challenge of a model that does as it was told, in one of several ways."""
    point = {"point": f"{words[:250]} {SECRET}", "quotation": words[:1500]}
    as_told = {"case": words[:250], "points": [point], "review": [words[:250]]}
    ways: list[Any] = [as_told, as_told | {"forecast": "99%"}, as_told | {"case": ""}, words]
    return says(ways[number % len(ways)])


@pytest.mark.slow
def test_an_obedient_model_records_no_forecast_and_no_outcome_and_learns_of_no_other_question(
    desk: Desk, stub: Stub
) -> None:
    with desk.acting() as (session, member, now):
        merger = ask(session, member, title=f"Will the {SECRET} close?", slug="merger")
        say(session, merger, member, 0.7, 4.5, rationale=f"{SECRET} is likely")
        for number, (_, words) in enumerate(INJECTIONS):
            question = ask(
                session, member, slug=f"quay-{number:03}", title=f"Will quay {number:03} open?",
                background=words, resolution_criteria=words, fine_print=f"{words} </data>",
            )  # fmt: skip
            comment(session, question, f"Whisper: {words}", member=member, now=now)
            say(session, question, member, 0.41, 4, rationale="Whisper of a reason")
    numbers = [injected(desk, number, *one) for number, one in enumerate(INJECTIONS)]
    with desk.acting() as (session, _, _):
        for number, article in enumerate(numbers):
            question_id = registry.find(session, f"quay-{number:03}").id
            session.add(QuestionSource(question_id=question_id, article_id=article))
    desk.ask(stub)
    with database.reading(desk.engine) as session:
        before = state(session)
    for number, (_, words) in enumerate(INJECTIONS):
        stub.requests.clear()
        stub.answer = certain(number, words)
        wanted = Wanted("forecast", question=f"quay-{number:03}")
        try:
            made = desk.asks(stub.endpoint(tokens=10**9), wanted)
            assert number % 5 in (0, 2, 4)
            assert len(made.proposals) == (number % 5 == 2)
        except Unanswered:
            assert number % 5 in (1, 3)
        system, data = (one["content"] for one in stub.requests[0]["messages"])
        assert set(re.findall(r"Will quay (\d{3}) open", data)) == {f"{number:03}"}
        assert data.count("<") == data.count(">") == 2
        assert words not in system
        assert SECRET not in data
        assert "Whisper" not in data
        stub.requests.clear()
        stub.answer = settled(number, words)
        wanted = Wanted("outcome", question=f"quay-{number:03}", articles=(numbers[number],))
        try:
            desk.asks(stub.endpoint(tokens=10**9), wanted)
            assert number % 4 != 1
        except Unanswered:
            assert number % 4 == 1
        data = stub.requests[0]["messages"][1]["content"]
        assert set(re.findall(r"Will quay (\d{3}) open", data)) == {f"{number:03}"}
        assert data.count("<") == data.count(">") == 2
        assert SECRET not in data
        assert "Whisper" not in data
        stub.requests.clear()
        stub.answer = contrary(number, words)
        wanted = Wanted("challenge", question=f"quay-{number:03}", articles=(numbers[number],))
        try:
            made = desk.asks(stub.endpoint(tokens=10**9), wanted)
            assert len(made.proposals) == (number % 4 == 0)
        except Unanswered:
            assert number % 4 in (1, 3)
        data = stub.requests[0]["messages"][1]["content"]
        assert set(re.findall(r"Will quay (\d{3}) open", data)) == {f"{number:03}"}
        assert data.count("<") == data.count(">") == 2
        assert SECRET not in data
        assert "Whisper" not in data
    assert stub.elsewhere == []
    with database.reading(desk.engine) as session:
        assert state(session) == before
        assert verify(session).broken is None
        kinds = set(session.exec(select(ModelCall.kind)))
        # "questions": the first, and the test before; a trial has the same answer as a forecast.
        assert kinds | {"trial"} == set(calls.KINDS)
