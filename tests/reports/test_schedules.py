"""The scheduled close that stood when a forecast was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlmodel import Session

from forecasts.common.times import iso
from forecasts.folder.folder import read_folder, write_folder
from forecasts.folder.frames import Frames
from forecasts.ledger.models import Member, Question
from forecasts.questions import revisions
from forecasts.questions.registry import newest_wording
from forecasts.questions.revisions import ASSUMED
from forecasts.reports.report import LeftOut
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
    before = newest_wording(session, question)
    after = revisions.reworded(before, scheduled_close_time=day(20))
    revisions.append_wording(session, before, after, member=alice, now=day(2), reason=assumed)
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


def moved(later: bool) -> Frames:
    """Return 80 forecasts of 80%, and half of them true; 30 of the "no" were moved.

    Their close went to a day ahead (``later``), or came from one.
    """
    ends = (day(10), day(900)) if later else (day(900), day(10))
    asked = []
    for number in range(80):
        one = small.asked(f"q{number}", "yes" if number % 2 else "no")
        if number % 2 == 0 and number < 60:
            one["scheduled_close_time"] = ends[1]
            one["earlier_closes"] = {iso(day(9)): iso(ends[0])}
            one["resolution"] = "" if later else "no"
        asked.append(one)
    return small.ledger(asked, [small.made(f"q{n}", "ana", 0, 0.8) for n in range(80)])


def test_a_later_change_of_close_takes_nothing_out_of_a_record() -> None:
    postponed = small.report(moved(later=True)).groups[0]
    assert (postponed.questions, postponed.verdict.waiting) == (50, 30)
    assert postponed.verdict.kind == "waiting"
    resolved = small.report(moved(later=True), cohort="resolved").groups[0]
    assert (resolved.questions, resolved.verdict.waiting) == (50, 0)


def test_an_earlier_close_takes_nothing_in() -> None:
    report = small.report(moved(later=False))
    assert (report.groups[0].questions, report.groups[0].verdict.waiting) == (50, 0)
    assert report.left_out == (LeftOut("never_live", 30),)


def test_a_forecast_made_under_a_later_close_does_not_count_yet() -> None:
    question = small.asked("q", "yes", closes=900)
    question["earlier_closes"] = {iso(day(5)): iso(day(10))}
    rows = [small.made("q", "ana", 1, 0.6), small.made("q", "ana", 6, 0.9)]
    [group] = small.report(small.ledger([question], rows)).groups
    assert (group.questions, group.updates, group.brier.mean) == (1, 1, pytest.approx(0.16))
