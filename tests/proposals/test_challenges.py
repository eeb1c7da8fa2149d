"""A red team: sent with one's own forecast and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import select

from forecasts.access import roles
from forecasts.common.errors import Refused
from forecasts.ledger.models import Forecast
from forecasts.proposals import calls, challenges, decisions
from forecasts.proposals.accounts import accounts
from forecasts.proposals.kinds import Wanted
from forecasts.questions import registry
from forecasts.views import proposals as views
from tests.conftest import ask, say
from tests.proposals.conftest import FERRY, Desk
from tests.proposals.stub import MODEL, Stub, says
from tests.proposals.test_model_forecasts import POINT

CASE: dict[str, Any] = {
    "case": "The forecast is too low: the vote is on the list.",
    "points": [POINT, {"point": "Money.", "quotation": "There is money for every bridge."}],
    "review": ["Has the vote moved?"],
}
WANTED = Wanted("challenge", question="ferry", articles=(1,))


@pytest.fixture
def ferry(desk: Desk) -> None:
    """A question on which bob has forecast, with a crowd that is hidden before one's own."""
    desk.handle = "bob"
    with desk.acting() as (session, bob, _):
        question = ask(session, bob, slug="ferry", title=FERRY["title"], crowd_hidden=True)
        say(session, question, bob, 0.77, 4, rationale="a secret reason")
    desk.handle = "alice"


def own(desk: Desk, p: float) -> None:
    with desk.acting() as (session, member, _):
        say(session, registry.find(session, "ferry"), member, p, 4, rationale="my reason")


def challenge(desk: Desk, stub: Stub, **changed: Any) -> calls.Asked:
    stub.answer = says(CASE | changed)
    return desk.asks(stub.endpoint(), WANTED)


def test_the_own_forecast_is_sent_and_nobody_elses(desk: Desk, ferry: None, stub: Stub) -> None:
    own(desk, 0.41)
    asked = challenge(desk, stub)
    [sent] = stub.requests
    data = json.loads(sent["messages"][1]["content"][7:-8])
    assert data["forecast"] == "41%"
    for secret in ("0.77", "77%", "secret reason", "my reason", "bob", "alice"):
        assert secret not in json.dumps(sent)
    assert asked.misquoted == 1
    with desk.acting() as (session, member, _):
        found = challenges.find(session, asked.proposals[0], member)
        assert (found.model, found.forecast, found.case) == (MODEL, "41%", CASE["case"])
        assert [one.point for one in found.points] == [POINT["point"]]
        assert list(found.review) == CASE["review"]
        assert len(session.exec(select(Forecast)).all()) == 2  # it is nobody's forecast


def test_it_is_refused_before_one_has_forecast(desk: Desk, ferry: None, stub: Stub) -> None:
    with pytest.raises(Refused, match="You have no forecast of 'ferry'"):
        challenge(desk, stub)
    assert stub.requests == []


def test_an_answer_without_a_case_is_dropped(desk: Desk, ferry: None, stub: Stub) -> None:
    own(desk, 0.41)
    asked = challenge(desk, stub, case=" ")
    assert (asked.proposals, asked.misquoted, asked.unusable) == ((), 1, 1)


def test_nobody_judges_it_and_it_can_be_dismissed(desk: Desk, ferry: None, stub: Stub) -> None:
    own(desk, 0.41)
    [number] = challenge(desk, stub).proposals
    challenge(desk, stub)
    with desk.acting() as (session, member, now):
        with pytest.raises(Refused, match="For a challenge: forecasts model dismiss 1"):
            decisions.draft_of(session, number, member)
        decisions.dismiss(session, number, member=member, now=now)
        [one] = accounts(session, member, now=now)
        assert (one.kind, one.shown, one.dismissed, one.open) == ("challenge", 1, 1, 0)
        assert one.taken.mean is None


def test_an_admin_reads_the_forecast_in_it_only_after_their_own(
    desk: Desk, ferry: None, stub: Stub
) -> None:
    desk.handle = "carol"
    with desk.acting() as (session, carol, now):
        roles.ensure_admin(session, carol, now=now)
    desk.handle = "alice"
    own(desk, 0.41)
    number = challenge(desk, stub).call
    desk.handle = "carol"
    for has_forecast in (False, True):
        if has_forecast:
            own(desk, 0.5)
        with desk.acting() as (session, carol, now):
            found = calls.find_call(session, number, carol, now=now)
            text = views.call_text(session, *found, carol, now=now)
            assert ("41%" in text.request) is has_forecast
            assert (CASE["case"] in text.answer) is has_forecast
