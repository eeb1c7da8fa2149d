"""What one member can take of the server: turns, quotas, bodies."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.types import Message

from forecasts.api import turns
from forecasts.api.caller import Ground
from forecasts.api.problems import TooMany
from forecasts.api.turns import WAITING, Quota, Turns
from forecasts.common.settings import Settings
from tests.api.conftest import ADDRESS, Bot, Clock, asked

pytestmark = pytest.mark.slow

ENOUGH = Quota(10**9, 1, "{}", "")


def sent(app: FastAPI, headers: dict[str, str], *, parts: int = 3) -> tuple[int, int]:
    """Return the status of a request whose body has parts of 60 bytes, and how many were read."""
    read, statuses = list[bytes](), list[int]()

    async def receive() -> Message:
        read.append(b"x" * 60)
        return {"type": "http.request", "body": read[-1], "more_body": len(read) < parts}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    named = {"host": "127.0.0.1", "content-type": "application/json", **headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/articles", "headers": raw}
    scope |= {"query_string": b"", "root_path": "", "scheme": "http"}
    asyncio.run(app(scope, receive, send))
    return statuses[0], len(read)


def test_nothing_of_a_strangers_body_is_read_and_of_others_not_too_much(
    app: FastAPI, make_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = {"Authorization": "Bearer fct_0_x"}
    assert [sent(app, one) for one in ({}, stranger)] == [(401, 0)] * 2
    bot = make_bot()
    assert sent(app, bot) == (422, 3)
    for name, status in (("MOST_UNREAD", 429), ("MOST_BYTES", 413)):
        with monkeypatch.context() as during:
            during.setattr(f"forecasts.api.server.{name}", 100)
            assert sent(app, bot) == (status, 2)
            assert sent(app, bot, parts=1) == (422, 1)  # nothing of those before is counted
    assert sent(app, bot | {"Content-Length": "60000000"}) == (413, 1)


def test_a_member_is_answered_one_request_at_a_time_and_the_others_meanwhile() -> None:
    turns, ended = Turns(2, ENOUGH), list[tuple[int, int]]()

    async def request(member: int, number: int) -> None:
        async with turns.own(member) as slots, slots:
            for _ in range(3):
                await asyncio.sleep(0)
            ended.append((member, number))

    async def all_() -> list[object]:
        hog = [request(1, number) for number in range(WAITING + 5)]
        others = [request(member, 0) for member in (2, 3, 4)]
        return await asyncio.gather(*hog, *others, return_exceptions=True)

    refused = [one for one in asyncio.run(all_()) if one is not None]
    assert len(refused) == 4
    assert all(isinstance(one, TooMany) for one in refused)
    assert [one for one in ended if one[0] == 1] == [(1, n) for n in range(WAITING + 1)]
    # Nobody waited for more than one request of each other.
    assert {member for member, _ in ended[:6]} == {1, 2, 3, 4}


def test_a_quota_fills_up_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(turns, "monotonic", lambda: now[0])
    quota = Quota(10, 100, "Over {}.", "do less")
    quota.require("a")
    quota.take("a", 25)  # one request may take more than is left
    with pytest.raises(TooMany, match=r"Over 10\.") as refused:
        quota.require("a")
    assert (refused.value.seconds, refused.value.advice) == (160, "Wait 160 seconds, or do less.")
    quota.require("b")
    now[0] = 160
    quota.require("a")


def test_a_member_who_has_taken_too_much_waits_and_the_others_do_not(
    app: FastAPI, engine: Engine, clock: Clock, make_bot: Bot
) -> None:
    asked(engine, slug="rain")
    app.state.ground = Ground(engine, clock, Settings(api_rows=2, api_processor_seconds=10))
    rows = {"forecasts": [{"question": "rain", "probability": 0.3}] * 3}
    one, other = make_bot("one"), make_bot("other")
    client = TestClient(app, base_url=ADDRESS)

    def answers(method: str, path: str) -> list[int]:
        given = {"json": rows} if method == "POST" else {}
        return [
            client.request(method, f"/api/v1/{path}", headers=who, **given).status_code
            for who in (one, one, other)
        ]

    assert answers("POST", "forecasts") == [201, 429, 201]
    assert answers("GET", "me") == [200, 200, 200]
    app.state.ground.reader_turns.processor = Quota(1, 10**9, "Over {}.", "do less")
    assert answers("GET", "crowd") == [200, 429, 200]
    assert answers("GET", "me") == [200, 200, 200]
