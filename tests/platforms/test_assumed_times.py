"""The opening and close of a question that no sheet gives: later sheets widen them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.questions.standing import listing
from forecasts.resolution.confirmation import confirm
from tests.platforms.test_sheet_times import NOW, imported, ledger
from tests.remarks import notes_of

pytestmark = pytest.mark.slow

WHO = "question,who,date,closes,p,outcome\n"
ANN = "Rain?,ann,2025-03-10,2025-04-01,0.7,{}\n"
BEN = "Rain?,ben,2025-03-01,2025-04-01,0.1,{0}\nRain?,ben,2025-03-12,2025-04-01,0.9,{0}\n"


@pytest.mark.parametrize("outcome", ["yes", ""])
@pytest.mark.parametrize("order", [1, -1])
def test_sheets_without_openings_come_to_the_same_ledger_in_either_order(
    engine: Engine, tmp_path: Path, outcome: str, order: int
) -> None:
    for text in [ANN.format(outcome), BEN.format(outcome)][::order]:
        done = imported(engine, tmp_path, WHO + text, NOW)
        assert not done.left_out
        assert not [note for note in notes_of(done) if "in this ledger" in note]
        assert (done.counts.scores > 0) is bool(outcome)
    opened, _, _, made = ledger(engine)["Rain?"]
    assert opened.isoformat() == "2025-03-01T00:00:00+00:00"
    assert sorted(made) == [("2025-03-01", 0.1), ("2025-03-10", 0.7), ("2025-03-12", 0.9)]
    assert imported(engine, tmp_path, WHO + ANN.format(outcome), NOW).changes_nothing


def test_forecasts_before_an_opening_that_a_sheet_gave_are_counted(
    engine: Engine, tmp_path: Path
) -> None:
    given = WHO.replace("date,", "date,opened,") + ANN.replace("03-10,", "03-10,2025-03-10,")
    imported(engine, tmp_path, given.format("yes"), NOW)
    done = imported(engine, tmp_path, WHO + BEN.format("yes"), NOW)
    assert (done.counts.revised, done.left_out) == (0, [])
    assert notes_of(done)[-1] == (
        "1 forecast (ben) was made before its question opened in this ledger, and counts only from "
        "then."
    )


def test_a_newer_copy_of_a_resolved_sheet_moves_the_close_that_nobody_gave(
    engine: Engine, tmp_path: Path
) -> None:
    text = "question,date,p,outcome\na,2025-03-01,0.7,yes\n"
    imported(engine, tmp_path, text, NOW)
    done = imported(engine, tmp_path, f"{text}a,2025-03-20,0.95,yes\n", NOW)
    assert (done.counts.revised, done.counts.forecasts, done.left_out) == (1, 1, [])
    [row] = done.questions
    assert row.closes is not None
    assert row.closes.isoformat() == "2025-03-20T23:59:59+00:00"
    assert ledger(engine)["a"][1] == row.closes


def test_a_close_that_the_ledger_keeps_is_shown_and_later_forecasts_are_counted(
    engine: Engine, tmp_path: Path
) -> None:
    given = "question,date,closes,p,outcome\na,2025-03-01,2025-03-02,0.7,yes\n"
    imported(engine, tmp_path, given, NOW)
    later = "question,date,p,outcome\na,2025-03-20,0.95,yes\n"
    done = imported(engine, tmp_path, later, NOW)
    assert (done.counts.revised, done.left_out) == (0, [])
    [row] = done.questions
    assert row.closes is not None
    assert row.closes.isoformat()[:10] == "2025-03-02"
    assert notes_of(done)[-1] == (
        "1 forecast (alice) was made after its question closed in this ledger, and will not count."
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
    assert notes_of(done)[-1].startswith("1 forecast (alice) was made after its question closed")
    assert imported(engine, tmp_path, f"{text}a,2025-03-09,0.9,\n", NOW).counts.revised == 1


def test_a_forecast_after_the_sheets_own_close_is_counted_once(
    engine: Engine, tmp_path: Path
) -> None:
    text = "question,date,closes,p,outcome\na,2025-03-01,2025-03-02,0.7,yes\n"
    imported(engine, tmp_path, text, NOW)
    done = imported(engine, tmp_path, f"{text}a,2025-03-20,2025-03-02,0.9,yes\n", NOW)
    late = [note for note in notes_of(done) if "made after" in note]
    assert late == ["1 forecast was made after the question closed, and will not count."]
