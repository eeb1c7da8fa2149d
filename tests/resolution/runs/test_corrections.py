"""Questions that follow another one: what its correction means for them, and who may follow."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from forecasts.access import teams
from forecasts.access.members import member_named, member_or_new
from forecasts.access.roles import ensure_admin
from forecasts.ledger import database
from forecasts.ledger.models import PolicyKind, Resolution, Role, Visibility
from forecasts.questions import registry
from forecasts.resolution import assignments, confirmation, proposals
from forecasts.resolution.runs import run as resolution_run
from tests import conftest
from tests.conftest import acting, ask, day, on_both
from tests.resolution.conftest import attach, registered

pytestmark = pytest.mark.slow


def follow(engine: Engine, by: str = "alice", at: float = 0) -> None:
    attach(engine, "question", "snow", by=by, at=at, question="rain")


def resolve(engine: Engine, outcome: str, at: float, slug: str = "rain") -> None:
    with acting(engine, slug) as (session, question, alice):
        conftest.resolve(session, question, alice, outcome, 2, at=at)


def run(engine: Engine, at: float) -> dict[str, str]:
    """Return what a run at that moment comes to, which is what it had said it would."""
    dry = resolution_run.run(engine, now=day(at), dry=True)
    came = resolution_run.run(engine, now=day(at))
    assert [(one.slug, one.message) for one in dry.results] == [
        (one.slug, one.message) for one in came.results
    ]
    return {one.slug: str(one.state) for one in came.results}


def waiting(engine: Engine) -> list[Resolution]:
    with database.reading(engine) as session:
        return proposals.proposals_on(session, registry.find(session, "snow"))


@pytest.fixture
def followed(engine: Engine) -> Engine:
    """A question, snow, that resolved to rain did: yes."""
    registered(engine, "rain", "snow")
    follow(engine)
    resolve(engine, "yes", 3)
    assert run(engine, 4) == {"snow": "confirmed"}
    assert run(engine, 5) == {}
    return engine


@on_both
def test_a_correction_is_proposed_to_followers_once(followed: Engine) -> None:
    resolve(followed, "no", 5)
    assert run(followed, 6) == {"snow": "proposed"}
    [row] = waiting(followed)
    assert (row.outcome, row.known_at, row.note) == ("no", day(2), "rain resolved to no")
    assert run(followed, 7) == {}
    with acting(followed) as (session, _, alice):
        proposals.reject(session, row, now=day(7), member=alice, note="snow is another matter")
    assert run(followed, 8) == {}
    resolve(followed, "annulled", 9)
    assert run(followed, 10) == {"snow": "proposed"}


def test_a_withdrawn_outcome_says_nothing_until_there_is_another(followed: Engine) -> None:
    with acting(followed) as (session, rain, alice):
        confirmation.withdraw(session, rain, reason="a slip", member=alice, now=day(5))
    assert run(followed, 6) == {}
    resolve(followed, "no", 7)
    assert run(followed, 8) == {"snow": "proposed"}


def test_an_accepted_outcome_holds(followed: Engine) -> None:
    resolve(followed, "no", 5)
    run(followed, 6)
    [row] = waiting(followed)
    with acting(followed) as (session, _, alice):
        confirmation.accept(session, row, now=day(7), member=alice)
    assert run(followed, 8) == {}


def test_an_irrelevant_correction_is_not_proposed(followed: Engine) -> None:
    resolve(followed, "no", 5, slug="snow")
    resolve(followed, "no", 6)
    assert run(followed, 7) == {}


def test_a_correction_that_may_be_disputed_is_not_proposed_yet(followed: Engine) -> None:
    with acting(followed) as (session, rain, alice):
        assignments.set_policy(
            session, rain, PolicyKind.confirm, dispute_days=3, member=alice, now=day(4)
        )
    resolve(followed, "no", 5)
    assert run(followed, 6) == {}
    assert run(followed, 9) == {"snow": "proposed"}


def test_following_reveals_no_hidden_outcome(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice, bob = (member_or_new(session, one, now=day(0)) for one in ("alice", "bob"))
        ensure_admin(session, alice, now=day(0))
        alder = teams.create(session, "Alder", member=alice, now=day(0))
        teams.set_role(session, alder, bob, Role.forecaster, member=alice, now=day(0))
        ask(session, alice, slug="rain", team_id=alder.id, visibility=Visibility.team)
        ask(session, bob, slug="snow")
    follow(engine, by="bob")
    with database.writing(engine) as session:
        alice, bob = (member_named(session, one) for one in ("alice", "bob"))
        teams.remove(session, teams.find(session, "Alder"), bob, member=alice, now=day(1))
    resolve(engine, "yes", 3)
    assert run(engine, 4) == {"snow": "failed"}
    [result] = resolution_run.run(engine, now=day(5)).results
    assert "There is no question 'rain'" in result.message
    follow(engine, by="alice", at=5)
    assert run(engine, 6) == {"snow": "confirmed"}
