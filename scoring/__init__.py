"""Scores and calibration of probability forecasts that change over time.

Pure functions of arrays and frames: no database, no clock, no files. `docs/scoring.md` lists them
with formula and source. Four groups:

- *scores*: one score per forecaster and question, from a path of forecasts; scoring rules
- *crowds*: aggregates of everyone's standing forecasts
- *calibration*: decompositions, reliability, tests, discrimination, movement
- *comparison*: differences between groups, and tests of whether they are real

Probabilities ``p`` and outcomes ``y`` are given by keyword, so that they cannot be swapped. The
types of results are in the modules of their functions. Simulated tournaments are in
`scoring.simulation`, which is imported by its own name.
"""

from scoring.calibration import (
    calibration_error,
    decompose,
    murphy,
    reliability_bins,
    reliability_curve,
)
from scoring.calibration_when_made import in_order_of_time, when_made
from scoring.coherence import deviation, incoherence
from scoring.comparison import compare
from scoring.crowds import RunningMedian, crowd
from scoring.difficulty import difficulty_adjusted
from scoring.discrimination import auc_interval, roc_auc
from scoring.e_processes import by_block, e_process, time_blocks
from scoring.errors import InputError
from scoring.inference import calibration_in_the_large, recalibration, spiegelhalter
from scoring.movement import excess_movement, reaction
from scoring.murphy_curves import murphy_curve
from scoring.numeric_calibration import pit
from scoring.pairing import murphy_differences, paired, paired_people
from scoring.paths import standing
from scoring.protocols import PROTOCOLS, Protocol
from scoring.reliability_null import chance
from scoring.rules import (
    brier_original,
    brier_score,
    crps_piecewise,
    log_score,
    ranked_probability_score,
    spherical_score,
)
from scoring.scores import attribution, score
from scoring.shrinkage import skills
from scoring.skill_scores import brier_skill
from scoring.stale_forecasts import staleness
from scoring.version import __version__

__all__ = [  # noqa: RUF022 (by group)
    "InputError", "__version__",
    # scores
    "PROTOCOLS", "Protocol", "attribution", "brier_original", "brier_score", "brier_skill",
    "crps_piecewise", "deviation", "incoherence", "log_score", "ranked_probability_score", "score",
    "spherical_score", "standing",
    # crowds
    "RunningMedian", "crowd",
    # calibration
    "auc_interval", "calibration_error", "calibration_in_the_large", "chance", "decompose",
    "excess_movement", "in_order_of_time", "murphy", "murphy_curve", "pit", "reaction",
    "recalibration", "reliability_bins", "reliability_curve", "roc_auc", "spiegelhalter",
    "staleness", "when_made",
    # comparison
    "by_block", "compare", "difficulty_adjusted", "e_process", "murphy_differences", "paired",
    "paired_people", "skills", "time_blocks",
]  # fmt: skip
