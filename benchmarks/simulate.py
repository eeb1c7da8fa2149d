"""Measure by simulation what entitles the reports to their claims, and write it down.

    python -m benchmarks.simulate [--replicates N] [--output PATH]

Each world of ``worlds.py`` is simulated that many times, and what ``measures.py`` finds in it is
set against what is promised. The page is docs/simulated-guarantees.md unless told otherwise; the
command fails when a promise is not kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import measures
from benchmarks.worlds import WORLDS

PAGE = Path(__file__).parents[1] / "docs" / "simulated-guarantees.md"
AT_ONCE = 20

# What each test or interval errs in, in words, and by how much at most: with 60 families or more,
# and with 30 to 59.
SIZES = {
    "recalibration": "recalibration line, F test",
    "spiegelhalter": "Spiegelhalter's z",
    "in the large": "calibration in the large",
    "luck": "Brier score expected and realised",
    "movement": "movement",
    "miscalibration": "miscalibration beyond luck",
    "difference": "difference of two equal teams",
    "skill": "skill against equal forecasters",
}
BOUND, BOUND_OF_FEW = 0.06, 0.08
# With 2,000 tournaments a share of 5 % has a standard error of half a point, so that one in forty
# of the promises that are just kept would seem to exceed 6 %; with 5,000 one in a thousand.
REPLICATES = 5000
# A paired t test of the same differences must find no more than the report does. One of the mean
# scores, which takes in what a side said while the other had nothing standing, may find this much
# more: what it compares is not what was said at the same times.
LOST_POWER = 0.01
PEOPLE, SKILLS = "people like them", "16 forecasters"
# Beyond its bound by this many standard errors chance takes a share about once in a thousand.
BEYOND_CHANCE = 3.1


@dataclass(frozen=True)
class Gate:
    """A promise and what was measured: the share of errors, which must not exceed ``bound``."""

    claim: str
    world: str
    bound: float
    measured: float
    error: float

    @property
    def holds(self) -> bool:
        """Whether what was measured keeps the promise."""
        return self.measured <= self.bound

    @property
    def may_hold(self) -> bool:
        """Whether chance explains why what was measured does not keep it."""
        return self.measured - BEYOND_CHANCE * self.error <= self.bound


def run(measure: measures.Measure, replicates: int, processes: int = 1) -> pd.DataFrame:
    """Return so many rows of a measure; the same, however many processes share the work."""
    batches = range(-(-replicates // AT_ONCE))
    if processes == 1:
        parts = [measure(seed, AT_ONCE) for seed in batches]
    else:
        # A process that has run threads cannot be copied: its locks would be, and never open.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(measure, batches, [AT_ONCE] * len(batches)))
    return pd.concat(parts, ignore_index=True).iloc[:replicates]


def gate(claim: str, world: str, bound: float, errs: Iterable[float]) -> Gate:
    """Return the gate of a share of errors, one entry a tournament (NaN: nothing to err in)."""
    values = np.asarray(list(errs), dtype=np.float64)
    values = values[~np.isnan(values)]
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return Gate(claim, world, bound, float(values.mean()), error)


def missed(found: pd.DataFrame, suffix: str = "") -> pd.Series:
    """Return where an interval misses the truth, which is the mean of all the estimates."""
    truth = found[f"mean{suffix}"].mean()
    covers = (found[f"lower{suffix}"] <= truth) & (truth <= found[f"upper{suffix}"])
    return 1.0 - covers.astype(np.float64)


def gates_of(name: str, found: pd.DataFrame) -> list[Gate]:
    """Return the gates of a world, or of one of the measures that have a world of their own."""
    if name in measures.POWER:
        same, plain = (found[test] - found["found"] for test in ("same", "plain"))
        return [
            gate("interval of a difference that is there misses it", name, BOUND, missed(found)),
            gate("found besides by a paired t test of the differences", name, 0.0, same),
            gate("found besides by a paired t test of mean scores", name, LOST_POWER, plain),
        ]
    if name == PEOPLE:
        return [gate("two teams of the same people differ", name, BOUND, found["people"])]
    if name == SKILLS:
        who = [column.removeprefix("mean") for column in found if column.startswith("mean")]
        each = pd.concat([missed(found, suffix) for suffix in who], axis=1).mean(axis=1)
        return [gate("interval of a shrunk skill misses it", name, BOUND, each)]
    [world] = [world for world in WORLDS if world.name == name]
    bound = BOUND if world.settings.families >= 60 else BOUND_OF_FEW
    gates = [gate(SIZES[key], name, bound, found[key]) for key in SIZES if key in found]
    gates += [
        gate("interval of a mean Brier score misses it", name, bound, missed(found)),
        gate("any of six pairs, after Holm", name, 0.06, found["all pairs"]),
        gate("e-process ever at 20", name, 0.05, found["e-process"]),
    ]
    if world.band:
        gates.append(gate("90 % band leaves out a calibrated curve", name, 0.12, found["band"]))
    return gates


def all_measures() -> Mapping[str, measures.Measure]:
    """Return what there is to measure, by name."""
    worlds = {world.name: partial(measures.equal, world) for world in WORLDS}
    differing = {name: partial(measures.power, worse) for name, worse in measures.POWER.items()}
    return worlds | differing | {PEOPLE: measures.people, SKILLS: measures.skills}


# --- the page ---------------------------------------------------------------------------------


HEAD = """\
# What the reports promise, measured

This page is written by `make simulate`, which simulated {replicates:,} tournaments in each world.
Everyone in them is calibrated and no team is better than another, so whoever is found at fault or
better is so wrongly. The shares of tournaments in which that happened:

"""


def page(found: Mapping[str, pd.DataFrame], early: Mapping[str, pd.DataFrame]) -> str:
    """Return the text of the page."""
    gates = {name: gates_of(name, rows) for name, rows in found.items()}
    worlds = [world for world in WORLDS if world.name in gates]
    of_worlds = [each for world in worlds for each in gates[world.name]]
    lines = [HEAD.format(replicates=len(next(iter(found.values()))))]
    lines.append(_row(["error", "at most", *(world.name for world in worlds)]))
    lines.append(_row(["---"] * (2 + len(worlds))))
    for claim in dict.fromkeys(each.claim for each in of_worlds):
        of = {each.world: each for each in of_worlds if each.claim == claim}
        bounds = sorted({each.bound for each in of.values()})
        cells = [_share(of[world.name]) if world.name in of else "" for world in worlds]
        lines.append(_row([claim, " or ".join(f"{b:.0%}" for b in bounds), *cells]))
    lines.append(
        "\nWhere two bounds stand, the larger is for fewer than 60 families. **Bold** is what is "
        "not kept.\n\nThe worlds:\n\n"
    )
    lines += [f"- *{world.name}*: {world.hard}.\n" for world in worlds]
    lines.append("\nTeams and people who differ:\n\n")
    lines += [_row(["error", "who", "at most", "measured"]), _row(["---"] * 4)]
    for name in (*measures.POWER, PEOPLE, SKILLS):
        lines += [
            _row([each.claim, name, f"{each.bound:.0%}", _share(each)])
            for each in gates.get(name, ())
        ]
    for name in measures.POWER:
        if name in found:
            lines.append(_found(found[name]))
    if early:
        lines.append(EARLY)
        lines.append(_row(["questions", "live time", "rejected", "scheduled time", "rejected"]))
        lines.append(_row(["---"] * 5))
        for kind, rows in early.items():
            mean = rows.mean()
            cells = [kind]
            for name in ("live", "scheduled"):
                cells += [f"{mean[f'{name} bias']:+.4f}", f"{mean[f'{name} rejects']:.1%}"]
            lines.append(_row(cells))
    return "".join(lines)


def _found(rows: pd.DataFrame) -> str:
    mean = rows.mean()
    plain = gate("", "", LOST_POWER, rows["plain"] - rows["found"])
    return (
        f"\nA true difference of {-mean['mean']:.3f} Brier points between two teams of four on "
        f"{mean['shared']:.0f} shared questions was found in {mean['found']:.1%} of the "
        f"tournaments; by a paired t test of the same differences in {mean['same']:.1%}, and by "
        f"one of each side's mean score over all the time that it had a forecast in "
        f"{mean['plain']:.1%}. The latter found {abs(plain.measured) * 100:.2f} points "
        f"{'more' if plain.measured > 0 else 'fewer'} (Monte-Carlo standard error "
        f"{plain.error * 100:.2f} points; the same tournaments, paired): it also counts what one "
        "side said while the other had nothing standing, which is no comparison at equal times.\n"
    )


EARLY = """
## By which time a forecast is weighed

Calibration compares what was said with what came, y − p, over the time that forecasts stood. The
weight of a moment must not depend on what happens later. The share of the time that was left to the
*scheduled* close at a forecaster's first forecast does not, and the tests of a report use it, as
does all of the above. The share of the time that turned out to be live does: a "yes" that closes
its question early makes the little time before it count for more. Mean y − p of a
calibrated team by both, and how often calibration in the large is rejected at 5 %, on 150
questions. A forecast that merely stands while a question waits for its "yes" grows too high, the
more the rarer the updates: that is no fault of the weights.

A team's forecasts weigh alike whoever else of it was there: by its number of members, and not by
how many of them came before the question closed, which a "yes" decides too.

A report's recalibration line, Spiegelhalter's z, calibration in the large, the Brier score expected
and realised, and the reliability curve with its band and the chance of its miscalibration are by
the scheduled time. What it describes (the bins, the parts of the Brier score, AUC) is by the live
time, as the Brier score itself is. Where no question closes early, nobody withdraws and all members
take part, the two agree.

"""


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _share(each: Gate) -> str:
    shown = f"{each.measured:.1%}"
    return shown if each.holds else f"**{shown}**"


def main() -> int:
    """Measure, print, write the page; return 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--replicates", type=int, default=REPLICATES, help="tournaments a world")
    parser.add_argument("--output", type=Path, default=PAGE, help="where to write the page")
    arguments = parser.parse_args()
    processes = os.cpu_count() or 1
    found, early, kept = {}, {}, True
    print(_row(["claim", "world", "at most", "measured", ""]) + _row(["---"] * 5), end="")
    for name, measure in all_measures().items():
        start = time.perf_counter()
        found[name] = run(measure, arguments.replicates, processes)
        for each in gates_of(name, found[name]):
            kept &= each.holds
            verdict = "holds" if each.holds else "FAILS"
            cells = [each.claim, each.world, f"{each.bound:.0%}", f"{each.measured:.2%}", verdict]
            print(_row(cells), end="", flush=True)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    for kind in measures.EARLY:
        early[kind] = run(partial(measures.weights, kind), arguments.replicates, processes)
    arguments.output.write_text(page(found, early), encoding="utf-8")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
