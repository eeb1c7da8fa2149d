"""Numbers and dates are scored by CRPS, at their resolution and its corrections."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, col, select

from forecasts.access.members import member_or_new
from forecasts.agenda.today import new_results
from forecasts.ledger import database
from forecasts.ledger.models import Member, Resolution, Score
from forecasts.resolution import history
from forecasts.scores import scores, stored_scores
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, counted_statements, day, resolve, say

DEPTH: dict[str, Any] = {"type": "numeric", "lower_bound": "0", "upper_bound": "10"}
END: dict[str, Any] = {"type": "date", "lower_bound": "2025-12-20", "upper_bound": "2025-12-30"}
# All mass at one point, so many tenths of the range from the outcome: |distance| is the CRPS.
CERTAIN = Value(quantiles={"0.0": 4.0, "1.0": 4.0})
CERTAIN_DAY = Value(quantiles={"0.0": "2025-12-24", "1.0": "2025-12-24"})


@pytest.mark.parametrize(
    ("fields", "value", "outcome"), [(DEPTH, CERTAIN, "6"), (END, CERTAIN_DAY, "2025-12-26")]
)
def test_a_number_and_a_day_are_scored_by_crps_in_shares_of_their_range(
    session: Session, alice: Member, fields: dict[str, Any], value: Value, outcome: str
) -> None:
    question = ask(session, alice, **fields)
    updates.update(session, question, value, member=alice, now=day(5))
    resolution = resolve(session, question, alice, outcome, known=10, at=10)
    [row] = stored_scores.score_table(session, resolution)
    assert (row.forecaster, row.crps, row.score) == ("alice", pytest.approx(0.2), row.crps)
    assert (row.brier, row.original, row.final) == (None, None, None)
    assert (row.coverage, row.updates) == (0.5, 1)
    [earned] = new_results(session, alice, seen=None)
    assert (earned.score.protocol, earned.score.score) == ("crps", row.crps)
    assert [stood.score for stood in earned.forecasts] == [row.crps]


def test_a_corrected_number_compares_both_crps(session: Session, alice: Member) -> None:
    question = ask(session, alice, **DEPTH)
    updates.update(session, question, CERTAIN, member=alice, now=day(0))
    for outcome in ("9", "5"):
        resolve(session, question, alice, outcome, known=10, at=10)
    _, first = history.steps(session, question)
    [changed] = first.rescored
    assert (changed.protocol, changed.difference) == ("crps", pytest.approx(0.1 - 0.5))


def test_rescoring_adds_the_crps_of_earlier_resolutions(session: Session, alice: Member) -> None:
    question = ask(session, alice, **DEPTH)
    updates.update(session, question, CERTAIN, member=alice, now=day(0))
    resolution = resolve(session, question, alice, "6", at=10)
    before = stored_scores.score_table(session, resolution)
    for score, _ in stored_scores.resolution_scores(session, resolution):
        session.delete(score)
    session.flush()
    assert scores.rebuild(session).scores == 1
    assert stored_scores.score_table(session, resolution) == before


@pytest.mark.slow
def test_stored_scores_are_compared_with_those_that_history_gives(session: Session) -> None:
    alice, bob = (member_or_new(session, name, now=day(0)) for name in ("alice", "bob"))
    for slug in ("rain", "snow"):
        question = ask(session, alice, slug=slug)
        for member, p in ((alice, 0.3), (bob, 0.8)):
            say(session, question, member, p, 1)
        resolve(session, question, alice, known=3, at=3)
    whole = scores.compare(session)
    assert (whole.scores, whole.resolutions, whole.of) == (12, 2, 2)
    assert (whole.altered, whole.outdated) == ((), 0)
    assert scores.compare(session, sample=1).resolutions == 1
    acts = {
        "UPDATE score SET score = score + 0.01 WHERE id = 1": "is not the one that history gives",
        "UPDATE score SET updates = 2 WHERE id = 1": "is not the one that history gives",
        "DELETE FROM score WHERE id = 1": "is missing",
    }
    for act, said in acts.items():
        with session.begin_nested() as point:
            session.execute(text(act))
            session.expire_all()
            [altered] = scores.compare(session).altered
            assert altered == f"the brier score of alice on 'rain' {said}"
            point.rollback()
        session.expire_all()
    session.execute(text("UPDATE score SET score = 0.5, engine_version = '0.0' WHERE id = 1"))
    session.expire_all()
    earlier = scores.compare(session)
    assert (earlier.altered, earlier.outdated) == ((), 1)


@pytest.mark.slow
def test_a_resolution_reads_and_writes_nothing_of_other_questions(engine: Engine) -> None:
    with database.writing(engine) as session:
        alice, bob, carol = (
            member_or_new(session, name, now=day(0)) for name in ("alice", "bob", "carol")
        )
        rain, snow = (ask(session, alice, slug=slug) for slug in ("rain", "snow"))
        for member, question in ((alice, rain), (bob, rain), (carol, snow)):
            say(session, question, member, 0.4, 1)
        resolve(session, rain, alice, known=3, at=3)
    with database.reading(engine) as session:
        before = session.exec(select(Score.id)).all()
        ids = {snow.id}
    with database.writing(engine) as session, counted_statements(engine) as statements:
        resolve(session, snow, alice, "no", known=4, at=4)
    read = [one for one in statements if "FROM forecast" in one or "JOIN forecast" in one]
    assert read
    assert all("forecast.question_id" in one.partition("WHERE")[2] for one in read), read
    with database.reading(engine) as session:
        rows = session.exec(select(Score)).all()
        new = [row for row in rows if row.id not in before]
        assert sorted(row.id for row in rows if row.id in before) == sorted(before)
        assert {row.member_id for row in new} == {carol.id}
        scored = select(Resolution.question_id).where(
            col(Resolution.id).in_([row.resolution_id for row in new])
        )
        assert set(session.exec(scored)) == ids
