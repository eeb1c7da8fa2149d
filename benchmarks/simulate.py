"""Measure the error rates of reports by simulation, and write them down.

    python -m benchmarks.simulate [--replicates N] [--output PATH]

Simulates each world of ``worlds.py`` that many times and compares the results of ``measures.py``
with the bounds. Writes docs/simulated-guarantees.md by default, and fails if a bound is exceeded.
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
from benchmarks.worlds import SHOCKS, WORLDS

PAGE = Path(__file__).parents[1] / "docs" / "simulated-guarantees.md"
AT_ONCE = 20

# The tests and intervals, as labelled on the page, and the bounds on their error rates: with 60
# families or more, and with 30 to 59.
SIZES = {
    "recalibration": "recalibration line, F test",
    "spiegelhalter": "Spiegelhalter's z",
    "in the large": "calibration in the large",
    "luck": "expected and actual Brier score",
    "movement": "movement",
    "miscalibration": "miscalibration beyond chance",
    "difference": "difference between two equal teams",
    "skill": "skill against equal forecasters",
}
BOUND, BOUND_OF_FEW = 0.06, 0.08
# With 2,000 tournaments a share of 5% has a standard error of half a point: one true 5% in forty
# would appear to exceed 6%. With 5,000 it is one in a thousand.
REPLICATES = 5000
# A paired t test of the same differences must not detect more than the report does. A test of mean
# scores, which includes times at which only one side had a forecast, may detect this much more: it
# does not compare at equal times.
LOST_POWER = 0.01
LOPSIDED, BEST = "one family of half", "four equals, 400 blocks"
# Of the false claims that a shared shock makes, this share must tip below its correlation.
TIPPED = 0.9
PEOPLE, SKILLS = "people like them", "16 forecasters"
# Chance takes a share this many standard errors beyond its bound about once in a thousand.
BEYOND_CHANCE = 3.1


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


def run(measure: measures.Measure, replicates: int, processes: int = 1) -> pd.DataFrame:
    """Return that many rows of a measure; the same for any number of processes."""
    batches = range(-(-replicates // AT_ONCE))
    if processes == 1:
        parts = [measure(seed, AT_ONCE) for seed in batches]
    else:
        # Forking a process that has run threads copies locked locks; spawn does not.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            parts = list(pool.map(measure, batches, [AT_ONCE] * len(batches)))
    return pd.concat(parts, ignore_index=True).iloc[:replicates]


def gate(claim: str, world: str, bound: float, errs: Iterable[float]) -> Gate:
    """Return the gate of a share of errors, one entry per tournament (NaN: nothing to test)."""
    values = np.asarray(list(errs), dtype=np.float64)
    values = values[~np.isnan(values)]
    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return Gate(claim, world, bound, float(values.mean()), error)


def missed(found: pd.DataFrame, suffix: str = "") -> pd.Series:
    """Return where an interval misses the truth, estimated by the mean of all estimates."""
    truth = found[f"mean{suffix}"].mean()
    covers = (found[f"lower{suffix}"] <= truth) & (truth <= found[f"upper{suffix}"])
    return 1.0 - covers.astype(np.float64)


def gates_of(name: str, found: pd.DataFrame) -> list[Gate]:
    """Return the gates of a world, or of a measure with its own world."""
    if name in measures.POWER:
        same, plain = (found[test] - found["found"] for test in ("same", "plain"))
        return [
            gate("95% interval of a true difference misses", name, BOUND, missed(found)),
            gate("additional detections by a paired t test of the differences", name, 0.0, same),
            gate(
                "additional detections by a paired t test of mean scores", name, LOST_POWER, plain
            ),
        ]
    if name == PEOPLE:
        return [gate("teams drawn from the same people differ", name, BOUND, found["people"])]
    if name == SKILLS:
        who = [column.removeprefix("mean") for column in found if column.startswith("mean")]
        each = pd.concat([missed(found, suffix) for suffix in who], axis=1).mean(axis=1)
        return [gate("95% interval of a shrunken skill misses", name, BOUND, each)]
    if name in SHOCKS:
        survives = found["claim"] * (1 - found["below"].fillna(0.0))
        gates = [
            gate("e-process by blocks ever reaches 20", name, 0.05, found["by block"]),
            gate("a claim that survives the true correlation", name, BOUND, survives),
        ]
        # Where a shock is weak, most false claims are chance, and survive it.
        if SHOCKS[name].latent and SHOCKS[name].together:
            claim = "tipping correlation of a false claim is not below the true one"
            gates.append(gate(claim, name, 1 - TIPPED, 1 - found["below"]))
        return gates
    if name == LOPSIDED:
        return [
            gate("any of six pairs, after Holm", name, BOUND_OF_FEW, found["all pairs"]),
            gate(SIZES["difference"], name, BOUND_OF_FEW, found["difference"]),
        ]
    if name == BEST:
        return [gate("one of the best is ever excluded", name, 0.05, found["excluded"])]
    [world] = [world for world in WORLDS if world.name == name]
    bound = BOUND if world.settings.families >= 60 else BOUND_OF_FEW
    gates = [gate(SIZES[key], name, bound, found[key]) for key in SIZES if key in found]
    gates += [
        gate("95% interval of a mean Brier score misses", name, bound, missed(found)),
        gate("any of six pairs, after Holm", name, 0.06, found["all pairs"]),
        gate("e-process ever reaches 20", name, 0.05, found["e-process"]),
    ]
    if world.band:
        gates.append(gate("90% band misses a calibrated curve", name, 0.12, found["band"]))
    return gates


def all_measures() -> Mapping[str, measures.Measure]:
    """Return all measures by name."""
    worlds = {world.name: partial(measures.equal, world) for world in WORLDS}
    differing = {name: partial(measures.power, worse) for name, worse in measures.POWER.items()}
    shocked = {name: partial(measures.shocks, name) for name in SHOCKS}
    others = {
        LOPSIDED: measures.lopsided_families,
        BEST: measures.best_of_equals,
        PEOPLE: measures.people,
        SKILLS: measures.skills,
    }
    return worlds | differing | shocked | others


# --- the page ---------------------------------------------------------------------------------


HEAD = """\
# Error rates of the reports, measured

`make simulate` writes this page. It simulated {replicates:,} tournaments in each world. All
forecasters in them are calibrated and all teams equally good, so every fault or difference found is
an error. The table shows the share of tournaments with each error:

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
        "\nThe larger of two bounds applies to fewer than 60 families. **Bold**: the bound is "
        "exceeded.\n\nThe worlds:\n\n"
    )
    lines += [f"- *{world.name}*: {world.hard}.\n" for world in worlds]
    lines.append("\nFurther measures:\n\n")
    lines += [_row(["error", "who", "at most", "measured"]), _row(["---"] * 4)]
    for name in (*measures.POWER, LOPSIDED, *SHOCKS, BEST, PEOPLE, SKILLS):
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
        f"{mean['shared']:.0f} shared questions was detected in {mean['found']:.1%} of the "
        f"tournaments, by a paired t test of the same differences in {mean['same']:.1%}, and by a "
        f"paired t test of each side's mean score over its live time in {mean['plain']:.1%}. The "
        f"last one detected {abs(plain.measured) * 100:.2f} percentage points "
        f"{'more' if plain.measured > 0 else 'less'} (Monte Carlo standard error "
        f"{plain.error * 100:.2f} points; the same tournaments, paired): it also uses forecasts "
        "made while the other side had none, so it does not compare at equal times.\n"
    )


EARLY = """
## Live time and scheduled time

Calibration compares forecasts with outcomes, y − p, over the time that the forecasts were live. The
weight of a moment must not depend on later events. The share of the time that remained to the
*scheduled* close at a forecaster's first forecast does not, and the tests of a report use it, as do
all figures above. The share of the time that turned out to be live does depend on them: a "yes"
that closes its question early gives more weight to the short time before it. The table shows the
mean y − p of a calibrated team with both weights, and how often calibration in the large is
rejected at 5%, on 150 questions. An unchanged forecast becomes too high while a question waits for
its "yes", more so with rare updates: that is not due to the weights.

A team's forecasts are weighted by the number of its members, not by how many of them joined before
the question closed, because a "yes" affects that too.

A report's recalibration line, Spiegelhalter's z, calibration in the large, expected and actual
Brier score, and the reliability curve with its band and p-value use scheduled time. Descriptions
(the bins, the parts of the Brier score, AUC) use live time, as the Brier score itself does. The two
agree if no question closes early, nobody withdraws and all members take part.

"""


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _share(each: Gate) -> str:
    shown = f"{each.measured:.1%}"
    return shown if each.holds else f"**{shown}**"


def main() -> int:
    """Measure, print, write the page; return 1 if a bound is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--replicates", type=int, default=REPLICATES, help="tournaments per world")
    parser.add_argument("--output", type=Path, default=PAGE, help="file to write")
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
