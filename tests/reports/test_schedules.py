"""The scheduled close that stood when a forecast was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sqlmodel import Session

from forecasts.common.times import iso
from forecasts.folder.folder import read_folder, write_folder
from forecasts.ledger.models import Member, Question
from forecasts.questions import revisions
from forecasts.questions.revisions import ASSUMED
from forecasts.reports.schedules import scheduled_close_when_made
from forecasts.scores.ledger_frames import ledger_frames
from tests.conftest import day, say
from tests.reports import small_ledgers as small


def test_a_moved_close_stands_for_the_forecasts_made_from_then_on(
    session: Session, question: Question, alice: Member, tmp_path: Path
) -> None:
    first = revisions.history(session, question)[-1].scheduled_close_time
    say(session, question, alice, 0.4, 1)
    for at, close in ((2, 20), (4, 15)):
        revisions.revise(
            session,
            question,
            scheduled_close_time=day(close),
            member=alice,
            reason="later",
            now=day(at),
        )
        say(session, question, alice, 0.4 + at / 100, at)
    frames = ledger_frames(session)
    write_folder(frames, tmp_path / "out")
    for each in (frames, read_folder(tmp_path / "out")):
        closes = scheduled_close_when_made(each.questions, each.forecasts)
        assert closes.tolist() == [first, day(20), day(15)]


def test_a_close_that_an_import_assumed_stood_all_along(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.4, 1)
    [assumed] = [
        reason for reason, columns in ASSUMED.items() if columns == {"scheduled_close_time"}
    ]
    revisions.revise(
        session,
        question,
        scheduled_close_time=day(20),
        member=alice,
        reason=assumed,
        now=day(2),
    )
    frames = ledger_frames(session)
    assert scheduled_close_when_made(frames.questions, frames.forecasts).tolist() == [day(20)]


def test_the_close_is_the_one_before_the_next_change_of_its_question() -> None:
    rng = np.random.default_rng(4)
    asked, made = [], []
    for number in range(6):
        times = np.sort(rng.choice(40, number, replace=False))
        moved = {iso(day(at)): iso(day(50 + int(rng.integers(9)))) for at in times.tolist()}
        asked.append(small.asked(f"q{number}", closes=60, earlier_closes=moved or None))
    for at in rng.integers(0, 41, 60).tolist():
        made.append(small.made(f"q{rng.integers(6)}", "ana", at, 0.5))
    frames = small.ledger(asked, made)
    forecasts = frames.forecasts.set_index(pd.Index(range(100, 160)))
    found = scheduled_close_when_made(frames.questions, forecasts)
    assert found.index.equals(forecasts.index)
    closes = {one["question_id"]: one["earlier_closes"] or {} for one in asked}
    for forecast, close in zip(made, found, strict=True):
        after = {at: then for at, then in closes[forecast["question_id"]].items()
                 if pd.Timestamp(at) > forecast["made_at"]}  # fmt: skip
        assert close == pd.Timestamp(after[min(after)] if after else day(60))
