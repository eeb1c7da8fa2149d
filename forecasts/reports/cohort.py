"""The questions that count in a report, their outcomes, and the reasons to leave others out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.errors import BadInput
from forecasts.common.times import utc
from forecasts.folder.dependence import joined
from forecasts.folder.frames import Frames
from forecasts.ledger.models import QuestionType
from forecasts.reports.groups import listed
from forecasts.reports.report import LeftOut, Reason
from forecasts.reports.schedules import scheduled_close_when_made
from forecasts.reports.selection import Choice, Cohort
from forecasts.values.outcomes import NOT_SCORED
from scoring.arrays import Flags, Floats, Places

COUNTS = ""
_WORDS = {"yes": 1.0, "no": 0.0}


def selected(questions: pd.DataFrame, choice: Choice) -> Flags:
    """Return which questions the choice selects, by tag and by scheduled close.

    BadInput for a tag that no question has.
    """
    wanted = np.ones(len(questions), dtype=np.bool_)
    if choice.tags:
        known = sorted({tag for own in questions["tags"] for tag in own or ()})
        for tag in choice.tags:
            if tag not in known:
                raise BadInput(
                    f"No question has the tag {tag!r}.",
                    remedy=f"Tags: {listed(known)}." if known else "No question has a tag.",
                )
        wanted[:] = [not set(choice.tags).isdisjoint(own or ()) for own in questions["tags"]]
    closes = questions["scheduled_close_time"]
    if choice.since is not None:
        wanted &= (closes >= pd.Timestamp(choice.since)).to_numpy()
    if choice.until is not None:
        wanted &= (closes <= pd.Timestamp(choice.until)).to_numpy()
    return wanted


def as_scheduled(frames: Frames, choice: Choice, as_of: datetime) -> Frames:
    """Return the ledger with the schedules that stood when forecasts were made.

    A question whose close was moved closed with the last of its closes that has passed; if none
    has, the first is ahead. It has the forecasts made under such a close. So postponing a "no"
    takes nothing out of a record, and bringing a close forward takes nothing in. Questions with a
    certain link are in one family, and those that are likely the same, until someone says that they
    differ.
    """
    questions = with_due_closes(frames.questions, choice, as_of)
    questions = joined(questions, frames.links, frames.likely_same)
    kept = made_when_due(frames.questions, questions, frames.forecasts, choice, as_of)
    return replace(frames if kept.all() else only(frames, kept), questions=questions)


def with_due_closes(questions: pd.DataFrame, choice: Choice, as_of: datetime) -> pd.DataFrame:
    """Return the questions with their closes as ``as_scheduled`` has them."""
    moved = questions["earlier_closes"].notna()
    if choice.cohort != "scheduled" or not moved.any():
        return questions
    moment = pd.Timestamp(utc(as_of))
    closes = questions["scheduled_close_time"].copy()
    for at in np.flatnonzero(moved).tolist():
        every = [*pd.to_datetime(list(questions["earlier_closes"].iloc[at].values()), utc=True)]
        every.append(closes.iloc[at])
        passed = [close for close in every if close <= moment]
        closes.iloc[at] = max(passed) if passed else min(every)
    # It closed when it did, or by the close of this schedule.
    actual = questions["actual_close_time"]
    ended = actual.fillna(questions["scheduled_close_time"])
    return questions.assign(
        scheduled_close_time=closes,
        actual_close_time=actual.where(~moved, ended.where(ended < closes)),
    )


def made_when_due(
    questions: pd.DataFrame,
    due: pd.DataFrame,
    forecasts: pd.DataFrame,
    choice: Choice,
    as_of: datetime,
) -> Flags:
    """Return which forecasts ``as_scheduled`` keeps: those under a close that has passed.

    Where no close has passed, all. ``questions`` have their closes as recorded, ``due`` those of
    ``with_due_closes``.
    """
    kept = np.ones(len(forecasts), dtype=np.bool_)
    moved = questions["earlier_closes"].notna()
    if choice.cohort == "scheduled" and moved.any():
        moment = pd.Timestamp(utc(as_of))
        closes = due["scheduled_close_time"]
        ids = questions.loc[moved & (closes <= moment), "question_id"]
        own = forecasts["question_id"].isin(ids).to_numpy()
        close = scheduled_close_when_made(questions, forecasts[own])
        kept[own] = (close <= moment).to_numpy()
    return kept


def taken(forecasts: pd.DataFrame, choice: Choice) -> Flags:
    """Return which forecasts the choice takes: those made in time, and not by one left out."""
    kept = ~forecasts["forecaster"].isin(choice.without).to_numpy()
    if choice.made_before is not None:
        kept &= (forecasts["made_at"] < pd.Timestamp(choice.made_before)).to_numpy()
    return np.asarray(kept)


def made_in_time(frames: Frames, choice: Choice) -> Frames:
    """Return the ledger with the forecasts that the choice takes.

    BadInput for a member to leave out who has no forecast.
    """
    if choice.witnessed and frames.imported is not None:
        frames = only(frames, ~frames.imported)
    if choice.made_before is None and not choice.without:
        return frames
    for name in choice.without:
        if not (frames.forecasts["forecaster"] == name).any():
            raise BadInput(
                f"There is no forecaster {name!r} to leave out.", remedy="Check the handle."
            )
    return only(frames, taken(frames.forecasts, choice))


def only(frames: Frames, kept: Flags) -> Frames:
    """Return the ledger with these of its forecasts."""
    models = None if frames.models is None else frames.models[kept].reset_index(drop=True)
    imported = None if frames.imported is None else frames.imported[kept]
    made = frames.forecasts[kept].reset_index(drop=True)
    return replace(frames, forecasts=made, models=models, imported=imported)


def reasons(questions: pd.DataFrame, *, cohort: Cohort, as_of: datetime) -> npt.NDArray[np.object_]:
    """Return the reason to leave out each question, ``COUNTS`` if it counts.

    ``as_of`` decides which questions are open and which are past their scheduled close. It does
    not restore an earlier ledger: outcomes recorded later count for questions closed by then.
    """
    moment = pd.Timestamp(utc(as_of))
    scheduled = questions["scheduled_close_time"]
    closed = questions["actual_close_time"].fillna(scheduled) <= moment
    outcome = questions["resolution"].str.strip().str.lower()
    unanswered = outcome == ""
    why = np.full(len(questions), COUNTS, dtype=object)
    if cohort == "scheduled":
        # Early answers are more often "yes": only the questions scheduled to close by now are a
        # fair sample.
        why[(scheduled > moment).to_numpy()] = "not_in_cohort"
    why[quantitative(questions)] = "numeric_or_date"
    for word in NOT_SCORED:
        why[(outcome == word).to_numpy()] = word
    why[(unanswered & closed).to_numpy()] = "awaiting_resolution"
    why[(~closed & ~outcome.isin(NOT_SCORED)).to_numpy()] = "open"
    return why


def quantitative(questions: pd.DataFrame) -> Flags:
    """Return which questions are about a number or a date."""
    kinds = [kind for kind in QuestionType if kind.is_quantitative]
    return np.asarray(questions["type"].isin(kinds))


def waits(
    questions: pd.DataFrame, reason: npt.NDArray[np.object_], *, cohort: Cohort, as_of: datetime
) -> Flags:
    """Return which questions would count if their outcome were known; ``reason``: of ``reasons``.

    They have closed, on schedule or in any way, as the cohort has it.
    """
    waiting = reason == "awaiting_resolution"
    if cohort == "scheduled":
        due = questions["scheduled_close_time"] <= pd.Timestamp(utc(as_of))
        waiting = waiting & due.to_numpy()
    return np.asarray(waiting)


def with_outcomes(questions: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the questions with one after another of their possible outcomes, as many as any has.

    A question with fewer repeats its last.
    """
    possible = [options or ["no", "yes"] for options in questions["options"]]
    for k in range(max(map(len, possible), default=2)):
        words = [own[min(k, len(own) - 1)] for own in possible]
        yield questions.assign(resolution=pd.Series(words, index=questions.index, dtype=str))


def outcomes(questions: pd.DataFrame) -> Floats:
    """Return the outcomes of questions that count: 0..1 if binary, else the option's position."""
    return np.array(
        [
            _binary(resolution) if options is None else options.index(resolution)
            for resolution, options in zip(
                questions["resolution"], questions["options"], strict=True
            )
        ],
        dtype=np.float64,
    )


def _binary(resolution: str) -> float:
    word = resolution.strip().lower()
    return float(_WORDS.get(word, word))


def families(questions: pd.DataFrame) -> Places:
    """Return each question's cluster; a question without a family is its own."""
    family = questions["family"].to_numpy(dtype=object)
    own = [name or position for position, name in enumerate(family)]
    return pd.factorize(pd.Series(own, dtype=object))[0]


def counted(why: Iterable[Any]) -> tuple[LeftOut, ...]:
    """Return the number of questions for each reason, in the order of ``Reason``."""
    found = pd.Series(list(why), dtype=object).value_counts()
    return tuple(
        LeftOut(reason, int(found[reason])) for reason in get_args(Reason) if reason in found
    )
