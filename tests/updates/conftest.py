"""Updates are kept alike in either database."""

from __future__ import annotations

import pytest

from tests.conftest import KINDS


@pytest.fixture
def kind() -> str:
    """One database, but where SQL is the subject (``on_both``)."""
    return KINDS[0]
