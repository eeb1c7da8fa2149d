"""The entry point ``forecasts``: every command, in the order in which --help lists them."""

from __future__ import annotations

import gc

# Importing a module of commands registers them on ``app``, in this order.
# isort: off
from forecasts.cli import serve, operations, tokens, members, chain  # noqa: F401
from forecasts.cli import articles, ask, questions  # noqa: F401
from forecasts.cli import forecast, revise, resolve, runs  # noqa: F401
from forecasts.cli import resolvers, schedule, notify  # noqa: F401
from forecasts.cli import scores, reports, comparisons, exchange, teams  # noqa: F401
from forecasts.cli.root import app
# isort: on


def main() -> None:
    """Run the command line."""
    # A command makes much and drops little: the collector would look through all of it time and
    # again, and once more as the process ends.
    gc.set_threshold(200_000)
    try:
        app()
    finally:
        gc.freeze()
