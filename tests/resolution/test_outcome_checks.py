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


def test_impossible_times_are_refused(session: Session, question: Question, alice: Member) -> None:
    for outcome, known, error, words in (
        ("maybe", 5, BadInput, "not an outcome"),
        ("yes", 12, Refused, "cannot be known at"),
        ("yes", 0, Refused, "not after 'rain' opened"),
    ):
        with pytest.raises(error, match=words):
            resolve(session, question, alice, outcome, known, at=11)
    assert proposals.history(session, question) == []


def test_a_date_is_an_outcome_once_it_has_come(session: Session, alice: Member) -> None:
    bounds = {"lower_bound": "2026-01-01", "upper_bound": "2026-12-31"}
    question = ask(session, alice, type="date", scheduled_close_time=day(300), **bounds)
    for ahead in ("2026-01-10T12:00:01Z", "2026-01-11", "2027-06-01"):
        with pytest.raises(Refused, match="lies ahead"):
            resolve(session, question, alice, ahead, at=9.5)
        with pytest.raises(Refused, match="lies ahead"):
            proposals.propose(session, question, ahead, now=day(9.5), member=alice)
    named = ("below_lower_bound", "above_upper_bound", "annulled")
    for outcome in ("2026-01-09", "2026-01-10", "2026-01-10T12:00:00Z", *named):
        assert resolve(session, question, alice, outcome, at=9.5)


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
