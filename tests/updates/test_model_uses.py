"""The model behind a forecast: stored with it, in the chain, and read back by who may see it."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access import visibility
from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.ledger.models import Member, ModelUse
from forecasts.ledger.verification import verify
from forecasts.updates import model_uses, updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.model_uses import Model
from forecasts.updates.updates import NewForecast
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both

ORACLE = Model(
    "oracle", "2", "sha256:abc", temperature=0.7, cost=0.01, tokens=900, seconds=3.5, tools=["web"]
)


@on_both
def test_a_forecast_carries_its_model(session: Session, alice: Member, bob: Member) -> None:
    rain = ask(session, alice, slug="rain", crowd_hidden=True)
    value = Value(probability=0.3)
    made = updates.update(session, rain, value, member=alice, now=day(1), model=ORACLE).forecast
    updates.update(session, rain, value, member=alice, now=day(1))
    [(id_, found)] = model_uses.models_of(session, rain).items()
    assert id_ == made.id
    assert {name: getattr(found, name) for name in vars(ORACLE)} == vars(ORACLE)
    assert verify(session).rows["model_use"] == 1
    visibility.read_as(session, bob, now=day(1))
    assert model_uses.models_of(session, rain) == {}  # as hidden as its forecast


def test_a_bad_model_is_refused(session: Session, alice: Member) -> None:
    rain, value = ask(session, alice, slug="rain"), Value(probability=0.3)
    for model, said in (
        (Model(" "), "no name"), (Model("x", temperature=-1), "temperature"),
        (Model("x", cost=float("inf")), "cost"), (Model("x", tokens=2**31), "tokens"),
        (Model("x" * 3000), "The model's text"),
        (Model("x", tools=["x"] * 101), "at most 100 tools"),
        (Model("x", tools=["\0"]), "A text contains"),
    ):  # fmt: skip
        with pytest.raises((Refused, BadInput), match=said):
            updates.update(session, rain, value, member=alice, now=day(1), model=model)


@on_both
def test_a_batch_has_evidence_and_models(session: Session, alice: Member) -> None:
    rain, snow = (ask(session, alice, slug=slug, title=slug) for slug in ("rain", "snow"))
    clouds = CitedEvidence(note="clouds")
    ids = updates.update_all(
        session,
        [
            NewForecast(rain, Value(probability=0.6), "dark", [clouds]),
            NewForecast(snow, Value(probability=0.1), model=ORACLE),
            NewForecast(rain, Value(probability=0.4), evidence=[clouds]),
        ],
        member=alice,
        now=day(1),
    )
    cited = updates.evidence_of(session, rain)
    # The stance follows the move from the forecast before, which is in the same batch.
    assert [cited[id_][0][0].stance for id_ in (ids[0], ids[2])] == ["supports", "opposes"]
    assert set(model_uses.models_of(session, snow)) == {ids[1]}
    assert verify(session).broken is None
    assert session.get_one(ModelUse, 1).tools == ["web"]


def test_refusals_are_told_before_anything_is_written(session: Session, alice: Member) -> None:
    rain = ask(session, alice, slug="rain")
    given = [
        NewForecast(rain, Value(probability=0.6)),
        NewForecast(rain, Value(probability=1.6)),
        NewForecast(rain, Value(probability=0.6), evidence=[CitedEvidence(url="ftp://x")]),
        NewForecast(rain, Value(probability=0.6), model=Model("")),
        NewForecast(rain, Value(quantiles={"0.5": 1})),
    ]
    found = updates.refusals(session, given, member=alice, now=day(1))
    assert [isinstance(error, LedgerError) for error in found] == [False, True, True, True, True]
    assert updates.history(session, rain) == []
    with pytest.raises(Refused):
        updates.update_all(session, given, member=alice, now=day(1))
    closed = updates.refusals(session, given[:1], member=alice, now=day(11))
    assert "closed at" in str(closed[0])
