"""Scores and calibration of probability forecasts that change over time.

Pure: arrays and frames in, arrays and frames out. No database, no clock, no files.
"""

from scoring.calibration import (
    Decomposition,
    Murphy,
    decompose,
    reliability_bins,
    reliability_curve,
)
from scoring.errors import InputError, Problem
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
from scoring.segments import standing

#: Stored beside every score: which release computed it.
__version__ = "0.1.0"

__all__ = [
    "PROTOCOLS",
    "Decomposition",
    "InputError",
    "Murphy",
    "Problem",
    "Protocol",
    "brier_original",
    "brier_score",
    "crps_piecewise",
    "decompose",
    "log_score",
    "ranked_probability_score",
    "reliability_bins",
    "reliability_curve",
    "score",
    "spherical_score",
    "standing",
]
