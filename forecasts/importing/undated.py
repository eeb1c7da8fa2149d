"""The times that a sheet does not give, for questions that the ledger has already.

The reader of a sheet assumes them, perhaps by the day of the import. In a later import of the same
sheet that day is another, so the ledger's own times go before: a question keeps its close, and a
forecast is new only if its value is.

A question without them opens with its first forecast, and closes a day after its last one. Another
sheet may have an earlier or a later forecast. Such times are therefore widened, so that sheets come
to the same ledger in any order. The reason of a wording tells which of its times were assumed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlmodel import Session, col

from forecasts.common.errors import Advice, Remedy
from forecasts.common.text import count
from forecasts.folder.frames import Frames
from forecasts.importing.questions import AssumedTimes
from forecasts.ledger.models import Forecast, Member, Question, QuestionRevision
from forecasts.platforms.record import Assumed, LeftOut, PlatformRecord
from forecasts.questions.revisions import ASSUMED
from forecasts.questions.standing import QuestionState, listing, rows_with

_OPENS, _CLOSES = "open_time", "scheduled_close_time"


class _Known(NamedTuple):
    """A question of the ledger; ``assumed``: the columns of its times that an import assumed."""

    state: QuestionState
    assumed: Collection[str]

    def is_open(self, now: datetime) -> bool:
        """Return whether it can still be forecast."""
        return self.state.resolution is None and now < self.state.text.close_time

    def may_widen(self, column: str, to: datetime) -> bool:
        """Return whether ``to`` widens an assumed time: not a close past the known outcome."""
        text, outcome = self.state.text, self.state.resolution
        if column not in self.assumed:
            return False
        if column == _OPENS:
            return to < text.open_time
        latest = (outcome and outcome.known_at) or to
        return text.actual_close_time is None and text.scheduled_close_time < to <= latest


class _Made(NamedTuple):
    """A stored forecast: its time, its value with its reason, and whether an import brought it."""

    made_at: datetime
    said: tuple[Any, str]
    is_import: bool


def with_known_times(
    session: Session, record: PlatformRecord, names: Mapping[str, str], now: datetime
) -> tuple[PlatformRecord, dict[str, LeftOut], AssumedTimes]:
    """Return the record with the ledger's times in place of assumed ones, and what is left out.

    ``names``: of the questions in this ledger. Left out, by id: new questions without any close.
    """
    assumed, frames = record.assumed, record.frames
    if assumed is None:
        return record, {}, AssumedTimes()
    ids = frames.questions["question_id"].tolist()
    slugs = {names[id_]: id_ for id_ in ids if id_ in names}
    assumed_before = _assumed(session, list(slugs))
    known = {
        slugs[state.slug]: _Known(state, assumed_before.get(state.slug, ()))
        for state in listing(session, now=now, only=list(slugs))
    }
    left_out = {
        ids[number]: LeftOut(
            frames.place("questions", number),
            frames.questions["title"].iloc[number],
            "neither the sheet nor its title says when it closes",
        )
        for number in np.flatnonzero(assumed.closeless).tolist()
        if ids[number] in names and ids[number] not in known
    }
    if many := len(left_out):
        record = replace(record, notes=[*record.notes, _closeless_note(many)])
    questions, reasons, widened = _questions(frames.questions, assumed, known, now)
    if known:
        forecasts = _forecasts(session, frames, assumed, known, names, now)
        record = replace(record, frames=replace(frames, questions=questions, forecasts=forecasts))
    times = AssumedTimes(
        {names[id_]: reason for id_, reason in reasons.items() if id_ in names},
        {names[id_]: columns for id_, columns in widened.items()},
    )
    return record, left_out, times


def close_phrases(record: PlatformRecord, names: Mapping[str, str]) -> dict[str, str]:
    """Return the words of the titles that a close was read from, by the name of the question."""
    if record.assumed is None:
        return {}
    ids = record.frames.questions["question_id"]
    phrases = record.assumed.phrases.items()
    return {names.get(ids.iloc[number], ""): phrase for number, phrase in phrases}


def _closeless_note(many: int) -> Advice:
    return (
        f"{count(many, 'open question')} left out: neither the sheet nor the title says when it "
        "closes. To import such questions, add a column with the close,",
        Remedy("or give one last day: {}", "", closes="DAY"),
    )


def _assumed(session: Session, slugs: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the columns of times that an import assumed and nobody has changed since, by slug."""
    with_any = select(col(QuestionRevision.question_id)).where(
        col(QuestionRevision.reason).in_(ASSUMED)
    )
    every = (
        select(
            col(Question.slug),
            col(QuestionRevision.reason),
            col(QuestionRevision.open_time),
            col(QuestionRevision.scheduled_close_time),
        )
        .join(QuestionRevision, col(QuestionRevision.question_id) == col(Question.id))
        .where(col(Question.id).in_(with_any))
        .order_by(col(Question.id), col(QuestionRevision.number))
    )
    found: dict[str, frozenset[str]] = {}
    before: dict[str, dict[str, datetime]] = {}
    for slug, reason, *times in rows_with(session, every, Question.slug, slugs):
        now = dict(zip((_OPENS, _CLOSES), times, strict=True))
        then = before.get(slug, {})
        changed = {name for name, at in now.items() if at != then.get(name)}
        kept = found.get(slug, frozenset()) - changed
        found[slug] = kept | (ASSUMED.get(reason, frozenset()) & changed)
        before[slug] = now
    return found


def _questions(
    questions: pd.DataFrame, assumed: Assumed, known: Mapping[str, _Known], now: datetime
) -> tuple[pd.DataFrame, dict[str, str], dict[str, set[str]]]:
    """Return the questions with blanks for the assumed times of known ones, which change nothing.

    Also, by id, the reason of each wording in which this import assumes a time, and the columns in
    which it widens an assumed time of the ledger; times without any date in the sheet widen
    nothing. An outcome of unknown time closes an open question now.
    """
    reasons, widened = {}, {}
    reason_of = {columns: reason for reason, columns in ASSUMED.items()}
    names = (_OPENS, _CLOSES, "actual_close_time")
    opens, closes, ends = (questions[name].array.copy() for name in names)
    for number, id_ in enumerate(questions["question_id"].tolist()):
        here = known.get(id_)
        own = {_OPENS} if assumed.opens[number] or assumed.begins[number] else set[str]()
        own |= {_CLOSES} if assumed.extends[number] else set()
        if here is not None:
            wider = {
                column
                for column, at, is_dated in (
                    (_OPENS, opens[number], not assumed.opens[number]),
                    (
                        _CLOSES,
                        closes[number],
                        assumed.extends[number] or not assumed.closes[number],
                    ),
                )
                if is_dated and here.may_widen(column, at.to_pydatetime())
            }
            if _OPENS in own - wider:
                opens[number] = pd.NaT
            if assumed.closes[number]:
                closes[number] = closes[number] if _CLOSES in wider else pd.NaT
                ends[number] = pd.NaT
            if assumed.ends[number]:
                ends[number] = pd.Timestamp(now) if here.is_open(now) else pd.NaT
            own, widened[id_] = own & wider, wider
        if own:
            reasons[id_] = reason_of[frozenset(own)]
    changed = dict(zip(names, (opens, closes, ends), strict=True))
    return questions.assign(**changed), reasons, widened


def _forecasts(
    session: Session,
    frames: Frames,
    assumed: Assumed,
    known: Mapping[str, _Known],
    names: Mapping[str, str],
    now: datetime,
) -> pd.DataFrame:
    """Return the forecasts with other times for those without one on known questions.

    One that the last import brought, or that is current here, has its time. Another on an open
    question is made now. On a closed one it keeps the assumed time, which the sheet's first import
    would have given it, unless the ledger has a later forecast or the question opened later.
    """
    forecasts = frames.forecasts
    undated = np.flatnonzero(assumed.forecasts & forecasts["question_id"].isin(list(known)))
    if not len(undated):
        return forecasts
    stored = _stored(session, [names[id_] for id_ in known])
    made_at = forecasts["made_at"].array.copy()
    columns = ("question_id", "forecaster", "probability", "probabilities", "rationale")
    cells = zip(*(forecasts[name].iloc[undated].tolist() for name in columns), strict=True)
    for row, (id_, handle, p, several, rationale) in zip(undated.tolist(), cells, strict=True):
        said, here = (_value(p, several), rationale), known[id_]
        theirs = stored.get((names[id_], handle), [])
        imported = next((one for one in reversed(theirs) if one.is_import), None)
        same = next((one for one in (imported, *theirs[-1:]) if one and one.said == said), None)
        if same is not None:
            made_at[row] = pd.Timestamp(same.made_at)
            continue
        latest = max([here.state.text.open_time, *(one.made_at for one in theirs)])
        if here.is_open(now) or latest > made_at[row]:
            made_at[row] = pd.Timestamp(now)
    return forecasts.assign(made_at=made_at)


def _stored(session: Session, slugs: Sequence[str]) -> dict[tuple[str, str], list[_Made]]:
    """Return the forecasts on these questions by slug and handle, in the order of their times."""
    every = (
        select(
            col(Question.slug),
            col(Member.handle),
            col(Forecast.made_at),
            col(Forecast.probability),
            col(Forecast.probabilities),
            col(Forecast.rationale),
            col(Forecast.import_key).is_not(None),
        )
        .join(Forecast, col(Forecast.question_id) == col(Question.id))
        .join(Member, col(Member.id) == col(Forecast.member_id))
        .order_by(col(Forecast.made_at), col(Forecast.id))
    )
    found: dict[tuple[str, str], list[_Made]] = {}
    for slug, handle, made_at, p, several, rationale, is_import in rows_with(
        session, every, Question.slug, slugs
    ):
        made = _Made(made_at, (_value(p, several), rationale), is_import)
        found.setdefault((slug, handle), []).append(made)
    return found


def _value(probability: float | None, several: Sequence[float] | None) -> Any:
    """Return a value that equals that of the same forecast, from a sheet or from the ledger."""
    if several is not None:
        return tuple(several)
    return None if probability is None or probability != probability else probability
