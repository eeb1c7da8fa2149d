"""migrate, check, move; and errors of a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from forecasts.cli.options import CHOSEN
from forecasts.cli.session import next_step
from forecasts.ledger import database, schema
from forecasts.operations import transfer
from forecasts.operations.health import Finding
from tests.cli.conftest import Clock, Run
from tests.conftest import release_later
from tests.postgresql import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def empty_server(postgresql: Server) -> Iterator[str]:
    """The URL of an empty database on a server."""
    with postgresql.fresh(migrated=False) as url:
        yield url


def test_a_server_s_ledger_is_begun_and_brought_up_to_date_by_migrate_alone(
    forecasts: Run, empty_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ("--database", empty_server)
    asked = ("ask", "Will it rain?", "--closes", "2999-12-31", *there)
    for command in (asked, ("app", "--port", "8502", *there), ("questions", *there)):
        refused = forecasts.refused(*command)
        assert "There is no ledger at" in refused
        assert "forecasts migrate" in refused
    done = forecasts("migrate", *there)
    assert "Created the ledger postgresql://postgres@" in done.stderr
    before = schema.newest_revision()
    assert f"has schema {before}, the newest." in done.stdout
    forecasts(*asked)
    release_later(tmp_path, monkeypatch)
    for command in (("questions", *there), asked):
        said = forecasts(*command, exit_code=1).stderr
        assert f"has schema {before}, and this release needs" in said
        assert "forecasts migrate" in said
    done = forecasts("migrate", "--grant", "postgres", *there)
    assert f"from schema {before} to" in done.stderr
    assert "The role postgres has the rights that members' work needs." in done.stdout
    assert "which has no roles" in forecasts.refused("migrate", "--grant", "postgres")
    assert "Will it rain?" in forecasts("questions", *there).stdout


def test_check_prints_each_finding_with_its_remedy(
    forecasts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Finding("schema", "It has schema 0003."), Finding("rows", "It holds 3 members.")]
    monkeypatch.setattr("forecasts.operations.health.check", lambda *_: found)
    said = forecasts("check")
    assert said.stdout.splitlines() == [
        "✓ schema: It has schema 0003.",
        "✓ rows: It holds 3 members.",
        "✓ sign-in: Sign-in is off, so the app answers only to this machine.",
    ]
    assert said.stderr == "All is well.\n"
    found.append(Finding("clock", "It is wrong.", "Set it right."))
    said = forecasts("check", exit_code=1)
    assert "✗ clock: It is wrong.\n  Set it right.\n" in said.stdout
    assert said.stderr == "1 of 4 checks failed.\n"


def test_a_server_that_is_down_ends_any_command_and_check_is_still_json(forecasts: Run) -> None:
    url = "postgresql://me:s3cr3t@127.0.0.1:1/forecasts"
    for command in ("check", "questions", "migrate"):
        said = forecasts(command, "--database", url, exit_code=1)
        assert "was not reached" in said.stderr
        assert "s3cr3t" not in said.output + said.stderr
    down, sign_in = forecasts.printed("check", "--database", url, exit_code=1)
    assert (down["check"], down["passed"]) == ("connection", False)
    assert (sign_in["check"], sign_in["passed"]) == ("sign-in", True)
    assert "was not reached" in down["result"]
    assert down["remedy"] == "Start it, or check host and port in the URL, and try again."
    assert "s3cr3t" not in str(down)


def test_check_of_a_file_that_cannot_be_opened_has_the_lines_around_it(
    forecasts: Run, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.sqlite3"
    assert "There is no ledger" in forecasts("check", "--database", str(path), exit_code=2).stderr
    assert not path.exists()
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    said = forecasts("check", "--database", str(path), exit_code=1)
    lines = said.stdout.splitlines()
    about = ["space:", "permissions:", "privacy:", "journal:", "sign-in:"]
    assert [line.split()[1] for line in lines] == about
    assert f"The ledger '{path}' is damaged" in said.stderr
    found = forecasts.printed("check", "--database", str(path), exit_code=1)
    [damage] = [row for row in found if not row["passed"]]
    assert damage["check"] == "connection"
    assert "is damaged" in damage["result"]


def test_move_lists_the_moved_rows_and_the_next_step(
    forecasts: Run, ledger_file: Path, empty_server: str, tmp_path: Path
) -> None:
    named = ("--database", str(ledger_file))
    forecasts("ask", "Will it rain?", "40%", "--closes", "2999-12-31", "--slug", "rain", *named)
    done = forecasts("move", "--to", empty_server, *named)
    tables = len(SQLModel.metadata.tables)
    assert done.stdout.startswith(f"Moved 9 rows of {tables} tables to postgresql://postgres@")
    assert f"The ledger at {ledger_file} can be read, and takes no more acts." in done.stderr
    back = ("--to", str(tmp_path / "back.sqlite3"))
    done = forecasts("move", *back, "--database", empty_server)
    assert "still takes acts. To refuse them, its owner runs: ALTER DATABASE" in done.stderr
    moved = forecasts("show", "rain", "--database", back[1]).stdout
    assert moved == forecasts("show", "rain", *named).stdout


def test_a_moved_file_says_where_it_was_moved_until_it_is_reopened(
    forecasts: Run, ledger_file: Path, tmp_path: Path
) -> None:
    new, old = str(tmp_path / "new.sqlite3"), ("--database", str(ledger_file))
    forecasts("ask", "Will it rain?", "--closes", "2999-12-31", "--slug", "rain", *old)
    forecasts("move", "--to", new, *old)
    assert f"was moved to {new!r}" in forecasts("update", "rain", "40%", *old, exit_code=1).stderr
    for command in (("show", "rain"), ("verify",), ("backup", str(tmp_path / "backup"))):
        said = forecasts(*command, *old).stderr
        assert said.count(f"was moved to {new}. This is its last state here.") == 1, command
    restored = ("restore", str(tmp_path / "backup"), "--database", str(tmp_path / "restored"))
    assert f"after the move to {new}" in forecasts(*restored).stderr
    assert f"which was moved to {new}" in forecasts("check", *old, exit_code=1).stdout
    assert "was moved" not in forecasts("show", "rain", "--database", new).stderr
    for options in ((), ("--reopen", "--to", "new.sqlite3")):
        assert "either --to or --reopen" in forecasts.refused("move", *options)
    reopened = forecasts("move", "--reopen", *old)
    assert reopened.stdout == f"The ledger {ledger_file} takes acts again.\n"
    assert f"{new} is not changed" in reopened.stderr
    forecasts("update", "rain", "40%", *old)


def test_a_move_says_which_stamps_to_copy(
    forecasts: Run, ledger_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(f"{ledger_file}.proofs")
    folder.mkdir()
    (folder / f"1-{'a' * 64}.tsr").write_bytes(b"a stamp")
    old, to = ("--database", str(ledger_file)), tmp_path / "new.sqlite3"
    said = forecasts("move", "--to", str(to), *old).stderr
    assert f"copy 1 stamp from {folder} to {to}.proofs, where" in said
    forecasts("move", "--reopen", *old)
    monkeypatch.setenv("FORECASTS_PROOFS_FOLDER", str(folder))
    said = forecasts("move", "--to", str(tmp_path / "third.sqlite3"), *old).stderr
    assert "copy 1 stamp" not in said


def test_a_move_that_is_interrupted_says_how_it_goes_on(
    forecasts: Run, ledger_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    to = ("--to", str(tmp_path / "new.sqlite3"), "--database", str(ledger_file))
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "finish", interrupt)
        stopped = forecasts("move", *to, exit_code=130).stderr
    assert "To continue, run the same command again" in stopped
    said = forecasts.refused("questions", "--database", to[1])
    assert "is an unfinished copy of a ledger" in said
    assert "(resumed)" in forecasts("move", *to).stdout
    assert forecasts("questions", "--database", to[1]).stdout


def test_a_command_to_copy_does_not_repeat_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for named, shown in (
        ("postgresql://me:s3cr3t@host/x", "postgresql://me:PASSWORD@host/x"),
        ("postgresql://me:s3:cr@3t@host/x", "postgresql://me:PASSWORD@host/x"),
        ("postgresql://me:s3/cr3t@host/x", "postgresql://me:PASSWORD@host/x"),
        ("postgresql://me@host/x?password=s3cr3t", "'postgresql://me@host/x?password=PASSWORD'"),
        ("postgresql://me@host/x", "postgresql://me@host/x"),
        ("/home/me/a:b@c.sqlite3", "/home/me/a:b@c.sqlite3"),
    ):
        monkeypatch.setitem(CHOSEN, "database_url", named)
        assert next_step("show", "rain") == f"forecasts show rain --database {shown}"


def test_scores_in_the_name_of_an_earlier_release_do_not_pass_as_they_are(
    forecasts: Run, clock: Clock, ledger_url: str
) -> None:
    forecasts("ask", "Will it rain?", "30%", "--closes", "2999-12-31", "--slug", "rain")
    clock("2026-01-06")
    forecasts("resolve", "rain", "yes")
    assert "The scores of 1 resolution were computed again" in forecasts("verify").stdout
    engine = database.open_engine(ledger_url)
    with database.writing(engine) as session:
        earlier = "UPDATE score SET score = 0, engine_version = '0.0' WHERE protocol = 'brier'"
        session.connection().exec_driver_sql(earlier)
    engine.dispose()
    said = forecasts("verify", exit_code=1)
    assert "computed again" not in said.stdout
    differs = "1 stored score differs from the result of this release: an earlier release computed "
    assert said.stderr.startswith(differs)
    assert not forecasts.printed("verify", exit_code=1)["whole"]
    forecasts("rescore")
    forecasts("verify")


def test_the_digest_is_printed_sent_and_found_again(
    forecasts: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasts("ask", "Will it rain?", "--closes", "2999-12-31")
    digest = forecasts("digest").stdout.strip()
    assert digest in forecasts("verify").stdout
    file = tmp_path / "digests"
    said = forecasts("digest", "--to", str(file))
    assert said.stdout.strip() == digest
    assert said.stderr.strip() == f"Sent to {file}."
    forecasts("ask", "Will it snow?", "--closes", "2999-12-31")
    said = forecasts("verify", "--against", str(file))
    assert f"Nothing up to entry {digest.partition('-')[0]} has changed" in said.stdout
    file.write_text(file.read_text().replace(digest[-8:], "00000000"))
    assert "not the one" in forecasts("verify", "--against", str(file), exit_code=1).stderr
    monkeypatch.setenv("FORECASTS_DIGEST_TO", str(tmp_path))
    said = forecasts("digest", exit_code=1).stderr
    assert "Not sent to" in said
    assert "Is a directory" in said
    assert f"The digest was not sent to {tmp_path}" in forecasts("run").stderr
    monkeypatch.setenv("FORECASTS_DIGEST_TO", f"{file}.daily")
    assert f"sent to {file}.daily." in forecasts("run").stderr
    assert "igest" not in forecasts("run").stderr
