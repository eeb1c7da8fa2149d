"""Import keys are unique by an index: no key comes in twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from forecasts.common.settings import sqlite_url
from forecasts.ledger import append, database
from forecasts.ledger import schema as ledger_schema
from forecasts.ledger.models import Forecast
from forecasts.ledger.verification import verify
from tests.ledger.test_append import columns_of
from tests.ledger.test_migrations import contents, furnish, schema
from tests.postgresql import Server

pytestmark = pytest.mark.slow

INDEX = "uq_forecast_import_key"
TAKEN = rf"such a row already|forecast\.import_key|{INDEX}"


@pytest.fixture
def earlier(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """A ledger of schema 0014, in which the keys have a constraint, with rows in it."""

    def filled(url: str) -> Engine:
        engine = database.open_engine(url)
        with monkeypatch.context() as release:
            release.setattr(ledger_schema, "revisions", lambda: ["0014"])
            ledger_schema.migrate(engine)
        furnish(engine)
        return engine

    if kind == "sqlite":
        engine = filled(sqlite_url(tmp_path / "earlier.sqlite3"))
        yield engine
        engine.dispose()
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.fresh(migrated=False) as url:
        engine = filled(url)
        yield engine
        engine.dispose()


def indexes(engine: Engine) -> set[str | None]:
    return {one["name"] for one in inspect(engine).get_indexes("forecast")}


def triggers(engine: Engine) -> list[str]:
    found = {
        "sqlite": "SELECT tbl_name || sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1",
        "postgresql": "SELECT pg_get_triggerdef(oid) FROM pg_trigger ORDER BY 1",
    }[engine.dialect.name]
    with engine.connect() as connection:
        return list(connection.scalars(text(found)))


def keyed(columns: dict[str, list[Any]], *keys: str) -> dict[str, list[Any]]:
    return {name: values[:1] * len(keys) for name, values in columns.items()} | {
        "import_key": list(keys)
    }


def test_a_ledger_of_schema_0014_gets_the_index_and_keeps_the_rest(earlier: Engine) -> None:
    with database.writing(earlier) as session:
        columns = columns_of(session, 1)
        append.append(session, "forecast", keyed(columns, "k1", "k2"))
        session.execute(text("CREATE VIEW mine AS SELECT max(id) AS newest FROM forecast"))
        session.execute(text("CREATE INDEX ix_mine ON forecast (origin)"))
    tables = schema(earlier)
    before, guards, others = contents(earlier, tables), triggers(earlier), indexes(earlier)
    with database.reading(earlier) as session:
        digest = verify(session).digest
    assert len(inspect(earlier).get_unique_constraints("forecast")) == 1

    assert ledger_schema.migrate(earlier) == ledger_schema.Migrated(
        "0014", ledger_schema.newest_revision()
    )

    assert inspect(earlier).get_unique_constraints("forecast") == []
    assert indexes(earlier) == others | {INDEX}
    assert triggers(earlier) == guards
    assert contents(earlier, tables) == before
    with database.reading(earlier) as session:
        found = verify(session, against=digest)
        assert (found.broken, found.digest) == (None, digest)
        last = session.execute(text("SELECT newest FROM mine")).scalar_one()
        assert last == before["forecast"][-1][0]
    for act in ("UPDATE forecast SET import_key = 'k3'", "DELETE FROM forecast"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            database.writing(earlier) as session,
        ):
            session.execute(text(act))
    with pytest.raises(IntegrityError) as taken, database.writing(earlier) as session:
        append.append(session, "forecast", keyed(columns, "k3", "k1"))
    assert re.search(TAKEN, str(taken.value.orig))
    with database.writing(earlier) as session:
        append.append(session, "forecast", keyed(columns, "k3", "k4"))
    with database.reading(earlier) as session:
        assert verify(session, against=digest).broken is None


@pytest.mark.parametrize(("stored", "count"), [(1, 1), (0, 2)])
def test_a_key_that_is_taken_is_refused_and_nothing_is_stored(
    engine: Engine, stored: int, count: int
) -> None:
    with database.writing(engine) as session:
        columns = columns_of(session, 1)
        if stored:
            append.append(session, "forecast", keyed(columns, *(f"k{n}" for n in range(stored))))
    keys = [f"k{n}" for n in range(stored, stored + count)]
    with pytest.raises(IntegrityError) as refused, database.writing(engine) as session:
        append.append(session, "forecast", keyed(columns, *keys[:-1], "k0"))
    assert re.search(TAKEN, str(refused.value.orig))
    with database.reading(engine) as session:
        assert len(session.exec(select(Forecast.id)).all()) == stored
        assert verify(session).broken is None
    assert INDEX in indexes(engine)
    with database.writing(engine) as session:
        append.append(session, "forecast", keyed(columns, *keys))
    with database.reading(engine) as session:
        assert verify(session).broken is None
