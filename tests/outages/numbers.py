"""How often each outage happens: a few times in ``make test``, as the bar asks in ``make hold``."""

from __future__ import annotations

from typing import Any

import pytest


def often(few: int, many: int) -> Any:
    """Return the parametrization of a test that lets something happen so many ``times``."""
    return pytest.mark.parametrize("times", [few, pytest.param(many, marks=pytest.mark.nightly)])
