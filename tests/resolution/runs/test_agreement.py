"""Decisions on the answers of several resolvers, by policy: a person decides, or a quorum."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.common.errors import BadInput, CannotTell
from forecasts.ledger import database
from forecasts.ledger.models import Policy, PolicyKind, Resolver, RunState
from forecasts.questions import registry
from forecasts.resolution import assignments, confirmation, kept_evidence, proposals
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs import run
from forecasts.resolution.runs.attempt import Answer, decide
from tests.conftest import acting, day
from tests.resolution.conftest import attach
from tests.resolution.runs.conftest import Oracle, carry, states, yes

_numbers = itertools.count(1)


def resolver(kind: str = "series") -> Resolver:
    return Resolver(id=next(_numbers), question_id=1, kind=kind, settings={}, recorded_at=day(0))


def says(outcome: str, at: float = 1, **more: Any) -> Answer:
    return Answer(resolver(), Finding(outcome, day(at), note=f"saw {outcome}"), **more)


def waits() -> Answer:
    return Answer(resolver())


def fails(error: Exception | None = None) -> Answer:
    return Answer(resolver("http_json"), error=error or BadInput("The host is away."))


def policy(kind: str, agreeing: int = 1) -> Policy:
    return Policy(
        question_id=1, kind=PolicyKind(kind), agreeing=agreeing, member_id=1, recorded_at=day(0)
    )


QUORUM = policy("quorum", 2)
NEVER = fails(CannotTell("It has changed its form."))
FALLBACK = says("no", fallback=True)
MODEL = says("yes", is_model=True)


def test_answers_and_policy_decide() -> None:
    for said, by, state in (
        ([waits()], None, "not_yet"),
        ([says("yes")], None, "confirmed"),
        ([says("yes")], policy("propose"), "proposed"),
        ([says("yes", only_proposes=True)], None, "proposed"),
        ([fails()], None, "failed"),
        ([says("yes"), waits()], None, "confirmed"),
        ([says("yes"), says("no")], None, "proposed"),
        ([says("yes"), says("yes")], QUORUM, "confirmed"),
        ([says("yes"), waits()], QUORUM, "not_yet"),
        ([says("yes"), fails()], QUORUM, "failed"),
        ([says("yes"), says("no")], QUORUM, "proposed"),
        ([says("yes"), says("yes"), says("no")], QUORUM, "proposed"),
        ([says("yes"), says("yes"), fails()], QUORUM, "confirmed"),
        ([says("yes"), NEVER], QUORUM, "proposed"),
        ([says("yes"), says("yes", only_proposes=True)], QUORUM, "proposed"),
        ([says("yes")], QUORUM, "proposed"),
        # All models together are one witness of a quorum, and never decide without another.
        ([MODEL, says("yes")], QUORUM, "confirmed"),
        ([MODEL, waits()], QUORUM, "not_yet"),
        ([MODEL, MODEL], QUORUM, "proposed"),
        ([MODEL, MODEL, MODEL], policy("quorum", 3), "proposed"),
        ([MODEL, MODEL, waits()], QUORUM, "not_yet"),
        ([MODEL, MODEL, says("yes")], policy("quorum", 3), "proposed"),
        ([MODEL, says("yes"), says("yes")], policy("quorum", 3), "confirmed"),
        ([MODEL, MODEL, NEVER], QUORUM, "proposed"),
        ([MODEL, says("no"), says("no")], QUORUM, "proposed"),
        ([MODEL, says("yes", only_proposes=True)], QUORUM, "proposed"),
        ([MODEL], None, "proposed"),
        ([MODEL, waits()], None, "proposed"),
        ([MODEL, says("yes")], None, "confirmed"),
        ([MODEL, says("yes", fallback=True), fails()], QUORUM, "failed"),
        ([MODEL, fails()], QUORUM, "failed"),
        # One that will never tell does not stop the others' quorum.
        ([NEVER, waits(), waits()], QUORUM, "not_yet"),
        ([NEVER, says("yes"), waits()], QUORUM, "not_yet"),
        ([NEVER, says("yes"), says("yes")], QUORUM, "confirmed"),
        ([NEVER, waits()], QUORUM, "failed"),
        # A fallback does not count while another resolver fails.
        ([FALLBACK, waits()], None, "confirmed"),
        ([FALLBACK, fails()], None, "failed"),
    ):
        assert decide(said, by, last_attempt=False).state == state, (said, by)


def test_a_disagreement_lists_each_source_with_its_answer() -> None:
    came = decide([says("yes", 1), says("no", 2), fails()], QUORUM, last_attempt=False)
    assert "disagree: yes, known on 2 January 2026; no, known on 3" in came.message
    assert [finding.outcome for _, finding in came.findings] == ["yes", "no"]
    for _, finding in came.findings:
        for words in ("series: yes, known at", "saw no", "http_json: The host is away."):
            assert words in finding.note


def test_different_spellings_of_one_outcome_agree() -> None:
    came = decide([says("100.0", 2), says("100", 3)], QUORUM, last_attempt=False, value=float)
    assert (came.state, [one.outcome for _, one in came.findings]) == (
        RunState.confirmed,
        ["100.0"],
    )
    assert (
        decide([says("100.0"), says("101")], QUORUM, last_attempt=False, value=float).state
        == "proposed"
    )


def test_an_agreed_outcome_is_known_since_the_first_finding() -> None:
    came = decide([says("yes", 3), says("yes", 2)], QUORUM, last_attempt=False)
    [(_, finding)] = came.findings
    assert finding.known_at == day(2)


def test_an_agreed_outcome_has_the_time_and_the_resolver_of_a_witness_that_is_not_a_model() -> None:
    series = says("yes", 3)
    early = says("yes", 1, is_model=True)
    came = decide([early, series], QUORUM, last_attempt=False)
    [(by, finding)] = came.findings
    assert (came.state, by, finding.known_at) == (RunState.confirmed, series.resolver, day(3))
    assert finding.note.count("saw yes") == 2  # each witness is named


def test_a_quorum_or_a_failure_that_the_last_attempt_leaves_open_is_left_to_people() -> None:
    came = decide([says("yes"), fails()], QUORUM, last_attempt=True)
    assert (came.state, came.message) == (
        RunState.proposed,
        "only 1 of 2 agree on yes, known on 2 January 2026",
    )
    # So is a fallback, with the failure that it may hide.
    given_up = decide([FALLBACK, fails()], None, last_attempt=True)
    assert given_up.state == "proposed"
    assert "The host is away." in given_up.message


def test_permanent_failures_are_told_apart() -> None:
    for error, permanent in (
        (BadInput("x"), False),
        (ZeroDivisionError("x"), False),
        (CannotTell("x"), True),
        (CannotTell("x", temporary=True), False),
    ):
        for said, by in (([fails(error)], None), ([fails(error), waits()], QUORUM)):
            assert decide(said, by, last_attempt=False).permanent is permanent, error


ANSWERS = {
    "yes": says("yes"),
    "no": says("no"),
    "feed": says("yes", only_proposes=True),
    "model": MODEL,
    "waits": waits(),
    "fails": fails(),
    "cannot": NEVER,
}


@given(
    answers=st.lists(st.sampled_from(list(ANSWERS)), min_size=1, max_size=5),
    agreeing=st.integers(2, 4),
    last=st.booleans(),
)
def test_only_undisputed_outcomes_confirm(answers: list[str], agreeing: int, last: bool) -> None:
    came = decide([ANSWERS[one] for one in answers], policy("quorum", agreeing), last_attempt=last)
    spoken = ["yes" if one in ("feed", "model") else one for one in answers]
    named = set(spoken) & {"yes", "no"}
    as_one = "yes" in answers and "model" in answers
    enough = max(answers.count("yes") + as_one, answers.count("no")) >= agreeing
    assert (came.state == RunState.confirmed) == (len(named) == 1 and enough)
    assert (came.state == RunState.not_yet) <= ("waits" in answers)
    assert bool(came.findings) == (came.state in (RunState.confirmed, RunState.proposed))


def test_error_messages_are_storable_text() -> None:
    said = fails(CannotTell("NUL \x00 and half a sign \ud800" + "x" * 5000)).message
    assert said.startswith("NUL  and half a sign x")
    assert len(said) == 2_000


@pytest.mark.slow
def test_a_policy_may_need_a_person(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")
    oracle(yes)
    with acting(engine) as (session, rain, alice):
        assignments.set_policy(session, rain, PolicyKind.propose, member=alice, now=day(2))
    came = run.run(engine, now=day(4))
    assert (states(came), came.waiting) == ({"rain": "proposed"}, 1)
    assert states(run.run(engine, now=day(5))) == {"rain": "not_yet"}
    with acting(engine) as (session, rain, alice):
        [proposal] = proposals.proposals_on(session, rain)
        confirmation.accept(session, proposal, now=day(6), member=alice)
        assert [row.data for row in kept_evidence.kept(session, rain)] == [b"rain"]
    after = run.run(engine, now=day(7))
    assert (states(after), after.waiting) == ({}, 0)


@pytest.mark.slow
def test_a_quorum_waits_for_two_sources(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain", "snow")
    for slug in ("rain", "snow"):
        attach(engine, "oracle", slug, beside=True, name="second-")
        with acting(engine, slug) as (session, question, alice):
            given: dict[str, Any] = {"agreeing": 2, "member": alice, "now": day(1)}
            assignments.set_policy(session, question, PolicyKind.quorum, **given)
    oracle(lambda slug: None if slug.startswith("second-") else yes(slug))
    [result, _] = run.run(engine, now=day(4)).results
    assert (result.state, result.message) == (
        RunState.not_yet,
        "1 of 2 agree on yes, known on 3 January 2026",
    )
    no = Finding("no", day(3), note="saw none")
    oracle(lambda slug: no if slug == "second-snow" else yes(slug))
    came = run.run(engine, now=day(5))
    assert states(came) == {"rain": "confirmed", "snow": "proposed"}
    with database.reading(engine) as session:
        proposed = proposals.proposals_on(session, registry.find(session, "snow"))
        assert [row.outcome for row in proposed] == ["yes", "no"]
        assert all("saw none" in row.note for row in proposed)


@pytest.mark.slow
def test_a_policy_that_cannot_work_is_refused(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")
    confirm, quorum = PolicyKind.confirm, PolicyKind.quorum
    cases: tuple[tuple[PolicyKind, dict[str, Any], str], ...] = (
        (quorum, {}, "number of resolvers"),
        (quorum, {"agreeing": 1}, "two or more resolvers"),
        (quorum, {"agreeing": 2}, "has 1"),
        (confirm, {"agreeing": 2}, "number of resolvers"),
        (confirm, {"dispute_days": -1}, "got -1"),
        (confirm, {"dispute_days": 4000}, "got 4000"),
        (confirm, {"dispute_days": float("nan")}, "got nan"),
    )
    with acting(engine) as (session, rain, alice):
        for kind, given, words in cases:
            with pytest.raises(BadInput, match=words):
                assignments.set_policy(session, rain, kind, member=alice, now=day(2), **given)
        assert session.exec(select(Policy)).first() is None
