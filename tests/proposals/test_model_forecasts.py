"""A model's forecast: sent without anybody's, hidden until one has forecast, then a bot's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import select

from forecasts.access import roles
from forecasts.access.members import member_named
from forecasts.common.errors import Forbidden, NotFound, Refused
from forecasts.ledger.models import Forecast, ModelCall, ModelDecision, ModelUse, Visibility
from forecasts.ledger.verification import verify
from forecasts.proposals import calls, decisions, model_forecasts
from forecasts.proposals.kinds import Wanted
from forecasts.questions import passages, registry, revisions
from forecasts.updates.comments import comment
from forecasts.updates.updates import update
from forecasts.values.value import Value, value_of
from forecasts.views import proposals as views
from tests.conftest import ask, day, say
from tests.proposals.conftest import FERRY, Desk
from tests.proposals.stub import MODEL, Stub, says

POINT = {"point": "The council has put it on its list.", "quotation": FERRY["quotation"]}
REASONED: dict[str, Any] = {
    "reference_class": "Votes of councils on bridges",
    "base_rate": "3 of 10",
    "evidence_for": [POINT, {"point": "Engines fail.", "quotation": ""}],
    "evidence_against": [{"point": "Money.", "quotation": "There is no money for any bridge."}],
    "forecast": "27%",
}
FORECAST = Wanted("forecast", question="ferry")


@pytest.fixture
def ferry(desk: Desk) -> None:
    """A question from the article, on which bob has forecast."""
    with desk.acting() as (session, member, now):
        text = registry.question_text(
            title=FERRY["title"], open_time=day(0), scheduled_close_time=day(89)
        )
        sources = [passages.find_passage(session, desk.article)]
        question = registry.register(
            session, text, member=member, now=now, slug="ferry", sources=sources
        )
        comment(session, question, "A private whisper", member=member, now=now)
    desk.handle = "bob"
    with desk.acting() as (session, bob, _):
        say(session, question, bob, 0.77, 4, rationale="a secret reason")
    desk.handle = "alice"


def forecast(desk: Desk, stub: Stub, **changed: Any) -> calls.Asked:
    stub.answer = says(REASONED | changed)
    return desk.asks(stub.endpoint(price_out=10), FORECAST)


def own(desk: Desk, p: float) -> None:
    with desk.acting() as (session, member, _):
        say(session, registry.find(session, "ferry"), member, p, 4)


def test_the_question_and_its_articles_are_sent_without_forecasts_and_comments(
    desk: Desk, ferry: None, stub: Stub
) -> None:
    own(desk, 0.41)
    forecast(desk, stub)
    [sent] = stub.requests
    said = json.dumps(sent)
    assert FERRY["title"] in said
    assert FERRY["quotation"] in said
    for secret in ("whisper", "secret reason", "0.77", "77%", "0.41", "bob", "alice"):
        assert secret not in said


def test_it_is_hidden_until_the_one_who_asked_has_forecast(
    desk: Desk, ferry: None, stub: Stub
) -> None:
    asked = forecast(desk, stub)
    [number] = asked.proposals
    assert asked.misquoted == 1  # the point whose passage no article has
    with desk.acting() as (session, member, now):
        with pytest.raises(Refused, match=f"The forecast of {MODEL} is hidden until you have"):
            model_forecasts.reveal(session, number, member=member, now=now)
        found = calls.find_call(session, asked.call, member, now=now)
        assert views.call_text(session, *found, member, now=now).answer == views.HIDDEN
        assert len(session.exec(select(Forecast)).all()) == 1  # bob's: no crowd has the model's
        assert decisions.listing(session, member) == []
    own(desk, 0.5)
    with desk.acting() as (session, member, now):
        shown = model_forecasts.reveal(session, number, member=member, now=now)
        assert shown.value == Value(probability=0.27)
        assert [one.point for one in shown.evidence_for] == [POINT["point"], "Engines fail."]
        assert list(shown.evidence_against) == []
        assert "27%" in views.call_text(session, *found, member, now=now).answer


def test_a_repair_that_repeats_the_forecast_is_hidden_too(
    desk: Desk, ferry: None, stub: Stub
) -> None:
    stub.replies(says("I say 27%, as 27% it is."), says(REASONED))
    asked = desk.asks(stub.endpoint(), FORECAST)
    with desk.acting() as (session, member, now):
        rows = calls.listing(session, member, now=now)
        assert len(rows) == 2
        for row in rows:
            assert "27%" not in views.call_text(session, *row, member, now=now).model_dump_json()
    own(desk, 0.5)
    with desk.acting() as (session, member, now):
        found = calls.find_call(session, asked.call, member, now=now)
        assert "27%, as 27%" in views.call_text(session, *found, member, now=now).request


def test_once_seen_it_is_a_forecast_of_the_models_bot(desk: Desk, ferry: None, stub: Stub) -> None:
    own(desk, 0.5)
    [number] = forecast(desk, stub).proposals
    with desk.acting() as (session, member, now):
        first = model_forecasts.reveal(session, number, member=member, now=now)
        again = model_forecasts.reveal(session, number, member=member, now=now)
        assert first.forecast is not None
        assert again.forecast == first.forecast
        bot = member_named(session, MODEL)
        [row] = session.exec(select(Forecast).where(Forecast.member_id == bot.id))
        assert value_of(row) == Value(probability=0.27)
        assert row.origin == "model"
        assert row.rationale.startswith("Base rate: 3 of 10 (Votes of councils on bridges)")
        [use] = session.exec(select(ModelUse))
        [call] = session.exec(select(ModelCall))
        assert (use.name, use.tokens, use.prompt_hash) == (MODEL, 1_000, call.prompt_hash)
        [decision] = session.exec(select(ModelDecision))
        assert (decision.decision, decision.made_forecast_id) == ("accepted", row.id)
        assert verify(session).broken is None


def shown(desk: Desk, number: int, *, at: int = 4) -> model_forecasts.ModelForecast:
    with desk.acting() as (session, member, _):
        found = model_forecasts.reveal(session, number, member=member, now=day(at))
        row = decisions.find(session, number, member)
        assert decisions.newest_decision(row, session) is not None  # also if it is not recorded
        again = model_forecasts.reveal(session, number, member=member, now=day(at))
        assert again.forecast == found.forecast
        return found


def test_one_that_no_longer_fits_the_question_is_shown_in_the_wording_that_was_sent(
    desk: Desk, stub: Stub
) -> None:
    with desk.acting() as (session, member, now):
        text = registry.question_text(
            title="Which ferry will be first?",
            type="multiple_choice",
            options=["A", "B"],
            open_time=day(0),
            scheduled_close_time=day(89),
        )
        question = registry.register(session, text, member=member, now=now, slug="ferry")
    [number] = forecast(desk, stub, forecast="A=80%, B=20%").proposals
    with desk.acting() as (session, member, _):
        more = {"options": ["A", "New", "B"]}
        revisions.revise(session, question, reason="new", member=member, now=day(5), **more)
        update(session, question, Value(probabilities=(0.4, 0.4, 0.2)), member=member, now=day(5))
    one = shown(desk, number, at=6)
    assert (one.value, one.text.options) == (Value(probabilities=(0.8, 0.2)), ["A", "B"])
    assert one.forecast is None


def test_one_that_was_asked_for_earlier_replaces_no_later_one(
    desk: Desk, ferry: None, stub: Stub
) -> None:
    [early] = forecast(desk, stub).proposals
    desk.handle = "bob"
    [late] = forecast(desk, stub, forecast="40%").proposals
    assert shown(desk, late).forecast is not None
    desk.handle = "alice"
    own(desk, 0.5)
    one = shown(desk, early)
    assert (one.value, one.forecast) == (Value(probability=0.27), None)


def test_one_is_shown_after_the_close_and_not_recorded(desk: Desk, ferry: None, stub: Stub) -> None:
    [number] = forecast(desk, stub).proposals
    assert shown(desk, number, at=100).forecast is None


@pytest.mark.parametrize("typed", ["0%", "100%", "likely", "350%", "", "35"])
def test_a_forecast_that_our_parser_cannot_read_or_that_is_certain_is_dropped(
    desk: Desk, ferry: None, stub: Stub, typed: str
) -> None:
    asked = forecast(desk, stub, forecast=typed)
    assert (asked.proposals, asked.unusable) == ((), 1)


def test_a_private_question_is_sent_by_its_author_alone(desk: Desk, stub: Stub) -> None:
    with desk.acting() as (session, member, now):
        roles.ensure_admin(session, member, now=now)
    desk.handle = "bob"
    with desk.acting() as (session, bob, _):
        ask(session, bob, slug="ferry", visibility=Visibility.author)
    desk.handle = "alice"  # an admin, who sees it
    with pytest.raises(Forbidden, match="only its author may send it to a model"):
        forecast(desk, stub)
    assert stub.requests == []
    desk.handle = "bob"
    [number] = forecast(desk, stub).proposals
    own(desk, 0.5)
    with desk.acting() as (session, bob, now):  # shown, and no forecast of a bot that cannot see it
        shown = model_forecasts.reveal(session, number, member=bob, now=now)
        assert (shown.value.probability, shown.forecast) == (0.27, None)
        assert len(session.exec(select(Forecast)).all()) == 1


def test_it_is_not_asked_for_once_the_question_has_closed(
    desk: Desk, ferry: None, stub: Stub
) -> None:
    with desk.acting() as (session, member, _), pytest.raises(Refused, match="'ferry' has closed"):
        calls.begin(session, stub.endpoint(), FORECAST, member=member, now=day(100))


def test_it_stays_hidden_when_the_question_is_no_longer_visible(desk: Desk, stub: Stub) -> None:
    desk.handle = "bob"
    with desk.acting() as (session, bob, _):
        question = ask(session, bob, slug="ferry")
    desk.handle = "alice"
    asked = forecast(desk, stub)
    own(desk, 0.5)
    desk.handle = "bob"
    with desk.acting() as (session, bob, now):
        revisions.revise(
            session, question, reason="private", member=bob, now=now, visibility=Visibility.author
        )
    desk.handle = "alice"
    with desk.acting() as (session, member, now):
        found = calls.find_call(session, asked.call, member, now=now)
        assert views.call_text(session, *found, member, now=now).answer == views.HIDDEN
        with pytest.raises(NotFound):
            model_forecasts.reveal(session, asked.proposals[0], member=member, now=now)
