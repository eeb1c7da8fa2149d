"""The façade over HTTP, with the requests that forecasting-tools 0.3.5 sends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient

from forecasts.access import visibility
from forecasts.access.members import find_member
from forecasts.api.door import Here
from forecasts.api.mcp import tools
from forecasts.ledger import database
from tests.api.metaculus.conftest import Arena
from tests.conftest import day

pytestmark = pytest.mark.slow

_AT = np.linspace(-2.5, 2.5, 201)
CDF = np.round(1 / (1 + np.exp(-1.7 * _AT)), 10).tolist()
# By type: what the client sends, the values it reads back, and an outcome.
FORECASTS: dict[str, tuple[dict[str, Any], list[float], str]] = {
    "binary": ({"probability_yes": 0.7}, [0.3, 0.7], "yes"),
    "multiple_choice": (
        {"probability_yes_per_category": {"Riyadh": 0.3, "Busan": 0.5, "Other": 0.2}},
        [0.5, 0.3, 0.2],
        "Riyadh",
    ),
    "numeric": ({"continuous_cdf": CDF}, CDF, "120.5"),
    "date": ({"continuous_cdf": CDF}, CDF, "2026-01-02"),
    "discrete": ({"continuous_cdf": CDF[::18]}, CDF[::18], "4"),
}
NOTES = "I took the base rate."


def forecast(number: int, value: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"question": number, "source": "api", **value}]


@pytest.mark.parametrize("sort", FORECASTS)
def test_a_bot_forecasts_explains_reads_withdraws_and_is_scored(arena: Arena, sort: str) -> None:
    bot, number = arena.bot, arena.numbers[sort]
    value, back, outcome = FORECASTS[sort]
    listed = bot.get(
        "/posts/", limit=100, offset=0, order_by="-published_time", with_cp="true",
        include_conditional_cps="true", forecast_type=[sort], statuses=["open"],
        tournaments=["minibench"],
    )  # fmt: skip
    assert [post["id"] for post in listed["results"]] == [number]
    assert listed["results"][0]["question"]["type"] == sort

    [sent] = bot.post("/questions/forecast/", forecast(number, value))
    assert sent["receipt"]["row_id"] == sent["id"]
    arena.clock.pass_(minutes=9)
    said = bot.post(
        "/comments/create/",
        {"on_post": number, "text": NOTES, "is_private": True, "included_forecast": True},
    )
    assert (said["forecast_id"], said["is_private"]) == (sent["id"], False)
    mine = bot.question(number)["my_forecasts"]
    assert mine["latest"]["forecast_values"] == pytest.approx(back, abs=1e-9)
    assert mine["latest"]["start_time"] == day(1).timestamp()
    assert mine["latest"]["end_time"] is None

    bot.post("/questions/withdraw/", [{"question": number}])
    mine = bot.question(number)["my_forecasts"]
    assert mine["latest"] is None
    assert mine["history"][0]["end_time"] == arena.clock.time.timestamp()

    arena.clock.pass_(days=1)
    body = {"resolution": outcome, "actual_resolve_time": "2026-01-02T12:00:00"}
    bot.post(f"/questions/{number}/resolve/", body, status=403)
    arena.alice.post(f"/questions/{number}/resolve/", body, status=200)
    question = bot.question(number)
    assert (question["status"], question["resolution"]) == ("resolved", outcome)
    assert question["actual_resolve_time"] == "2026-01-02T12:00:00Z"
    rule = "crps" if "continuous_cdf" in value else "brier"
    assert 0 < question["my_forecasts"]["score_data"][f"{rule}_score"] < 1

    path = f"/questions/{number}/unresolve/"
    again = arena.alice.post(path, None, status=200)["question"]
    assert (again["resolution"], again["status"]) == (None, "open")
    assert "has no outcome" in arena.alice.post(path, None, status=409)["detail"]


def test_a_question_has_the_fields_that_the_client_reads(arena: Arena) -> None:
    post = arena.bot.get(f"/posts/{arena.numbers['discrete']}/")
    assert "group_of_questions" not in post
    assert "conditional" not in post
    assert post["projects"]["default_project"]["visibility"] == "normal"
    assert [one["slug"] for one in post["projects"]["tournament"]] == ["MiniBench"]
    assert post["author_username"] == "alice"
    question = post["question"]
    assert question["post_id"] == post["id"] == question["id"]
    assert question["title"] == "A discrete one?"
    assert question["resolution_criteria"] == "As the gazette says."
    assert question["scheduled_close_time"] == "2026-01-11T00:00:00Z"
    assert question["scheduled_resolve_time"] == "2026-01-11T00:00:00Z"
    assert (question["open_lower_bound"], question["open_upper_bound"]) == (True, True)
    scaling = question["scaling"]
    assert (scaling["range_min"], scaling["range_max"]) == (-0.5, 10.5)
    assert (scaling["nominal_min"], scaling["nominal_max"]) == (0, 10)
    assert (scaling["inbound_outcome_count"], scaling["zero_point"]) == (11, None)
    assert scaling["continuous_range"] == [number - 0.5 for number in range(12)]
    date = arena.bot.question(arena.numbers["date"])["scaling"]
    assert date["range_min"] == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert (date["inbound_outcome_count"], len(date["continuous_range"])) == (200, 201)


def test_the_crowd_is_the_median_of_visible_forecasts(arena: Arena) -> None:
    number, hidden = arena.numbers["binary"], arena.ask(crowd_hidden=True)
    for id_ in (number, hidden):
        arena.alice.post("/questions/forecast/", forecast(id_, {"probability_yes": 0.9}))
    shown = arena.bot.get(f"/posts/{number}/")
    assert (shown["nr_forecasters"], shown["forecasts_count"]) == (1, 1)
    assert shown["question"]["aggregations"]["unweighted"]["latest"]["centers"] == [0.9]
    unseen = arena.bot.get(f"/posts/{hidden}/")
    assert (unseen["nr_forecasters"], unseen["forecasts_count"]) == (0, 0)
    assert unseen["question"]["aggregations"]["unweighted"]["latest"] is None
    assert unseen["question"]["cp_reveal_time"] == unseen["question"]["scheduled_close_time"]


WRONG = [
    ("binary", {"probability_yes": 1.5}, "probability_yes", "from 0 to 1; 1.5 is not."),
    ("binary", {"probability_yes": 0.5, "weight": 2}, "weight", "no field weight"),
    ("binary", {"probability_yes": 0.5, "model": {"name": " "}}, "model", "has no name"),
    (
        "multiple_choice",
        {"probability_yes_per_category": {"Busan": 0.5, "Riyadh": 0.5, "Other": 0.5}},
        "probability_yes_per_category",
        "sum to 150%",
    ),
    ("numeric", {"continuous_cdf": [0.1, 0.9]}, "continuous_cdf", "needs 201"),
]


def test_a_wrong_value_is_refused_with_all_others_and_its_place_and_remedy(arena: Arena) -> None:
    for sort, fields, place, rule in WRONG:
        good = forecast(arena.numbers["date"], FORECASTS["date"][0])
        sent = good + forecast(arena.numbers[sort], fields)
        for path, body, prefix in (
            ("/questions/forecast/", sent, "body.1"),
            ("/questions/bulk-forecast-comment/", {"forecasts": sent}, "body.forecasts.1"),
        ):
            refused = arena.bot.post(path, body, status=422)
            [problem] = refused["problems"]
            assert (refused["code"], problem["place"]) == ("bad_input", f"{prefix}.{place}")
            assert rule in problem["rule"]
            assert refused["remedy"]
            assert "71%" not in refused["remedy"]
            assert "/api/v1/docs" not in refused["remedy"]
    assert arena.bot.question(arena.numbers["date"])["my_forecasts"]["history"] == []


def test_an_impossible_forecast_or_withdrawal_is_refused(arena: Arena) -> None:
    number = arena.numbers["binary"]
    nothing = arena.bot.post("/questions/withdraw/", [{"question": number}], status=409)
    assert nothing["code"] == "no_forecast"
    sent = forecast(number, {"probability_yes": 0.5})
    arena.bot.post("/questions/forecast/", sent)
    for time in (0, "2026-01-01T00:00:00Z"):  # another than now
        body = [{"question": number, "withdraw_at": time}]
        assert "withdraw_at" in arena.bot.post("/questions/withdraw/", body, status=422)["detail"]
    arena.clock.pass_(days=20)
    assert arena.bot.post("/questions/forecast/", sent, status=409)["code"] == "closed"
    late = arena.bot.post("/questions/withdraw/", [{"question": number}], status=409)
    assert late["code"] == "closed"


def test_a_list_that_would_keep_others_from_writing_is_refused(arena: Arena) -> None:
    forecasts, comments = [{"question": 0}], [{"on_post": 0, "text": ""}]
    for path, body in (
        ("forecast/", forecasts * 10_001),
        ("withdraw/", forecasts * 10_001),
        ("bulk-forecast-comment/", {"forecasts": forecasts * 10_001}),
        ("bulk-forecast-comment/", {"comments": comments * 10_001}),
        ("bulk-forecast-read/", {"question_ids": [0] * 10_001}),
    ):
        found = arena.bot.post(f"/questions/{path}", body, status=422)
        assert found["problems"][0]["rule"].endswith("must have at most 10,000 items, not 10,001.")


def test_a_forecast_may_name_its_model(arena: Arena) -> None:
    number = arena.numbers["binary"]
    model = {"name": "oracle", "version": "2", "cost": 0.03}
    sent = forecast(number, {"probability_yes": 0.5, "model": model})
    arena.bot.post("/questions/forecast/", sent)
    read = arena.bot.client.get(f"http://127.0.0.1:8000/api/v1/questions/{number}/forecasts").json()
    [made] = read["forecasts"]
    assert {name: made["model"][name] for name in model} == model


def test_an_owner_acts_and_reads_as_their_bot(arena: Arena) -> None:
    number = arena.numbers["binary"]
    forecasts = [{"question": number, "probability_yes": 0.6}]
    comments = [{"on_post": number, "text": NOTES, "is_private": True, "included_forecast": True}]
    body = {"acting_user": "bot", "forecasts": forecasts, "comments": comments}
    done = arena.alice.post("/questions/bulk-forecast-comment/", body, status=200)
    assert done["comments"][0]["author"]["username"] == "bot"
    assert done["comments"][0]["forecast_id"] == done["forecasts"][0]["id"]
    read_them = "/questions/bulk-forecast-read/"
    for owner, name in ((arena.alice, "bot"), (arena.bot, None)):
        asked = {"acting_user": name, "question_ids": [number, 999]}
        [read] = owner.post(read_them, asked, status=200)["results"]
        assert read["question_id"] == number
        assert read["forecasts"][0]["forecast_values"] == pytest.approx([0.4, 0.6])
    as_bot = arena.alice.get(f"/posts/{number}/", acting_user=str(arena.bot.id))
    assert as_bot["question"]["my_forecasts"]["latest"] is not None
    assert arena.alice.question(number)["my_forecasts"]["latest"] is None
    body = {"acting_user": "alice", "question_ids": [number]}
    refused = arena.bot.post(read_them, body, status=403)
    assert "may not act as 'alice'" in refused["detail"]


def test_a_repeated_request_is_not_recorded_twice(arena: Arena) -> None:
    for sort, (value, _, _) in FORECASTS.items():
        sent = forecast(arena.numbers[sort], value)
        [first] = arena.bot.post("/questions/forecast/", sent)
        arena.clock.pass_(minutes=4)
        assert arena.bot.post("/questions/forecast/", sent) == [first]
        arena.clock.pass_(minutes=1)
        assert arena.bot.post("/questions/forecast/", sent) != [first]
    number = arena.numbers["binary"]
    back = [forecast(number, {"probability_yes": p}) for p in (0.2, 0.7, 0.2)]
    assert len({arena.bot.post("/questions/forecast/", one)[0]["id"] for one in back}) == 3


def test_a_repeated_comment_is_not_recorded_twice(arena: Arena) -> None:
    number = arena.numbers["binary"]
    comment = {"on_post": number, "text": NOTES, "is_private": True, "included_forecast": True}
    for p in (0.6, 0.7):  # the same words explain both
        arena.bot.post("/questions/forecast/", forecast(number, {"probability_yes": p}))
        said = arena.bot.post("/comments/create/", comment)
        arena.clock.pass_(minutes=1)
        assert arena.bot.post("/comments/create/", comment) == said
    assert arena.bot.get("/comments/", post=number)["count"] == 2
    arena.clock.pass_(minutes=11)
    later = arena.bot.post("/comments/create/", comment)
    assert (later["id"] != said["id"], later["forecast_id"]) == (True, None)
    read = arena.bot.get("/comments/", post=number)["results"]
    assert [one["id"] for one in read[:2]] == [later["id"], said["id"]]
    refused = arena.bot.post("/comments/create/", comment | {"parent": said["id"]}, status=422)
    assert "no replies" in refused["detail"]


def test_the_reasons_of_a_bot_are_shown_through_every_door(arena: Arena) -> None:
    """Those of the page and the command line: tests/app/test_question_page.py, tests/cli."""
    number = arena.numbers["binary"]
    arena.bot.post("/questions/forecast/", forecast(number, {"probability_yes": 0.6}))
    long = "# SUMMARY " + "The front moves. " * 300 + "So 60%."  # as the template bot writes
    comment = {"on_post": number, "text": long, "is_private": True, "included_forecast": True}
    arena.bot.post("/comments/create/", comment)
    arena.clock.pass_(minutes=11)
    for text in ("Too late to be a reason.", "Which gauge?"):
        arena.bot.post("/comments/create/", comment | {"text": text, "is_private": False})
    assert arena.alice.get("/comments/", post=number)["count"] == 3
    address = "http://127.0.0.1:8000/api/v1/questions/a-binary-one"
    [made] = arena.alice.get(f"{address}/forecasts")["forecasts"]
    assert made["rationale"] == long
    read = arena.alice.client.get(address, headers={"Accept": "text/markdown"}).text
    with database.reading(arena.engine) as session:
        alice = find_member(session, "alice")
        visibility.read_as(session, alice, now=arena.clock())
        here = Here(session, alice, arena.clock())
        assert tools.read_question(here, "a-binary-one") == read
    assert "So 60%.`" in read
    assert "**Comments**, newest first, of 2\n\n- 2026-01-02 00:11 UTC `bot`: `Which gauge" in read
    assert "`bot`: `Too late to be a reason.`" in read


def test_accounts_make_and_list_their_bots(arena: Arena) -> None:
    assert arena.alice.get("/users/me") == arena.alice.get("/users/me/")
    assert arena.bot.get("/users/me") == {
        "id": arena.bot.id, "username": "bot", "is_bot": True, "is_staff": False,
    }  # fmt: skip
    made = arena.alice.post("/users/me/bots/create/", {"username": "bot-2"})
    assert made["user"]["username"] == "bot-2"
    names = [one["username"] for one in arena.alice.get("/users/me/bots/")]
    assert names == ["bot", "bot-2"]
    arena.alice.post("/users/me/bots/create/", {"username": "bot-2"}, status=409)
    again = arena.alice.get(f"/users/me/bots/{made['user']['id']}/token/")["token"]
    assert again != made["token"]
    for token in (made["token"], again):
        arena.bot.client.headers["Authorization"] = f"Token {token}"
        assert arena.bot.get("/users/me")["username"] == "bot-2"


def test_a_new_post_is_a_question_that_can_be_approved(arena: Arena) -> None:
    question = {
        "title": "Will it snow?",
        "type": "numeric",
        "include_bots_in_aggregates": True,
        "scaling": {"range_max": 50.0, "range_min": 0.0, "zero_point": None},
        "open_lower_bound": False,
        "resolution_criteria": "Depth in the gazette.",
        "open_time": "2026-01-02T00:00:00",
        "scheduled_close_time": "2026-01-09T00:00:00",
        "unit": "cm",
    }
    post = {"title": "Will it snow?", "default_project": 33121, "categories": []}
    made = arena.alice.post("/posts/create/", post | {"question": question})
    assert set(made["not_kept"]) == {"open_lower_bound", "include_bots_in_aggregates"}
    number = made["id"]
    assert arena.bot.get("/posts/", tournaments=[33121])["results"][0]["id"] == number
    times = {"open_time": "2026-01-02T00:00:00", "scheduled_close_time": "2026-01-08T00:00:00"}
    answer = arena.alice.client.post(f"/posts/{number}/approve/", data=times)
    assert answer.json()["scheduled_close_time"] == "2026-01-08T00:00:00Z"
    assert arena.alice.client.post(f"/posts/{number}/approve/", data=times).status_code == 200
    assert arena.bot.client.post(f"/posts/{number}/approve/", data={}).status_code == 200
    later = times | {"scheduled_close_time": "2026-01-09T00:00:00"}
    assert arena.bot.client.post(f"/posts/{number}/approve/", data=later).status_code == 403


# --- odd requests: each is answered or refused, and none breaks the façade

TEXTS = ["\x00", "\ud800", "a" * 5000, " ", "1e999", "9" * 40]
NUMBERS = [0, -1, 10**9, 2 * 10**9, 2**31, 10**30, 1.5, "x"]
FLOATS = [float("nan"), float("inf"), -1, 1e308]
BODIES: list[Any] = [None, [], {}, [1], [[]], {"a": 1}]
POSTED = [
    "/questions/forecast/", "/questions/withdraw/", "/questions/bulk-forecast-comment/",
    "/questions/bulk-forecast-read/", "/comments/create/", "/posts/create/",
    "/users/me/bots/create/", "/questions/1/resolve/", "/posts/1/approve/",
    "/coherence/links/create/",
]  # fmt: skip
FILTERS = ["search", "order_by", "statuses", "tournaments", "ids", "published_at__gt", "offset"]


def new_post(kind: str, low: Any, high: Any = None, **fields: Any) -> dict[str, Any]:
    scaling = {"range_min": low, "range_max": low if high is None else high}
    question = {"title": "q", "type": kind, "scaling": scaling, "resolution_criteria": "x"}
    return {"question": question | {"scheduled_close_time": "2026-02-01"} | fields}


def requests(numbers: dict[str, int]) -> list[tuple[str, Any]]:
    """Return the addresses and bodies of the requests to post."""
    binary, numeric = numbers["binary"], numbers["numeric"]
    found: list[tuple[str, Any]] = [(path, body) for path in POSTED for body in BODIES]
    for text in TEXTS:
        options = {"options": [text, "x"], "title": f"x{text}"}
        chances = {"question": numbers["multiple_choice"]}
        found += [
            ("/users/me/bots/create/", {"username": text}),
            ("/comments/create/", {"on_post": binary, "text": text}),
            ("/questions/bulk-forecast-read/", {"acting_user": text, "question_ids": [binary]}),
            (f"/questions/{binary}/resolve/", {"resolution": text}),
            (f"/posts/{binary}/approve/", {"open_time": text}),
            ("/posts/create/", new_post("numeric", text)),
            ("/posts/create/", new_post("multiple_choice", None, **options)),
            ("/questions/forecast/", [chances | {"probability_yes_per_category": {text: 0.5}}]),
        ]
    for number in NUMBERS:
        found += [
            (f"/questions/{number}/resolve/", {"resolution": "yes"}),
            ("/questions/forecast/", [{"question": number, "probability_yes": 0.5}]),
            ("/questions/withdraw/", [{"question": number}]),
            ("/coherence/links/create/", {"question1_id": binary, "question2_id": number}),
        ]
    for value in FLOATS:
        found += [
            ("/questions/forecast/", [{"question": binary, "probability_yes": value}]),
            ("/questions/forecast/", [{"question": numeric, "continuous_cdf": [value] * 201}]),
            ("/posts/create/", new_post("date", value)),
            ("/posts/create/", new_post("discrete", value, "5")),
            ("/posts/create/", new_post("numeric", value, scheduled_close_time=value)),
        ]
    return found


def test_no_request_breaks_the_server(arena: Arena) -> None:
    given = arena.alice.client
    client = TestClient(
        given.app, base_url=str(given.base_url), headers=given.headers,
        raise_server_exceptions=False,
    )  # fmt: skip
    broken: list[Any] = []
    for path, body in requests(arena.numbers):
        headers = {"Content-Type": "application/json"}
        if client.post(path, content=json.dumps(body), headers=headers).status_code >= 500:
            broken.append((path, body))
    read = [
        address.format(number)
        for number in NUMBERS
        for address in (
            "/posts/{}/",
            "/users/me/bots/{}/token/",
            "/comments/?post={}",
            "/coherence/question/{}/links/",
        )
    ]
    texts = [text for text in TEXTS if text != "\ud800"]
    read += [f"/posts/?{name}={quote(text)}" for text in texts for name in FILTERS]
    broken += [path for path in read if client.get(path).status_code >= 500]
    assert broken == []
