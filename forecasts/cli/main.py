"""The entry point ``forecasts``, with every command in the order of --help."""

from __future__ import annotations

import os

# A report's sums are small, and divided among threads of its own: with a second set of threads,
# which wait for each other at each sum, it takes a third longer. Set before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Importing a module of commands registers them on ``app``, in this order.
# isort: off
from forecasts.cli import serve, api, operations, tokens, members, chain, digests  # noqa: F401
from forecasts.cli import articles, ask, today, questions, show  # noqa: F401
from forecasts.cli import forecast, revise, resolve, runs  # noqa: F401
from forecasts.cli import resolvers, schedule, notify  # noqa: F401
from forecasts.cli import scores, reports, exchange, pull, publish, teams, mcp  # noqa: F401
from forecasts.cli import partition, simulate  # noqa: F401
from forecasts.cli.root import app
# isort: on


def main() -> None:
    """Run the command line."""
    app()
