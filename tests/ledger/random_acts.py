"""Random acts that write forecasts, or change how they count, and the rows that history gives.

The suite does some hundreds; ``benchmarks.lists --acts`` does a hundred thousand.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from forecasts.access import tokens
from forecasts.access.members import member_or_new
from forecasts.common.errors import LedgerError
from forecasts.folder.frames import complete
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.models import CurrentForecast, Forecast, Member, Question
from forecasts.operations import privacy
from forecasts.questions import registry, revisions
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.updates.updates import NewForecast
from forecasts.values.value import Value
from tests.conftest import ask, day

_STEP = timedelta(minutes=1)  # from act to act
_TOGETHER = 25  # acts in a transaction, which is sometimes rolled back
_QUESTIONS, _MEMBERS = 6, 8
_WEIGHTS = {
    "update": 60,
    "withdraw": 12,
    "undo": 8,
    "batch": 4,
    "import": 1,
    "resolve": 1,
    "unresolve": 6,
    "reword": 3,
    "ask": 0.3,
    "remove": 0.2,
}

# (forecast, time, recorded, forecasts, withdrawals) by (question, member)
Rows = dict[tuple[int, int], tuple[int, datetime, datetime, int, int]]


class Undone(Exception):
    """Rolls an act back."""


class Acts:
    """A ledger that random acts are done on; ``done`` and ``refused`` count them by kind."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine, self.random, self.now = engine, random.Random(seed), day(1)
        self.done: dict[str, int] = dict.fromkeys(_WEIGHTS, 0)
        self.refused = self.undone = 0
        with database.writing(engine) as session:
            self.handles = [f"member {n}" for n in range(_MEMBERS)]
            people = [member_or_new(session, name, now=day(0)) for name in self.handles]
            tokens.create(session, "bot", member=people[0], now=day(0))
            self.handles.append("bot")
            self.slugs: list[str] = []
            for _ in range(_QUESTIONS):
                self._ask(session, None, people[0])

    def do(self, many: int) -> None:
        """Do so many acts, a few in each transaction."""
        for start in range(0, many, _TOGETHER):
            try:
                with database.writing(self.engine) as session:
                    for _ in range(min(_TOGETHER, many - start)):
                        self._one(session)
                    if self.random.random() < 0.05:
                        raise Undone
            except Undone:
                self.undone += 1

    def _one(self, session: Session) -> None:
        [kind] = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        self.now += _STEP
        member = member_or_new(session, self.random.choice(self.handles), now=self.now)
        try:
            question = registry.find(session, self.random.choice(self.slugs))
            getattr(self, f"_{kind}")(session, question, member)
            self.done[kind] += 1
        except LedgerError:
            self.refused += 1

    def _ask(self, session: Session, _question: Question | None, member: Member) -> None:
        self.slugs.append(ask(session, member, scheduled_close_time=day(4_000)).slug)

    def _value(self) -> Value:
        return Value(probability=self.random.randrange(1, 100) / 100)

    def _update(self, session: Session, question: Question, member: Member) -> None:
        updates.update(session, question, self._value(), member=member, now=self.now)

    def _withdraw(self, session: Session, question: Question, member: Member) -> None:
        updates.withdraw(session, question, member=member, now=self.now)

    def _undo(self, session: Session, question: Question, member: Member) -> None:
        rows = updates.history(session, question, member, newest=1)
        updates.undo(session, rows[-1][0].id if rows else 0, member=member, now=self.now)

    def _batch(self, session: Session, question: Question, member: Member) -> None:
        made = [NewForecast(question, self._value()) for _ in range(5)]
        updates.update_all(session, made, member=member, now=self.now)

    def _import(self, session: Session, question: Question, member: Member) -> None:
        text = registry.newest_wording(session, question)
        asked = {
            "question_id": [question.slug],
            "title": [text.title],
            "open_time": [text.open_time],
            "scheduled_close_time": [text.scheduled_close_time],
        }
        at = [self.now - timedelta(days=self.random.random()) for _ in range(6)]
        forecasts = {
            "question_id": [question.slug] * 6,
            "forecaster": self.random.choices(self.handles, k=6),
            "made_at": pd.to_datetime(at, utc=True),
            "probability": [self._value().probability for _ in at],
        }
        frames = complete(asked, forecasts)
        import_frames(session, frames, member=member, now=self.now, vouch=True)

    def _resolve(self, session: Session, question: Question, member: Member) -> None:
        outcome = self.random.choice(["yes", "no", "annulled"])
        confirmation.confirm(session, question, outcome, member=member, now=self.now)

    def _unresolve(self, session: Session, question: Question, member: Member) -> None:
        confirmation.withdraw(session, question, member=member, now=self.now, reason="Too early.")

    def _reword(self, session: Session, question: Question, member: Member) -> None:
        hidden = self.random.random() < 0.5
        closes = day(4_000 + self.random.randrange(100))
        change = {"crowd_hidden": hidden, "scheduled_close_time": closes}
        revisions.revise(session, question, member=member, now=self.now, **change)

    def _remove(self, session: Session, question: Question, member: Member) -> None:
        privacy.remove(session, member.handle, member=None, now=self.now)


def from_history(session: Session) -> Rows:
    """Return the rows that history gives, computed without the database."""
    found: Rows = {}
    for row in session.exec(select(Forecast).order_by(col(Forecast.made_at), col(Forecast.id))):
        pair = row.question_id, row.member_id
        _, _, recorded, forecasts, withdrawals = found.get(pair, (0, None, day(0), 0, 0))
        found[pair] = (
            row.id,
            row.made_at,
            max(recorded, row.recorded_at),
            forecasts + (not row.withdrawn),
            withdrawals + row.withdrawn,
        )
    return found


def stored(session: Session) -> Rows:
    """Return the rows as they are stored."""
    return {
        (row.question_id, row.member_id): (
            *(row.forecast_id, row.made_at, row.recorded_at),
            *(row.forecasts, row.withdrawals),
        )
        for row in session.exec(select(CurrentForecast))
    }
