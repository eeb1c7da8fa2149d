"""The entry point ``forecasts``."""

from __future__ import annotations

import os

from forecasts.cli.root import command_line as app

# A report's sums are small, and divided among threads of its own: with a second set of threads,
# which wait for each other at each sum, it takes a third longer. Read when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    """Run the command line."""
    app()
