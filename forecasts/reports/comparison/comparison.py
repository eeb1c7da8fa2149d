"""A comparison as data: what ``build`` returns and every renderer reads.

The fields are, name for name, the keys of the JSON form, which ``comparison.schema.json``
describes. None says that there is nothing to compute it from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forecasts.reports.report import Estimate, Interval, LeftOut
from forecasts.reports.selection import Choice

Of = Literal["teams", "forecasters"]


@dataclass(frozen=True)
class Watched:
    """The evidence that stays valid whenever one looks: an e-process over families of questions.

    ``e_value`` is what it stands at, ``highest`` the most it ever was; from ``enough`` on it is
    shown that the two differ, and ``better`` names the one that the evidence spoke for then.
    ``path`` holds what it was after each family, at the scheduled close of that family.
    """

    e_value: float
    highest: float
    enough: float
    families: int
    better: str | None
    path: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True)
class Pair:
    """Two groups on the questions, and at the times, that they shared.

    ``difference`` is the mean of a's Brier score (0–1) less b's: negative where a is better. Its
    ``interval`` is 95 %, clustered by family, and ``p_value`` that of no difference;
    ``p_adjusted`` is Holm's over all pairs compared, and decides. ``detectable`` is the true
    difference that so many questions would show in 8 of 10 such records. ``comparable`` is false
    below 30 shared questions, or 30 families of them, and where the two cannot be compared at all;
    ``reason`` says why. ``better`` names the one that did better beyond luck. ``sentence`` says it
    all in words.
    """

    a: str
    b: str
    shared_questions: int
    families: int
    difference: float | None
    interval: Interval | None
    p_value: float | None
    p_adjusted: float | None
    detectable: float | None
    comparable: bool
    reason: str
    better: str | None
    watched: Watched | None
    sentence: str


@dataclass(frozen=True)
class Skill:
    """How much better than the others at the same times, in points of 0.01 Brier; above 0: better.

    ``mean`` is raw with its ``interval``; ``shrunk``, with its own, allows for how far the best and
    the worst of many are so by luck.
    """

    questions: int
    mean: float
    interval: Interval
    shrunk: float
    shrunk_interval: Interval


@dataclass(frozen=True)
class Side:
    """One of the groups compared: the ranks that it may have, and its own record.

    Ranks count from 1, the best. The record is over all of the group's questions, also those that
    it shares with none of the others: it describes, and is not what the ranks rest on. ``skill`` is
    given for forecasters, where there are enough of them.
    """

    name: str
    rank_low: int
    rank_high: int
    forecasters: int
    questions: int
    updates: int
    coverage: float | None
    brier: Estimate
    brier_original: Estimate
    skill: Skill | None


@dataclass(frozen=True, kw_only=True)
class About(Choice):
    """What the numbers are of, and what they were made with.

    ``claims`` says whom they are about: "these members", or "people like them".
    """

    engine_version: str
    protocol: str
    of: Of
    claims: str
    as_of: datetime
    input_sha256: str


@dataclass(frozen=True)
class Comparison:
    """The groups in the order of their ranks, all pairs of them, and what was left out.

    ``sentence`` sums it up; ``notes`` are full sentences on what to mind in this one.
    """

    metadata: About
    sentence: str
    questions: int
    left_out: tuple[LeftOut, ...]
    groups: tuple[Side, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]
