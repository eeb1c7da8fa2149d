"""Tokens from the command line: created and shown once, listed, revoked and used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from forecasts.access import members, tokens
from forecasts.access.identities import Person, admit
from forecasts.ledger import database
from tests.cli.conftest import Run
from tests.conftest import KINDS, day

pytestmark = pytest.mark.slow

ASK = ("ask", "Will it rain?", "--closes", "2026-02-01", "--criteria", "Wet.", "--slug", "rain")


@pytest.fixture
def kind() -> str:
    """Run on a server too, if there is one: from a token to a forecast."""
    return KINDS[-1]


@pytest.fixture
def signed_in(engine: Engine) -> None:
    """A ledger that a member has signed in to."""
    with database.writing(engine) as session:
        admit(session, Person("https://id.example", "u-1", "alice"), now=day(0))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Run the next commands as a script with that token."""

    def with_(token: str | None) -> None:
        monkeypatch.delenv("FORECASTS_MEMBER", raising=False)
        monkeypatch.delenv("FORECASTS_TOKEN", raising=False)
        if token is not None:
            monkeypatch.setenv("FORECASTS_TOKEN", token)

    return with_


def test_a_script_acts_by_its_token_where_people_sign_in(
    forecasts: Run, clock: object, signed_in: None, scripted: Callable[[str | None], None]
) -> None:
    refused = forecasts(*ASK, exit_code=2)
    assert "members of this ledger sign in" in refused.stderr
    assert "FORECASTS_TOKEN" in refused.stderr

    made = forecasts("token", "create", "bot", "--expires", "2026-03-01")
    token = made.stdout.strip()
    assert made.stdout.count("\n") == 1
    assert token not in made.stderr
    key = token.split("_")[1]
    scripted(token)
    forecasts(*ASK)
    assert forecasts("update", "rain", "40%").stdout.startswith("bot: ")
    assert "bot" in forecasts("show", "rain", "--all").stdout
    assert "40" in forecasts("questions").stdout
    assert (
        "FORECASTS_TOKEN belongs to 'bot'"
        in forecasts("update", "rain", "50%", "--as", "alice", exit_code=2).stderr
    )

    listed = forecasts("token", "list").stdout
    assert key in listed
    assert "2026-03-01 23:59 UTC" in listed
    assert "in force" in listed
    assert token.split("_", 2)[2] not in listed
    scripted(None)
    assert f"bot: {key} revoked" in forecasts("token", "revoke", "bot").stdout
    assert f"bot: {key} already revoked" in forecasts("token", "revoke", key).stdout
    assert "revoked" in forecasts("token", "list").stdout
    scripted(token)
    refused = forecasts("update", "rain", "50%", exit_code=2)
    assert f"The token {key} was revoked" in refused.stderr


def test_a_bot_of_one_s_own_is_made_with_its_first_token(
    forecasts: Run, clock: object, engine: Engine
) -> None:
    made = forecasts("token", "create", "bot", "--scope", "read")
    assert made.stdout.splitlines()[-1].startswith("fct_")
    assert "scopes: read" in made.stderr
    with database.reading(engine) as session:
        owner = tokens.owner_of(session, members.member_named(session, "bot"))
    assert owner is not None
    assert owner.handle == "alice"
    assert "bot     " in forecasts("token", "list").stdout
    refused = forecasts("token", "create", "bot", "--scope", "write", exit_code=2)
    assert "read, forecast, ask, resolve, admin" in refused.stderr


def test_a_ledger_without_tokens_says_how_to_make_one(forecasts: Run, clock: object) -> None:
    forecasts(*ASK)
    assert "forecasts token create NAME" in forecasts("token", "list").stderr
    assert "There is no token" in forecasts("token", "revoke", "bot", exit_code=2).stderr


def test_a_member_from_before_is_identified_from_the_command_line(
    forecasts: Run, clock: object, engine: Engine
) -> None:
    forecasts(*ASK)
    with database.writing(engine) as session:
        admit(session, Person("https://id.example", "u-1", "alice"), now=day(0))
    assert "alice-2 is alice" in forecasts("identify", "alice-2", "alice").stdout
    assert "has not signed in" in forecasts("identify", "alice-2", "alice", exit_code=2).stderr
    assert "no member 'nobody'" in forecasts("identify", "nobody", "alice", exit_code=2).stderr
