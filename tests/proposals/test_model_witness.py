"""A model's outcome in a quorum: one witness beside another, with its passages, never the judge."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import select

from forecasts.common.errors import Refused
from forecasts.ledger import database
from forecasts.ledger.models import PolicyKind, Resolution, Resolver
from forecasts.ledger.verification import verify
from forecasts.proposals import decisions, model_outcomes
from forecasts.questions import registry, revisions
from forecasts.resolution import assignments, kept_evidence
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs import run
from tests.conftest import ask, day
from tests.proposals.conftest import Desk
from tests.proposals.stub import MODEL, Stub
from tests.proposals.test_model_outcomes import NONE, VOTED, YES, outcome
from tests.resolution.runs import conftest as runs
from tests.resolution.runs.conftest import Oracle

oracle = runs.oracle
pytestmark = pytest.mark.slow
SEEN = Finding("yes", day(3.5), note="saw the minutes")


@pytest.fixture
def voted(desk: Desk, oracle: Oracle) -> int:
    """An article that tells the outcome of a question whose quorum has a model and an oracle."""
    with desk.acting() as (session, member, _):
        question = ask(session, member, slug="ferry", title="Will the council replace the ferry?")
        given: dict[str, Any] = {"member": member, "now": day(1)}
        assignments.attach(session, question, "model", {}, **given)
        assignments.attach(session, question, "oracle", {}, beside=True, **given)
        assignments.set_policy(session, question, PolicyKind.quorum, agreeing=2, **given)
    return desk.capture(f"It is over.\n\n{VOTED}", url="https://example.org/vote")


def result(desk: Desk, at: float) -> tuple[str, str]:
    [one] = run.run(desk.engine, now=day(at)).results
    return str(one.state), one.message


def test_a_model_and_another_witness_confirm_and_the_record_names_the_model_and_its_passages(
    desk: Desk, voted: int, stub: Stub, oracle: Oracle
) -> None:
    outcome(desk, stub, voted, YES)
    outcome(desk, stub, voted, YES)  # a second answer is the same witness
    agree = "1 of 2 agree on yes, known on 3 January 2026"
    assert result(desk, 5) == ("not_yet", agree)
    oracle(lambda _: SEEN)
    assert result(desk, 6)[0] == "confirmed"
    with desk.acting() as (session, _, _):
        row = session.exec(select(Resolution)).one()
        assert session.get_one(Resolver, row.resolver_id).kind == "oracle"
        assert (row.outcome, row.known_at) == ("yes", day(3.5))  # not the model's time
        assert f"model: yes, known at 2026-01-03 23:59 UTC; by the model {MODEL}" in row.note
        assert f"“{VOTED}” (The council voted for a bridge.; article {voted})" in row.note
        assert "oracle: yes" in row.note
        [kept] = kept_evidence.kept(session, registry.find(session, "ferry"))
        assert kept.exhibit.address == "model:ferry"
        assert kept.data is not None
        assert json.loads(kept.data)["passages"][0]["quotation"] == VOTED
        assert verify(session).broken is None


@pytest.mark.parametrize("answer", ["not_yet", "cannot_tell"])
def test_the_newest_answer_counts_and_one_without_an_outcome_is_not_a_witness(
    desk: Desk, voted: int, stub: Stub, oracle: Oracle, answer: str
) -> None:
    outcome(desk, stub, voted, YES)
    outcome(desk, stub, voted, NONE | {"answer": answer})
    oracle(lambda _: SEEN)
    assert result(desk, 5) == ("not_yet", "1 of 2 agree on yes, known on 4 January 2026")
    outcome(desk, stub, voted, YES)
    assert result(desk, 6)[0] == "confirmed"


def test_an_accepted_answer_counts_and_a_dismissed_a_changed_or_an_older_one_does_not(
    desk: Desk, voted: int, stub: Stub, oracle: Oracle
) -> None:
    oracle(lambda _: SEEN)
    [number] = outcome(desk, stub, voted, YES).proposals
    with desk.acting() as (session, member, now):
        decisions.dismiss(session, number, member=member, now=now)
    assert result(desk, 5)[0] == "not_yet"
    [number] = outcome(desk, stub, voted, YES).proposals
    with desk.acting() as (session, member, now):
        question = registry.find(session, "ferry")
        change = {"resolution_criteria": "A vote by 31 March.", "reason": "clearer"}
        revisions.revise(session, question, member=member, now=day(5), **change)
    assert result(desk, 6)[0] == "not_yet"  # its answer is by the former criteria
    desk.now = day(7)
    [number] = outcome(desk, stub, voted, YES).proposals
    with desk.acting() as (session, member, now):
        model_outcomes.accept(session, number, member=member, now=now)
    assert result(desk, 8)[0] == "confirmed"


def test_another_outcome_proposed_instead_of_the_models_leaves_no_witness(
    desk: Desk, voted: int, stub: Stub, oracle: Oracle
) -> None:
    [number] = outcome(desk, stub, voted, YES).proposals
    with desk.acting() as (session, member, now):
        model_outcomes.accept(session, number, member=member, now=now, outcome="no")
    oracle(lambda _: SEEN)
    assert result(desk, 5) == ("not_yet", "1 of 2 agree on yes, known on 4 January 2026")


def test_the_answers_of_others_are_not_a_witness(
    desk: Desk, voted: int, stub: Stub, oracle: Oracle
) -> None:
    desk.handle = "bob"
    outcome(desk, stub, voted, YES)
    oracle(lambda _: SEEN)
    assert result(desk, 5)[0] == "not_yet"


def test_a_model_is_one_source_and_without_a_quorum_only_proposes(
    desk: Desk, voted: int, stub: Stub, oracle: Oracle
) -> None:
    outcome(desk, stub, voted, YES)
    with desk.acting() as (session, member, _):
        question = registry.find(session, "ferry")
        given: dict[str, Any] = {"member": member, "now": day(4)}
        with pytest.raises(Refused, match="already has a resolver with this source"):
            assignments.attach(session, question, "model", {}, beside=True, **given)
        assignments.set_policy(session, question, PolicyKind.confirm, **given)
    state, message = result(desk, 5)
    assert (state, "waiting for a decision" in message) == ("proposed", True)
    with database.reading(desk.engine) as session:
        row = session.exec(select(Resolution)).one()
        assert row.state == "proposed"
        assert f"by the model {MODEL}" in row.note
