"""A report as data: ``build`` returns it, and every format is made of it.

The fields are, name for name, the keys of the JSON format (``report.schema.json``). None
means that there is nothing to compute the number from. Every interval and every p-value counts
families of questions, never questions, updates or forecasters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from forecasts.documents.numbers import Interval
from forecasts.reports.measures import (
    Adjusted,
    Bin,
    Certainty,
    CurvePoint,
    Decomposition,
    Errors,
    Estimate,
    LogDecomposition,
    LogScore,
    Luck,
    Miscalibration,
    MurphyPoint,
    Pit,
    Recalibration,
    RocPoint,
    Skill,
    ZTest,
)
from forecasts.reports.selection import Choice

By = Literal["all", "forecaster", "team", "tag", "lead", "kind", "model", "owner"]
Kind = Literal[
    "calibrated",
    "overconfident",
    "underconfident",
    "too_high",
    "too_low",
    "too_few",
    "not_estimable",
]
FAULTS: tuple[Kind, ...] = ("overconfident", "underconfident", "too_high", "too_low")
Drift = Literal["grew_high", "grew_low", "none", "too_few"]
Reaction = Literal["over_reacting", "under_reacting", "neither", "too_few"]
Reason = Literal[
    "open",
    "awaiting_resolution",
    "annulled",
    "ambiguous",
    "not_in_cohort",
    "not_selected",
    "numeric_or_date",
    "never_live",
    "in_no_group",
    "none_at_lead",
]


@dataclass(frozen=True)
class Movement:
    """Over- and under-reaction, over every question with a step, resolved or open.

    ``excess``: the mean over questions of Σ (2 p_t − 1)(p_t − p_{t+1}); above 0 the forecasts moved
    more than they learned. ``p_value`` is of the recalibrated forecasts on the resolved questions.
    ``revised``: the families of these with a changed forecast; with fewer than 30, or fewer than
    half, ``sentence`` makes no claim.
    """

    questions: int
    families: int
    revised: int
    excess: Estimate
    p_value: float | None
    kind: Reaction
    sentence: str


@dataclass(frozen=True)
class Unrevised:
    """A question on which a review would have paid: its costliest forecast, and the points.

    ``question`` is its id; the forecast stood for ``days``.
    """

    question: str
    title: str
    forecaster: str
    forecast: float
    days: float
    points: float


@dataclass(frozen=True)
class Staleness:
    """The cost of forecasts that nobody revised while time passed, on binary questions.

    ``cost`` is in Brier points (0–1) over the scheduled time: the saving if each forecast had moved
    with the time that passed, which may be below 0. ``drift`` is the power of the time
    left by which the odds fell; above 0, forecasts grew too high. It is a description, claimed only
    if the interval of the cost lies above 0. ``most``: the few questions with the largest cost.
    """

    questions: int
    families: int
    drift: float
    cost: Estimate
    kind: Drift
    sentence: str
    most: tuple[Unrevised, ...]


@dataclass(frozen=True)
class Lead:
    """The forecasts current that many days before the scheduled close: a row of the profile.

    ``expected`` is the Brier score (0–1) expected from them, and ``p_value`` of the paired test
    against the realised one.
    """

    days: float
    questions: int
    families: int
    brier: Estimate
    expected: float | None
    p_value: float | None


@dataclass(frozen=True)
class Earned:
    """The points earned by the updates that cite one publisher, kind or piece of evidence.

    A blank ``name`` means, by kind, updates that cite nothing, and by publisher, evidence without
    one; by evidence it is the id, and ``title`` the title. ``points`` is the sum over questions of
    the reduction of the Brier score (0–1, over the scheduled time), each as the mean over all
    members of the group; ``per_question`` is the mean over the questions with a citation.
    """

    by: Literal["publisher", "kind", "evidence"]
    name: str
    title: str
    citations: int
    questions: int
    families: int
    points: float
    per_question: Estimate


@dataclass(frozen=True)
class Update:
    """The points of one update: (score_before − score) · remaining, off its forecaster's own score.

    ``question`` is its id, ``title`` the question's. ``remaining`` is the share of its scheduled
    time that was left. ``points`` = ``promised`` + ``surprise``: the expectation if the new
    forecast were right, and the rest.
    """

    question: str
    title: str
    forecaster: str
    made_at: datetime
    remaining: float
    score_before: float
    score: float
    points: float
    promised: float
    surprise: float


@dataclass(frozen=True)
class Updates:
    """The points of all updates of a group that replaced a forecast, and a few of these updates.

    ``helped`` and ``cost`` count those with points above and below 0. ``points``, ``promised`` and
    ``surprise`` are sums over ``questions``, each as the mean over all members of the group;
    ``per_question`` is the mean of the first. ``most`` and ``least`` are the few with the most and
    the fewest points.
    """

    updates: int
    helped: int
    cost: int
    questions: int
    families: int
    points: float
    promised: float
    surprise: float
    per_question: Estimate
    most: tuple[Update, ...]
    least: tuple[Update, ...]


@dataclass(frozen=True)
class Verdict:
    """The finding of a record beyond chance.

    ``rest``: for a record with a forecast that called the outcome impossible, the verdict on the
    other forecasts. ``tipping``: the smallest correlation between families open at the same time
    with which an accusation would fail at 5% (None: no accusation, or it holds with any).
    """

    kind: Kind
    sentence: str
    rest: Kind | None = None
    tipping: float | None = None


@dataclass(frozen=True)
class LeftOut:
    """The number of questions left out for one reason."""

    reason: Reason
    questions: int


@dataclass(frozen=True)
class Group:
    """The record of one forecaster, team or tag, at one lead, or of everyone.

    ``questions`` are the scored ones, each counted once, and ``families`` their clusters;
    ``forecasters`` have a score; ``updates`` are their forecasts on these questions, and
    ``coverage`` the mean share of the questions' time with a forecast. ``left_out`` counts the
    group's other questions: forecast by its members, or with its tag. ``skill`` and
    ``crowd_skill`` are None for everyone together. ``brier_skill`` is the share of the base rate's
    Brier score that is saved, ``crowd_brier_skill`` that of the others' mean forecast at the same
    times. ``adjusted`` is for several forecasters or teams. ``sharpness`` is the mean of p (1 − p),
    and ``auc`` the probability that an event had a higher forecast than a non-event, both when
    made. ``pit`` is of numeric and date questions, None without any and at a lead; ``movement`` is
    None at a lead. ``evidence`` counts the cited pieces; ``earned`` has the few that earned or lost
    most. ``moved`` is None if no update replaced a forecast, and at a lead.
    """

    name: str
    forecasters: int
    questions: int
    families: int
    updates: int
    coverage: float | None
    brier: Estimate
    brier_original: Estimate
    log: LogScore
    skill: Skill | None
    crowd_skill: Skill | None
    brier_skill: Estimate
    crowd_brier_skill: Estimate | None
    adjusted: Adjusted | None
    decomposition: Decomposition
    log_decomposition: LogDecomposition
    miscalibration: Miscalibration
    errors: Errors
    luck: Luck
    recalibration: Recalibration
    spiegelhalter: ZTest
    calibration_in_the_large: ZTest
    auc: float | None
    auc_interval: Interval | None
    roc: tuple[RocPoint, ...]
    sharpness: float | None
    movement: Movement | None
    staleness: Staleness | None
    certainty: Certainty
    curve: tuple[CurvePoint, ...]
    bins: tuple[Bin, ...]
    murphy: tuple[MurphyPoint, ...]
    pit: Pit | None
    leads: tuple[Lead, ...]
    earned: tuple[Earned, ...]
    evidence: int
    moved: Updates | None
    verdict: Verdict
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, kw_only=True)
class Metadata(Choice):
    """The subject of the numbers, and how they were made.

    ``as_of`` is the time of making. ``input_sha256`` is the digest of everything in the ledger that
    affects the numbers.
    """

    engine_version: str
    protocol: str
    by: By
    as_of: datetime
    input_sha256: str


@dataclass(frozen=True)
class Report:
    """The groups by name (or in the order of the request), and the questions left out.

    ``questions`` counts all of the ledger; ``left_out`` gives the reasons for those without any
    score. ``notes`` are the caveats of this report, as full sentences.
    """

    SCHEMA: ClassVar[str] = "forecast-ledger.report.1"

    metadata: Metadata
    questions: int
    left_out: tuple[LeftOut, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
