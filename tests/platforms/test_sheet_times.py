"""Sheets that lack times: closes from titles, forecasts dated by the import, and a later import."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.access.visibility import read_as
from forecasts.importing.record import Preview, import_record
from forecasts.ledger import database
from forecasts.ledger.models import Question
from forecasts.platforms.record import PlatformRecord
from forecasts.questions.standing import listing
from forecasts.resolution.confirmation import confirm
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates.updates import update
from forecasts.values.value import Value
from tests.importing.test_record import shared
from tests.platforms import sheets
from tests.remarks import notes_of

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WEEK_LATER = datetime(2026, 12, 5, 12, tzinfo=UTC)
NEXT_YEAR = datetime(2027, 1, 3, 12, tzinfo=UTC)
HEADER = "question,p,outcome\n"


def read(path: Path, text: str, now: datetime | None = NOW, **choices: Any) -> PlatformRecord:
    return sheets.read(path / "sheet.csv", text, format_="pairs", now=now, **choices)


def imported(engine: Engine, path: Path, text: str, now: datetime, **choices: Any) -> Preview:
    record = read(path, text, now, **choices)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=now)
        return import_record(session, record, member=alice, now=now)


def ledger(engine: Engine) -> dict[str, Any]:
    """Return the times of each question by its title, and its forecasts as (time, p)."""
    with database.reading(engine) as session:
        frames = ledger_frames(session)
    made: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in frames.forecasts.itertuples():
        made[row.question_id].append((row.made_at.isoformat()[:10], row.probability))
    return {
        row.title: (
            *(row.open_time, row.scheduled_close_time, row.actual_close_time),
            made[row.question_id],
        )
        for row in frames.questions.itertuples()
    }


YEAR = "Will it open by the end of the year?"
DATED = "question,date,p,outcome\n"
SHEETS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    **{
        f"the close of {title!r}": (
            f"{HEADER}{title},0.7,\n", {}, {"closes": [f"{close} 23:59"]},
        )
        for title, close in {
            "Will it open by 1 June 2027?": "2027-06-01",
            YEAR: "2026-12-31",
            "Will it open by EOY?": "2026-12-31",
            "Wird es bis 31.03.2027 fertig?": "2027-03-31",
        }.items()
    },
    "a close in the zone of the sheet": (
        f"{HEADER}Open by 1 June 2027?,0.7,\n", {"zone": ZoneInfo("Europe/Berlin")},
        {"closes": ["2027-06-01 21:59"]},
    ),
    "a forecast without a date on an open question": (
        f"{HEADER}Will it open by 1 June 2027?,0.7,\n", {},
        {"made": ["2026-11-28 12:00"], "opens": ["2026-11-28 12:00"], "no note": "2000",
         "note": "dated by the import: 2026-11-28."},
    ),
    "a deadline that has passed": (
        f"{HEADER}Will it open by 1 June 2025?,0.7,\n", {},
        {"made": ["2025-06-01 00:00"], "closes": ["2025-06-01 23:59"]},
    ),
    "a resolved question without dates": (
        f"{HEADER}Will it open by 1 June 2027?,0.7,yes\n", {},
        {"made": ["2000-01-01 00:00"], "closes": ["2000-01-01 23:59"],
         "note": "is dated 1 January 2000"},
    ),
    "words in a title count from the first forecast": (
        f"{DATED}{YEAR},2025-03-01,0.7,\n{YEAR},2026-02-01,0.8,\nWill it close?,2025-03-01,0.7,\n"
        "Will it burn by June 2025?,2025-03-01,0.7,yes\n", {},
        {"closes": ["2025-12-31 23:59", "2025-03-01 23:59", "2025-03-01 23:59"]},
    ),
    "a close that is ahead": (
        "question,deadline,p,outcome\na,2027-03-05,0.7,\nb,2027-03-05,0.7,no\nc,,0.7,yes\n", {},
        {"made": ["2026-11-28 12:00", "2026-11-27 12:00", "2000-01-01 00:00"],
         "ends": ["", "2026-11-28 12:00", ""]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "choices", "expected"), SHEETS.values(), ids=SHEETS)
def test_times_that_a_sheet_lacks(
    tmp_path: Path, text: str, choices: dict[str, Any], expected: dict[str, Any]
) -> None:
    sheets.require(read(tmp_path, text, **choices), expected)


def test_a_day_of_a_german_month_is_not_taken_for_the_month(tmp_path: Path) -> None:
    record = read(tmp_path, f"{HEADER}Kommt er bis zum 1. April 2027?,0.7,\n")
    assert record.assumed is not None
    assert record.assumed.closeless.tolist() == [True]


def test_a_new_question_that_nothing_closes_is_left_out_with_the_remedy(
    engine: Engine, tmp_path: Path
) -> None:
    text = f"{HEADER}Will Ann marry?,0.7,\nWill it open by 1 June 2027?,0.2,\n"
    done = imported(engine, tmp_path, text, NOW)
    assert list(ledger(engine)) == ["Will it open by 1 June 2027?"]
    assert [row.closes_in_words for row in done.questions] == ["by 1 June 2027"]
    [left_out] = done.left_out
    assert (left_out.place, left_out.value) == ("sheet.csv, line 2", "Will Ann marry?")
    assert left_out.reason == "neither the sheet nor its title says when it closes"
    assert [note for note in notes_of(done) if "--closes" in note]
    chosen = imported(engine, tmp_path, text, NOW, closes=datetime(2027, 3, 1, tzinfo=UTC))
    assert (chosen.counts.questions, chosen.counts.revised, chosen.counts.forecasts) == (1, 0, 1)
    assert ledger(engine)["Will Ann marry?"][1] == datetime(2027, 3, 1, tzinfo=UTC)
    assert imported(engine, tmp_path, text, WEEK_LATER).changes_nothing


def test_a_chosen_close_that_has_passed_is_refused(tmp_path: Path) -> None:
    error = sheets.refused(
        tmp_path / "s.csv", f"{HEADER}a,0.7,\n", format_="pairs", now=NOW, closes=NOW
    )
    assert error.message == "The close 2026-11-28 has passed."


def test_the_same_sheet_later_changes_nothing_and_one_changed_probability_is_one_update(
    engine: Engine, tmp_path: Path
) -> None:
    text = f"{HEADER}{YEAR},0.7,\nWill it close in 3 weeks?,0.2,\nWas it warm?,0.4,yes\n"
    imported(engine, tmp_path, text, NOW)
    before = ledger(engine)
    for later in (WEEK_LATER, NEXT_YEAR):
        assert imported(engine, tmp_path, text, later).changes_nothing
    assert ledger(engine) == before
    done = imported(engine, tmp_path, text.replace("0.7", "0.8"), WEEK_LATER)
    assert (done.counts.questions, done.counts.revised, done.counts.forecasts) == (0, 0, 1)
    assert ledger(engine)[YEAR][3] == [("2026-11-28", 0.7), ("2026-12-05", 0.8)]
    back = imported(engine, tmp_path, text, datetime(2026, 12, 12, tzinfo=UTC))
    assert back.counts.forecasts == 1
    assert imported(engine, tmp_path, text, NEXT_YEAR).changes_nothing


def test_an_outcome_added_later_closes_the_question_and_a_later_change_does_not_count(
    engine: Engine, tmp_path: Path
) -> None:
    text = f"{HEADER}Will it open by 1 June 2027?,0.7,\n"
    imported(engine, tmp_path, text, NOW)
    done = imported(engine, tmp_path, text.replace("0.7,", "0.7,yes"), WEEK_LATER)
    assert (done.counts.resolutions, done.counts.forecasts, done.counts.scores > 0) == (1, 0, True)
    opened, close, ended, made = ledger(engine)["Will it open by 1 June 2027?"]
    assert (opened, close.isoformat()[:10], ended) == (NOW, "2027-06-01", WEEK_LATER)
    assert made == [("2026-11-28", 0.7)]
    assert imported(engine, tmp_path, text.replace("0.7,", "0.7,yes"), NEXT_YEAR).changes_nothing
    imported(engine, tmp_path, text.replace("0.7,", "0.99,yes"), NEXT_YEAR)
    _, _, ended, made = ledger(engine)["Will it open by 1 June 2027?"]
    assert made[-1] == ("2027-01-03", 0.99)
    assert ended < NEXT_YEAR


def test_the_same_sheet_later_changes_nothing_for_a_member_without_an_admins_rights(
    engine: Engine, tmp_path: Path
) -> None:
    shared(engine, "root", "alice")
    text = f"{HEADER}{YEAR},0.7,\nWas it warm?,0.4,yes\n"
    for now, p, new in ((NOW, "0.7", 2), (WEEK_LATER, "0.7", 0), (WEEK_LATER, "0.8", 1)):
        record = read(tmp_path, text.replace("0.7", p), now)
        with database.writing(engine) as session:
            alice = member_or_new(session, "alice", now=now)
            read_as(session, alice, now=now)
            done = import_record(session, record, member=alice, now=now)
        assert (done.counts.forecasts, done.counts.revised) == (new, 0)
    assert ledger(engine)[YEAR][3] == [("2026-11-28", 0.7), ("2026-12-05", 0.8)]


def test_a_newer_update_made_here_is_not_undone_by_the_same_sheet(
    engine: Engine, tmp_path: Path
) -> None:
    text = f"{HEADER}Will it open by 1 June 2027?,0.7,\n"
    imported(engine, tmp_path, text, NOW)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=NOW)
        [question] = session.exec(select(Question))
        update(session, question, Value(probability=0.5), member=alice, now=WEEK_LATER)
    assert imported(engine, tmp_path, text, NEXT_YEAR).changes_nothing
    same_here = imported(engine, tmp_path, text.replace("0.7", "0.5"), NEXT_YEAR)
    assert same_here.changes_nothing


WHO = "question,who,date,closes,p,outcome\n"
ANN = "Rain?,ann,2025-03-10,2025-04-01,0.7,{}\n"
BEN = "Rain?,ben,2025-03-01,2025-04-01,0.1,{0}\nRain?,ben,2025-03-12,2025-04-01,0.9,{0}\n"


@pytest.mark.parametrize("order", [1, -1])
def test_sheets_without_openings_come_to_the_same_ledger_in_either_order(
    engine: Engine, tmp_path: Path, order: int
) -> None:
    both = [one.format("yes") + one.format("").replace("Rain", "Snow") for one in (ANN, BEN)]
    for text in both[::order]:
        done = imported(engine, tmp_path, WHO + text, NOW)
        assert not done.left_out
        assert not [note for note in notes_of(done) if "in this ledger" in note]
        assert done.counts.scores > 0
    for title in ("Rain?", "Snow?"):
        opened, _, _, made = ledger(engine)[title]
        assert opened.isoformat() == "2025-03-01T00:00:00+00:00"
        assert sorted(made) == [("2025-03-01", 0.1), ("2025-03-10", 0.7), ("2025-03-12", 0.9)]
    assert imported(engine, tmp_path, WHO + both[0], NOW).changes_nothing


def test_forecasts_before_an_opening_that_a_sheet_gave_are_counted(
    engine: Engine, tmp_path: Path
) -> None:
    given = WHO.replace("date,", "date,opened,") + ANN.replace("03-10,", "03-10,2025-03-10,")
    imported(engine, tmp_path, given.format("yes"), NOW)
    done = imported(engine, tmp_path, WHO + BEN.format("yes"), NOW)
    assert (done.counts.revised, done.left_out) == (0, [])
    assert notes_of(done)[-1] == (
        "Made before their question opened in this ledger, so counted only from then: 1 forecast "
        "(ben)."
    )


def test_further_dated_rows_move_the_close_that_nobody_gave_also_after_the_outcome(
    engine: Engine, tmp_path: Path
) -> None:
    text = f"{DATED}a,2025-03-01,0.7,yes\nb,2025-03-01,0.7,\n"
    imported(engine, tmp_path, text, NOW)
    newer = f"{text}a,2025-03-20,0.95,yes\nb,2025-03-20,0.8,\n"
    done = imported(engine, tmp_path, newer, NOW)
    assert (done.counts.revised, done.counts.forecasts, done.left_out) == (2, 2, [])
    for row in done.questions:
        assert row.closes is not None
        assert row.closes.isoformat() == "2025-03-20T23:59:59+00:00"
        assert ledger(engine)[row.title][1] == row.closes


def test_a_close_that_the_ledger_keeps_is_shown_and_later_forecasts_are_counted(
    engine: Engine, tmp_path: Path
) -> None:
    given = "question,date,closes,p,outcome\na,2025-03-01,2025-03-02,0.7,yes\n"
    imported(engine, tmp_path, given, NOW)
    done = imported(engine, tmp_path, f"{given}a,2025-03-20,2025-03-02,0.9,yes\n", NOW)
    late = [note for note in notes_of(done) if "made after" in note.casefold()]
    assert late == ["1 forecast was made after the question closed, and will not count."]
    done = imported(engine, tmp_path, f"{DATED}a,2025-03-21,0.95,yes\n", NOW)
    assert (done.counts.revised, done.left_out) == (0, [])
    [row] = done.questions
    assert row.closes is not None
    assert row.closes.isoformat()[:10] == "2025-03-02"
    assert notes_of(done)[-1] == (
        "Made after their question closed in this ledger, so not counted: 1 forecast (alice)."
    )


def test_a_close_is_not_moved_past_the_time_at_which_the_outcome_was_known(
    engine: Engine, tmp_path: Path
) -> None:
    text = "question,date,p,outcome\na,2025-03-01,0.7,\n"
    imported(engine, tmp_path, text, NOW)
    with database.writing(engine) as session:
        alice, [state] = member_or_new(session, "alice", now=NOW), listing(session, now=NOW)
        confirm(
            session,
            state.question,
            "yes",
            member=alice,
            now=NOW,
            known_at=datetime(2025, 3, 10, tzinfo=UTC),
        )
    done = imported(engine, tmp_path, f"{text}a,2025-03-20,0.95,\n", NOW)
    assert (done.counts.revised, done.left_out) == (0, [])
    assert notes_of(done)[-1].startswith("Made after their question closed in this ledger")
    assert imported(engine, tmp_path, f"{text}a,2025-03-09,0.9,\n", NOW).counts.revised == 1
