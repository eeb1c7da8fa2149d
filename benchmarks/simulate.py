"""Measure the error rates of reports by simulation, and write them down.

    python -m benchmarks.simulate [--replicates N] [--minutes N] [--output PATH] [--only TEXT]
                                  [--keep FOLDER]
    python -m benchmarks.simulate --records FOLDER

Simulates each world of ``worlds.py`` up to so many times and compares the results of
``measures.py`` with the bounds. Writes docs/simulated-guarantees.md by default, and fails if a
bound is exceeded by more than chance explains. All worlds are simulated in rounds, each with more
replicates, until the time is over; only the first round is always whole. ``--keep`` keeps the rows
of each measure, so that the next run continues, with some worlds (``--only``) or with all.
``--records`` counts the verdicts on the real records of a ledger folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha1
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from benchmarks import comparing, measures
from benchmarks.differences import SHOCKS, TILTED
from benchmarks.gates import (
    BEST,
    BEYOND_CHANCE,
    EVERY_WORLD,
    LOPSIDED,
    LOST_POWER,
    PEOPLE,
    POWER,
    SKILLS,
    Gate,
    gate,
    gates_of,
)
from benchmarks.worlds import (
    CONTRADICTING,
    NUMBERS,
    RECORDS,
    SPOKEN,
    TOGETHER,
    TOURNAMENTS,
    TRICKS,
    World,
)

PAGE = Path(__file__).parents[1] / "docs" / "simulated-guarantees.md"
AT_ONCE = 50

# With 2,000 tournaments a share of 5% has a standard error of half a point: one true 5% in forty
# would appear to exceed 6%. With 5,000 it is one in a thousand.
REPLICATES = 5000
ROUNDS = (250, 500, 1000, 2000, 3000, 4000)
MINUTES = 38.0
# The least share of real records of 30 questions or more with a verdict.
WITH_VERDICT = 0.95


def run(
    measure: measures.Measure,
    replicates: int,
    mapped: Callable[..., Iterable[pd.DataFrame]] = map,
    kept: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return that many rows of a measure; the same with the ``map`` of any pool of processes.

    ``kept``: the rows of a shorter run, which is continued.
    """
    whole = 0 if kept is None else len(kept) // AT_ONCE
    batches = range(whole, -(-replicates // AT_ONCE))
    parts = mapped(measure, batches, [AT_ONCE] * len(batches))
    before = [] if kept is None else [kept.iloc[: whole * AT_ONCE]]
    return pd.concat([*before, *parts], ignore_index=True).iloc[:replicates]


def in_rounds(
    chosen: Mapping[str, measures.Measure],
    mapped: Callable[..., Iterable[pd.DataFrame]],
    replicates: int,
    minutes: float,
    keep: Path | None,
) -> dict[str, pd.DataFrame]:
    """Return the rows of all measures, up to that many each, begun within so many minutes.

    Writes them to the folder ``keep``, and continues those that it has.
    """
    found: dict[str, pd.DataFrame] = {}
    paths = {n: keep / f"{sha1(n.encode()).hexdigest()}.parquet" for n in chosen} if keep else {}
    for name, path in paths.items():
        if path.exists():
            found[name] = pd.read_parquet(path).iloc[:replicates]
    until = time.perf_counter() + 60 * minutes
    for wanted in (*(many for many in ROUNDS if many < replicates), replicates):
        for name, measure in chosen.items():
            own, start = found.get(name), time.perf_counter()
            if own is not None and (len(own) >= wanted or start > until):
                continue
            found[name] = run(measure, wanted, mapped, own)
            if name in paths:
                paths[name].parent.mkdir(parents=True, exist_ok=True)
                found[name].to_parquet(paths[name])
            taken = time.perf_counter() - start
            print(f"{name}, {wanted:,}: {taken:.0f} s", file=sys.stderr, flush=True)
    return {name: found[name] for name in chosen}


def all_measures() -> Mapping[str, measures.Measure]:
    """Return all measures by name."""
    found: dict[str, measures.Measure] = {
        world.name: partial(measures.errors_of, world) for world in EVERY_WORLD.values()
    }
    found |= {name: partial(measures.faults, name) for name in POWER}
    found |= {name: partial(measures.hidden, name) for name in TRICKS}
    found |= {name: partial(measures.spoken, name) for name in SPOKEN}
    found |= {name: partial(measures.together, name) for name in TOGETHER}
    found |= {name: partial(measures.contradicting, name) for name in CONTRADICTING}
    found |= {name: partial(measures.numbers, name) for name in NUMBERS}
    found |= {name: partial(comparing.power, worse) for name, worse in comparing.DIFFERENT.items()}
    found |= {name: partial(comparing.tilted, name) for name in TILTED}
    found |= {name: partial(comparing.shocks, name) for name in SHOCKS}
    found |= {name: partial(comparing.withdrawing, name) for name in comparing.WITHDRAWING}
    return found | {
        LOPSIDED: comparing.lopsided_families,
        BEST: comparing.best_of_equals,
        PEOPLE: comparing.people,
        SKILLS: comparing.skills,
    }


# --- the page ---------------------------------------------------------------------------------


HEAD = """\
# Error rates of the reports, measured

For anyone who asks how often a report errs.

`make simulate` writes this page. It simulated {many} records or tournaments in each world (*n*),
and read the errors from the reports on them. Unless a table says otherwise, all forecasters are
calibrated and all teams equally good, so every fault or difference found is an error.

Every cell is a share of reports. Tests have a nominal size of 5% and intervals are 95%: at most
6%, or 8% in worlds of fewer than 60 families of equal size (or as good as that many: *effective*).
The Monte Carlo standard error of a share of 5% is {errors}.
**Bold**: the bound is exceeded by more than chance explains. *Italics*: it is exceeded, and chance
may explain it (an excess of at most {beyond} standard errors).

"""
FORECASTER = """
## One forecaster

*Verdict*, *level*, *Spiegelhalter*, *miscalibration* and *movement* are tests of forecasts when
made; *verdict by lead* is one of the forecasts made in a window before the close. *Any accusation*
is a verdict or a finding on movement in one report, at most 10% of them. *90% band left*: the
reliability curve leaves its band anywhere, at most 12%.

"""
SEVERAL = """
## Teams

The report on one of four teams, and the comparison of all.

"""
FURTHER = """
## Further measures

"""


def page(found: Mapping[str, pd.DataFrame]) -> str:
    """Return the text of the page."""
    least, most = (of(map(len, found.values())) for of in (min, max))
    many = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    sizes = [least] if least == most else [least, most]
    errors = " and ".join(f"{(0.05 * 0.95 / n) ** 0.5:.1%} with {n:,}" for n in sizes)
    lines = [HEAD.format(many=many, errors=errors, beyond=BEYOND_CHANCE)]
    for title, worlds in ((FORECASTER, RECORDS), (SEVERAL, TOURNAMENTS)):
        lines += [title, *_table([world for world in worlds if world.name in found], found)]
    lines += [FURTHER, _row(["error", "who", "n", "at most", "measured", "±"])]
    lines.append(_row(["---"] * 6))
    for name, rows in found.items():
        if name not in EVERY_WORLD:
            lines += [
                _row(
                    [
                        g.claim,
                        g.world,
                        f"{len(rows):,}",
                        f"{g.bound:.0%}",
                        _share(g),
                        f"{g.error:.2%}",
                    ]
                )
                for g in gates_of(name, rows)
            ]
    lines += _faults({name: found[name] for name in POWER if name in found})
    lines += [_different(found[name]) for name in comparing.DIFFERENT if name in found]
    return "".join(lines)


def _table(worlds: Sequence[World], found: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Yield a table with a row a world and a column an error, and the list of worlds."""
    gates = {world.name: gates_of(world.name, found[world.name]) for world in worlds}
    claims = list(dict.fromkeys(each.claim for each in chain(*gates.values())))
    yield _row(["world", "n", "effective", *claims])
    yield _row(["---"] * (3 + len(claims)))
    for world in worlds:
        of = {each.claim: each for each in gates[world.name]}
        cells = [_share(of[claim]) if claim in of else "" for claim in claims]
        yield _row([world.name, f"{len(found[world.name]):,}", f"{world.effective:.0f}", *cells])
    yield "\n"
    yield from (f"- *{world.name}*: {world.hard}.\n" for world in worlds)


def _faults(found: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    if not found:
        return
    yield (
        "\nHow often a fault is found, on 90 questions with about 6 forecasts each. "
        "Beside it the F test of the recalibration line, whose variance is observed between "
        "families:\n\n"
    )
    yield _row(["fault", "at least", "verdict", "F test", "over-reacts", "under-reacts"])
    yield _row(["---"] * 6)
    for name, rows in found.items():
        cells = [f"{rows[key].mean():.1%}" for key in ("verdict", "f", "over", "under")]
        yield _row([name, f"{POWER[name]:.0%}", *cells])


def _different(rows: pd.DataFrame) -> str:
    mean = rows.mean()
    difference = -mean["difference mean"]
    plain = gate("", "", LOST_POWER, rows["plain"] - rows["found"])
    return (
        f"\nA true difference of {difference:.3f} Brier points between two teams of four on "
        f"{mean['shared']:.0f} shared questions was detected in {mean['found']:.1%} of the "
        f"tournaments, by a paired t test of the same differences in {mean['same']:.1%}, and by a "
        f"paired t test of each side's mean score over its live time in {mean['plain']:.1%}. The "
        f"last one detected {abs(plain.measured) * 100:.2f} percentage points "
        f"{'more' if plain.measured > 0 else 'less'} (Monte Carlo standard error "
        f"{plain.error * 100:.2f} points; the same tournaments, paired): it also uses forecasts "
        "made while the other side had none, so it does not compare at equal times.\n"
    )


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def _share(each: Gate) -> str:
    shown = f"{each.measured:.1%}"
    if each.holds:
        return shown
    return f"*{shown}*" if each.may_hold else f"**{shown}**"


def main() -> int:
    """Measure, print, write the page; return 1 if a bound is exceeded, and not by chance."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__)
    parser.add_argument("--replicates", type=int, default=REPLICATES, help="tournaments per world")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="start no more after that")
    parser.add_argument("--output", type=Path, default=PAGE, help="file to write")
    parser.add_argument("--only", default="", help="measure only what has this in its name")
    parser.add_argument("--keep", type=Path, help="folder of finished measures, to continue from")
    parser.add_argument(
        "--records",
        type=Path,
        help="count the verdicts on the records of 30 questions or more of a ledger folder instead",
    )
    arguments = parser.parse_args()
    if arguments.records:
        return _count(measures.verdicts(arguments.records))
    # The threads of BLAS wait for each other: with them, large records take twice the time.
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    # Forking a process that has run threads copies locked locks; spawn does not.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        chosen = {n: each for n, each in all_measures().items() if arguments.only in n}
        limits = (arguments.replicates, arguments.minutes, arguments.keep)
        found = in_rounds(chosen, pool.map, *limits)
    print(_row(["claim", "world", "at most", "measured", "error", ""]) + _row(["---"] * 6), end="")
    every = [each for name, rows in found.items() for each in gates_of(name, rows)]
    print("".join(_row(_cells(each)) for each in every), end="")
    times = os.times()
    processor_s = times.user + times.system + times.children_user + times.children_system
    print(f"{processor_s / 60:.0f} minutes of processor time", file=sys.stderr)
    arguments.output.write_text(page(found), encoding="utf-8")
    return 0 if all(each.may_hold for each in every) else 1


def _count(verdicts: pd.Series) -> int:
    """Print the number of records by verdict; return 1 if fewer than 95% have one."""
    none = verdicts.isin(["too_few", "not_estimable"])
    print(verdicts.value_counts().to_string())
    share = 1 - float(none.mean())
    print(f"{len(verdicts)} records of 30 questions or more, {share:.1%} with a verdict")
    return 0 if share >= WITH_VERDICT else 1


def _cells(each: Gate) -> list[str]:
    """Return the cells of a printed gate."""
    shares = (f"{each.bound:.0%}", f"{each.measured:.2%}", f"{each.error:.2%}")
    result = "holds" if each.holds else "may hold" if each.may_hold else "FAILS"
    return [each.claim, each.world, *shares, result]


if __name__ == "__main__":
    sys.exit(main())
