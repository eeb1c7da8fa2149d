"""A comparison as data: ``build`` returns it, and every format is made of it.

The fields are, name for name, the keys of the JSON format (``render/comparison.schema.json``). None
means that there is nothing to compute the number from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from forecasts.reports.report import Estimate, Interval, LeftOut
from forecasts.reports.selection import Choice

Of = Literal["teams", "forecasters"]


@dataclass(frozen=True)
class EvidenceStep:
    """The e-value after one family, at the family's scheduled close."""

    at: datetime
    e_value: float


@dataclass(frozen=True)
class Watched:
    """Evidence that stays valid at any time: an e-process over families of questions.

    ``e_value`` is current, ``highest`` the maximum so far. At ``enough`` the two are shown to
    differ, and ``better`` names the one that the evidence favoured then. ``path`` has a step for
    each family.
    """

    e_value: float
    highest: float
    enough: float
    families: int
    better: str | None
    path: tuple[EvidenceStep, ...]


@dataclass(frozen=True)
class Pair:
    """Two groups on the questions, and at the times, that they share.

    ``difference`` is the mean of a's Brier score (0–1) minus b's: negative if a is better. Its
    ``interval`` is 95%, clustered by family; ``p_value`` is of no difference, and ``p_adjusted``,
    Holm's over all pairs compared, decides. ``detectable`` is the true difference that would show
    in 8 of 10 such records. ``comparable`` is false below 30 shared questions or families, and if
    the two cannot be compared at all; ``reason`` says why. ``better`` names the one that did better
    than chance explains. ``sentence`` says all of this in words.
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
    """The advantage over the others at the same times, in points of 0.01 Brier; above 0: better.

    ``mean`` is raw, with its ``interval``; ``shrunk``, with its own, allows for the luck that the
    best and the worst of many have.
    """

    questions: int
    mean: float
    interval: Interval
    shrunk: float
    shrunk_interval: Interval


@dataclass(frozen=True)
class Side:
    """One of the groups compared: the ranks that it may have, and its own record.

    Rank 1 is the best. The record is over all of the group's questions, shared or not: it
    describes the group, and the ranks do not rest on it. ``skill`` is for forecasters, if there are
    enough of them.
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
    """The subject of the numbers, and how they were made.

    ``claims``: "these members", or "people like them".
    """

    engine_version: str
    protocol: str
    of: Of
    claims: str
    as_of: datetime
    input_sha256: str


@dataclass(frozen=True)
class Comparison:
    """The groups in the order of their scores, all pairs of them, and the questions left out.

    ``sentence`` is the conclusion; ``notes`` are its caveats, as full sentences.
    """

    SCHEMA: ClassVar[str] = "forecast-ledger.comparison.1"

    metadata: About
    sentence: str
    questions: int
    left_out: tuple[LeftOut, ...]
    groups: tuple[Side, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]
