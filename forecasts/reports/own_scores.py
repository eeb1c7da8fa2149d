"""A member's own scores over all resolved questions: means, their trend, best and worst.

Unlike a report, which judges calibration on the questions whose scheduled close has passed, it
counts every resolved question: these are the scores that the member has, not a test of anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.report import Estimate
from forecasts.reports.selection import Choice
from forecasts.scores.scored_questions import ScoredQuestion
from forecasts.scores.stored_scores import BRIER

WINDOW = 20  # questions in the running mean
CALLS = 3  # best and worst ones shown


@dataclass(frozen=True)
class Call:
    """A question with a Brier score, when its outcome became known, and the mean so far.

    ``running``: the mean of this score and of those before it, ``WINDOW`` at most.
    """

    question: ScoredQuestion
    known_at: datetime
    score: float
    running: float


@dataclass(frozen=True)
class OwnScores:
    """The scores of one member.

    ``calls``: the questions with a Brier score, in the order in which their outcomes became known.
    ``brier`` and ``against_crowd``: their means, with intervals over families; the latter over the
    ``compared`` ones. ``points``: earned by all updates.
    """

    calls: tuple[Call, ...]
    brier: Estimate
    against_crowd: Estimate
    compared: int
    points: float

    @property
    def best(self) -> list[Call]:
        """The questions with the best scores, at most half of all."""
        return self._extremes(1)

    @property
    def worst(self) -> list[Call]:
        """The questions with the worst scores, worst first, at most half of all."""
        return self._extremes(-1)

    def _extremes(self, step: int) -> list[Call]:
        ranked = sorted(self.calls, key=lambda call: call.score)[::step]
        return ranked[: min(CALLS, len(ranked) // 2)]


def within(scored: Sequence[ScoredQuestion], choice: Choice) -> list[ScoredQuestion]:
    """Return the questions that a report's filters keep: by tag and by scheduled close."""
    return [
        one
        for one in scored
        if (not choice.tags or not set(choice.tags).isdisjoint(one.state.text.tags or ()))
        and (choice.since is None or one.state.text.scheduled_close_time >= choice.since)
        and (choice.until is None or one.state.text.scheduled_close_time <= choice.until)
    ]


def own_scores(scored: Sequence[ScoredQuestion]) -> OwnScores:
    """Return the means and the trend of a member's scored questions."""
    known = [one for one in scored if one.score.protocol == BRIER]
    known.sort(key=lambda one: (one.known_at, one.state.id))
    values = np.array([one.score.score for one in known], dtype=np.float64)
    running = pd.Series(values).rolling(WINDOW, min_periods=1).mean()
    calls = tuple(
        Call(one, one.known_at, one.score.score, mean)
        for one, mean in zip(known, running.tolist(), strict=True)
    )
    compared = [one for one in known if one.against_crowd is not None]
    gained = np.array([one.against_crowd for one in compared], dtype=np.float64)
    return OwnScores(
        calls=calls,
        brier=mean_over_questions(values, _families(known), (0.0, 1.0), lopsided=True),
        against_crowd=mean_over_questions(gained, _families(compared), (-1.0, 1.0), rare=True),
        compared=len(compared),
        points=sum(one.points or 0.0 for one in known),
    )


def _families(scored: Sequence[ScoredQuestion]) -> np.ndarray:
    """Return each question's cluster; a question without a family is its own."""
    names = [one.state.text.family or one.state.id for one in scored]
    return pd.factorize(pd.Series(names, dtype=object))[0]
