"""The pages of lists and tables, also while their rows change between them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from forecasts.api.paging import MOST, MOST_OF_TABLE
from tests.api.conftest import Clock, asked
from tests.conftest import day

pytestmark = pytest.mark.slow

V1 = "/api/v1"
Add = Callable[[], None]
Forecast = Callable[..., None]
LISTS = ("questions", "forecasts", "evidence", "scores")


def listed(
    api: TestClient, path: str, between: Add | None = None, limit: int = 3, **query: Any
) -> Iterator[dict[str, Any]]:
    """Follow `next`; yield each row. ``between`` is called after each page."""
    for _ in range(30):
        found = api.get(f"{V1}/{path}", params={"limit": limit} | query)
        assert found.status_code == 200, found.text
        name = path.rpartition("/")[2]
        rows = found.json()[name if name in LISTS else "rows"]
        assert len(rows) <= limit
        yield from rows
        if found.json()["next"] is None:
            return
        query["cursor"] = found.json()["next"]
        if between is not None:
            between()
    raise AssertionError("The list does not end.")


@pytest.fixture
def forecast(api: TestClient, clock: Clock) -> Forecast:
    """Return a function that makes a forecast a minute later, with two pieces of evidence."""
    made = 0

    def make(slug: str = "rain") -> None:
        nonlocal made
        made += 1
        clock.time += timedelta(minutes=1)
        evidence = [{"note": f"{kind} {made}", "kind": kind} for kind in ("news", "data")]
        given = {"probability": 0.1 + made % 8 / 10, "evidence": evidence}
        assert api.post(f"{V1}/questions/{slug}/forecasts", json=given).status_code == 201

    return make


@pytest.mark.parametrize(
    ("query", "act"),
    [
        ({"needs_update": True}, "forecasts"),
        ({"mine": False, "order": "newest"}, "forecasts"),
        ({"updated_since": "2025-12-01T00:00:00Z"}, "forecasts"),
        ({"order": "untouched"}, "forecasts"),
        ({"status": "awaiting"}, "resolve"),
    ],
)
def test_each_question_is_listed_once_while_a_bot_acts_on_them_page_by_page(
    api: TestClient, engine: Engine, clock: Clock, query: Any, act: str
) -> None:
    def acts(id_: str) -> None:
        clock.time += timedelta(minutes=1)
        given = {"outcome": "no"} if act == "resolve" else {"probability": 0.3}
        assert api.post(f"{V1}/questions/{id_}/{act}", json=given).is_success

    ids = [f"q{number}" for number in range(5)]
    for number, id_ in enumerate(ids):
        asked(engine, slug=id_, scheduled_close_time=day(10 + number % 3))
        if query.get("order") == "untouched":
            acts(id_)
    if act == "resolve":
        clock.time = day(20)
    seen: list[str] = []
    acted: list[str] = []

    def act_on_page() -> None:
        for id_ in seen[len(acted) :]:
            acts(id_)
            acted.append(id_)

    for one in listed(api, "questions", act_on_page, limit=2, **query):
        seen.append(one["id"])
    assert (seen if query.get("order") == "untouched" else sorted(seen)) == ids


def test_pages_continue_where_they_ended(api: TestClient, engine: Engine) -> None:
    for number in range(5):
        asked(engine, slug=f"q{number}", title=f"Question {number}?")
    query = {"order": "alphabet", "limit": 2}
    first = api.get(f"{V1}/questions", params=query).json()
    assert ([one["id"] for one in first["questions"]], first["matching"]) == (["q0", "q1"], 5)
    asked(engine, slug="early", title="A question?")
    second = api.get(f"{V1}/questions", params=query | {"cursor": first["next"]}).json()
    assert [one["id"] for one in second["questions"]] == ["q2", "q3"]
    earlier_version = base64.urlsafe_b64encode(b'[2, "q1"]').decode()
    for wrong in ("x", "W10=", "é", "bnVsbA==", earlier_version, first["next"][:-4]):
        found = api.get(f"{V1}/questions", params=query | {"cursor": wrong})
        assert found.status_code == 422
        assert "cursor" in found.json()["detail"]
        assert "without a cursor" in found.json()["remedy"]


def test_a_page_begins_at_the_next_row_that_is_still_in_the_list(
    api: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasts.api.paging.MARKED", 3)
    for number in range(7):
        asked(engine, slug=f"q{number}")

    def forecast(*chosen: str) -> None:
        for id_ in chosen:
            api.post(f"{V1}/questions/{id_}/forecasts", json={"probability": 0.3})

    def page(**query: object) -> tuple[list[str], str | None]:
        found = api.get(f"{V1}/questions", params={"mine": False, "limit": 2} | query).json()
        return [one["id"] for one in found["questions"]], found["next"]

    first, cursor = page()
    assert first == ["q0", "q1"]
    forecast("q2", "q3")
    assert page(cursor=cursor)[0] == ["q4", "q5"]
    forecast("q4")  # all marked rows have gone: none is left out
    assert page(cursor=cursor)[0] == ["q0", "q1"]
    _, last = page(limit=3)
    forecast("q6")
    assert page(cursor=last) == ([], None)


def test_new_rows_do_not_disturb_a_list(api: TestClient, engine: Engine, forecast: Add) -> None:
    asked(engine, slug="rain")
    for _ in range(4):
        forecast()
    for kind, name in (("forecasts", "number"), ("evidence", "forecast")):
        found = list(listed(api, f"questions/rain/{kind}", forecast))
        numbers = [row[name] for row in found]
        assert numbers == sorted(numbers)
        assert found == list(listed(api, f"questions/rain/{kind}", limit=MOST))[: len(found)]
        assert len(found) >= 4


@pytest.fixture
def resolve(api: TestClient, engine: Engine, clock: Clock, forecast: Forecast) -> Add:
    """Return a function that resolves the next of 6 questions, each with two forecasts.

    Three are resolved already.
    """
    for number in range(6):
        asked(engine, slug=f"q{number}", title=f"Question {number}?", family=f"f{number}")
        forecast(f"q{number}")
        forecast(f"q{number}")
    clock.time, resolved = day(20), iter(range(6))

    def act() -> None:
        clock.time += timedelta(minutes=1)
        if (number := next(resolved, None)) is not None:
            found = api.post(f"{V1}/questions/q{number}/resolve", json={"outcome": "no"})
            assert found.status_code == 201

    for _ in range(3):
        act()
    return act


def test_scores_are_listed_once_while_outcomes_are_recorded(api: TestClient, resolve: Add) -> None:
    found = [row["id"] for row in listed(api, "scores", resolve, limit=2)]
    assert found == ["q2", "q1", "q0"]
    whole = list(listed(api, "scores", limit=MOST))
    assert [row["id"] for row in whole[-3:]] == found
    assert all(len(row["forecasts"]) == 2 and row["score"] is not None for row in whole)


def test_an_attribution_stays_while_outcomes_are_recorded(api: TestClient, resolve: Add) -> None:
    whole = list(listed(api, "attribution", limit=MOST_OF_TABLE, by="evidence"))
    assert len(whole) > 2
    assert list(listed(api, "attribution", resolve, limit=1, by="evidence")) == whole
    points = [row["points"] for row in whole]
    assert points == sorted(points, reverse=True)
    assert list(listed(api, "attribution", limit=MOST_OF_TABLE, by="evidence")) != whole


def test_the_crowd_has_pages(api: TestClient, engine: Engine, forecast: Forecast) -> None:
    for number in range(3):
        asked(engine, slug=f"q{number}")
        forecast(f"q{number}")

    def ask_another() -> None:
        asked(engine, slug="a0", title="Another?")
        forecast("a0")

    found = [row["question_id"] for row in listed(api, "crowd", ask_another, limit=2)]
    assert found == [f"q{number}" for number in range(3)]


def test_a_page_has_50_rows_by_default(api: TestClient, engine: Engine, clock: Clock) -> None:
    asked(engine, slug="rain")
    rows = [{"question": "rain", "probability": 0.3, "evidence": [{"note": "x"}]}] * 60
    assert api.post(f"{V1}/forecasts", json={"forecasts": rows}).status_code == 201
    for kind in ("forecasts", "evidence"):
        found = api.get(f"{V1}/questions/rain/{kind}").json()
        assert len(found[kind]) == 50
        assert found["next"] is not None
    clock.time = day(11)
    api.post(f"{V1}/questions/rain/resolve", json={"outcome": "yes"})
    for path, most in (("scores", MOST), ("attribution", MOST_OF_TABLE), ("crowd", MOST_OF_TABLE)):
        assert api.get(f"{V1}/{path}").json()["next"] is None
        for limit, status in ((most, 200), (most + 1, 422), (0, 422)):
            assert api.get(f"{V1}/{path}", params={"limit": limit}).status_code == status
