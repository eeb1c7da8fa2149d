"""Runs share the work: each question is claimed by one run at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, update
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from forecasts.common.errors import CaptureError, DatabaseError
from forecasts.ledger import database
from forecasts.ledger.models import Question, Resolution, ResolverRun, RunState, Watch
from forecasts.questions import discards, registry
from forecasts.resolution import confirmation, progress
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.resolvers.worker import Stopped
from forecasts.resolution.runs import claiming, run
from forecasts.resolution.runs.claiming import Claimed
from tests.conftest import acting, day, on_both
from tests.resolution.conftest import attach
from tests.resolution.runs.conftest import (
    Oracle,
    Says,
    assert_each_is_resolved_once,
    carry,
    contents,
    states,
    watch,
    yes,
)

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """As if the process had ended: nothing after it is done."""


def run_at(engine: Engine, at: datetime, **options: Any) -> dict[str, str]:
    return states(run.run(engine, now=at, clock=lambda: at, **options))


def during(
    engine: Engine, oracle: Oracle, first: Says, at: float, then: Says = yes
) -> list[dict[str, str]]:
    """Let another run take place on day ``at`` in the first look; it says later what that did."""
    came: list[dict[str, str]] = []

    def look(slug: str) -> Finding | None:
        if came:
            return then(slug)
        came.append({})
        came[0] = run_at(engine, day(at))
        return first(slug)

    oracle(look)
    return came


@on_both
def test_a_claimed_question_is_left_alone(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")
    came = during(engine, oracle, yes, at=4)
    assert run_at(engine, day(4)) == {"rain": "confirmed"}
    assert came == [{}]


def test_after_a_look_that_was_stopped_the_rest_of_the_batch_is_free(
    engine: Engine, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, "rain", "snow", "wind")
    claim, claims = claiming.Claims.claim, list[set[str]]()

    def counted(self: claiming.Claims, limit: int, *, abandoned_first: bool) -> list[Claimed]:
        found = claim(self, limit, abandoned_first=abandoned_first)
        with database.reading(engine) as session:
            held = select(Watch.id).where(col(Watch.claimed_by).is_not(None))
            assert set(session.exec(held)) == {one.watch.id for one in found}
        claims.append({one.state.slug for one in found})
        return found

    def slow(slug: str) -> Finding:
        if slug == "rain":
            raise Stopped("The look was stopped: it took more than 30 seconds.")
        return yes(slug)

    monkeypatch.setattr(claiming.Claims, "claim", counted)
    oracle(slow)
    assert states(run.run(engine, now=day(4), limit=2)) == {"rain": "failed", "snow": "confirmed"}
    assert claims == [{"rain", "snow"}, {"snow"}]
    assert states(run.run(engine, now=day(4))) == {"wind": "confirmed"}


@pytest.fixture
def killed(engine: Engine, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let a run be killed while it looks."""

    def kill() -> None:
        def look(_: str) -> Finding:
            raise Killed

        oracle(look)
        with monkeypatch.context() as patch:
            patch.setattr(claiming.Claims, "release", lambda _: None)
            with pytest.raises(Killed):
                run_at(engine, day(4))
        oracle(yes)

    return kill


@on_both
def test_the_work_of_a_killed_run_is_taken_up_when_its_lease_is_over(
    engine: Engine, oracle: Oracle, killed: Callable[[], None]
) -> None:
    carry(engine, "rain")
    killed()
    just_before = day(4) + claiming.LEASE - timedelta(seconds=1)
    found = run.run(engine, now=just_before, clock=lambda: just_before)
    over = day(4) + claiming.LEASE
    assert (states(found), found.claimed) == ({}, [("rain", over)])
    with database.reading(engine) as session:
        [due] = progress.progress(session).next
    assert (due.slug, due.claimed_until) == ("rain", over)
    found = run.run(engine, now=over, clock=lambda: over)
    assert (states(found), found.claimed) == ({"rain": "confirmed"}, [])


def test_a_run_of_one_kind_names_only_the_claims_on_its_questions(
    engine: Engine, oracle: Oracle, killed: Callable[[], None]
) -> None:
    carry(engine, "rain")
    killed()
    assert run.run(engine, now=day(4), only="deadline").claimed == []
    assert [slug for slug, _ in run.run(engine, now=day(4), only="oracle").claimed] == ["rain"]


@on_both
def test_a_lost_claim_writes_nothing(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")
    came = during(engine, oracle, lambda _: Finding("no", day(2)), at=5)
    assert states(run.run(engine, now=day(4), clock=lambda: day(5 if came else 4))) == {}
    assert came == [{"rain": "confirmed"}]
    with database.reading(engine) as session:
        assert session.exec(select(Resolution.outcome)).all() == ["yes"]


def test_a_lost_claim_records_no_failure(engine: Engine, oracle: Oracle) -> None:
    def away(_: str) -> None:
        raise CaptureError("It is away.")

    carry(engine, "rain")
    came = during(engine, oracle, away, at=5, then=away)
    assert run_at(engine, day(4)) == {}
    assert came == [{"rain": "failed"}]
    assert watch(engine).attempts == 2  # one that was too slow might as well have been killed


@pytest.mark.parametrize(
    ("slugs", "beside", "minutes"),
    [(("rain", "snow", "wind"), (), [9, 9, 9]), (("rain",), ("second ", "third "), [7, 10, 10])],
    ids=["questions", "resolvers"],
)
def test_a_lease_is_renewed_by_long_looks(
    engine: Engine, oracle: Oracle, slugs: Sequence[str], beside: Sequence[str], minutes: list[int]
) -> None:
    carry(engine, *slugs)
    for name in beside:
        attach(engine, "oracle", beside=True, name=name)
    at, takes = [day(4)], iter(minutes)
    others: list[dict[str, str]] = []

    def slow(slug: str) -> Finding:
        at[0] += timedelta(minutes=next(takes))
        others.append(states(run.run(engine, now=day(4), clock=lambda: at[0])))
        return yes(slug)

    assert timedelta(minutes=15) == claiming.LEASE
    oracle(slow)
    came = states(run.run(engine, now=day(4), clock=lambda: at[0]))
    assert came == dict.fromkeys(slugs, "confirmed")
    assert others == [{}, {}, {}]


def test_a_question_that_kills_its_runs_is_parked_in_the_end(
    engine: Engine, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, "first", "deadly", "last", "next")
    with database.writing(engine) as session:  # which is due later than they are
        named = rows_of(Question.id).where(Question.slug == "next").scalar_subquery()
        late = day(4) + claiming.LEASE
        session.execute(update(Watch).where(col(Watch.question_id) == named).values(next_at=late))

    def kills(slug: str) -> Finding:
        if slug == "deadly":
            raise Killed
        return yes(slug)

    oracle(kills)
    monkeypatch.setattr(claiming.Claims, "release", lambda _: None)
    deaths = 0
    for attempt in range(claiming.MOST_ATTEMPTS):
        try:
            run_at(engine, day(4) + attempt * claiming.LEASE)
        except Killed:
            deaths += 1
    assert deaths == claiming.MOST_ATTEMPTS
    with database.reading(engine) as session:
        resolved = select(Question.slug).join(Resolution)
        assert set(session.exec(resolved)) == {"first", "last", "next"}
    over = day(4) + claiming.MOST_ATTEMPTS * claiming.LEASE
    before = contents(engine)
    assert run_at(engine, over, dry=True) == {"deadly": "parked"}
    assert contents(engine) == before
    assert run_at(engine, over) == {"deadly": "parked"}
    with database.reading(engine) as session:
        [parked] = progress.parked(session)
        said = session.exec(select(ResolverRun).order_by(col(ResolverRun.id).desc())).first()
    assert (parked.slug, parked.attempts) == ("deadly", claiming.MOST_ATTEMPTS)
    assert "was killed before it could record a result" in parked.reason
    assert said is not None
    assert (said.state, said.message) == (RunState.parked, parked.reason)


@on_both
def test_a_killed_runs_question_is_taken_up_among_many_due_ones(
    engine: Engine, oracle: Oracle, killed: Callable[[], None]
) -> None:
    carry(engine, "rain")
    killed()
    carry(engine, "snow", "wind", "hail", "fog")
    over = day(4) + claiming.LEASE
    for slugs in (["snow", "rain"], ["wind", "hail"], ["fog"]):
        assert list(run_at(engine, over, limit=2)) == slugs


def test_a_question_loses_nothing_when_another_one_kills_the_run(
    engine: Engine, oracle: Oracle, killed: Callable[[], None]
) -> None:
    carry(engine, "rain")
    killed()
    oracle(lambda _: None)
    assert run_at(engine, day(4) + claiming.LEASE) == {"rain": "not_yet"}
    row = watch(engine)
    assert (row.attempts, row.claimed_by) == (0, None)


def test_another_resolver_ends_the_claim(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")

    def meanwhile(slug: str) -> Finding:
        if slug == "rain":
            attach(engine, "oracle", at=4, name="other ")
            return Finding("no", day(2))
        return yes(slug)

    oracle(meanwhile)
    assert states(run.run(engine, now=day(4))) == {}
    assert states(run.run(engine, now=day(4))) == {"rain": "confirmed"}
    with database.reading(engine) as session:
        assert session.exec(select(Resolution.outcome)).all() == ["yes"]


def throw_away(engine: Engine, slug: str) -> None:
    with acting(engine) as (session, _, alice):
        discards.discard(session, registry.find(session, slug), member=alice, now=day(0.5))


@pytest.mark.parametrize("finds", [True, False])
def test_a_discarded_question_is_not_due(engine: Engine, oracle: Oracle, finds: bool) -> None:
    carry(engine, "rain", "snow")

    def meanwhile(slug: str) -> Finding | None:
        if slug == "rain":
            throw_away(engine, "rain")
        return yes(slug) if finds else None

    oracle(meanwhile)
    state = "confirmed" if finds else "not_yet"
    assert states(run.run(engine, now=day(4))) == {"snow": state}
    with database.reading(engine) as session:
        rain = select(Watch).join(Question, col(Question.id) == col(Watch.question_id))
        row = session.exec(rain.where(Question.slug == "rain")).one()
        assert (row.next_at, row.claimed_by) == (None, None)
    assert "rain" not in states(run.run(engine, now=day(9)))


def test_a_question_discarded_right_after_its_claim_stops_no_other(
    engine: Engine, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, "rain", "snow")
    oracle(yes)
    claims = claiming.Claims(engine, day(4), lambda: day(4), None)
    with monkeypatch.context() as patch:

        def reading(of: Engine) -> AbstractContextManager[Session]:
            throw_away(engine, "rain")
            return database.reading(of)

        patch.setattr(claiming, "reading", reading)
        batch = claims.claim(2, abandoned_first=False)
    assert [claimed.state.slug for claimed in batch] == ["snow"]


def test_a_read_only_ledger_ends_the_run_and_frees_its_questions(
    engine: Engine, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, "rain", "snow")

    def full(*_: object, **__: object) -> None:
        raise DatabaseError("The disk is full.")

    oracle(yes)
    with monkeypatch.context() as patch:
        patch.setattr(confirmation, "confirm", full)
        with pytest.raises(DatabaseError):
            run.run(engine, now=day(4))
    came = run.run(engine, now=day(4))
    assert states(came) == {"rain": "confirmed", "snow": "confirmed"}


@on_both
def test_runs_at_once_share_the_work(engine: Engine, oracle: Oracle) -> None:
    slugs = [f"rain-{number}" for number in range(12)]
    carry(engine, *slugs)
    oracle(yes)
    together = Barrier(3)

    def one(_: int) -> list[str]:
        together.wait(timeout=30)
        return [result.slug for result in run.run(engine, now=day(4)).results]

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as pool:
        patch.setattr(claiming, "BATCH", 2)
        done = list(pool.map(one, range(3)))
    assert sorted(slug for some in done for slug in some) == sorted(slugs)
    assert_each_is_resolved_once(engine, len(slugs))
