"""A finding is recorded in one transaction, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.ledger import database
from forecasts.ledger.models import Exhibit, ExhibitContent, Resolution, ResolverRun, Score
from forecasts.ledger.verification import verify
from forecasts.questions import registry
from forecasts.resolution import kept_evidence
from forecasts.resolution.resolvers.protocol import Finding, Seen
from forecasts.resolution.runs import run
from tests.conftest import day, on_both
from tests.resolution.runs.conftest import Oracle, carry, contents, states, watch, yes

pytestmark = pytest.mark.slow


@on_both
def test_a_resolution_is_recorded_as_one_act(engine: Engine, oracle: Oracle) -> None:
    carry(engine, "rain")
    oracle(yes)
    [result] = run.run(engine, now=day(4)).results
    with database.reading(engine) as session:
        resolution = session.exec(select(Resolution)).one()
        assert (result.slug, resolution.outcome) == ("rain", "yes")
        assert len(session.exec(select(Score)).all()) == 3
        [kept] = kept_evidence.kept(session, registry.find(session, "rain"))
        assert (kept.data, kept.exhibit.size) == (b"rain", 4)
        assert kept.exhibit.sha256 == hashlib.sha256(b"rain").hexdigest()
        assert [row.state for row in session.exec(select(ResolverRun))] == ["confirmed"]
        assert verify(session).broken is None
    row = watch(engine)
    assert (row.next_at, row.claimed_by) == (None, None)


def test_large_documents_are_not_kept(engine: Engine, oracle: Oracle) -> None:
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


@on_both
def test_a_result_that_cannot_be_written_whole_is_tried_again_and_stops_no_other(
    engine: Engine, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = kept_evidence.keep

    def fails_on_rain(session: Session, row: Resolution, seen: Sequence[Seen]) -> None:
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
