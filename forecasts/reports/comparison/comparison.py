"""A comparison as data: ``build`` returns it, and every format is made of it.

The fields are, name for name, the keys of the JSON format (``comparison.schema.json``). None means
that there is nothing to compute the number from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from forecasts.documents.numbers import Interval
from forecasts.reports.report import Adjusted, Coherence, Estimate, LeftOut, Provenance
from forecasts.reports.selection import Choice
from scoring.comparison import Dominant

Of = Literal["teams", "forecasters", "kinds", "models"]


@dataclass(frozen=True)
class EvidenceStep:
    """The e-value after one bet, at the scheduled close of its block of time, or its family."""

    at: datetime
    e_value: float


@dataclass(frozen=True)
class Watched:
    """Evidence that stays valid at any time: an e-process over blocks of time, or over families.

    ``e_value`` is current, ``highest`` the maximum so far. At ``enough`` the two are shown to
    differ, and ``better`` names the one that the evidence favoured then. ``path`` has a step for
    each bet: there is one a block of time, on the mean difference of the block's families, or one a
    family (``blocks`` is None), which holds only if families are independent. ``needed`` bets on
    the pair's mean difference would suffice.
    """

    e_value: float
    highest: float
    enough: float
    families: int
    blocks: int | None
    needed: int | None
    better: str | None
    path: tuple[EvidenceStep, ...]


@dataclass(frozen=True)
class Imputed:
    """The pair without silence: a forecast lasts, and before it a side scores like the others.

    On all questions that either of the two forecast. ``p_adjusted`` is Holm's over the same pairs.
    """

    questions: int
    difference: float
    interval: Interval | None
    p_adjusted: float | None
    better: str | None


@dataclass(frozen=True)
class MurphyDifference:
    """The mean loss of a minus that of b at a threshold for acting; negative if a lost less.

    ``interval`` is 95% at this threshold, ``band`` 95% for all curves of the comparison together.
    """

    threshold: float
    difference: float
    interval: Interval
    band: Interval


@dataclass(frozen=True)
class PriceDifference:
    """The cost of a's contradictions minus that of b's, a question: negative if a's cost less.

    In Brier points (0–1), on ``questions`` on which both have a forecast on another that it hangs
    together with, and one of the two contradicted itself. ``interval`` as that of the pair.
    """

    questions: int
    families: int
    difference: float
    interval: Interval
    sentence: str


@dataclass(frozen=True)
class Pair:
    """Two groups on the questions, and at the times, that they share.

    ``difference`` is the mean of a's Brier score (0–1) minus b's: negative if a is better. Its
    ``interval`` is 95%, clustered by family, and of several pairs so much wider that it contains 0
    exactly if there is no claim; ``p_value`` is of no difference, and ``p_adjusted``, Holm's over
    all pairs compared, decides. ``shared_time`` is the share of the questions' scheduled time that
    the two share (None at a lead). ``detectable`` is the true difference that would show in 8 of 10
    such records, ``more_questions`` how many more shared questions would show this one.
    ``comparable`` is false below 30 shared questions or families, where silence may explain the
    difference, and if the two cannot be compared at all; ``reason`` says why. ``better`` names the
    one that did better than chance explains. ``sentence`` says all of this in words.

    ``effective_families`` allows for families of unequal size; ``dominant`` is one that holds more
    than a fifth of the questions. ``tipping`` is the smallest correlation between outcomes of
    families open at the same time with which the claim would be in doubt (None: no claim, or it
    holds with any). ``waiting``: the shared questions of the cohort without an outcome yet;
    ``p_waiting``, if any pair has some, the largest adjusted p-value over all they may turn out to
    be, which a claim must bear.
    ``p_by_time`` is of a second test, clustered by ``periods`` as long as the median family is open
    (None below 10). ``imputed`` is the result without abstention, where one side was silent longer
    than the other.
    ``murphy`` is the difference of the Murphy curves, whose area is ``difference``; empty if not
    comparable or if few rare events decide, and in a comparison of more than 15 pairs.
    ``coherence`` is the difference of the cost of their contradictions, None if chance explains it,
    with too few questions, and at a lead.
    ``watched`` takes no family as independent of another, ``watched_by_family`` all of them.
    """

    a: str
    b: str
    shared_questions: int
    families: int
    effective_families: float
    difference: float | None
    interval: Interval | None
    p_value: float | None
    p_adjusted: float | None
    detectable: float | None
    shared_time: float | None
    more_questions: int | None
    comparable: bool
    reason: str
    better: str | None
    tipping: float | None
    waiting: int
    p_waiting: float | None
    periods: int | None
    p_by_time: float | None
    dominant: Dominant | None
    imputed: Imputed | None
    murphy: tuple[MurphyDifference, ...]
    coherence: PriceDifference | None
    watched: Watched | None
    watched_by_family: Watched | None
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
    describes the group, and the ranks do not rest on it. ``unanswered`` is the share of the
    questions compared without a forecast from the group, ``silent`` the share of their scheduled
    time while they were open (None at a lead). ``may_be_best`` is false once the evidence over time
    has excluded it, which ever happens to the best in at most 1 of 20 cases. ``adjusted`` is the
    score adjusted for the difficulty of the questions. ``skill`` is for forecasters, if there are
    enough of them. ``coherence`` is the cost of its contradictions, None without questions that
    hang together, and at a lead.
    """

    name: str
    rank_low: int
    rank_high: int
    forecasters: int
    questions: int
    updates: int
    coverage: float | None
    unanswered: float | None
    silent: float | None
    may_be_best: bool
    brier: Estimate
    brier_original: Estimate
    adjusted: Adjusted | None
    skill: Skill | None
    coherence: Coherence | None


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

    ``provenance`` is of the questions that count and that one of the groups forecast. ``sentence``
    is the conclusion; ``notes`` are its caveats, as full sentences.
    """

    SCHEMA: ClassVar[str] = "forecast-ledger.comparison.2"

    metadata: About
    sentence: str
    questions: int
    left_out: tuple[LeftOut, ...]
    provenance: Provenance
    groups: tuple[Side, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]
