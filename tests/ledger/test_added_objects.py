"""Objects that are not of the schema: they could change what is written, or mislead readers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, text

from forecasts.ledger import database
from forecasts.ledger.verification import verify
from tests.conftest import KINDS

pytestmark = pytest.mark.slow

DOES_NOTHING = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
ADDED: dict[str, dict[str, Sequence[str]]] = {
    "the table best is not of the ledger's schema": dict.fromkeys(
        KINDS, ("CREATE TABLE best (id INTEGER)",)
    ),
    "the view best is not of the ledger's schema": dict.fromkeys(
        KINDS, ("CREATE VIEW best AS SELECT 1",)
    ),
    "the trigger helps on score is not of the ledger's schema": {
        "sqlite": ["CREATE TRIGGER helps AFTER INSERT ON score BEGIN DELETE FROM watch; END"],
        "postgresql": [
            DOES_NOTHING,
            "CREATE TRIGGER helps AFTER INSERT ON score FOR EACH ROW EXECUTE FUNCTION f()",
        ],
    },
    "the trigger forecast_refuses_update on score is not of the ledger's schema": {
        "sqlite": [
            "DROP TRIGGER forecast_refuses_update",
            "CREATE TRIGGER forecast_refuses_update AFTER INSERT ON score BEGIN SELECT 1; END",
        ],
        "postgresql": [
            DOES_NOTHING,
            "CREATE TRIGGER forecast_refuses_update AFTER INSERT ON score"
            " FOR EACH ROW EXECUTE FUNCTION f()",
        ],
    },
    "the trigger forecast_refuses_delete on forecast does more than refuse": {
        "sqlite": [
            "DROP TRIGGER forecast_refuses_delete",
            "CREATE TRIGGER forecast_refuses_delete BEFORE DELETE ON forecast "
            "BEGIN DELETE FROM watch; SELECT RAISE(ABORT, 'no'); END",
        ]
    },
    "the rule quietly on watch is not of the ledger's schema": {
        "postgresql": ["CREATE RULE quietly AS ON DELETE TO watch DO INSTEAD NOTHING"]
    },
}


def verified_after(engine: Engine, statements: Sequence[str]) -> list[str]:
    """Return the clauses after these statements, which are rolled back."""
    with database.writing(engine) as session:
        for statement in statements:
            session.execute(text(statement))
        found = verify(session)
        session.rollback()
    assert found.broken is None  # so a backup with the object can be restored
    return list(found.added)


def test_an_added_object_is_named_unless_it_is_an_index(engine: Engine) -> None:
    assert verified_after(engine, ["CREATE INDEX mine ON forecast (origin)"]) == []
    for said, statements in ADDED.items():
        if engine.dialect.name in statements:
            assert said in verified_after(engine, statements[engine.dialect.name])
