"""A model tried on past questions: nothing later than the forecast is sent, nothing is recorded."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, Refused
from forecasts.ledger.models import Forecast, ModelProposal, Visibility
from forecasts.ledger.verification import verify
from forecasts.proposals import calls, decisions, trials
from forecasts.proposals.endpoint import Unanswered
from forecasts.proposals.kinds import Wanted
from forecasts.questions import registry, revisions
from tests.conftest import ask, day, on_both, resolve, say
from tests.proposals.conftest import Desk
from tests.proposals.stub import MODEL, Stub, says, sends
from tests.proposals.test_model_forecasts import REASONED

MANY = 100
NOW = day(60)


def asked_at(number: int) -> float:
    """Return the day of alice's first forecast on a question."""
    return 3 + number / 10


def past(desk: Desk, many: int = MANY) -> None:
    """Write questions that have ended, each with two forecasts of alice, one of bob, and news.

    Of each question there is news from before alice's first forecast, and later news that tells
    its outcome: some published earlier, but captured later.
    """
    with desk.acting() as (session, alice, _):
        bob = member_or_new(session, "bob", now=day(0))
        for number in range(many):
            at = asked_at(number)
            question = ask(
                session, alice, slug=f"quay-{number:03}", title=f"Will quay {number:03} open?",
                scheduled_close_time=day(20), resolution_criteria="As told then.",
            )  # fmt: skip
            say(session, question, bob, 0.4, at - 1 / 24)
            say(session, question, alice, 0.6, at, rationale="A secret reason")
            say(session, question, alice, 0.9, 19, rationale="A later reason")
            how: dict[str, Any] = {"reason": "LATER", "member": alice, "now": day(19.5)}
            revisions.revise(session, question, title=f"Will LATER quay {number:03} open?", **how)
    for number in range(many):
        at, title = day(asked_at(number)), f"Quay {number:03} and its opening"
        early = f"BEFORE {number:03}. The quay {number:03} may open, its harbour master said."
        desk.capture(early, title=title, published_at=at - timedelta(hours=9), captured_at=at)
        for hours in (-5, 5):
            desk.capture(
                f"LATER {number:03} {hours}. Quay {number:03} has opened.", title=title,
                published_at=at + timedelta(hours=hours),
                captured_at=at + timedelta(seconds=1),
            )  # fmt: skip
    with desk.acting() as (session, alice, _):
        for number in range(many):
            question = registry.find(session, f"quay-{number:03}")
            resolve(session, question, alice, "yes" if number % 3 else "no", known=21, at=22)


def tried(desk: Desk, stub: Stub, wanted: Wanted) -> calls.Asked:
    return desk.asks(stub.endpoint(tokens=10**9), wanted)


def planned(desk: Desk, **how: Any) -> trials.Plan:
    desk.now = NOW
    with desk.acting() as (session, alice, _):
        return trials.plan(session, alice, MODEL, now=NOW, **how)


@pytest.mark.slow
def test_on_a_hundred_questions_no_request_has_anything_later_than_the_first_forecast(
    desk: Desk, stub: Stub
) -> None:
    past(desk)
    heard: list[str] = []
    leaks: list[str] = []

    def no_hindsight(request: Any) -> None:
        said = stub.requests[-1]["messages"][1]["content"]
        secrets = ("Will LATER", "secret reason", "later reason", "alice", "bob", "0.6", "60%")
        leaks.extend(secret for secret in secrets if secret in said)
        [number] = set(re.findall(r"Will quay (\d{3}) open", said))
        # Their times rise with their numbers.
        leaks.extend(one for one in re.findall(r"LATER (\d{3})", said) if one >= number)
        heard.extend(set(re.findall(r"BEFORE (\d{3})\.", said)) & {number})
        says(REASONED | {"evidence_for": [], "evidence_against": [], "forecast": "70%"})(request)

    stub.answer = no_hindsight
    with desk.acting() as (session, _, _):
        before = session.exec(select(Forecast)).all()
    ready = planned(desk).ready
    assert len(ready) == MANY
    for wanted in ready:
        assert len(tried(desk, stub, wanted).proposals) == 1
    assert leaks == []
    assert len(set(heard)) == MANY  # each with its own news of before
    left = planned(desk)
    assert (left.ready, left.tried) == ((), MANY)
    with desk.acting() as (session, alice, _):
        comparison, many = trials.result(session, alice, MODEL, now=NOW)
        assert many == MANY
        assert session.exec(select(Forecast)).all() == before  # nothing is recorded
        assert verify(session).broken is None
    assert {side.name for side in comparison.groups} == {MODEL, "alice", trials.CROWD}
    assert {pair.shared_questions for pair in comparison.pairs} == {MANY}


def test_a_question_is_left_out_for_a_reason_that_the_plan_counts(desk: Desk, stub: Stub) -> None:
    past(desk, 3)
    with desk.acting() as (session, alice, _):
        bob = member_or_new(session, "bob", now=day(0))
        hidden = ask(session, bob, slug="hidden", scheduled_close_time=day(20))
        say(session, hidden, alice, 0.5, 4)
        how: dict[str, Any] = {"reason": "mine", "member": bob, "now": day(5)}
        revisions.revise(session, hidden, visibility=Visibility.author, **how)
        lasting = ask(session, alice, slug="lasting", scheduled_close_time=day(90))
        say(session, lasting, alice, 0.5, 4)
        ask(session, alice, slug="silent", scheduled_close_time=day(20))
    found = planned(desk)
    assert [one.question for one in found.ready] == ["quay-000", "quay-001", "quay-002"]
    assert (found.tried, found.unsendable, found.undated, found.known) == (0, 0, 0, 0)
    later = planned(desk, trained=date(2026, 1, 4))
    assert ([one.question for one in later.ready], later.known) == ([], 3)
    assert [one.question for one in planned(desk, only=["quay-002"]).ready] == ["quay-002"]
    wanted = Wanted(trials.KIND, question="lasting", at=day(4))
    with desk.acting() as (session, alice, _), pytest.raises(Refused, match="has not ended"):
        calls.begin(session, stub.endpoint(), wanted, member=alice, now=NOW)


def test_a_failed_call_is_tried_again_and_an_unusable_answer_is_not(desk: Desk, stub: Stub) -> None:
    past(desk, 2)
    first, second = planned(desk).ready
    stub.answer = sends(b"", 500)
    with pytest.raises(Unanswered):
        tried(desk, stub, first)
    stub.answer = says(REASONED | {"forecast": "likely"})
    assert tried(desk, stub, second).unusable == 1
    assert planned(desk).ready == (first,)
    words = f"{MODEL} has not been tried on a question of yours"
    with desk.acting() as (session, alice, _), pytest.raises(BadInput, match=words):
        trials.result(session, alice, MODEL, now=NOW)


@on_both
def test_a_question_waiting_for_its_outcome_is_tried_too(desk: Desk, stub: Stub) -> None:
    with desk.acting() as (session, alice, _):
        question = ask(session, alice, slug="quay", scheduled_close_time=day(20))
        say(session, question, alice, 0.6, 4)
    [wanted] = planned(desk).ready
    stub.answer = says(REASONED | {"evidence_for": [], "evidence_against": []})
    [number] = tried(desk, stub, wanted).proposals
    with desk.acting() as (session, alice, _):
        row = session.get_one(ModelProposal, number)
        assert json.loads(row.content)["forecast"] == "27%"
        assert decisions.about_questions(session, alice) == []  # there is nothing to decide
        comparison, many = trials.result(session, alice, MODEL, now=NOW)
        assert many == 1
        assert [pair.better for pair in comparison.pairs] == [None]
