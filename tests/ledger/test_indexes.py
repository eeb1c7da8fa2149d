"""A file's index that leaves rows out hides them from readers, so verification compares it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.verification import verify
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


def test_rows_that_an_index_leaves_out_are_named(ledger_file: Path) -> None:
    engine = database.open_engine(sqlite_url(ledger_file))
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain")
        for number in (1, 2):
            value = Value(probability=number / 10)
            updates.update(session, question, value, member=alice, now=day(number))
    with database.reading(engine) as session:
        assert verify(session).broken is None
    engine.dispose()
    with closing(sqlite3.connect(ledger_file, isolation_level=None)) as owner:
        of_forecasts = "type = 'index' AND tbl_name = 'forecast' AND sql IS NOT NULL"
        indexes = owner.execute(f"SELECT name, sql FROM sqlite_master WHERE {of_forecasts}")
        owner.execute("PRAGMA writable_schema = ON")
        for name, sql in indexes.fetchall():
            owner.execute(f"DROP INDEX {name}")
            owner.execute(f"{sql} WHERE id > 1")  # of the newer forecast alone
            owner.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, name))
    engine = database.open_engine(sqlite_url(ledger_file))
    with database.reading(engine) as session:
        found = verify(session)
    engine.dispose()
    assert found.broken is not None
    assert "readers can miss rows, since an index does not fit its table" in found.broken.said
    assert "row 1 missing from index" in "".join(one.said for one in found.more)
