"""``forecasts pull`` from accounts on this machine: preview, import, interruption, tokens."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest

from forecasts.accounts import fatebook, manifold, metaculus
from forecasts.cli import console
from forecasts.cli import pull as command
from forecasts.common.extras import install_command
from tests.accounts.conftest import TOKEN, Platform, Reply
from tests.accounts.conftest import platform as platform  # a fixture
from tests.accounts.test_fatebook_account import QUESTIONS
from tests.accounts.test_fatebook_account import serve as serve_fatebook
from tests.accounts.test_manifold_account import BETS
from tests.accounts.test_manifold_account import serve as serve_manifold
from tests.accounts.test_metaculus_account import POSTS, post, question
from tests.accounts.test_metaculus_account import serve as serve_metaculus
from tests.cli.conftest import Clock, Run

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def here(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: Clock) -> Path:
    """The platforms are on this machine, nothing really waits; returns the data folder."""
    for module in (fatebook, manifold, metaculus):
        monkeypatch.setattr(module, "SITE", replace(module.SITE, base=platform.base))
        monkeypatch.setenv(module.SITE.setting, TOKEN)
    monkeypatch.setenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES", "true")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(command, "wait", lambda _seconds: None)
    clock("2026-03-01T12:00:00Z")
    return tmp_path / "data" / "forecasts"


def kept(here: Path) -> list[Path]:
    return list((here / "pulls").iterdir())


def test_a_preview_writes_nothing_and_its_import_fetches_nothing_again(
    platform: Platform, forecasts: Run, here: Path
) -> None:
    serve_metaculus(platform, POSTS)
    seen = forecasts("pull", "metaculus", "--dry-run")
    assert "metaculus-41" in seen.output
    assert "An import would add 7 new questions, 12 forecasts" in seen.output
    kept_for = "Kept for the import, so nothing is fetched twice: forecasts pull metaculus"
    assert kept_for in seen.output
    assert len(kept(here)) == 1
    asked = len(platform.asked)
    done = forecasts("pull", "metaculus")
    assert "Continues the pull of 2026-03-01 12:00" in done.output
    assert "Imported 7 new questions, 12 forecasts" in done.output
    assert len(platform.asked) == asked
    assert kept(here) == []


def test_fatebook_and_manifold_come_too(platform: Platform, forecasts: Run, here: Path) -> None:
    serve_fatebook(platform, QUESTIONS)
    assert "Imported 4 new questions, 6 forecasts" in forecasts("pull", "fatebook").output
    serve_manifold(platform, BETS)
    assert "Imported 3 new questions, 4 forecasts" in forecasts("pull", "manifold").output
    platform.asked.clear()
    again = forecasts("pull", "manifold")
    assert "market/rain" not in [one.path for one in platform.asked]
    assert "are here already were not fetched again: 1" in again.output
    platform.asked.clear()
    forecasts("pull", "manifold", "--fresh")
    assert "market/rain" in [one.path for one in platform.asked]
    assert kept(here) == []


def test_the_forecasts_of_others_can_be_left_out(platform: Platform, forecasts: Run) -> None:
    """In a shared ledger, only an admin may import them."""
    theirs = [{"createdAt": "2024-05-02T00:00:00Z", "forecast": "0.1", "userId": "bob"}]
    shared = [{"id": "me"}, {"id": "bob"}]
    seen = {"id": "q4", "title": "Theirs?", "forecasts": theirs, "sharedWith": shared}
    serve_fatebook(platform, [*QUESTIONS, QUESTIONS[2] | seen])
    done = forecasts("pull", "fatebook", "--mine").output
    assert "Imported 4 new questions, 5 forecasts" in done
    assert "fatebook: '1 forecast' — by others" in done
    assert "New members" not in done


def test_an_interrupted_pull_continues(
    platform: Platform, forecasts: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_metaculus(platform, [post(number, question=question(number)) for number in range(30)])
    whole = platform.answer

    def press(_seconds: float) -> None:
        raise KeyboardInterrupt

    platform.answer = lambda asked: (
        Reply({}, status=503) if asked.query.get("offset") == "19" else whole(asked)
    )
    monkeypatch.setattr(command, "wait", press)
    stopped = forecasts("pull", "metaculus", exit_code=130)
    assert "Stopped. Nothing is lost" in stopped.output
    assert len(kept(here)) == 1
    platform.answer = whole
    platform.asked.clear()
    assert "Imported 30 new questions" in forecasts("pull", "metaculus").output
    assert [one.query.get("offset") for one in platform.asked] == ["19", "29"]
    assert kept(here) == []


def test_without_a_token_or_with_a_private_address_a_pull_is_refused(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORECASTS_ALLOW_PRIVATE_ADDRESSES")
    said = forecasts("pull", "fatebook", exit_code=2).output
    assert "127.0.0.1 is a private address" in said
    assert TOKEN not in said
    monkeypatch.delenv("FORECASTS_FATEBOOK_TOKEN")
    monkeypatch.setitem(sys.modules, "keyring", None)
    said = forecasts("pull", "fatebook", exit_code=2).output
    assert "There is no token for" in said
    assert "set FORECASTS_FATEBOOK_TOKEN" in said


class Keyring(types.ModuleType):
    """A keyring in memory, with the functions of the library."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.stored: dict[tuple[str, str], str] = {}
        self.errors = types.ModuleType("keyring.errors")
        self.errors.KeyringError = RuntimeError  # type: ignore[attr-defined]

    def get_password(self, service: str, name: str) -> str | None:
        return self.stored.get((service, name))

    def set_password(self, service: str, name: str, secret: str) -> None:
        if secret == "locked":
            raise RuntimeError(f"cannot store {secret}")
        if secret == "lost":
            return
        self.stored[service, name] = secret

    def delete_password(self, service: str, name: str) -> None:
        del self.stored[service, name]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    made = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", made)
    monkeypatch.setitem(sys.modules, "keyring.errors", made.errors)
    monkeypatch.setattr(console, "on_terminal", lambda: True)
    for name in ("METACULUS", "FATEBOOK", "MANIFOLD"):
        monkeypatch.delenv(f"FORECASTS_{name}_TOKEN")
    return made


def test_a_token_is_kept_in_the_keyring_until_it_is_forgotten(
    platform: Platform, forecasts: Run, keyring: Keyring
) -> None:
    serve_fatebook(platform, QUESTIONS)
    typed = forecasts("pull", "fatebook", "--remember", input=f"{TOKEN}\n")
    assert "Token for Fatebook: \n" in typed.output
    assert TOKEN not in typed.output
    assert keyring.stored == {("forecast-ledger", "fatebook"): TOKEN}
    assert "nothing new" in forecasts("pull", "fatebook").output
    forecasts("pull", "fatebook", "--forget")
    forecasts("pull", "fatebook", "--forget")
    assert keyring.stored == {}
    assert "There is no token" in forecasts("pull", "fatebook", exit_code=2).output


def test_a_keyring_that_cannot_be_used_has_a_remedy(
    forecasts: Run, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember = ("pull", "fatebook", "--remember")
    for typed, why in (("locked", "RuntimeError"), ("lost", "it keeps nothing")):
        said = forecasts(*remember, input=f"{typed}\n", exit_code=2).output
        assert f"This system's keyring cannot be used ({why})." in said
        assert "Set FORECASTS_FATEBOOK_TOKEN instead." in said
    monkeypatch.setitem(sys.modules, "keyring", None)
    said = forecasts(*remember, input="x\n", exit_code=2).output
    assert install_command("keyring") in said
    monkeypatch.setattr(console, "on_terminal", lambda: False)
    said = forecasts(*remember, input="x\n", exit_code=2).output
    assert "there is no terminal to type it on" in said


@pytest.mark.parametrize("how", ["whole", "refused"])
def test_a_token_is_in_no_output_file_or_ledger(
    platform: Platform,
    forecasts: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    caplog.set_level(0)
    serve_fatebook(platform, QUESTIONS)
    if how == "refused":
        platform.replies(Reply({"message": f"no user has {TOKEN}"}, status=401))
    said = forecasts("pull", "fatebook", exit_code=0 if how == "whole" else 2)
    assert TOKEN not in said.output + str(said.exception) + caplog.text
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]
