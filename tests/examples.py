"""How many examples property tests try.

A tenth of them in ``make test``, at most 50 where a change lands (``.ci/run``), and all of them in
``make test-long`` and ``make test-all``.
"""

from __future__ import annotations

import os

MOST = os.environ.get("LEDGER_TESTS_EXAMPLES")  # "all", or the most of them


def examples(number: int) -> int:
    """Return how many of ``number`` examples to try in this run, at least 3 of them."""
    if MOST == "all":
        return number
    return min(number, int(MOST) if MOST else max(3, number // 10))
