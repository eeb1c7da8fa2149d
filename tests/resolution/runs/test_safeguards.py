"""What a run proposes, where it may not confirm, and when it proposes the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from forecasts.access import teams
from forecasts.access.members import member_named, member_or_new
from forecasts.common.errors import Refused
from forecasts.ledger import database
from forecasts.ledger.models import PolicyKind, Resolution, Role
from forecasts.questions import registry
from forecasts.resolution import assignments, confirmation, proposals
from forecasts.resolution.runs import run
from tests.conftest import acting, ask, day, resolve, say
from tests.resolution import conftest
from tests.resolution.conftest import registered

pytestmark = pytest.mark.slow


@pytest.fixture
def outcomes(tmp_path: Path) -> Path:
    return tmp_path / "outcomes.csv"


def write(path: Path, outcome: str, known_at: str = "2026-01-03", note: str = "") -> None:
    path.write_text(f"question,outcome,known_at,note\nrain,{outcome},{known_at},{note}\n")


def attach(engine: Engine, path: Path, by: str = "alice", *, beside: bool = False) -> None:
    conftest.attach(engine, "outcomes_file", by=by, beside=beside, path=str(path))


def state(engine: Engine, at: float) -> str:
    """Return what a run at that moment comes to, which is what it had said it would."""
    dry = run.run(engine, now=day(at), dry=True)
    came = run.run(engine, now=day(at))
    assert [one.state for one in dry.results] == [one.state for one in came.results]
    [result] = came.results
    return str(result.state)


def proposal(engine: Engine) -> Resolution:
    with database.reading(engine) as session:
        [row] = proposals.proposals_on(session, registry.find(session, "rain"))
        return row


# By a team's rule nobody resolves alone what they have forecast


@pytest.fixture
def agreed(engine: Engine) -> Engine:
    """A question of a team with the rule, on which alice has forecast and bob has not."""
    with database.writing(engine) as session:
        alice, bob = (member_or_new(session, one, now=day(0)) for one in ("alice", "bob"))
        alder = teams.create(session, "Alder", member=alice, now=day(0))
        teams.set_role(session, alder, bob, Role.resolver, member=alice, now=day(0))
        teams.set_rule(session, alder, second_resolver=True, member=alice, now=day(0))
        rain = ask(session, alice, slug="rain", team_id=alder.id)
        say(session, rain, alice, 0.4, 1)
    return engine


def test_a_run_does_not_confirm_for_a_forecaster(agreed: Engine, outcomes: Path) -> None:
    attach(agreed, outcomes)
    write(outcomes, "yes", note="as reported")
    assert state(agreed, 4) == "proposed"
    row = proposal(agreed)
    assert row.note == (
        "as reported\nthe resolver's owner has forecast on the question, and the team's rule "
        "requires a second person to resolve it"
    )
    assert state(agreed, 5) == "not_yet"


def test_owners_do_not_accept_their_resolvers_proposal(agreed: Engine, outcomes: Path) -> None:
    attach(agreed, outcomes)
    write(outcomes, "yes")
    state(agreed, 4)
    waits = proposal(agreed)
    with database.writing(agreed) as session:
        alice, bob = (member_named(session, one) for one in ("alice", "bob"))
        with pytest.raises(Refused, match="requires a second resolver"):
            confirmation.accept(session, waits, now=day(5), member=alice)
        accepted = confirmation.accept(session, waits, now=day(5), member=bob)
    assert accepted.resolution.outcome == "yes"


def test_without_forecast_or_rule_a_run_confirms(agreed: Engine, outcomes: Path) -> None:
    write(outcomes, "yes")
    attach(agreed, outcomes, "bob")
    assert run.run(agreed, now=day(4), dry=True).results[0].state == "confirmed"
    attach(agreed, outcomes)
    with database.writing(agreed) as session:
        alice, alder = member_named(session, "alice"), teams.find(session, "Alder")
        teams.set_rule(session, alder, second_resolver=False, member=alice, now=day(2))
    assert state(agreed, 4) == "confirmed"


def test_two_owners_may_confirm(agreed: Engine, outcomes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    attach(agreed, outcomes)
    attach(agreed, other, "bob", beside=True)
    write(outcomes, "yes")
    other.write_text("question,outcome,known_at\n")
    assert state(agreed, 4) == "proposed"  # alice's alone
    write(other, "yes")
    assert state(agreed, 5) == "confirmed"


# What was turned down


@pytest.fixture
def rejected(engine: Engine, outcomes: Path) -> Engine:
    """A question whose resolver's yes was turned down."""
    registered(engine, "rain")
    with acting(engine) as (session, rain, alice):
        assignments.set_policy(session, rain, PolicyKind.propose, member=alice, now=day(0))
    attach(engine, outcomes)
    write(outcomes, "yes", note="as reported")
    assert state(engine, 4) == "proposed"
    with acting(engine) as (session, _, alice):
        proposals.reject(session, proposal(engine), now=day(4), member=alice, note="a rumour")
    return engine


@pytest.mark.parametrize(
    ("row", "comes"),
    [
        ("rain,yes,2026-01-03,as reported", "not_yet"),
        ("snow,no,2026-01-02,another question\nrain,yes,2026-01-03,as reported", "not_yet"),
        ("rain,yes,2026-01-02,as reported", "proposed"),
        ("rain,yes,2026-01-03,seen by two", "proposed"),
        ("rain,no,2026-01-03,as reported", "proposed"),
    ],
)
def test_rejection_holds(rejected: Engine, outcomes: Path, row: str, comes: str) -> None:
    outcomes.write_text(f"question,outcome,known_at,note\n{row}\n")
    assert state(rejected, 5) == comes


def test_another_time_on_a_page_is_not_evidence(rejected: Engine, tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    how = {"url": str(page), "outcome": "status", "outcomes": {"done": "yes"}}
    conftest.attach(rejected, "http_json", at=5, **how)
    page.write_text('{"status": "done", "time": 5}')
    assert state(rejected, 5) == "proposed"
    with acting(rejected) as (session, _, alice):
        proposals.reject(session, proposal(rejected), now=day(5), member=alice, note="a rumour")
    page.write_text('{"status": "done", "time": 6}')
    assert state(rejected, 6) == "not_yet"


def test_a_proposal_identical_to_a_persons_is_not_made(rejected: Engine, outcomes: Path) -> None:
    write(outcomes, "no")
    with acting(rejected) as (session, rain, alice):
        proposals.propose(
            session, rain, "no", known_at=day(2), now=day(5), member=alice, note="The gazette."
        )
    assert state(rejected, 5) == "not_yet"
    write(outcomes, "no", known_at="2026-01-04")
    assert state(rejected, 6) == "proposed"


def test_a_rejected_deadline_outcome_is_not_proposed_again(engine: Engine) -> None:
    registered(engine, "rain")
    with acting(engine) as (session, rain, alice):
        assignments.set_policy(session, rain, PolicyKind.propose, member=alice, now=day(0))
        assignments.attach(session, rain, "deadline", {}, member=alice, now=day(0))
    assert state(engine, 11) == "proposed"
    with acting(engine) as (session, _, alice):
        proposals.reject(session, proposal(engine), now=day(12), member=alice, note="it rained")
    assert state(engine, 13) == "not_yet"


# What people have in hand


@pytest.fixture
def disputed(engine: Engine, outcomes: Path, tmp_path: Path) -> Path:
    """The file of the second of two resolvers that contradict each other: it says no."""
    other = tmp_path / "other.csv"
    registered(engine, "rain")
    attach(engine, outcomes)
    attach(engine, other, beside=True)
    write(outcomes, "yes")
    write(other, "no")
    assert state(engine, 4) == "proposed"
    return other


def test_a_contradiction_outlasts_its_resolver(engine: Engine, disputed: Path) -> None:
    disputed.unlink()
    assert state(engine, 5) == "not_yet"
    with database.reading(engine) as session:
        waiting = proposals.proposals_on(session, registry.find(session, "rain"))
    assert [row.outcome for row in waiting] == ["yes", "no"]


def test_rejected_outcomes_need_evidence(engine: Engine, outcomes: Path, disputed: Path) -> None:
    with acting(engine) as (session, rain, alice):
        for row in proposals.proposals_on(session, rain):
            proposals.reject(session, row, now=day(4), member=alice, note="a rumour")
    disputed.unlink()
    assert state(engine, 5) == "not_yet"
    write(outcomes, "yes", note="confirmed by the office")
    [result] = run.run(engine, now=day(6)).results
    assert str(result.state) == "proposed"
    assert "it was rejected before" in result.message


def test_a_finding_against_a_proposal_needs_a_person(engine: Engine, outcomes: Path) -> None:
    registered(engine, "rain")
    with acting(engine, by="bob") as (session, rain, bob):
        proposals.propose(
            session, rain, "no", known_at=day(2), now=day(3), member=bob, note="The gazette."
        )
    attach(engine, outcomes)
    write(outcomes, "yes")
    [result] = run.run(engine, now=day(4)).results
    assert str(result.state) == "proposed"
    assert "no was proposed, and waits for a decision too" in result.message
    assert state(engine, 5) == "not_yet"
    with acting(engine) as (session, _, alice):
        yes = proposals.proposals_on(session, registry.find(session, "rain"))[-1]
        accepted = confirmation.accept(session, yes, now=day(5), member=alice)
    assert accepted.resolution.outcome == "yes"


@pytest.mark.parametrize("likewise", ["yes", "1.0"])
def test_different_spellings_agree_and_contradict_no_proposal(
    engine: Engine, outcomes: Path, tmp_path: Path, likewise: str
) -> None:
    other = tmp_path / "other.csv"
    registered(engine, "rain")
    with acting(engine) as (session, rain, alice):
        proposals.propose(
            session, rain, "yes", known_at=day(2), now=day(3), member=alice, note="The gazette."
        )
    attach(engine, outcomes)
    attach(engine, other, beside=True)
    write(outcomes, "yes")
    write(other, likewise)
    assert state(engine, 4) == "confirmed"


# What was withdrawn


@pytest.fixture
def withdrawn(engine: Engine, outcomes: Path) -> Engine:
    """A question whose resolver's yes was confirmed and is withdrawn since."""
    registered(engine, "rain")
    attach(engine, outcomes)
    write(outcomes, "yes", note="as reported")
    assert state(engine, 4) == "confirmed"
    withdraw(engine, 4.5)
    return engine


def withdraw(engine: Engine, at: float) -> None:
    with acting(engine) as (session, rain, alice):
        confirmation.withdraw(session, rain, member=alice, now=day(at), reason="of Bergen")


def test_a_withdrawn_outcome_is_only_proposed_once(withdrawn: Engine, outcomes: Path) -> None:
    [result] = run.run(withdrawn, now=day(5)).results
    assert str(result.state) == "proposed"
    assert "it was withdrawn before" in result.message
    assert run.run(withdrawn, now=day(6)).waiting == 1
    assert state(withdrawn, 7) == "not_yet"
    with acting(withdrawn) as (session, _, alice):
        row, note = proposal(withdrawn), "still of Bergen"
        proposals.reject(session, row, now=day(7), member=alice, note=note)
    assert state(withdrawn, 8) == "not_yet"
    assert run.run(withdrawn, now=day(9)).waiting == 0


@pytest.mark.parametrize(
    ("row", "comes"), [("", "not_yet"), ("rain,no,2026-01-03,as corrected", "confirmed")]
)
def test_after_a_withdrawal_another_outcome_is_confirmed_and_silence_changes_nothing(
    withdrawn: Engine, outcomes: Path, row: str, comes: str
) -> None:
    outcomes.write_text(f"question,outcome,known_at,note\n{row}\n")
    assert state(withdrawn, 5) == comes


def test_a_person_may_accept_a_withdrawn_outcome(withdrawn: Engine) -> None:
    assert state(withdrawn, 5) == "proposed"
    with acting(withdrawn) as (session, _, alice):
        confirmation.accept(session, proposal(withdrawn), now=day(6), member=alice)
    withdraw(withdrawn, 7)
    assert state(withdrawn, 8) == "proposed"


def test_a_withdrawn_outcome_of_a_person_is_proposed(engine: Engine, outcomes: Path) -> None:
    registered(engine, "rain")
    with acting(engine) as (session, rain, alice):
        resolve(session, rain, alice, "yes", at=3)
    withdraw(engine, 3.5)
    attach(engine, outcomes)
    write(outcomes, "yes", note="as reported")
    assert state(engine, 4) == "proposed"
