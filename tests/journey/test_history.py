"""Whatever is done to a question, its history stays whole and its score is the obvious one."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import col, select

from forecasts.access.members import member_or_new
from forecasts.common.errors import Refused
from forecasts.ledger import database
from forecasts.ledger.models import Forecast, Resolution
from forecasts.questions import standing as question_standing
from forecasts.resolution import confirmation
from forecasts.scores import stored_scores
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day
from tests.examples import examples

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Act:
    at: float
    who: str
    p: float | None  # None: a withdrawal


@dataclass(frozen=True)
class Verdict:
    outcome: str
    known: float
    withdrawn: bool = False  # before the next one


ACTS = st.lists(
    st.builds(
        Act,
        at=st.integers(0, 96).map(lambda n: n / 10),
        who=st.sampled_from(["alice", "bob"]),
        p=st.one_of(st.none(), st.sampled_from([0.0, 1.0]), st.floats(0, 1)),
    ),
    max_size=12,
).map(lambda acts: sorted(acts, key=lambda act: act.at))
VERDICTS = st.lists(
    st.builds(
        Verdict,
        outcome=st.sampled_from(["yes", "no", "0.25", "annulled"]),
        known=st.integers(1, 120).map(lambda n: n / 10),
        withdrawn=st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


def slow_brier(path: list[Act], outcome: float, close: float) -> tuple[float, float] | None:
    """Return (Brier, live days) by walking through time in steps of a tenth of a day."""
    total = live = 0.0
    for step in range(round(close * 10)):
        standing = [act for act in path if act.at <= step / 10]
        if standing and standing[-1].p is not None:
            total += (standing[-1].p - outcome) ** 2
            live += 1
    return None if not live else (total / live, live / 10)


@settings(max_examples=examples(40))
@given(acts=ACTS, verdicts=VERDICTS)
def test_any_sequence_of_updates_withdrawals_and_corrections_leaves_the_history_whole(
    engine: Engine, acts: list[Act], verdicts: list[Verdict]
) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice)
        done: list[Act] = []
        for act in acts:
            member = member_or_new(session, act.who, now=day(0))
            mine = [earlier for earlier in done if earlier.who == act.who]
            by = {"member": member, "now": day(act.at)}
            if act.p is not None:
                updates.update(session, question, Value(probability=act.p), **by)
            elif mine and mine[-1].p is not None:
                updates.withdraw(session, question, **by)
            else:
                with pytest.raises(Refused, match="nothing to withdraw"):
                    updates.withdraw(session, question, **by)
                continue
            done.append(act)

        given: list[Verdict] = []
        for verdict in verdicts:
            if given and given[-1] == replace(verdict, withdrawn=False):
                continue  # saying the same again is refused
            by = {"member": alice, "now": day(20)}
            known = day(verdict.known)
            confirmation.confirm(session, question, verdict.outcome, known_at=known, **by)
            given.append(replace(verdict, withdrawn=False))
            if verdict.withdrawn:
                confirmation.withdraw(session, question, reason="a slip", **by)
                given.append(verdict)

        # The history holds every act, as it was done, in the order it was done.
        own = select(Forecast).where(Forecast.question_id == question.id)
        rows = session.exec(own.order_by(col(Forecast.id))).all()
        assert [(row.made_at, row.probability, row.withdrawn) for row in rows] == [
            (day(act.at), act.p, act.p is None) for act in done
        ]
        its = select(Resolution).where(Resolution.question_id == question.id)
        steps = session.exec(its.order_by(col(Resolution.id))).all()
        assert [(step.outcome, step.state == "withdrawn") for step in steps] == [
            (verdict.outcome, verdict.withdrawn) for verdict in given
        ]
        assert [step.supersedes_id for step in steps] == [None, *[s.id for s in steps[:-1]]]

        # What stands is the last word, and its scores are those of the slow reference.
        state = question_standing.current_state(session, question, now=day(20))
        last = given[-1]
        if last.withdrawn:
            assert (state.resolution, state.withdrawal) == (None, steps[-1])
            assert state.text.actual_close_time is None
        else:
            assert state.resolution == steps[-1]
        stored = {
            handle: score
            for score, handle in stored_scores.resolution_scores(session, steps[-1])
            if score.protocol == "brier"
        }
        expected = {}
        if last.outcome != "annulled" and not last.withdrawn:
            outcome = {"yes": 1.0, "no": 0.0}.get(last.outcome, 0.25)
            for who in ("alice", "bob"):
                path = [act for act in done if act.who == who]
                if (worked := slow_brier(path, outcome, min(10, last.known))) is not None:
                    expected[who] = worked
        assert set(stored) == set(expected)
        for who, (brier, live) in expected.items():
            assert stored[who].score == pytest.approx(brier, abs=1e-12)
            assert stored[who].coverage == pytest.approx(live / 10, abs=1e-12)
