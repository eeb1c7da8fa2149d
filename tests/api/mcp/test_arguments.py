"""A call with arguments that a tool does not take is refused in a sentence that says why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from forecasts.api.mcp.server import build
from tests.api.mcp.conftest import Ledger, Way
from tests.api.mcp.test_tools import asked

DOCS = Path(__file__).parents[3] / "docs" / "mcp.md"


@pytest.fixture
def server(ledger: Ledger) -> MCPServer[Any]:
    asked(ledger, "rain")
    return build(lambda: Way(ledger, "bot"))


def refusal(server: MCPServer[Any], tool: str, **arguments: Any) -> str:
    """Return the text of a call that is refused."""

    async def run() -> str:
        async with Client(server) as client:
            answer = await client.call_tool(tool, arguments)
            assert answer.is_error
            [content] = answer.content
            return str(content.text)  # type: ignore[union-attr]

    return anyio.run(run)


def schemas(server: MCPServer[Any]) -> dict[str, Any]:
    return {tool.name: tool.input_schema for tool in anyio.run(server.list_tools)}


def test_an_unknown_argument_is_refused_and_the_known_named(server: MCPServer[Any]) -> None:
    assert refusal(server, "find_questions", words="goals") == (
        "There is no field words here.\nThe parameters of find_questions: text, status, "
        "without_my_forecast, tag, page."
    )
    assert "The parameters of my_record: none." in refusal(server, "my_record", of="me")
    for name, schema in schemas(server).items():
        assert schema["additionalProperties"] is False, name


def test_each_bad_argument_is_named_with_its_value_and_rule(server: MCPServer[Any]) -> None:
    about = schemas(server)["forecast"]["properties"]
    assert refusal(server, "forecast", question="rain", cost="$1", percent="60%").splitlines() == [
        "value is missing.",
        "reason is missing.",
        "cost must be a number; '$1' is not.",
        "There is no field percent here.",
        *(f"{name}: {about[name]['description']}" for name in ("value", "reason", "cost")),
        "The parameters of forecast: " + ", ".join(schemas(server)["forecast"]["properties"]) + ".",
    ]


def test_a_refusal_names_a_tool_and_cuts_long_arguments(server: MCPServer[Any]) -> None:
    found = refusal(server, "read_question", question="fog")
    assert "To see them: find_questions" in found
    assert "forecasts " not in found
    assert "two or more different names." in refusal(server, "compare", names=["a", "a"])
    for tool, name in (("read_question", "question"), ("capture_article", "url")):
        assert len(refusal(server, tool, **{name: "x" * 100_000})) < 3_000


def test_a_prompt_with_wrong_arguments_is_answered_by_the_protocol(
    server: MCPServer[Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def run(name: str, arguments: dict[str, str]) -> MCPError:
        async with Client(server) as client:
            with pytest.raises(MCPError) as caught:
                await client.get_prompt(name, arguments)
            return caught.value

    for name, arguments, said in (
        ("forecast_this_question", {"question": "fog"}, "There is no question 'fog'"),
        ("forecast_this_question", {}, "Missing required arguments: {'question'}"),
        ("forecast_this_question", {"question": "rain", "model": "x"}, "rendering prompt"),
        ("predict", {"question": "rain"}, "Unknown prompt: predict"),
    ):
        error = anyio.run(run, name, arguments)
        assert (error.error.code, said in error.error.message) == (INVALID_PARAMS, True), error
    assert not [one for one in caplog.records if one.exc_info]


def test_a_resource_that_is_not_there_is_answered_by_the_protocol(server: MCPServer[Any]) -> None:
    async def run() -> MCPError:
        async with Client(server) as client:
            with pytest.raises(MCPError, match="There is no question 'fog'") as caught:
                await client.read_resource("forecasts://questions/fog")
            return caught.value

    assert anyio.run(run).error.code == INVALID_PARAMS


def test_the_documentation_lists_the_parameters_of_each_tool(server: MCPServer[Any]) -> None:
    _, _, section = DOCS.read_text("utf-8").partition("### Parameters")
    documented = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    assert documented.keys() == schemas(server).keys()
    for name, schema in schemas(server).items():
        assert re.findall(r"`(\w+)`", documented[name]) == list(schema["properties"])
        assert re.findall(r"\*\*`(\w+)`\*\*", documented[name]) == schema.get("required", [])
