"""How many examples property tests try: a tenth in ``make test``, all in ``make test-long``."""

from __future__ import annotations

import os

ALL = os.environ.get("LEDGER_TESTS_EXAMPLES") == "all"


def examples(number: int) -> int:
    """Return how many of ``number`` examples to try in this run, at least 3 of them."""
    return number if ALL else min(number, max(3, number // 10))
