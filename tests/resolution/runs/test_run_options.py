"""The options of a run: dry, only, limit and stop; and its findings, each recorded as one act."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access import roles
from forecasts.common.errors import BadInput, CannotTell, CaptureError
from forecasts.ledger import database, models
from forecasts.ledger.verification import verify
from forecasts.questions import registry
from forecasts.resolution import assignments, kept_evidence
from forecasts.resolution.resolvers import kinds
from forecasts.resolution.resolvers.protocol import Finding, Seen
from forecasts.resolution.runs import run
from tests.conftest import acting, day, on_both
from tests.resolution.conftest import attach
from tests.resolution.runs.conftest import Oracle, carry, contents, states, watch, yes

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
        assignments.set_policy(session, fog, models.PolicyKind.propose, member=alice, now=day(2))
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


@on_both
def test_a_question_is_left_to_a_process_that_has_what_its_resolvers_need(
    engine: Engine, oracle: Oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, "rain", "snow", "wind")
    monkeypatch.setenv("FORECASTS_COMMANDS_FOLDER", str(tmp_path))
    (tmp_path / "tell").write_text("")
    (tmp_path / "tell").chmod(0o755)
    attach(engine, "command", "rain", program="tell")
    attach(engine, "deadline", "rain", beside=True)  # which alone would decide
    attach(engine, "outcomes_file", "snow", path=str(tmp_path / "outcomes.csv"))
    with acting(engine, "rain") as (session, _, alice):
        roles.ensure_admin(session, alice, now=day(2))  # files of a shared ledger need the folder
    before = contents(engine)
    monkeypatch.delenv("FORECASTS_COMMANDS_FOLDER")
    monkeypatch.delenv("FORECASTS_FILES_FOLDER")
    monkeypatch.delitem(kinds.OURS, "oracle")
    left = run.run(engine, now=day(11))
    assert (left.due, left.results, contents(engine)) == (0, [], before)
    assert left.left_to_others == {
        "their kind is not installed": 1,
        "FORECASTS_COMMANDS_FOLDER is not set": 1,
        "FORECASTS_FILES_FOLDER is not set": 1,
    }
    monkeypatch.setenv("FORECASTS_COMMANDS_FOLDER", str(tmp_path))
    monkeypatch.setenv("FORECASTS_FILES_FOLDER", str(tmp_path))
    left = run.run(engine, now=day(11))
    assert states(left) == {"rain": "failed", "snow": "failed"}
    assert left.left_to_others == {"their kind is not installed": 1}


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


@on_both
def test_a_resolution_is_recorded_as_one_act(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")
    oracle(yes)
    [result] = run.run(engine, now=day(4)).results
    with database.reading(engine) as session:
        resolution = session.exec(select(models.Resolution)).one()
        assert (result.slug, resolution.outcome) == ("rain", "yes")
        assert len(session.exec(select(models.Score)).all()) == 3
        [kept] = kept_evidence.kept(session, registry.find(session, "rain"))
        assert (kept.data, kept.exhibit.size) == (b"rain", 4)
        assert kept.exhibit.sha256 == hashlib.sha256(b"rain").hexdigest()
        assert [row.state for row in session.exec(select(models.ResolverRun))] == ["confirmed"]
        assert verify(session).broken is None
    row = watch(engine)
    assert (row.next_at, row.claimed_by) == (None, None)


def test_large_documents_are_not_kept(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain", "snow")
    large = Seen("https://example.org/large", b"x" * 1_000_001, day(4))
    oracle(lambda slug: Finding("yes", day(2), seen=(*(yes(slug).seen), large)))
    run.run(engine, now=day(4))
    with database.reading(engine) as session:
        assert len(session.exec(select(models.Exhibit)).all()) == 4
        assert [row.data for row in session.exec(select(models.ExhibitContent))] == [b"rain"]
        kept = kept_evidence.kept(session, registry.find(session, "snow"))
        assert [one.data is None for one in kept] == [False, True]
        assert verify(session).broken is None


@on_both
def test_a_result_that_cannot_be_written_whole_is_tried_again_and_stops_no_other(
    engine: Engine, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = kept_evidence.keep

    def fails_on_rain(session: Session, row: models.Resolution, seen: Sequence[Seen]) -> None:
        if row.question_id == 1:
            raise ZeroDivisionError("unforeseen")
        keep(session, row, seen)

    carry(engine, "rain")
    oracle(yes)
    before = contents(engine)
    with monkeypatch.context() as patch:
        patch.setattr(kept_evidence, "keep", fails_on_rain)
        [result] = run.run(engine, now=day(4)).results
        assert (result.state, result.message) == ("failed", "ZeroDivisionError: unforeseen")
        after = contents(engine)
        changed = {name for name in before if before[name] != after[name]}
        assert changed == {"watch", "resolver_run"}
        carry(engine, "snow")
        assert states(run.run(engine, now=day(4.1))) == {"rain": "failed", "snow": "confirmed"}
    assert states(run.run(engine, now=day(4.2))) == {"rain": "confirmed"}
