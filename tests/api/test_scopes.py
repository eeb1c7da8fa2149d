"""Every operation of the API, the façade and MCP needs its scope, whatever its arguments are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from pydantic import TypeAdapter
from sqlalchemy import Engine

from forecasts.access.roles import Scope, limit_scopes
from forecasts.api.caller import Scoped
from forecasts.api.door import Here
from forecasts.api.mcp.server import SERVED, build
from forecasts.api.metaculus.router import router as metaculus
from forecasts.api.server import PREFIX, ROUTERS
from forecasts.ledger import database
from forecasts.ledger.verification import newest
from tests.api.conftest import Bot, asked
from tests.api.mcp.conftest import Ledger, Way
from tests.api.test_documented_scopes import documented

pytestmark = pytest.mark.slow

# The scopes of docs/api.md, by method and path.
TABLE = {
    (method, PREFIX + path.replace("ID", "{id}").replace("NUMBER", "{number}")): scope
    for method, path, scope in documented()
}
# The operations of the façade that need another scope than to read.
FACADE = {
    "/users/me/bots/create/": "admin",
    "/users/me/bots/{bot_id}/token/": "admin",
    "/posts/create/": "ask",
    "/posts/{post_id}/approve/": "ask",
    "/questions/forecast/": "forecast",
    "/questions/withdraw/": "forecast",
    "/questions/bulk-forecast-comment/": "forecast",
    "/questions/{question_id}/resolve/": "resolve",
    "/questions/{question_id}/unresolve/": "resolve",
    "/comments/create/": "forecast",
    "/coherence/links/create/": "forecast",
    "/coherence/links/{link_id}/delete/": "forecast",
}
TOOLS = {
    "ask_group": "ask",
    "ask_question": "ask",
    "link_questions": "forecast",
    "accept_article": "forecast",
    "capture_article": "forecast",
    "dismiss_article": "forecast",
    "forecast": "forecast",
    "propose_outcome": "forecast",
}
NAMED = {"id": "rain", "between": ["a", "b"], "question": "rain"}
OPEN = {"/api/v1/openapi.json", "/api/v1/docs", "/health", "/mcp"}  # without a scope


def served() -> Iterator[tuple[str, str, Scoped]]:
    """Yield the method, the path and the route of each operation that needs a token."""
    for prefix, routers in ((PREFIX, ROUTERS), ("", (metaculus,))):
        for route in (route for router in routers for route in router.routes):
            assert isinstance(route, Scoped)
            yield from ((method, prefix + route.path, route) for method in route.methods)


def sample(schema: Any, whole: Any, *, full: bool) -> Any:
    """Return a value of the schema, with the fields that it requires or with all."""
    if "$ref" in schema:
        return sample(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole, full=full)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], whole, full=full)
    if "properties" in schema:
        names = schema["properties"] if full else schema.get("required", ())
        return {
            name: NAMED.get(name) or sample(schema["properties"][name], whole, full=full)
            for name in names
        }
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [sample(schema["items"], whole, full=full)]
    return {"number": 0.4, "integer": 1, "boolean": True, "object": {}}.get(
        schema.get("type"), "2026-02-01T00:00:00Z" if schema.get("format") else "yes"
    )


def bodies(schema: Any) -> list[Any]:
    return [{}, sample(schema, schema, full=False), sample(schema, schema, full=True)]


def test_every_operation_is_in_the_table(app: FastAPI) -> None:
    of_v1 = {(method, path) for method, path, _ in served() if path.startswith(PREFIX)}
    assert set(TABLE) == of_v1
    others = {getattr(route, "path", "included") for route in app.router.routes}
    assert others == OPEN | {"included"}


def test_a_route_without_a_scope_is_no_route() -> None:
    with pytest.raises(TypeError, match="/all declares no scope"):
        APIRouter(route_class=Scoped).get("/all")(lambda: None)


def test_an_operation_needs_its_scope_whatever_it_is_sent(
    client: TestClient, engine: Engine, make_bot: Bot
) -> None:
    asked(engine, slug="rain")
    bots = {str(scope): make_bot(f"with {scope}", scope) for scope in Scope}
    due = TABLE | {
        (method, path): FACADE.get(path.removeprefix("/api"), "read")
        for method, path, _ in served()
        if not path.startswith(PREFIX)
    }
    requests = []
    for method, path, route in served():
        kind = route.body_field and route.body_field.field_info.annotation
        schema = TypeAdapter(kind).json_schema() if kind else {}
        address = re.sub(r"{\w+}", lambda found: NAMED.get(found[0][1:-1], "1"), path)  # type: ignore[arg-type, return-value]
        query = {"between": ["a", "b"]} if path.endswith("/compare") else {}
        for body in [None] if method == "GET" else [None, *bodies(schema)]:
            requests.append((due[method, path], method, address, query, body))
    assert len(requests) > 2 * len(due)

    def refused(scope: str, method: str, address: str, query: Any, body: Any) -> str:
        answer = client.request(method, address, params=query, json=body, headers=bots[scope])
        assert answer.status_code < 500, (method, address, body)
        told = re.search(r"no scope (\w+);", answer.text) if answer.status_code == 403 else None
        return told[1] if told else ""

    with database.reading(engine) as session:
        before = newest(session)
    for scope in bots:
        for needed, *request in requests:
            if scope != needed:
                assert refused(scope, *request) == needed, (scope, request)
    with database.reading(engine) as session:
        assert newest(session) == before
    for needed, *request in requests:
        assert refused(needed, *request) != needed, request


@dataclass(frozen=True)
class Limited(Way):
    """The way to the ledger with a token of one scope."""

    scope: Scope = Scope.read

    @contextmanager
    def reading(self) -> Iterator[Here]:
        with super().reading() as here:
            limit_scopes(here.session, [self.scope])
            yield here

    @contextmanager
    def acting(self) -> Iterator[Here]:
        with super().acting() as here:
            limit_scopes(here.session, [self.scope])
            yield here


def test_a_tool_needs_its_scope_whatever_it_is_called_with(engine: Engine) -> None:
    asked(engine, slug="rain")
    ledger, calls = Ledger(engine), 0

    async def told(answer: Any) -> str:
        try:
            await answer
        except (ToolError, MCPError) as error:
            found = re.search(r"no scope (\w+);", str(error))
            return found[1] if found else ""
        return ""

    async def run(scope: Scope) -> None:
        nonlocal calls
        server = build(lambda: Limited(ledger, "bot", scope=scope))
        for tool in await server.list_tools():
            needed = TOOLS.get(tool.name, "read")
            for given in [*bodies(tool.input_schema), {"x": 1}]:
                calls += 1
                said = await told(server.call_tool(tool.name, given))
                assert (said == needed) == (scope != needed), (tool.name, scope, given)
        for asked_for in (
            server.read_resource("forecasts://questions/rain"),
            server.read_resource("forecasts://report"),
            server.get_prompt("forecast_this_question", {}),
            server.get_prompt("forecast_this_question", {"question": "rain"}),
        ):
            assert (await told(asked_for) == "read") == (scope != "read")

    for scope in Scope:
        anyio.run(run, scope)
    assert calls == 4 * len(SERVED) * len(Scope)
