"""Scores and calibration of probability forecasts that change over time.

Pure: arrays and frames in, arrays and frames out. No database, no clock, no files.
"""

from scoring.attributions import attribution
from scoring.calibration import (
    Decomposition,
    Murphy,
    calibration_error,
    decompose,
    murphy,
    murphy_curve,
    reliability_bins,
    reliability_curve,
    roc_auc,
)
from scoring.crowds import crowd
from scoring.errors import InputError, Problem
from scoring.inference import (
    Recalibration,
    Test,
    calibration_in_the_large,
    recalibration,
    spiegelhalter,
)
from scoring.paths import standing
from scoring.protocols import PROTOCOLS, Protocol
from scoring.rules import (
    brier_original,
    brier_score,
    crps_piecewise,
    log_score,
    ranked_probability_score,
    spherical_score,
)
from scoring.scores import score
from scoring.version import __version__

__all__ = [
    "PROTOCOLS",
    "Decomposition",
    "InputError",
    "Murphy",
    "Problem",
    "Protocol",
    "Recalibration",
    "Test",
    "__version__",
    "attribution",
    "brier_original",
    "brier_score",
    "calibration_error",
    "calibration_in_the_large",
    "crowd",
    "crps_piecewise",
    "decompose",
    "log_score",
    "murphy",
    "murphy_curve",
    "ranked_probability_score",
    "recalibration",
    "reliability_bins",
    "reliability_curve",
    "roc_auc",
    "score",
    "spherical_score",
    "spiegelhalter",
    "standing",
]
