"""A public record has what everyone may see of a member's or a team's forecasts, and no more."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access import teams
from forecasts.access.memberships import join
from forecasts.common.errors import NotFound
from forecasts.ledger.models import Member, Stance
from forecasts.operations.privacy import remove
from forecasts.publication.record import Publication, Unpublished, published
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import KINDS, ask, day, resolve

pytestmark = pytest.mark.slow

LIKELY, UNLIKELY = Value(probability=0.8), Value(probability=0.25)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Run on both databases."""
    return str(request.param)


def slugs(record: Publication) -> list[str]:
    return [question.state.slug for question in record.questions]


def test_a_record_has_paths_reasons_scores(session: Session, alice: Member, bob: Member) -> None:
    rain, snow = (ask(session, bob, slug=slug) for slug in ("rain", "snow"))
    cited = CitedEvidence(url="https://example.org/clouds", title="Clouds", stance=Stance.supports)
    updates.update(
        session, rain, LIKELY, member=alice, now=day(1), rationale="Wet.", evidence=[cited]
    )
    updates.update(session, rain, UNLIKELY, member=bob, now=day(1))
    updates.update(session, snow, UNLIKELY, member=alice, now=day(2))
    updates.withdraw(session, snow, member=alice, now=day(3))
    resolve(session, rain, bob, "yes", 10, at=11, note="Very.")
    record = published(session, member=alice, now=day(12))
    assert (record.title, record.is_team, slugs(record)) == ("alice", False, ["rain", "snow"])
    question, open_one = record.questions
    [forecast] = question.forecasts
    assert (forecast.forecaster, forecast.value, forecast.rationale) == ("alice", LIKELY, "Wet.")
    assert [(one.title, one.stance) for one in forecast.evidence] == [("Clouds", "supports")]
    [score] = question.scores
    assert score.score == pytest.approx(0.04)
    assert score.coverage == pytest.approx(0.9)
    assert question.note == "Very."
    assert [one.value for one in open_one.forecasts] == [UNLIKELY, None]
    numbers = record.numbers
    assert (numbers.questions, numbers.resolved, numbers.forecasts) == (2, 1, 3)
    assert numbers.brier == pytest.approx(0.04)
    assert record.unpublished == Unpublished(0, 0, 0)
    assert set(record.frames.forecasts["forecaster"]) == {"alice"}


def test_restricted_and_hidden_questions_are_only_counted(session: Session, alice: Member) -> None:
    fields = {"mine": {"visibility": "author"}, "hidden": {"crowd_hidden": True}, "rain": {}}
    for slug, given in fields.items():
        question = ask(session, alice, slug=slug, **given)
        updates.update(session, question, LIKELY, member=alice, now=day(1))
    record = published(session, member=alice, now=day(2))
    assert slugs(record) == ["rain"]
    assert record.unpublished == Unpublished(not_chosen=0, restricted=2, forecasts=2)
    assert slugs(published(session, member=alice, now=day(11))) == ["hidden", "rain"]


def test_chosen_questions_are_published_alone(session: Session, alice: Member) -> None:
    for slug in ("rain", "snow"):
        question = ask(session, alice, slug=slug)
        updates.update(session, question, LIKELY, member=alice, now=day(1))
    record = published(session, member=alice, questions=["snow"], now=day(2))
    assert slugs(record) == ["snow"]
    assert record.unpublished == Unpublished(not_chosen=1, restricted=0, forecasts=1)
    ask(session, alice, slug="nothing")
    for slug in ("nothing", "never"):
        with pytest.raises(NotFound, match=f"'{slug}' has no forecast of this record"):
            published(session, member=alice, questions=[slug], now=day(2))


def test_a_team_has_the_forecasts_made_in_it(session: Session, alice: Member, bob: Member) -> None:
    team = teams.create(session, "harbour", member=alice, now=day(0))
    join(session, team, alice, joined_at=day(0))
    join(session, team, bob, joined_at=day(2))
    rain = ask(session, alice, slug="rain")
    updates.update(session, rain, LIKELY, member=bob, now=day(1))
    updates.update(session, rain, UNLIKELY, member=bob, now=day(3))
    updates.update(session, rain, UNLIKELY, member=alice, now=day(3))
    record = published(session, team=team, now=day(4))
    assert (record.title, record.is_team) == ("harbour", True)
    found = [(one.forecaster, one.value) for one in record.questions[0].forecasts]
    assert found == [("alice", UNLIKELY), ("bob", UNLIKELY)]
    assert len(record.frames.forecasts) == 2
    remove(session, "bob", member=None, now=day(5))
    left = published(session, team=team, now=day(5)).questions[0].forecasts
    assert [one.forecaster for one in left] == ["alice"]
