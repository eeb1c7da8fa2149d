"""A report as data: ``build`` returns it, and every format is made of it.

The fields are, name for name, the keys of the JSON format (``render/report.schema.json``). None
means that there is nothing to compute the number from. Every interval and every p-value counts
families of questions, never questions, updates or forecasters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from forecasts.reports.selection import Choice

By = Literal["all", "forecaster", "team", "tag", "lead"]
Kind = Literal[
    "calibrated",
    "overconfident",
    "underconfident",
    "too_high",
    "too_low",
    "too_few",
    "not_estimable",
]
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
Interval = tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """A mean over questions and its 95% interval (None with fewer than two families)."""

    mean: float | None
    interval: Interval | None


@dataclass(frozen=True)
class LogScore(Estimate):
    """The mean over the questions with a finite log score, and the number of infinite ones."""

    infinite: int


@dataclass(frozen=True)
class Skill(Estimate):
    """The advantage over the other forecasters at the same times, × 100; positive is better.

    ``questions``: those that someone else forecast too.
    """

    questions: int


@dataclass(frozen=True)
class Decomposition:
    """The parts of the mean Brier score (0–1), by the time for which forecasts were current.

    brier.mean = miscalibration − discrimination + uncertainty, up to rounding.
    """

    miscalibration: float | None
    discrimination: float | None
    uncertainty: float | None


@dataclass(frozen=True)
class Miscalibration:
    """The miscalibration of forecasts when made, on the scale of the Brier score (0–1).

    The k-th forecast on a question has weight 1/k. ``expected`` is the mean for a calibrated
    forecaster with the same forecasts, and ``p_value`` how often such a forecaster shows at least
    ``when_made``. With more than 200 different forecasts, all are rounded to half a percentage
    point.
    """

    when_made: float | None
    expected: float | None
    p_value: float | None


@dataclass(frozen=True)
class Recalibration:
    """The line logit P(y) = intercept + slope · logit p of forecasts when made, and a p-value.

    ``p_value`` is that of the verdict: the test of level and slope together. If ``estimable`` is
    false, intercept and slope are None and ``reason`` says why; forecasts of 0 and 1 are left out.
    """

    intercept: float | None
    slope: float | None
    p_value: float | None
    estimable: bool
    reason: str


@dataclass(frozen=True)
class ZTest:
    """A z statistic of forecasts when made, and its two-sided p-value; None if nothing is tested.

    ``z`` is standard normal under calibration, by the distribution that the p-value has.
    """

    z: float | None
    p_value: float | None


@dataclass(frozen=True)
class Luck:
    """The expected and the realised Brier score (0–1) of forecasts when made, and the difference.

    ``difference`` = realised − expected; above 0 the forecasts claimed too much certainty. Test and
    interval are those of Spiegelhalter's z. The k-th forecast on a question has weight 1/k, so
    ``realised`` differs from the Brier score of the report, which is by time.
    """

    expected: float | None
    realised: float | None
    difference: Estimate
    p_value: float | None


@dataclass(frozen=True)
class Movement:
    """Over- and under-reaction, over every question with a step, resolved or open.

    ``excess``: the mean over questions of Σ (2 p_t − 1)(p_t − p_{t+1}); above 0 the forecasts moved
    more than they learned. ``p_value`` is of the recalibrated forecasts on the resolved questions.
    ``revised``: the families with a changed forecast; with fewer than 30, or fewer than half,
    ``sentence`` makes no claim.
    """

    questions: int
    families: int
    revised: int
    excess: Estimate
    p_value: float | None
    kind: Reaction
    sentence: str


@dataclass(frozen=True)
class CurvePoint:
    """One forecast on the reliability curve of forecasts when made, and the 90% band of chance.

    In 90 of 100 calibrated records the whole curve lies in its band. The k-th forecast on a
    question has weight 1/k.
    """

    forecast: float
    recalibrated: float
    weight: float
    lower: float
    upper: float


@dataclass(frozen=True)
class MurphyPoint:
    """The mean elementary score at a threshold, and that of always forecasting the base rate."""

    threshold: float
    score: float
    base_rate: float


@dataclass(frozen=True)
class Bin:
    """Forecasts in [lower, upper), or [lower, upper] in the last bin.

    ``weight`` is divided among the bins by the share of its time that a forecast was in each: in
    total a binary question has 1, a multiple-choice one half its number of options. ``questions``
    counts those with any forecast in the bin. ``interval`` is 95%, Wilson, of ``weight``
    observations, but of no more than the families in the bin.
    """

    lower: float
    upper: float
    questions: int
    weight: float
    forecast: float | None
    observed: float | None
    interval: Interval | None


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

    ``question`` is its id. ``remaining`` is the share of the question's scheduled time that was
    left. ``points`` = ``promised`` + ``surprise``: the expectation if the new forecast were right,
    and the rest.
    """

    question: str
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
class Certainty:
    """The number of questions with a forecast of exactly 0 or 1, and of those with a wrong one."""

    questions: int
    wrong: int


@dataclass(frozen=True)
class Verdict:
    """The finding of a record beyond chance.

    ``rest``: for a record with a forecast that called the outcome impossible, the verdict on the
    other forecasts.
    """

    kind: Kind
    sentence: str
    rest: Kind | None = None


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
    ``crowd_skill`` are None for everyone together. ``sharpness`` is the mean of p (1 − p). ``auc``
    is the probability that an event had a higher forecast than a non-event. ``movement`` is None at
    a lead. ``evidence`` counts the cited pieces; ``earned`` has the few that earned or lost most.
    ``moved`` is None if no update replaced a forecast, and at a lead.
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
    decomposition: Decomposition
    miscalibration: Miscalibration
    luck: Luck
    recalibration: Recalibration
    spiegelhalter: ZTest
    calibration_in_the_large: ZTest
    auc: float | None
    sharpness: float | None
    movement: Movement | None
    certainty: Certainty
    curve: tuple[CurvePoint, ...]
    bins: tuple[Bin, ...]
    murphy: tuple[MurphyPoint, ...]
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
