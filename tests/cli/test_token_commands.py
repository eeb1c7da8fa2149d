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

# On a server too, if there is one: from a token to a forecast.
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("kind", KINDS[-1:])]

ASK = ("ask", "Will it rain?", "--closes", "2026-02-01", "--criteria", "Wet.", "--slug", "rain")


def sign_in(engine: Engine) -> None:
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
    forecasts: Run, engine: Engine, scripted: Callable[[str | None], None]
) -> None:
    sign_in(engine)
    refused = forecasts.refused(*ASK)
    assert "members of this ledger sign in" in refused
    assert "FORECASTS_TOKEN" in refused
    made = forecasts("token", "create", "bot", "--expires", "2026-03-01")
    token = made.stdout.strip()
    assert made.stdout.count("\n") == 1
    assert token not in made.stderr
    key = token.split("_")[1]
    scripted(token)
    forecasts(*ASK)
    assert forecasts("update", "rain", "40%").stdout.startswith("bot: ")
    assert "bot" in forecasts("show", "rain", "--all").stdout
    listed = forecasts("questions")
    assert ("40" in listed.stdout, listed.stderr) == (True, "")
    refused = forecasts.refused("update", "rain", "50%", "--as", "alice")
    assert "FORECASTS_TOKEN belongs to 'bot'" in refused
    listed = forecasts("token", "list").stdout
    assert key in listed
    assert "2026-03-01 23:59 UTC" in listed
    assert "in force" in listed
    assert token.split("_", 2)[2] not in listed
    scripted(None)
    noted = forecasts("questions", "--as", "alice").stderr
    assert noted.count("Members of this ledger sign in, so only questions for") == 1
    assert f"bot: {key} revoked" in forecasts("token", "revoke", "bot").stdout
    assert f"bot: {key} already revoked" in forecasts("token", "revoke", key).stdout
    assert "revoked" in forecasts("token", "list").stdout
    scripted(token)
    assert f"The token {key} was revoked" in forecasts.refused("update", "rain", "50%")


def test_a_bot_of_one_s_own_is_made_with_its_first_token(forecasts: Run, engine: Engine) -> None:
    assert "forecasts token create NAME" in forecasts("token", "list").stderr
    assert "There is no token" in forecasts.refused("token", "revoke", "bot")
    made = forecasts("token", "create", "bot", "--scope", "read")
    assert made.stdout.splitlines()[-1].startswith("fct_")
    assert "scopes: read" in made.stderr
    with database.reading(engine) as session:
        owner = tokens.owner_of(session, members.member_named(session, "bot"))
    assert owner is not None
    assert owner.handle == "alice"
    assert "bot     " in forecasts("token", "list").stdout
    refused = forecasts.refused("token", "create", "bot", "--scope", "write")
    assert "read, forecast, ask, resolve, admin" in refused


def test_a_member_from_before_is_identified_from_the_command_line(
    forecasts: Run, engine: Engine
) -> None:
    forecasts(*ASK)
    sign_in(engine)
    assert "alice-2 is alice" in forecasts("identify", "alice-2", "alice").stdout
    assert "has not signed in" in forecasts.refused("identify", "alice-2", "alice")
    assert "no member 'nobody'" in forecasts.refused("identify", "nobody", "alice")
