"""Attempts: malformed answers fail one question only, and failures back off."""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forecasts.common.errors import CannotTell, CaptureError
from forecasts.common.times import iso
from forecasts.ledger import database
from forecasts.ledger.models import RunState
from forecasts.questions import registry
from forecasts.resolution import assignments, progress, proposals
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs import claiming, run
from tests.conftest import acting, day
from tests.resolution.conftest import attach, registered
from tests.resolution.runs.conftest import Oracle, Says, carry, states, watch, yes

pytestmark = pytest.mark.slow

NAIVE = day(2).replace(tzinfo=None)


def exits(_: str) -> Finding:
    sys.exit(0)


MALFORMED: dict[str, tuple[Says, str]] = {
    "ends": (exits, r"ended the program, by exit\(0\)"),
    "no-finding": (lambda _: "yes", "neither a Finding nor None"),
    "time-as-text": (
        lambda _: Finding("yes", iso(day(2))),
        "known_at, '2026-01-03.*not a datetime",
    ),
    "no-offset": (lambda _: Finding("yes", NAIVE), "known_at, .* is not a datetime with an offset"),
    "outcome": (lambda _: Finding(True, day(2)), "outcome, True, is not a text"),
    "note": (lambda _: Finding("yes", day(2), note=None), "note, None, is not a text"),
    "seen": (lambda _: Finding("yes", day(2), seen=(b"rain",)), "not a tuple of Seen"),
}


def test_a_malformed_answer_fails_only_its_question(engine: Engine, oracle: Oracle) -> None:
    carry(engine, *MALFORMED, "snow")
    oracle(lambda slug: yes(slug) if slug == "snow" else MALFORMED[slug][0](slug))
    expected = dict.fromkeys(MALFORMED, "failed") | {"snow": "confirmed"}
    assert states(run.run(engine, now=day(4), dry=True)) == expected
    came = run.run(engine, now=day(4))
    assert states(came) == expected
    said = {result.slug: result.message for result in came.results}
    for slug, (_, why) in MALFORMED.items():
        assert re.search(why, said[slug])
    for attempt in range(2, claiming.MOST_ATTEMPTS + 1):
        came = run.run(engine, now=day(4 + attempt))
    assert states(came) == dict.fromkeys(MALFORMED, "parked")


def test_an_invalid_not_before_fails(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")
    oracle(lambda _: None, not_before=lambda *_: NAIVE)
    [result] = run.run(engine, now=day(4)).results
    assert str(result.state) == "failed"
    assert "Its not_before" in result.message


def test_failures_are_retried_then_parked(engine: Engine, oracle: Oracle) -> None:
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


def test_a_success_forgets_the_failures(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")

    def gone(_: str) -> None:
        raise CannotTell("The column is gone.")

    oracle(gone)
    assert states(run.run(engine, now=day(4))) == {"rain": "parked"}
    with acting(engine) as (session, _, alice):
        assignments.retry(session, registry.find(session, "rain"), member=alice, now=day(5))
    oracle(lambda _: None)
    assert states(run.run(engine, now=day(5))) == {"rain": "not_yet"}
    row = watch(engine)
    assert (row.attempts, row.parked_at, row.reason) == (0, None, "")


def test_an_impossible_outcome_is_parked(engine: Engine, oracle: Oracle) -> None:
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
    assert states(run.run(engine, now=day(5), dry=True)) == {"rain": "failed", "snow": "confirmed"}


@pytest.mark.parametrize(
    ("number", "kept"), [(5000.5, "above_upper_bound"), (-1, "below_lower_bound"), (5000, "5000")]
)
def test_measured_numbers_may_be_beyond_the_bounds(
    engine: Engine, tmp_path: Path, number: float, kept: str
) -> None:
    (page := tmp_path / "page.json").write_text(json.dumps({"price": number}))
    (by_hand := tmp_path / "outcomes.csv").write_text(
        f"question,outcome,known_at\nwritten,{number},2026-01-03\n"
    )
    registered(engine, "read", "written", type="numeric", lower_bound="0", upper_bound="5000")
    attach(engine, "http_json", "read", url=str(page), outcome="price")
    attach(engine, "outcomes_file", "written", path=str(by_hand))
    came = {"read": "confirmed", "written": "confirmed" if number == 5000 else "parked"}
    assert states(run.run(engine, now=day(4), dry=True)) == came
    assert states(run.run(engine, now=day(4))) == came
    with database.reading(engine) as session:
        [row] = proposals.history(session, registry.find(session, "read"))
        assert row.outcome == kept
        assert ("lies outside 0 to 5000" in row.note) == (kept != "5000")
