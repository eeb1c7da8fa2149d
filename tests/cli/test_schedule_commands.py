"""schedule cron, systemd, kubernetes; and run --every, stopped and without its ledger."""

from __future__ import annotations

import getpass
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine

from forecasts.cli import console
from forecasts.cli import runs as cli_runs
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import Settings, sqlite_url
from forecasts.resolution import confirmation
from tests.cli.conftest import Run

WITH_PASSWORD = "postgresql://people:geheim@db.example.org/forecasts"
KINDS = ("cron", "systemd", "kubernetes")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with the command beside its Python."""
    command = tmp_path / "bin" / "forecasts"
    command.parent.mkdir()
    command.touch()
    # Only there: runs start this Python for resolvers.
    here = SimpleNamespace(executable=str(command.with_name("python")))
    monkeypatch.setattr(cli_runs, "sys", here)
    return command


def test_each_unit_starts_this_installation_on_this_ledger_and_sends_the_digest_somewhere(
    forecasts: Run, installed: Path, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    for kind in ("cron", "systemd"):
        printed = forecasts("schedule", kind, "--every", "30m", "--database", str(ledger)).stdout
        for words in (
            *(f"{installed} run", sqlite_url(ledger), getpass.getuser(), "To install"),
            *("To check", f"FORECASTS_DIGEST_TO={ledger}.digests"),
        ):
            assert words in printed
        assert ("*/30 * * * *" in printed) == (kind == "cron")
    printed = forecasts("schedule", "kubernetes", "--image", "i:1", "--database", "x.db").stdout
    install = "forecasts schedule kubernetes --image i:1 --database x.db | kubectl apply -f -"
    for words in (install, "forecasts move", "secretRef", "add a line such as"):
        assert words in printed


def test_each_unit_has_the_folders_of_resolvers_and_the_settings_for_stamps(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("COMMANDS_FOLDER", "FILES_FOLDER", "PROOFS_FOLDER", "STAMP_ROOTS")
    needed = {name: f"/srv/{name}" for name in names}
    needed["STAMP_URL"] = "https://stamps.example.org/tsr"
    for name, value in needed.items():
        monkeypatch.setenv(f"FORECASTS_{name}", value)
    for kind in KINDS:
        printed = forecasts("schedule", kind).stdout
        for name, value in needed.items():
            assert f"FORECASTS_{name}" in printed
            assert value in printed
    assert "FORECASTS_STAMP_ROOTS: mount a volume" in printed


def test_the_line_that_installs_a_unit_names_its_options_and_the_ledger_unless_that_is_secret(
    forecasts: Run,
) -> None:
    both = forecasts("schedule", "systemd", "--user", "ledger", "--database", "a ledger.db").stdout
    assert both.count("[Unit]") == 2
    assert "User=ledger\n" in both
    for part in ("service", "timer"):
        named = f"systemd {part} --user ledger --database 'a ledger.db' | sudo tee /etc/"
        assert named in both
    timer = forecasts("schedule", "systemd", "timer", "--every", "6h").stdout
    assert "[Service]" not in timer
    assert "forecasts schedule systemd timer --every 6h | sudo tee /etc/" in timer
    for kind in KINDS:
        assert "geheim" not in forecasts("schedule", kind, "--database", WITH_PASSWORD).stdout
    assert "not known" in forecasts.refused("schedule", "systemd", "socket")
    assert "has characters" in forecasts.refused("schedule", "systemd", "--user", "a\nb")


def test_units_of_the_app_and_the_api_are_written_for_another_user_with_a_folder_of_its_own(
    forecasts: Run, installed: Path, tmp_path: Path
) -> None:
    command = ("schedule", "systemd", "--app", "--api", "--name", "api.example.org")
    team = ("--user", "ledger", "--database", "postgresql:///forecasts", "--every", "1d")
    printed = forecasts(*command, *team, "--to", str(tmp_path)).stdout.split()
    names = ["forecasts.service", "forecasts.timer", "forecasts-app.service"]
    assert printed == [str(tmp_path / name) for name in (*names, "forecasts-api.service")]
    app, api = (Path(path).read_text() for path in printed[2:])
    assert f"ExecStart={installed} app --no-runs --no-open\n" in app
    assert f"ExecStart={installed} api --no-runs --name api.example.org\n" in api
    install = "forecasts schedule systemd api --every 1d --user ledger --database"
    assert f"{install} postgresql:///forecasts --name api.example.org | sudo tee" in api
    for unit in (app, api, Path(printed[0]).read_text()):
        assert "Environment=FORECASTS_DIGEST_TO=/var/lib/forecasts/digests\n" in unit
        assert "ReadWritePaths=-/var/lib/forecasts\n" in unit
    own = forecasts("schedule", "systemd", "app", "--database", str(tmp_path / "a.db")).stdout
    assert "StateDirectory" not in own
    assert f"-{tmp_path} " in f"{own} ".replace("\n", " ")
    assert "There is no folder" in forecasts.refused(*command, "--to", str(tmp_path / "none"))


class Waiting:
    """In place of an Event: waiting moves the clock and takes no time."""

    at = datetime(2026, 1, 20, 11, 0, tzinfo=UTC)

    def __init__(self) -> None:
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def wait(self, seconds: float) -> bool:
        if not self._set and seconds:
            type(self).at += timedelta(seconds=seconds)
        return self._set


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> type[Waiting]:
    class Here(Waiting):
        pass

    monkeypatch.setattr(cli_runs, "Event", Here)
    monkeypatch.setattr(console, "clock", lambda: Here.at)
    return Here


def carry(forecasts: Run, waiting: type[Waiting], outcomes: Path, *slugs: str) -> None:
    """Ask questions at 11:00 that are known at 11:30, and set the clock to 12:00."""
    for slug in slugs:
        forecasts("ask", f"{slug}?", "--closes", "2026-01-25", "--slug", slug, "--criteria", "so")
        forecasts("resolver", "set", slug, "outcomes_file", "--with", f"path={outcomes}")
    rows = [f"{slug},yes,2026-01-20T11:30:00Z" for slug in slugs]
    outcomes.write_text("\n".join(["question,outcome,known_at", *rows]) + "\n")
    waiting.at += timedelta(hours=1)


@pytest.mark.slow
def test_told_to_end_it_finishes_the_question_in_hand_and_ends(
    forecasts: Run, waiting: type[Waiting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(forecasts, waiting, tmp_path / "outcomes.csv", "rain", "snow")
    before = signal.getsignal(signal.SIGTERM)
    confirm = confirmation.confirm

    def told(*arguments: object, **more: object) -> object:
        os.kill(os.getpid(), signal.SIGTERM)
        return confirm(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(confirmation, "confirm", told)
    said = forecasts("run", "--every", "15m")
    assert said.stdout.startswith("confirmed: rain: yes")
    assert "1 resolved" in said.stdout
    assert said.stderr.endswith("Stopped.\n")
    assert "snow" in forecasts("questions", "--status", "open").stdout
    assert signal.getsignal(signal.SIGTERM) is before
    said = forecasts("run", "status").stdout
    assert said.startswith(
        "Last run: 2026-01-20 12:00 UTC, every 15 minutes, next about 2026-01-20 12:15 UTC\n"
    )


def test_it_goes_on_when_the_ledger_was_away_for_a_while(
    forecasts: Run, waiting: type[Waiting], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(forecasts, waiting, tmp_path / "outcomes.csv", "rain")
    opened, tries = cli_runs.ledger, []

    def ledger(chosen: Settings, **how: bool) -> Engine:
        tries.append(waiting.at)
        if len(tries) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        if len(tries) < 4:
            raise DatabaseError("The server was not reached.", remedy="Start it.")
        return opened(chosen, **how)

    monkeypatch.setattr(cli_runs, "ledger", ledger)
    said = forecasts("run", "--every", "15m")
    assert tries == [datetime(2026, 1, 20, 12, minute, tzinfo=UTC) for minute in (0, 15, 30, 45)]
    away = "The server was not reached.\nStart it.\nThe next run is at 2026-01-20 12:15 UTC.\n"
    assert away in said.stderr
    assert said.stderr.count("not reached") == 3
    assert "confirmed: rain" not in said.stdout  # stopped before it looked


def test_a_ledger_that_was_named_wrongly_is_said_at_once(
    forecasts: Run, waiting: type[Waiting]
) -> None:
    run = ("run", "--every", "15m", "--database", "nowhere.sqlite3")
    assert "There is no ledger" in forecasts.refused(*run)
    assert "--every must divide an hour or a day, got '7m'" in forecasts.refused(
        "run", "--every", "7m"
    )


def test_secrets_of_the_environment_are_named_and_not_printed(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTS_DATABASE_URL", WITH_PASSWORD.replace(":geheim", ""))
    for kind in KINDS:
        assert "postgresql://people@db.example.org/forecasts" in forecasts("schedule", kind).stdout
    monkeypatch.setenv("FORECASTS_DATABASE_URL", WITH_PASSWORD)
    monkeypatch.setenv("FORECASTS_DIGEST_TO", "https://example.org/in?key=s3cret")
    for kind in KINDS:
        printed = forecasts("schedule", kind).stdout
        assert not [secret for secret in ("geheim", "s3cret") if secret in printed]
        assert "FORECASTS_DATABASE_URL" in printed
        assert "FORECASTS_DIGEST_TO" in printed
    printed = forecasts("schedule", "cron").stdout
    assert "# FORECASTS_DATABASE_URL and FORECASTS_DIGEST_TO are read from" in printed
    for address in ("me@example.org", "mailto:me@example.org"):
        monkeypatch.setenv("FORECASTS_DIGEST_TO", address)
        assert "names no server to send mail with" in forecasts.refused("schedule", "cron")
