"""A ledger that this user may only read: it is read, and a refused act says which place it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forecasts.access.members import find_member, member_or_new
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.verification import verify
from forecasts.operations.backup import restore
from tests.conftest import day

pytestmark = pytest.mark.slow

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
    assert [path.name for path in folder.iterdir()] == ["ledger.sqlite3"]


def test_rows_written_meanwhile_are_read(ledger: Path) -> None:
    engine = database.open_engine(sqlite_url(ledger))
    with database.writing(engine) as session:
        member_or_new(session, "carol", now=day(2))
    ledger.chmod(0o444)

    def both() -> str:
        reader = database.open_engine(sqlite_url(ledger), begin=False)
        with database.reading(reader) as session:
            return str(find_member(session, "carol") is not None)

    assert as_nobody(both) == "True"
    engine.dispose()


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
    assert sorted(one.name for one in folder.iterdir()) == ["ledger.sqlite3", "own"]
