"""Files: those of others, replaced ones, and ledgers that this user may only read."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import find_member, member_or_new
from forecasts.common.errors import DatabaseError, NoLedger
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, head, schema, sqlite_file
from forecasts.ledger.models import Ledger, Member
from forecasts.ledger.sqlite_file import Kind, kind_of, replace_contents
from forecasts.ledger.urls import holds_secrets, read_url, seconds_to_wait, to_type_again
from forecasts.ledger.verification import verify
from forecasts.operations.backup import restore
from tests.conftest import day


@pytest.fixture
def kind() -> str:
    """A ledger in a file, whatever else there is."""
    return "sqlite"


def database_of_others(path: Path, journal: str = "delete") -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("CREATE TABLE bookmark (url TEXT)")
        connection.commit()


def handles(engine: Engine) -> set[str]:
    with database.reading(engine) as session:
        return set(session.exec(select(Member.handle)))


def write(engine: Engine, handle: str) -> None:
    with database.writing(engine) as session:
        member_or_new(session, handle, now=day(0))


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("shopping list"),
        database_of_others,
        lambda path: database_of_others(path, "wal"),
    ],
    ids=["text", "database", "database in WAL mode"],
)
def test_a_file_of_others_is_not_touched(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "file"
    make(path)
    before = path.read_bytes()
    assert kind_of(path) is Kind.other
    with pytest.raises(NoLedger, match="is not a ledger"):
        database.open_engine(sqlite_url(path))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_ledger_is_looked_at_without_a_trace(ledger_file: Path, tmp_path: Path) -> None:
    before = ledger_file.read_bytes()
    assert kind_of(ledger_file) is Kind.ledger
    assert ledger_file.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [ledger_file.name]


def test_rows_in_the_log_beside_the_file_count(engine: Engine, tmp_path: Path) -> None:
    with database.writing(engine) as session:
        session.add(Ledger(created_at=day(0), demonstration=True))
    path = database.sqlite_path(engine)
    assert path is not None
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
    assert kind_of(path) is Kind.demonstration


def test_an_empty_file_is_nothing_yet_and_a_folder_never_will_be(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "missing") is Kind.nothing
    (tmp_path / "empty").touch()
    assert kind_of(tmp_path / "empty") is Kind.nothing
    with pytest.raises(NoLedger, match="is a folder"):
        kind_of(tmp_path)


@pytest.mark.parametrize("part", ["", "-wal", "-shm"])
def test_an_unreadable_file_is_refused(
    ledger_file: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    kept = f"{ledger_file}{part}"
    Path(kept).touch()
    allows = os.access
    monkeypatch.setattr(os, "access", lambda path, how: str(path) != kept and allows(path, how))
    with pytest.raises(NoLedger, match="cannot be read: Permission denied") as refused:
        kind_of(ledger_file)
    assert repr(kept) in str(refused.value)


def test_looking_at_a_file_keeps_the_locks_of_its_connections(engine: Engine) -> None:
    write(engine, "ada")  # its connection stays open
    path = Path(str(engine.url.database))
    assert kind_of(path) is Kind.ledger
    # Without them, the process that ends would delete the journal that this one writes to.
    ends = (
        "import sqlite3, sys; one = sqlite3.connect(sys.argv[1]);"
        "one.execute('SELECT count(*) FROM ledger').fetchone(); one.close()"
    )
    subprocess.run([sys.executable, "-c", ends, str(path)], check=True)
    write(engine, "bob")
    assert path.with_name(f"{path.name}-wal").exists()
    with closing(sqlite3.connect(path)) as other:
        assert ("bob",) in other.execute("SELECT handle FROM member").fetchall()


def test_sessions_follow_a_replacement(empty_ledger: Path, engine: Engine, tmp_path: Path) -> None:
    old = database.sqlite_path(engine)
    assert old is not None
    write(engine, "before")
    new = Path(shutil.copy(empty_ledger, tmp_path / "new"))
    other = database.open_engine(sqlite_url(new))
    write(other, "new")
    with database.reading(engine) as session:
        assert session.exec(select(Member.handle)).all() == ["before"]
        replace_contents(old, new)
        # This reader saw one moment of the old one, and still does.
        assert session.exec(select(Member.handle)).all() == ["before"]
    other.dispose()
    head.forget(engine)
    assert handles(engine) == {"new"}
    write(engine, "after")
    again = database.open_engine(sqlite_url(old))
    assert handles(again) == {"new", "after"}
    again.dispose()


def test_a_ledger_that_somebody_writes_to_is_not_replaced_under_their_hands(
    empty_ledger: Path, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.0)
    path = database.sqlite_path(engine)
    assert path is not None
    with database.writing(engine) as session:
        member_or_new(session, "busy", now=day(0))
        with pytest.raises(DatabaseError, match="another process is writing"):
            replace_contents(path, empty_ledger)
    assert handles(engine) == {"busy"}


def test_a_timeout_in_the_url_is_how_long_an_act_waits_for_the_file(engine: Engine) -> None:
    hasty = database.open_engine(f"{engine.url}?timeout=0")
    with database.writing(engine) as session:
        member_or_new(session, "busy", now=day(0))
        with pytest.raises(DatabaseError, match="locked"):
            write(hasty, "hasty")
    write(hasty, "hasty")
    with database.reading(hasty) as session:
        waits = session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar()
    hasty.dispose()
    assert waits == 0
    assert handles(engine) == {"busy", "hasty"}


def test_a_timeout_is_a_number_of_seconds_and_not_a_secret() -> None:
    url = "sqlite:////a/ledger.sqlite3?timeout=2.5"
    assert seconds_to_wait(read_url(url)) == 2.5
    assert not holds_secrets(url)
    assert to_type_again(url) == url


def test_an_unusable_option_shows_no_secret(tmp_path: Path) -> None:
    for options, words in (
        *(
            (f"timeout={given}", r"The option timeout=.* is not a number of seconds")
            for given in ("soon", "-1", "nan")
        ),
        ("mode=ro&key=hush&timeout=5", r"does not take: key, mode\."),
    ):
        with pytest.raises(NoLedger, match=words) as said:
            database.open_engine(f"{sqlite_url(tmp_path / 'ledger')}?{options}")
        assert "hush" not in str(said.value)
        assert "timeout" in said.value.remedy
        assert not list(tmp_path.iterdir())


NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that any user may enter."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def ledger(folder: Path, empty_ledger: Path) -> Path:
    path = Path(shutil.copy(empty_ledger, folder / "ledger.sqlite3"))
    engine = database.open_engine(sqlite_url(path))
    with database.writing(engine) as session:
        member_or_new(session, "alice", now=day(0))
    with database.reading(engine) as session:
        assert verify(session).entries == 1  # so that all modules are loaded
    engine.dispose()
    return path


def as_nobody(act: Callable[[], str]) -> str:
    """Return what ``act`` returns in a process without rights of its own.

    The owner of the machine may write anywhere.
    """
    if os.geteuid() != 0:
        return act()
    reads, writes = os.pipe()
    if os.fork() == 0:
        try:
            os.setuid(NOBODY)
            os.write(writes, act().encode())
        except BaseException as error:
            os.write(writes, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as told:
        said = told.read()
    os.wait()
    return said


def read_and_write(path: Path) -> str:
    """Return who is in the ledger, and why nothing can be written to it."""
    engine = database.open_engine(sqlite_url(path), begin=False)
    assert schema.make_ready(engine) is None
    with database.reading(engine) as session:
        alice = find_member(session, "alice")
        said = "nobody" if alice is None else alice.handle
    try:
        with database.writing(engine) as session:
            member_or_new(session, "bob", now=day(1))
    except DatabaseError as error:
        said += f": {error.message}"
    engine.dispose()
    return said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of_file", "of_folder", "place"),
    [(0o444, 0o755, "the file {0!r}"), (0o666, 0o555, "the folder {1!r}")],
    ids=["file", "folder"],
)
def test_a_read_only_ledger_is_read_and_says_so(
    ledger: Path, folder: Path, of_file: int, of_folder: int, place: str
) -> None:
    ledger.chmod(of_file)
    folder.chmod(of_folder)
    where = place.format(str(ledger), str(folder))
    assert as_nobody(lambda: read_and_write(ledger)) == (
        f"alice: The ledger {str(ledger)!r} can only be read: you may not write to {where}."
    )
    assert {path.name for path in folder.iterdir()} == {"ledger.sqlite3", "ledger.sqlite3.head"}


@pytest.mark.slow
@pytest.mark.parametrize("shared_before", [True, False], ids=["before", "while it is in use"])
def test_rows_written_meanwhile_are_read(ledger: Path, shared_before: bool) -> None:
    # SQLite gives its two files beside a ledger the ledger's permissions when it creates them.
    if shared_before:
        ledger.chmod(0o644)
    engine = database.open_engine(sqlite_url(ledger))
    with database.writing(engine) as session:
        member_or_new(session, "carol", now=day(2))
    ledger.chmod(0o444)

    def both() -> str:
        reader = database.open_engine(sqlite_url(ledger), begin=False)
        with database.reading(reader) as session:
            return str(find_member(session, "carol") is not None)

    said = as_nobody(both)
    engine.dispose()
    if shared_before or os.geteuid() != 0:  # only root becomes another user
        assert said == "True"
    else:
        assert f"The ledger '{ledger}-wal' cannot be read: Permission denied." in said


@pytest.mark.slow
def test_a_backup_that_can_only_be_read_is_restored(folder: Path, ledger: Path) -> None:
    own = folder / "own"
    own.mkdir()
    own.chmod(0o777)
    ledger.chmod(0o444)
    folder.chmod(0o555)

    def restored() -> str:
        engine = database.open_engine(sqlite_url(own / "ledger.sqlite3"))
        done = restore(engine, ledger, now=day(1))
        engine.dispose()
        return f"{done.found.entries} entry"

    assert as_nobody(restored) == "1 entry"
    assert not [one for one in folder.iterdir() if one.name.endswith(("-wal", "-shm"))]
