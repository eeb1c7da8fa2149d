"""Simulated tournaments with known truth; import this package by its own name.

`simulate` makes a tournament of teams from its settings (`scoring.simulation.model` describes it),
`scoring.simulation.bulk` one of any size, in parts.
"""

from scoring.simulation.model import Simulated, simulate
from scoring.simulation.tournament import LABEL, Team, Tournament

__all__ = ["LABEL", "Simulated", "Team", "Tournament", "simulate"]
