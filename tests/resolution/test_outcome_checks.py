"""Outcomes that a question cannot have, or that nobody can know yet, are refused."""

from __future__ import annotations

import pytest
from sqlmodel import Session

import scoring
from forecasts.common.errors import BadInput, Refused
from forecasts.ledger.models import Member, Question
from forecasts.resolution import proposals
from forecasts.scores.ledger_frames import scoring_frames
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, resolve


@pytest.mark.parametrize(
    ("outcome", "known", "error", "words"),
    [
        ("maybe", 5, BadInput, "not an outcome"),
        ("yes", 12, Refused, "cannot be known at"),
        ("yes", 0, Refused, "not after 'rain' opened"),
    ],
)
def test_an_impossible_resolution_is_refused(
    session: Session,
    question: Question,
    alice: Member,
    outcome: str,
    known: float,
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        resolve(session, question, alice, outcome, known, at=11)
    assert proposals.history(session, question) == []


@pytest.mark.parametrize(
    ("outcome", "possible"),
    [
        ("2026-01-09", True),
        ("2026-01-10", True),
        ("2026-01-10T12:00:00Z", True),
        ("2026-01-10T12:00:01Z", False),
        ("2026-01-11", False),
        ("2027-06-01", False),
        ("below_lower_bound", True),
        ("above_upper_bound", True),
        ("annulled", True),
    ],
)
def test_a_date_is_an_outcome_once_it_has_come(
    session: Session, alice: Member, outcome: str, possible: bool
) -> None:
    bounds = {"lower_bound": "2026-01-01", "upper_bound": "2026-12-31"}
    question = ask(session, alice, type="date", scheduled_close_time=day(300), **bounds)
    if possible:
        assert resolve(session, question, alice, outcome, at=9.5)
        return
    with pytest.raises(Refused, match="lies ahead"):
        resolve(session, question, alice, outcome, at=9.5)
    with pytest.raises(Refused, match="lies ahead"):
        proposals.propose(session, question, outcome, now=day(9.5), member=alice)


@pytest.mark.parametrize(
    ("beyond", "on_bound"), [("below_lower_bound", "0"), ("above_upper_bound", "10")]
)
def test_an_outcome_beyond_the_bounds_scores_as_one_on_the_bound(
    session: Session, alice: Member, beyond: str, on_bound: str
) -> None:
    for slug, outcome in (("beyond", beyond), ("on-it", on_bound)):
        question = ask(session, alice, slug=slug, type="numeric", lower_bound="0", upper_bound="10")
        value = Value(quantiles={"0.2": 3, "0.9": 8})
        updates.update(session, question, value, member=alice, now=day(0))
        resolve(session, question, alice, outcome, 9, at=9)
    one, other = scoring.score(*scoring_frames(session), ["crps"])["score"]
    assert one == pytest.approx(other, abs=1e-12)
