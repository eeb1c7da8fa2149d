"""The scoreboard of resolvers: agreement where a person decided, abstentions and reversals."""

from __future__ import annotations

from sqlmodel import Session, select

from forecasts.ledger.models import Member, Question, Resolver, ResolverRun, RunState
from forecasts.questions import registry
from forecasts.questions.conditions import register_conditional
from forecasts.resolution import assignments, confirmation, proposals
from forecasts.resolution.scoreboard import ResolverRecord, scoreboard
from tests.conftest import ask, day, resolve


def with_resolver(session: Session, alice: Member, **fields: str) -> tuple[Question, Resolver]:
    question = ask(session, alice, **fields)
    assignments.attach(session, question, "deadline", {}, member=alice, now=day(1))
    resolver = session.exec(select(Resolver).where(Resolver.question_id == question.id)).one()
    return question, resolver


def finds(
    session: Session, question: Question, resolver: Resolver, outcome: str, at: float
) -> None:
    how = {"known_at": day(at), "now": day(at), "resolver": resolver, "note": "Seen."}
    proposals.propose(session, question, outcome, **how)


def only(session: Session) -> ResolverRecord:
    [record] = scoreboard(session, now=day(30))
    return record


def test_agreement_counts_a_family_once_and_only_where_a_person_decided(
    session: Session, alice: Member
) -> None:
    for family, outcomes in (("a", ("no", "yes")), ("b", ("no",))):
        for outcome in outcomes:
            question, resolver = with_resolver(session, alice, family=family)
            finds(session, question, resolver, "no", 11)
            resolve(session, question, alice, outcome, known=11, at=12)
    unseen, resolver = with_resolver(session, alice)
    how = {"known_at": day(11), "now": day(11), "resolver": resolver, "note": "Seen."}
    confirmation.confirm(session, unseen, "no", member=alice, **how)
    record = only(session)
    assert (record.kind, record.questions, record.families) == ("deadline", 4, 2)
    assert record.agreed == 0.75  # the mean of a half and one
    assert record.agreed_interval is not None
    low, high = record.agreed_interval
    assert low < 0.3 < 0.75 < high
    assert record.unreviewed == 1


def test_a_cancelled_question_is_rightly_left_without_an_outcome(
    session: Session, alice: Member
) -> None:
    quiet, resolver = with_resolver(session, alice)
    ran = {"resolver_id": resolver.id, "started_at": day(2), "ended_at": day(2)}
    session.add(ResolverRun(state=RunState.not_yet, **ran))
    loud, other = with_resolver(session, alice)
    finds(session, loud, other, "no", 11)
    for question in (quiet, loud):
        resolve(session, question, alice, "annulled", known=12, at=12)
    record = only(session)
    assert (record.cancelled, record.abstained, record.not_yet) == (2, 1, 1)
    assert (record.families, record.agreed, record.too_early) == (0, None, 1)


def test_a_reversal_after_a_correction_of_the_source_is_seen(
    session: Session, alice: Member
) -> None:
    question, resolver = with_resolver(session, alice)
    finds(session, question, resolver, "no", 11)
    finds(session, question, resolver, "yes", 13)
    resolve(session, question, alice, "yes", known=13, at=14)
    record = only(session)
    assert (record.reversed, record.found_again, record.agreed) == (1, 1, 0.0)


def confirmed_by_a_run(
    session: Session, question: Question, resolver: Resolver, alice: Member, outcome: str, at: float
) -> None:
    how = {"known_at": day(at), "now": day(at), "resolver": resolver, "note": "Seen."}
    confirmation.confirm(session, question, outcome, member=alice, **how)


def test_an_outcome_that_only_runs_confirmed_never_enters_the_rate(
    session: Session, alice: Member
) -> None:
    for last in ("no", "no", "yes"):
        question, resolver = with_resolver(session, alice)
        confirmed_by_a_run(session, question, resolver, alice, "no", 11)
        if last == "yes":
            confirmed_by_a_run(session, question, resolver, alice, "yes", 13)
    record = only(session)
    assert (record.families, record.agreed, record.unreviewed) == (0, None, 3)
    assert (record.reversed, record.found_again) == (1, 1)


def test_an_outcome_restored_with_its_condition_is_not_decided_by_a_person(
    session: Session, alice: Member
) -> None:
    parent = ask(session, alice)
    wording = {"title": "Will tariffs fall?", "resolution_criteria": "As the gazette says."}
    text = registry.question_text(open_time=day(0), scheduled_close_time=day(10), **wording)
    found = register_conditional(session, parent, text, ["yes"], member=alice, now=day(0))
    question = found[0].state.question
    assignments.attach(session, question, "deadline", {}, member=alice, now=day(1))
    resolver = session.exec(select(Resolver).where(Resolver.question_id == question.id)).one()
    confirmed_by_a_run(session, question, resolver, alice, "no", 11)
    for at, outcome in ((12, "no"), (13, "yes")):
        resolve(session, parent, alice, outcome, known=12, at=at)
    newest = proposals.history(session, question)[-1]
    assert (newest.outcome, newest.resolver_id) == ("no", None)
    assert (only(session).families, only(session).unreviewed) == (0, 1)


def test_questions_without_an_outcome_do_not_count(session: Session, alice: Member) -> None:
    question, resolver = with_resolver(session, alice)
    finds(session, question, resolver, "no", 11)
    assert scoreboard(session, now=day(30)) == []
