"""A ledger that lost its newest entries says so, and takes no acts until somebody decides."""

from __future__ import annotations

import shutil
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import func, select
from typer.testing import CliRunner

from forecasts.access.members import member_or_new
from forecasts.cli.main import app
from forecasts.common.errors import DatabaseError
from forecasts.ledger import database, head, sqlite_file
from forecasts.ledger.models import Entry
from forecasts.ledger.moved import MOVED
from forecasts.ledger.verification import newest, verify
from forecasts.operations.backup import back_up, restore
from forecasts.operations.health import check
from forecasts.operations.transfer import move, reopen
from tests.conftest import day, on_both
from tests.operations.conftest import Opened, opened

__all__ = ["opened"]
pytestmark = pytest.mark.slow


def act(engine: Engine, *handles: str, at: float = 0) -> None:
    for handle in handles:
        with database.writing(engine, lambda: day(at)) as session:
            member_or_new(session, handle, now=day(at))


def said(engine: Engine) -> str:
    """Return the fault that a verification names, and prove that an act is refused for it."""
    with database.reading(engine) as session:
        found = verify(session).broken
    if found is None:
        return ""
    [end] = [one for one in check(engine, lambda: day(9)) if one.about == "end"]
    assert not end.passed
    with pytest.raises(DatabaseError) as refused:
        act(engine, "zoe")
    for remedy in (end.remedy, refused.value.remedy):
        assert "forecasts restore FILE" in remedy
        assert remedy.endswith("forecasts verify --accept")
    assert found.said in refused.value.message
    return found.said


def again(engine: Engine) -> Engine:
    """Return the engine of a process that knows nothing of the ledger."""
    url = engine.url.render_as_string(hide_password=False)
    engine.dispose()
    return database.open_engine(url)


@on_both
def test_a_lost_end_is_named_and_no_act_hides_it(engine: Engine, tmp_path: Path) -> None:
    act(engine, "alice", "bob", "carol")
    with database.reading(engine) as session:
        whole = newest(session)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA query_only = OFF"))
            connection.execute(text("DROP TRIGGER entry_refuses_delete"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM entry WHERE id > 1"))
        connection.execute(text("DELETE FROM member WHERE id > 1"))
    engine = again(engine)
    assert said(engine).startswith("the ledger ends before entry 3, which was acknowledged")
    with database.reading(engine) as session:
        assert session.exec(select(func.count()).select_from(Entry)).one() == 1
    head.accept(engine)
    assert said(engine) == ""
    act(engine, "dora", "eve")
    with database.reading(engine) as session:
        assert newest(session).partition("-")[0] == whole.partition("-")[0] == "3"
    engine.dispose()


def test_a_lost_journal_is_named_also_while_the_ledger_is_open(
    ledger_file: Path, opened: Opened
) -> None:
    engine = opened(ledger_file)
    act(engine, "alice")
    engine.dispose()
    copy = shutil.copy(ledger_file, ledger_file.with_name("copy"))
    engine = opened(ledger_file)
    act(engine, "bob", "carol", at=1)
    engine.dispose()
    for lost in (ledger_file, Path(copy)):
        shutil.copy(copy, ledger_file)  # as it was without the journal
        assert said(opened(lost)) == (
            "the ledger ends before entry 3, which was acknowledged at 2026-01-02T00:00:00Z"
            if lost == ledger_file
            else ""
        )
    kept = head.beside(ledger_file)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert set(head.known(kept)._asdict()) == {"entry", "hash", "at", "ledger", "moved_to"}  # type: ignore[union-attr]
    kept.write_text("{")  # such as one of a full disk
    act(opened(ledger_file), "dora")
    assert head.known(kept).entry == 2  # type: ignore[union-attr]


def test_another_history_in_its_place_is_named(ledger_file: Path, opened: Opened) -> None:
    empty = shutil.copy(ledger_file, ledger_file.with_name("empty"))
    engine = opened(ledger_file)
    act(engine, "alice")
    engine.dispose()
    first = shutil.copy(ledger_file, ledger_file.with_name("first"))
    act(engine, "bob")
    act(opened(Path(first)), "eve")
    for other, words in ((first, "has another entry in the place of"), (empty, "ends before")):
        sqlite_file.replace_contents(ledger_file, Path(other))
        assert words in said(opened(ledger_file))
    act(opened(Path(empty)), "eve")
    sqlite_file.replace_contents(ledger_file, Path(empty))
    assert "is another one than that of entry 2" in said(opened(ledger_file))


def test_a_restored_and_a_moved_ledger_go_on(
    ledger_file: Path, opened: Opened, tmp_path: Path
) -> None:
    engine, backup = opened(ledger_file), tmp_path / "backup"
    act(engine, "alice")
    back_up(engine, backup)
    act(engine, "bob")
    assert said(opened(backup)) == ""
    restore(engine, backup, now=day(1))
    assert said(engine) == ""
    act(engine, "carol")
    move(engine, new := opened(tmp_path / "new"))
    for one in (engine, new):
        with database.reading(one) as session:
            assert (verify(session).broken, verify(session).weakened) == (None, ())
    act(new, "dora")
    reopen(engine)
    act(engine, "dora")


def test_a_forged_mark_of_a_move_is_not_believed(ledger_file: Path, opened: Opened) -> None:
    engine = opened(ledger_file)
    act(engine, "alice")
    for made in ("place TEXT", "other TEXT"):
        with closing(sqlite_file.connect(ledger_file, 1)) as forger:
            forger.execute(f"DROP TABLE IF EXISTS {MOVED}")
            forger.execute(f"CREATE TABLE {MOVED} ({made})")
            forger.execute(f"INSERT INTO {MOVED} VALUES ('postgresql://evil.example/x')")
            forger.commit()
        with database.reading(engine) as session:
            [weakened] = verify(session).weakened
        assert "marked as moved to" in weakened
        assert "by no move from here" in weakened
        with pytest.raises(DatabaseError) as refused:
            act(engine, "bob")
        [connection] = [one for one in check(engine, lambda: day(9)) if one.about == "connection"]
        for remedy in (refused.value.remedy, connection.remedy):
            assert remedy.startswith("No move from here has written that mark.")


def test_the_command_line_says_so_at_the_start_and_accepts_it(
    ledger_file: Path, opened: Opened
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, [*arguments, "--database", str(ledger_file)])
        return result.exit_code, " ".join(result.output.split())

    engine, older = opened(ledger_file), ledger_file.with_name("older")
    act(engine, "alice", "bob")
    engine.dispose()
    shutil.copy(ledger_file, older)
    act(engine, "carol")
    engine.dispose()
    sqlite_file.replace_contents(ledger_file, older)
    words = "the ledger ends before entry 3, which was acknowledged at 2026-01-01T00:00:00Z"
    for command, code in (("questions", 0), ("verify", 1)):
        found = run(command)
        assert (found[0], words in found[1]) == (code, True)
    code, output = run("ask", "Will it rain in London by 1 January 2031?", "30%")
    assert (code, "so nothing more is stored in it" in output) == (1, True)
    assert run("verify", "--accept")[0] == 0
    assert words not in run("questions")[1]
