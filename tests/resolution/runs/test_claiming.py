"""Runs share the work: each question is in one hand at a time, and none is lost or done twice."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from select import select as select_ready
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, insert, update
from sqlalchemy import select as rows_of
from sqlmodel import SQLModel, col, func, select

from forecasts.access.members import member_named, member_or_new
from forecasts.common.errors import BadInput, CannotTell, CaptureError, DatabaseError
from forecasts.common.times import iso
from forecasts.ledger import database
from forecasts.ledger.append import append
from forecasts.ledger.models import (
    Exhibit,
    ExhibitContent,
    Forecast,
    PolicyKind,
    Question,
    QuestionRevision,
    Resolution,
    Resolver,
    ResolverRun,
    RunState,
    Score,
    Watch,
)
from forecasts.ledger.verification import verify
from forecasts.questions import registry
from forecasts.resolution import (
    assignments,
    kept_evidence,
    policies,
    progress,
    proposals,
    resolutions,
)
from forecasts.resolution.resolvers.protocol import Finding, Kind, Seen, Settings
from forecasts.resolution.runs import claiming, run
from forecasts.updates import updates
from forecasts.updates.values import Value
from tests.conftest import ask, day

Says = Callable[[str], Finding | None]


class Oracle(Settings):
    name: str = ""


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the kind ``oracle`` say what a test wants of each question."""
    from forecasts.resolution.resolvers import kinds

    ours = kinds._ours

    def says(of: Says, **more: Any) -> None:
        def look(asked: Any, settings: Any, now: datetime, fetch: Any) -> Finding | None:
            return of(f"{settings.name}{asked.slug}")

        monkeypatch.setattr(
            kinds, "_ours", lambda: {**ours(), "oracle": Kind(Oracle, look, **more)}
        )

    says(lambda _: None)
    return says


def carry(engine: Engine, *slugs: str, **names: str) -> None:
    """Register questions with a forecast, and the oracle as their resolver."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for slug in slugs:
            question = ask(session, alice, slug=slug)
            updates.update(session, question, Value(probability=0.4), member=alice, now=day(1))
            assignments.attach(session, question, "oracle", names, member=alice, now=day(1))


def yes(_: str) -> Finding:
    return Finding("yes", day(2), seen=(Seen("https://example.org/x", b"rain", day(4)),))


def states(summary: run.Summary) -> dict[str, str]:
    return {result.slug: str(result.state) for result in summary.results}


def watch(engine: Engine) -> Watch:
    with database.reading(engine) as session:
        return session.exec(select(Watch)).one()


def contents(engine: Engine) -> dict[str, list[Any]]:
    with database.reading(engine) as session:
        return {
            table.name: session.execute(rows_of(table).order_by(*table.primary_key)).all()
            for table in SQLModel.metadata.sorted_tables
        }


# What is found is written at once


def test_a_resolution_its_scores_and_what_was_shown_are_one_act(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain")
    oracle(yes)
    [result] = run.run(engine, now=day(4)).results
    with database.reading(engine) as session:
        resolution = session.exec(select(Resolution)).one()
        assert result.resolution_id == resolution.id
        assert len(session.exec(select(Score)).all()) == 3
        [kept] = kept_evidence.kept(session, registry.find(session, "rain"))
        assert (kept.data, kept.exhibit.size) == (b"rain", 4)
        assert kept.exhibit.sha256 == hashlib.sha256(b"rain").hexdigest()
        assert [row.state for row in session.exec(select(ResolverRun))] == ["confirmed"]
        assert verify(session).broken is None
    row = watch(engine)
    assert (row.next_at, row.claimed_by) == (None, None)


def test_bytes_are_kept_once_and_none_that_are_too_many(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain", "snow")
    large = Seen("https://example.org/large", b"x" * 1_000_001, day(4))
    oracle(lambda slug: Finding("yes", day(2), seen=(*(yes(slug).seen), large)))
    run.run(engine, now=day(4))
    with database.reading(engine) as session:
        assert len(session.exec(select(Exhibit)).all()) == 4
        assert [row.data for row in session.exec(select(ExhibitContent))] == [b"rain"]
        kept = kept_evidence.kept(session, registry.find(session, "snow"))
        assert [one.data is None for one in kept] == [False, True]
        assert verify(session).broken is None


def test_what_cannot_be_written_whole_is_not_written_and_is_tried_again(
    engine: Engine, oracle: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, "rain")
    oracle(yes)
    before = contents(engine)
    with monkeypatch.context() as patch:
        patch.setattr(kept_evidence, "keep", lambda *_: 1 / 0)
        assert states(run.run(engine, now=day(4))) == {"rain": "failed"}
    after = contents(engine)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"watch", "resolver_run"}
    assert states(run.run(engine, now=day(4.1))) == {"rain": "confirmed"}


# Resolvers of others

NAIVE = day(2).replace(tzinfo=None)


def exits(_: str) -> Finding:
    sys.exit(0)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (exits, r"ended the program, by exit\(0\)"),
        (lambda _: "yes", "neither a Finding nor None"),
        (lambda _: Finding("yes", iso(day(2))), "known_at, '2026-01-03.*not a datetime"),
        (lambda _: Finding("yes", NAIVE), "known_at, .* is not a datetime with an offset"),
        (lambda _: Finding(True, day(2)), "outcome, True, is not a text"),
        (lambda _: Finding("yes", day(2), note=None), "note, None, is not a text"),
        (lambda _: Finding("yes", day(2), seen=(b"rain",)), "not a tuple of Seen"),
    ],
)
def test_a_resolver_that_does_not_answer_as_it_should_fails_its_question_and_no_other(
    engine: Engine, oracle: Callable[..., None], bad: Says, why: str
) -> None:
    carry(engine, "rain", "snow")
    oracle(lambda slug: bad(slug) if slug == "rain" else yes(slug))
    assert states(run.run(engine, now=day(4), dry=True)) == {"rain": "failed", "snow": "confirmed"}
    came = run.run(engine, now=day(4))
    assert states(came) == {"rain": "failed", "snow": "confirmed"}
    assert re.search(why, {result.slug: result.message for result in came.results}["rain"])
    for attempt in range(2, claiming.MOST_ATTEMPTS + 1):
        [result] = run.run(engine, now=day(4 + attempt)).results
    assert (result.slug, str(result.state)) == ("rain", "parked")


def test_so_does_one_that_waits_for_no_moment(engine: Engine, oracle: Callable[..., None]) -> None:
    carry(engine, "rain")
    oracle(lambda _: None, not_before=lambda *_: NAIVE)
    [result] = run.run(engine, now=day(4)).results
    assert str(result.state) == "failed"
    assert "Its not_before" in result.message


# Claims and leases


def test_a_question_in_the_hand_of_another_run_is_left_until_its_lease_is_over(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain")
    came: list[dict[str, str]] = []

    def meanwhile(slug: str) -> Finding:
        if not came:
            came.append({})
            came[0] = states(run.run(engine, now=day(4), clock=lambda: day(4)))
        return yes(slug)

    oracle(meanwhile)
    assert states(run.run(engine, now=day(4), clock=lambda: day(4))) == {"rain": "confirmed"}
    assert came == [{}]


class Killed(BaseException):
    """As if the process had ended: nothing after it is done."""


@pytest.fixture
def killed(
    engine: Engine, oracle: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Let a run be killed while it looks."""

    def kill() -> None:
        def look(_: str) -> Finding:
            raise Killed

        oracle(look)
        with monkeypatch.context() as patch:
            patch.setattr(claiming.Claims, "release", lambda _: None)
            with pytest.raises(Killed):
                run.run(engine, now=day(4), clock=lambda: day(4))
        oracle(yes)

    return kill


def test_the_work_of_a_killed_run_is_taken_up_when_its_lease_is_over(
    engine: Engine, oracle: Callable[..., None], killed: Callable[[], None]
) -> None:
    carry(engine, "rain")
    killed()
    just_before = day(4) + claiming.LEASE - timedelta(seconds=1)
    assert states(run.run(engine, now=just_before, clock=lambda: just_before)) == {}
    over = day(4) + claiming.LEASE
    assert states(run.run(engine, now=over, clock=lambda: over)) == {"rain": "confirmed"}


def test_a_run_whose_lease_was_over_writes_nothing_of_what_another_has_taken(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain")
    came: list[dict[str, str]] = []

    def slow(slug: str) -> Finding:
        if not came:
            came.append({})
            late = day(5)
            came[0] = states(run.run(engine, now=late, clock=lambda: late))
            return Finding("no", day(2))
        return yes(slug)

    oracle(slow)
    assert states(run.run(engine, now=day(4), clock=lambda: day(4))) == {}
    assert came == [{"rain": "confirmed"}]
    with database.reading(engine) as session:
        assert session.exec(select(Resolution.outcome)).all() == ["yes"]


def test_so_with_a_look_that_found_nothing(engine: Engine, oracle: Callable[..., None]) -> None:
    carry(engine, "rain")
    came: list[dict[str, str]] = []

    def slow(_: str) -> None:
        if not came:
            came.append({})
            came[0] = states(run.run(engine, now=day(5), clock=lambda: day(5)))
        raise CaptureError("It is away.")

    oracle(slow)
    assert states(run.run(engine, now=day(4), clock=lambda: day(4))) == {}
    assert came == [{"rain": "failed"}]
    assert watch(engine).attempts == 2  # one that was too slow might as well have been killed


def test_a_lease_is_renewed_while_the_run_goes_on(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain", "snow", "wind")
    at = [day(4)]
    others: list[dict[str, str]] = []

    def slow(slug: str) -> Finding:
        at[0] += claiming.LEASE * 0.6
        others.append(states(run.run(engine, now=day(4), clock=lambda: at[0])))
        return yes(slug)

    oracle(slow)
    came = states(run.run(engine, now=day(4), clock=lambda: at[0]))
    assert came == dict.fromkeys(("rain", "snow", "wind"), "confirmed")
    assert others == [{}, {}, {}]


def test_two_looks_that_each_take_as_long_as_one_may_do_not_outlast_the_lease(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain")
    with database.writing(engine) as session:
        alice, rain = member_named(session, "alice"), registry.find(session, "rain")
        for name in ("second ", "third "):
            assignments.attach(
                session, rain, "oracle", {"name": name}, member=alice, now=day(1), beside=True
            )
    at, takes = [day(4)], iter([7, 10, 10])
    others: list[dict[str, str]] = []

    def slow(slug: str) -> Finding:
        at[0] += timedelta(minutes=next(takes))
        others.append(states(run.run(engine, now=day(4), clock=lambda: at[0])))
        return yes(slug)

    oracle(slow)
    assert states(run.run(engine, now=day(4), clock=lambda: at[0])) == {"rain": "confirmed"}
    assert others == [{}, {}, {}]


def runs_on(engine: Engine, at: timedelta) -> dict[str, str]:
    moment = day(4) + at
    return states(run.run(engine, now=moment, clock=lambda: moment))


def test_a_question_that_kills_whoever_looks_at_it_is_parked_in_the_end_and_stops_no_other(
    engine: Engine, oracle: Callable[..., None], monkeypatch: pytest.MonkeyPatch
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
            runs_on(engine, attempt * claiming.LEASE)
        except Killed:
            deaths += 1
    assert deaths == claiming.MOST_ATTEMPTS
    with database.reading(engine) as session:
        resolved = select(Question.slug).join(Resolution)
        assert set(session.exec(resolved)) == {"first", "last", "next"}
    over = claiming.MOST_ATTEMPTS * claiming.LEASE
    before = contents(engine)
    dry = run.run(engine, now=day(4) + over, clock=lambda: day(4) + over, dry=True)
    assert states(dry) == {"deadly": "parked"}
    assert contents(engine) == before
    assert runs_on(engine, over) == {"deadly": "parked"}
    with database.reading(engine) as session:
        [parked] = progress.parked(session)
        said = session.exec(select(ResolverRun).order_by(col(ResolverRun.id).desc())).first()
    assert (parked.slug, parked.attempts) == ("deadly", claiming.MOST_ATTEMPTS)
    assert "was killed before it could record a result" in parked.reason
    assert said is not None
    assert (said.state, said.message) == (RunState.parked, parked.reason)


def test_what_a_killed_run_had_is_taken_up_however_much_else_is_due(
    engine: Engine, oracle: Callable[..., None], killed: Callable[[], None]
) -> None:
    carry(engine, "rain")
    killed()
    carry(engine, "snow", "wind", "hail", "fog")
    over = day(4) + claiming.LEASE
    came = [states(run.run(engine, now=over, clock=lambda: over, limit=2)) for _ in range(2)]
    assert list(came[0]) == ["snow", "rain"]
    assert list(came[1]) == ["wind", "hail"]
    assert states(run.run(engine, now=over, clock=lambda: over, limit=1)) == {"fog": "confirmed"}


def test_those_whose_run_was_killed_by_another_question_have_lost_nothing(
    engine: Engine, oracle: Callable[..., None], killed: Callable[[], None]
) -> None:
    carry(engine, "rain")
    killed()
    oracle(lambda _: None)
    assert runs_on(engine, claiming.LEASE) == {"rain": "not_yet"}
    row = watch(engine)
    assert (row.attempts, row.claimed_by) == (0, None)


def test_another_resolver_takes_the_question_out_of_the_hand_of_a_run(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain")

    def meanwhile(slug: str) -> Finding:
        if slug == "rain":
            with database.writing(engine) as session:
                alice = member_named(session, "alice")
                rain = registry.find(session, "rain")
                named = {"name": "other "}
                assignments.attach(session, rain, "oracle", named, member=alice, now=day(4))
            return Finding("no", day(2))
        return yes(slug)

    oracle(meanwhile)
    assert states(run.run(engine, now=day(4))) == {}
    assert states(run.run(engine, now=day(4))) == {"rain": "confirmed"}
    with database.reading(engine) as session:
        assert session.exec(select(Resolution.outcome)).all() == ["yes"]


def test_a_ledger_that_cannot_be_written_to_ends_the_run_and_what_it_had_is_free(
    engine: Engine, oracle: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, "rain", "snow")

    def full(*_: object, **__: object) -> None:
        raise DatabaseError("The disk is full.")

    oracle(yes)
    with monkeypatch.context() as patch:
        patch.setattr(resolutions, "confirm", full)
        with pytest.raises(DatabaseError):
            run.run(engine, now=day(4))
    came = run.run(engine, now=day(4))
    assert states(came) == {"rain": "confirmed", "snow": "confirmed"}


def test_runs_at_once_share_the_work(engine: Engine, oracle: Callable[..., None]) -> None:
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


def assert_each_is_resolved_once(engine: Engine, count: int) -> None:
    with database.reading(engine) as session:
        for table in (Resolution, Exhibit):
            assert session.exec(select(func.count(col(table.id)))).one() == count
        assert len(set(session.exec(select(Resolution.question_id)).all())) == count
        scored = session.exec(
            select(Score.resolution_id, func.count()).group_by(col(Score.resolution_id))
        )
        assert [many for _, many in scored] == [3] * count
        looks = session.exec(
            select(func.count(col(ResolverRun.id))).where(ResolverRun.state == RunState.confirmed)
        )
        assert looks.one() == count
        held = select(Watch.id).where(
            col(Watch.next_at).is_not(None) | col(Watch.claimed_by).is_not(None)
        )
        assert session.exec(held).all() == []
        assert verify(session).broken is None


# What fails


def test_what_fails_is_tried_again_later_and_later_and_then_parked(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain")

    def away(_: str) -> None:
        raise CaptureError("example.org cannot be reached.")

    oracle(away)
    at, pauses = day(4), []
    for attempt in range(1, claiming.MOST_ATTEMPTS + 1):
        [result] = run.run(engine, now=at).results
        row = watch(engine)
        assert row.attempts == attempt
        assert row.reason == "example.org cannot be reached."
        assert row.next_at is not None
        pauses.append(row.next_at - at)
        assert states(run.run(engine, now=row.next_at - timedelta(seconds=1))) == {}
        at = row.next_at
    assert result.state == RunState.parked
    assert pauses[:3] == [timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=45)]
    assert max(pauses) == timedelta(days=1)
    assert at - day(4) > timedelta(days=2)
    later = run.run(engine, now=day(400))
    assert (states(later), later.waiting) == ({}, 1)
    with database.reading(engine) as session:
        [parked] = progress.parked(session)
    assert (parked.slug, parked.reason) == ("rain", "example.org cannot be reached.")


def test_a_retry_lets_it_look_again_and_a_look_that_works_forgets_the_failures(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain")

    def gone(_: str) -> None:
        raise CannotTell("The column is gone.")

    oracle(gone)
    assert states(run.run(engine, now=day(4))) == {"rain": "parked"}
    with database.writing(engine) as session:
        alice = member_named(session, "alice")
        assignments.retry(session, registry.find(session, "rain"), member=alice, now=day(5))
    oracle(lambda _: None)
    assert states(run.run(engine, now=day(5))) == {"rain": "not_yet"}
    row = watch(engine)
    assert (row.attempts, row.parked_at, row.reason) == (0, None, "")


def test_what_may_pass_is_not_parked_at_once(engine: Engine, oracle: Callable[..., None]) -> None:
    carry(engine, "rain")

    def half(_: str) -> None:
        raise CannotTell("The series ends too early.", temporary=True)

    oracle(half)
    assert states(run.run(engine, now=day(4))) == {"rain": "failed"}


def test_an_outcome_that_cannot_be_resolves_nothing(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain", "snow", "wind")
    found = {
        "rain": Finding("perhaps", day(2)),
        "snow": Finding("yes", day(5)),  # it is day 4
        "wind": Finding("yes", day(0)),  # known before it opened
    }
    oracle(found.__getitem__)
    came = {"rain": "failed", "snow": "failed", "wind": "parked"}  # which no time will change
    assert states(run.run(engine, now=day(4), dry=True)) == came
    assert states(run.run(engine, now=day(4))) == came
    with database.reading(engine) as session:
        [parked] = progress.parked(session)
        assert "known at 2026-01-01 00:00 UTC, not after 'wind' opened" in parked.reason
    assert states(run.run(engine, now=day(5), dry=True)) == {
        "rain": "failed",
        "snow": "confirmed",
    }


@pytest.mark.parametrize(
    ("number", "kept"), [(5000.5, "above_upper_bound"), (-1, "below_lower_bound"), (5000, "5000")]
)
def test_a_number_beyond_the_bounds_is_an_outcome_where_it_is_read_off_and_a_slip_elsewhere(
    engine: Engine, tmp_path: Path, number: float, kept: str
) -> None:
    (page := tmp_path / "page.json").write_text(json.dumps({"price": number}))
    (by_hand := tmp_path / "outcomes.csv").write_text(
        f"question,outcome,known_at\nwritten,{number},2026-01-03\n"
    )
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for slug, kind, settings in (
            ("read", "http_json", {"url": str(page), "outcome": "price"}),
            ("written", "outcomes_file", {"path": str(by_hand)}),
        ):
            bounds = {"type": "numeric", "lower_bound": "0", "upper_bound": "5000"}
            question = ask(session, alice, slug=slug, **bounds)
            assignments.attach(session, question, kind, settings, member=alice, now=day(1))
    came = {"read": "confirmed", "written": "confirmed" if number == 5000 else "parked"}
    assert states(run.run(engine, now=day(4), dry=True)) == came
    assert states(run.run(engine, now=day(4))) == came
    with database.reading(engine) as session:
        [row] = resolutions.history(session, registry.find(session, "read"))
        assert row.outcome == kept
        assert ("lies outside 0 to 5000" in row.note) == (kept != "5000")


# What is asked of a run


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain", "snow", "wind", "hail", "fog")

    def say(slug: str) -> Finding | None:
        if slug == "snow":
            raise CannotTell("The column is gone.")
        if slug == "wind":
            raise CaptureError("It is away.")
        return None if slug == "hail" else yes(slug)

    oracle(say)
    with database.writing(engine) as session:
        alice = member_named(session, "alice")
        fog = registry.find(session, "fog")
        policies.set_policy(session, fog, PolicyKind.propose, member=alice, now=day(2))
    before = contents(engine)
    wanted = {
        "rain": "confirmed",
        "snow": "parked",
        "wind": "failed",
        "hail": "not_yet",
        "fog": "proposed",
    }
    assert states(run.run(engine, now=day(4), dry=True)) == wanted
    assert contents(engine) == before
    # And what it said is what is done.
    assert states(run.run(engine, now=day(4))) == wanted
    assert states(run.run(engine, now=day(5), dry=True)) == {
        "wind": "failed",
        "hail": "not_yet",
        "fog": "not_yet",
    }


def test_a_run_may_be_for_one_kind_or_so_many(engine: Engine, oracle: Callable[..., None]) -> None:
    carry(engine, "rain", "snow", "wind")
    with database.writing(engine) as session:
        alice = member_named(session, "alice")
        wind = registry.find(session, "wind")
        assignments.attach(session, wind, "deadline", {}, member=alice, now=day(1.5))
    oracle(yes)
    assert states(run.run(engine, now=day(11), only="deadline")) == {"wind": "confirmed"}
    assert states(run.run(engine, now=day(11), limit=1)) == {"rain": "confirmed"}
    assert states(run.run(engine, now=day(11), limit=0)) == {}
    with pytest.raises(BadInput, match="no resolver kind"):
        run.run(engine, now=day(11), only="tarot")
    assert states(run.run(engine, now=day(11), only="oracle")) == {"snow": "confirmed"}


def test_a_run_says_how_many_are_due_and_ends_when_it_is_told_to(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain", "snow", "wind")
    oracle(yes)
    told: list[Any] = []
    came = run.run(
        engine, now=day(4), on_start=told.append, on_result=told.append, stop=lambda: len(told) > 1
    )
    assert told == [3, *came.results]
    assert states(came) == {"rain": "confirmed"}
    assert states(run.run(engine, now=day(4))) == {"snow": "confirmed", "wind": "confirmed"}


# Policies


def test_a_policy_lets_a_person_decide_and_their_yes_keeps_what_was_shown(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain")
    oracle(yes)
    with database.writing(engine) as session:
        alice = member_named(session, "alice")
        rain = registry.find(session, "rain")
        policies.set_policy(session, rain, PolicyKind.propose, member=alice, now=day(2))
    came = run.run(engine, now=day(4))
    assert (states(came), came.waiting) == ({"rain": "proposed"}, 1)
    assert states(run.run(engine, now=day(5))) == {"rain": "not_yet"}
    with database.writing(engine) as session:
        rain = registry.find(session, "rain")
        [proposal] = proposals.proposals_on(session, rain)
        resolutions.accept(session, proposal, now=day(6), member=member_named(session, "alice"))
        assert [row.data for row in kept_evidence.kept(session, rain)] == [b"rain"]
    after = run.run(engine, now=day(7))
    assert (states(after), after.waiting) == ({}, 0)


def test_a_quorum_waits_for_the_second_witness_and_a_contradiction_for_people(
    engine: Engine, oracle: Callable[..., None]
) -> None:
    carry(engine, "rain", "snow")
    with database.writing(engine) as session:
        alice = member_named(session, "alice")
        for slug in ("rain", "snow"):
            question = registry.find(session, slug)
            named = {"name": "second-"}
            assignments.attach(
                session, question, "oracle", named, member=alice, now=day(1), beside=True
            )
            policies.set_policy(
                session, question, PolicyKind.quorum, agreeing=2, member=alice, now=day(1)
            )
    oracle(lambda slug: None if slug.startswith("second-") else yes(slug))
    [result, _] = run.run(engine, now=day(4)).results
    assert (result.state, result.message) == (
        RunState.not_yet,
        "1 of 2 agree on yes, known on 03 January 2026",
    )
    no = Finding("no", day(3), note="saw none")
    oracle(lambda slug: no if slug == "second-snow" else yes(slug))
    came = run.run(engine, now=day(5))
    assert states(came) == {"rain": "confirmed", "snow": "proposed"}
    with database.reading(engine) as session:
        proposed = proposals.proposals_on(session, registry.find(session, "snow"))
        assert [row.outcome for row in proposed] == ["yes", "no"]
        assert all("saw none" in row.note for row in proposed)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": PolicyKind.quorum}, "number of resolvers"),
        ({"kind": PolicyKind.quorum, "agreeing": 1}, "two or more resolvers"),
        ({"kind": PolicyKind.quorum, "agreeing": 2}, "has 1"),
        ({"kind": PolicyKind.confirm, "agreeing": 2}, "number of resolvers"),
        ({"kind": PolicyKind.confirm, "dispute_days": -1}, "got -1"),
        ({"kind": PolicyKind.confirm, "dispute_days": 4000}, "got 4000"),
        ({"kind": PolicyKind.confirm, "dispute_days": float("nan")}, "got nan"),
    ],
)
def test_a_policy_that_cannot_work_is_refused_when_it_is_given(
    engine: Engine, oracle: Callable[..., None], given: dict[str, Any], words: str
) -> None:
    carry(engine, "rain")
    with database.writing(engine) as session:
        alice = member_named(session, "alice")
        rain = registry.find(session, "rain")
        with pytest.raises(BadInput, match=words):
            policies.set_policy(session, rain, member=alice, now=day(2), **given)
        assert policies.current_policy(session, rain) is None


# Time


BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
# A deadline as somebody names it where they live, and when that is. They are asked in January, when
# Berlin is an hour ahead of UTC, Sydney eleven, New York five behind: for most that will not hold.
CLOSES = {
    "a leap day": (datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), "2028-02-29T23:59:59Z"),
    "noon in summer": (datetime(2026, 7, 1, 12, tzinfo=BERLIN), "2026-07-01T10:00:00Z"),
    "noon where July is winter": (
        datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Australia/Sydney")),
        "2026-07-01T02:00:00Z",
    ),
    "noon in winter": (datetime(2026, 12, 1, 12, tzinfo=BERLIN), "2026-12-01T11:00:00Z"),
    "before the clock is set forward": (
        datetime(2026, 3, 29, 1, 59, 59, tzinfo=BERLIN),
        "2026-03-29T00:59:59Z",
    ),
    "after it was": (datetime(2026, 3, 29, 3, tzinfo=BERLIN), "2026-03-29T01:00:00Z"),
    "an hour that comes twice": (
        datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
        "2026-10-25T00:30:00Z",
    ),
    "the same hour again": (
        datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
        "2026-10-25T01:30:00Z",
    ),
    "midnight in the west": (datetime(2026, 11, 1, tzinfo=NEW_YORK), "2026-11-01T04:00:00Z"),
    "the last second of a year": (
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=NEW_YORK),
        "2027-01-01T04:59:59Z",
    ),
}


@pytest.mark.parametrize("closes", CLOSES)
def test_nothing_is_resolved_a_second_too_early(engine: Engine, closes: str) -> None:
    named, moment = CLOSES[closes]
    end = datetime.fromisoformat(moment)  # no arithmetic on ``named``: it would count by the clock
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain", scheduled_close_time=named)
        assignments.attach(session, question, "deadline", {}, member=alice, now=day(0))
    early = end - timedelta(seconds=1)
    for at in (end - timedelta(days=40), end - timedelta(hours=1), early):
        assert states(run.run(engine, now=at)) in ({}, {"rain": "not_yet"})
    # The clock is set back by an hour, and then it is an hour later after all.
    assert states(run.run(engine, now=early - timedelta(hours=1))) == {}
    assert states(run.run(engine, now=end)) == {"rain": "confirmed"}
    with database.reading(engine) as session:
        assert session.exec(select(Resolution.known_at)).one() == end


def test_a_run_across_midnight_sees_one_day(engine: Engine, oracle: Callable[..., None]) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for slug, close in (("before", 10), ("after", 10 + 1 / 86_400)):
            question = ask(session, alice, slug=slug, scheduled_close_time=day(close))
            assignments.attach(session, question, "deadline", {}, member=alice, now=day(0))
    clock = iter(day(10) + timedelta(hours=number) for number in range(100))
    came = run.run(engine, now=day(10), clock=lambda: next(clock))
    assert states(came) == {"before": "confirmed", "after": "not_yet"}


# Many


def fill(engine: Engine, count: int, *, kind: str, settings: dict[str, Any]) -> list[str]:
    """Write many questions that close on day 10, each with a forecast and a resolver."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        first = ask(session, alice, slug="first")
        updates.update(session, first, Value(probability=0.4), member=alice, now=day(1))
        assignments.attach(session, first, kind, settings, member=alice, now=day(1))
        connection = session.connection()
        for table in (Question, QuestionRevision, Forecast, Resolver, Watch):
            [row] = connection.execute(rows_of(table.__table__)).mappings()  # type: ignore[attr-defined]
            own = {name: value for name, value in row.items() if name != "id"}
            rows = []
            for number in range(count - 1):
                new = own | ({"slug": f"rain-{number}"} if "slug" in own else {})
                rows.append(new | ({"question_id": number + 2} if "question_id" in own else {}))
            if table in (Question, QuestionRevision, Forecast):
                append(
                    session,
                    str(table.__tablename__),
                    {name: [new[name] for new in rows] for name in own},
                )
            else:
                connection.execute(insert(table), rows)
        return [*connection.scalars(rows_of(Question.slug).order_by(col(Question.id)))]


@pytest.fixture
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are run."""
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_where_nothing_is_due_the_statements_are_a_handful_however_many_questions(
    engine: Engine, counted: list[str]
) -> None:
    fill(engine, 300, kind="deadline", settings={})
    first = run.run(engine, now=day(5))
    assert first.count(RunState.not_yet) == 300
    counted.clear()
    assert states(run.run(engine, now=day(5.5))) == {}
    assert len(counted) < 10
    assert not any(said.startswith(("UPDATE", "INSERT")) for said in counted)


def test_what_is_due_and_not_known_yet_takes_a_handful_a_batch(
    engine: Engine, counted: list[str]
) -> None:
    fill(engine, 300, kind="deadline", settings={})
    counted.clear()
    run.run(engine, now=day(5))
    assert len(counted) < 2 * 25


RUNNER = """
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from forecasts.ledger import database
from forecasts.resolution.runs import claiming, run as runs

claiming.LEASE, claiming.BATCH = timedelta(seconds=float(sys.argv[2])), int(sys.argv[3])
claiming.uuid = SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=sys.argv[4]))
runs.run(
    database.open_engine(sys.argv[1]),
    now=datetime(2026, 1, 12, tzinfo=UTC),
    clock=lambda: datetime.now(UTC),
    on_result=lambda result: print(result.slug, flush=True),
)
"""


def outcomes(path: Path, slugs: list[str]) -> None:
    rows = [f"{slug},yes,{iso(day(5))}" for slug in slugs]
    path.write_text("\n".join(["question,outcome,known_at", *rows]) + "\n")


@pytest.mark.nightly
@pytest.mark.parametrize("kills", [0, 50])
def test_eight_runs_resolve_two_thousand_questions_once_each_however_many_are_killed(
    engine: Engine, ledger_url: str, tmp_path: Path, kills: int
) -> None:
    file = tmp_path / "outcomes.csv"
    slugs = fill(engine, 2_000, kind="outcomes_file", settings={"path": str(file)})
    outcomes(file, slugs)
    engine.dispose()
    chosen = random.Random(20260112 + kills)
    began = time.monotonic()
    names = map("run-{}".format, count(1))

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        """Start a run that says each question that it has done."""
        name, lease, batch = next(names), *(("4", "20") if kills else ("60", "50"))
        command = [sys.executable, "-c", RUNNER, ledger_url, lease, batch, name]
        return name, subprocess.Popen(command, stdout=subprocess.PIPE)

    def kill(name: str, one: subprocess.Popen[bytes]) -> int:
        """Kill the run, which works, and return how many questions it had in its hand."""
        time.sleep(chosen.uniform(0, 0.02))
        one.send_signal(signal.SIGKILL)
        one.communicate()
        assert one.returncode == -signal.SIGKILL, "it had ended by itself"
        with database.reading(engine) as session:
            held = select(func.count(col(Watch.id))).where(Watch.claimed_by == name)
            return session.exec(held).one()

    running = [start() for _ in range(8)]
    # Each has a life of some questions, so that none of them does all the work meanwhile.
    lives = [chosen.randint(1, 15) for _ in running]
    in_hand: list[int] = []
    while len(in_hand) < kills:
        at_work = {one.stdout: place for place, (_, one) in enumerate(running)}
        for said in select_ready(list(at_work), [], [])[0]:
            place = at_work[said]
            lives[place] -= os.read(said.fileno(), 65_536).count(b"\n")
            if lives[place] <= 0 and len(in_hand) < kills:
                in_hand.append(kill(*running[place]))
                running[place], lives[place] = start(), chosen.randint(1, 15)
    assert sum(many > 0 for many in in_hand) >= 0.8 * kills  # the others were between two batches
    codes = [(one.communicate(), one.returncode)[1] for _, one in running]
    while kills:  # what the last of them had in hand is free when their leases are over
        with database.reading(engine) as session:
            if (
                session.exec(select(Watch.id).where(col(Watch.next_at).is_not(None))).first()
                is None
            ):
                break
        start()[1].communicate()
    print(
        json.dumps(
            {"kills": kills, "in_hand": in_hand, "seconds": round(time.monotonic() - began, 1)}
        )
    )
    assert codes == [0] * 8
    assert_each_is_resolved_once(engine, 2_000)


@pytest.mark.nightly
def test_a_run_on_ten_thousand_questions_none_of_which_is_due_takes_less_than_two_seconds(
    engine: Engine, ledger_url: str
) -> None:
    fill(engine, 10_000, kind="deadline", settings={})
    began = time.monotonic()
    run.run(engine, now=day(5))
    first = time.monotonic() - began
    with database.writing(engine) as session:  # it is later than that by now
        session.execute(update(Watch).values(next_at=day(100_000)))
    engine.dispose()
    command = [sys.executable, "-c", "from forecasts.cli.main import main; main()", "run"]
    took = []
    for _ in range(5):
        began = time.monotonic()
        done = subprocess.run(
            [*command, "--database", ledger_url], capture_output=True, text=True, check=False
        )
        took.append(time.monotonic() - began)
        assert done.stdout.startswith("0 resolved"), done.stderr
    print(json.dumps({"first_looks": round(first, 2), "seconds": [round(one, 2) for one in took]}))
    assert sorted(took)[2] < 2
