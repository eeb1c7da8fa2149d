"""The façade's list of posts: filters, order, pages, groups."""

from __future__ import annotations

from typing import Any

import pytest

from forecasts.questions import revisions
from tests.api.metaculus.conftest import TYPES, Arena
from tests.conftest import acting, day, resolve

pytestmark = pytest.mark.slow

NAMES = list(TYPES)


def listed(arena: Arena, **asked: Any) -> list[int]:
    """Return the numbers of the posts on the page."""
    return [post["id"] for post in arena.bot.get("/posts/", **asked)["results"]]


def test_the_newest_are_first_and_pages_follow_each_other(arena: Arena) -> None:
    numbers = [arena.numbers[name] for name in NAMES]
    assert listed(arena, limit=100) == numbers[::-1]
    first = arena.bot.get("/posts/", limit=2)
    assert (first["count"], first["previous"]) == (5, None)
    second = arena.bot.client.get(first["next"]).json()
    assert [post["id"] for post in second["results"]] == numbers[1:3][::-1]
    last = arena.bot.client.get(second["next"]).json()
    assert last["next"] is None
    assert listed(arena, offset=7) == []


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"forecast_type": ["binary", "date"]}, ["date", "binary"]),
    ({"forecast_type": "binary,discrete"}, ["discrete", "binary"]),
    ({"statuses": "open", "search": "numeric one"}, ["numeric"]),
    ({"statuses": ["upcoming", "closed", "resolved"]}, []),
    ({"tournaments": ["minibench", "other"]}, NAMES[::-1]),
    ({"tournaments": [32627]}, []),
    ({"open_time__gt": "2025-12-31", "open_time__lt": "2026-01-02"}, NAMES[::-1]),
    ({"scheduled_resolve_time__lt": "2026-01-11"}, []),
    ({"published_at__gt": "2026-01-01T00:00:00"}, []),
    ({"order_by": "scheduled_close_time", "limit": 1}, ["binary"]),
    ({"order_by": "-hotness", "limit": 1, "include_description": "true"}, ["discrete"]),
]


def test_filters_narrow_the_list_and_unknown_ones_are_named(arena: Arena) -> None:
    for asked, found in FILTERS:
        assert listed(arena, **asked) == [arena.numbers[name] for name in found], asked
    refused = arena.bot.client.get("/posts/", params={"upvotes__gt": 3})
    assert refused.status_code == 422
    assert "upvotes__gt" in refused.json()["detail"]


def test_a_bot_finds_the_questions_it_has_forecast(arena: Arena) -> None:
    number = arena.numbers["binary"]
    arena.bot.post("/questions/forecast/", [{"question": number, "probability_yes": 0.4}])
    assert listed(arena, forecaster_id=arena.bot.id) == [number]
    assert number not in listed(arena, not_forecaster_id=arena.bot.id)
    others = arena.bot.client.get("/posts/", params={"forecaster_id": arena.alice.id})
    assert others.status_code == 403


def test_each_stage_has_the_platforms_word(arena: Arena) -> None:
    for slug, outcome in (("a-binary-one", "annulled"), ("a-numeric-one", "12")):
        with acting(arena.engine, slug) as (session, question, alice):
            resolve(session, question, alice, outcome, at=1)
    arena.ask(open_time=day(3))
    assert len(listed(arena, statuses="resolved")) == 2
    assert len(listed(arena, statuses="upcoming")) == 1
    assert len(listed(arena, statuses="open")) == 3
    arena.clock.pass_(days=20)
    assert len(listed(arena, statuses="closed")) == 4


def test_a_revised_close_moves_the_post(arena: Arena) -> None:
    with acting(arena.engine, "a-date-one") as (session, question, alice):
        revisions.revise(session, question, scheduled_close_time=day(5), member=alice, now=day(1))
    asked = {"scheduled_close_time__lt": day(6).isoformat()}
    assert listed(arena, **asked) == [arena.numbers["date"]]


def test_a_question_is_that_of_its_post_and_projects_are_the_tags(arena: Arena) -> None:
    for number in arena.numbers.values():
        question = arena.bot.get(f"/questions/{number}/")
        assert question == arena.bot.question(number)
        assert question["post_id"] == number
    assert arena.bot.client.get("/questions/999/").status_code == 404
    arena.ask(slug="late", tags=["33121"], scheduled_close_time=day(0.5))
    own = arena.ask(slug="own", tags=["minibench", "secret"], visibility="author")
    assert arena.bot.client.get(f"/questions/{own}/").status_code == 404
    first, second = arena.bot.get("/projects/tournaments/")
    post = arena.bot.get(f"/posts/{arena.numbers['binary']}/")
    [of_post] = post["projects"]["tournament"]
    assert of_post.items() <= second.items()
    assert (second["questions_count"], second["is_ongoing"]) == (5, True)
    assert (first["id"], first["slug"], first["is_ongoing"]) == (33121, "33121", False)
    assert listed(arena, tournaments=[first["slug"]]) != []
