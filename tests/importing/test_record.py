"""The record of another platform is compared with the ledger and imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from forecasts.access.members import find_member, member_or_new
from forecasts.access.roles import ensure_admin
from forecasts.access.visibility import read_as
from forecasts.common.errors import BadInput, Forbidden, in_words
from forecasts.folder.frames import typed_frame
from forecasts.importing.record import Change, Preview, import_record
from forecasts.ledger import database
from forecasts.ledger.models import Forecast, Member, PrintedScore, QuestionOrigin
from forecasts.ledger.verification import verify
from forecasts.platforms.record import (
    ORIGIN_COLUMNS,
    PRINTED_COLUMNS,
    PlatformRecord,
    frames_of,
)
from forecasts.questions import registry, revisions
from forecasts.questions.discards import discard
from forecasts.questions.standing import listing
from forecasts.resolution import confirmation
from forecasts.scores.scored_questions import scored_questions
from tests.conftest import day
from tests.remarks import notes_of

pytestmark = pytest.mark.slow

NOW = day(30)


def record(
    *forecasts: tuple[str, str, float, float | None],
    questions: Mapping[str, Mapping[str, Any]] | None = None,
    printed: Sequence[tuple[str, str, str, float]] = (),
    bots: Sequence[str] = (),
    **more: Any,
) -> PlatformRecord:
    """Return a record of questions, by default one called ``metaculus-7``.

    A forecast is given by question, forecaster, day and probability.
    """
    given = {"metaculus-7": {}} if questions is None else questions
    fields = [
        {
            "question_id": id_,
            "title": f"Will {id_} happen?",
            "type": "binary",
            "open_time": day(0),
            "scheduled_close_time": day(20),
            **said,
        }
        for id_, said in given.items()
    ]
    names = list(dict.fromkeys(name for each in fields for name in each))
    blank = {"options": None, "actual_close_time": pd.NaT, "known_at": pd.NaT}
    return PlatformRecord(
        platform="metaculus",
        frames=frames_of(
            {name: [each.get(name, blank.get(name, "")) for each in fields] for name in names},
            {
                "question_id": [one[0] for one in forecasts],
                "forecaster": [one[1] for one in forecasts],
                "made_at": [day(one[2]) for one in forecasts],
                "probability": [float("nan") if one[3] is None else one[3] for one in forecasts],
            },
            bots=bots,
        ),
        origins=typed_frame(
            {
                "question_id": list(given),
                "platform_id": [id_.removeprefix("metaculus-") for id_ in given],
                "url": [f"https://elsewhere.example/{id_}" for id_ in given],
            },
            ORIGIN_COLUMNS,
        ),
        printed=typed_frame(
            {
                name: [one[at] for one in printed]
                for at, name in enumerate(("question_id", "forecaster", "name", "score"))
            },
            PRINTED_COLUMNS,
        ),
        **more,
    )


def come_in(engine: Engine, given: PlatformRecord, who: str = "alice", **more: Any) -> Preview:
    """Import the record as this member, who reads as themselves."""
    with database.writing(engine) as session:
        member = member_or_new(session, who, now=day(0))
        read_as(session, member, now=NOW)
        return import_record(session, given, member=member, now=NOW, **more)


def looked(engine: Engine, given: PlatformRecord, who: str = "alice", **more: Any) -> Preview:
    """Return the preview of an import as this member."""
    return come_in(engine, given, who, dry_run=True, **more)


def said_by(engine: Engine) -> list[tuple[str, float | None]]:
    """Return who made each forecast, and its probability."""
    by = select(Member.handle, Forecast.probability).where(Member.id == Forecast.member_id)
    with database.reading(engine) as session:
        return sorted(session.exec(by).all())


def shared(engine: Engine, *members: str) -> None:
    """Make the ledger one that several use; the first member is its admin."""
    with database.writing(engine) as session:
        first, *_ = (member_or_new(session, handle, now=day(0)) for handle in members)
        ensure_admin(session, first, now=day(0))


def digest(engine: Engine) -> str:
    """Return the digest of the ledger's chain, which is sound."""
    with database.reading(engine) as session:
        found = verify(session)
    assert found.broken is None
    return found.digest


def test_questions_forecasts_outcomes_origins_and_printed_scores_come_in_once(
    engine: Engine,
) -> None:
    given = record(
        ("metaculus-7", "alice", 1, 0.25),
        ("metaculus-7", "alice", 3, None),
        questions={"metaculus-7": {"resolution": "no", "known_at": day(12)}},
        printed=[("metaculus-7", "alice", "peer", 12.5)],
    )
    done = come_in(engine, given)
    assert (done.counts.questions, done.counts.forecasts, done.counts.resolutions) == (1, 2, 1)
    assert done.counts.scores > 0
    with database.reading(engine) as session:
        [origin] = session.exec(select(QuestionOrigin))
        assert (origin.platform, origin.platform_id) == ("metaculus", "7")
        assert origin.url == "https://elsewhere.example/metaculus-7"
        [score] = session.exec(select(PrintedScore))
        assert (score.name, score.score, score.coverage) == ("peer", 12.5, None)
        first, withdrawal = session.exec(select(Forecast).order_by(col(Forecast.made_at)))
        assert (first.probability, first.made_at, first.recorded_at) == (0.25, day(1), NOW)
        assert first.origin == "import"
        assert withdrawal.withdrawn
    before = digest(engine)
    seen = looked(engine, given)
    assert seen.changes_nothing
    assert (seen.unchanged, seen.left_out) == (1, [])
    come_in(engine, given)
    assert digest(engine) == before


def test_a_newer_export_adds_its_new_rows(engine: Engine) -> None:
    come_in(engine, record(("metaculus-7", "alice", 1, 0.25)))
    more = record(("metaculus-7", "alice", 1, 0.25), ("metaculus-7", "alice", 2, 0.5))
    [row] = looked(engine, more).questions
    assert (row.change, row.forecasts, row.known) == ("more forecasts", 1, 1)
    newer = record(
        ("metaculus-7", "alice", 1, 0.25),
        ("metaculus-7", "alice", 2, 0.5),
        questions={
            "metaculus-7": {"title": "Will it now?", "resolution": "yes", "known_at": day(12)}
        },
        printed=[("metaculus-7", "alice", "peer", 3.0)],
    )
    seen = looked(engine, newer)
    [row] = seen.questions
    assert (row.change, row.forecasts, row.known) == (Change.changed, 1, 1)
    assert row.details == ["title: Will metaculus-7 happen? → Will it now?", "outcome: yes"]
    done = come_in(engine, newer)
    assert (done.counts.revised, done.counts.forecasts, done.printed) == (1, 1, 1)
    come_in(engine, replace(newer, printed=newer.printed.assign(score=4.0)))
    older = record(("metaculus-7", "alice", 1, 0.25), printed=[("metaculus-7", "alice", "peer", 3)])
    # It does not bring the earlier title back, nor the earlier score.
    assert come_in(engine, older).changes_nothing


def test_a_members_own_rewording_is_not_undone_by_the_same_export(engine: Engine) -> None:
    come_in(engine, record())
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=NOW)
        question = registry.find(session, "metaculus-7")
        revisions.revise(session, question, member=alice, now=NOW, title="Mine", reason="clearer")
    assert come_in(engine, record()).changes_nothing


def test_a_contradiction_of_the_ledger_is_left_out_with_its_reason(engine: Engine) -> None:
    said = {"resolution": "yes", "known_at": day(12)}
    come_in(engine, record(questions={"metaculus-7": said, "metaculus-8": {}}))
    turned = said | {"resolution": "no", "scheduled_close_time": day(25)}
    done = come_in(
        engine,
        record(
            ("metaculus-8", "alice", 1, 0.5), questions={"metaculus-7": turned, "metaculus-8": {}}
        ),
    )
    assert done.counts.forecasts == 1
    assert [(one.place, one.reason[:21]) for one in done.left_out] == [
        ("questions, row 1, column scheduled_close_time", "2026-01-21 00:00:00+0"),
        ("questions, row 1, column resolution", "resolved here as yes,"),
    ]
    # Without a known time it names the time that the first import said.
    come_in(engine, record(questions={"metaculus-9": {"resolution": "yes", "resolved_at": day(9)}}))
    turned = {"resolution": "no", "resolved_at": day(9)}
    [one] = looked(engine, record(questions={"metaculus-9": turned})).left_out
    assert one.reason == "resolved here as yes, recorded at 2026-01-10 00:00 UTC"


def test_a_withdrawn_outcome_stays_so_if_the_platform_repeats_it(engine: Engine) -> None:
    said = {"resolution": "yes", "known_at": day(12), "actual_close_time": day(12)}
    given = record(questions={"metaculus-7": said})
    come_in(engine, given)
    with database.writing(engine) as session:
        [state] = listing(session, now=NOW)
        alice = member_or_new(session, "alice", now=NOW)
        confirmation.withdraw(session, state.question, reason="a slip", member=alice, now=NOW)
    [one] = come_in(engine, given).left_out
    assert one.reason.startswith("withdrawn here at")
    with database.reading(engine) as session:
        [state] = listing(session, now=NOW)
    assert state.resolution is None
    assert state.text.actual_close_time is None


def test_an_outcome_known_too_early_is_left_out(engine: Engine) -> None:
    said = {"resolution": "yes", "known_at": day(-1)}
    done = come_in(engine, record(questions={"metaculus-7": said}))
    assert (done.counts.questions, done.counts.resolutions) == (1, 0)
    assert "no forecast on it can be scored" in done.left_out[0].reason


def test_an_option_added_later_does_not_bring_earlier_forecasts_in_again_nor_do_other_options(
    engine: Engine,
) -> None:
    def poll(options: list[str], values: list[float | None]) -> PlatformRecord:
        said = {"type": "multiple_choice", "options": options}
        given = record(("metaculus-7", "alice", 1, None), questions={"metaculus-7": said})
        given.frames.forecasts["probabilities"] = pd.Series([values], dtype=object)
        return given

    come_in(engine, poll(["A", "Other"], [0.25, 0.75]))
    done = come_in(engine, poll(["A", "B", "Other"], [0.25, None, 0.75]))
    assert (done.counts.revised, done.counts.forecasts) == (1, 0)
    older = come_in(engine, poll(["A", "Other"], [0.25, 0.75]))
    assert older.changes_nothing
    others = come_in(engine, poll(["C", "D"], [0.5, 0.5]))
    assert others.counts.forecasts == 0
    assert [one.reason for one in others.left_out][1:] == ["for other options or another type"]


def test_an_unknown_account_is_answered_with_the_names_of_the_file(engine: Engine) -> None:
    for names, known, said in (
        (["zoe", "ben_m"], None, "The names in the file: ben_m, zoe."),
        (["alice", "zoe"], "Al Bell", "The names in the file: Al Bell, zoe."),
        ([f"ann{number:02}" for number in range(11)], None, "Did you mean ann"),
        ([f"zoe{number:02}" for number in range(11)], None, "Give the name as in the file."),
        ([], None, "It has no forecasts."),
    ):
        given = record(*(("metaculus-7", name, 1, 0.5) for name in names), account=known)
        with pytest.raises(BadInput) as caught:
            come_in(engine, given, account="ann")
        assert str(caught.value).startswith(f"No forecast in the file is by 'ann'. {said}")
        assert caught.value.remedy == ("Give the name as in the file." if names else "")


def test_an_account_of_a_file_with_many_is_mapped_to_a_member(engine: Engine) -> None:
    given = record(("metaculus-7", "ann_m", 1, 0.5), ("metaculus-7", "zoe", 1, 0.25))
    done = come_in(engine, given, account="ann_m")
    assert (done.new_members, done.known_members) == (["zoe"], [])
    with database.reading(engine) as session:
        assert find_member(session, "ann_m") is None
    assert looked(engine, given).known_members == []
    more = record(("metaculus-7", "ann", 2, 0.5), ("metaculus-7", "zoe", 2, 0.25))
    assert looked(engine, more).known_members == ["zoe"]
    told = record(("metaculus-7", "alice", 3, 0.5), account="Ann Bell")
    assert looked(engine, told, account="Ann Bell").counts.forecasts == 1


def test_a_note_names_an_account_with_the_importers_name(engine: Engine) -> None:
    given = record(
        ("metaculus-7", "alice", 1, 0.5),
        ("metaculus-7", "ann_m", 1, 0.25),
        printed=[("metaculus-7", "alice", "peer", 3.0)],
    )
    assert (
        "Forecasts by 'alice' in the file are imported as yours."
        in notes_of(looked(engine, given))[-1]
    )
    done = come_in(engine, given, account="ann_m")
    assert done.new_members == ["alice (Metaculus)"]
    assert not notes_of(done)
    assert said_by(engine) == [("alice", 0.25), ("alice (Metaculus)", 0.5)]


def test_a_namesake_can_be_chosen_beside_the_files_account(engine: Engine) -> None:
    given = record(
        ("metaculus-7", "alice", 1, 0.5),
        ("metaculus-7", "alice (Metaculus)", 1, 0.25),
        account="Ann Bell",
    )
    assert come_in(engine, given, account="alice").new_members == ["Ann Bell"]
    assert said_by(engine) == [("Ann Bell", 0.5), ("alice", 0.25)]


def test_an_admin_imports_the_record_of_another_member_as_theirs(engine: Engine) -> None:
    shared(engine, "alice", "emma")
    given = record(("metaculus-7", "emma", 1, 0.5), ("metaculus-7", "zoe", 1, 0.25), account="Em")
    done = come_in(engine, given, owner="emma", vouch=True)
    assert done.whose == "1 new forecast by 'Em' in the file becomes emma's."
    assert (done.known_members, done.new_members) == (["emma"], ["zoe"])
    assert said_by(engine) == [("emma", 0.5), ("zoe", 0.25)]
    named = record(("metaculus-7", "ann_m", 2, 0.75))
    assert come_in(engine, named, account="ann_m", owner="emma").known_members == ["emma"]
    with pytest.raises(Forbidden):
        come_in(engine, record(("metaculus-7", "alice", 3, 0.5)), who="emma", owner="alice")


def test_a_preview_names_the_member_with_the_accounts_name(engine: Engine) -> None:
    shared(engine, "alice", "emma")
    come_in(engine, record(("metaculus-7", "emma", 1, 0.5)), owner="emma", vouch=True)
    seen = looked(engine, record(("metaculus-7", "alice", 1, 0.5), account="Emma"))
    assert in_words(seen.whose) == (
        "1 new forecast by 'Emma' in the file becomes alice's. The ledger has a member 'emma', who "
        "has 1 on these questions. If they are that member's, name the member: --as emma"
    )
    others = looked(engine, record(("metaculus-7", "alice", 1, 0.5), account="Al Bell"))
    assert others.whose == "1 new forecast by 'Al Bell' in the file becomes alice's."


def test_notes_name_a_file_without_the_importer(engine: Engine) -> None:
    given = record(("metaculus-7", "ann_m", 1, 0.5), ("metaculus-7", "zoe", 1, 0.25))
    [note] = notes_of(come_in(engine, given))
    assert note.startswith("No forecast in the file is imported as yours.")
    [note] = notes_of(come_in(engine, given, account="ann_m"))
    assert note.startswith("Forecasts already imported stay with the member 'ann_m'")
    bots = record(("metaculus-7", "oracle", 1, 0.5), bots=["oracle"])
    assert not notes_of(looked(engine, bots))


def test_two_importers_of_a_question_learn_nothing_of_each_other(engine: Engine) -> None:
    shared(engine, "admin", "alice", "bob")
    for who in ("alice", "bob"):
        given = record(("metaculus-7", who, 1, 0.25))
        assert looked(engine, given, who).questions[0].change is Change.new
        done = come_in(engine, given, who)
        assert (done.counts.questions, done.counts.kept_private) == (1, 1)
        assert come_in(engine, given, who).changes_nothing
        with database.writing(engine) as session:
            member = member_or_new(session, who, now=NOW)
            read_as(session, member, now=NOW)
            [state] = listing(session, now=NOW)
            assert state.slug == f"metaculus-7.{member.id}"


def test_a_question_that_others_see_is_shared_by_its_importers(engine: Engine) -> None:
    shared(engine, "admin", "alice", "bob")
    said = {"metaculus-7": {"resolution_criteria": "As the gazette says."}}
    for who in ("alice", "bob"):
        come_in(engine, record(("metaculus-7", who, 1, 0.25), questions=said), who)
    with database.reading(engine) as session:
        [state] = listing(session, now=NOW)
        assert state.slug == "metaculus-7"
        assert len(session.exec(select(Forecast)).all()) == 2


def test_members_do_not_reword_or_resolve_others_questions(engine: Engine) -> None:
    shared(engine, "admin", "alice", "bob")
    said = {"resolution_criteria": "As the gazette says."}
    come_in(engine, record(questions={"metaculus-7": said}), "alice")
    newer = said | {"background": "Rain.", "resolution": "yes", "known_at": day(12)}
    given = record(("metaculus-7", "bob", 1, 0.25), questions={"metaculus-7": newer})
    done = come_in(engine, given, "bob")
    assert (done.counts.forecasts, done.counts.revised, done.counts.resolutions) == (1, 0, 0)
    assert [one.reason for one in done.left_out] == [
        "you may not reword this question",
        "you may not resolve this question",
    ]
    with pytest.raises(Forbidden, match="other members' forecasts"):
        come_in(engine, record(("metaculus-7", "zoe", 1, 0.25)), "bob")


def test_a_discarded_question_does_not_come_back(engine: Engine) -> None:
    given = record(("metaculus-7", "alice", 1, 0.25), questions={"metaculus-7": {}, "m-8": {}})
    come_in(engine, record(questions={"metaculus-7": {}}))
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=NOW)
        discard(session, registry.find(session, "metaculus-7"), member=alice, now=NOW)
    done = come_in(engine, given)
    assert [row.question_id for row in done.questions] == ["m-8"]
    assert [one.reason for one in done.left_out] == ["you have discarded this question here"]


def test_a_value_that_breaks_a_rule_is_named_and_nothing_comes_in(engine: Engine) -> None:
    given = record(("metaculus-7", "alice", 1, 1.5))
    with pytest.raises(BadInput) as caught:
        come_in(engine, given)
    assert [str(one) for one in caught.value.problems] == [
        "forecasts, row 1, column probability: '1.5' must be from 0 to 1."
    ]
    with database.reading(engine) as session:
        assert listing(session, now=NOW) == []


def test_the_lists_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecasts.importing.record.SHOWN", 2)
    given = record(questions={f"metaculus-{n}": {} for n in range(5)})
    seen = looked(engine, given)
    assert (len(seen.questions), seen.more) == (2, 3)


WITHDRAWN = [("metaculus-7", "alice", 1, 0.4), ("metaculus-7", "alice", 2, None)]


def test_withdrawals_are_counted_apart_from_forecasts(engine: Engine) -> None:
    given = record(*WITHDRAWN)
    seen = looked(engine, given)
    assert (seen.counts.made, seen.counts.withdrawals) == (1, 1)
    [row] = seen.questions
    assert (row.forecasts, row.details) == (1, ["1 withdrawal"])
    come_in(engine, given)
    [row] = looked(engine, record(*WITHDRAWN, ("metaculus-7", "alice", 3, None))).questions
    assert (row.forecasts, row.known, row.details) == (0, 1, ["1 withdrawal"])


def test_names_that_differ_in_capitals_are_named_with_the_remedy(engine: Engine) -> None:
    come_in(engine, record(("metaculus-7", "bob", 1, 0.4)))
    [said] = [
        note
        for note in notes_of(
            looked(engine, record(("metaculus-7", "Bob", 1, 0.4), ("metaculus-7", "Alice", 1, 0.5)))
        )
        if "capital" in note
    ]
    assert "'Bob' beside 'bob'" in said
    assert "'Alice' beside 'alice'" in said
    assert "give both the same name in the file before you import it" in said
    assert "name it: --account NAME" in said


def test_members_given_forecasts_by_name_are_listed(engine: Engine) -> None:
    theirs = record(("fatebook-7", "bob", 1, 0.4), questions={"fatebook-7": {}})
    come_in(engine, replace(theirs, platform="fatebook"))
    first = record(("metaculus-7", "bob", 1, 0.4))
    [said] = [note for note in notes_of(looked(engine, first)) if "same names" in note]
    assert "first forecasts from Metaculus" in said
    assert "'bob'" in said
    come_in(engine, first)
    more = record(("metaculus-7", "bob", 1, 0.4), ("metaculus-7", "bob", 2, 0.5))
    assert not [note for note in notes_of(looked(engine, more)) if "same names" in note]


def test_an_outcome_is_dated_by_the_platform_the_close_or_the_import(engine: Engine) -> None:
    said = {
        "metaculus-7": {"resolution": "yes", "resolved_at": day(21)},
        "metaculus-8": {"resolution": "yes"},
        "metaculus-9": {"resolution": "no", "scheduled_close_time": day(500)},
    }
    come_in(engine, record(("metaculus-7", "alice", 2, 0.7), questions=said))
    with database.reading(engine) as session:
        found = {state.slug: state for state in listing(session, now=NOW)}
        member = find_member(session, "alice")
        assert member is not None
        [one] = scored_questions(session, member)
    assert one.known_at == day(21)
    dates = [found[slug].outcome_at for slug in said]
    assert dates == [day(21), day(20), NOW]
    written = found["metaculus-7"].resolution
    assert written is not None
    assert (written.written_at, written.recorded_at) == (day(21), NOW)
