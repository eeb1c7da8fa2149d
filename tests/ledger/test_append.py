"""Appended rows: their ids, their entries, and the JSON of them that is hashed."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, DatabaseError
from forecasts.ledger import append, chain, database
from forecasts.ledger.models import Entry, Forecast, Member
from forecasts.ledger.verification import verify
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day

pytestmark = pytest.mark.slow

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
TIMES = (
    st.datetimes()
    .filter(lambda time: 1 < time.year < 9999)
    .map(lambda time: time.replace(tzinfo=UTC))
)
ROWS = st.fixed_dictionaries(
    {
        "id": st.integers(1, 2**31),
        "question_id": st.integers(1, 3),
        "member_id": st.integers(1, 3),
        "made_at": TIMES,
        "recorded_at": st.sampled_from([day(1), day(2)]),
        "probability": st.none() | st.floats(0, 1) | st.just(-0.0) | st.integers(0, 1),
        "probabilities": st.none() | st.lists(st.none() | st.floats(0, 1), max_size=3),
        "quantiles": st.none() | st.dictionaries(TEXTS, st.floats(0, 1), max_size=3),
        "withdrawn": st.booleans(),
        "rationale": TEXTS,
        "origin": TEXTS,
        "import_key": st.none() | TEXTS,
        "claimed_at": st.none() | TIMES,
        "vouched_by_id": st.none() | st.integers(1, 3),
    }
)


def as_stored(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The columns as SQLite's driver has them."""
    dialect, stored = sqlite.dialect(), {}
    for name, values in columns.items():
        of_type = Forecast.__table__.c[name].type.dialect_impl(dialect)  # type: ignore[attr-defined]
        convert = of_type.bind_processor(dialect) or (lambda value: value)
        stored[name] = [convert(value) for value in values]
    return stored


def canonical(value: Any) -> bytes:
    """The JSON that is hashed, by the plain encoder."""
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return written.encode("utf-8", "surrogatepass")


def plain(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A row as it is hashed, column by column: without a person's words, and they alone."""
    rest, words = {}, {}
    for name, value in row.items():
        if name in chain.WORDS["forecast"]:
            words |= {name: value} if value not in (None, "") else {}
        elif isinstance(value, datetime):
            rest[name] = value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        elif name == "probability" and value is not None:
            rest[name] = value + 0.0
        elif value is not None:
            rest[name] = value
    return rest, words


@given(rows=st.lists(ROWS, min_size=1, max_size=8))
def test_rows_are_hashed_by_column_as_the_plain_encoder_would(rows: list[dict[str, Any]]) -> None:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    hashed_rows = chain.contents("forecast", columns)
    assert chain.contents("forecast", as_stored(columns)) == hashed_rows
    for row, (rest, words) in zip(rows, hashed_rows, strict=True):
        expected, personal = plain(row)
        assert words == (canonical(personal).decode("utf-8", "surrogatepass") if personal else "")
        for hashed in (None, "a" * 64):
            whole = expected | ({} if hashed is None else {"words": hashed})
            digest = hashlib.sha256(canonical(whole)).hexdigest()
            assert chain.row_hash(rest, hashed) == digest


def columns_of(session: Session, count: int) -> dict[str, list[Any]]:
    alice = member_or_new(session, "alice", now=day(0))
    rain = ask(session, alice)
    row = {"question_id": rain.id, "member_id": alice.id, "made_at": day(1), "recorded_at": day(1)}
    row |= {"probability": 0.5, "withdrawn": False, "rationale": "Clouds.", "origin": "test"}
    absent = ("probabilities", "quantiles", "import_key", "claimed_at", "vouched_by_id")
    return {name: [value] * count for name, value in (row | dict.fromkeys(absent)).items()}


@pytest.mark.parametrize("count", [1, 6_000])
def test_any_number_of_appended_rows_has_entries_and_is_guarded(engine: Engine, count: int) -> None:
    with database.writing(engine) as session:
        ids = append.append(session, "forecast", columns_of(session, count))
    with database.reading(engine) as session:
        assert session.exec(select(Forecast.id).order_by(Forecast.id)).all() == list(ids)
        found = select(Entry.row_id).where(Entry.kind == "forecast").order_by(Entry.id)
        assert session.exec(found).all() == list(ids)
        assert verify(session).broken is None
    act = {
        "sqlite": "REPLACE INTO forecast SELECT * FROM forecast",
        "postgresql": "TRUNCATE forecast CASCADE",
    }[engine.dialect.name]
    with pytest.raises(IntegrityError, match="append-only"), database.writing(engine) as session:
        session.execute(text(act))


def test_rows_on_many_questions_continue_the_chain_of_each(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        ids = [ask(session, alice).id for _ in range(3)]
        columns = {name: values * 4 for name, values in columns_of(session, 1).items()}
    for questions in ([ids[0]] * 4, [ids[1], ids[0], ids[2], ids[0]]):
        with database.writing(engine) as session:
            append.append(session, "forecast", columns | {"question_id": questions})
    with database.reading(engine) as session:
        for question, many in zip(ids, (8, 3, 3), strict=True):  # with the question and its wording
            numbers = select(Entry.number).where(Entry.question_id == question).order_by(Entry.id)
            assert session.exec(numbers).all() == list(range(1, many + 1))
        assert verify(session).broken is None


@pytest.mark.parametrize(("column", "value"), [("probability", 2.0), ("rationale", "a\0b")])
def test_after_a_refused_row_nothing_of_the_act_is_stored_and_it_cannot_continue(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, column: str, value: Any
) -> None:
    monkeypatch.setattr(append, "BATCH", 4)
    with database.writing(engine) as session:
        columns = columns_of(session, 6)  # the last of them in the second batch
    good = columns[column][-1]
    columns[column][-1] = value
    with database.reading(engine) as session:
        members = session.exec(select(Member.handle)).all()

    def continuing() -> None:
        with database.writing(engine) as session:
            member_or_new(session, "bob", now=day(0))
            with pytest.raises((IntegrityError, BadInput)):
                append.append(session, "forecast", columns)
            with suppress(DatabaseError):
                member_or_new(session, "carol", now=day(0))

    with pytest.raises(DatabaseError):
        continuing()
    with database.reading(engine) as session:
        assert session.exec(select(Forecast.id)).all() == []
        assert session.exec(select(Member.handle)).all() == members
        assert verify(session).broken is None
    columns[column][-1] = good
    with database.writing(engine) as session:
        append.append(session, "forecast", columns)
    with database.reading(engine) as session:
        assert verify(session).broken is None


def test_an_act_goes_on_after_a_part_of_it_is_rolled_back(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain = ask(session, alice, slug="rain")
        part = session.begin_nested()
        updates.update(session, rain, Value(probability=0.5), member=alice, now=day(1))
        part.rollback()
        updates.update(session, rain, Value(probability=0.6), member=alice, now=day(1))
    with database.writing(engine) as session:
        updates.update(session, rain, Value(probability=0.7), member=alice, now=day(2))
    with database.reading(engine) as session:
        assert verify(session).broken is None
        found = select(Forecast.probability).order_by(col(Forecast.made_at))
        assert session.exec(found).all() == [0.6, 0.7]


def test_the_hashes_of_a_forecast_are_those_of_earlier_releases() -> None:
    row = {
        "id": 9,
        "question_id": 2,
        "member_id": 3,
        "made_at": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        "recorded_at": day(1),
        "probability": None,
        "probabilities": [0.25, 0.75],
        "quantiles": None,
        "withdrawn": False,
        "rationale": "Clouds, “perhaps”.",
        "origin": "cli",
        "import_key": None,
        "claimed_at": None,
        "vouched_by_id": None,
    }
    columns = {name: [value] for name, value in row.items()}
    for values in (columns, as_stored(columns)):
        [(rest, personal)] = chain.contents("forecast", values)
        words = chain.words_hash("5" * 32, personal)
        of_row = chain.row_hash(rest, words)
        entry = chain.entry_hash((4, 2, 1, "forecast", 9, of_row), "b" * 64, chain.NOTHING)
        assert [words, of_row, entry] == [
            "bffaad61f755c280da1dd95b00836403d4f6e4e98535d189fd14ebaaad7a78de",
            "998cd5015cc313f8ebf5450cf1531d90fb1946f70367ae3165938f656123d337",
            "6abdabb69d91d920f803eddee459b528d4a44967aae9afadd34f56cdfba1fff0",
        ]


def test_the_hash_of_a_row_without_words_cannot_be_guessed(session: Session, alice: Member) -> None:
    question = ask(session, alice)
    same = [
        updates.update(session, question, Value(probability=0.5), member=alice, now=day(1)).forecast
        for _ in range(2)
    ]
    entries = session.exec(select(Entry).where(Entry.kind == "forecast").order_by(Entry.id)).all()
    assert [entry.row_id for entry in entries] == [row.id for row in same]
    for entry in entries:
        assert entry.salt is not None
        assert entry.words_hash == hashlib.sha256(entry.salt.encode()).hexdigest()
    assert entries[0].salt != entries[1].salt
    assert verify(session).broken is None


def test_entries_of_earlier_releases_without_a_salt_are_intact(
    session: Session, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = ask(session, alice)
    with monkeypatch.context() as earlier:
        earlier.setattr(append, "new_salt", lambda: None)
        earlier.setattr(append, "words_hash", lambda _salt, _personal: None)
        updates.update(session, question, Value(probability=0.5), member=alice, now=day(1))
    updates.update(session, question, Value(probability=0.6), member=alice, now=day(1))
    salted = select(col(Entry.salt).is_not(None)).where(Entry.kind == "forecast").order_by(Entry.id)
    assert session.exec(salted).all() == [False, True]
    assert verify(session).broken is None
