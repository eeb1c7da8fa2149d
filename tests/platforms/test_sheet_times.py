"""Sheets that lack times: closes from titles, forecasts dated by the import, and a later import."""

from __future__ import annotations

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
    made = frames.forecasts.groupby("question_id")
    return {
        row.title: (
            row.open_time,
            row.scheduled_close_time,
            row.actual_close_time,
            [
                (at.isoformat()[:10], p)
                for _, at, p in made.get_group(row.question_id)[
                    ["made_at", "probability"]
                ].itertuples()
            ]
            if row.question_id in made.groups
            else [],
        )
        for row in frames.questions.itertuples()
    }


def closes(record: PlatformRecord) -> list[str]:
    return [at.isoformat() for at in record.frames.questions["scheduled_close_time"]]


@pytest.mark.parametrize(
    ("title", "close"),
    [
        ("Will it open by 1 June 2027?", "2027-06-01"),
        ("Will it open by the end of the year?", "2026-12-31"),
        ("Will it open by EOY?", "2026-12-31"),
        ("Wird es bis 31.03.2027 fertig?", "2027-03-31"),
        ("Will it open by 1 June 2025?", "2025-06-01"),  # over, and without an outcome
    ],
)
def test_an_open_question_without_a_close_has_that_of_its_title(
    tmp_path: Path, title: str, close: str
) -> None:
    assert closes(read(tmp_path, f"{HEADER}{title},0.7,\n")) == [f"{close}T23:59:59+00:00"]


def test_the_close_of_a_title_is_in_the_zone_of_the_sheet(tmp_path: Path) -> None:
    record = read(tmp_path, f"{HEADER}Open by 1 June 2027?,0.7,\n", zone=ZoneInfo("Europe/Berlin"))
    assert closes(record) == ["2027-06-01T21:59:59+00:00"]


def test_forecasts_without_a_date_on_an_open_question_are_dated_by_the_import(
    tmp_path: Path,
) -> None:
    record = read(tmp_path, f"{HEADER}Will it open by 1 June 2027?,0.7,\n")
    assert record.frames.forecasts["made_at"].tolist() == [NOW]
    assert record.frames.questions["open_time"].tolist() == [NOW]
    notes = [note for note in notes_of(record) if "dated by the import" in note]
    assert [note[-11:] for note in notes] == ["2026-11-28."]
    assert not [note for note in notes_of(record) if "2000" in note]


def test_of_a_title_whose_deadline_has_passed_the_forecast_was_made_before(tmp_path: Path) -> None:
    record = read(tmp_path, f"{HEADER}Will it open by 1 June 2025?,0.7,\n")
    [made] = record.frames.forecasts["made_at"]
    assert made.isoformat() == "2025-06-01T00:00:00+00:00"


def test_a_resolved_question_without_dates_is_dated_2000_whatever_its_title_says(
    tmp_path: Path,
) -> None:
    record = read(tmp_path, f"{HEADER}Will it open by 1 June 2027?,0.7,yes\n")
    assert closes(record) == ["2000-01-01T23:59:59+00:00"]
    assert record.frames.forecasts["made_at"].dt.year.tolist() == [2000]
    assert [note for note in notes_of(record) if "is dated 1 January 2000" in note]


def test_with_dates_of_forecasts_words_in_the_title_count_from_the_first(tmp_path: Path) -> None:
    text = (
        "question,date,p,outcome\n"
        "Will it open by the end of the year?,2025-03-01,0.7,\n"
        "Will it open by the end of the year?,2026-02-01,0.8,\n"
        "Will it close?,2025-03-01,0.7,\n"
        "Will it burn by June 2025?,2025-03-01,0.7,yes\n"
    )
    record = read(tmp_path, text)
    assert closes(record) == [
        f"{day}T23:59:59+00:00" for day in ("2025-12-31", *["2025-03-01"] * 2)
    ]


def test_a_forecast_before_a_close_that_is_ahead_is_not_made_in_the_future(tmp_path: Path) -> None:
    text = "question,deadline,p,outcome\na,2027-03-05,0.7,\nb,2027-03-05,0.7,no\nc,,0.7,yes\n"
    frames = read(tmp_path, text).frames
    made = [at.isoformat()[:16] for at in frames.forecasts["made_at"]]
    assert made == ["2026-11-28T12:00", "2026-11-27T12:00", "2000-01-01T00:00"]
    ended = frames.questions["actual_close_time"]
    assert [
        None if at is None else at.isoformat()[:10]
        for at in ended.astype(object).where(ended.notna(), None)
    ] == [None, "2026-11-28", None]


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


def test_the_preview_has_the_words_that_a_close_was_read_from(
    engine: Engine, tmp_path: Path
) -> None:
    done = imported(engine, tmp_path, f"{HEADER}Will it open by 1 June 2027?,0.7,\n", NOW)
    assert [row.closes_in_words for row in done.questions] == ["by 1 June 2027"]


@pytest.mark.parametrize("later", [WEEK_LATER, NEXT_YEAR])
def test_the_same_sheet_later_changes_nothing(
    engine: Engine, tmp_path: Path, later: datetime
) -> None:
    text = (
        f"{HEADER}Will it open by the end of the year?,0.7,\nWill it close in 3 weeks?,0.2,\n"
        "Was it warm?,0.4,yes\n"
    )
    imported(engine, tmp_path, text, NOW)
    before = ledger(engine)
    assert imported(engine, tmp_path, text, later).changes_nothing
    assert ledger(engine) == before


def test_one_changed_probability_is_one_further_update_on_the_day_of_its_import(
    engine: Engine, tmp_path: Path
) -> None:
    text = f"{HEADER}Will it open by 1 June 2027?,0.7,\nWill it close by 2028?,0.2,\n"
    imported(engine, tmp_path, text, NOW)
    done = imported(engine, tmp_path, text.replace("0.7", "0.8"), WEEK_LATER)
    assert (done.counts.questions, done.counts.revised, done.counts.forecasts) == (0, 0, 1)
    assert ledger(engine)["Will it open by 1 June 2027?"][3] == [
        ("2026-11-28", 0.7),
        ("2026-12-05", 0.8),
    ]
    back = imported(engine, tmp_path, text, datetime(2026, 12, 12, tzinfo=UTC))
    assert back.counts.forecasts == 1
    assert imported(engine, tmp_path, text, NEXT_YEAR).changes_nothing


def test_an_outcome_added_later_closes_the_question_at_that_import(
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


def test_a_correction_of_a_resolved_question_without_dates_counts_as_before(
    engine: Engine, tmp_path: Path
) -> None:
    imported(engine, tmp_path, f"{HEADER}Was it warm?,0.4,yes\n", NOW)
    imported(engine, tmp_path, f"{HEADER}Was it warm?,0.5,yes\n", WEEK_LATER)
    assert ledger(engine)["Was it warm?"][3] == [("2000-01-01", 0.4), ("2000-01-01", 0.5)]


def test_a_forecast_changed_after_the_outcome_does_not_count(
    engine: Engine, tmp_path: Path
) -> None:
    text = f"{HEADER}Will it open by 1 June 2027?,0.7,\n"
    imported(engine, tmp_path, text, NOW)
    imported(engine, tmp_path, text.replace("0.7,", "0.7,yes"), WEEK_LATER)
    imported(engine, tmp_path, text.replace("0.7,", "0.99,yes"), NEXT_YEAR)
    _, _, ended, made = ledger(engine)["Will it open by 1 June 2027?"]
    assert made[-1] == ("2027-01-03", 0.99)
    assert ended < NEXT_YEAR


def test_further_dated_rows_extend_a_question_without_a_close(
    engine: Engine, tmp_path: Path
) -> None:
    text = "question,date,p,outcome\na,2026-11-01,0.7,\n"
    imported(engine, tmp_path, text, NOW)
    done = imported(engine, tmp_path, f"{text}a,2026-11-20,0.8,\n", NOW)
    assert (done.counts.revised, done.counts.forecasts) == (1, 1)
    assert ledger(engine)["a"][1].isoformat() == "2026-11-20T23:59:59+00:00"


def test_an_outcome_of_dated_rows_keeps_the_close_of_the_title(
    engine: Engine, tmp_path: Path
) -> None:
    text = "question,date,p,outcome\nOpen by 1 June 2027?,2026-11-01,0.7,\n"
    imported(engine, tmp_path, text, NOW)
    imported(engine, tmp_path, text.replace("0.7,", "0.7,no"), WEEK_LATER)
    _, close, ended, _ = ledger(engine)["Open by 1 June 2027?"]
    assert (close.isoformat()[:10], ended) == ("2027-06-01", WEEK_LATER)


def test_without_dates_only_the_last_row_of_a_name_on_a_question_comes_in(tmp_path: Path) -> None:
    rows = "Open by 2028?,bo,0.7,\nOpen by 2028?,cy,0.7,\nOpen by 2028?,bo,0.8,\n"
    record = read(tmp_path, f"question,user,p,outcome\n{rows}")
    forecasts = record.frames.forecasts
    assert list(zip(forecasts["forecaster"], forecasts["probability"], strict=True)) == [
        ("cy", 0.7),
        ("bo", 0.8),
    ]
    assert [(one.place, one.value) for one in record.left_out] == [("sheet.csv, line 2", "bo")]


def test_a_row_repeated_with_its_date_comes_in_once(tmp_path: Path) -> None:
    rows = "Open by 2028?,bo,2026-11-01,0.7,\n" * 2
    record = read(tmp_path, f"question,user,date,p,outcome\n{rows}")
    assert len(record.frames.forecasts) == 1
    assert [one.reason for one in record.left_out] == ["repeated in a later row"]


def test_the_same_sheet_later_changes_nothing_for_a_member_without_an_admins_rights(
    engine: Engine, tmp_path: Path
) -> None:
    shared(engine, "root", "alice")
    text = f"{HEADER}Will it open by the end of the year?,0.7,\nWas it warm?,0.4,yes\n"
    for now, p, new in ((NOW, "0.7", 2), (WEEK_LATER, "0.7", 0), (WEEK_LATER, "0.8", 1)):
        record = read(tmp_path, text.replace("0.7", p), now)
        with database.writing(engine) as session:
            alice = member_or_new(session, "alice", now=now)
            read_as(session, alice, now=now)
            done = import_record(session, record, member=alice, now=now)
        assert (done.counts.forecasts, done.counts.revised) == (new, 0)
    made = ledger(engine)["Will it open by the end of the year?"][3]
    assert made == [("2026-11-28", 0.7), ("2026-12-05", 0.8)]


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
