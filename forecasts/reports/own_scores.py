"""A member's own scores over all resolved questions: means, their trend, best and worst.

Unlike a report, which judges calibration on the questions whose scheduled close has passed, it
counts every resolved question: these are the scores that the member has, not a test of anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

import numpy as np
import pandas as pd

from forecasts.common.text import count
from forecasts.reports.coherence import coherence
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.report import Coherence, Estimate
from forecasts.reports.selection import Choice
from forecasts.reports.skills import base_rate_scores
from forecasts.scores.ledger_frames import question_frame
from forecasts.scores.scored_questions import ScoredQuestion
from forecasts.scores.stored_scores import BRIER

WINDOW = 20  # questions in the running mean
CALLS = 3  # best and worst ones shown
FEWEST_FOR_RATE = 10  # families of yes/no questions; the share of "yes" on fewer says little


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
class Mark:
    """A mean Brier score on a scale; ``about`` says in a sentence where it comes from."""

    name: str
    score: float
    about: str


# Overall score (N=602) in leaderboards/csv/human_leaderboard_overall.csv of the repository
# forecastingresearch/forecastbench-datasets, commit 63c3bf94: not adjusted for difficulty, as here.
SUPERFORECASTERS = Mark(
    "Superforecasters*",
    0.098,
    "*On other questions, so only a rough guide: the median forecast of superforecasters on "
    "ForecastBench (602 outcomes, published on 9 August 2025).",
)


@dataclass(frozen=True)
class OwnScores:
    """The scores of one member.

    ``calls``: the questions with a Brier score, in the order in which their outcomes became known.
    ``brier`` and ``against_crowd``: their means, with intervals over families; the latter over the
    ``compared`` ones. ``points``: earned by updates, the mean over the ``updated`` ones.
    ``coherence``: the cost of contradictions, None without questions that hang together.
    """

    calls: tuple[Call, ...]
    brier: Estimate
    against_crowd: Estimate
    compared: int
    points: float | None
    updated: int
    coherence: Coherence | None = None

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
    earned = [one.points for one in known if one.points is not None]
    return OwnScores(
        calls=calls,
        brier=mean_over_questions(values, _families(known), (0.0, 1.0), lopsided=True),
        against_crowd=mean_over_questions(gained, _families(compared), (-1.0, 1.0), rare=True),
        compared=len(compared),
        points=fmean(earned) if earned else None,
        updated=len(earned),
        coherence=_coherence(known),
    )


def _coherence(known: Sequence[ScoredQuestion]) -> Coherence | None:
    priced = [
        (place, one.price.number, one.price.price, one.price.moved)
        for place, one in enumerate(known)
        if one.price is not None
    ]
    own = pd.DataFrame(priced, columns=["question", "number", "price", "moved"])
    return coherence(own, _families(known))


def scale(own: OwnScores) -> list[Mark]:
    """Return the mean Brier score beside others', best first; empty without a score.

    They are on the same questions, but for the published one.
    """
    known = [call.question for call in own.calls]
    if own.brier.mean is None:
        return []
    questions, every = question_frame([one.state for one in known]), np.arange(len(known))
    even = base_rate_scores(questions, np.zeros_like(every), every)
    rate = base_rate_scores(questions, _families(known), every)
    binary = [one for one in known if not one.state.text.options]
    shares = "Always 50%: with several options, an equal share for each." if binary != known else ""
    marks = [
        Mark("You", own.brier.mean, ""),
        Mark("Always 50%", fmean(even), shares),
        SUPERFORECASTERS,
    ]
    if len({*_families(binary)}) >= FEWEST_FOR_RATE and not np.array_equal(even, rate):
        about = "Base rate: always the share of “yes” on your other questions, known only later."
        marks.append(Mark("Base rate", fmean(rate), about))
    if own.compared:
        # Over the same time as the score; an advantage is over the question's whole time.
        crowd = [one.score.score + (one.against_crowd or 0.0) / one.score.coverage for one in known]
        about = "Crowd: the mean of the others’ forecasts at the times of yours."
        if alone := len(known) - own.compared:
            about += f" On {count(alone, 'question')} without others, your own score counts."
        marks.append(Mark("Crowd", fmean(crowd), about))
    return sorted(marks, key=lambda mark: mark.score)


def _families(scored: Sequence[ScoredQuestion]) -> np.ndarray:
    """Return each question's cluster; a question without a family is its own."""
    names = [one.family or one.state.id for one in scored]
    return pd.factorize(pd.Series(names, dtype=object))[0]
