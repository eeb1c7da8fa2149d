"""Protocols: named combinations of rule, timing, reference and scale.

Sources of the platforms' protocols: https://www.metaculus.com/help/scores-faq/ and
https://www.gjopen.com/faq.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from scoring.errors import require
from scoring.peer_scores import REFERENCES
from scoring.rules import RULES
from scoring.timings import timing

OVER_LN_K: Literal["100 / ln K"] = "100 / ln K"
PARTICIPATION: Literal["participation"] = "participation"
LOWER: Literal["lower is better"] = "lower is better"
HIGHER: Literal["higher is better"] = "higher is better"


@dataclass(frozen=True)
class Protocol:
    """A way to turn a path of forecasts into one score. Raises InputError for an unknown part.

    ``rule`` is a key of `scoring.rules.RULES`, ``timing`` one of `scoring.timings.TIMINGS` or
    ``"lead(days)"``, ``reference`` one of `scoring.peer_scores.REFERENCES` or None. ``scale`` is a
    factor: a number, ``"100 / ln K"`` with K the number of options of the forecast (0 if it had a
    single one), or ``"participation"``, the coverage. ``orientation`` says which scores are better.
    On questions with ordered options ``ordered_rule``, if given, replaces the rule.

    Questions of a type that the rule does not apply to have no rows.
    """

    name: str
    rule: str
    timing: str
    reference: str | None = None
    scale: float | Literal["100 / ln K", "participation"] = 1.0
    orientation: Literal["lower is better", "higher is better"] = LOWER
    ordered_rule: str | None = None

    def __post_init__(self) -> None:
        rules = [self.rule, self.ordered_rule or self.rule]
        for given in rules:
            _require_one_of("rule", given, RULES)
        timing(self.timing)
        if self.reference is not None:
            _require_one_of("reference", self.reference, REFERENCES)
        if self.reference == "crowd_mean":
            quadratic = [name for name, rule in RULES.items() if rule.deviation is not None]
            for given in rules:
                rule = f"crowd_mean needs a quadratic rule: {', '.join(quadratic)}"
                require("rule", given, given in quadratic, rule)
        _require_one_of("orientation", self.orientation, (LOWER, HIGHER))
        if not (isinstance(self.scale, int | float) and math.isfinite(self.scale)):
            named = self.scale in (OVER_LN_K, PARTICIPATION)
            rule = f"must be one of a finite number, {OVER_LN_K}, {PARTICIPATION}"
            require("scale", self.scale, named, rule)


def _require_one_of(column: str, value: object, known: Collection[str]) -> None:
    require(column, value, value in known, f"must be one of {', '.join(known)}")


_CHOICES = (
    Protocol("brier", "brier", "live_average"),
    Protocol("brier_final", "brier", "final"),
    Protocol("brier_original", "brier_original", "live_average"),
    Protocol("log", "log", "live_average"),
    Protocol("spherical", "spherical", "live_average"),
    Protocol("rps", "rps", "live_average"),
    Protocol("crps", "crps", "live_average"),
    Protocol("skill", "brier", "scheduled_average", "peers", 100.0, HIGHER),
    Protocol("crowd_skill", "brier", "scheduled_average", "crowd_mean", 100.0, HIGHER),
    Protocol("crowd_median", "brier", "scheduled_average", "crowd_median", 100.0, HIGHER),
    Protocol("metaculus_baseline", "log", "scheduled_average", "uniform", OVER_LN_K, HIGHER),
    Protocol("metaculus_peer", "log", "scheduled_average", "peers", 100.0, HIGHER),
    Protocol("metaculus_spot_baseline", "log", "spot", "uniform", OVER_LN_K, HIGHER),
    Protocol("metaculus_spot_peer", "log", "spot", "peers", 100.0, HIGHER),
    Protocol("gjo_brier", "brier_original", "daily", ordered_rule="rps_original"),
    Protocol(
        "gjo_accuracy",
        "brier_original",
        "daily",
        "daily_median",
        PARTICIPATION,
        ordered_rule="rps_original",
    ),
)
PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({each.name: each for each in _CHOICES})


def get_protocol(choice: str | Protocol) -> Protocol:
    """Return a protocol by name. ``brier_lead(30)`` is the rule 30 days before the close.

    Raises InputError for an unknown name.
    """
    if isinstance(choice, Protocol):
        return choice
    parts = re.fullmatch(r"(\w+?)_(lead\(.+\))", str(choice))
    if parts is not None and parts[1] in RULES:
        return Protocol(choice, parts[1], parts[2])
    _require_one_of("protocol", choice, list(PROTOCOLS))
    return PROTOCOLS[choice]
