"""A published question in words."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.ledger.models import Member
from forecasts.publication.facts import views
from forecasts.publication.record import published
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day


@pytest.mark.parametrize(
    ("value", "said"),
    [(1_234_567.0, "1,234,567 t"), (999.96, "1,000 t"), (12.3456, "12.35 t"), (0.01, "0.01 t")],
)
def test_a_large_number_is_written_out(
    session: Session, alice: Member, value: float, said: str
) -> None:
    much = ask(
        session, alice, slug="much", type="numeric", lower_bound="0", upper_bound="1e7", unit="t"
    )
    quantiles = Value(quantiles={"0.1": 0.001, "0.5": value, "0.9": 2e6})
    updates.update(session, much, quantiles, member=alice, now=day(2))
    [view] = views(published(session, member=alice, now=day(3)), day(3))
    assert view.headline == (said, "median")
