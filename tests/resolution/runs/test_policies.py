"""Policies: a person decides, or a quorum."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.common.errors import BadInput
from forecasts.ledger import database
from forecasts.ledger.models import Policy, PolicyKind, RunState
from forecasts.questions import registry
from forecasts.resolution import assignments, confirmation, kept_evidence, proposals
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs import run
from tests.conftest import acting, day
from tests.resolution.conftest import attach
from tests.resolution.runs.conftest import Oracle, carry, states, yes

pytestmark = pytest.mark.slow


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
