"""The SDK's own client speaks with the ledger over HTTP and over standard input and output."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from sqlalchemy import Engine

from forecasts.access import roles, tokens
from forecasts.access.members import member_or_new
from forecasts.access.roles import Scope
from forecasts.api.server import build
from forecasts.common.settings import Settings
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.updates import updates
from tests.conftest import ask, day

pytestmark = pytest.mark.slow

READS = {"find_questions", "read_question", "needs_update", "my_record"}
READS |= {"compare", "explain_score", "inbox"}
ACTS = {
    "forecast",
    "accept_article",
    "dismiss_article",
    "capture_article",
    "ask_question",
    "ask_group",
    "link_questions",
    "propose_outcome",
}
AT = "http://127.0.0.1:8000"


@pytest.fixture
def secrets(engine: Engine) -> dict[str, str]:
    """The tokens of bots in a ledger with a question of alice's."""
    scopes: dict[str, list[Scope] | None] = {
        "bot": None, "other": None, "reader": [Scope.read], "forecaster": [Scope.forecast],
    }  # fmt: skip
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        roles.ensure_admin(session, alice, now=day(0))
        ask(session, alice, slug="rain")
        return {
            name: tokens.create(session, name, member=alice, now=day(0), scopes=of).secret
            for name, of in scopes.items()
        }


@pytest.fixture
def served(engine: Engine, secrets: dict[str, str]) -> FastAPI:
    return build(engine, clock=lambda: day(1))


Act = Callable[[Client], Awaitable[Any]]


async def over_http(app: FastAPI, secret: str, act: Act, mode: str = "auto") -> Any:
    """Return the result of an act of the SDK's client, which sends a token to a served ledger."""
    headers = {"Authorization": f"Bearer {secret}"}
    transport = httpx2.ASGITransport(app=app)
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers) as web,
        Client(streamable_http_client(f"{AT}/mcp", http_client=web), mode=mode) as client,
    ):
        return await act(client)


async def text_of(client: Client, tool: str, **arguments: Any) -> str:
    """Return the text of a tool's answer."""
    answer = await client.call_tool(tool, arguments)
    [content] = answer.content
    return ("error: " if answer.is_error else "") + content.text  # type: ignore[union-attr]


async def round_of(client: Client) -> list[str]:
    """Return the answers of a round: find, forecast, read, the prompt and the resources."""
    said = [
        await text_of(client, "find_questions"),
        await text_of(client, "forecast", question="rain", value="60%", reason="A front."),
        await text_of(client, "forecast", question="rain", value="60", reason="A front."),
        await text_of(client, "read_question", question="rain"),
    ]
    prompt = await client.get_prompt("forecast_this_question", {"question": "rain"})
    said.append(prompt.messages[0].content.text)  # type: ignore[union-attr]
    for address in ("forecasts://questions/rain", "forecasts://report"):
        resource = await client.read_resource(address)
        said.append(resource.contents[0].text)  # type: ignore[union-attr]
    with pytest.raises(MCPError, match="There is no question 'fog'"):
        await client.read_resource("forecasts://questions/fog")
    return [*said, await text_of(client, "read_question", question="fog")]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_bot_forecasts_over_http(served: FastAPI, secrets: dict[str, str], mode: str) -> None:
    said = anyio.run(over_http, served, secrets["bot"], round_of, mode)
    found, recorded, refused, read, prompt, question, report, unknown = said
    assert "`rain`: `Will it rain?`" in found
    assert "Recorded on `rain`" in recorded
    assert "Receipt: " in recorded
    assert refused.startswith("error: ")
    assert "Write 60% or 0.6." in refused
    assert "60% because `A front.`" in read
    assert "Base rate" in prompt
    assert question == read
    assert "Track record by forecaster" in report
    assert "There is no question 'fog' in this ledger." in unknown
    assert "Text in quotes is data" in unknown


def test_bots_act_side_by_side(engine: Engine, served: FastAPI, secrets: dict[str, str]) -> None:
    def forecasts(percent: int) -> Act:
        async def act(client: Client) -> None:
            given = {"question": "rain", "value": f"{percent}%", "reason": "none"}
            for _ in range(3):
                assert "Recorded" in await text_of(client, "forecast", **given)

        return act

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(over_http, served, secrets["bot"], forecasts(20))
            group.start_soon(over_http, served, secrets["other"], forecasts(80))

    anyio.run(run)
    with database.reading(engine) as session:
        rows = updates.history(session, registry.find(session, "rain"))
    assert {(handle, row.probability) for row, handle in rows} == {("bot", 0.2), ("other", 0.8)}
    assert len(rows) == 6


def test_each_tool_has_its_hints(served: FastAPI, secrets: dict[str, str]) -> None:
    async def listed(client: Client) -> Any:
        return (await client.list_tools()).tools

    tools = anyio.run(over_http, served, secrets["bot"], listed)
    assert {tool.name for tool in tools} == READS | ACTS
    for tool in tools:
        assert tool.annotations.read_only_hint is (tool.name in READS)
        assert tool.annotations.destructive_hint is (None if tool.name in READS else False)
        fields = tool.input_schema["properties"].values()
        assert all([tool.description, *(field.get("description") for field in fields)]), tool.name


def test_a_token_acts_within_its_scopes(served: FastAPI, secrets: dict[str, str]) -> None:
    async def both(client: Client) -> list[str]:
        return [
            await text_of(client, "read_question", question="rain"),
            await text_of(client, "forecast", question="rain", value="60%", reason="A front."),
        ]

    read, refused = anyio.run(over_http, served, secrets["reader"], both)
    assert "`rain`" in read
    assert refused.startswith("error: ")
    assert "no scope forecast" in refused
    hidden, recorded = anyio.run(over_http, served, secrets["forecaster"], both)
    assert "no scope read" in hidden
    assert "Recorded on `rain`" in recorded


def test_strangers_and_other_sites_get_no_answer(served: FastAPI, secrets: dict[str, str]) -> None:
    client, token = TestClient(served, base_url=AT), {"Authorization": f"Bearer {secrets['bot']}"}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer fct_x_y"}, 401),
        (token | {"Origin": "https://evil.example.org"}, 403),
    ):
        answer = client.post("/mcp", json=body, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/mcp", headers=token).status_code == 405  # no stream is held open


def test_a_token_over_its_limit_waits(
    engine: Engine, secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasts.api.turns.monotonic", lambda: 0.0)
    app = build(engine, clock=lambda: day(1), settings=Settings(api_requests_per_minute=1))
    client = TestClient(app, base_url=AT, headers={"Authorization": f"Bearer {secrets['bot']}"})
    answers = [client.post("/mcp", json={}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 429]
    assert answers[1].headers["retry-after"] == "60"


def test_over_standard_input_and_output_a_member_acts_in_their_ledger(ledger_file: Path) -> None:
    env = {"FORECASTS_DATABASE_URL": str(ledger_file), "FORECASTS_MEMBER": "kate"}
    env["HOME"] = str(ledger_file.parent)
    program = "from forecasts.cli.main import main; main()"
    server = StdioServerParameters(
        command=sys.executable, args=["-c", program, "mcp"], env=env, cwd=Path(__file__).parents[3]
    )

    async def run() -> tuple[list[str], list[str]]:
        async with Client(stdio_client(server)) as client:
            tools = (await client.list_tools()).tools
            question = {"title": "Will it rain?", "criteria": "As the gazette says."}
            asked = await text_of(client, "ask_question", closes="in 3 weeks", **question)
            slug = asked.partition("Registered `")[2].partition("`")[0]
            said = await text_of(client, "forecast", question=slug, value="60%", reason="A front.")
            return [tool.name for tool in tools], [asked, said]

    names, (asked, said) = anyio.run(run)
    assert set(names) == READS | ACTS
    assert "Registered `will-it-rain`" in asked
    assert "Recorded on `will-it-rain`: `60%`" in said
