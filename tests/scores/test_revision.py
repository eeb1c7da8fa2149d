"""The revision of a ledger, by which a page knows that its report is out of date."""

from __future__ import annotations

from sqlmodel import Session, select

from forecasts.ledger.models import Forecast, Member, Question
from forecasts.scores import ledger_frames as frames
from tests.conftest import day, imported, resolve, say


def test_every_forecast_counts_in_a_short_ledger_and_every_resolution_in_any(
    session: Session, question: Question, alice: Member
) -> None:
    seen = {frames.revision(session)}
    for number in range(3):
        say(session, question, alice, 0.2 + number / 10, 1 + number)
        session.flush()
        seen.add(frames.revision(session))
    resolve(session, question, alice, "no", known=5, at=6)
    assert len(seen | {frames.revision(session)}) == 5


def test_in_a_long_ledger_forecasts_count_in_groups() -> None:
    told = [frames.rounded_down(number) for number in (0, 7, 999, 1_000, 1_009, 1_010, 808_809)]
    assert told == [0, 7, 999, 1_000, 1_000, 1_010, 808_000]


def test_an_import_counts_at_once_in_a_long_ledger(
    session: Session, question: Question, alice: Member
) -> None:
    imported(session, question, alice, 1, 0.5)
    session.flush()
    [row] = session.exec(select(Forecast)).all()
    long = {**row.model_dump(exclude={"id", "import_key"}), "made_at": day(2)}
    session.add(Forecast(**long, id=200_100, import_key=None))
    session.flush()
    before = frames.revision(session)
    session.add(Forecast(**long, id=200_101, import_key=None))
    session.flush()
    assert frames.revision(session) == before
    session.add(Forecast(**long, id=200_102, import_key="i-1"))
    session.flush()
    assert frames.revision(session) != before
