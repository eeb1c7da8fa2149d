"""Forecasts are read from the database as columns, for each reader what they may see."""

from __future__ import annotations

from random import Random

import pandas as pd
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access import visibility
from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Member
from forecasts.scores import forecast_columns
from forecasts.scores.forecast_columns import columns
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day, imported


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Forecasts of every type in another order than a report's, evidence, a private question."""
    with database.writing(engine) as session:
        bob, alice = (member_or_new(session, name, now=day(0)) for name in ("b, ob", "alice"))
        rain, private = ask(session, alice), ask(session, alice, title="Own?", visibility="author")
        colour = ask(session, alice, type="multiple_choice", options=["red", "blue"])
        level = ask(session, alice, type="numeric", lower_bound="0", upper_bound="9")
        note = CitedEvidence(note="seen, today")
        for question, value, member, at in (
            (colour, Value(probabilities=(0.4, 0.6)), bob, 1),
            (rain, Value(probability=1 / 3), alice, 1.5),
            (private, Value(probability=0.2), alice, 1.5),
            (rain, Value(probability=1e-5), bob, 1.6),
            (level, Value(quantiles={"0.25": 2.0, "0.5": 3.0, "0.75": 4.5}), alice, 2),
            (rain, Value(probability=1.0), alice, 2.1),
        ):
            cited = [note] if at == 1.5 else []
            updates.update(session, question, value, member=member, now=day(at), evidence=cited)
        updates.withdraw(session, rain, member=bob, now=day(3))
    return engine


def read(session: Session) -> pd.DataFrame:
    found = columns(session, None, rationales=False, cited=True, models=True)
    return pd.DataFrame({name: pd.Series(values) for name, values in found.items()})


@pytest.mark.parametrize("size", [2, 1 << 15])
def test_a_reader_gets_the_forecasts_they_may_see_in_order(
    filled: Engine, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(forecast_columns, "BATCH", size)
    for name in ("alice", "b, ob", None):
        with database.reading(filled) as session:
            who = session.exec(select(Member).where(Member.handle == name)).one_or_none()
            visibility.read_as(session, who, now=day(5))
            found = read(session)
        own = [("alice", 0.2, 1.5)] if name == "alice" else []
        expected = [
            ("b, ob", 0.00001, 1.6), ("b, ob", None, 3), ("alice", 1 / 3, 1.5), ("alice", 1, 2.1),
            *own, ("b, ob", None, 1), ("alice", None, 2),
        ]  # fmt: skip
        rows = zip(found["forecaster"], found["probability"], found["made_at"], strict=True)
        seen = [(whose, None if p != p else p, at) for whose, p, at in rows]
        assert seen == [(whose, p, day(at)) for whose, p, at in expected]
        assert found["probabilities"].dropna().tolist() == [[0.4, 0.6]]
        assert found["quantiles"].dropna().tolist() == [{"0.25": 2.0, "0.5": 3.0, "0.75": 4.5}]
        assert found["evidence"].notna().sum() == 1 + len(own)


def test_a_ledger_without_forecasts_has_no_rows(engine: Engine) -> None:
    with database.reading(engine) as session:
        assert read(session).empty


def test_a_probability_is_read_with_all_its_bits(session: Session, alice: Member) -> None:
    random = Random(1)
    exact = [0.0, 1.0, 0.1, 1 / 3, 5e-324, 2.2250738585072014e-308, 1 - 2**-53, 1e-300]
    exact += [random.random() * 10.0 ** -random.randrange(300) for _ in range(100)]
    question = ask(session, alice)
    for at, p in enumerate(exact):
        imported(session, question, alice, at / 100, p)
    assert read(session)["probability"].tolist() == exact
