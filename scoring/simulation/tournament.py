"""Settings of `scoring.simulation`: a tournament, its teams, and their biases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scoring.errors import require

LABEL = " (simulated)"


@dataclass(frozen=True)
class Team:
    """Forecasters with equal skill and bias, who share noise.

    ``skill``: share of the news that reaches them, 0 < κ <= 1. ``extremity`` > 0 multiplies the log
    odds of the belief, ``shift`` is added to them, and ``responsiveness``, 0 < k <= 1, is the part
    of the way that a report moves from the previous one to its target. ``withdrawal``: probability
    that an update of 50% is a withdrawal instead, in proportion to p (1 − p) for others. The
    defaults are calibrated.
    """

    name: str
    members: int = 4
    skill: float = 0.6
    extremity: float = 1.0
    shift: float = 0.0
    responsiveness: float = 1.0
    withdrawal: float = 0.0

    def __post_init__(self) -> None:
        require("members", self.members, self.members >= 1, "must be at least 1")
        require("skill", self.skill, 0 < self.skill <= 1, "must fulfil 0 < skill <= 1")
        require("extremity", self.extremity, 0 < self.extremity < math.inf, "must be above 0")
        require("shift", self.shift, math.isfinite(self.shift), "must be finite")
        k = self.responsiveness
        require("responsiveness", k, 0 < k <= 1, "must fulfil 0 < responsiveness <= 1")
        require("withdrawal", self.withdrawal, 0 <= self.withdrawal <= 1, "must lie within 0..1")

    @property
    def label(self) -> str:
        """The team's name, marked as simulated."""
        return self.name.removesuffix(LABEL) + LABEL

    @property
    def handles(self) -> tuple[str, ...]:
        """The members' handles, each marked as simulated."""
        name = self.name.removesuffix(LABEL)
        return tuple(f"{name} {number}{LABEL}" for number in range(1, self.members + 1))


@dataclass(frozen=True)
class Tournament:
    """A simulated tournament. Equal settings give the same tournament, bit for bit.

    ``questions`` in ``families``, each lasting ``shortest_days`` to ``longest_days`` between
    ``first_open`` and ``last_close``. ``sizes``: the number of questions of each family, if they
    are not dealt at random. ``early_share``: share of questions whose answer becomes
    known early, whichever it is; ``event_share``: share of questions on which a "yes" shows when it
    happens; ``choice_share``: share of the others that have ``options`` options.
    ``family_correlation``: ρ. ``prior_spread``: standard deviation of m, ``prior_means``: its
    means, of which each question draws one. ``unknown``: standard deviation of the part of
    the answer that nobody knows at the close; above 0 outcomes are fractions.

    ``participation``: probability that a forecaster joins a question with a typical prior;
    ``selectivity``: variation between forecasters in how this depends on how clear the prior is.
    ``late``: mean share of a question's time before the first forecast. ``updates``: mean number of
    forecasts over a question's life. ``shared_noise``: share of the noise common to a team.
    ``least``: the closest a report comes to 0 or 1, as in the app; it biases a calibrated
    forecaster by less than that.
    """

    teams: tuple[Team, ...]
    seed: int = 0
    questions: int = 300
    families: int = 200
    sizes: tuple[int, ...] = ()
    first_open: datetime = datetime(2025, 7, 1, tzinfo=UTC)
    last_close: datetime = datetime(2026, 10, 31, tzinfo=UTC)
    shortest_days: int = 21
    longest_days: int = 150
    early_share: float = 0.3
    event_share: float = 0.0
    choice_share: float = 0.0
    options: int = 3
    family_correlation: float = 0.5
    prior_spread: float = 0.7
    prior_means: tuple[float, ...] = (0.0,)
    unknown: float = 0.0
    participation: float = 0.7
    selectivity: float = 1.0
    late: float = 0.15
    updates: float = 6.0
    shared_noise: float = 0.5
    least: float = 0.001

    def __post_init__(self) -> None:
        names = [team.name for team in self.teams]
        handles = {handle for team in self.teams for handle in team.handles}
        require("teams", len(self.teams), len(self.teams) >= 1, "needs at least one team")
        unique = len(handles) == sum(team.members for team in self.teams)
        require("teams", names, unique, "names must differ")
        rule = "must lie within 1..questions"
        require("families", self.families, 1 <= self.families <= self.questions, rule)
        rule = "needs the size of each family, at least 1, and all questions in total"
        dealt = len(self.sizes) == self.families and sum(self.sizes) == self.questions
        require("sizes", self.sizes, not self.sizes or (dealt and min(self.sizes) >= 1), rule)
        for name in ("first_open", "last_close"):
            at = getattr(self, name)
            rule = "a time needs an offset (2026-01-31T12:00:00Z); a naive one is refused"
            require(name, str(at), isinstance(at, datetime) and at.tzinfo is not None, rule)
        rule = "must fulfil 1 <= shortest_days <= longest_days"
        require("shortest_days", self.shortest_days, self.shortest_days >= 1, rule)
        require("longest_days", self.longest_days, self.shortest_days <= self.longest_days, rule)
        fits = (self.last_close - self.first_open).days >= self.longest_days
        require("last_close", str(self.last_close), fits, "leaves no room for the longest")
        shares = ("early_share", "event_share", "choice_share", "participation")
        for name in (*shares, "family_correlation", "shared_noise"):
            value = getattr(self, name)
            require(name, value, 0 <= value <= 1, "must lie within 0..1")
        rule = "must leave early_share + event_share <= 1"
        require("event_share", self.event_share, self.early_share + self.event_share <= 1, rule)
        require("prior_means", self.prior_means, len(self.prior_means) > 0, "needs at least one")
        only_binary = self.unknown == 0 or self.event_share == self.choice_share == 0
        require("unknown", self.unknown, only_binary, "needs questions without options or events")
        require("options", self.options, self.options >= 2, "must be at least 2")
        for name in ("prior_spread", "unknown", "selectivity", "late"):
            value = getattr(self, name)
            require(name, value, 0 <= value < math.inf, "must be 0 or more")
        require("least", self.least, 0 <= self.least < 0.5, "must fulfil 0 <= least < 0.5")
        require("updates", self.updates, 1 <= self.updates < math.inf, "must be at least 1")

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Tournament:
        """Return the tournament that a parsed TOML file describes.

        Its keys are the fields of this class; ``teams`` is a list of mappings of the fields of
        Team. Raises TypeError for an unknown key, and InputError for an invalid value.
        """
        teams = tuple(Team(**team) for team in settings["teams"])
        return cls(**{**settings, "teams": teams})
