"""A file that was moved away refuses every act, is read as before, and can be reopened."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.common.errors import DatabaseError, NoLedger, Refused
from forecasts.ledger import database, schema
from forecasts.ledger.models import Member
from forecasts.ledger.moved import MOVED, moved_to
from forecasts.ledger.verification import verify
from forecasts.operations import transfer
from forecasts.operations.backup import back_up, restore
from forecasts.operations.health import check
from forecasts.operations.transfer import move, reopen
from tests.conftest import day
from tests.operations.conftest import Opened
from tests.postgresql import Server

pytestmark = pytest.mark.slow

EARLIER = Path(__file__).parents[1] / "ledger" / "development_0010.sql"


@pytest.fixture
def old(ledger_file: Path, opened: Opened) -> Engine:
    engine = opened(ledger_file)
    act(engine, "alice")
    return engine


@pytest.fixture
def new(tmp_path: Path, empty_ledger: Path, opened: Opened) -> Engine:
    return opened(Path(shutil.copy(empty_ledger, tmp_path / "new.sqlite3")))


def act(engine: Engine, handle: str) -> None:
    with database.writing(engine) as session:
        member_or_new(session, handle, now=day(0))


def handles(engine: Engine) -> set[str]:
    with database.reading(engine) as session:
        return set(session.exec(select(Member.handle)))


def test_acts_name_the_server_but_no_role(old: Engine, postgresql: Server, opened: Opened) -> None:
    postgresql.run("CREATE ROLE mover SUPERUSER LOGIN PASSWORD 's3cr3t'")
    with postgresql.fresh() as url:
        target = opened(url.replace("postgres@", "mover:s3cr3t@"))
        move(old, target)
        with pytest.raises(DatabaseError, match="was moved to") as said:
            act(old, "bob")
        act(target, "bob")
        target.dispose()
    postgresql.run("DROP ROLE mover")
    assert f"postgresql:///{target.url.database}?host=" in said.value.message
    assert "FORECASTS_DATABASE_URL" in said.value.remedy
    assert not [word for word in ("mover", "s3cr3t") if word in str(said.value)]
    assert b"s3cr3t" not in Path(str(old.url.database)).read_bytes()
    assert handles(old) == {"alice"}


def test_a_moved_file_names_its_new_place_and_the_command_that_reopens_it(
    old: Engine, new: Engine, ledger_file: Path, opened: Opened, tmp_path: Path
) -> None:
    other = opened(ledger_file)
    act(other, "bob")
    move(old, new)
    for engine in (other, opened(ledger_file)):  # open since before the move, and opened now
        with pytest.raises(DatabaseError, match=f"was moved to '{new.url.database}'"):
            act(engine, "carol")
        assert handles(engine) == {"alice", "bob"}
    assert moved_to(new) == ""
    act(new, "carol")
    with database.reading(old) as session:
        found = verify(session)
    assert (found.broken, found.added) == (None, ())
    [failed] = [one for one in check(old, lambda: day(1)) if not one.passed]
    assert failed.about == "connection"
    assert str(new.url.database) in failed.result
    assert check(new, lambda: day(1))[0].passed
    with pytest.raises(DatabaseError) as refused:
        act(old, "bob")
    with pytest.raises(Refused, match=r"was moved to .*new\.sqlite3' already") as not_moved:
        move(old, opened(tmp_path / "third.sqlite3"))
    for remedy in (failed.remedy, refused.value.remedy, not_moved.value.remedy):
        assert remedy.endswith(f": forecasts move --reopen --database {old.url.database}")


def test_a_reopened_file_takes_acts_and_can_be_moved_again(
    old: Engine, new: Engine, empty_ledger: Path, tmp_path: Path, opened: Opened
) -> None:
    move(old, new)
    assert reopen(old) == str(new.url.database)
    act(old, "bob")
    assert (handles(old), handles(new)) == ({"alice", "bob"}, {"alice"})
    with pytest.raises(Refused, match="was not moved away"):
        reopen(old)
    move(old, opened(Path(shutil.copy(empty_ledger, tmp_path / "third.sqlite3"))))
    with pytest.raises(DatabaseError, match=r"third\.sqlite3"):
        act(old, "bob")


def test_the_second_of_two_reopenings_is_refused(
    old: Engine, new: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(old, new)

    def first(engine: Engine) -> str:
        monkeypatch.undo()
        reopen(engine)  # by another, just after this one has looked
        return "the new place"

    monkeypatch.setattr("forecasts.ledger.moved.moved_to", first)
    with pytest.raises(Refused, match="was not moved away"):
        reopen(old)


def test_a_backup_from_before_the_move_takes_acts_and_one_from_after_it_does_not(
    old: Engine, new: Engine, tmp_path: Path, ledger_file: Path, opened: Opened
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    back_up(old, before)
    move(old, new)
    assert back_up(old, after).broken is None
    act(opened(before), "bob")
    with pytest.raises(DatabaseError, match="was moved to"):
        act(opened(after), "bob")
    restore(old, after, now=day(1))
    with pytest.raises(DatabaseError, match="was moved to"):
        act(old, "bob")
    restore(old, before, now=day(2))
    act(old, "carol")


def test_a_moved_file_is_migrated_to_be_read(tmp_path: Path, opened: Opened) -> None:
    with closing(sqlite3.connect(tmp_path / "earlier")) as made:
        made.executescript(EARLIER.read_text("utf-8"))
        made.executescript(f"CREATE TABLE {MOVED} (place TEXT); INSERT INTO {MOVED} VALUES ('x');")
    engine = opened(tmp_path / "earlier")
    assert schema.make_ready(engine) is not None
    assert handles(engine)
    with pytest.raises(DatabaseError, match="was moved to 'x'"):
        act(engine, "bob")


def test_one_ledger_takes_acts_after_a_failed_move_and_none_just_before_the_end(
    old: Engine, new: Engine, monkeypatch: pytest.MonkeyPatch, opened: Opened
) -> None:
    def fail(step: transfer.Step) -> None:
        if step.act == "compare":
            raise DatabaseError("a row differs")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(DatabaseError, match="a row differs"):
        move(old, new, on_step=fail)
    act(old, "bob")
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            move(old, new)
    with pytest.raises(DatabaseError, match="was moved to"):
        act(old, "carol")
    with pytest.raises(NoLedger, match="unfinished"):
        opened(Path(str(new.url.database)))
    assert move(old, new).resumed
    act(new, "carol")


def test_a_server_is_made_read_only_by_its_owner(
    postgresql: Server, old: Engine, new: Engine, opened: Opened
) -> None:
    with postgresql.fresh() as url:
        server = opened(url)
        act(server, "alice")
        move(server, new)
        act(server, "bob")  # it is not marked
        postgresql.run(
            f"ALTER DATABASE {server.url.database} SET default_transaction_read_only = on"
        )
        server.dispose()
        with pytest.raises(DatabaseError, match="cannot be written to here"):
            act(server, "carol")
        assert handles(server) == {"alice", "bob"}
        server.dispose()
