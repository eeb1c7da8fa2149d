"""The command for a simulated tournament of any size: simulate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from typer import Argument, Option
from typer.core import TyperCommand

from forecasts.cli.bulk_scores import Scheduler, Workers, engine, showing_progress
from forecasts.cli.console import print_line
from forecasts.cli.outputs import require_folder
from forecasts.cli.root import app
from forecasts.common.errors import BadInput, command
from forecasts.common.text import count
from forecasts.parts import simulation
from forecasts.parts.folder import require_new
from scoring.simulation.bulk import BulkTournament

# The limits of ``bulk_simulation`` and of ``parts.folder``, whose imports take long.
_MOST, MOST_PARTS = 2**40 - 1, 100_000
# The setting for the share of each type.
_TYPES = {"multiple_choice": "choice_share", "numeric": "numeric_share", "binary": "binary"}


@app.command(cls=TyperCommand)
def simulate(
    folder: Annotated[Path, Argument(metavar="FOLDER", help="The new folder of parts.")],
    questions: Annotated[
        int, Option(metavar="N", min=1, max=_MOST, help="Number of questions.")
    ] = 1_000,
    forecasters: Annotated[
        int, Option(metavar="N", min=1, max=_MOST, help="Number of forecasters.")
    ] = 200,
    updates: Annotated[
        int,
        Option(metavar="N", min=1, max=_MOST, help="Number of forecasts in all, approximately."),
    ] = 100_000,
    teams: Annotated[int, Option(metavar="N", min=0, help="Number of teams; 0 for none.")] = 10,
    types: Annotated[
        str,
        Option(
            metavar="TYPE=SHARE,…",
            help="Share of multiple_choice and numeric questions, such as multiple_choice=0.2; "
            "the others are binary.",
        ),
    ] = "",
    overconfident: Annotated[
        float, Option(metavar="SHARE", min=0, max=1, help="Share of overconfident forecasters.")
    ] = 0.0,
    seed: Annotated[int, Option(metavar="N", help="The same seed gives the same tournament.")] = 0,
    parts: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            max=MOST_PARTS,
            help="Number of parts. [default: one for each million forecasts, at least one per "
            "core]",
            show_default=False,
        ),
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Simulate a tournament of any size, as a folder of parts.

    All forecasters are calibrated, so a report on it should find no fault; --overconfident makes
    some of them overconfident. Names and titles say that they are simulated.
    """
    shares = _shares(types)
    require_folder(folder)

    require_new(folder)
    settings = BulkTournament(
        questions=questions,
        forecasters=forecasters,
        updates=updates,
        teams=min(teams, forecasters),
        seed=seed,
        overconfident=overconfident,
        **shares,
    )
    with (
        engine(workers, scheduler, "forecasts.parts.simulation") as executor,
        showing_progress("Simulating", updates) as progress,
    ):
        made = simulation.simulate(folder, settings, executor, parts=parts, progress=progress)
    print_line(
        f"Simulated {made.rows('forecasts'):,} forecasts (about {updates:,} asked for) on "
        f"{made.rows('questions'):,} questions by {forecasters:,} forecasters, in "
        f"{count(made.count, 'part')}."
    )
    print_line(f"Score them: {command('score', str(folder), output='SCORES')}")


def _shares(given: str) -> dict[str, float]:
    """Return the settings of the shares of types; BadInput if one is unknown or they do not add up.

    The share of binary questions may be given or left out.
    """
    shares = {}
    for one in filter(None, given.split(",")):
        name, _, share = one.partition("=")
        try:
            setting, value = _TYPES[name.strip()], float(share)
        except (KeyError, ValueError):
            raise BadInput(
                f"--types {one!r} is not a type and its share.",
                remedy=f"Use {', '.join(f'{name}=0.2' for name in _TYPES)}.",
            ) from None
        if not 0 <= value <= 1:
            raise BadInput(
                f"--types {one!r}: a share must be from 0 to 1, got {value:g}.",
                remedy=f"Use a share such as {name.strip()}=0.2.",
            )
        if setting in shares:
            raise BadInput(f"--types names {name.strip()} twice.", remedy="Name each type once.")
        shares[setting] = value
    total = sum(shares.values())
    if "binary" in shares and not math.isclose(total, 1):
        raise BadInput(
            f"The shares of --types add up to {total:g}, not 1.",
            remedy="Correct them, or leave binary out.",
        )
    if total > 1 and not math.isclose(total, 1):
        raise BadInput(
            f"The shares of --types add up to {total:g}, more than 1.",
            remedy="Lower them to 1 or less in all; the other questions are binary.",
        )
    shares.pop("binary", None)
    return shares
