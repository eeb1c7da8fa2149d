"""Simulated tournaments of any size; any of their questions can be made alone.

The model is that of `scoring.simulation`: the answer depends on a latent m + W(1), forecasters hear
the news W with noise of their own, and their beliefs are exact. So they are martingales, and a
forecaster who reports them is calibrated. Differences, for the sake of size:

- Every random number is a hash of the seed, the question, the forecaster and the update (`Draws`),
  by the mixing function of SplitMix64, so that no number depends on other draws. A tournament is
  the same in one part or in a thousand, made by one process or by many.
- News arrives in `STEPS` bulletins of equal size instead of continuously. The families' news is
  known to each of their questions without any sorting.
- Forecasters join a question in proportion to their activity. Their noise is not shared by a team.
- A multiple-choice question has three options, and a numeric outcome is 50 + 8 times the latent.

Questions differ in popularity (log-normal) and forecasters in skill and activity. Some questions
close early, at a time independent of the news; some forecasts are made before the question opens,
and some updates are withdrawals, most readily of forecasts near even.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import special

from scoring.arrays import Flags, Floats, Ints, Places
from scoring.errors import require
from scoring.outcome_draws import STEP, Words, mixed

STEPS = 32
# Times are whole seconds.
DAY_S = 86_400
FIRST_OPEN, LAST_CLOSE = (
    int(datetime(*day, tzinfo=UTC).timestamp()) for day in ((2025, 7, 1), (2026, 10, 31))
)
SHORTEST_DAYS, LONGEST_DAYS = 21, 150
# Eight questions in five families, over and over.
FAMILIES = np.array([0, 1, 2, 2, 3, 4, 4, 4])
FAMILY_CORRELATION = 0.5
PRIOR_SPREAD = 0.7
EARLY, WITHDRAWAL, BEFORE_OPENING = 0.3, 0.03, 0.03
LATE = 0.15
LEAST_SKILL, MOST_SKILL = 0.3, 0.9
LEAST_ACTIVE, MOST_ACTIVE = 0.2, 1.0
UPDATES = 5.0
EXTREMITY = 1.6
# Reports are this far from 0 and 1, so that logarithmic scores are finite.
LEAST = 1e-9
BINARY, MULTIPLE_CHOICE, NUMERIC = range(3)
OPTIONS = 3

# Sums of the noise are exact in this unit, so that they do not depend on earlier forecasts.
_UNIT = 2.0**-40


class Draws:
    """Random numbers of many things: each is a function of the thing's key and of a purpose.

    >>> every, last = (Draws.seeded(7).of(numbers) for numbers in (np.arange(3), np.arange(2, 3)))
    >>> bool(every.uniform("size")[2] == last.uniform("size")[0])
    True
    """

    def __init__(self, keys: Words) -> None:
        self.keys = keys

    @classmethod
    def seeded(cls, seed: int, purpose: str = "") -> Draws:
        """Return the draws of a seed and a purpose, a single key."""
        return cls(np.array([seed % 2**64], dtype=np.uint64)).of(_number(purpose))

    def of(self, number: Ints | int) -> Draws:
        """Return the draws of the things with these numbers, one for each key."""
        step = STEP * (np.atleast_1d(number).astype(np.uint64) + np.uint64(1))
        return Draws(mixed(self.keys + step))

    def uniform(self, purpose: str) -> Floats:
        """Return numbers between 0 and 1, both excluded."""
        return np.asarray(((self.of(_number(purpose)).keys >> np.uint64(11)) + 0.5) * 2.0**-53)

    def normal(self, purpose: str) -> Floats:
        """Return standard normal numbers."""
        return np.asarray(special.ndtri(self.uniform(purpose)))

    def take(self, places: npt.NDArray[np.integer] | Flags) -> Draws:
        """Return the draws of some of the things."""
        return Draws(self.keys[places])


def _number(purpose: str) -> int:
    return zlib.crc32(purpose.encode())


@dataclass(frozen=True)
class BulkTournament:
    """A tournament of any size. Equal settings give the same tournament.

    ``updates``: about how many forecasts there are in all. ``choice_share``, ``numeric_share``:
    shares of the questions with options, and about a number. ``overconfident``: share of the
    forecasters whose log odds are multiplied by `EXTREMITY`; the others are calibrated.
    """

    questions: int
    forecasters: int
    updates: int
    teams: int = 10
    seed: int = 0
    choice_share: float = 0.0
    numeric_share: float = 0.0
    overconfident: float = 0.0

    def __post_init__(self) -> None:
        for name in ("questions", "forecasters", "updates"):
            value = getattr(self, name)
            require(name, value, 1 <= value < 2**40, "must be at least 1, and below 2^40")
        rule = "must be 0 or more, and at most one for each forecaster"
        require("teams", self.teams, 0 <= self.teams <= self.forecasters, rule)
        for name in ("choice_share", "numeric_share", "overconfident"):
            value = getattr(self, name)
            require(name, value, 0 <= value <= 1, "must lie within 0..1")
        shares = self.choice_share + self.numeric_share
        require("numeric_share", self.numeric_share, shares <= 1, "shares of types exceed 1")

    @cached_property
    def scale(self) -> float:
        """The expected forecasts on a question of popularity 1."""
        every = range(0, self.questions, 1 << 18)
        ends = [min(start + (1 << 18), self.questions) for start in every]
        parts = [
            _popularity(self.draws(np.arange(start, end))).sum()
            for start, end in zip(every, ends, strict=True)
        ]
        return self.updates / math.fsum(parts)

    def draws(self, numbers: Ints) -> Draws:
        """Return the draws of the questions with these numbers, from 0."""
        return Draws.seeded(self.seed, "questions").of(numbers)

    def expected(self, numbers: Ints) -> Floats:
        """Return about how many forecasts each of these questions has."""
        return _popularity(self.draws(numbers)) * self.scale

    @cached_property
    def activity(self) -> Floats:
        """The probability that a forecaster joins a question that asks them."""
        share = self._people.uniform("activity")
        return LEAST_ACTIVE + (MOST_ACTIVE - LEAST_ACTIVE) * share

    @cached_property
    def skill(self) -> Floats:
        """The share of the news that reaches each forecaster."""
        return LEAST_SKILL + (MOST_SKILL - LEAST_SKILL) * self._people.uniform("skill")

    @cached_property
    def extremity(self) -> Floats:
        """The factor of each forecaster's log odds."""
        return np.where(self._people.uniform("extremity") < self.overconfident, EXTREMITY, 1.0)

    @cached_property
    def strides(self) -> Ints:
        """Steps through all forecasters that meet each of them once."""
        every = np.unique(Draws.seeded(self.seed).of(np.arange(256)).keys % self.forecasters)
        steps = [int(step) for step in every if math.gcd(int(step), self.forecasters) == 1]
        return np.array(steps or [1], dtype=np.int64)

    @property
    def _people(self) -> Draws:
        return Draws.seeded(self.seed, "forecasters").of(np.arange(self.forecasters))


def _popularity(draws: Draws) -> Floats:
    return np.asarray(np.exp(draws.normal("popularity") - 0.5))


@dataclass(frozen=True)
class Asked:
    """Questions of a tournament, one entry each, all resolved.

    ``number`` from 0; ``family`` and ``place`` in it; times in seconds since 1970; ``early``: the
    answer was known before the scheduled close; ``kind``: `BINARY`, `MULTIPLE_CHOICE` or `NUMERIC`.
    ``latent`` is m + W(1), ``news`` (n, STEPS) is m + W at the bulletins before it.
    """

    number: Ints
    family: Ints
    place: Ints
    kind: Ints
    open_s: Ints
    scheduled_s: Ints
    close_s: Ints
    early: Flags
    latent: Floats
    news: Floats
    draws: Draws


def asked(settings: BulkTournament, number: Ints) -> Asked:
    """Return the questions with these numbers, which depend only on the settings."""
    turn, place = np.divmod(number, len(FAMILIES))
    family = turn * (int(FAMILIES[-1]) + 1) + FAMILIES[place]
    draws, shared = settings.draws(number), Draws.seeded(settings.seed, "families").of(family)
    days = shared.uniform("days") * (LONGEST_DAYS + 1 - SHORTEST_DAYS)
    length = (SHORTEST_DAYS + days.astype(np.int64)) * DAY_S
    hours = (LAST_CLOSE - FIRST_OPEN - length) // 3600
    open_s = FIRST_OPEN + 3600 * (shared.uniform("opening") * (hours + 1)).astype(np.int64)
    early = draws.uniform("early") < EARLY
    life = np.where(early, np.ceil(draws.uniform("life") * length), length).astype(np.int64)
    kind, choice = draws.uniform("kind"), settings.choice_share
    number_too = choice + settings.numeric_share
    rho = FAMILY_CORRELATION
    bulletins = np.arange(STEPS)
    steps = math.sqrt(rho / STEPS) * Draws(shared.keys[:, None]).of(bulletins).normal("news")
    steps += math.sqrt((1 - rho) / STEPS) * Draws(draws.keys[:, None]).of(bulletins).normal("news")
    news = np.empty((len(number), STEPS + 1))
    news[:, 0] = PRIOR_SPREAD * draws.normal("prior")
    news[:, 1:] = steps
    np.cumsum(news, axis=1, out=news)
    return Asked(
        number=number,
        family=family,
        place=place - np.searchsorted(FAMILIES, FAMILIES)[place],
        kind=np.select([kind < choice, kind < number_too], [MULTIPLE_CHOICE, NUMERIC], BINARY),
        open_s=open_s,
        scheduled_s=open_s + length,
        close_s=open_s + life,
        early=early & (life < length),
        latent=news[:, STEPS],
        news=news[:, :STEPS],
        draws=draws,
    )


@dataclass(frozen=True)
class Made:
    """Forecasts, one entry each, ordered by question, forecaster and time.

    ``question`` is a place among the questions asked, ``forecaster`` a number from 0, ``made_s`` in
    seconds since 1970. To the forecaster the latent is normal with ``mean`` and ``sd``; ``power``
    multiplies the log odds of a report.
    """

    question: Ints
    forecaster: Ints
    made_s: Ints
    mean: Floats
    sd: Floats
    power: Floats
    withdrawn: Flags

    def __len__(self) -> int:
        return len(self.question)

    def take(self, places: Places) -> Made:
        """Return some of the forecasts."""
        return Made(**{name: column[places] for name, column in vars(self).items()})

    @property
    def probability(self) -> Floats:
        """The reported probability of "yes"."""
        z = self.mean / self.sd
        if (self.power == 1).all():
            return np.clip(special.ndtr(z), LEAST, 1 - LEAST)
        odds = special.log_ndtr(z) - special.log_ndtr(-z)
        return np.clip(special.expit(self.power * odds), LEAST, 1 - LEAST)

    @property
    def probabilities(self) -> Floats:
        """The reported probabilities of the options (n, OPTIONS), which sum to 1."""
        ends = (CUTS - self.mean[:, None]) / self.sd[:, None]
        upto = np.column_stack([np.zeros(len(ends)), special.ndtr(ends), np.ones(len(ends))])
        p = np.maximum(np.diff(upto, axis=1), LEAST) ** self.power[:, None]
        return np.asarray(p / p.sum(axis=1, keepdims=True))

    @property
    def quantiles(self) -> Floats:
        """The reported quantiles (n, LEVELS); overconfident forecasters' are too narrow."""
        spread = self.sd / self.power
        return quantity(self.mean[:, None] + spread[:, None] * special.ndtri(LEVELS))


# The options are equally likely a priori.
CUTS = math.hypot(1, PRIOR_SPREAD) * special.ndtri(np.arange(1, OPTIONS) / OPTIONS)
LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
LOWER, UPPER = 0.0, 100.0


def quantity(latent: Floats) -> Floats:
    """Return the number that a numeric question asks for, within its bounds."""
    return np.clip(50 + 8 * latent, LOWER, UPPER)


def made(settings: BulkTournament, questions: Asked) -> Made:
    """Return all forecasts on these questions."""
    question, forecaster, updates, draws = _joined(settings, questions)
    first = -LATE * np.log(draws.uniform("first")) % 1
    begin = np.cumsum(updates) - updates
    pair = np.repeat(np.arange(len(updates)), updates)
    rank = np.arange(len(pair)) - begin[pair]
    each = draws.take(pair).of(rank)

    # Updates are spread over the time that is left, in order of time without sorting.
    at = (rank + each.uniform("time")) / updates[pair]
    at[begin] = 0.0
    at *= 1 - first[pair]
    at += first[pair]
    question, forecaster = question[pair], forecaster[pair]
    at_s = (at * (questions.close_s - questions.open_s)[question]).astype(np.int64)
    length = (questions.scheduled_s - questions.open_s)[question]
    before = draws.uniform("before") < BEFORE_OPENING
    at_s[begin[before]] = -np.ceil(draws.take(before).uniform("ahead") * DAY_S).astype(np.int64)
    bulletin = np.maximum(at_s, 0) * STEPS // length

    heard = np.diff(bulletin, prepend=0)
    heard[begin] = bulletin[begin]
    noise = np.sqrt(heard / STEPS) * each.normal("noise") / _UNIT
    upto = np.append(0, np.cumsum(noise.astype(np.int64)))
    noise = (upto[1:] - upto[begin][pair]) * _UNIT
    skill = settings.skill[forecaster]
    news, prior = questions.news[question, bulletin], questions.news[question, 0]
    mean = prior + skill * (news - prior + np.sqrt(1 / skill - 1) * noise)
    found = Made(
        question=question,
        forecaster=forecaster,
        made_s=questions.open_s[question] + at_s,
        mean=mean,
        sd=np.sqrt(1 - skill * (bulletin / STEPS)),
        power=settings.extremity[forecaster],
        withdrawn=np.zeros(len(mean), dtype=np.bool_),
    )
    p = found.probability
    found.withdrawn[:] = (rank > 0) & (each.uniform("withdraws") < 4 * WITHDRAWAL * p * (1 - p))
    return found


def _joined(settings: BulkTournament, questions: Asked) -> tuple[Ints, Ints, Ints, Draws]:
    """Return the pairs of a question and a forecaster who joins it, in order, one entry each.

    That is: the question's place, the forecaster, the number of their forecasts, the pair's draws.
    """
    people, active = settings.forecasters, settings.activity.mean()
    draws = questions.draws
    expected = settings.expected(questions.number)
    sought = np.floor(expected / (UPDATES * active) + draws.uniform("sought"))
    asked_of = np.minimum(sought, people).astype(np.int64)
    # Where everyone is asked, they update more often.
    often = np.maximum(expected / (people * active), UPDATES)
    question = np.repeat(np.arange(len(asked_of)), asked_of)
    turn = np.arange(len(question)) - (np.cumsum(asked_of) - asked_of)[question]
    stride = settings.strides[(draws.uniform("stride") * len(settings.strides)).astype(np.int64)]
    offset = (draws.uniform("offset") * people).astype(np.int64)
    forecaster = np.asarray((offset[question] + turn * stride[question]) % people, dtype=np.int64)

    pairs = draws.take(question).of(forecaster)
    joins = pairs.uniform("joins") < settings.activity[forecaster]
    question, forecaster, pairs = question[joins], forecaster[joins], pairs.take(joins)
    order = np.argsort(question * people + forecaster)
    question, forecaster, pairs = question[order], forecaster[order], pairs.take(order)
    # Geometric: many forecast once, a few very often.
    updates = 1 + np.floor(np.log(pairs.uniform("often")) / np.log1p(-1 / often[question]))
    return question, forecaster, updates.astype(np.int64), pairs
