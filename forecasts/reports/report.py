"""A report as data: what ``build`` returns and every renderer reads.

The fields are, name for name, the keys of the JSON form, which ``report.schema.json`` describes.
None says that there is nothing to compute it from. Every interval and every p-value counts
families of questions, never questions, updates or forecasters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

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
    """A mean over questions and its 95 % interval (None with fewer than two families)."""

    mean: float | None
    interval: Interval | None


@dataclass(frozen=True)
class LogScore:
    """The mean over the questions whose log score is finite, and how many have an infinite one.

    ``interval``: at 95 %, clustered by family; None with fewer than two families.
    """

    mean: float | None
    interval: Interval | None
    infinite: int


@dataclass(frozen=True)
class Skill:
    """An advantage over the other forecasters at the same times, × 100; positive is better.

    ``questions``: those on which there was somebody else.
    """

    mean: float | None
    interval: Interval | None
    questions: int


@dataclass(frozen=True)
class Decomposition:
    """The parts of the mean Brier score (0–1), and the miscalibration that luck alone makes.

    brier.mean = miscalibration − discrimination + uncertainty, to rounding.
    ``miscalibration_expected`` is what a calibrated forecaster shows on average who says the same
    on the same questions, and ``p_value`` how often one shows at least as much; both weighed as
    the tests are, by the time to the scheduled close.
    """

    miscalibration: float | None
    discrimination: float | None
    uncertainty: float | None
    miscalibration_expected: float | None
    p_value: float | None


@dataclass(frozen=True)
class Recalibration:
    """The line logit P(y) = intercept + slope · logit p, and the F test that it is (0, 1).

    Where ``estimable`` is false the numbers are None and ``reason`` says why.
    """

    intercept: float | None
    slope: float | None
    p_value: float | None
    estimable: bool
    reason: str


@dataclass(frozen=True)
class ZTest:
    """A clustered z statistic and its two-sided p-value; None where there is nothing to test."""

    z: float | None
    p_value: float | None


@dataclass(frozen=True)
class Luck:
    """The Brier score (0–1) that the forecasts promised, the one that came, and the difference.

    ``difference`` = realised − expected; above 0: they claimed more certainty than they had.
    ``p_value``: paired over families. All are weighed as the tests are (``reports.scored``), by
    the time to the scheduled close; so ``realised`` is the Brier score of the report only where no
    question closed early, nobody withdrew, and all members forecast all questions.
    """

    expected: float | None
    realised: float | None
    difference: Estimate
    p_value: float | None


@dataclass(frozen=True)
class Movement:
    """Over- and under-reaction, over every question with a step, resolved or open.

    ``excess``: the mean over questions of Σ (2 p_t − 1)(p_t − p_{t+1}); above 0 the forecasts moved
    more than they learned. ``revised``: the families in which a forecast was changed. ``sentence``
    says what that shows; it is no more than a number where they are fewer than 30, or than half.
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
    """One forecast on the reliability curve, and the 90 % band that chance alone would give.

    Curve, band and ``weight`` are by the time to the scheduled close, as the tests are.
    """

    forecast: float
    recalibrated: float
    weight: float
    lower: float
    upper: float


@dataclass(frozen=True)
class MurphyPoint:
    """The mean elementary score at a threshold, and that of always saying the base rate."""

    threshold: float
    score: float
    base_rate: float


@dataclass(frozen=True)
class Bin:
    """Forecasts in [lower, upper), the last bin [lower, upper].

    ``weight`` is split over the bins by the share of its time that a forecast stood: in all a
    binary question has 1, a multiple-choice one half its number of options.
    ``questions`` counts those with any forecast in the bin. ``interval`` is 95 %, Wilson, of
    ``weight`` observations, but of no more than there are families in the bin.
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
    """The forecasts that stood so many days before the scheduled close: a row of the profile.

    ``expected`` is the Brier score (0–1) that they promised, and ``p_value`` of the paired test
    against the one that came.
    """

    days: float
    questions: int
    families: int
    brier: Estimate
    expected: float | None
    p_value: float | None


@dataclass(frozen=True)
class Earned:
    """What the updates earned that cite one publisher, kind or piece of evidence.

    A blank ``name`` is, by kind, of updates that cite nothing, and by publisher of evidence without
    one; by evidence it is the id, and ``title`` what the piece is called. ``points`` is the sum
    over questions of what they took off the Brier score (0–1, over the scheduled time), each the
    mean over all of the group's members; ``per_question`` the mean over the questions on which it
    was cited.
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
    """What one update earned: (score_before − score) · remaining, off its forecaster's own score.

    ``question`` is its id. ``remaining`` is the share of the question's scheduled time that was
    left. ``points`` = ``promised`` + ``surprise``: what it would earn on average if its own belief
    were right, and the rest.
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
    """What all updates of a group earned that replaced a forecast, and a few of them.

    ``helped`` and ``cost`` count those that earned more and less than nothing. ``points``,
    ``promised`` and ``surprise`` are sums over ``questions``, each the mean over all of the group's
    members; ``per_question`` is the mean of the first. ``most`` and ``least`` are the few that
    earned and lost most.
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
    """On how many questions a forecast of exactly 0 or 1 stood, and on how many it was wrong."""

    questions: int
    wrong: int


@dataclass(frozen=True)
class Verdict:
    """What the record shows, beyond what chance explains.

    ``rest``: where exactly 0 or 1 was said and there is therefore no verdict, the one on the time
    when neither stood.
    """

    kind: Kind
    sentence: str
    rest: Kind | None = None


@dataclass(frozen=True)
class LeftOut:
    """How many questions were left out for one reason."""

    reason: Reason
    questions: int


@dataclass(frozen=True)
class Group:
    """The record of one forecaster, team or tag, at one lead, or of everyone.

    ``questions`` are those scored, each counted once, and ``families`` their clusters;
    ``forecasters`` those with a score; ``updates`` their forecasts on these questions, and
    ``coverage`` the mean share of the questions' time in which they were live. ``left_out``
    counts the group's other questions: those that its members forecast, or that bear the tag.
    ``skill`` and ``crowd_skill`` are None for everyone together, who have nobody to be compared
    with. ``sharpness`` is the mean of p (1 − p). ``auc`` is the chance that what came true had
    the higher forecast than what did not. ``movement`` is None in a report at a lead. ``evidence``
    counts the pieces cited, of which ``earned`` has the few that earned or lost most; ``moved`` is
    None where nothing replaced a forecast, and at a lead.
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
    """What the numbers are of, and what they were made with.

    ``as_of`` is the moment of making. ``input_sha256`` is the digest of everything in the ledger
    that bears on the numbers.
    """

    engine_version: str
    protocol: str
    by: By
    as_of: datetime
    input_sha256: str


@dataclass(frozen=True)
class Report:
    """The groups in order of their names (or as they were asked for), and what was left out.

    ``questions`` counts all of the ledger; ``left_out`` says why some of them have no score of
    anyone. ``notes`` are full sentences on what to mind in this one.
    """

    metadata: Metadata
    questions: int
    left_out: tuple[LeftOut, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
