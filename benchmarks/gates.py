"""The bounds on the errors of reports, and the measured shares that they bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks import comparing
from benchmarks.differences import SHOCKS, TILTED
from benchmarks.worlds import (
    CONTRADICTING,
    FAULTS,
    NUMBERS,
    RECORDS,
    SPOKEN,
    TOGETHER,
    TOURNAMENTS,
    TRICKS,
    World,
)

BOUND, BOUND_OF_FEW, FEW = 0.06, 0.08, 60
# The errors of a report, as labelled on the page. The intervals are compared with the mean
# over all tournaments.
TESTS = {
    "verdict": "verdict",
    "level": "level",
    "sharpness": "Spiegelhalter",
    "miscalibration": "miscalibration",
    "movement": "movement",
    "lead": "verdict by lead",
    "luck": "interval of expected and actual Brier",
    "bins": "interval of a bin",
}
INTERVALS = {
    "brier": "interval of the Brier score",
    "log": "interval of the log score",
    "auc": "interval of AUC",
    "skill": "interval of skill",
    "points": "interval of points of updates",
}
ACCUSED, BAND = "any accusation", "90% band left"
DIFFERENCE = "difference between two equal teams"
# The least power: of the verdict, by fault (movement counts too where moves are at fault).
POWER = {
    "overconfidence × 1.6": 0.68,
    "overconfidence × 2": 0.95,
    "bias + 0.3": 0.15,
    "half of each move": 0.15,
}
# Of distributions of numbers that are too narrow.
LEAST_FOUND = 0.15
# A paired t test of the same differences must not detect more than the report does. A test of mean
# scores, which includes times at which only one side had a forecast, may detect this much more: it
# does not compare at equal times.
LOST_POWER = 0.01
# A fault is found this much less often, at most, with a trick that hides it.
HIDDEN = 0.1
LOPSIDED, BEST = "one family of half", "four equals, 400 blocks"
# Of the false claims that a shared shock makes, this share must tip below its correlation.
TIPPED = 0.9
PEOPLE, SKILLS = "people like them", "16 forecasters"
# Chance takes a share this many standard errors beyond its bound about once in a thousand.
BEYOND_CHANCE = 3.1
EVERY_WORLD = {world.name: world for world in (*RECORDS, *TOURNAMENTS)}


@dataclass(frozen=True)
class Gate:
    """A bound and the measured share of errors, which must not exceed it."""

    claim: str
    world: str
    bound: float
    measured: float
    error: float

    @property
    def holds(self) -> bool:
        """Whether the measured share is within the bound."""
        return self.measured <= self.bound

    @property
    def may_hold(self) -> bool:
        """Whether chance could explain a share beyond the bound."""
        return self.measured - BEYOND_CHANCE * self.error <= self.bound


def gate(claim: str, world: str, bound: float, errs: Iterable[float]) -> Gate:
    """Return the gate of a share of errors, one entry per tournament (NaN: nothing to test)."""
    values = np.asarray(list(errs), dtype=np.float64)
    values = values[~np.isnan(values)]
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return Gate(claim, world, bound, float(values.mean()), error)


def missed(found: pd.DataFrame, name: str) -> pd.Series:
    """Return where an interval misses the truth, estimated by the mean of all estimates."""
    mean, lower, upper = (found[f"{name} {part}"] for part in ("mean", "lower", "upper"))
    covers = (lower <= mean.mean()) & (mean.mean() <= upper)
    return (1.0 - covers.astype(np.float64)).where(mean.notna())


def gates_of(name: str, found: pd.DataFrame) -> list[Gate]:
    """Return the gates of a world, or of a measure with its own world."""
    if name in EVERY_WORLD:
        return gates_of_world(EVERY_WORLD[name], found)
    if name in POWER:
        detected = found["verdict"]
        if FAULTS[name].responsiveness < 1:
            detected = np.maximum(detected, found["under"])
        gates = [gate("not found", name, 1 - POWER[name], 1 - detected)]
        if FAULTS[name].extremity > 1:
            gates.append(gate("also said to over-react", name, BOUND, found["over"]))
        return gates
    if name in TRICKS:
        less = found["verdict"] - found["hidden"]
        return [gate(f"{TRICKS[name][0]} is found less often", name, HIDDEN, less)]
    if name in SPOKEN:
        told = ("verdict", "level", "movement")
        found_ = [
            gate(TESTS[key], name, BOUND, found[key]) for key in told if found[key].notna().any()
        ]
        return [*found_, gate(ACCUSED, name, 0.1, found["accused"])]
    if name in TOGETHER:
        bound = BOUND if TOGETHER[name].sets >= FEW else BOUND_OF_FEW
        tests = {label: found[key] for key, label in TESTS.items() if key in found}
        tests["interval of the cost of contradictions"] = missed(found, "price")
        return [
            *(gate(label, name, bound, errs) for label, errs in tests.items()),
            gate(ACCUSED, name, 0.1, found["accused"]),
        ]
    if name in CONTRADICTING:
        return [gate("equals differ in the cost of contradictions", name, BOUND, found["differ"])]
    if name in NUMBERS and NUMBERS[name].width == 1:
        return [gate("outcomes do not lie where forecast", name, BOUND, found["pit"])]
    if name in NUMBERS:
        return [gate("not found", name, 1 - LEAST_FOUND, 1 - found["pit"])]
    if name in comparing.DIFFERENT:
        same, plain = (found[test] - found["found"] for test in ("same", "plain"))
        return [
            gate(
                "95% interval of a true difference misses", name, BOUND, missed(found, "difference")
            ),
            gate("additional detections by a paired t test of the differences", name, 0.0, same),
            gate(
                "additional detections by a paired t test of mean scores", name, LOST_POWER, plain
            ),
        ]
    if name == PEOPLE:
        return [gate("teams drawn from the same people differ", name, BOUND, found["people"])]
    if name == SKILLS:
        who = [column.removesuffix(" mean") for column in found if column.endswith(" mean")]
        each = pd.concat([missed(found, one) for one in who], axis=1).mean(axis=1)
        return [gate("95% interval of a shrunken skill misses", name, BOUND, each)]
    if name in comparing.WITHDRAWING:
        return [gate("equals are told apart", name, BOUND, found["better"])]
    if name in TILTED:
        bound = BOUND if TILTED[name].questions >= FEW else BOUND_OF_FEW
        return [gate("equals are told apart", name, bound, found["claim"])]
    if name in SHOCKS:
        survives = found["claim"] * (1 - found["below"].fillna(0.0))
        gates = [
            gate("e-process by blocks ever reaches 20", name, 0.05, found["by block"]),
            gate("a claim that survives the true correlation", name, BOUND, survives),
        ]
        if SHOCKS[name].latent:
            claim = "tipping correlation of a false claim is not below the true one"
            gates.append(gate(claim, name, 1 - TIPPED, 1 - found["below"]))
        return gates
    if name == LOPSIDED:
        return [
            gate("any of six pairs, after Holm", name, BOUND_OF_FEW, found["all pairs"]),
            gate(DIFFERENCE, name, BOUND_OF_FEW, found["difference"]),
        ]
    return [gate("one of the best is ever excluded", name, 0.05, found["excluded"])]


def gates_of_world(world: World, found: pd.DataFrame) -> list[Gate]:
    """Return the gates of a world in which everyone is calibrated, and all teams equal."""
    bound = BOUND if world.effective >= FEW else BOUND_OF_FEW
    if world.waiting:  # then only findings allow for the missing outcomes
        found = found[["verdict", "movement", "accused"]]
    errors = {label: (bound, found[key]) for key, label in TESTS.items() if key in found}
    errors |= {
        label: (bound, missed(found, key))
        for key, label in INTERVALS.items()
        if f"{key} mean" in found
    }
    accused = found["accused"]
    # Where a yes closes a question, forecasts that nobody revises do grow stale.
    if "stale" in found and not world.settings.event_share:
        errors["staleness"] = (bound, found["stale"])
        accused = np.maximum(accused, found["stale"])
    errors[ACCUSED] = (0.1, accused)
    if "band" in found:
        errors[BAND] = (0.12, found["band"])
    if "all pairs" in found:
        errors |= {
            DIFFERENCE: (bound, found["difference"]),
            # Its clusters are 10 to 20 periods.
            "the same, clustered by time": (BOUND_OF_FEW, found["by time"]),
            "any of six pairs, after Holm": (BOUND, found["all pairs"]),
            "e-process ever reaches 20": (0.05, found["e-process"]),
        }
    return [
        gate(label, world.name, most, errs)
        for label, (most, errs) in errors.items()
        if errs.notna().sum() > 1
    ]
