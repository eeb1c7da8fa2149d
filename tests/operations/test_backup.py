"""A backup is a whole ledger, made while others write; a restore loses nothing that was there."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine
from typer.testing import CliRunner

from forecasts.access.members import handles, member_or_new
from forecasts.cli.main import app
from forecasts.common.errors import BadInput, DatabaseError, NoLedger, Refused
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.verification import verify
from forecasts.operations import backup
from forecasts.operations.backup import back_up, restore
from tests.conftest import ask, day, release_later
from tests.postgresql import Server


@pytest.fixture
def kind() -> str:
    """A file: on a server its own tools do it."""
    return "sqlite"


def join(engine: Engine, *names: str) -> None:
    with database.writing(engine) as session:
        for name in names:
            member_or_new(session, name, now=day(0))


def members(path: Path) -> list[str]:
    engine = database.open_engine(sqlite_url(path), begin=False)
    with database.reading(engine) as session:
        found = list(handles(session).values())
        assert verify(session).broken is None
    engine.dispose()
    return found


@pytest.fixture
def path(ledger_file: Path) -> Path:
    return ledger_file


@pytest.fixture
def saved(engine: Engine, tmp_path: Path) -> Path:
    """A backup with alice in it, of a ledger that bob has joined since."""
    join(engine, "alice")
    file = tmp_path / "saved" / "backup.sqlite3"
    back_up(engine, file)
    join(engine, "bob")
    return file


def only(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_backup_is_a_whole_ledger_of_its_own(engine: Engine, saved: Path) -> None:
    assert members(saved) == ["alice"]
    assert only(saved.parent) == ["backup.sqlite3"]
    found = back_up(engine, saved.with_name("second"))
    assert (found.entries, found.broken) == (2, None)
    assert found.digest.startswith("2-")


def test_a_backup_is_made_while_somebody_writes(engine: Engine, tmp_path: Path, path: Path) -> None:
    join(engine, "alice")
    other = database.open_engine(sqlite_url(path))
    with database.writing(other) as session:
        member_or_new(session, "bob", now=day(0))
        back_up(engine, tmp_path / "backup")
    other.dispose()
    assert members(tmp_path / "backup") == ["alice"]
    assert members(path) == ["alice", "bob"]


def test_an_existing_file_is_replaced_only_with_force(engine: Engine, saved: Path) -> None:
    with pytest.raises(Refused, match="already") as caught:
        back_up(engine, saved)
    assert "--force" in caught.value.remedy
    assert members(saved) == ["alice"]
    back_up(engine, saved, force=True)
    assert members(saved) == ["alice", "bob"]
    with pytest.raises(BadInput, match="cannot be written"):
        back_up(engine, saved / "within-a-file")


def test_of_two_backups_to_one_file_at_once_one_is_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "backup"
    monkeypatch.setattr(backup, "sync", lambda _: file.write_text("of the other"))
    with pytest.raises(Refused, match="already"):
        back_up(engine, file)
    assert file.read_text() == "of the other"
    assert not list(tmp_path.glob(".backup-*"))


@pytest.mark.slow
def test_a_restore_sets_the_old_ledger_aside(engine: Engine, saved: Path, path: Path) -> None:
    done = restore(engine, saved, now=day(1))
    assert members(path) == ["alice"]
    assert done.aside == path.with_name("ledger.sqlite3.before-20260102T000000Z")
    assert members(done.aside) == ["alice", "bob"]
    assert only(saved.parent) == ["backup.sqlite3"]
    join(engine, "carol")
    assert members(path) == ["alice", "carol"]
    again = restore(engine, saved, now=day(1))
    assert again.aside == path.with_name("ledger.sqlite3.before-20260102T000000Z-2")
    assert members(again.aside) == ["alice", "carol"]


def test_a_restore_to_a_new_place_begins_a_ledger(saved: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "ledger.sqlite3"
    engine = database.open_engine(sqlite_url(new))
    done = restore(engine, saved, now=day(1))
    assert (done.aside, members(new)) == (None, ["alice"])
    assert only(new.parent) == ["ledger.sqlite3", "ledger.sqlite3.head"]


def test_only_an_unaltered_ledger_is_restored(engine: Engine, saved: Path, path: Path) -> None:
    with closing(sqlite3.connect(saved)) as changed:
        changed.execute("UPDATE member SET handle = 'eve'")
        changed.commit()
    with pytest.raises(DatabaseError, match="not whole: it was altered") as caught:
        restore(engine, saved, now=day(1))
    assert "an older one" in caught.value.remedy
    for content in (b"words", b""):
        saved.write_bytes(content)
        with pytest.raises(NoLedger, match="not a backup"):
            restore(engine, saved, now=day(1))
    assert members(path) == ["alice", "bob"]
    assert not list(path.parent.glob("*before*"))


def overwrite(path: Path, words: bytes) -> None:
    """Overwrite the page of the file that has these words, and leave the rest."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [size] = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    start = data.index(words) // size * size
    data[start : start + size] = b"\xff" * size
    path.write_bytes(data)


@pytest.mark.parametrize("kept", [50, 40_000])
def test_a_truncated_ledger_is_called_damaged_and_a_backup_takes_its_place(
    run: Callable[..., Result], engine: Engine, saved: Path, path: Path, kept: int
) -> None:
    engine.dispose()
    cut = path.read_bytes()[:kept]
    path.write_bytes(cut)
    for command in (["verify"], ["questions"], ["backup", "copy.sqlite3"]):
        said = run(*command, exit_code=1).stderr
        assert f"The ledger {str(path)!r} is damaged" in said
        assert "forecasts restore FILE" in said
        assert ".recover" in said
    restored = run("restore", str(saved))
    assert "its history is intact" in restored.stdout
    assert members(path) == ["alice"]
    [aside] = path.parent.glob("*.before-*")
    assert aside.read_bytes() == cut


@pytest.mark.slow
def test_an_overwritten_page_is_named_by_its_row(
    run: Callable[..., Result], engine: Engine, saved: Path, path: Path, tmp_path: Path
) -> None:
    engine.dispose()
    overwrite(path, b"alice")
    said = run("verify", exit_code=1).stderr
    assert "row 1 of member cannot be read: database disk image is malformed" in said
    assert "exact copy" in run("backup", str(tmp_path / "copy"), exit_code=1).stderr
    overwrite(saved, b"alice")
    assert "is not whole" in run("restore", str(saved), exit_code=1).stderr
    saved.write_bytes(saved.read_bytes()[:5000])
    assert "is damaged" in run("restore", str(saved), exit_code=1).stderr


def test_invalid_text_is_named(run: Callable[..., Result], engine: Engine, path: Path) -> None:
    with database.writing(engine) as session:
        ask(session, member_or_new(session, "alice", now=day(0)), slug="rain")
    engine.dispose()
    with closing(sqlite3.connect(path)) as owner:
        owner.execute("DROP TRIGGER question_revision_refuses_update")
        owner.execute("UPDATE question_revision SET title = CAST(x'ff41' AS TEXT)")
        owner.commit()
    shown = run("show", "rain", exit_code=1).stderr
    assert "has a value that cannot be read: Could not decode to UTF-8" in shown
    assert "forecasts verify" in shown
    with closing(sqlite3.connect(path)) as owner:
        owner.execute("PRAGMA ignore_check_constraints = ON")
        owner.execute("UPDATE question_revision SET title = 'Rain?', open_time = 'soon'")
        owner.commit()
    shown = run("show", "rain", exit_code=1).stderr
    assert "row 1 of question_revision has a value that the ledger never stores" in shown
    assert "(open_time)" in shown
    altered = run("verify", exit_code=1).stderr
    assert "row 1 of question_revision has a value that the ledger never stores" in altered


@pytest.mark.slow
def test_a_ledger_that_somebody_has_open_is_not_replaced(
    engine: Engine, saved: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "PATIENCE", 0.05)
    other = database.open_engine(sqlite_url(path))
    with database.reading(other) as session:
        assert list(handles(session).values()) == ["alice", "bob"]
        with pytest.raises(DatabaseError, match="locked") as caught:
            restore(engine, saved, now=day(1))
    assert "Close the app" in caught.value.remedy
    other.dispose()
    assert members(path) == ["alice", "bob"]
    assert not list(path.parent.glob("*before*"))


@pytest.mark.slow
def test_a_backup_of_an_earlier_schema_is_brought_up_to_date(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    older = tmp_path / "older.sqlite3"
    before = database.open_engine(sqlite_url(older))
    schema.migrate(before)
    with database.writing(before) as session:
        member_or_new(session, "ada", now=day(0))
    before.dispose()
    release_later(tmp_path, monkeypatch)
    content = older.read_bytes()
    restore(engine, older, now=day(1))
    assert members(path) == ["ada"]
    assert older.read_bytes() == content


@pytest.fixture
def run(engine: Engine) -> Callable[..., Result]:
    def run(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(app, [*arguments, "--database", str(engine.url.database)])
        assert result.exit_code == exit_code, result.output + str(result.exception)
        return result

    return run


@pytest.mark.slow
def test_the_commands_print_the_digest_and_name_an_added_view_and_an_altered_ledger(
    engine: Engine, run: Callable[..., Result], tmp_path: Path, path: Path
) -> None:
    def changed(act: str) -> None:
        with closing(sqlite3.connect(path)) as owner:
            owner.execute(act)
            owner.commit()

    join(engine, "alice")
    engine.dispose()
    changed("CREATE VIEW best AS SELECT 1")
    said = "Harmless: the view best is not of the ledger's schema."
    assert said in " ".join(run("verify").stderr.split())
    changed("DROP INDEX ix_watch_next_at")
    failed = run("verify", exit_code=1)
    assert "History is intact" in failed.stdout
    assert "is weakened: the index ix_watch_next_at on watch is missing." in failed.stderr
    file = str(tmp_path / "backup")
    said = run("backup", file).stdout
    assert said.startswith(f"{file} has 1 entry, and its history is intact.\n1-")
    assert "already" in run("backup", file, exit_code=2).stderr
    restored = run("restore", file)
    assert f"from {file}: 1 entry, and its history is intact.\n1-" in restored.stdout
    assert "The old ledger is now at" in restored.stderr
    changed("UPDATE member SET handle = 'eve'")
    failed = run("backup", file, "--force", exit_code=1)
    assert "History was altered, first at entry 1" in failed.stderr
    assert "not whole" in run("restore", file, exit_code=1).stderr


def test_on_a_server_its_own_backup_commands_are_named(postgresql: Server, tmp_path: Path) -> None:
    url = postgresql.emptied()
    for command in ("backup", "restore"):
        file = tmp_path / "b; ls"
        said = CliRunner().invoke(app, [command, str(file), "--database", url])
        assert said.exit_code == 2
        assert f"pg_dump --format=custom --file='{file}' " in said.stderr
        assert "as the role that owns its tables" in " ".join(said.stderr.split())
        assert "pg_restore --no-owner --dbname=URL" in " ".join(said.stderr.split())


@pytest.mark.slow
def test_the_servers_tools_restore_a_whole_ledger(postgresql: Server, tmp_path: Path) -> None:
    dump = postgresql.client("pg_dump")
    file = tmp_path / "ledger.dump"
    with postgresql.fresh() as url, postgresql.fresh(migrated=False) as other:
        engine = database.open_engine(url)
        join(engine, "alice")
        with database.reading(engine) as session:
            digest = verify(session).digest
        engine.dispose()
        subprocess.run([dump, "--format=custom", f"--file={file}", url], check=True)
        restore = [dump.with_name("pg_restore"), "--no-owner", f"--dbname={other}", file]
        subprocess.run(restore, check=True)
        engine = database.open_engine(other)
        join(engine, "bob")
        with database.reading(engine) as session:
            found = verify(session, against=digest)
        assert (found.broken, found.entries, found.weakened) == (None, 2, ())
        engine.dispose()
