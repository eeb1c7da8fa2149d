"""Scores and calibration of probability forecasts that change over time.

Pure functions of arrays and frames: no database, no clock, no files.
"""

from scoring.attribution import attribution
from scoring.brier_skill import base_rate_brier, brier_skill
from scoring.calibration import (
    CalibrationErrors,
    calibration_error,
    calibration_errors,
    reliability_bins,
    reliability_curve,
)
from scoring.chance import Chance, chance
from scoring.comparison import (
    Comparison,
    Dominant,
    Pair,
    Ranked,
    compare,
    holm,
)
from scoring.crowds import crowd
from scoring.decompositions import (
    Decomposition,
    LogDecomposition,
    Murphy,
    decompose,
    decompose_log,
    murphy,
)
from scoring.difficulty import difficulty_adjusted
from scoring.discrimination import auc_interval, roc_auc, roc_curve
from scoring.e_process import (
    ENOUGH,
    EProcess,
    by_block,
    by_family,
    e_process,
    time_blocks,
)
from scoring.errors import InputError, Problem
from scoring.forecasts_in_order import Forecasts, in_order_of_time
from scoring.inference import (
    Recalibration,
    Test,
    calibration_in_the_large,
    recalibration,
    spiegelhalter,
)
from scoring.means import Estimate, Mean, clustered_mean, detectable_difference
from scoring.movement import excess_movement
from scoring.murphy_curves import murphy_curve
from scoring.outcome_draws import family_link, outcome_draws
from scoring.pairing import murphy_differences, paired, paired_people
from scoring.paths import standing
from scoring.pit import Pit, pit
from scoring.protocols import PROTOCOLS, Protocol
from scoring.rare_events import LeastWidths, least_widths
from scoring.reaction import Reaction, reaction
from scoring.rules import (
    brier_original,
    brier_score,
    crps_piecewise,
    log_score,
    ranked_probability_score,
    spherical_score,
)
from scoring.scores import score
from scoring.shrinkage import FEWEST_TO_SHRINK, Shrunk, shrink, skills
from scoring.staleness import Staleness, staleness
from scoring.version import __version__
from scoring.when_made import WhenMade, when_made

__all__ = [
    "ENOUGH",
    "FEWEST_TO_SHRINK",
    "PROTOCOLS",
    "CalibrationErrors",
    "Chance",
    "Comparison",
    "Decomposition",
    "Dominant",
    "EProcess",
    "Estimate",
    "Forecasts",
    "InputError",
    "LeastWidths",
    "LogDecomposition",
    "Mean",
    "Murphy",
    "Pair",
    "Pit",
    "Problem",
    "Protocol",
    "Ranked",
    "Reaction",
    "Recalibration",
    "Shrunk",
    "Staleness",
    "Test",
    "WhenMade",
    "__version__",
    "attribution",
    "auc_interval",
    "base_rate_brier",
    "brier_original",
    "brier_score",
    "brier_skill",
    "by_block",
    "by_family",
    "calibration_error",
    "calibration_errors",
    "calibration_in_the_large",
    "chance",
    "clustered_mean",
    "compare",
    "crowd",
    "crps_piecewise",
    "decompose",
    "decompose_log",
    "detectable_difference",
    "difficulty_adjusted",
    "e_process",
    "excess_movement",
    "family_link",
    "holm",
    "in_order_of_time",
    "least_widths",
    "log_score",
    "murphy",
    "murphy_curve",
    "murphy_differences",
    "outcome_draws",
    "paired",
    "paired_people",
    "pit",
    "ranked_probability_score",
    "reaction",
    "recalibration",
    "reliability_bins",
    "reliability_curve",
    "roc_auc",
    "roc_curve",
    "score",
    "shrink",
    "skills",
    "spherical_score",
    "spiegelhalter",
    "staleness",
    "standing",
    "time_blocks",
    "when_made",
]
