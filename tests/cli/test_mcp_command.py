"""Serving MCP on one's own machine: who the model acts as, and what is refused before it starts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import Session

from forecasts.access import kinds
from forecasts.access.kinds import Account
from tests.api.mcp.conftest import Tools
from tests.cli.conftest import Run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The doors that the server was started with; it ends at once."""
    doors: list[Any] = []

    def build(door: Callable[[], Any], **_: object) -> SimpleNamespace:
        doors.append(door())
        return SimpleNamespace(run=lambda transport: None)

    monkeypatch.setattr("forecasts.api.mcp.server.build", build)
    return doors


def accounts(door: Any) -> dict[str, Account]:
    opened: AbstractContextManager[Any] = door.reading()
    with opened as here:
        session: Session = here.session
        return {one.handle: one for one in kinds.accounts(session)}


def test_a_new_name_is_a_bot_of_the_user_and_so_are_its_forecasts(
    forecasts: Run, served: list[Any]
) -> None:
    said = forecasts("mcp", "--as", " my-model ")
    assert "The model acts as my-model, a new bot of alice." in said.stderr
    [door] = served
    asked = Tools(door).ask_question(
        "Will it rain?", "As the gazette says.", "in 3 weeks", value="60%"
    )
    assert "Your forecast is recorded: 60%." in asked
    found = accounts(door)
    assert (found["my-model"].kind, found["my-model"].owner) == ("bot", "alice")
    assert found["alice"].kind == "human"
    assert "my-model, a bot." in forecasts("mcp", "--as", "my-model").stderr
    assert accounts(door) == found
    assert forecasts("token", "create", "my-model").stdout.startswith("fct_")


def test_an_unnamed_model_acts_as_its_user(forecasts: Run, served: list[Any]) -> None:
    for named in ((), ("--as", "alice")):
        said = forecasts("mcp", *named)
        assert "acts as you, alice: its forecasts count as yours" in " ".join(said.stderr.split())
        assert "alice" not in accounts(served[-1])  # nothing is written before the first act


def test_a_person_is_refused_at_the_start_until_adopted_as_a_model(
    forecasts: Run, served: list[Any]
) -> None:
    forecasts("ask", "Will it snow by 2026-02-01?", "--criteria", "Gazette.", "--as", "oracle")
    refused = forecasts.refused("mcp", "--as", "oracle")
    assert "'oracle' is a person" in refused
    assert "Choose a new name for the model" in refused
    assert "forecasts member adopt oracle" in refused
    assert not served
    mistyped = forecasts.refused("member", "adopt", "oracle", "--confirm", "oracel")
    assert "nothing was changed" in mistyped
    done = forecasts("member", "adopt", "oracle", "--confirm", "oracle")
    assert done.stdout == "oracle is a bot of alice.\n"
    assert "The model acts as oracle, a bot." in forecasts("mcp", "--as", "oracle").stderr
    found = accounts(served[0])["oracle"]
    assert (found.kind, found.owner) == ("bot", "alice")


def test_a_bot_with_a_token_is_refused_at_the_start_without_it(
    forecasts: Run, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = forecasts("token", "create", "alpha").stdout.strip()
    refused = forecasts.refused("mcp", "--as", "alpha")
    assert "'alpha' has a token, but none was given. Set FORECASTS_TOKEN to it." in refused
    assert not served
    monkeypatch.setenv("FORECASTS_TOKEN", secret)
    monkeypatch.delenv("FORECASTS_MEMBER")
    assert "The model acts as alpha, a bot." in forecasts("mcp").stderr
    assert "a bot." in forecasts("mcp", "--as", "alpha").stderr
    assert "belongs to 'alpha'" in forecasts.refused("mcp", "--as", "beta")
