"""The options of a run: dry, only, limit and stop."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from forecasts.common.errors import BadInput, CannotTell, CaptureError
from forecasts.ledger.models import PolicyKind
from forecasts.resolution import assignments
from forecasts.resolution.resolvers.protocol import Finding
from forecasts.resolution.runs import run
from tests.conftest import acting, day
from tests.resolution.conftest import attach
from tests.resolution.runs.conftest import Oracle, carry, contents, states, yes

pytestmark = pytest.mark.slow


def test_a_dry_run_writes_nothing(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain", "snow", "wind", "hail", "fog")

    def say(slug: str) -> Finding | None:
        if slug == "snow":
            raise CannotTell("The column is gone.")
        if slug == "wind":
            raise CaptureError("It is away.")
        return None if slug == "hail" else yes(slug)

    oracle(say)
    with acting(engine, "fog") as (session, fog, alice):
        assignments.set_policy(session, fog, PolicyKind.propose, member=alice, now=day(2))
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


def test_a_run_may_be_for_one_kind_or_so_many(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain", "snow", "wind")
    attach(engine, "deadline", "wind", at=1.5)
    oracle(yes)
    assert states(run.run(engine, now=day(11), only="deadline")) == {"wind": "confirmed"}
    assert states(run.run(engine, now=day(11), limit=1)) == {"rain": "confirmed"}
    assert states(run.run(engine, now=day(11), limit=0)) == {}
    with pytest.raises(BadInput, match="no resolver kind"):
        run.run(engine, now=day(11), only="tarot")
    assert states(run.run(engine, now=day(11), only="oracle")) == {"snow": "confirmed"}


def test_a_run_can_be_stopped(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain", "snow", "wind")
    oracle(yes)
    told: list[Any] = []
    came = run.run(
        engine, now=day(4), on_start=told.append, on_result=told.append, stop=lambda: len(told) > 1
    )
    assert told == [3, *came.results]
    assert states(came) == {"rain": "confirmed"}
    assert states(run.run(engine, now=day(4))) == {"snow": "confirmed", "wind": "confirmed"}
