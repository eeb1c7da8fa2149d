"""A receipt proves its forecast, and an altered receipt is told from an altered ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, col, select

from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput
from forecasts.ledger import append, database, schema
from forecasts.ledger.models import Forecast, Question
from forecasts.ledger.receipts import (
    Finding,
    Receipt,
    check,
    ledger_id,
    read_receipts,
    receipt,
    receipts,
)
from forecasts.ledger.verification import newest, verify
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, counted_statements, day
from tests.ledger.history import tampered


def forecast(engine: Engine, p: float, at: float) -> Receipt:
    """Return the receipt of a new forecast of alice's."""
    with database.writing(engine, lambda: day(at)) as session:
        alice = member_or_new(session, "alice", now=day(0))
        row = updates.update(
            session, asked(session, "rain"), Value(probability=p), member=alice, now=day(at)
        ).forecast
        return receipt(session, row)


def asked(session: Session, slug: str) -> Question:
    """Return the question with that name, a new one if there is none."""
    alice = member_or_new(session, "alice", now=day(0))
    found = session.exec(select(Question).where(Question.slug == slug)).first()
    return found or ask(session, alice, slug=slug)


def findings(engine: Engine, given: Sequence[Receipt]) -> list[Finding]:
    with database.reading(engine) as session:
        return [one.finding for one in check(session, verify(session), given)]


def test_a_forecast_is_answered_with_its_receipt_and_later_has_the_same(engine: Engine) -> None:
    first, second = forecast(engine, 0.6, 1), forecast(engine, 0.7, 2)
    assert first.fits
    assert second.fits
    assert (second.row_id, second.number) == (2, first.number + 1)
    assert second.previous == first.hash
    with database.reading(engine) as session:
        assert newest(session) == f"{second.place}-{second.hash}"
        assert ledger_id(session) == first.ledger
        assert receipts(session, [2, 1]) == [second, first]
        withdrawn = session.exec(select(Forecast).where(col(Forecast.id) == 1)).one()
        assert receipt(session, withdrawn) == first
    assert findings(engine, [first, second]) == [Finding.proved] * 2
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        row = updates.withdraw(session, asked(session, "rain"), member=alice, now=day(3)).forecast
        assert receipts(session, [1, row.id])[0] == first
    # It can be checked with nothing but JSON and SHA-256, the time of the act included.
    given = json.loads(json.dumps(first.model_dump()))
    digest, _ = given.pop("hash"), given.pop("ledger")
    assert given["at"].endswith("Z")
    text = json.dumps(given, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == digest


def test_an_altered_receipt_is_named_so_whichever_field_was_changed(engine: Engine) -> None:
    forecast(engine, 0.6, 1)
    given = forecast(engine, 0.7, 2)
    altered = []
    for field in Receipt.model_fields:
        now = getattr(given, field)
        other = now + 1 if isinstance(now, int) else now[:-1] + ("a" if now[-1] != "a" else "b")
        altered.append(given.model_copy(update={field: other}))
    assert findings(engine, altered) == [Finding.altered_receipt] * len(Receipt.model_fields)


def test_many_forecasts_have_their_receipts_in_one_statement(engine: Engine) -> None:
    forecast(engine, 0.6, 1)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain, snow = asked(session, "rain"), asked(session, "snow")
        given = [
            updates.NewForecast((rain, snow)[n % 2], Value(probability=n / 20))
            for n in range(1, 20)
        ]
        ids = updates.update_all(session, given, member=alice, now=day(2))
        with counted_statements(engine) as statements:
            found = receipts(session, ids)
        assert sum(one.startswith("SELECT entry.id, entry.question_id") for one in statements) == 1
    assert [one.row_id for one in found] == list(ids)
    assert all(one.fits for one in found)
    assert findings(engine, found) == [Finding.proved] * 19
    with database.reading(engine) as session:
        assert receipts(session, ids) == found
        assert receipts(session, []) == []


@pytest.mark.slow
def test_a_receipt_of_another_ledger_is_named_so(engine: Engine, tmp_path: Path) -> None:
    own = forecast(engine, 0.6, 1)
    other = database.open_engine(f"sqlite:///{tmp_path / 'other.sqlite3'}", begin=True)
    schema.migrate(other)
    theirs = forecast(other, 0.6, 1)
    assert findings(other, [own, theirs]) == [Finding.other_ledger, Finding.proved]
    other.dispose()


@pytest.mark.slow
def test_a_changed_row_is_an_altered_ledger_and_an_old_copy_proves_nothing(engine: Engine) -> None:
    given = [forecast(engine, p, at) for p, at in ((0.6, 1), (0.7, 2), (0.8, 3))]
    with tampered(engine, "UPDATE forecast SET probability = 0.01 WHERE id = 2") as session:
        found = [one.finding for one in check(session, verify(session), given)]
    assert found == [Finding.proved, Finding.altered_ledger, Finding.altered_ledger]
    gone = (f"DELETE FROM entry WHERE id = {given[2].place}", "DELETE FROM forecast WHERE id = 3")
    with tampered(engine, *gone) as session:
        found = [one.finding for one in check(session, verify(session), given)]
    assert found == [Finding.proved, Finding.proved, Finding.later]


def test_a_ledger_rewritten_with_its_chain_is_found_by_one_receipt(engine: Engine) -> None:
    forecast(engine, 0.6, 1)
    given = forecast(engine, 0.7, 2)
    rewritten = (
        "UPDATE forecast SET probability = 0.01 WHERE id = 2",
        "DELETE FROM entry WHERE kind = 'forecast' AND row_id = 2",
    )
    with tampered(engine, *rewritten) as session:
        table = SQLModel.metadata.tables["forecast"]
        [row] = session.execute(select(table).where(table.c.id == 2)).all()
        columns = {name: [value] for name, value in row._mapping.items()}
        append.enter(session, "forecast", columns)
        found = verify(session)
        assert found.broken is None
        [one] = check(session, found, [given])
    assert one.finding is Finding.altered_ledger
    assert "The ledger was altered" in one.said


def test_a_file_has_one_receipt_a_list_one_a_line_or_an_answer_with_some(tmp_path: Path) -> None:
    hashes = {"ledger": "a", "row": "b", "before": "c", "previous": "d", "hash": "e"}
    places = {"place": 7, "row_id": 1, "question": 2, "number": 3}
    one = Receipt.model_validate(
        {name: letter * 64 for name, letter in hashes.items()} | places | {"kind": "forecast"}
    )
    two = one.model_copy(update={"place": 8, "at": "2026-01-31T09:00:00.000000Z"})
    first, second = one.model_dump(), two.model_dump()
    for text, expected in (
        (json.dumps(first), [one]),
        (json.dumps([first, second], indent=2), [one, two]),
        (f"{json.dumps(first)}\n\n{json.dumps({**second, 'new_field': 1})}\n", [one, two]),
        (json.dumps({"id": "rain", "receipt": second}), [two]),
        (json.dumps({"receipts": [first, second]}), [one, two]),
        (json.dumps({"accepted": 1, "results": [{"receipt": None}, {"receipt": first}]}), [one]),
        (json.dumps({"forecasts": [{"id": 1, "receipt": first}], "comments": []}), [one]),
    ):
        (tmp_path / "receipts").write_text(text)
        assert read_receipts(tmp_path / "receipts") == expected


def test_a_file_without_receipts_is_refused(tmp_path: Path) -> None:
    for text, said in (
        ("{}", "has no receipt"),
        ("", "has no receipt"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"hash": "x"}', "no valid 'ledger': None"),
        (json.dumps({"receipt": 3}), "has no receipt"),
    ):
        (tmp_path / "receipts").write_text(text)
        with pytest.raises(BadInput, match=said) as refused:
            read_receipts(tmp_path / "receipts")
        assert refused.value.remedy
