"""The demonstration's stand-in for a model: each of its answers can be used."""

from __future__ import annotations

from typing import Any

import pytest

from forecasts.ledger.models import QuestionType
from forecasts.proposals import calls, decisions, model_forecasts, model_outcomes
from forecasts.proposals.endpoint import Endpoint
from forecasts.proposals.kinds import Wanted
from forecasts.samples import canned_model
from forecasts.samples.demonstration import table_of
from forecasts.values.value import format_value
from tests.conftest import ask, day
from tests.proposals.conftest import Desk

BOUNDS: dict[str, Any] = {"lower_bound": "0", "upper_bound": "80"}
DAYS: dict[str, Any] = {"lower_bound": "2026-02-01", "upper_bound": "2026-03-01"}


def asked(desk: Desk, wanted: Wanted) -> calls.Asked:
    with canned_model.running() as url:
        return desk.asks(Endpoint(url, canned_model.NAME), wanted)


def captured(desk: Desk) -> list[int]:
    """Return the numbers of the demonstration's news."""
    news = table_of("news.toml")["articles"]
    return [desk.capture(one["text"].strip().format(year=2027), title=one["title"]) for one in news]


def test_every_canned_question_is_proposed_from_its_sentence_of_the_news(desk: Desk) -> None:
    for article in captured(desk):
        found = asked(desk, Wanted("questions", article=article))
        assert (found.misquoted, found.unusable) == (0, 0)
    with desk.acting() as (session, member, _):
        listed = decisions.listing(session, member)
    canned = table_of("canned_answers.toml")["questions"]
    assert [one.draft.question for one in listed] == [
        one["title"].replace("{year}", "2027") for one in canned
    ]


def test_an_article_of_the_readers_own_has_none(desk: Desk) -> None:
    assert asked(desk, Wanted("questions", article=desk.article)).proposals == ()


@pytest.mark.parametrize(
    ("kind", "fields", "value"),
    [
        ("binary", {}, "50%"),
        ("multiple_choice", {"options": ["A", "B", "C"]}, "A 33.3%, B 33.3%, C 33.4%"),
        ("numeric", BOUNDS, "10th percentile: 20, 50th: 40, 90th: 60"),
        ("date", DAYS, "10th percentile: 2026-02-08, 50th: 2026-02-15, 90th: 2026-02-22"),
    ],
)
def test_a_question_of_every_type_gets_a_forecast_that_says_it_is_canned(
    desk: Desk, kind: str, fields: dict[str, Any], value: str
) -> None:
    with desk.acting() as (session, member, _):
        ask(session, member, slug="quay", type=QuestionType(kind), **fields)
    [number] = asked(desk, Wanted("forecast", question="quay")).proposals
    with desk.acting() as (session, member, _):
        found = model_forecasts.reveal(session, number, member=member, now=day(200))
    assert found.reference_class.startswith("Canned: ")
    assert format_value(found.value, found.text.options) == value


def test_the_outcome_cannot_be_told(desk: Desk) -> None:
    with desk.acting() as (session, member, _):
        ask(session, member, slug="quay")
    wanted = Wanted("outcome", question="quay", articles=(desk.article,))
    [number] = asked(desk, wanted).proposals
    with desk.acting() as (session, member, _):
        assert model_outcomes.find(session, number, member).answer == "cannot_tell"
