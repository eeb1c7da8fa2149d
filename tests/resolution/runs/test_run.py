"""A run looks up the due questions, resolves those with an outcome, and records the rest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from forecasts.common.errors import BadInput, Refused
from forecasts.common.times import iso
from forecasts.ledger import database
from forecasts.ledger.models import Member, PolicyKind, Question, Resolution, ResolverRun
from forecasts.questions import revisions
from forecasts.resolution import assignments, progress
from forecasts.resolution.runs import claiming, run
from forecasts.resolution.runs.attempt import Answer
from tests.conftest import acting, ask, day, on_both, resolve
from tests.resolution.conftest import attach, registered
from tests.resolution.runs.conftest import states

pytestmark = pytest.mark.slow


@pytest.fixture
def outcomes(tmp_path: Path) -> Path:
    return tmp_path / "outcomes.csv"


def carry(engine: Engine, outcomes: Path, *slugs: str, **fields: Any) -> None:
    """Register questions that look in the outcomes file."""
    registered(engine, *slugs, **fields)
    for slug in slugs:
        attach(engine, "outcomes_file", slug, at=0, path=str(outcomes))


def write(outcomes: Path, *rows: tuple[str, str, str]) -> None:
    lines = ["question,outcome,known_at,source,note"]
    lines += [",".join([*row, "https://example.org/report", "as reported"]) for row in rows]
    outcomes.write_text("\n".join(lines) + "\n")


def message(summary: run.Summary, slug: str) -> str:
    [said] = [result.message for result in summary.results if result.slug == slug]
    return said


@on_both
def test_a_bad_or_missing_row_affects_only_its_question(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "rain", "snow", "wind", "hail")
    missing = run.run(engine, now=day(3))
    assert states(missing) == dict.fromkeys(("rain", "snow", "wind", "hail"), "failed")
    assert "cannot be read" in message(missing, "snow")
    known = iso(day(3))
    write(outcomes, ("rain", "perhaps", known), ("snow", "yes", "yesterday"), ("wind", "no", known))
    summary = run.run(engine, now=day(4))
    came = {"rain": "failed", "snow": "failed", "wind": "confirmed", "hail": "not_yet"}
    assert states(summary) == came
    assert "'perhaps' is not an outcome" in message(summary, "rain")
    with database.reading(engine) as session:
        looks = [row.lookup for row in progress.last_lookups(session)]
        assert sorted(str(look.state) for look in looks if look) == sorted(came.values())
        [resolution] = session.exec(select(Resolution)).all()
        assert (resolution.outcome, resolution.known_at) == ("no", day(3))
        assert resolution.source == "https://example.org/report"
        assert resolution.resolver_id is not None


def test_an_outcome_that_a_person_confirms_during_a_run_stays(
    engine: Engine, outcomes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes, ("rain", "yes", iso(day(3))))
    load = claiming.Claims.load

    def resolved_right_after(self: claiming.Claims, *given: Any) -> list[claiming.Claimed]:
        work = load(self, *given)
        with acting(engine) as (session, rain, alice):
            resolve(session, rain, alice, "no", 2, at=4)
        return work

    monkeypatch.setattr(claiming.Claims, "load", resolved_right_after)
    assert states(run.run(engine, now=day(4))) == {}
    with database.reading(engine) as session:
        assert session.exec(select(Resolution.outcome)).all() == ["no"]


def lookups(engine: Engine) -> list[tuple[str, datetime]]:
    with database.reading(engine) as session:
        rows = session.exec(select(ResolverRun).order_by(col(ResolverRun.id))).all()
    return [(str(row.state), row.started_at) for row in rows]


@on_both
def test_a_repeated_result_is_recorded_once_a_day(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes)
    for number in (3, 3.5, 4, 4.9):
        assert states(run.run(engine, now=day(number))) == {"rain": "not_yet"}
    assert lookups(engine) == [("not_yet", day(3)), ("not_yet", day(4))]
    write(outcomes, ("rain", "perhaps", iso(day(3))))
    run.run(engine, now=day(4.91))
    run.run(engine, now=day(4.92))
    write(outcomes)
    run.run(engine, now=day(4.95))
    write(outcomes, ("rain", "yes", iso(day(3))))
    run.run(engine, now=day(4.97))
    assert lookups(engine)[2:] == [
        ("failed", day(4.91)),
        ("not_yet", day(4.95)),
        ("confirmed", day(4.97)),
    ]


def test_a_new_resolver_replaces_the_first(engine: Engine, outcomes: Path, tmp_path: Path) -> None:
    carry(engine, tmp_path / "gone.csv", "rain")
    run.run(engine, now=day(3))
    newest = attach(engine, "outcomes_file", at=3, path=str(outcomes))
    write(outcomes)
    assert states(run.run(engine, now=day(4))) == {"rain": "not_yet"}
    with database.reading(engine) as session:
        [row] = progress.last_lookups(session)
    assert row.lookup is not None
    assert (row.resolver.settings, row.lookup.state) == (newest, "not_yet")


def test_a_question_that_has_not_opened_is_not_due(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "later", open_time=day(5))
    for at in (4, 4.9):
        assert states(run.run(engine, now=day(at))) == {}
    outcomes.write_text("question,outcome,known_at\n")
    assert states(run.run(engine, now=day(5))) == {"later": "not_yet"}


def test_a_question_reworded_during_a_run_is_looked_up_again(
    engine: Engine, outcomes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes, ("rain", "yes", iso(day(3))))
    look = run.ask

    def slowly(*given: Any) -> Answer:
        said = look(*given)
        with acting(engine) as (session, question, alice):
            revisions.revise(session, question, title="Rain?", member=alice, now=day(4))
        return said

    with monkeypatch.context() as patch:
        patch.setattr(run, "ask", slowly)
        assert states(run.run(engine, now=day(4))) == {}
    assert states(run.run(engine, now=day(5))) == {"rain": "confirmed"}


@on_both
def test_a_follower_waits_for_a_final_outcome(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "rain", "snow")
    write(outcomes, ("rain", "yes", iso(day(3))))
    with acting(engine) as (session, rain, alice):
        by: dict[str, Any] = {"member": alice, "now": day(0)}
        assignments.set_policy(session, rain, PolicyKind.confirm, dispute_days=3, **by)
    attach(engine, "question", "snow", at=0, question="rain")
    assert states(run.run(engine, now=day(4))) == {"rain": "confirmed", "snow": "not_yet"}
    assert states(run.run(engine, now=day(6))) == {"snow": "not_yet"}
    assert states(run.run(engine, now=day(8))) == {"snow": "confirmed"}


def test_unusable_settings_are_refused(session: Session, question: Question, alice: Member) -> None:
    def settings_of(kind: str, **settings: str) -> Any:
        given: dict[str, Any] = {"member": alice, "now": day(0)}
        return assignments.attach(session, question, kind, settings, **given).settings

    ask(session, alice, slug="snow")
    follows = {"question": "snow", "rule": "condition"}
    for kind, settings in (("oracle", {"path": "x"}), ("question", follows | {"when": "perhaps"})):
        with pytest.raises(BadInput):
            settings_of(kind, **settings)
    assert settings_of("question", **follows, when="Yes")["when"] == "yes"


def test_a_second_resolver_needs_another_source_not_another_spelling(
    session: Session, question: Question, alice: Member, tmp_path: Path
) -> None:
    file, link = tmp_path / "d.csv", tmp_path / "link.csv"
    link.symlink_to(file)
    by: dict[str, Any] = {"member": alice, "now": day(0), "beside": True}

    def add(path: str | Path) -> None:
        assignments.attach(session, question, "outcomes_file", {"path": str(path)}, **by)

    for first, *likewise in (
        (file, tmp_path / "sub" / ".." / "d.csv", link),
        (
            "https://example.org/d.csv",
            "HTTPS://Example.ORG:443/x/../d.csv#top",
            "http://example.org/%64.csv",
        ),
        ("https://example.org", "https://example.org/"),
    ):
        add(first)
        for second in likewise:
            with pytest.raises(Refused, match="independent sources"):
                add(second)
    for other in ("https://example.org/e.csv", "https://example.org/d.csv?of=2"):
        add(other)
    page = {"url": "https://example.org/e.csv", "outcome": "a", "outcomes": {"up": "yes"}}
    with pytest.raises(Refused, match="independent sources"):  # of another kind, too
        assignments.attach(session, question, "http_json", page, **by)
