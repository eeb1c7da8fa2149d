"""The entry point ``forecasts``, with every command in the order of --help."""

from __future__ import annotations

import gc

# Importing a module of commands registers them on ``app``, in this order.
# isort: off
from forecasts.cli import serve, api, operations, tokens, members, chain, digests  # noqa: F401
from forecasts.cli import articles, ask, today, questions, show  # noqa: F401
from forecasts.cli import forecast, revise, resolve, runs  # noqa: F401
from forecasts.cli import resolvers, schedule, notify  # noqa: F401
from forecasts.cli import scores, reports, exchange, pull, publish, teams, mcp  # noqa: F401
from forecasts.cli import simulate  # noqa: F401
from forecasts.cli.root import app
# isort: on


def main() -> None:
    """Run the command line."""
    # A command allocates much and frees little, so frequent collections only cost time.
    gc.set_threshold(200_000)
    try:
        app()
    finally:
        gc.freeze()
