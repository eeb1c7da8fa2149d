import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from forecasts.access.members import member_or_new
from forecasts.common.errors import BadInput, Refused
from forecasts.common.times import iso
from forecasts.ledger import database
from forecasts.ledger.models import PolicyKind, Resolution, ResolverRun, RunState
from forecasts.questions import registry, revisions
from forecasts.resolution import assignments, confirmation, policies, progress
from forecasts.resolution.runs import claiming, run
from forecasts.resolution.runs.agreement import Answer
from tests.conftest import ask, day

pytestmark = pytest.mark.slow


@pytest.fixture
def outcomes(tmp_path: Path) -> Path:
    return tmp_path / "outcomes.csv"


def carry(engine: Engine, outcomes: Path, *slugs: str) -> None:
    """Register questions that look in the outcomes file."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        for slug in slugs:
            question = ask(session, alice, slug=slug)
            assignments.attach(
                session,
                question,
                "outcomes_file",
                {"path": str(outcomes)},
                member=alice,
                now=day(0),
            )


def write(outcomes: Path, *rows: tuple[str, str, str]) -> None:
    lines = ["question,outcome,known_at,source,note"]
    lines += [",".join([*row, "https://example.org/report", "as reported"]) for row in rows]
    outcomes.write_text("\n".join(lines) + "\n")


def message(summary: run.Summary, slug: str) -> str:
    [said] = [result.message for result in summary.results if result.slug == slug]
    return said


def states(summary: run.Summary) -> dict[str, str]:
    return {result.slug: str(result.state) for result in summary.results}


def test_a_run_resolves_what_the_file_knows_and_leaves_the_rest(
    engine: Engine, outcomes: Path
) -> None:
    carry(engine, outcomes, "rain", "snow")
    write(outcomes, ("rain", "yes", iso(day(3))))
    assert states(run.run(engine, now=day(4))) == {"rain": "confirmed", "snow": "not_yet"}
    with database.reading(engine) as session:
        [resolution] = session.exec(select(Resolution)).all()
        assert (resolution.outcome, resolution.known_at) == ("yes", day(3))
        assert resolution.source == "https://example.org/report"
        assert resolution.resolver_id is not None


def test_a_second_run_changes_nothing(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes, ("rain", "yes", iso(day(3))))
    run.run(engine, now=day(4))
    assert states(run.run(engine, now=day(5))) == {}
    with database.reading(engine) as session:
        assert len(session.exec(select(Resolution)).all()) == 1


def test_an_outcome_that_will_be_known_later_waits(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes, ("rain", "yes", iso(day(6))))
    assert states(run.run(engine, now=day(4))) == {"rain": "not_yet"}
    assert states(run.run(engine, now=day(6))) == {"rain": "confirmed"}


def test_json_is_read_as_well(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "outcomes.json"
    path.write_text(
        json.dumps([{"question": "rain", "outcome": "no", "known_at": "2026-01-03", "note": None}])
    )
    carry(engine, path, "rain")
    assert states(run.run(engine, now=day(4))) == {"rain": "confirmed"}


def test_one_bad_row_fails_its_question_with_a_reason_and_stops_no_other(
    engine: Engine, outcomes: Path
) -> None:
    carry(engine, outcomes, "rain", "snow", "wind")
    write(
        outcomes,
        ("rain", "perhaps", iso(day(3))),
        ("snow", "yes", "yesterday"),
        ("wind", "no", iso(day(3))),
    )
    summary = run.run(engine, now=day(4))
    assert states(summary) == {"rain": "failed", "snow": "failed", "wind": "confirmed"}
    assert "'perhaps' is not an outcome" in message(summary, "rain")
    with database.reading(engine) as session:
        looks = [row.lookup for row in progress.last_lookups(session)]
        assert [str(look.state) for look in looks if look] == ["failed", "failed", "confirmed"]


def test_a_question_that_stands_twice_with_two_outcomes_is_not_resolved(
    engine: Engine, outcomes: Path
) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes, ("rain", "yes", iso(day(3))), ("rain", "no", iso(day(3))))
    [result] = run.run(engine, now=day(4)).results
    assert result.state == RunState.failed
    assert "has two outcomes" in result.message


@pytest.mark.parametrize(
    "row",
    [
        "n,2026-01-03,1,500",  # a decimal comma, or a thousands comma
        "n,2026-01-03",
        'n,2026-01-03,"1"000',
        'n,2026-01-03,"1',
        '2026-01-03,"n",1,500',
    ],
)
def test_a_row_that_has_not_the_cells_of_the_header_fails_its_question_and_no_other(
    engine: Engine, outcomes: Path, row: str
) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        bounds = {"type": "numeric", "lower_bound": "0", "upper_bound": "5000"}
        for slug in ("n", "rain"):
            question = ask(session, alice, slug=slug, **(bounds if slug == "n" else {}))
            where = {"path": str(outcomes)}
            assignments.attach(session, question, "outcomes_file", where, member=alice, now=day(0))
    outcomes.write_text(f"question,known_at,outcome\n\nrain,2026-01-03,yes\n{row}\n")
    summary = run.run(engine, now=day(4))
    assert states(summary) == {"n": "failed", "rain": "confirmed"}
    assert "outcomes.csv, line 4: " in message(summary, "n")


def test_rows_that_an_open_quote_has_swallowed_fail_their_questions(
    engine: Engine, outcomes: Path
) -> None:
    carry(engine, outcomes, "rain", "snow", "wind")
    write(outcomes, ("rain", "yes", iso(day(3))), ("snow", '"yes', "x"), ("wind", "no", "x"))
    summary = run.run(engine, now=day(4))
    assert states(summary) == {"rain": "confirmed", "snow": "failed", "wind": "failed"}


def test_a_column_that_stands_twice_is_refused(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "rain")
    outcomes.write_text("question,outcome,outcome,known_at\nrain,yes,no,2026-01-03\n")
    [result] = run.run(engine, now=day(4)).results
    assert result.message.startswith("outcomes.csv has more than one column 'outcome'.")


def test_what_a_person_resolves_while_a_run_looks_stands(
    engine: Engine, outcomes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes, ("rain", "yes", iso(day(3))))
    load = claiming.Claims.load

    def resolved_right_after(self, session, ids):
        work = load(self, session, ids)
        with database.writing(engine) as other:
            alice = member_or_new(other, "alice", now=day(0))
            rain = registry.find(other, "rain")
            confirmation.confirm(other, rain, "no", known_at=day(2), now=day(4), member=alice)
        return work

    monkeypatch.setattr(claiming.Claims, "load", resolved_right_after)
    assert states(run.run(engine, now=day(4))) == {}
    with database.reading(engine) as session:
        assert session.exec(select(Resolution.outcome)).all() == ["no"]


def test_whatever_goes_wrong_with_one_question_the_others_are_resolved(
    engine: Engine, outcomes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, outcomes, "rain", "snow")
    write(outcomes, ("rain", "yes", iso(day(3))), ("snow", "yes", iso(day(3))))
    confirm = confirmation.confirm

    def fails_on_rain(session, question, outcome, **more):
        if question.slug == "rain":
            raise ZeroDivisionError("unforeseen")
        return confirm(session, question, outcome, **more)

    monkeypatch.setattr(confirmation, "confirm", fails_on_rain)
    summary = run.run(engine, now=day(4))
    assert states(summary) == {"rain": "failed", "snow": "confirmed"}
    assert "ZeroDivisionError: unforeseen" in message(summary, "rain")


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"",
        b"question,outcome\n",
        b"\xff\xfe\x00",
        b'{"question": 1}',
        b"[1, 2]",
        b"[{",
    ],
)
def test_a_file_that_cannot_be_read_fails_with_words(
    engine: Engine, outcomes: Path, content: bytes
) -> None:
    carry(engine, outcomes, "rain")
    outcomes.write_bytes(content)
    [result] = run.run(engine, now=day(4)).results
    assert result.state == RunState.failed
    assert result.message.strip()


def test_a_missing_file_fails_every_question_that_looks_in_it(
    engine: Engine, outcomes: Path
) -> None:
    carry(engine, outcomes, "rain", "snow")
    summary = run.run(engine, now=day(4))
    assert states(summary) == {"rain": "failed", "snow": "failed"}
    assert "cannot be read" in message(summary, "snow")


def looks(engine: Engine) -> list[tuple[str, str, datetime]]:
    with database.reading(engine) as session:
        rows = session.exec(select(ResolverRun).order_by(col(ResolverRun.id))).all()
    return [(str(row.state), row.message, row.started_at) for row in rows]


def test_a_look_that_says_the_same_again_is_recorded_once_a_day(
    engine: Engine, outcomes: Path
) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes)
    for number in (3, 3.5, 4, 4.9):
        assert states(run.run(engine, now=day(number))) == {"rain": "not_yet"}
    assert [at for *_, at in looks(engine)] == [day(3), day(4)]


def test_a_look_that_says_something_else_is_recorded_at_once(
    engine: Engine, outcomes: Path
) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes)
    run.run(engine, now=day(3))
    write(outcomes, ("rain", "perhaps", iso(day(3))))
    run.run(engine, now=day(3.1))
    run.run(engine, now=day(3.2))
    write(outcomes)
    run.run(engine, now=day(3.3))
    write(outcomes, ("rain", "yes", iso(day(3))))
    run.run(engine, now=day(3.4))
    assert [(state, at) for state, _, at in looks(engine)] == [
        ("not_yet", day(3)),
        ("failed", day(3.1)),
        ("not_yet", day(3.3)),
        ("confirmed", day(3.4)),
    ]


def test_many_runs_do_not_make_many_rows(engine: Engine, outcomes: Path) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain", scheduled_close_time=day(400))
        where = {"path": str(outcomes)}
        assignments.attach(session, question, "outcomes_file", where, member=alice, now=day(0))
    write(outcomes)
    for hour in range(0, 60, 4):
        run.run(engine, now=day(1) + timedelta(hours=hour))
    assert len(looks(engine)) == 3  # the days that sixty hours touch


def test_another_resolver_takes_the_place_of_the_first(
    engine: Engine, outcomes: Path, tmp_path: Path
) -> None:
    carry(engine, tmp_path / "gone.csv", "rain")
    run.run(engine, now=day(3))
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        where = {"path": str(outcomes)}
        rain = registry.find(session, "rain")
        newest = assignments.attach(session, rain, "outcomes_file", where, member=alice, now=day(3))
    write(outcomes)
    assert states(run.run(engine, now=day(4))) == {"rain": "not_yet"}
    with database.reading(engine) as session:
        [row] = progress.last_lookups(session)
    assert (row.resolver.id, row.lookup.state if row.lookup else None) == (newest.id, "not_yet")


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("outcomes_file", {}),
        ("outcomes_file", {"path": ""}),
        ("outcomes_file", {"path": 3}),
        ("outcomes_file", {"path": "x", "colour": "red"}),
        ("oracle", {"path": "x"}),
    ],
)
def test_malformed_settings_are_refused_when_the_question_gets_its_resolver(
    engine: Engine, kind: str, settings: dict[str, object]
) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice)
        with pytest.raises(BadInput):
            assignments.attach(session, question, kind, settings, member=alice, now=day(0))


def test_a_question_that_has_not_opened_is_not_due(engine: Engine, outcomes: Path) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, open_time=day(5), slug="later")
        assignments.attach(
            session, question, "outcomes_file", {"path": str(outcomes)}, member=alice, now=day(0)
        )
    assert states(run.run(engine, now=day(4))) == {}
    assert states(run.run(engine, now=day(4.9))) == {}
    outcomes.write_text("question,outcome,known_at\n")
    assert states(run.run(engine, now=day(5))) == {"later": "not_yet"}


def test_what_has_been_reworded_while_a_run_looked_is_looked_at_again(
    engine: Engine, outcomes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(engine, outcomes, "rain")
    write(outcomes, ("rain", "yes", iso(day(3))))
    look = run.ask

    def slowly(*given: Any) -> Answer:
        said = look(*given)
        with database.writing(engine) as session:
            alice = member_or_new(session, "alice", now=day(4))
            question = registry.find(session, "rain")
            revisions.revise(
                session, question, title="Rain?", member=alice, now=day(4), reason="shorter"
            )
        return said

    monkeypatch.setattr(run, "ask", slowly)
    assert states(run.run(engine, now=day(4))) == {}
    monkeypatch.setattr(run, "ask", look)
    assert states(run.run(engine, now=day(5))) == {"rain": "confirmed"}


def test_who_follows_a_question_waits_until_its_outcome_is_final(
    engine: Engine, outcomes: Path
) -> None:
    carry(engine, outcomes, "rain", "snow")
    write(outcomes, ("rain", "yes", iso(day(3))))
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain, snow = (registry.find(session, slug) for slug in ("rain", "snow"))
        policies.set_policy(
            session, rain, PolicyKind.confirm, dispute_days=3, member=alice, now=day(0)
        )
        assignments.attach(
            session, snow, "question", {"question": "rain"}, member=alice, now=day(0)
        )
    assert states(run.run(engine, now=day(4))) == {"rain": "confirmed", "snow": "not_yet"}
    assert states(run.run(engine, now=day(6))) == {"snow": "not_yet"}
    assert states(run.run(engine, now=day(8))) == {"snow": "confirmed"}


def test_settings_that_can_never_work_are_refused_at_once(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "rain", "snow")
    words = {"outcome": "type(@)", "outcomes": {"up": "yes"}}
    refused: list[tuple[str, dict[str, Any]]] = [
        ("question", {"question": "snow", "rule": "condition", "when": "perhaps"}),
        ("feed", {"url": "https://example.org/feed", "outcome": "perhaps", "any_of": ["rain"]}),
        ("http_json", {"url": "htps://example.org/a", **words}),
        ("http_json", {"url": "https://me:secret@example.org/a", **words}),
        ("series", {"source": "a.csv", "expression": "max(value) > 1 between close and open"}),
    ]
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain = registry.find(session, "rain")
        for kind, settings in refused:
            with pytest.raises(BadInput):
                assignments.attach(session, rain, kind, settings, member=alice, now=day(0))
        follows = {"question": "snow", "rule": "condition", "when": "Yes"}
        kept = assignments.attach(session, rain, "question", follows, member=alice, now=day(0))
        assert kept.settings["when"] == "yes"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{tmp}/d.csv", "{tmp}/sub/../d.csv"),
        ("{tmp}/d.csv", "{tmp}/link.csv"),
        ("https://example.org/d.csv", "HTTPS://Example.ORG:443/x/../d.csv#top"),
        ("https://example.org/d.csv", "http://example.org/%64.csv"),
        ("https://example.org", "https://example.org/"),
    ],
)
def test_a_place_is_the_same_however_it_is_written(
    engine: Engine, tmp_path: Path, first: str, second: str
) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "d.csv")
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain = ask(session, alice, slug="rain")

        def add(path: str) -> None:
            where = {"path": path.format(tmp=tmp_path)}
            assignments.attach(
                session, rain, "outcomes_file", where, member=alice, now=day(0), beside=True
            )

        add(first)
        with pytest.raises(Refused, match="independent sources"):
            add(second)
        for other in ("https://example.org/e.csv", "https://example.org/d.csv?of=2"):
            add(other)


def test_the_same_place_is_no_second_witness(engine: Engine, outcomes: Path) -> None:
    carry(engine, outcomes, "rain")
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain = registry.find(session, "rain")
        settings = {"url": "https://example.org/a", "outcome": "a", "outcomes": {"up": "yes"}}
        for number, path in enumerate("ab"):
            given = settings | {"outcome": path}
            if number:
                with pytest.raises(Refused, match="independent sources"):
                    assignments.attach(
                        session, rain, "http_json", given, member=alice, now=day(0), beside=True
                    )
            else:
                assignments.attach(
                    session, rain, "http_json", given, member=alice, now=day(0), beside=True
                )
