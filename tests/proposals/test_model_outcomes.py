"""An outcome that a model reads in articles: a witness with passages, proposed by a person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import select

from forecasts.common.errors import LedgerError, Refused
from forecasts.ledger.models import ModelDecision, Resolution
from forecasts.ledger.verification import verify
from forecasts.proposals import calls, decisions, model_outcomes
from forecasts.proposals.kinds import Wanted
from forecasts.resolution import proposals
from tests.conftest import ask, day
from tests.proposals.conftest import NOW, Desk
from tests.proposals.stub import MODEL, Stub, says

VOTED = "The council voted on Friday, by nine to four, to replace the ferry by a bridge."
PASSAGE = {"quotation": VOTED, "meets": "The council voted for a bridge."}
YES: dict[str, Any] = {
    "answer": "outcome",
    "outcome": "Yes",
    "known_on": "2026-01-03",
    "passages": [PASSAGE],
    "note": "",
}
NONE = YES | {"outcome": "", "known_on": "", "passages": []}


@pytest.fixture
def voted(desk: Desk) -> int:
    """An article that tells the outcome of the question ferry."""
    with desk.acting() as (session, member, _):
        ask(session, member, slug="ferry", title="Will the council replace the ferry?")
    return desk.capture(f"It is over.\n\n{VOTED}", url="https://example.org/vote")


def outcome(desk: Desk, stub: Stub, article: int, answer: dict[str, Any]) -> calls.Asked:
    stub.answer = says(answer)
    wanted = Wanted("outcome", question="ferry", articles=(article,))
    return desk.asks(stub.endpoint(), wanted)


def test_an_outcome_with_its_passage_is_proposed_by_a_person(
    desk: Desk, voted: int, stub: Stub
) -> None:
    [number] = outcome(desk, stub, voted, YES).proposals
    assert VOTED in json.dumps(stub.requests[0])
    with desk.acting() as (session, member, now):
        assert session.exec(select(Resolution)).all() == []  # nothing by itself
        found = model_outcomes.find(session, number, member)
        assert (found.outcome, found.decision) == ("yes", None)
        assert list(found.passages) == [model_outcomes.Passage(VOTED, PASSAGE["meets"], voted)]
        made = model_outcomes.accept(session, number, member=member, now=now)
        assert (made.state, made.outcome, made.member_id) == ("proposed", "yes", member.id)
        assert made.source == "https://example.org/vote"
        assert made.note.startswith(f"By {MODEL}:\n\n“{VOTED}”")
        assert len(proposals.open_proposals(session)) == 1
        [decision] = session.exec(select(ModelDecision))
        assert (decision.decision, decision.made_resolution_id) == ("accepted", made.id)
        with pytest.raises(Refused, match="has been accepted already"):
            model_outcomes.accept(session, number, member=member, now=now)
        assert verify(session).broken is None


def test_another_outcome_than_the_models_is_a_change(desk: Desk, voted: int, stub: Stub) -> None:
    [number] = outcome(desk, stub, voted, YES).proposals
    with desk.acting() as (session, member, now):
        made = model_outcomes.accept(session, number, member=member, now=now, outcome="no")
        assert made.outcome == "no"
        assert session.exec(select(ModelDecision.decision)).one() == "changed"


@pytest.mark.parametrize("answer", ["not_yet", "cannot_tell"])
def test_no_outcome_is_an_answer_that_cannot_be_proposed(
    desk: Desk, voted: int, stub: Stub, answer: str
) -> None:
    [number] = outcome(desk, stub, voted, NONE | {"answer": answer}).proposals
    words = answer.replace("_", " ")
    with desk.acting() as (session, member, now):
        assert model_outcomes.find(session, number, member).answer == answer
        with pytest.raises(
            Refused,
            match=f"no outcome for 'ferry': {words}. If you know it: .* model propose {number} O",
        ):
            model_outcomes.accept(session, number, member=member, now=now)
        decisions.dismiss(session, number, member=member, now=now)


def test_a_cancelled_question_is_proposed_as_annulled(desk: Desk, voted: int, stub: Stub) -> None:
    cancelled = YES | {"answer": "cancelled", "outcome": "", "known_on": "2026-01-05"}
    [number] = outcome(desk, stub, voted, cancelled).proposals
    with desk.acting() as (session, member, now):
        made = model_outcomes.accept(session, number, member=member, now=now)
        assert (made.outcome, made.known_at) == ("annulled", NOW)


@pytest.mark.parametrize(
    ("changed", "misquoted", "unusable"),
    [
        ({"passages": [PASSAGE | {"quotation": VOTED.replace("nine", "ten")}]}, 1, 0),
        ({"passages": []}, 0, 1),
        ({"outcome": "perhaps"}, 0, 1),
        ({"known_on": "2026-02-01"}, 0, 1),  # it lies ahead
        ({"known_on": ""}, 0, 1),
    ],
)
def test_an_outcome_without_a_sound_passage_or_that_is_impossible_is_dropped(
    desk: Desk, voted: int, stub: Stub, changed: dict[str, Any], misquoted: int, unusable: int
) -> None:
    asked = outcome(desk, stub, voted, YES | changed)
    assert (asked.proposals, asked.misquoted, asked.unusable) == ((), misquoted, unusable)


def test_a_wrong_passage_beside_a_sound_one_is_dropped(desk: Desk, voted: int, stub: Stub) -> None:
    wrong = {"quotation": "It is over. The mayor wept.", "meets": "Nothing."}
    asked = outcome(desk, stub, voted, YES | {"passages": [wrong, PASSAGE]})
    assert asked.misquoted == 1
    with desk.acting() as (session, member, _):
        found = model_outcomes.find(session, asked.proposals[0], member)
        assert len(found.passages) == 1


def test_without_an_article_nothing_is_sent(desk: Desk, stub: Stub) -> None:
    with desk.acting() as (session, member, _):
        ask(session, member, slug="frost", title="Will it freeze?", scheduled_close_time=day(2))
    with pytest.raises(
        LedgerError,
        match=r"no article on 'frost'\. Add one: forecasts model outcome frost --article N",
    ):
        desk.asks(stub.endpoint(), Wanted("outcome", question="frost"))
    assert stub.requests == []
