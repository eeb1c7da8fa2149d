"""How many examples property tests try.

A tenth of them in ``make test``, a quarter where a change lands (``.ci/run``), and all of them in
``make test-long`` and ``make test-all``.
"""

from __future__ import annotations

import os

SHARES = {"tenth": 10, "quarter": 4, "all": 1}
ONE_IN = SHARES[os.environ.get("LEDGER_TESTS_EXAMPLES", "tenth")]


def examples(number: int) -> int:
    """Return how many of ``number`` examples to try in this run, at least 3 of them."""
    return min(number, max(3, number // ONE_IN))
